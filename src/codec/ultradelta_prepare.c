/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ultradelta_prepare: a tensor's table, and what encode() is to know besides. */
#include <errno.h>
#include <math.h>

#include "codec/ultradelta.h"

#define PRECISION 5	/* of frequencies: half a byte for each level of 16, and 1/1000 of the codes lost */
#define CHUNK_COST 128	/* bits of a chunk's states; encode() itself decides for each chunk */

/* --- the table */

static void put_f32(uint8_t *p, double value)
{
	union { float value; uint32_t bits; } v = { .value = (float)value };

	dfs_put_u32le(p, v.bits);
}

static void put_f64(uint8_t *p, double value)
{
	union { double value; uint64_t bits; } v = { .value = value };

	dfs_put_u64le(p, v.bits);
}

static uint32_t fraction(double share)
{
	double units = rint(share * 0x1p32);

	return units < 1 ? 1 : units > UINT32_MAX ? UINT32_MAX : (uint32_t)units;
}

/* Frequencies as bytes, if they save more than they take. */
static size_t pack_frequencies(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensor,
			       uint8_t *out)
{
	const struct dfs_ultra_record *r = tensor->record;
	unsigned bits = (unsigned)o->bits;
	struct dfs_bit_writer w = { .out = out };
	struct dfs_freq freq;
	double saved;
	size_t len;

	dfs_freq_from_counts(&freq, r->counts, 1u << bits, DFS_ULTRA_LOG(bits), PRECISION);
	dfs_bits_put(&w, PRECISION, DFS_PRECISION_BITS);
	dfs_freq_pack(&freq, PRECISION, &w);
	len = dfs_bits_end(&w);
	saved = (double)tensor->values * bits - (double)dfs_freq_cost_bits(&freq, r->counts);
	return saved * (1 - r->rate) > 8.0 * (double)len + CHUNK_COST ? len : 0;
}

/* The largest sum that the dtype is sure to hold, as dfs_delta() has it of the values themselves. */
static double largest_of(unsigned dtype)
{
	return dtype == DFS_F16 ? 0x1p14 : 0x1p125;
}

static bool levels_fit(const struct dfs_ultra_record *r, unsigned n, unsigned dtype)
{
	for (unsigned k = 0; k < n; k++)
		if (!(fabs(r->levels[k] * r->gain) <= largest_of(dtype)))
			return false;
	return true;
}

static int put_table(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensor, struct dfs_buf *table)
{
	const struct dfs_ultra_record *r = tensor->record;
	unsigned n = 1u << (unsigned)o->bits;
	uint8_t frequencies[DFS_FREQ_PACKED_MAX + 1];
	size_t len = pack_frequencies(o, tensor, frequencies);
	uint8_t *to = dfs_buf_extend(table, DFS_ULTRA_HEAD + 4 * n);

	if (!to)
		return -ENOMEM;
	to[0] = (uint8_t)o->mask;
	to[1] = (uint8_t)o->bits;
	to[2] = len > 0;
	to[3] = 0;
	dfs_put_u32le(to + 4, tensor->number);
	dfs_put_u64le(to + 8, r->key);
	dfs_put_u32le(to + 16, fraction(1 - r->rate));
	put_f32(to + 20, r->gamma);
	put_f64(to + 24, r->norm);
	put_f64(to + 32, r->reference);
	for (unsigned k = 0; k < n; k++)
		put_f32(to + DFS_ULTRA_HEAD + 4 * k, r->levels[k] * r->gain);
	return dfs_buf_append(table, frequencies, len);
}

/* --- the notes */

/* Of a level's values this many stay. */
static uint64_t kept_of(const struct dfs_ultra_record *r, unsigned level, double rate)
{
	if ((float)r->levels[level] == 0)
		return 0;
	return r->counts[level] - (uint64_t)rint((double)r->counts[level] * rate);
}

/* What the chunks keep of one level: their share of it, rounded so that the sum is exact. */
static void put_quotas(const struct dfs_ultra_options *o, struct dfs_ultra_record *r, unsigned level, uint64_t kept,
		       uint8_t *chunks)
{
	size_t size = dfs_ultra_quotas_size((unsigned)o->bits);
	uint64_t sum = 0, before = 0;

	for (uint64_t i = 0; i < r->n_chunks; i++) {
		const struct dfs_ultra_chunk *chunk = dfs_ultra_chunk(o, r, i);
		struct dfs_ultra_quotas *to = (struct dfs_ultra_quotas *)(chunks + i * size);
		uint64_t after = 0;

		sum += chunk->of[level];
		if (r->counts[level])
			after = (uint64_t)((unsigned __int128)sum * kept / r->counts[level]);
		to->first = chunk->first;
		to->of[level] = (struct dfs_ultra_quota){ chunk->of[level], (uint32_t)(after - before) };
		before = after;
	}
}

static int put_notes(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensor, struct dfs_buf *notes)
{
	struct dfs_ultra_record *r = tensor->record;
	struct dfs_ultra_histogram *h = dfs_ultra_histogram(o, r);
	struct dfs_ultra_notes head = { .grid = r->grid, .codebook = h != NULL, .n_chunks = r->n_chunks };
	size_t size = r->n_chunks * dfs_ultra_quotas_size((unsigned)o->bits);
	unsigned n = 1u << (unsigned)o->bits;
	uint8_t *chunks;

	if (dfs_buf_append(notes, &head, sizeof(head)) < 0 ||
	    (h && dfs_buf_append(notes, h->map, sizeof(h->map)) < 0))
		return -ENOMEM;
	if (!size)
		return 0;
	chunks = dfs_buf_extend(notes, size);
	if (!chunks)
		return -ENOMEM;
	for (unsigned k = 0; k < n; k++)
		put_quotas(o, r, k, kept_of(r, k, dfs_ultra_rate(o, tensor)), chunks);
	return 0;
}

/* How many differences the tensor keeps in all. */
static uint64_t kept_in_all(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensor)
{
	const struct dfs_ultra_record *r = tensor->record;
	const struct dfs_ultra_table t = { .keep = fraction(1 - r->rate) };
	uint64_t kept = 0;

	if (o->mask == DFS_ULTRA_SEEDED)
		return dfs_ultra_kept(&t, tensor->values);
	for (unsigned k = 0; k < 1u << (unsigned)o->bits; k++)
		kept += kept_of(r, k, dfs_ultra_rate(o, tensor));
	return kept;
}

int dfs_ultra_prepare(const void *options, const struct dfs_lossy_tensor *tensor, struct dfs_buf *table,
		      struct dfs_buf *notes, struct dfs_err *err)
{
	const struct dfs_ultra_options *o = options;

	if (!levels_fit(tensor->record, 1u << (unsigned)o->bits, tensor->shape.dtype))
		return dfs_fail(err, ERANGE, "ultradelta: differences too large to be multiplied");
	if (!kept_in_all(o, tensor))
		return dfs_fail(err, ERANGE, "ultradelta: so few values that none would be kept");
	if (put_table(o, tensor, table) < 0 || put_notes(o, tensor, notes) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	return 0;
}
