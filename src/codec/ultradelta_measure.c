/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta_measure: what a tensor's differences are like.
 *
 *	pass 0	their range, and for a codebook mean and variance; their trace
 *		norm, if the exact one is wanted
 *	pass 1	how many there are of each level; for a codebook a histogram,
 *		from which its levels follow
 *	pass 2	codebook with stored places only: of each level in each chunk
 *
 * Uniform levels are the paper's: 2^b points from the least difference to the
 * greatest. Zero is none of them, but by chance. Where all differences are the
 * same there is one point.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>

#include "codec/svd.h"
#include "codec/ultradelta.h"

/* A codebook's grid ends this many standard deviations from the mean; what lies beyond counts at its ends. */
#define GRID_DEVIATIONS 8
/* Chunks are cut where the file's 128 KiB grid falls. */
#define CHUNK_BYTES (128u << 10)

static bool has_codebook(const struct dfs_ultra_options *o)
{
	return o->levels == DFS_ULTRA_CODEBOOK;
}

static unsigned count_pass(const struct dfs_ultra_options *o)
{
	return has_codebook(o) && o->mask == DFS_ULTRA_STORED ? 2 : 1;
}

unsigned dfs_ultra_passes(const void *options)
{
	return 1 + count_pass(options);
}

/* --- where things are in a record */

size_t dfs_ultra_chunk_size(const struct dfs_ultra_options *o)
{
	return sizeof(struct dfs_ultra_chunk) + (sizeof(uint32_t) << (unsigned)o->bits);
}

static size_t histogram_size(const struct dfs_ultra_options *o)
{
	return has_codebook(o) ? sizeof(struct dfs_ultra_histogram) : 0;
}

/* The first and the last one may be short. */
static uint64_t chunks_max(struct dfs_shape shape)
{
	return shape.rows * shape.cols * dfs_dtype_info(shape.dtype)->size / CHUNK_BYTES + 2;
}

size_t dfs_ultra_record_size(const void *options, struct dfs_shape shape)
{
	const struct dfs_ultra_options *o = options;
	size_t chunks = o->mask == DFS_ULTRA_STORED ? chunks_max(shape) * dfs_ultra_chunk_size(o) : 0;

	return sizeof(struct dfs_ultra_record) + histogram_size(o) + chunks;
}

struct dfs_ultra_histogram *dfs_ultra_histogram(const struct dfs_ultra_options *o, struct dfs_ultra_record *r)
{
	return has_codebook(o) ? (struct dfs_ultra_histogram *)r->tail : NULL;
}

struct dfs_ultra_chunk *dfs_ultra_chunk(const struct dfs_ultra_options *o, struct dfs_ultra_record *r, uint64_t i)
{
	return (struct dfs_ultra_chunk *)((uint8_t *)r->tail + histogram_size(o) + i * dfs_ultra_chunk_size(o));
}

/* --- pass 0 */

static void add_range(const struct dfs_ultra_options *o, struct dfs_ultra_record *r, enum dfs_cpu cpu,
		      const float *delta, size_t n, bool first)
{
	if (first)
		r->min = r->max = delta[0];
	dfs_ultra_range(cpu, delta, n, &r->min, &r->max);
	if (!has_codebook(o))
		return;
	for (size_t i = 0; i < n; i++) {
		r->sum += delta[i];
		r->squares += (double)delta[i] * delta[i];
	}
}

/*
 * The matrix, until its last chunk is there: one for each thread that measures.
 * Without what it takes the norm is none, and plan() says why.
 */
static int add_trace(const struct dfs_block *block, const float *delta, const struct dfs_lossy_tensor *tensor,
		     struct dfs_scratch *scratch)
{
	struct dfs_ultra_record *r = tensor->record;
	float *matrix = dfs_scratch_get(scratch, DFS_SLOT_FACTORS, tensor->values * sizeof(*matrix));

	if (!matrix)
		return -ENOMEM;
	memcpy(matrix + block->first, delta, block->n * sizeof(*delta));
	if (block->first + block->n < tensor->values)
		return 0;
	r->trace = -1;
	if (dfs_linear_load(NULL) < 0)
		return 0;
	return dfs_linear_trace(matrix, tensor->shape.rows, tensor->shape.cols, &r->trace, NULL) == -ENOMEM ? -ENOMEM : 0;
}

static void settle_range(const struct dfs_ultra_options *o, struct dfs_ultra_record *r, uint64_t values)
{
	unsigned last = (1u << (unsigned)o->bits) - 1;
	double low = r->min, high = r->max;

	if (has_codebook(o)) {
		double mean = r->sum / (double)values, variance = r->squares / (double)values - mean * mean;
		double reach = GRID_DEVIATIONS * sqrt(variance > 0 ? variance : 0);

		low = low > mean - reach ? low : mean - reach;
		high = high < mean + reach ? high : mean + reach;
		last = DFS_ULTRA_BINS - 1;
	}
	r->grid.low = (float)low;
	r->grid.span = (float)high - r->grid.low;
	r->grid.steps = (float)last;
	for (unsigned k = 0; k <= last && !has_codebook(o); k++)
		r->levels[k] = r->min + (double)k / last * ((double)r->max - r->min);
}

/* --- pass 1: counts; a codebook's are settled from the histogram */

/* Four counters for each: the same one twice in a row need not wait for itself. */
static void count(uint64_t *counts, unsigned n_levels, const uint16_t *points, size_t n)
{
	uint32_t of[4][DFS_ULTRA_LEVELS_MAX];
	size_t i = 0;

	for (unsigned k = 0; k < 4; k++)
		memset(of[k], 0, n_levels * sizeof(*of[k]));
	for (; i + 4 <= n; i += 4)
		for (unsigned k = 0; k < 4; k++)
			of[k][points[i + k]]++;
	for (; i < n; i++)
		of[0][points[i]]++;
	for (unsigned k = 0; k < n_levels; k++)
		counts[k] += of[0][k] + of[1][k] + of[2][k] + of[3][k];
}

static void add_histogram(struct dfs_ultra_histogram *h, const uint16_t *points, const float *delta, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		h->counts[points[i]]++;
		if (points[i] == 0)
			h->low += delta[i];
		else if (points[i] == DFS_ULTRA_BINS - 1)
			h->high += delta[i];
	}
}

static void settle_histogram(const struct dfs_ultra_options *o, struct dfs_ultra_record *r)
{
	struct dfs_ultra_histogram *h = dfs_ultra_histogram(o, r);
	double sums[DFS_ULTRA_BINS];

	for (unsigned i = 0; i < DFS_ULTRA_BINS; i++)
		sums[i] = (double)h->counts[i] * (r->grid.low + (double)i / (DFS_ULTRA_BINS - 1) * r->grid.span);
	sums[0] = h->low;
	if (h->counts[DFS_ULTRA_BINS - 1])
		sums[DFS_ULTRA_BINS - 1] = h->high;
	dfs_ultra_codebook(h->counts, sums, 1u << (unsigned)o->bits, r->levels, h->map);
	for (unsigned i = 0; i < DFS_ULTRA_BINS; i++)
		r->counts[h->map[i]] += h->counts[i];
}

/* --- the last pass, if places are stored */

static struct dfs_ultra_chunk *new_chunk(const struct dfs_ultra_options *o, struct dfs_ultra_record *r,
					 const struct dfs_block *block)
{
	struct dfs_ultra_chunk *chunk = dfs_ultra_chunk(o, r, r->n_chunks);

	assert(r->n_chunks < chunks_max(block->shape));
	r->n_chunks++;
	chunk->first = block->first;
	return chunk;
}

static void add_chunk(struct dfs_ultra_chunk *chunk, const uint64_t *counts, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		chunk->of[k] = (uint32_t)counts[k];
}

static void add_points(const struct dfs_ultra_options *o, struct dfs_ultra_record *r, unsigned pass,
		       const struct dfs_block *block, const float *delta, enum dfs_cpu cpu)
{
	bool histogram = has_codebook(o) && pass == 1;
	struct dfs_ultra_histogram *h = dfs_ultra_histogram(o, r);
	uint64_t counts[DFS_ULTRA_LEVELS_MAX] = { 0 };

	for (size_t at = 0; at < block->n; at += DFS_ULTRA_BLOCK) {
		size_t n = block->n - at < DFS_ULTRA_BLOCK ? block->n - at : DFS_ULTRA_BLOCK;
		uint16_t points[DFS_ULTRA_BLOCK];

		dfs_ultra_points(cpu, &r->grid, delta + at, n, points);
		if (histogram) {
			add_histogram(h, points, delta + at, n);
			continue;
		}
		for (size_t i = 0; i < n && h; i++)
			points[i] = h->map[points[i]];
		count(counts, 1u << (unsigned)o->bits, points, n);
	}
	if (o->mask == DFS_ULTRA_STORED && pass == count_pass(o))
		add_chunk(new_chunk(o, r, block), counts, 1u << (unsigned)o->bits);
	for (unsigned k = 0; k < DFS_ULTRA_LEVELS_MAX && pass == 1; k++)
		r->counts[k] += counts[k];
}

int dfs_ultra_measure(const void *options, unsigned pass, const struct dfs_block *block, float *delta,
		      const struct dfs_lossy_tensor *tensor, struct dfs_scratch *scratch)
{
	struct dfs_ultra_record *r = tensor->record;
	enum dfs_cpu cpu = dfs_scratch_cpu(scratch);

	if (pass > 0) {
		add_points(options, r, pass, block, delta, cpu);
		return 0;
	}
	add_range(options, r, cpu, delta, block->n, block->first == 0);
	return dfs_ultra_wants_trace(options) ? add_trace(block, delta, tensor, scratch) : 0;
}

int dfs_ultra_settle(const void *options, unsigned pass, const struct dfs_lossy_tensor *tensor)
{
	if (pass == 0)
		settle_range(options, tensor->record, tensor->values);
	else if (pass == 1 && has_codebook(options))
		settle_histogram(options, tensor->record);
	return 0;
}
