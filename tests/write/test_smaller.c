/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smaller: nothing is given up of a tensor that takes no more bytes exactly. */
#include "given_up.h"

#include "write/plan.h"
#include "write/spec.h"

#define Q "model.layers.0.self_attn.q_proj.weight"
#define GATE "model.layers.0.mlp.gate_proj.weight"

static const struct spec model[] = { { Q, "BF16", 2, { 512, 512 } }, { GATE, "BF16", 2, { 700, 512 } } };

/* About one value in @one_of is half as large again. */
static double few(unsigned number, uint64_t i, unsigned one_of)
{
	uint64_t state = (i + 1) * 0x9e3779b97f4a7c15ull + number;

	files_random(&state);
	return base_value(number, i) * (files_random(&state) % one_of ? 1 : 1.5);
}

static double much_tuned_value(unsigned number, uint64_t i)
{
	return base_value(number, i) + noise(i, number * 77 + 1) * 0x1p-4;
}

static double hardly_tuned_value(unsigned number, uint64_t i)
{
	return few(number, i, 200);
}

/* A value in the middle of the first tensor; the other is tuned. */
static double one_value(unsigned number, uint64_t i)
{
	return number ? much_tuned_value(number, i) : base_value(number, i) + (i == 140003);
}

/* Every thirtieth row of the first tensor. */
static double some_rows(unsigned number, uint64_t i)
{
	return number || i / 512 % 30 == 7 ? much_tuned_value(number, i) : base_value(number, i);
}

/* A value of each. */
static double one_value_each(unsigned number, uint64_t i)
{
	return base_value(number, i) + (i == 140003);
}

/* Only the first tensor; the whole of the other one. */
static double first_hardly(unsigned number, uint64_t i)
{
	return number ? much_tuned_value(number, i) : hardly_tuned_value(number, i);
}

static uint64_t stored_exactly(const struct result *r)
{
	struct dfs_encode_config config = { .base = r->base };
	struct dfs_encode_result encoded;
	struct dfs_err err = { "" };
	int out = files_memory("exactly");

	CHECK_OK(dfs_encode(r->fd, "file", out, &config, &encoded, &err), err);
	close(out);
	return encoded.stored_bytes;
}

static const char *const codecs[] = {
	"bitdelta", "bitdelta:k=3", "delta-dct", "delta-dct:p=32,bits=8:1", "ultradelta:s=0.9", "ultradelta:s=0.9,mask=stored",
	"ultradelta:s=0.9,levels=codebook", "delta-come:ratio=8",
};

/* Of many equal differences it makes next to nothing, but never as little as nothing. */
static bool is_ultradelta(const char *codec)
{
	return !strncmp(codec, "ultradelta", 10);
}

/* A build may be without a library. */
static bool is_to_be_had(const char *codec)
{
	return dfs_spec_check(codec, NULL) == 0;
}

static void the_file_is_exact_if_nothing_of_it_is_larger_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(codecs); i++) {
		struct result r;

		if (!is_to_be_had(codecs[i]))
			continue;
		r = result_of(model_of(model, 2, is_ultradelta(codecs[i]) ? one_value_each : hardly_tuned_value), model_of(model, 2, base_value),
			      codecs[i]);
		check_hashes(&r);
		CHECK(is_exact(&r, Q) && is_exact(&r, GATE));
		CHECK(r.encoded.why_exact == DFS_REASON_EXACT_SMALLER);
		CHECK(r.encoded.stored_bytes == stored_exactly(&r));
		result_free(&r);
	}
}

static bool is_as_it_was(const struct result *r, size_t tensor)
{
	size_t at = 0, size = spec_len(&model[tensor]), all = spec_len(&model[0]) + spec_len(&model[1]);
	uint8_t *plain, *shown;
	size_t len = files_read(r->fd, &plain);
	bool same;

	files_read(r->shown, &shown);
	at = len - all + (tensor ? spec_len(&model[0]) : 0);
	same = !memcmp(plain + at, shown + at, size);
	free(plain);
	free(shown);
	return same;
}

static void each_tensor_by_itself(void **state)
{
	static value_fn *const values[] = { one_value, some_rows, first_hardly };
	(void)state;

	for (size_t i = 0; i < LEN(codecs) * LEN(values); i++) {
		const char *codec = codecs[i / LEN(values)];
		struct result r;

		/* in eight bits a value the other one is smaller exactly as well */
		if (!is_to_be_had(codec) || strstr(codec, "bits=8") || (is_ultradelta(codec) && i % LEN(values)))
			continue;
		r = result_of(model_of(model, 2, values[i % LEN(values)]), model_of(model, 2, base_value), codec);
		check_hashes(&r);
		CHECK(is_as_it_was(&r, 0) && !is_as_it_was(&r, 1));
		CHECK(r.encoded.why_exact == DFS_REASON_NONE);
		CHECK(r.encoded.stored_bytes < stored_exactly(&r));
		result_free(&r);
	}
}

/* Eight bits and more a value, for differences that take six. */
static void codecs_that_save_nothing(void **state)
{
	struct result r = result_of(model_of(model, 2, tuned_value), model_of(model, 2, base_value), "delta-dct:bits=8:1");
	(void)state;

	check_hashes(&r);
	CHECK(r.encoded.why_exact == DFS_REASON_EXACT_SMALLER && r.encoded.stored_bytes == stored_exactly(&r));
	result_free(&r);
}

/* --- a model of two files */

static struct dfs_plan plan_of(const int *fds, size_t n, const struct dfs_encode_config *config)
{
	struct dfs_plan_file files[2] = { 0 };
	struct dfs_plan plan;
	struct dfs_err err = { "" };

	for (size_t i = 0; i < n; i++) {
		struct stat st;

		CHECK(fstat(fds[i], &st) == 0);
		files[i] = (struct dfs_plan_file){ .fd = fds[i], .len = (uint64_t)st.st_size };
		CHECK_OK(dfs_header_load(fds[i], &files[i].header, &err), err);
	}
	CHECK_OK(dfs_plan_make(files, n, config, &plan, &err), err);
	for (size_t i = 0; i < n; i++)
		dfs_header_free(files[i].header);
	return plan;
}

static double second_value(unsigned number, uint64_t i)
{
	return one_value_each(number + 2, i);
}

static double second_base_value(unsigned number, uint64_t i)
{
	return base_value(number + 2, i);
}

static size_t coded(int fd, struct dfs_encode_config config, const struct dfs_plan *plan, struct dfs_encode_result *ret_result,
		    uint8_t **ret_bytes)
{
	int out = files_memory("coded");
	struct dfs_err err = { "" };
	size_t len;

	config.plan = plan;
	CHECK_OK(dfs_encode(fd, "file", out, &config, ret_result, &err), err);
	len = files_read(out, ret_bytes);
	close(out);
	return len;
}

/* What is exact has no part in the plan, and each file does as the plan says. */
static void a_plan_is_of_what_is_coded_by_it(void **state)
{
	static const struct spec second[] = {
		{ "model.layers.1.self_attn.q_proj.weight", "BF16", 2, { 512, 512 } },
		{ "model.layers.1.mlp.gate_proj.weight", "BF16", 2, { 300, 512 } },
	};
	static const char *const planned[] = { "ultradelta:s=0.9,step=0.05", "ultradelta:s=0.9,step=0.05,mask=stored,gamma=auto" };
	int fds[] = { model_of(model, 2, much_tuned_value), model_of(second, 2, second_value) };
	int base_fd = model_of(model, 2, base_value), second_base_fd = model_of(second, 2, second_base_value);
	struct dfs_model *base = files_open_model(base_fd), *second_base = files_open_model(second_base_fd);
	(void)state;

	for (size_t i = 0; i < LEN(planned); i++) {
		struct dfs_encode_config config = { .base = base, .codec = planned[i], .threads = 2 };
		struct dfs_plan alone = plan_of(fds, 1, &config);
		struct dfs_plan both;
		struct dfs_encode_result results[2];
		uint8_t *bytes[2];
		size_t len;

		CHECK(alone.n == 2);
		len = coded(fds[0], config, &alone, &results[0], &bytes[0]);
		CHECK(len == coded(fds[0], config, NULL, &results[1], &bytes[1]));
		CHECK_BYTES(bytes[0], bytes[1], len);
		CHECK(results[0].why_exact == DFS_REASON_NONE);
		free(bytes[0]);
		free(bytes[1]);
		config.base = second_base;
		both = plan_of(&fds[1], 1, &config);
		CHECK(both.n == 2 && both.entries[0].smaller && both.entries[1].smaller);
		free((coded(fds[1], config, &both, &results[1], &bytes[1]), bytes[1]));
		CHECK(results[1].why_exact == DFS_REASON_EXACT_SMALLER);
		dfs_plan_release(&alone);
		dfs_plan_release(&both);
	}
	dfs_model_free(base);
	dfs_model_free(second_base);
	for (size_t i = 0; i < 2; i++)
		close(fds[i]);
	close(base_fd);
	close(second_base_fd);
}

/* A tensor that is smaller exactly, in the same file: the rates of the others are theirs alone, and average s. */
static void rates_are_those_of_the_others(void **state)
{
	static const struct spec three[] = {
		{ Q, "BF16", 2, { 512, 512 } }, { GATE, "BF16", 2, { 700, 512 } }, { "model.layers.0.mlp.up_proj.weight", "BF16", 2, { 700, 512 } },
	};
	int with = model_of(three, 3, one_value), base_fd = model_of(three, 3, base_value);
	struct dfs_model *base = files_open_model(base_fd);
	struct dfs_encode_config config = { .base = base, .codec = "ultradelta:s=0.9,step=0.05", .threads = 1 };
	struct dfs_encode_config without = config;
	struct dfs_plan plan = plan_of(&with, 1, &config), others;
	const struct dfs_plan_entry *mine, *same;
	(void)state;

	without.codec = "ultradelta:s=0.9,step=0.05,exclude=*q_proj*";
	others = plan_of(&with, 1, &without);
	CHECK(plan.n == 3 && others.n == 2 && dfs_plan_find(&plan, Q)->smaller);
	mine = dfs_plan_find(&plan, GATE);
	same = dfs_plan_find(&others, GATE);
	CHECK_BYTES(mine->planned, same->planned, plan.lossy->planned_size);
	dfs_plan_release(&plan);
	dfs_plan_release(&others);
	dfs_model_free(base);
	close(with);
	close(base_fd);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(the_file_is_exact_if_nothing_of_it_is_larger_so),
	cmocka_unit_test(each_tensor_by_itself),
	cmocka_unit_test(codecs_that_save_nothing),
	cmocka_unit_test(a_plan_is_of_what_is_coded_by_it),
	cmocka_unit_test(rates_are_those_of_the_others),
};

CHECK_MAIN(cases)
