/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exact: measures for diff and solo together, then tries what may be smallest.
 *
 * What is tried, in order: copy; sparse where few values changed; diff; solo
 * where there is no prediction or diff saves little; zstd where what is left
 * repeats (a sample tells) or is no float, and where values are like their
 * neighbours (zeros, whatever was predicted); stored. Trials that cannot win
 * are not made: they would cost more time than they save space.
 */
#include "codec/exact.h"

#include <errno.h>
#include <stdlib.h>

#include "codec/diff.h"
#include "codec/solo.h"
#include "util/auto.h"

#define SAMPLE 4096	/* bytes from the middle of a chunk that zstd is tried on */

#define SAMPLES 256	/* values of a chunk that tell whether they have to do with their prediction */
#define FRAME 16	/* bytes of a zstd frame that do not grow with what it holds, about */
#define PAIRS 64	/* neighbours in a chunk that are compared */
#define PAIRS_ALIKE 16	/* of them equal: zstd may win; of weights in eight bits, three or four are */

struct dfs_exact_record {
	struct dfs_shape shape;
	bool has_prediction;
	bool has_solo;			/* solo takes such values */
	uint64_t solo_values;		/* measured for solo */
	void *solo;
	struct dfs_diff_record *diff;	/* NULL: no prediction */
};

struct dfs_exact_tables {
	struct dfs_shape shape;
	struct dfs_table *diff, *solo;	/* NULL: no use */
	struct dfs_buf diff_bytes, solo_bytes;
};

struct dfs_exact_record *dfs_exact_record_new(struct dfs_shape shape, bool has_prediction)
{
	struct dfs_exact_record *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->shape = shape;
	r->has_prediction = has_prediction && dfs_codec_diff.accepts(shape);
	r->has_solo = dfs_codec_solo.accepts(shape);
	if (r->has_prediction)
		r->diff = calloc(1, dfs_diff_record_size(shape));
	if (r->has_solo)
		r->solo = calloc(1, dfs_codec_solo.record_size);
	if ((r->has_prediction && !r->diff) || (r->has_solo && !r->solo)) {
		dfs_exact_record_free(r);
		return NULL;
	}
	return r;
}

void dfs_exact_record_free(struct dfs_exact_record *record)
{
	if (!record)
		return;
	free(record->diff);
	free(record->solo);
	free(record);
}

static size_t bytes_of(const struct dfs_block *block)
{
	return block->n * dfs_dtype_info(block->shape.dtype)->size;
}

static bool is_copy(const struct dfs_block *block, const void *data)
{
	return block->pred && memcmp(block->pred, data, bytes_of(block)) == 0;
}

/*
 * Values without relation to their prediction have about as many plain bits as
 * the mantissa has, and more: where the mean token of a sample says so, solo
 * may be better.
 */
static bool is_unrelated(const struct dfs_block *block, const uint8_t *data)
{
	const uint8_t *pred = block->pred;
	size_t step = block->n / SAMPLES + 1;
	uint64_t tokens = 0, n = 0;
	struct dfs_layout l;

	dfs_layout_init(&l, block->shape);
	for (size_t i = 0; i < block->n; i += step, n++)
		tokens += dfs_token_of(dfs_diff_64(&l, dfs_value_load(data, i, l.size),
						   dfs_value_load(pred, i, l.size)));
	return tokens + 10 * n >= 2 * l.width * n;
}

int dfs_exact_measure(struct dfs_exact_record *record, const struct dfs_block *block,
		      const void *data, struct dfs_scratch *scratch)
{
	int ret;

	if (record->diff && block->pred) {
		if (is_copy(block, data))
			return 0;
		ret = dfs_diff_measure(block, data, record->diff, scratch);
		if (ret < 0 || !is_unrelated(block, data))
			return ret;
	}
	if (!record->has_solo)
		return 0;
	record->solo_values += block->n;
	return dfs_codec_solo.measure(block, data, record->solo, scratch);
}

void dfs_exact_merge(struct dfs_exact_record *into, const struct dfs_exact_record *from)
{
	into->solo_values += from->solo_values;
	if (into->diff && from->diff)
		dfs_diff_merge(into->diff, from->diff);
	if (into->has_solo)
		dfs_codec_solo.merge(into->solo, from->solo);
}

uint64_t dfs_exact_bits(const struct dfs_exact_record *record)
{
	if (record->diff)
		return dfs_diff_bits(record->shape, record->diff);
	return record->has_solo ? dfs_solo_bits(record->shape, record->solo) : 0;
}

static int make_table(const struct dfs_codec *codec, struct dfs_shape shape, const void *record,
		      struct dfs_buf *bytes, struct dfs_table **ret_table, struct dfs_err *err)
{
	struct dfs_span none = { NULL, 0 };
	int ret = codec->prepare(shape, record, none, bytes, err);

	if (ret < 0 || !bytes->len)
		return ret;
	return codec->table_open(shape, (struct dfs_span){ bytes->data, bytes->len }, true,
				 ret_table, err);
}

int dfs_exact_prepare(const struct dfs_exact_record *record, struct dfs_exact_tables **ret_tables,
		      struct dfs_err *err)
{
	struct dfs_exact_tables *t = calloc(1, sizeof(*t));
	int ret = 0;

	if (!t)
		return dfs_fail(err, ENOMEM, "tables: out of memory");
	t->shape = record->shape;
	if (record->diff)
		ret = make_table(&dfs_codec_diff, t->shape, record->diff, &t->diff_bytes,
				 &t->diff, err);
	if (ret == 0 && record->has_solo)
		ret = make_table(&dfs_codec_solo, t->shape, record->solo, &t->solo_bytes,
				 &t->solo, err);
	if (ret < 0) {
		dfs_exact_tables_free(t);
		return ret;
	}
	*ret_tables = t;
	return 0;
}

void dfs_exact_tables_free(struct dfs_exact_tables *tables)
{
	if (!tables)
		return;
	dfs_table_close(tables->diff);
	dfs_table_close(tables->solo);
	dfs_buf_release(&tables->diff_bytes);
	dfs_buf_release(&tables->solo_bytes);
	free(tables);
}

struct dfs_span dfs_exact_table_bytes(const struct dfs_exact_tables *tables, unsigned id)
{
	if (id == DFS_CODEC_DIFF)
		return (struct dfs_span){ tables->diff_bytes.data, tables->diff_bytes.len };
	if (id == DFS_CODEC_SOLO)
		return (struct dfs_span){ tables->solo_bytes.data, tables->solo_bytes.len };
	return (struct dfs_span){ NULL, 0 };
}

size_t dfs_exact_bound(struct dfs_shape shape, size_t n)
{
	return n * dfs_dtype_info(shape.dtype)->size;
}

/* The smallest payload so far, and how to try another. */
struct contest {
	const struct dfs_block *block;
	const void *data;
	struct dfs_scratch *scratch;
	uint8_t *payload;
	size_t len;
	unsigned codec;
};

static int try(struct contest *c, unsigned id, const struct dfs_table *table)
{
	int unused;
	const struct dfs_codec *codec = dfs_codec_find(id, &unused, NULL);
	uint8_t *trial = dfs_scratch_get(c->scratch, DFS_SLOT_TRIAL,
					 codec->bound(c->block->shape, c->block->n));
	size_t len;
	int ret;

	if (!trial)
		return -ENOMEM;
	ret = codec->encode(c->block, c->data, table, trial, &len, c->scratch);
	if (ret == -ERANGE)
		return 0;
	if (ret == 0 && (len < c->len || (len == c->len && id < c->codec))) {
		memcpy(c->payload, trial, len);
		c->len = len;
		c->codec = id;
	}
	return ret;
}

/* Would zstd do better on a piece of the chunk than the best does on all of it? */
static int sample_repeats(struct contest *c, bool *ret_repeats)
{
	unsigned size = dfs_dtype_info(c->block->shape.dtype)->size;
	size_t whole = bytes_of(c->block);
	struct dfs_block piece = *c->block;
	uint8_t *trial = dfs_scratch_get(c->scratch, DFS_SLOT_TRIAL,
					 dfs_codec_zstd.bound(piece.shape, SAMPLE));
	size_t len;
	int ret;

	*ret_repeats = true;
	if (whole <= SAMPLE)
		return 0;
	if (!trial)
		return -ENOMEM;
	piece.n = SAMPLE / size;
	ret = dfs_codec_zstd.encode(&piece, (const uint8_t *)c->data + (whole - SAMPLE) / 2 / size * size,
				    NULL, trial, &len, c->scratch);
	len -= len < FRAME ? len : FRAME;
	*ret_repeats = (uint64_t)len * whole < (uint64_t)c->len * SAMPLE;
	return ret;
}

/*
 * Are many values equal to the next one? Looked at in places that no length of
 * a row falls in step with: the fractional parts of multiples of the golden ratio.
 */
static bool neighbours_are_alike(const struct contest *c)
{
	unsigned size = dfs_dtype_info(c->block->shape.dtype)->size;
	uint64_t places = c->block->n - 1, alike = 0;
	const uint8_t *data = c->data;

	for (uint32_t i = 0; places && i < PAIRS; i++) {
		const uint8_t *at = data + (i * 0x9e3779b9u * places >> 32) * size;

		alike += memcmp(at, at + size, size) == 0;
	}
	return alike >= PAIRS_ALIKE;
}

static int try_alone(struct contest *c, const struct dfs_exact_tables *tables)
{
	bool repeats;
	int ret = 0;

	if (tables->solo)
		ret = try(c, DFS_CODEC_SOLO, tables->solo);
	if (ret < 0)
		return ret;
	ret = sample_repeats(c, &repeats);
	return ret < 0 || !repeats ? ret : try(c, DFS_CODEC_ZSTD, NULL);
}

int dfs_exact_encode(const struct dfs_block *block, const void *data,
		     const struct dfs_exact_tables *tables, uint8_t *payload, size_t *ret_len,
		     unsigned *ret_codec, struct dfs_scratch *scratch)
{
	size_t whole = bytes_of(block);
	struct contest c = { block, data, scratch, payload, whole, DFS_CODEC_STORED };
	int ret = 0;

	if (is_copy(block, data)) {
		*ret_len = 0;
		*ret_codec = DFS_CODEC_COPY;
		return 0;
	}
	if (block->pred)
		ret = try(&c, DFS_CODEC_SPARSE, NULL);
	/* a sparse payload as small as this is smaller than diff's states and what they code */
	if (ret == 0 && block->pred && tables->diff && c.len > 4 * DFS_LANES)
		ret = try(&c, DFS_CODEC_DIFF, tables->diff);
	if (ret == 0 && c.len > whole / 2)
		ret = try_alone(&c, tables);
	else if (ret == 0 && c.len > 4 * DFS_LANES && neighbours_are_alike(&c))
		ret = try(&c, DFS_CODEC_ZSTD, NULL);
	if (ret < 0)
		return ret;
	if (c.codec == DFS_CODEC_STORED)
		memcpy(payload, data, whole);
	*ret_len = c.len;
	*ret_codec = c.codec;
	return 0;
}
