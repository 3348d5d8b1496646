/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample: a record for each place, as if it were a tensor of its own. */
#include "write/sample.h"

#include "tensor/convert.h"

/* A container's own share of a file: 32 bytes for each chunk of 128 KiB, some tables, two superblocks. */
#define OVERHEAD_SHARE 3000
#define OVERHEAD_FIXED 2048

/* The run of whole values at or behind @off, all in one segment. Return: false if there is none. */
static bool place_at(const struct dfs_work *w, uint64_t off, uint32_t bytes,
		     struct dfs_span_place *ret_place)
{
	uint32_t segment = dfs_container_find(&w->c, off);
	const struct dfs_segment *seg = &w->c.segments[segment];
	unsigned unit = dfs_segment_unit(seg);
	uint64_t at = (off - seg->off) / unit * unit, len = seg->len - at;

	if (seg->kind == DFS_SEGMENT_HEADER || w->segments[segment].lossy)
		return false;
	len = len < bytes ? len : bytes;
	len -= len % unit;
	*ret_place = (struct dfs_span_place){ .segment = segment, .off = seg->off + at, .len = len };
	return len > 0;
}

static void set_drop(struct dfs_work *w, const struct dfs_span_place *place, const uint8_t *values)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(w->c.segments[place->segment].dtype);
	unsigned drop = 0;

	if (info && info->exponent && info->size > 1)
		drop = dfs_common_low_zeros(w->c.segments[place->segment].dtype, values, place->len / info->size);
	w->segments[place->segment].shape.drop = (uint8_t)drop;
}

static int measure_place(struct dfs_work *w, const struct dfs_span_place *place,
			 struct dfs_hand *hand, uint64_t *ret_bits, struct dfs_err *err)
{
	const struct dfs_segment *seg = &w->c.segments[place->segment];
	struct dfs_exact_record *record;
	struct dfs_block block;
	int ret = dfs_expect_read(w, place, &hand->span, err);

	if (ret < 0)
		return ret;
	set_drop(w, place, hand->span.input);
	ret = dfs_expect(w, place, hand, &hand->span, err);
	if (ret < 0)
		return ret;
	block = (struct dfs_block){
		.shape = w->segments[place->segment].shape,
		.first = (place->off - seg->off) / dfs_segment_unit(seg),
		.n = place->len / dfs_segment_unit(seg),
		.pred = hand->span.predicted ? hand->span.values : NULL,
	};
	record = dfs_exact_record_new(block.shape, hand->span.predicted);
	if (!record)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_exact_measure(record, &block, hand->span.input, hand->scratch);
	*ret_bits = dfs_exact_bits(record);
	if (*ret_bits > 8 * place->len)
		*ret_bits = 8 * place->len;
	dfs_exact_record_free(record);
	return ret < 0 ? dfs_fail(err, -ret, "measure: %s", strerror(-ret)) : 0;
}

int dfs_sample(const struct dfs_work_input *input, struct dfs_sample_size size,
	       struct dfs_hand *hand, struct dfs_sample *ret_sample, struct dfs_err *err)
{
	struct dfs_sample sample = { 0 };
	uint64_t step = input->len / size.places + 1, bits = 0;
	struct dfs_span_place place;
	struct dfs_work w;
	int ret = dfs_work_init(&w, input, err);

	if (ret < 0)
		return ret;
	if (step < size.bytes)
		step = size.bytes;
	for (uint64_t off = step / 2 < input->len ? step / 2 : 0; off < input->len && ret == 0; off += step) {
		if (!place_at(&w, off, size.bytes, &place))
			continue;
		ret = measure_place(&w, &place, hand, &bits, err);
		if (ret == 0) {
			sample.bits += bits;
			sample.bytes += place.len;
		}
	}
	dfs_work_release(&w);
	*ret_sample = sample;
	return ret;
}

uint64_t dfs_sample_of(uint64_t bytes, const struct dfs_sample *sample)
{
	double share = sample->bytes ? (double)sample->bits / 8 / (double)sample->bytes : 1;

	return (uint64_t)(share * (double)bytes) + bytes / OVERHEAD_SHARE + OVERHEAD_FIXED;
}

uint64_t dfs_sample_stored(const struct dfs_work_input *input, const struct dfs_sample *sample)
{
	return dfs_sample_of(input->len, sample);
}
