/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ultradelta_plan: what tensors leave out (MSA), by what the rest is
 * multiplied (TNGR), the levels of a codebook, the size of it all; and what options may be.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "codec/ultradelta.h"
#include "model.h"

#define CODEC DFS_CODEC_ULTRADELTA
#define HEAD 40

static struct dfs_ultradelta_facts facts_of(const struct driven *t)
{
	struct dfs_ultradelta_facts facts;

	CHECK(dfs_ultradelta_facts((struct dfs_span){ t->table.data, t->table.len }, &facts));
	return facts;
}

static double level_at(const struct driven *t, unsigned k)
{
	float value;

	memcpy(&value, t->table.data + HEAD + 4 * k, sizeof(value));
	return value;
}

/* --- MSA, as the paper's code does it */

struct quantised {
	float min, max;
	double deviation;
};

static struct quantised quantise(const struct driven *t, float top)
{
	struct quantised q = { INFINITY, -INFINITY, 0 };
	double sum = 0, squares = 0, n = (double)t->matrix->n;

	for (size_t i = 0; i < t->matrix->n; i++) {
		q.min = fminf(q.min, (float)matrix_delta(t->matrix, i));
		q.max = fmaxf(q.max, (float)matrix_delta(t->matrix, i));
	}
	for (size_t i = 0; i < t->matrix->n; i++) {
		double x = rintf(((float)matrix_delta(t->matrix, i) - q.min) / (q.max - q.min) * top) / top *
				   (q.max - q.min) + q.min;

		sum += x;
		squares += x * x;
	}
	q.deviation = sqrt(squares / n - sum / n * (sum / n));
	return q;
}

static void expected_rates(const struct model *m, double s, double step, double *rates)
{
	double deviations[16], all = 0, before = 0, n1 = 0, n2 = 0, n3 = 0;
	unsigned group[16];

	for (size_t i = 0; i < m->n; i++) {
		deviations[i] = quantise(&m->coded[i], 15).deviation;
		all += (double)m->coded[i].matrix->n;
	}
	for (size_t done = 0; done < m->n; done++) {
		size_t least = 16;
		double size;

		for (size_t i = 0; i < m->n; i++)
			if (deviations[i] >= 0 && (least == 16 || deviations[i] < deviations[least]))
				least = i;
		deviations[least] = -1;
		size = (double)m->coded[least].matrix->n;
		before += size;
		group[least] = before <= all / 3 ? 1 : before <= 2 * all / 3 ? 2 : 3;
		*(group[least] == 1 ? &n1 : group[least] == 2 ? &n2 : &n3) += size;
	}
	for (size_t i = 0; i < m->n; i++)
		rates[i] = group[i] == 1 ? s + step : group[i] == 2 ? s : (s * all - s * n2 - (s + step) * n1) / n3;
}

static struct model *mixed_model(const char *spec)
{
	static const struct { uint64_t rows, cols; double size; unsigned kind; } tensors[] = {
		{ 64, 64, 4e-3, GAUSSIAN }, { 100, 30, 1e-3, LAPLACE }, { 33, 77, 2e-3, GAUSSIAN },
		{ 128, 32, 5e-4, GAUSSIAN }, { 10, 400, 3e-3, FEW_MOVED }, { 64, 64, 4e-3, GAUSSIAN },
		{ 90, 90, 6e-3, POSITIVE }, { 31, 57, 1e-4, GAUSSIAN },
	};
	struct model *m = model_new(CODEC, spec);

	/* the sixth is the first once more: a tie */
	for (size_t i = 0; i < 8; i++)
		model_add(m, DFS_F32, tensors[i].rows, tensors[i].cols, tensors[i].kind, tensors[i].size, i % 5);
	CHECK_RET(0, model_code(m));
	return m;
}

static void check_rates(const char *spec, double s, double step)
{
	struct model *m = mixed_model(spec);
	double rates[16], sum = 0, all = 0;

	expected_rates(m, s, step, rates);
	for (size_t i = 0; i < m->n; i++) {
		double values = (double)m->coded[i].matrix->n, keep = facts_of(&m->coded[i]).keep;

		CHECK(fabs(keep - (1 - rates[i])) < 1e-9);
		sum += (1 - keep) * values;
		all += values;
	}
	CHECK(fabs(sum / all - s) < 1e-9);
	model_free(m);
}

static void rates_are_those_of_the_paper(void **state)
{
	(void)state;
	check_rates("", 0.97, 0.01);
	check_rates("s=0.9,step=0.05", 0.9, 0.05);
	check_rates("s=0.9,step=0", 0.9, 0);
	/* no tensor leaves out all: the step is half of what is kept at most */
	check_rates("s=0.99", 0.99, 0.005);
	check_rates("s=0.995,step=0.5", 0.995, 0.0025);
	check_rates("s=0.1,step=0.5", 0.1, 0.05);
}

static void levels_are_multiplied_by_one_gain_or_each_layers(void **state)
{
	(void)state;
	for (unsigned layer = 0; layer < 2; layer++) {
		struct model *m = mixed_model(layer ? "rescale=layer,gamma=0.75" : "gamma=0.75");

		for (size_t i = 0; i < m->n; i++) {
			const struct driven *t = &m->coded[i];
			struct quantised q = quantise(t, 15);
			double gain = 0.75 / (layer ? facts_of(t).keep : 1 - 0.97);

			CHECK(facts_of(t).gamma == 0.75 && facts_of(t).reference == 0);
			for (unsigned k = 0; k < 16; k++) {
				double want = (q.min + k / 15.0 * ((double)q.max - q.min)) * gain;

				CHECK(fabs(level_at(t, k) - want) <= 1e-6 * fabs(q.max - q.min) * gain);
			}
		}
		model_free(m);
	}
}

/* --- TNGR */

/* The estimate from the differences: for a matrix of independent values all that counts is its squares. */
static double norm_of_differences(const struct model *m)
{
	double norm = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct driven *t = &m->coded[i];
		double squares = 0, rows = (double)t->matrix->shape.rows, cols = (double)t->matrix->shape.cols;

		for (size_t k = 0; k < t->matrix->n; k++) {
			double delta = matrix_get(t->matrix, t->matrix->data, k) - matrix_get(t->matrix, t->matrix->pred, k);

			squares += delta * delta;
		}
		norm += 8 / (3 * M_PI) * sqrt(squares * fmin(rows, cols));
	}
	return norm;
}

static void norm_is_that_of_the_differences_whatever_is_kept(void **state)
{
	static const char *const specs[] = { "s=0.9", "s=0.9,rescale=layer", "s=0.95,mask=stored", "s=0.9,levels=codebook" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct model *m = mixed_model(specs[i]);
		double norm = facts_of(&m->coded[0]).norm;

		CHECK(fabs(norm_of_differences(m) - norm) < 0.05 * norm);	/* quantised, it has other squares */
		for (size_t k = 1; k < m->n; k++)
			CHECK(facts_of(&m->coded[k]).norm == norm);
		model_free(m);
	}
}

static double gamma_at(double reference, double *ret_level)
{
	struct model *m;
	double gamma;
	char spec[80];

	snprintf(spec, sizeof(spec), "gamma=auto,nref=%.17g", reference);
	m = mixed_model(spec);
	CHECK(facts_of(&m->coded[0]).reference == reference);
	gamma = facts_of(&m->coded[0]).gamma;
	*ret_level = level_at(&m->coded[0], 3);
	model_free(m);
	return gamma;
}

static void gamma_is_reference_over_norm_within_bounds(void **state)
{
	struct model *m = mixed_model("gamma=auto");
	double norm = facts_of(&m->coded[0]).norm, level = level_at(&m->coded[0], 3), other;

	(void)state;
	CHECK(facts_of(&m->coded[0]).gamma == 1);
	model_free(m);
	CHECK(gamma_at(norm, &other) == 1 && other == level);
	CHECK(gamma_at(2 * norm, &other) == 1 && other == level);
	CHECK(fabs(gamma_at(0.8 * norm, &other) - 0.8) < 1e-7 && fabs(other - 0.8 * level) < 1e-6 * fabs(level));
	CHECK(gamma_at(0.1 * norm, &other) == 0.5 && fabs(other - 0.5 * level) < 1e-6 * fabs(level));
}

/* --- codebook */

/* Mean square error of best levels for a Gaussian of variance 1 (J. Max, 1960, table I). */
static const struct { unsigned bits; double error; } best[] = { { 2, 0.1175 }, { 3, 0.03454 }, { 4, 0.009497 }, { 5, 0.002499 } };

static void codebook_is_nearly_the_best(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct model *m;
		struct driven *t;
		double error = 0;
		char spec[80];

		snprintf(spec, sizeof(spec), "s=0.5,levels=codebook,qbits=%u", best[i].bits);
		m = model_new(CODEC, spec);
		t = model_add(m, DFS_F32, 400, 500, GAUSSIAN | ALONE, 3, 9);
		CHECK_RET(0, model_code(m));
		for (size_t k = 0; k < t->matrix->n; k++) {
			double delta = matrix_delta(t->matrix, k), nearest = INFINITY;

			for (unsigned level = 0; level < 1u << best[i].bits; level++)
				nearest = fmin(nearest, fabs(level_at(t, level) / 2 - delta));
			error += nearest * nearest / 9;
		}
		error /= (double)t->matrix->n;
		CHECK(error > 0.97 * best[i].error && error < 1.03 * best[i].error);
		model_free(m);
	}
}

static void codebook_of_few_values_has_them_all(void **state)
{
	struct model *m = model_new(CODEC, "s=0.5,levels=codebook");
	struct driven *t = model_add(m, DFS_BF16, 10, 100, ONE_VALUE | ALONE, 0.5, 9);
	uint8_t *out = malloc(t->matrix->bytes);

	(void)state;
	CHECK_RET(0, model_code(m));
	CHECK_RET(0, driven_decode(t, (struct way){ .level = dfs_cpu_best() }, out));
	for (size_t i = 0; i < 1000; i++)
		CHECK(matrix_get(t->matrix, out, i) == 0 || matrix_get(t->matrix, out, i) == 1);
	free(out);
	model_free(m);
}

/* --- size */

static const struct { const char *spec; double factor; } sizes[] = {
	{ "s=0.97", 125 }, { "s=0.95", 75 }, { "s=0.99", 340 },
	{ "s=0.97,mask=stored", 49 }, { "s=0.95,mask=stored", 31 }, { "s=0.99,mask=stored", 120 },
};

static void files_are_as_small_as_was_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct model *m = model_new(CODEC, sizes[i].spec);

		model_add(m, DFS_BF16, 1024, 1024, GAUSSIAN, 1e-3, 1);
		CHECK_RET(0, model_code(m));
		print_message("%-24s %.4f bits, 1/%.1f\n", sizes[i].spec, model_bits(m), 16 / model_bits(m));
		CHECK(16 / model_bits(m) >= sizes[i].factor);
		model_free(m);
	}
}

static void what_would_overflow_is_declined(void **state)
{
	struct model *m = model_new(CODEC, "s=0.9999");
	struct driven *a = model_add(m, DFS_BF16, 10, 100, GAUSSIAN, 0x1p114, 1);
	struct driven *b = model_add(m, DFS_F16, 10, 100, GAUSSIAN, 100, 1);
	struct driven *c = model_add(m, DFS_F16, 200, 100, GAUSSIAN, 0.1, 1);

	(void)state;
	CHECK_RET(-ERANGE, model_code(m));
	CHECK_RET(-ERANGE, a->ret);
	CHECK_RET(-ERANGE, b->ret);
	CHECK_RET(0, c->ret);
	model_free(m);
}

/* Of a tensor that keeps less than one value nothing would be left: it is not the codec's to throw away. */
static void what_would_keep_nothing_is_declined(void **state)
{
	static const char *const masks[] = { "s=0.9999,step=0", "s=0.9999,step=0,mask=stored" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct model *m = model_new(CODEC, masks[i]);
		struct driven *tiny = model_add(m, DFS_BF16, 64, 64, ONE_VALUE | ALONE, 0.5, 1);
		struct driven *small = model_add(m, DFS_BF16, 128, 128, ONE_VALUE | ALONE, 0.5, 2);

		CHECK_RET(-ERANGE, model_code(m));
		CHECK_RET(-ERANGE, tiny->ret);
		CHECK_RET(0, small->ret);
		model_free(m);
	}
}

static void options_are_checked(void **state)
{
	static const char *const bad[] = {
		"s=0", "s=1", "qbits=1", "qbits=9", "qbits=4.5", "mask=random", "gamma=0", "gamma=2.5", "gamma=x",
		"seed=-1", "seed=1x", "seed=18446744073709551616", "nref=-1", "step=0.6", "stepp=0",
		"nref=60", "trace=exact", "gamma=0.9,nref=60", "trace=exact,gamma=1",
	};
	uint8_t options[DFS_LOSSY_OPTIONS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct dfs_err err = { "" };

		CHECK_RET(-EINVAL, dfs_lossy_parse(dfs_lossy_find(CODEC), bad[i], options, &err));
		CHECK(strlen(err.text) > 10);
	}
	CHECK_RET(0, dfs_lossy_parse(dfs_lossy_find(CODEC), "gamma=auto,nref=1e3,seed=18446744073709551615", options, NULL));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(rates_are_those_of_the_paper),
	cmocka_unit_test(levels_are_multiplied_by_one_gain_or_each_layers),
	cmocka_unit_test(norm_is_that_of_the_differences_whatever_is_kept),
	cmocka_unit_test(gamma_is_reference_over_norm_within_bounds),
	cmocka_unit_test(codebook_is_nearly_the_best),
	cmocka_unit_test(codebook_of_few_values_has_them_all),
	cmocka_unit_test(files_are_as_small_as_was_asked),
	cmocka_unit_test(what_would_overflow_is_declined),
	cmocka_unit_test(what_would_keep_nothing_is_declined),
	cmocka_unit_test(options_are_checked),
};

CHECK_MAIN(cases)
