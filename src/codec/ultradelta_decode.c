/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta_decode: predictions, and a level added to those that are kept.
 *
 * What a table holds: ultradelta.h. All of it is checked when it is opened.
 */
#include <errno.h>
#include <math.h>

#include "codec/add.h"
#include "codec/ultradelta.h"
#include "util/bytes.h"

/* --- the table */

static float get_f32(const uint8_t *p)
{
	union { uint32_t bits; float value; } v = { .bits = dfs_get_u32le(p) };

	return v.value;
}

static double get_f64(const uint8_t *p)
{
	union { uint64_t bits; double value; } v = { .bits = dfs_get_u64le(p) };

	return v.value;
}

/* Sums with levels up to this stay where dfs_add() is exact. */
#define LEVEL_MAX 0x1p125f

static bool head_is_right(struct dfs_span bytes)
{
	const uint8_t *p = bytes.data;

	return bytes.len >= DFS_ULTRA_HEAD && p[0] <= DFS_ULTRA_STORED && p[1] >= 2 && p[1] <= 8 && p[2] <= 1 &&
	       !p[3] && bytes.len >= DFS_ULTRA_HEAD + (4ull << p[1]);
}

bool dfs_ultradelta_facts(struct dfs_span table, struct dfs_ultradelta_facts *ret_facts)
{
	if (!head_is_right(table))
		return false;
	*ret_facts = (struct dfs_ultradelta_facts){
		.keep = dfs_get_u32le(table.data + 16) * 0x1p-32,
		.gamma = get_f32(table.data + 20),
		.norm = get_f64(table.data + 24),
		.reference = get_f64(table.data + 32),
	};
	return true;
}

static void slots_of(const struct dfs_freq *freq, uint32_t *slots)
{
	for (unsigned symbol = 0; symbol < freq->n; symbol++)
		for (uint32_t place = 0; place < freq->of[symbol]; place++)
			*slots++ = symbol | (freq->of[symbol] - 1u) << 8 | place << 20;
}

static bool frequencies_open(const struct dfs_ultra_table *t, struct dfs_span bytes, struct dfs_freq *freq)
{
	struct dfs_bit_reader r = dfs_bits_open(bytes.data, bytes.len);
	unsigned precision = (unsigned)dfs_bits_get(&r, DFS_PRECISION_BITS);

	return dfs_freq_unpack(freq, 1u << t->bits, t->log, precision, &r) && dfs_bits_done(&r);
}

static int fill_table(struct dfs_ultra_table *t, struct dfs_span bytes, const struct dfs_freq *freq,
		      struct dfs_err *err)
{
	for (unsigned i = 0; i < 1u << t->bits; i++) {
		t->levels[i] = get_f32(bytes.data + DFS_ULTRA_HEAD + 4 * i);
		if (!(fabsf(t->levels[i]) <= LEVEL_MAX))
			return dfs_fail(err, EUCLEAN, "ultradelta: a level that is too large, or no number");
	}
	if (t->coded)
		slots_of(freq, t->slots);
	if (t->symbols)
		dfs_rans_symbols(freq, (struct dfs_rans_symbol *)t->symbols);
	return 0;
}

/* Codes that are plain need no slots, and only who encodes needs symbols. */
static struct dfs_ultra_table *table_new(const struct dfs_ultra_table *head, bool encoding)
{
	size_t slots = head->coded ? sizeof(uint32_t) << head->log : 0;
	size_t symbols = head->coded && encoding ? sizeof(struct dfs_rans_symbol) << head->bits : 0;
	struct dfs_ultra_table *t = dfs_table_alloc(sizeof(*t) + slots + symbols, sizeof(*t));
	size_t size;

	if (!t)
		return NULL;
	size = t->base.size;
	*t = *head;
	t->base.size = size;
	if (symbols)
		t->symbols = (void *)((uint8_t *)t->slots + slots);
	return t;
}

int dfs_ultra_table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding, struct dfs_table **ret_table,
			 struct dfs_err *err)
{
	struct dfs_ultra_table head = { .base = { 0 } }, *t;
	struct dfs_freq freq;
	struct dfs_span rest;
	int ret;

	(void)shape;
	if (!head_is_right(bytes))
		return dfs_fail(err, EUCLEAN, "ultradelta: a table that begins with what is not allowed");
	head.mask = bytes.data[0];
	head.bits = bytes.data[1];
	head.coded = bytes.data[2];
	head.number = dfs_get_u32le(bytes.data + 4);
	head.key = dfs_get_u64le(bytes.data + 8);
	head.keep = dfs_get_u32le(bytes.data + 16);
	head.log = DFS_ULTRA_LOG(head.bits);
	rest.data = bytes.data + DFS_ULTRA_HEAD + (4ull << head.bits);
	rest.len = bytes.len - DFS_ULTRA_HEAD - (4ull << head.bits);
	if (head.coded ? !frequencies_open(&head, rest, &freq) : rest.len != 0)
		return dfs_fail(err, EUCLEAN, "ultradelta: a table that does not end as it should");
	t = table_new(&head, encoding);
	if (!t)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = fill_table(t, bytes, &freq, err);
	if (ret < 0)
		dfs_table_close(&t->base);
	else
		*ret_table = &t->base;
	return ret;
}

/* --- a chunk */

/* Values at some places, added to all together: that is faster than one by one, and dfs_add() all the same. */
#define CHANGE(bits)										\
	static void change_##bits(enum dfs_cpu cpu, unsigned dtype, const uint32_t *places, const float *delta, \
				  size_t n, void *values)					\
	{											\
		uint##bits##_t some[DFS_ULTRA_BLOCK] = { 0 };	/* compilers cannot know that n > 0 */ \
		dfs_any##bits *all = values;							\
												\
		for (size_t i = 0; i < n; i++)							\
			some[i] = all[places[i]];						\
		dfs_add(cpu, dtype, some, delta, some, n);					\
		for (size_t i = 0; i < n; i++)							\
			all[places[i]] = some[i];						\
	}

CHANGE(16)
CHANGE(32)

static void change(enum dfs_cpu cpu, unsigned dtype, const struct dfs_ultra_table *t, const uint32_t *places,
		   const uint8_t *codes, size_t kept, void *values)
{
	for (size_t at = 0; at < kept; at += DFS_ULTRA_BLOCK) {
		size_t now = kept - at < DFS_ULTRA_BLOCK ? kept - at : DFS_ULTRA_BLOCK;
		float delta[DFS_ULTRA_BLOCK];

		for (size_t i = 0; i < now; i++)
			delta[i] = t->levels[codes[at + i]];
		(dtype == DFS_F32 ? change_32 : change_16)(cpu, dtype, places + at, delta, now, values);
	}
}

/* Where the kept ones are, and where in the payload their codes begin. */
static int find_places(const struct dfs_block *block, struct dfs_span *payload, const struct dfs_ultra_table *t,
		       enum dfs_cpu cpu, uint32_t *places, size_t *ret_kept, struct dfs_err *err)
{
	size_t len;
	int ret;

	if (t->mask == DFS_ULTRA_SEEDED) {
		*ret_kept = dfs_ultra_kept(t, block->first + block->n) - dfs_ultra_kept(t, block->first);
		dfs_ultra_places(cpu, t, block->first, block->n, *ret_kept, places);
		return 0;
	}
	ret = dfs_ultra_places_get(*payload, block->n, places, ret_kept, &len, err);
	if (ret < 0)
		return ret;
	payload->data += len;
	payload->len -= len;
	return 0;
}

int dfs_ultra_decode(const struct dfs_block *block, struct dfs_span payload, const struct dfs_table *table, void *out,
		     struct dfs_scratch *scratch, struct dfs_err *err)
{
	const struct dfs_ultra_table *t = (const struct dfs_ultra_table *)table;
	uint32_t *places = dfs_scratch_get(scratch, DFS_SLOT_SPLIT, block->n * sizeof(*places));
	uint8_t *codes = dfs_scratch_get(scratch, DFS_SLOT_SYMBOLS, block->n);
	enum dfs_cpu cpu = dfs_scratch_cpu(scratch);
	unsigned dtype = block->shape.dtype;
	size_t kept;
	int ret;

	if (!places || !codes)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = find_places(block, &payload, t, cpu, places, &kept, err);
	if (ret == 0)
		ret = dfs_ultra_codes_get(t, payload, kept, codes, err);
	if (ret < 0)
		return ret;
	if (out != block->pred)
		memcpy(out, block->pred, block->n * dfs_dtype_info(dtype)->size);
	change(cpu, dtype, t, places, codes, kept, out);
	return 0;
}
