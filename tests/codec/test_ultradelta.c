/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ultradelta: what comes back is, value by value, the prediction or the
 * prediction and the level nearest to the difference; and nothing that a table
 * or a payload may hold leads outside.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "codec/ultradelta.h"
#include "model.h"
#include "random.h"
#include "tensor/convert.h"

#define CODEC DFS_CODEC_ULTRADELTA
#define HEAD 40

static float level_at(const struct driven *t, unsigned k)
{
	float value;

	memcpy(&value, t->table.data + HEAD + 4 * k, sizeof(value));
	return value;
}

static double keep_of(const struct driven *t)
{
	uint32_t keep;

	memcpy(&keep, t->table.data + 16, sizeof(keep));
	return keep * 0x1p-32;
}

/* A base and a level, rounded once: through F64, which has bits enough for sums of these sizes. */
static void add(const struct driven *t, size_t i, float level, uint8_t *out)
{
	double sum = matrix_get(t->matrix, t->matrix->pred, i) + (double)level;

	dfs_convert(DFS_F64, t->matrix->shape.dtype, &sum, out, 1);
}

struct range {
	double min, max;
};

static struct range range_of(const struct driven *t)
{
	struct range r = { INFINITY, -INFINITY };

	for (size_t i = 0; i < t->matrix->n; i++) {
		double delta = matrix_delta(t->matrix, i);

		r.min = delta < r.min ? delta : r.min;
		r.max = delta > r.max ? delta : r.max;
	}
	return r;
}

/* Is value @i a prediction changed by a level that is as near as any, but for rounding. */
static bool is_level(const struct driven *t, const uint8_t *out, size_t i, unsigned bits, struct range range,
		     double gain)
{
	double top = (1u << bits) - 1, step = (range.max - range.min) / top;
	double delta = matrix_delta(t->matrix, i);

	for (unsigned k = 0; k <= top; k++) {
		double level = range.min + k * step;
		uint8_t want[8];

		if (fabs(delta - level) > step / 2 * 1.0001 + fabs(level) * 1e-6)
			continue;
		if (fabs(level_at(t, k) - level * gain) > fabs(level * gain) * 1e-6)
			continue;
		add(t, i, level_at(t, k), want);
		if (!memcmp(want, out + i * t->matrix->unit, t->matrix->unit))
			return true;
	}
	return false;
}

/* Return: how many differ from their predictions. */
static size_t check_values(const struct driven *t, const uint8_t *out, unsigned bits, double gain)
{
	struct range range = range_of(t);
	size_t changed = 0;

	for (size_t i = 0; i < t->matrix->n; i++) {
		if (!memcmp(out + i * t->matrix->unit, t->matrix->pred + i * t->matrix->unit, t->matrix->unit))
			continue;
		changed++;
		CHECK(is_level(t, out, i, bits, range, gain));
	}
	return changed;
}

/* --- round trips */

struct shape {
	uint64_t rows, cols;
};

static const struct shape shapes[] = {
	{ 1, 1 }, { 1, 2 }, { 3, 1 }, { 1, 1000 }, { 1000, 1 }, { 37, 53 }, { 64, 64 }, { 301, 257 }, { 512, 512 },
};
static const unsigned dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void round_trip(const char *spec, unsigned bits, struct shape shape, unsigned dtype, unsigned kind,
		       double size)
{
	struct model *m = model_new(CODEC, spec);
	struct driven *t;
	uint8_t *out, *other;
	size_t changed;

	m->how.head = 251;
	t = model_add(m, dtype, shape.rows, shape.cols, kind, size, shape.rows + 7 * shape.cols);
	/* nothing would be kept of it */
	if (shape.rows * shape.cols < 10) {
		CHECK_RET(-ERANGE, model_code(m));
		model_free(m);
		return;
	}
	CHECK_RET(0, model_code(m));
	out = malloc(t->matrix->bytes);
	other = malloc(t->matrix->bytes);
	CHECK_RET(0, driven_decode(t, (struct way){ .level = DFS_CPU_PORTABLE }, out));
	/* one tensor: its rate is s itself */
	changed = check_values(t, out, bits, 1 / (1 - 0.9));
	CHECK((double)changed <= ceil((double)t->matrix->n * keep_of(t)) + (1 << bits));
	for (unsigned level = 0; level < DFS_CPU_LEVELS; level++) {
		/* off by one byte, as nobody promises alignment */
		CHECK_RET(0, driven_decode(t, (struct way){ level, 1, false }, other));
		CHECK_BYTES(other, out, t->matrix->bytes);
	}
	free(out);
	free(other);
	model_free(m);
}

static void values_are_predictions_or_levels_added(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++)
		for (size_t d = 0; d < COUNT(dtypes); d++) {
			round_trip("s=0.9", 4, shapes[i], dtypes[d], GAUSSIAN, 1e-3);
			round_trip("s=0.9,mask=stored", 4, shapes[i], dtypes[d], GAUSSIAN, 1e-3);
		}
}

static void every_width_of_code(void **state)
{
	(void)state;
	for (unsigned bits = 2; bits <= 8; bits++)
		for (unsigned stored = 0; stored < 2; stored++) {
			char spec[64];

			snprintf(spec, sizeof(spec), "s=0.9,qbits=%u,mask=%s", bits, stored ? "stored" : "seeded");
			round_trip(spec, bits, (struct shape){ 301, 257 }, DFS_F32, LAPLACE, 1e-3);
		}
}

static void odd_differences(void **state)
{
	static const struct { unsigned kind; double size; unsigned dtype; } odd[] = {
		{ ZERO, 0, DFS_BF16 }, { ONE_VALUE | ALONE, 0.5, DFS_BF16 }, { ONE_VALUE | ALONE, -0.5, DFS_F16 },
		{ POSITIVE, 1e-3, DFS_F32 }, { FEW_MOVED, 1e-2, DFS_BF16 }, { GAUSSIAN, 0x1p100, DFS_BF16 },
		{ GAUSSIAN, 0x1p8, DFS_F16 }, { GAUSSIAN | ALONE, 1e-43, DFS_F32 }, { GAUSSIAN | ALONE, 1e-38, DFS_BF16 },
		{ GAUSSIAN | ALONE, 1e-6, DFS_F16 },
	};
	(void)state;

	for (size_t i = 0; i < COUNT(odd); i++)
		for (unsigned stored = 0; stored < 2; stored++) {
			struct model *m = model_new(CODEC, stored ? "s=0.9,mask=stored" : "s=0.9");
			struct driven *t = model_add(m, odd[i].dtype, 100, 300, odd[i].kind,
								 odd[i].size, i);
			uint8_t *out = malloc(t->matrix->bytes);

			/* with stored places zeros count as left out already */
			CHECK_RET(odd[i].kind == ZERO && stored ? -ERANGE : 0, model_code(m));
			CHECK_RET(0, t->ret ? 0 : driven_decode(t, (struct way){ .level = DFS_CPU_PORTABLE }, out));
			for (size_t k = 0; k < t->matrix->n && !t->ret; k++)
				CHECK(isfinite(matrix_get(t->matrix, out, k)));
			if (odd[i].kind == ZERO && !stored)
				CHECK_BYTES(out, t->matrix->pred, t->matrix->bytes);
			/* levels are of ten times the size, and one in ten is kept */
			if (odd[i].kind == (ONE_VALUE | ALONE)) {
				size_t changed = 0;

				for (size_t k = 0; k < t->matrix->n; k++) {
					double value = matrix_get(t->matrix, out, k);

					CHECK(value == 0 || value == 10 * odd[i].size);
					changed += value != 0;
				}
				CHECK(changed == 3000);
			}
			free(out);
			model_free(m);
		}
}

/* --- the same bytes */

static const char *const specs[] = {
	"s=0.9", "s=0.9,mask=stored", "s=0.97,levels=codebook", "s=0.95,levels=codebook,mask=stored,qbits=3",
	"s=0.5,qbits=8", "s=0.99,rescale=layer,gamma=0.7,seed=18446744073709551615",
};

static struct model *small_model(const char *spec, enum dfs_cpu cpu, bool backwards)
{
	struct model *m = model_new(CODEC, spec);
	struct dfs_scratch *scratch = dfs_scratch_new();

	dfs_scratch_set_cpu(scratch, cpu);
	m->how.scratch = scratch;
	m->how.backwards = backwards;
	m->how.head = 2500;
	model_add(m, DFS_BF16, 300, 500, GAUSSIAN, 1e-3, 1);
	model_add(m, DFS_F16, 77, 123, LAPLACE, 2e-3, 2);
	model_add(m, DFS_F32, 128, 256, FEW_MOVED, 3e-3, 3);
	CHECK_RET(0, model_code(m));
	dfs_scratch_free(scratch);
	return m;
}

static void same_model(const struct model *a, const struct model *b)
{
	for (size_t i = 0; i < a->n; i++)
		CHECK(driven_same(&a->coded[i], &b->coded[i]));
}

static void encoding_gives_the_same_bytes_in_any_order_on_any_cpu(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(specs); i++) {
		struct model *first = small_model(specs[i], DFS_CPU_PORTABLE, false);

		for (unsigned cpu = 0; cpu < DFS_CPU_LEVELS; cpu++) {
			struct model *other = small_model(specs[i], cpu, cpu % 2 == 0);

			same_model(first, other);
			model_free(other);
		}
		model_free(first);
	}
}

/* --- what nobody wrote */

/* The first chunk with another payload, by all kernels. */
static int agree(const struct driven *t, uint8_t *payload, size_t len, const struct dfs_table *table)
{
	struct driven_chunk chunk = { t->chunks[0].first, t->chunks[0].n, payload, len };

	return driven_agree(t, table, &chunk);
}

static struct dfs_table *table_of(const struct driven *t)
{
	struct dfs_table *table;

	CHECK_RET(0, driven_open(t, t->table.data, t->table.len, false, &table));
	return table;
}

static void cut_and_lengthened_payloads_are_refused(void **state)
{
	(void)state;
	for (size_t s = 0; s < COUNT(specs); s++) {
		struct model *m = small_model(specs[s], dfs_cpu_best(), false);

		for (size_t i = 0; i < m->n; i++) {
			const struct driven *t = &m->coded[i];
			const struct driven_chunk *c = &t->chunks[0];
			struct dfs_table *table = table_of(t);

			for (size_t len = 0; len < c->len; len += 1 + len / 9)
				CHECK_RET(-EUCLEAN, agree(t, c->payload, len, table));
			CHECK_RET(-EUCLEAN, agree(t, c->payload, c->len - 1, table));
			CHECK_RET(-EUCLEAN, agree(t, c->payload, c->len + 1, table));
			dfs_table_close(table);
		}
		model_free(m);
	}
}

static void mutate(uint8_t *bytes, size_t len, uint64_t *seed)
{
	for (unsigned n = 1 + random_next(seed) % 6; n > 0; n--)
		bytes[random_next(seed) % len] ^= (uint8_t)(1 << random_next(seed) % 8);
}

static void changed_payloads_and_noise(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t s = 0; s < COUNT(specs); s++) {
		struct model *m = small_model(specs[s], dfs_cpu_best(), false);

		for (unsigned round = 0; round < 60; round++) {
			struct driven *t = &m->coded[round % m->n];
			struct driven_chunk *c = &t->chunks[0];
			struct dfs_table *table = table_of(t);
			uint8_t noise[400];

			mutate(c->payload, c->len, &seed);
			agree(t, c->payload, c->len, table);
			for (size_t i = 0; i < sizeof(noise); i++)
				noise[i] = (uint8_t)(round % 3 ? random_next(&seed) : 0);
			agree(t, noise, random_next(&seed) % sizeof(noise), table);
			dfs_table_close(table);
		}
		model_free(m);
	}
}

static void tables_that_are_cut_or_changed(void **state)
{
	unsigned opened = 0, refused = 0;
	uint64_t seed = 2;

	(void)state;
	for (size_t s = 0; s < COUNT(specs); s++) {
		struct model *m = small_model(specs[s], dfs_cpu_best(), false);

		for (unsigned round = 0; round < 120; round++) {
			struct driven *t = &m->coded[round % m->n];
			uint8_t *copy = malloc(t->table.len);
			size_t len = round % 3 ? t->table.len : random_next(&seed) % t->table.len;
			struct dfs_table *table;
			int ret;

			memcpy(copy, t->table.data, t->table.len);
			if (round % 3)
				mutate(copy, round % 3 == 1 ? HEAD : len, &seed);
			ret = driven_open(t, copy, len, round % 2, &table);
			CHECK(round % 3 || ret == -EUCLEAN);
			opened += ret == 0;
			refused += ret != 0;
			if (ret == 0)
				agree(t, t->chunks[0].payload, t->chunks[0].len, table);
			dfs_table_close(table);
			free(copy);
		}
		model_free(m);
	}
	CHECK(opened > 20 && refused > 20);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(values_are_predictions_or_levels_added),
	cmocka_unit_test(every_width_of_code),
	cmocka_unit_test(odd_differences),
	cmocka_unit_test(encoding_gives_the_same_bytes_in_any_order_on_any_cpu),
	cmocka_unit_test(cut_and_lengthened_payloads_are_refused),
	cmocka_unit_test(changed_payloads_and_noise),
	cmocka_unit_test(tables_that_are_cut_or_changed),
};

CHECK_MAIN(cases)
