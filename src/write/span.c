/* SPDX-License-Identifier: GPL-2.0-or-later */
/* span: the two passes over a run of chunks. */
#include "write/span.h"

#include <stdlib.h>

#include "tensor/convert.h"
#include "util/io.h"

static int read_input(const struct dfs_work *w, uint8_t *to, uint64_t len, uint64_t off,
		      struct dfs_err *err)
{
	int ret = dfs_pread_all(w->in_fd, to, len, off);

	if (ret < 0)
		return dfs_fail(err, -ret, "read: %s", strerror(-ret));
	return 0;
}

/*
 * Most values use all their bits, which the first look shows; a segment of
 * narrower floats parked in wider ones is read whole.
 */
#define LOOK (64u << 10)

int dfs_span_drop(struct dfs_work *w, uint32_t segment, struct dfs_ticker *ticker, uint64_t done, struct dfs_err *err)
{
	const struct dfs_segment *seg = &w->c.segments[segment];
	const struct dfs_dtype_info *info = dfs_dtype_info(seg->dtype);
	DFS_AUTO(mem) uint8_t *bytes = NULL;
	unsigned drop = UINT8_MAX;

	if (!info || info->exponent == 0 || info->size < 2 || seg->len < info->size)
		return 0;
	bytes = malloc(LOOK);
	if (!bytes)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (uint64_t at = 0; at < seg->len && drop > 0; at += LOOK) {
		uint64_t len = seg->len - at < LOOK ? seg->len - at : LOOK;
		unsigned zeros;
		int ret = read_input(w, bytes, len, seg->off + at, err);

		if (ret == 0 && ticker)
			ret = dfs_ticker_tell(ticker, done, err);
		if (ret < 0)
			return ret;
		zeros = dfs_common_low_zeros(seg->dtype, bytes, len / info->size);
		drop = zeros < drop ? zeros : drop;
	}
	w->segments[segment].shape.drop = (uint8_t)drop;
	w->c.segments[segment].drop = (uint8_t)drop;
	return 0;
}

int dfs_span_measure(const struct dfs_work *w, const struct dfs_span_place *place,
		     struct dfs_hand *hand, struct dfs_span_bytes *bytes,
		     struct dfs_exact_record *record, struct dfs_err *err)
{
	uint64_t at;
	int ret = dfs_expect_both(w, place, hand, bytes, err);

	for (uint32_t i = 0; i < place->n && ret == 0; i++) {
		struct dfs_block block = dfs_expect_block(w, place, i, bytes, &at);

		ret = dfs_exact_measure(record, &block, bytes->input + at, hand->scratch);
		if (ret < 0)
			dfs_fail(err, -ret, "measure: %s", strerror(-ret));
	}
	return ret;
}

void dfs_coded_release(struct dfs_coded *coded)
{
	free(coded->payload);
	free(coded->own);
	*coded = (struct dfs_coded){ 0 };
}

/* A chunk that is being encoded. */
struct part {
	struct dfs_block block;
	uint64_t at;		/* in the span */
	const uint8_t *input;
	uint8_t *payload;
	size_t len;		/* of the payload */
	unsigned codec;
};

static void store(struct part *part, size_t bytes)
{
	part->codec = DFS_CODEC_STORED;
	part->len = bytes;
	memcpy(part->payload, part->input, bytes);
}

/* All values are finite. A chunk that would come back with an infinity is kept as it is. */
static int encode_lossy(const struct dfs_work *w, struct dfs_coded *coded, struct part *part, struct dfs_hand *hand,
			struct dfs_err *err)
{
	const struct dfs_work_lossy *l = w->segments[coded->place.segment].lossy;
	const struct dfs_lossy *lossy = w->spec->lossy;
	struct dfs_span notes = { l->notes.data, l->notes.len };
	size_t bytes = part->block.n * dfs_dtype_info(part->block.shape.dtype)->size;
	float *delta = dfs_hand_delta(hand, part->block.n);
	uint8_t *shown = coded->own + part->at;
	int ret;

	memcpy(shown, part->input, bytes);
	part->codec = DFS_CODEC_COPY;
	part->len = 0;
	if (!memcmp(part->input, part->block.pred, bytes))
		return 0;
	if (!delta)
		return dfs_fail(err, ENOMEM, "out of memory");
	part->codec = w->spec->codec;
	ret = dfs_lossy_encode(lossy, &part->block, part->input, delta, l->table, notes, part->payload, &part->len,
			       hand->scratch);
	if (ret < 0)
		return dfs_fail(err, -ret, "encode: %s", strerror(-ret));
	if (part->len > bytes) {	/* a few values before or behind a line of the grid */
		store(part, bytes);
		return 0;
	}
	memset(part->payload + part->len, 0, DFS_PAYLOAD_PAD);
	ret = lossy->codec->decode(&part->block, (struct dfs_span){ part->payload, part->len }, l->table, shown,
				   hand->scratch, err);
	if (ret == 0 && !dfs_lossy_finite(part->block.shape.dtype, shown, part->block.n)) {
		memcpy(shown, part->input, bytes);
		store(part, bytes);
	}
	return ret;
}

static int encode_exact(const struct dfs_work *w, struct dfs_coded *coded, struct part *part, struct dfs_hand *hand,
			struct dfs_err *err)
{
	int ret = dfs_exact_encode(&part->block, part->input, w->segments[coded->place.segment].tables, part->payload,
				   &part->len, &part->codec, hand->scratch);

	return ret < 0 ? dfs_fail(err, -ret, "encode: %s", strerror(-ret)) : 0;
}

static int encode_chunk(struct dfs_work *w, struct dfs_coded *coded, uint32_t i, struct dfs_hand *hand,
			struct dfs_err *err)
{
	const struct dfs_segment *seg = &w->c.segments[coded->place.segment];
	struct dfs_chunk_ref *ref = &w->c.chunks[seg->first_chunk + coded->place.first + i];
	struct part part;
	int ret;

	part.block = dfs_expect_block(w, &coded->place, i, coded->bytes, &part.at);
	part.input = coded->bytes->input + part.at;
	part.payload = coded->payload + coded->payload_len;
	ret = (w->segments[coded->place.segment].lossy ? encode_lossy : encode_exact)(w, coded, &part, hand, err);
	if (ret < 0)
		return ret;
	ref->codec = (uint8_t)part.codec;
	ref->len = (uint32_t)part.len;
	ref->decoded_hash = dfs_hash64(coded->shown + part.at, part.block.n * dfs_segment_unit(seg),
				       coded->place.off + part.at);
	coded->payload_len += part.len;
	return 0;
}

/* Room for the payloads, each of which may for a moment be as large as its codec's bound. */
static int coded_room(const struct dfs_work *w, struct dfs_coded *coded)
{
	const struct dfs_work_segment *ws = &w->segments[coded->place.segment];
	uint64_t values = coded->place.len / dfs_dtype_info(ws->shape.dtype)->size;
	size_t bound = ws->lossy ? w->spec->lossy->codec->bound(ws->shape, values) : 0;
	size_t len = (bound > coded->place.len ? bound : coded->place.len) + coded->place.n * 8 + DFS_PAYLOAD_PAD;
	int ret = dfs_span_room(&coded->payload, &coded->payload_room, len);

	coded->payload_len = 0;
	coded->shown = coded->bytes->input;
	if (ret < 0 || !ws->lossy)
		return ret;
	ret = dfs_span_room(&coded->own, &coded->own_room, coded->place.len);
	coded->shown = coded->own;
	return ret;
}

int dfs_span_encode(struct dfs_work *w, struct dfs_coded *coded, struct dfs_hand *hand,
		    struct dfs_err *err)
{
	int ret = coded->read ? 0 : dfs_expect_both(w, &coded->place, hand, coded->bytes, err);

	if (ret == 0 && coded_room(w, coded) < 0)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < coded->place.n && ret == 0; i++)
		ret = encode_chunk(w, coded, i, hand, err);
	return ret;
}
