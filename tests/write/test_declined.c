/* SPDX-License-Identifier: GPL-2.0-or-later */
/* declined: tensors that a codec which gives up bits was to take, and does not: in the file, and in what is estimated of it. */
#include "given_up.h"

#include "write/trial.h"

#define SMALL "model.layers.0.self_attn.q_proj.weight"
#define LARGE "model.layers.0.mlp.gate_proj.weight"

static const struct spec model[] = { { SMALL, "F32", 2, { 128, 128 } }, { LARGE, "F32", 2, { 700, 256 } } };

/* The small one is changed less, so that it leaves out more: of 16384 values 0.00005. */
static double unevenly_tuned_value(unsigned number, uint64_t i)
{
	return base_value(number, i) + noise(i, number * 77 + 1) * (number ? 0x1p-10 : 0x1p-14);
}

static double not_a_number_value(unsigned number, uint64_t i)
{
	return number == 0 && i == 77 ? NAN : unevenly_tuned_value(number, i);
}

static const struct {
	const char *codec;
	value_fn *value;
} declined[] = {
	{ "ultradelta:s=0.9999", unevenly_tuned_value },
	{ "ultradelta:s=0.9999,mask=stored", unevenly_tuned_value },
	{ "ultradelta:s=0.9", not_a_number_value },
	{ "bitdelta", not_a_number_value },
	{ "delta-dct", not_a_number_value },
};

static bool is_as_it_was(const struct result *r, const char *name)
{
	struct dfs_header *header;
	const struct dfs_tensor *t;
	struct dfs_err err = { "" };
	uint8_t *plain, *shown;
	bool same;

	files_read(r->fd, &plain);
	files_read(r->shown, &shown);
	CHECK_OK(dfs_header_load(r->fd, &header, &err), err);
	t = dfs_header_find(header, name);
	same = !memcmp(plain + t->off, shown + t->off, t->len);
	dfs_header_free(header);
	free(plain);
	free(shown);
	return same;
}

static void the_tensor_is_exact_and_the_others_are_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(declined); i++) {
		struct result r = result_of(model_of(model, 2, declined[i].value), model_of(model, 2, base_value), declined[i].codec);

		check_hashes(&r);
		CHECK(is_as_it_was(&r, SMALL) && !is_as_it_was(&r, LARGE));
		result_free(&r);
	}
}

static struct dfs_trial tried(const struct spec *specs, size_t n, value_fn *value, const char *codec)
{
	int fd = model_of(specs, n, value), base_fd = model_of(specs, n, base_value);
	struct dfs_model *base = files_open_model(base_fd);
	struct dfs_hand *hand = dfs_hand_new();
	struct dfs_header *header;
	struct dfs_seen seen;
	struct dfs_trial trial;
	struct dfs_spec spec;
	struct dfs_err err = { "" };
	struct stat st;

	CHECK(hand && fstat(fd, &st) == 0);
	CHECK_OK(dfs_header_load(fd, &header, &err), err);
	CHECK_OK(dfs_spec_parse(codec, &spec, &err), err);
	CHECK_OK(dfs_seen_init(&seen, header, DFS_SEEN_BUDGET, &err), err);
	CHECK_OK(dfs_trial(&(struct dfs_work_input){
		.fd = fd, .len = (uint64_t)st.st_size, .header = header, .base = base, .spec = &spec,
	}, &seen, hand, true, &trial, NULL, &err), err);
	dfs_seen_release(&seen);
	dfs_header_free(header);
	dfs_hand_free(hand);
	dfs_model_free(base);
	close(fd);
	close(base_fd);
	return trial;
}

/* The other one's values are all that the codec gets; what is declined is with the rest of the file. */
static void its_estimate_is_that_of_the_exact_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(declined); i++) {
		struct dfs_trial both = tried(model, 2, declined[i].value, declined[i].codec);

		CHECK(both.values == 700 * 256 && both.bytes == 4 * both.values);
		CHECK(both.stored > 0 && both.stored < both.exact_stored);
		/* at least the twelve bits or so in which they differ */
		CHECK(both.rest > 128 * 128 * 4 && both.rest_stored > 128 * 128 && both.rest_stored < both.rest);
	}
	/* nothing is left for it */
	CHECK(tried(model, 1, not_a_number_value, "bitdelta").values == 0);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(the_tensor_is_exact_and_the_others_are_not),
	cmocka_unit_test(its_estimate_is_that_of_the_exact_one),
};

CHECK_MAIN(cases)
