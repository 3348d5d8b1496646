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

#include "write/span.h"

/* Of so many chunks one is coded as the codec would, but of no tensor more than MOST. */
#define CHUNKS_FOR_ONE 32
#define CHUNKS_MOST 4
/* Exact coding is near if the places say that it takes up to this, in eighths of what the codec does. */
#define NEAR 12

static struct dfs_segment *segment_of(const struct dfs_pass_job *j)
{
	return &j->w->c.segments[j->segment];
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
	ret = dfs_lossy_encode(lossy, block, input, delta, l->table, (struct dfs_span){ l->notes.data, l->notes.len },
			       to->bytes, ret_len, hand->scratch);
	if (*ret_len > bytes)
		*ret_len = bytes;
	return ret;
}

/* What chunks [first, first + n) take; @ret_of: bytes of those that differ from the base. */
static int chunks_lossy(const struct dfs_pass_job *j, struct dfs_span_place *place, struct dfs_hand *hand, struct payload *to,
			uint64_t *ret_of, uint64_t *ret_len, struct dfs_err *err)
{
	int ret = dfs_expect_both(j->w, place, hand, &hand->span, err);

	for (uint32_t i = 0; i < place->n && ret == 0; i++) {
		uint64_t at;
		struct dfs_block block = dfs_expect_block(j->w, place, i, &hand->span, &at);
		size_t len;

		ret = chunk_lossy(j, &block, hand->span.input + at, hand, to, &len);
		if (ret < 0)
			return dfs_fail(err, -ret, "encode: %s", strerror(-ret));
		*ret_len += len + DFS_CHUNK_METADATA;
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
	int ret = j->glance.bytes ? 0 : dfs_glance(j->w, j->segment, hand, &j->glance, err);	/* no plan changes it */

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
	exact = (double)j->glance.bits / 8 / (double)j->glance.bytes * (double)seg->len;
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
	int ret = dfs_expect_both(j->w, place, hand, &hand->span, err);

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
		*ret_len += len + DFS_CHUNK_METADATA;
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
	j->w->segments[j->segment].shape.drop = seg->drop = 0;
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
