/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * give_up_compare: is a tensor smaller coded exactly?
 *
 * A few places of it tell most tensors, whose bits cost far more than what the
 * codec makes of them. Where exact coding comes near, the whole tensor is coded
 * both ways, and nothing kept of that but how long it is.
 */
#include "write/give_up_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/convert.h"
#include "write/span.h"

/*
 * Places that are measured exactly, evenly spread: one in so many bytes, but so
 * few and so many in a tensor; and bytes of each. More: changes that are all in
 * some rows are told better, and it takes longer: now some 3 % of what the codec
 * does.
 */
#define PLACE_EVERY (256u << 10)
#define PLACES_LEAST 16
#define PLACES_MOST 128
#define PLACE_BYTES (4u << 10)
/* Of so many chunks one is coded as the codec would, but of no tensor more than MOST. */
#define CHUNKS_FOR_ONE 32
#define CHUNKS_MOST 4
/* Exact coding is near if the places say that it takes up to this, in eighths of what the codec does. */
#define NEAR 12
#define CHUNK_BYTES 32	/* of a container's metadata */

static struct dfs_segment *segment_of(const struct dfs_pass_job *j)
{
	return &j->w->c.segments[j->segment];
}

static int expect(const struct dfs_pass_job *j, const struct dfs_span_place *place, struct dfs_hand *hand, struct dfs_err *err)
{
	int ret = dfs_expect_read(j->w, place, &hand->span, err);

	return ret < 0 ? ret : dfs_expect(j->w, place, hand, &hand->span, err);
}

static void set_drop(const struct dfs_pass_job *j, unsigned drop)
{
	j->w->segments[j->segment].shape.drop = (uint8_t)drop;
	segment_of(j)->drop = (uint8_t)drop;
}

/* --- a few places */

static unsigned places_of(const struct dfs_segment *seg)
{
	uint64_t n = seg->len / PLACE_EVERY;

	return n < PLACES_LEAST ? PLACES_LEAST : n < PLACES_MOST ? (unsigned)n : PLACES_MOST;
}

static struct dfs_span_place place_of(const struct dfs_pass_job *j, unsigned i)
{
	const struct dfs_segment *seg = segment_of(j);
	unsigned unit = dfs_segment_unit(seg);
	uint64_t values = seg->len / unit, each = PLACE_BYTES / unit;

	each = each < values ? each : values;
	return (struct dfs_span_place){
		.segment = j->segment, .off = seg->off + (values - each) * i / (places_of(seg) - 1) * unit, .len = each * unit,
	};
}

/* The low bits that are zero in all places. */
static int look_drop(struct dfs_pass_job *j, struct dfs_hand *hand, struct dfs_err *err)
{
	const struct dfs_segment *seg = segment_of(j);
	unsigned drop = UINT8_MAX;
	int ret = 0;

	for (unsigned i = 0; i < places_of(seg) && ret == 0 && drop > 0; i++) {
		struct dfs_span_place place = place_of(j, i);
		unsigned zeros;

		ret = dfs_expect_read(j->w, &place, &hand->span, err);
		if (ret < 0)
			return ret;
		zeros = dfs_common_low_zeros(seg->dtype, hand->span.input, place.len / dfs_segment_unit(seg));
		drop = zeros < drop ? zeros : drop;
	}
	set_drop(j, drop);
	return ret;
}

static int look_places(struct dfs_pass_job *j, struct dfs_hand *hand, struct dfs_exact_record *record, struct dfs_err *err)
{
	const struct dfs_segment *seg = segment_of(j);
	int ret = 0;

	for (unsigned i = 0; i < places_of(seg) && ret == 0; i++) {
		struct dfs_span_place place = place_of(j, i);
		struct dfs_block block = {
			.shape = j->w->segments[j->segment].shape,
			.first = (place.off - seg->off) / dfs_segment_unit(seg),
			.n = place.len / dfs_segment_unit(seg),
		};

		ret = expect(j, &place, hand, err);
		if (ret < 0)
			return ret;
		block.pred = hand->span.values;
		ret = dfs_exact_measure(record, &block, hand->span.input, hand->scratch);
		j->looked.exact += place.len;
	}
	j->looked.exact_bits = dfs_exact_bits(record);
	if (ret == 0 && j->looked.exact_bits == UINT64_MAX)
		ret = -ENOMEM;
	return ret < 0 ? dfs_fail(err, -ret, "measure: %s", strerror(-ret)) : 0;
}

/* Once a tensor: no plan changes it. */
static int look_exactly(struct dfs_pass_job *j, struct dfs_hand *hand, struct dfs_err *err)
{
	struct dfs_exact_record *record;
	int ret;

	if (j->looked.exact)
		return 0;
	ret = look_drop(j, hand, err);
	if (ret < 0)
		return ret;
	record = dfs_exact_record_new(j->w->segments[j->segment].shape, true);
	ret = record ? look_places(j, hand, record, err) : dfs_fail(err, ENOMEM, "out of memory");
	dfs_exact_record_free(record);
	set_drop(j, 0);
	return ret;
}

/* --- as the codec would */

struct payload {
	uint8_t *bytes;
	size_t room;
};

/* How long the payload of a chunk is; as dfs_span_encode() makes it. */
static int chunk_lossy(const struct dfs_pass_job *j, const struct dfs_block *block, const uint8_t *input, struct dfs_hand *hand,
		       struct payload *to, size_t *ret_len)
{
	const struct dfs_lossy *lossy = j->p->lossy;
	const struct dfs_work_lossy *l = dfs_pass_lossy(j);
	size_t bytes = block->n * dfs_dtype_info(block->shape.dtype)->size;
	float *delta = dfs_hand_delta(hand, block->n);
	int ret;

	*ret_len = 0;
	if (!memcmp(input, block->pred, bytes))
		return 0;
	if (!delta || dfs_span_room(&to->bytes, &to->room, lossy->codec->bound(block->shape, block->n) + DFS_PAYLOAD_PAD) < 0)
		return -ENOMEM;
	dfs_delta(block->shape.dtype, input, block->pred, delta, block->n);
	ret = lossy->encode(block, delta, l->table, (struct dfs_span){ l->notes.data, l->notes.len }, to->bytes, ret_len,
			    hand->scratch);
	if (*ret_len > bytes)
		*ret_len = bytes;
	return ret;
}

/* What chunks [first, first + n) take; @ret_of: bytes of those that differ from the base. */
static int chunks_lossy(const struct dfs_pass_job *j, struct dfs_span_place *place, struct dfs_hand *hand, struct payload *to,
			uint64_t *ret_of, uint64_t *ret_len, struct dfs_err *err)
{
	int ret = expect(j, place, hand, err);

	for (uint32_t i = 0; i < place->n && ret == 0; i++) {
		uint64_t at;
		struct dfs_block block = dfs_expect_block(j->w, place, i, &hand->span, &at);
		size_t len;

		ret = chunk_lossy(j, &block, hand->span.input + at, hand, to, &len);
		if (ret < 0)
			return dfs_fail(err, -ret, "encode: %s", strerror(-ret));
		*ret_len += len + CHUNK_BYTES;
		*ret_of += len ? block.n * dfs_segment_unit(segment_of(j)) : 0;
	}
	return ret;
}

/* Return: 1: exact coding may be smaller; 0: it is not; -errno. */
static int look_near(struct dfs_pass_job *j, struct dfs_hand *hand, struct payload *to, struct dfs_err *err)
{
	const struct dfs_segment *seg = segment_of(j);
	uint32_t n = seg->n_chunks / CHUNKS_FOR_ONE;
	uint64_t of = 0, len = 0;
	double lossy, exact;
	int ret = look_exactly(j, hand, err);

	n = n < 1 ? 1 : n < CHUNKS_MOST ? n : CHUNKS_MOST;
	for (uint32_t i = 0; i < n && ret == 0; i++) {
		struct dfs_span_place place = { .segment = j->segment, .first = (uint32_t)((2ull * i + 1) * seg->n_chunks / (2 * n)), .n = 1 };

		dfs_segment_chunk(seg, place.first, &place.off, &place.len);
		ret = chunks_lossy(j, &place, hand, to, &of, &len, err);
	}
	if (ret < 0)
		return ret;
	if (!of)
		return 1;
	lossy = (double)len / (double)of * (double)seg->len + (double)dfs_pass_lossy(j)->table_bytes.len;
	exact = (double)j->looked.exact_bits / 8 / (double)j->looked.exact * (double)seg->len;
	return 8 * exact <= NEAR * lossy;
}

/* --- the whole of it, both ways */

static int code_lossy(struct dfs_pass_job *j, struct dfs_hand *hand, struct payload *to, uint64_t *ret_len, struct dfs_err *err)
{
	struct dfs_span_place place;
	uint64_t of = 0;
	int ret = 0;

	*ret_len = dfs_pass_lossy(j)->table_bytes.len;
	for (uint32_t first = 0; first < segment_of(j)->n_chunks && ret == 0 && !dfs_pass_failed(j->p, 0); first += place.n) {
		place = dfs_work_span(j->w, j->segment, first);
		ret = chunks_lossy(j, &place, hand, to, &of, ret_len, err);
	}
	return ret;
}

static int measure_exactly(struct dfs_pass_job *j, struct dfs_hand *hand, struct dfs_exact_tables **ret_tables, struct dfs_err *err)
{
	struct dfs_exact_record *record = dfs_exact_record_new(j->w->segments[j->segment].shape, true);
	struct dfs_span_place place;
	int ret = record ? 0 : dfs_fail(err, ENOMEM, "out of memory");

	for (uint32_t first = 0; first < segment_of(j)->n_chunks && ret == 0 && !dfs_pass_failed(j->p, 0); first += place.n) {
		place = dfs_work_span(j->w, j->segment, first);
		ret = dfs_span_measure(j->w, &place, hand, &hand->span, record, err);
	}
	if (ret == 0)
		ret = dfs_exact_prepare(record, ret_tables, err);
	dfs_exact_record_free(record);
	return ret;
}

/* Adds the chunks of a span; @used: codecs whose table has been counted. */
static int span_exactly(struct dfs_pass_job *j, const struct dfs_span_place *place, struct dfs_hand *hand,
			const struct dfs_exact_tables *tables, struct payload *to, bool *used, uint64_t *ret_len, struct dfs_err *err)
{
	int ret = expect(j, place, hand, err);

	for (uint32_t i = 0; i < place->n && ret == 0; i++) {
		uint64_t at;
		struct dfs_block block = dfs_expect_block(j->w, place, i, &hand->span, &at);
		unsigned codec;
		size_t len;

		if (dfs_span_room(&to->bytes, &to->room, dfs_exact_bound(block.shape, block.n) + DFS_PAYLOAD_PAD) < 0)
			return dfs_fail(err, ENOMEM, "out of memory");
		ret = dfs_exact_encode(&block, hand->span.input + at, tables, to->bytes, &len, &codec, hand->scratch);
		if (ret < 0)
			return dfs_fail(err, -ret, "encode: %s", strerror(-ret));
		if (!used[codec])
			*ret_len += dfs_exact_table_bytes(tables, codec).len;
		used[codec] = true;
		*ret_len += len + CHUNK_BYTES;
	}
	return ret;
}

/* As far as it takes no more than @most. */
static int code_exactly(struct dfs_pass_job *j, struct dfs_hand *hand, struct payload *to, uint64_t most, uint64_t *ret_len,
			struct dfs_err *err)
{
	struct dfs_exact_tables *tables = NULL;
	bool used[DFS_CODECS] = { false };
	struct dfs_span_place place;
	int ret = dfs_span_drop(j->w, j->segment, NULL, 0, err);

	if (ret == 0)
		ret = measure_exactly(j, hand, &tables, err);
	*ret_len = 0;
	for (uint32_t first = 0; first < segment_of(j)->n_chunks && ret == 0 && *ret_len <= most && !dfs_pass_failed(j->p, 0);
	     first += place.n) {
		place = dfs_work_span(j->w, j->segment, first);
		ret = span_exactly(j, &place, hand, tables, to, used, ret_len, err);
	}
	dfs_exact_tables_free(tables);
	return ret;
}

static void cut(struct dfs_segment *seg, uint32_t chunk_rows)
{
	seg->chunk_rows = chunk_rows;
	seg->n_chunks = (uint32_t)dfs_segment_chunks(seg);
}

static int code_both(struct dfs_pass_job *j, struct dfs_hand *hand, struct payload *to, struct dfs_err *err)
{
	struct dfs_segment *seg = segment_of(j);
	uint32_t chunk_rows = seg->chunk_rows;
	uint64_t lossy, exact = 0;
	int ret = code_lossy(j, hand, to, &lossy, err);

	if (ret < 0)
		return ret;
	cut(seg, 0);
	ret = code_exactly(j, hand, to, lossy, &exact, err);
	cut(seg, chunk_rows);
	set_drop(j, 0);
	j->smaller = ret == 0 && exact <= lossy;
	return ret;
}

int dfs_pass_compare(struct dfs_pass_job *j, struct dfs_hand *hand, struct dfs_err *err)
{
	struct payload to = { 0 };
	int ret = look_near(j, hand, &to, err);

	if (ret > 0)
		ret = code_both(j, hand, &to, err);
	free(to.bytes);
	return ret;
}
