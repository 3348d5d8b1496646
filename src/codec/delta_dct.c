/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta-dct: square patches of the difference, transformed, and quantised with
 * more bits where there is more of it.
 *
 * Delta-DCT, arXiv:2503.06676. A tensor's patches of p x p are ranked by their
 * norm; shares of them get the bits of classes. Of a patch with bits the
 * orthonormal DCT is coded, of one without its mean. One scale makes the mean
 * magnitude of the tensor what it was. Unlike the paper's, levels are by
 * default those of a normal variable and not equal steps between the extremes:
 * measured, they keep more of a fine-tune at the same size.
 *
 * A first pass finds norms, means and the mean magnitude, and what follows from
 * them: classes and units. A second one codes the tensor, decodes it, and finds
 * the scale. Payloads do not depend on that, and most of the time goes into
 * them, so the second pass keeps them, and encoding is copying.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "codec/add.h"
#include "codec/delta_dct.h"

#define CHUNK (256u << 10)		/* bytes that whole strips are to fit, DESIGN.md 5 */
#define PATCHES_MAX (1ull << 31)	/* ranked with 32-bit numbers */

struct record {
	double magnitude, made;		/* sums of |difference|: given, decoded with scale 1 */
	struct dfs_dct_params params;
	uint64_t patches, across;
	size_t table, norms, means, classes, payloads;	/* where in the record */
	uint64_t used;			/* of payloads */
	bool drops_chance;		/* for dfs_dct_mean() */
	bool too_large;
};

static void *part(struct record *r, size_t at)
{
	return (uint8_t *)r + at;
}

static uint64_t patches_of(unsigned p, struct dfs_shape shape)
{
	return dfs_dct_patches(shape.rows, p) * dfs_dct_patches(shape.cols, p);
}

static size_t whole(size_t n)
{
	return (n + 63) / 64 * 64;
}

/* Of all chunks together. That of each has a map of whole bytes, and a chunk has a strip at least. */
static size_t payloads_len(const struct dfs_dct_options *o, const struct dfs_dct_params *params, struct dfs_shape shape)
{
	size_t counts[DFS_DCT_CLASSES];

	dfs_dct_counts(o, shape.rows, shape.cols, counts);
	return dfs_dct_layout(params, shape.rows, shape.cols, counts).len + dfs_dct_patches(shape.rows, params->p);
}

static size_t record_init(const struct dfs_dct_options *o, struct record *r, struct dfs_shape shape)
{
	r->params = dfs_dct_params_of(o);
	r->across = dfs_dct_patches(shape.cols, r->params.p);
	r->patches = patches_of(r->params.p, shape);
	r->drops_chance = dfs_dct_drops_chance(o, shape.rows, shape.cols);
	r->table = whole(sizeof(*r));
	r->norms = whole(r->table + dfs_dct_table_bytes(&r->params));
	r->means = r->norms + r->patches * sizeof(float);
	r->classes = r->means + r->patches * sizeof(float);
	r->payloads = r->classes + r->patches;
	return r->payloads + payloads_len(o, &r->params, shape) + DFS_PAYLOAD_PAD;
}

static size_t record_size(const void *options, struct dfs_shape shape)
{
	struct record r;

	return record_init(options, &r, shape);
}

/* --- which tensors, in which chunks */

static bool accepts(struct dfs_shape shape)
{
	return dfs_add_takes(shape.dtype) && !shape.drop && shape.rows && shape.cols;
}

static unsigned size_of(struct dfs_shape shape)
{
	return dfs_dtype_info(shape.dtype)->size;
}

/* A strip must fit a chunk, and padding to whole patches must leave it at half of its size at most. */
static bool takes(const void *options, struct dfs_shape shape)
{
	const struct dfs_dct_options *o = options;
	unsigned p = dfs_dct_option_p(o);
	double values = (double)shape.rows * (double)shape.cols, bits = 0;
	double padded = (double)patches_of(p, shape) * p * p;
	uint64_t rows = shape.rows < p ? shape.rows : p;

	for (uint32_t c = 0; c < o->n_classes; c++)
		bits += o->classes[c].share * o->classes[c].bits;
	return shape.cols <= DFS_CHUNK_MAX / size_of(shape) / rows && patches_of(p, shape) <= PATCHES_MAX &&
	       padded * bits <= values * 4 * size_of(shape);
}

/*
 * As many strips as fit, but rather a few less than a last chunk of less than
 * one strip: its patches could take more than its values do.
 */
static uint32_t chunk_rows(const void *options, struct dfs_shape shape)
{
	unsigned p = dfs_dct_option_p(options);
	uint64_t most = CHUNK / size_of(shape) / shape.cols / p;
	uint64_t all = dfs_dct_patches(shape.rows, p);

	if (most < 1)
		most = 1;
	if (most > all)
		most = all;
	for (uint64_t strips = most; strips > most / 2; strips--)
		if (shape.rows % (strips * p) == 0 || shape.rows % (strips * p) >= p)
			return (uint32_t)(strips * p);
	return (uint32_t)(most * p);
}

static unsigned passes(const void *options)
{
	(void)options;
	return 2;
}

/* --- the first pass */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static uint64_t first_patch(const struct record *r, const struct dfs_block *block)
{
	return block->first / block->shape.cols / r->params.p * r->across;
}

static void measure_patches(struct record *r, const struct dfs_block *block, const float *delta, enum dfs_cpu cpu)
{
	struct dfs_dct_layout l = dfs_dct_layout(&r->params, block->n / block->shape.cols, block->shape.cols, NULL);
	float *norms = (float *)part(r, r->norms) + first_patch(r, block);
	float *means = (float *)part(r, r->means) + first_patch(r, block);
	unsigned p = r->params.p;

	for (size_t patch = 0; patch < l.patches; patch++) {
		size_t row = patch / l.across * p, col = patch % l.across * p;
		size_t rows = least(l.rows - row, p), cols = least(l.cols - col, p);
		struct dfs_dct_sums sums = dfs_dct_sums(cpu, delta + row * l.cols + col, l.cols, rows, cols);

		norms[patch] = (float)sqrt(*sums.square);
		means[patch] = (float)dfs_dct_mean(&sums, rows * cols, r->drops_chance);
		r->magnitude += *sums.magnitude;
	}
}

/* --- the second pass */

static struct dfs_dct_layout layout_of(const struct dfs_dct_params *params, size_t rows, size_t cols,
				       const uint8_t *classes)
{
	struct dfs_dct_layout l = dfs_dct_layout(params, rows, cols, NULL);
	size_t counts[DFS_DCT_CLASSES] = { 0 };

	for (size_t patch = 0; patch < l.patches; patch++)
		counts[classes[patch]]++;
	return dfs_dct_layout(params, rows, cols, counts);
}

static int measure_decoded(struct record *r, const struct dfs_block *block, const float *delta,
			   struct dfs_scratch *scratch)
{
	const struct dfs_dct_table *t = part(r, r->table);
	uint64_t first = first_patch(r, block);
	struct dfs_dct_known known = {
		.classes = (const uint8_t *)part(r, r->classes) + first,
		.norms = (const float *)part(r, r->norms) + first,
		.means = (const float *)part(r, r->means) + first,
	};
	struct dfs_dct_layout l = layout_of(&r->params, block->n / block->shape.cols, block->shape.cols, known.classes);
	struct dfs_span payload = { (uint8_t *)part(r, r->payloads) + r->used, l.len };
	struct dfs_dct_reader reader;
	struct dfs_dct_part made;

	if (dfs_dct_write(t, &l, &known, delta, (uint8_t *)part(r, r->payloads) + r->used, scratch) < 0 ||
	    dfs_dct_read_open(&reader, t, block->shape, block->n, payload, scratch, NULL) < 0)
		return -ENOMEM;
	r->used += l.len;
	while (dfs_dct_read(&reader, &made))
		r->made += dfs_dct_magnitude(reader.cpu, made.values, made.stride, made.rows, made.cols);
	return 0;
}

static int measure(const void *options, unsigned pass, const struct dfs_block *block, float *delta,
		   const struct dfs_lossy_tensor *tensor, struct dfs_scratch *scratch)
{
	struct record *r = tensor->record;

	if (pass == 0) {
		if (!r->patches)
			record_init(options, r, tensor->shape);
		measure_patches(r, block, delta, dfs_scratch_cpu(scratch));
		return 0;
	}
	return r->too_large ? 0 : measure_decoded(r, block, delta, scratch);
}

/* --- after a pass */

/*
 * Gains are at most the root mean square of a patch's coefficients, which is
 * that of its values; bounds at most the root of the sum.
 */
static void choose_units(struct record *r)
{
	const float *norms = part(r, r->norms), *means = part(r, r->means);
	const uint8_t *classes = part(r, r->classes);
	double norm = 0, mean = 0;

	for (uint64_t i = 0; i < r->patches; i++) {
		if (r->params.bits[classes[i]])
			norm = fmax(norm, norms[i]);
		else
			mean = fmax(mean, fabs(means[i]));
	}
	r->too_large = !(norm <= DFS_DCT_UNIT_MAX && mean <= DFS_DCT_UNIT_MAX);
	if (r->too_large)
		return;
	r->params.gain_unit = dfs_dct_unit(r->params.number, false, r->params.minmax ? norm : norm / r->params.p);
	r->params.mean_unit = dfs_dct_unit(r->params.number, true, mean);
	dfs_dct_table_init(part(r, r->table), &r->params);
}

static int settle(const void *options, unsigned pass, const struct dfs_lossy_tensor *tensor)
{
	struct record *r = tensor->record;
	int ret;

	if (pass == 0) {
		ret = dfs_dct_rank(options, tensor->shape.rows, tensor->shape.cols, part(r, r->norms), part(r, r->classes));
		if (ret == 0)
			choose_units(r);
		return ret;
	}
	if (r->made > 0 && r->magnitude > 0)
		r->params.scale = (float)fmin(r->magnitude / r->made, DFS_DCT_SCALE_MAX);
	return 0;
}

/* --- notes: rows in a chunk; where each payload begins, and the last one ends; the payloads */

static uint64_t chunks_of(uint64_t rows, uint64_t chunk_rows)
{
	return rows / chunk_rows + (rows % chunk_rows != 0);
}

static int put_payloads(struct record *r, const struct dfs_lossy_tensor *tensor, struct dfs_buf *notes,
			struct dfs_err *err)
{
	struct dfs_shape shape = tensor->shape;
	uint64_t n = chunks_of(shape.rows, tensor->chunk_rows), start = 0;
	const uint8_t *classes = part(r, r->classes);
	uint8_t *to = dfs_buf_extend(notes, 8 * (n + 2) + r->used);

	if (!to)
		return dfs_fail(err, ENOMEM, "out of memory");
	dfs_put_u64le(to, tensor->chunk_rows);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t row = i * tensor->chunk_rows, left = shape.rows - row;
		uint64_t rows = left < tensor->chunk_rows ? left : tensor->chunk_rows;
		struct dfs_dct_layout l = layout_of(&r->params, rows, shape.cols, classes);

		if (l.len > rows * shape.cols * size_of(shape))
			return dfs_fail(err, ERANGE, "delta-dct: a chunk would become longer");
		dfs_put_u64le(to + 8 * (i + 1), start);
		start += l.len;
		classes += l.patches;
	}
	if (start != r->used)
		return dfs_fail(err, ERANGE, "delta-dct: measured in other chunks than of %u rows", tensor->chunk_rows);
	dfs_put_u64le(to + 8 * (n + 1), start);
	memcpy(to + 8 * (n + 2), part(r, r->payloads), r->used);
	return 0;
}

static int prepare(const void *options, const struct dfs_lossy_tensor *tensor, struct dfs_buf *table,
		   struct dfs_buf *notes, struct dfs_err *err)
{
	struct record *r = tensor->record;
	int ret;

	(void)options;
	if (r->too_large)
		return dfs_fail(err, ERANGE, "delta-dct: differences that are too large");
	if (!tensor->chunk_rows || tensor->chunk_rows % r->params.p)
		return dfs_fail(err, ERANGE, "delta-dct: chunks of %u rows, which are no whole patches",
				tensor->chunk_rows);
	ret = put_payloads(r, tensor, notes, err);
	return ret < 0 ? ret : dfs_dct_table_put(&r->params, table, err);
}

/* prepare() declines tensors with a chunk that would need more. */
static size_t bound(struct dfs_shape shape, size_t n)
{
	return n * size_of(shape);
}

static int encode(const struct dfs_block *block, float *delta, const struct dfs_table *table, struct dfs_span notes,
		  uint8_t *payload, size_t *ret_len, struct dfs_scratch *scratch)
{
	uint64_t chunk_rows = dfs_get_u64le(notes.data);
	uint64_t i = block->first / block->shape.cols / chunk_rows, n = chunks_of(block->shape.rows, chunk_rows);
	uint64_t start = dfs_get_u64le(notes.data + 8 * (i + 1)), end = dfs_get_u64le(notes.data + 8 * (i + 2));

	(void)delta;
	(void)table;
	(void)scratch;
	memcpy(payload, notes.data + 8 * (n + 2) + start, end - start);
	*ret_len = end - start;
	return 0;
}

/* --- reading */

static int decode(const struct dfs_block *block, struct dfs_span payload, const struct dfs_table *table, void *out,
		  struct dfs_scratch *scratch, struct dfs_err *err)
{
	struct dfs_shape shape = block->shape;
	unsigned size = dfs_dtype_info(shape.dtype)->size;
	struct dfs_dct_reader r;
	struct dfs_dct_part made;
	int ret;

	if (shape.cols && block->first % shape.cols)
		return dfs_fail(err, EUCLEAN, "delta-dct: a chunk that begins in a row");
	ret = dfs_dct_read_open(&r, (const struct dfs_dct_table *)table, shape, block->n, payload, scratch, err);
	if (ret < 0)
		return ret;
	while (dfs_dct_read(&r, &made))
		for (size_t i = 0; i < made.rows; i++) {
			size_t at = ((made.row + i) * shape.cols + made.col) * size;

			dfs_add(r.cpu, shape.dtype, (const uint8_t *)block->pred + at,
				made.values + i * made.stride, (uint8_t *)out + at, made.cols);
		}
	return 0;
}

const struct dfs_codec dfs_codec_delta_dct = {
	.name = "delta-dct",
	.needs_prediction = true,
	.record_size = 1,
	.accepts = accepts,
	.table_open = dfs_dct_table_open,
	.bound = bound,
	.decode = decode,
};

const struct dfs_lossy dfs_lossy_delta_dct = {
	.codec = &dfs_codec_delta_dct,
	.options = dfs_dct_option_rows,
	.defaults = dfs_dct_defaults,
	.passes = passes,
	.chunk_rows = chunk_rows,
	.takes = takes,
	.record_size = record_size,
	.measure = measure,
	.settle = settle,
	.prepare = prepare,
	.encode = encode,
	.encodes_notes = true,
};
