/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/glance.h"

#include <errno.h>
#include <string.h>

#include "codec/lossy.h"
#include "tensor/convert.h"

/*
 * Places are evenly spread: one in so many bytes, but so few and so many in a
 * tensor; and bytes of each. All of them together take some 3 % of the time
 * that the fastest codec which gives up bits needs for the tensor.
 */
#define EVERY (256u << 10)
#define LEAST 16
#define MOST 128
#define BYTES (4u << 10)

static unsigned places_of(const struct dfs_segment *seg)
{
	uint64_t n = seg->len / EVERY;

	return n < LEAST ? LEAST : n < MOST ? (unsigned)n : MOST;
}

static struct dfs_span_place place_of(const struct dfs_work *w, uint32_t segment, unsigned i)
{
	const struct dfs_segment *seg = &w->c.segments[segment];
	unsigned unit = dfs_segment_unit(seg);
	uint64_t values = seg->len / unit, each = BYTES / unit;

	each = each < values ? each : values;
	return (struct dfs_span_place){
		.segment = segment, .off = seg->off + (values - each) * i / (places_of(seg) - 1) * unit, .len = each * unit,
	};
}

static void set_drop(struct dfs_work *w, uint32_t segment, unsigned drop)
{
	w->segments[segment].shape.drop = (uint8_t)drop;
	w->c.segments[segment].drop = (uint8_t)drop;
}

/* The low bits that are zero in all places. */
static int look_drop(struct dfs_work *w, uint32_t segment, struct dfs_hand *hand, struct dfs_err *err)
{
	const struct dfs_segment *seg = &w->c.segments[segment];
	unsigned drop = UINT8_MAX;

	for (unsigned i = 0; i < places_of(seg) && drop > 0; i++) {
		struct dfs_span_place place = place_of(w, segment, i);
		int ret = dfs_expect_read(w, &place, &hand->span, err);
		unsigned zeros;

		if (ret < 0)
			return ret;
		zeros = dfs_common_low_zeros(seg->dtype, hand->span.input, place.len / dfs_segment_unit(seg));
		drop = zeros < drop ? zeros : drop;
	}
	set_drop(w, segment, drop);
	return 0;
}

static int look_at(const struct dfs_work *w, const struct dfs_span_place *place, struct dfs_hand *hand,
		   struct dfs_exact_record *record, struct dfs_glance *glance, struct dfs_err *err)
{
	const struct dfs_segment *seg = &w->c.segments[place->segment];
	struct dfs_block block = {
		.shape = w->segments[place->segment].shape,
		.first = (place->off - seg->off) / dfs_segment_unit(seg),
		.n = place->len / dfs_segment_unit(seg),
	};
	float *delta = dfs_hand_delta(hand, block.n);
	int ret = dfs_expect_both(w, place, hand, &hand->span, err);

	if (ret < 0)
		return ret;
	if (!delta)
		return dfs_fail(err, ENOMEM, "out of memory");
	block.pred = hand->span.values;
	glance->bytes += place->len;
	glance->differs |= memcmp(hand->span.input, block.pred, place->len) != 0;
	glance->finite &= dfs_delta(block.shape.dtype, hand->span.input, block.pred, delta, block.n);
	ret = dfs_exact_measure(record, &block, hand->span.input, hand->scratch);
	return ret < 0 ? dfs_fail(err, -ret, "measure: %s", strerror(-ret)) : 0;
}

int dfs_glance(struct dfs_work *w, uint32_t segment, struct dfs_hand *hand, struct dfs_glance *ret_glance, struct dfs_err *err)
{
	struct dfs_exact_record *record;
	int ret = look_drop(w, segment, hand, err);

	*ret_glance = (struct dfs_glance){ .finite = true };
	if (ret < 0)
		return ret;
	record = dfs_exact_record_new(w->segments[segment].shape, true);
	if (!record)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	for (unsigned i = 0; i < places_of(&w->c.segments[segment]) && ret == 0; i++) {
		struct dfs_span_place place = place_of(w, segment, i);

		ret = look_at(w, &place, hand, record, ret_glance, err);
	}
	if (ret == 0)
		ret_glance->bits = dfs_exact_bits(record);
	if (ret_glance->bits == UINT64_MAX)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	if (ret_glance->bits > 8 * ret_glance->bytes)
		ret_glance->bits = 8 * ret_glance->bytes;
	dfs_exact_record_free(record);
	set_drop(w, segment, 0);
	return ret;
}
