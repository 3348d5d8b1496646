/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/seen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/lossy.h"
#include "write/glance.h"

int dfs_seen_init(struct dfs_seen *seen, const struct dfs_header *header, uint64_t budget, struct dfs_err *err)
{
	*seen = (struct dfs_seen){ .header = header, .budget = budget };
	seen->of = calloc((header ? header->n_tensors : 0) + 1, sizeof(*seen->of));
	return seen->of ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

void dfs_seen_release(struct dfs_seen *seen)
{
	free(seen->of);
	*seen = (struct dfs_seen){ 0 };
}

static int look_whole(const struct dfs_work *w, uint32_t segment, struct dfs_hand *hand, struct dfs_seen_tensor *t, struct dfs_err *err)
{
	const struct dfs_segment *seg = &w->c.segments[segment];
	uint64_t end = seg->off + seg->len, step = DFS_SPAN_CHUNKS * DFS_GRID;

	for (uint64_t off = seg->off; off < end && t->finite; off += step) {
		struct dfs_span_place place = { .segment = segment, .off = off, .len = end - off < step ? end - off : step };
		uint64_t n = place.len / dfs_segment_unit(seg);
		float *delta = dfs_hand_delta(hand, n);
		int ret = dfs_expect_both(w, &place, hand, &hand->span, err);

		if (ret == 0 && !delta)
			ret = dfs_fail(err, ENOMEM, "out of memory");
		if (ret < 0)
			return ret;
		t->differs |= memcmp(hand->span.input, hand->span.values, place.len) != 0;
		t->finite = dfs_delta(seg->dtype, hand->span.input, hand->span.values, delta, n);
	}
	return 0;
}

static uint64_t exact_of(const struct dfs_segment *seg, const struct dfs_glance *glance)
{
	double bytes = (double)glance->bits / 8 / (double)glance->bytes * (double)seg->len;

	return (uint64_t)bytes + DFS_TENSOR_METADATA + seg->len / DFS_GRID * DFS_CHUNK_METADATA;
}

int dfs_seen_look(struct dfs_seen *seen, struct dfs_work *w, uint32_t segment, struct dfs_hand *hand,
		  const struct dfs_seen_tensor **ret_tensor, struct dfs_err *err)
{
	const struct dfs_segment *seg = &w->c.segments[segment];
	struct dfs_seen_tensor *t = &seen->of[dfs_header_at(seen->header, seg->off) - seen->header->tensors];
	struct dfs_glance glance;
	int ret;

	*ret_tensor = t;
	if (t->looked)
		return 0;
	ret = dfs_glance(w, segment, hand, &glance, err);
	if (ret < 0)
		return ret;
	*t = (struct dfs_seen_tensor){
		.looked = true, .differs = glance.differs, .finite = glance.finite, .exact = exact_of(seg, &glance),
	};
	if (seen->budget < seg->len)
		return 0;
	seen->budget -= seg->len;
	return look_whole(w, segment, hand, t, err);
}
