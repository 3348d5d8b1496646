/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta: a few of the differences, as one of 2^b levels, made larger for
 * those that are left out. What its files share, and what callers may ask of a
 * table.
 *
 * X. Wang et al.: UltraDelta, arXiv:2505.13563. Over all tensors of a model:
 *	quantise	each tensor, to levels of its own
 *	MSA		the share that is left out of each tensor, by how it varies
 *	prune		at random, whatever the values are
 *	rescale		by 1 / (1 - s), and by gamma (TNGR)
 *
 * Table, deltafs-format(5) "ultradelta table":
 *	0	u8	where the kept ones are: 0 seeded, 1 stored
 *	1	u8	b, bits of a code
 *	2	u8	1: codes may be entropy coded
 *	3	u8	zero
 *	4	u32	number of the tensor
 *	8	u64	key of the random numbers
 *	16	u32	share that is kept, in units of 2^-32
 *	20	f32	gamma
 *	24	f64	norm of the model
 *	32	f64	norm of the reference; 0: none
 *	40	f32[]	2^b levels, gamma and all in them
 *	...		a bit stream: precision and frequencies, if byte 2 is 1
 */
#ifndef DFS_CODEC_ULTRADELTA_H
#define DFS_CODEC_ULTRADELTA_H

#include "codec/internal.h"
#include "codec/lossy.h"
#include "codec/philox.h"
#include "codec/rans.h"

/* What a table says of the model. */
struct dfs_ultradelta_facts {
	double keep;		/* share of this tensor's differences that is kept */
	double gamma;		/* TNGR: by what all of the model is multiplied besides */
	double norm;		/* sum of the trace norms of the model's differences */
	double reference;	/* what gamma=auto compared that with; 0: nothing */
};

/* dfs_ultradelta_facts() - read a table's bytes; false if they are none */
bool dfs_ultradelta_facts(struct dfs_span table, struct dfs_ultradelta_facts *ret_facts);

/* --- the rest is for the files of this codec */

enum { DFS_ULTRA_SEEDED, DFS_ULTRA_STORED };
enum { DFS_ULTRA_UNIFORM, DFS_ULTRA_CODEBOOK };
enum { DFS_ULTRA_GLOBAL, DFS_ULTRA_LAYER };

/* Which stream of random numbers: word 3 of Philox's counter. */
enum { DFS_ULTRA_STRATA, DFS_ULTRA_TURN, DFS_ULTRA_SELECT };

struct dfs_ultra_options {
	double s, step, bits, mask, levels, rescale;
	double gamma;		/* 0: auto */
	double reference;	/* 0: the model is its own */
	double trace;		/* enum dfs_norm */
	uint64_t seed;
};

#define DFS_ULTRA_HEAD 40
#define DFS_ULTRA_LEVELS_MAX 256
#define DFS_ULTRA_LOG(bits) ((bits) < 6 ? (bits) + 6 : 12)	/* slots of the codes' frequencies */
#define DFS_ULTRA_BLOCK 512	/* values that are worked on at a time */

/* --- a table, opened */

struct dfs_ultra_table {
	struct dfs_table base;
	unsigned mask, bits;
	bool coded;
	uint32_t number, keep;
	uint64_t key;
	float levels[DFS_ULTRA_LEVELS_MAX];
	/* if coded, all below */
	unsigned log;
	const struct dfs_rans_symbol *symbols;	/* 2^bits; NULL unless for encoding */
	uint32_t slots[] __attribute__((aligned(16)));	/* 2^log: symbol, 8 bits; frequency - 1, 12 bits; place in the symbol */
};

/* --- where the kept ones are, if seeded */

/* dfs_ultra_kept() - how many of the tensor's first @values are kept */
uint64_t dfs_ultra_kept(const struct dfs_ultra_table *t, uint64_t values);

/**
 * dfs_ultra_places() - where in a chunk the kept ones are, in the order of their codes
 * @first, @n: the chunk; @kept: the difference of dfs_ultra_kept() at its ends
 */
void dfs_ultra_places(enum dfs_cpu cpu, const struct dfs_ultra_table *t, uint64_t first, size_t n, size_t kept,
		      uint32_t *places);

/* --- where they are, if stored */

/* Of a level in a chunk. */
struct dfs_ultra_quota {
	uint32_t of, keep;
};

/**
 * dfs_ultra_select() - draw those of a chunk that are kept
 * @quotas: of each level
 * @codes: n; those that are kept come out, and their places, both in order
 * Return: how many; -ENOMEM.
 */
long dfs_ultra_select(enum dfs_cpu cpu, const struct dfs_ultra_table *t, uint64_t first, size_t n,
		      const struct dfs_ultra_quota *quotas, uint8_t *codes, uint32_t *places, struct dfs_scratch *scratch);

/* --- codes as payload */

/* dfs_ultra_codes_put() - @payload: room for @n bytes. Return: bytes, or -ENOMEM. */
long dfs_ultra_codes_put(const struct dfs_ultra_table *t, const uint8_t *codes, size_t n, uint8_t *payload,
			 struct dfs_scratch *scratch);
/* dfs_ultra_codes_get() - @codes: room for @n. Return: 0; -EUCLEAN. */
int dfs_ultra_codes_get(const struct dfs_ultra_table *t, struct dfs_span payload, size_t n, uint8_t *codes,
			struct dfs_err *err);

/* --- places as payload, if stored */

/* Bytes at most of @n places or fewer in a chunk of @n values. */
#define DFS_ULTRA_PLACES_MAX(n) ((n) / 8 + 16)

/* dfs_ultra_places_put() - @places rise. Return: bytes. */
size_t dfs_ultra_places_put(const uint32_t *places, size_t kept, size_t n, uint8_t *payload);
/* dfs_ultra_places_get() - @places: room for @n. Return: 0; -EUCLEAN. */
int dfs_ultra_places_get(struct dfs_span payload, size_t n, uint32_t *places, size_t *ret_kept, size_t *ret_len,
			 struct dfs_err *err);

/* --- quantising: to the points of an even grid, and from there to levels */

#define DFS_ULTRA_BINS 2048	/* points of the grid under a codebook */

struct dfs_ultra_grid {
	float low, span;	/* of all points; span 0: one point */
	float steps;		/* points but one */
};

/* dfs_ultra_points() - the nearest point's number for each of @n values, ties to even */
void dfs_ultra_points(enum dfs_cpu cpu, const struct dfs_ultra_grid *grid, const float *values, size_t n,
		      uint16_t *points);

/* dfs_ultra_range() - widen [*min, *max] to hold @n values */
void dfs_ultra_range(enum dfs_cpu cpu, const float *values, size_t n, float *min, float *max);

/**
 * dfs_ultra_codebook() - levels of least squared error for a histogram (Lloyd, Max)
 * @counts, @sums: of the values at each of DFS_ULTRA_BINS points
 * @levels: @n of them out, rising
 * @map: the level of each point out
 */
void dfs_ultra_codebook(const uint64_t *counts, const double *sums, unsigned n, double *levels, uint8_t *map);

/* --- what is known of a tensor before it is written */

struct dfs_ultra_record {
	float min, max;
	double sum, squares;		/* of all differences, for the codebook's grid */
	struct dfs_ultra_grid grid;
	uint64_t counts[DFS_ULTRA_LEVELS_MAX];
	double levels[DFS_ULTRA_LEVELS_MAX];	/* as quantised: gamma and the like are not in them */
	double trace;			/* trace norm of the differences, if the exact one is wanted */
	/* plan(): from here to n_chunks, what planned() gives */
	double rate;			/* share that is left out */
	double gain;			/* by which levels are multiplied */
	double gamma, norm, reference;
	uint64_t key;
	/* behind: a histogram and a map if there is a codebook, counts of each chunk if places are stored */
	uint64_t n_chunks;
	uint64_t tail[];
};

/* Of one chunk: its first value, and a number for each level. */
struct dfs_ultra_chunk {
	uint64_t first;
	uint32_t of[];
};

struct dfs_ultra_histogram {
	uint64_t counts[DFS_ULTRA_BINS];
	double low, high;		/* sums of what lies at the ends, and beyond */
	uint8_t map[DFS_ULTRA_BINS];
};

/* Of one chunk, as encode() is told. */
struct dfs_ultra_quotas {
	uint64_t first;
	struct dfs_ultra_quota of[];
};

/* What encode() is told: this, then the map if there is a codebook, then the quotas of each chunk. */
struct dfs_ultra_notes {
	struct dfs_ultra_grid grid;
	uint32_t codebook;
	uint64_t n_chunks;
};

/* dfs_ultra_wants_trace() - is the exact norm of any use */
static inline bool dfs_ultra_wants_trace(const struct dfs_ultra_options *o)
{
	return o->trace == DFS_NORM_EXACT && !(o->gamma > 0);
}

size_t dfs_ultra_chunk_size(const struct dfs_ultra_options *o);
static inline size_t dfs_ultra_quotas_size(unsigned bits)
{
	return sizeof(struct dfs_ultra_quotas) + (sizeof(struct dfs_ultra_quota) << bits);
}
/* dfs_ultra_rate() - share that is left out of what is not zero, after plan() */
double dfs_ultra_rate(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensor);
struct dfs_ultra_histogram *dfs_ultra_histogram(const struct dfs_ultra_options *o, struct dfs_ultra_record *r);
struct dfs_ultra_chunk *dfs_ultra_chunk(const struct dfs_ultra_options *o, struct dfs_ultra_record *r, uint64_t i);

/* The columns of the two rows; struct dfs_codec and struct dfs_lossy say what they are. */
size_t dfs_ultra_record_size(const void *options, struct dfs_shape shape);
unsigned dfs_ultra_passes(const void *options);
int dfs_ultra_measure(const void *options, unsigned pass, const struct dfs_block *block, float *delta,
		      const struct dfs_lossy_tensor *tensor, struct dfs_scratch *scratch);
int dfs_ultra_settle(const void *options, unsigned pass, const struct dfs_lossy_tensor *tensor);
int dfs_ultra_plan(const void *options, const struct dfs_lossy_tensor *tensors, size_t n, struct dfs_err *err);
int dfs_ultra_prepare(const void *options, const struct dfs_lossy_tensor *tensor, struct dfs_buf *table,
		      struct dfs_buf *notes, struct dfs_err *err);
int dfs_ultra_encode(const struct dfs_block *block, float *delta, const struct dfs_table *table, struct dfs_span notes,
		     uint8_t *payload, size_t *ret_len, struct dfs_scratch *scratch);
int dfs_ultra_table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding, struct dfs_table **ret_table,
			 struct dfs_err *err);
int dfs_ultra_decode(const struct dfs_block *block, struct dfs_span payload, const struct dfs_table *table, void *out,
		     struct dfs_scratch *scratch, struct dfs_err *err);

#endif
