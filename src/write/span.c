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

		if (ret == 0)
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

/* Chunk @i of a span: where it lies in the span's bytes, and as codecs see it. */
static struct dfs_block span_block(const struct dfs_work *w, const struct dfs_span_place *place,
				   uint32_t i, const struct dfs_span_bytes *bytes, uint64_t *ret_at)
{
	const struct dfs_segment *seg = &w->c.segments[place->segment];
	unsigned unit = dfs_segment_unit(seg);
	uint64_t off, len;

	dfs_segment_chunk(seg, place->first + i, &off, &len);
	*ret_at = off - place->off;
	return (struct dfs_block){
		.shape = w->segments[place->segment].shape,
		.first = (off - seg->off) / unit,
		.n = len / unit,
		.pred = bytes->predicted ? bytes->values + *ret_at : NULL,
	};
}

int dfs_span_measure(const struct dfs_work *w, const struct dfs_span_place *place,
		     struct dfs_hand *hand, struct dfs_span_bytes *bytes,
		     struct dfs_exact_record *record, struct dfs_err *err)
{
	uint64_t at;
	int ret = dfs_expect_read(w, place, bytes, err);

	if (ret == 0)
		ret = dfs_expect(w, place, hand, bytes, err);
	for (uint32_t i = 0; i < place->n && ret == 0; i++) {
		struct dfs_block block = span_block(w, place, i, bytes, &at);

		ret = dfs_exact_measure(record, &block, bytes->input + at, hand->scratch);
		if (ret < 0)
			dfs_fail(err, -ret, "measure: %s", strerror(-ret));
	}
	return ret;
}

int dfs_coded_init(struct dfs_coded *coded)
{
	*coded = (struct dfs_coded){ .payload = malloc(DFS_SPAN_BYTES + DFS_PAYLOAD_PAD) };
	return coded->payload ? 0 : -ENOMEM;
}

void dfs_coded_release(struct dfs_coded *coded)
{
	free(coded->payload);
	*coded = (struct dfs_coded){ 0 };
}

static int encode_chunk(struct dfs_work *w, struct dfs_coded *coded, uint32_t i,
			struct dfs_hand *hand, struct dfs_err *err)
{
	const struct dfs_segment *seg = &w->c.segments[coded->place.segment];
	struct dfs_chunk_ref *ref = &w->c.chunks[seg->first_chunk + coded->place.first + i];
	uint64_t at;
	struct dfs_block block = span_block(w, &coded->place, i, coded->bytes, &at);
	const uint8_t *input = coded->bytes->input + at;
	size_t len;
	unsigned codec;
	int ret = dfs_exact_encode(&block, input, w->segments[coded->place.segment].tables,
				   coded->payload + coded->payload_len, &len, &codec, hand->scratch);

	if (ret < 0)
		return dfs_fail(err, -ret, "encode: %s", strerror(-ret));
	ref->codec = (uint8_t)codec;
	ref->len = (uint32_t)len;
	ref->decoded_hash = dfs_hash64(input, block.n * dfs_segment_unit(seg), coded->place.off + at);
	coded->payload_len += len;
	return 0;
}

int dfs_span_encode(struct dfs_work *w, struct dfs_coded *coded, struct dfs_hand *hand,
		    struct dfs_err *err)
{
	int ret = coded->read ? 0 : dfs_expect_read(w, &coded->place, coded->bytes, err);

	if (ret == 0 && !coded->read)
		ret = dfs_expect(w, &coded->place, hand, coded->bytes, err);
	coded->payload_len = 0;
	for (uint32_t i = 0; i < coded->place.n && ret == 0; i++)
		ret = encode_chunk(w, coded, i, hand, err);
	return ret;
}
