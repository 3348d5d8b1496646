/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lossy: whole files through codecs that give up bits: which tensors, which bits, and what the container says of it. */
#include "given_up.h"

#define Q "model.layers.0.self_attn.q_proj.weight"
#define GATE "model.layers.0.mlp.gate_proj.weight"
#define EMBED "model.embed_tokens.weight"

static const struct spec model[] = {
	{ EMBED, "BF16", 2, { 500, 256 } },
	{ "model.layers.0.input_layernorm.weight", "BF16", 1, { 256 } },
	{ Q, "BF16", 2, { 256, 256 } },
	{ GATE, "BF16", 2, { 700, 256 } },
	{ "model.norm.weight", "BF16", 1, { 70000 } },
	{ "lm_head.weight", "BF16", 2, { 500, 256 } },
};

static int tuned_model(void)
{
	return model_of(model, LEN(model), tuned_value);
}

static int base_model(void)
{
	return model_of(model, LEN(model), base_value);
}

static void linear_layers_lose_bits_and_nothing_else_does(void **state)
{
	struct result r = result_of(tuned_model(), base_model(), "bitdelta");
	(void)state;

	check_hashes(&r);
	CHECK(r.c->sb.incompatible == DFS_FEATURE_LOSSY && r.encoded.shrunk);
	CHECK(!is_exact(&r, Q) && !is_exact(&r, GATE));
	for (size_t i = 0; i < LEN(model); i++)
		CHECK(is_exact(&r, model[i].name) == (i != 2 && i != 3));
	CHECK(chunks_of(&r, DFS_CODEC_BITDELTA) > 3);
	result_free(&r);
}

static void more_of_them_where_the_user_says_so(void **state)
{
	struct result r = result_of(tuned_model(), base_model(), "bitdelta:embeddings=lossy,exclude=*q_proj*,scale=column");
	(void)state;

	check_hashes(&r);
	for (size_t i = 0; i < LEN(model); i++)
		CHECK(is_exact(&r, model[i].name) == (i != 0 && i != 3 && i != 5));
	result_free(&r);
}

static double half_tuned_value(unsigned number, uint64_t i)
{
	return number == 2 || (number == 3 && i < 140000) ? base_value(number, i) : tuned_value(number, i);
}

static void what_is_as_in_the_base_is_copied(void **state)
{
	struct result r = result_of(model_of(model, LEN(model), half_tuned_value), base_model(), "bitdelta");
	(void)state;

	check_hashes(&r);
	CHECK(is_exact(&r, Q) && !is_exact(&r, GATE));
	/* the last chunks of the other one: 700 x 256 values are at least two and a bit */
	CHECK(chunks_of(&r, DFS_CODEC_BITDELTA) == 1 || chunks_of(&r, DFS_CODEC_BITDELTA) == 2);
	CHECK(chunks_of(&r, DFS_CODEC_COPY) >= 2);
	result_free(&r);
}

static double special_at = NAN;

static double special_value(unsigned number, uint64_t i)
{
	return number == 2 && i == 12345 ? special_at : tuned_value(number, i);
}

static double special_base_value(unsigned number, uint64_t i)
{
	return number == 2 && i == 12345 ? special_at : base_value(number, i);
}

static void a_tensor_with_what_is_no_number_is_exact(void **state)
{
	static const double specials[] = { NAN, INFINITY, -INFINITY, 0x1p121 };
	(void)state;

	for (size_t i = 0; i < 2 * LEN(specials); i++) {
		struct result r;

		special_at = specials[i / 2];
		r = result_of(model_of(model, LEN(model), i % 2 ? special_value : tuned_value),
			      model_of(model, LEN(model), i % 2 ? base_value : special_base_value), "bitdelta:k=2");
		check_hashes(&r);
		CHECK(is_exact(&r, Q) && !is_exact(&r, GATE));
		result_free(&r);
	}
}

static void bases_of_another_dtype(void **state)
{
	static const char *const dtypes[][2] = {
		{ "F32", "BF16" }, { "BF16", "F32" }, { "F16", "F32" }, { "F32", "F16" }, { "F16", "BF16" }, { "F32", "F64" },
	};
	(void)state;

	for (size_t i = 0; i < LEN(dtypes); i++) {
		struct spec specs[] = { { Q, dtypes[i][0], 2, { 300, 300 } } }, base[] = { { Q, dtypes[i][1], 2, { 300, 300 } } };
		struct result r = result_of(model_of(specs, 1, tuned_value), model_of(base, 1, base_value), "bitdelta");

		check_hashes(&r);
		CHECK(!is_exact(&r, Q) && chunks_of(&r, DFS_CODEC_BITDELTA) > 0);
		/* one bit of 16 or 32, two bytes a row, and the container's own */
		CHECK(r.encoded.stored_bytes < 300 * 300 / 8 + 2 * 300 + 1500);
		result_free(&r);
	}
}

static void narrow_floats_parked_in_wide_ones(void **state)
{
	struct spec narrow[] = { { Q, "BF16", 2, { 300, 300 } } }, wide[] = { { Q, "F32", 2, { 300, 300 } } };
	int narrow_fd = model_of(narrow, 1, tuned_value), wide_fd = model_of(wide, 1, tuned_value);
	uint8_t *from, *to;
	size_t from_len = files_read(narrow_fd, &from), to_len = files_read(wide_fd, &to);
	struct result r;
	(void)state;

	dfs_convert(DFS_BF16, DFS_F32, from + from_len - 180000, to + to_len - 360000, 90000);
	CHECK(pwrite(wide_fd, to, to_len, 0) == (ssize_t)to_len);
	r = result_of(wide_fd, model_of(narrow, 1, base_value), "bitdelta");
	check_hashes(&r);
	CHECK(!is_exact(&r, Q) && r.encoded.stored_bytes < 300 * 300 / 8 + 2 * 300 + 1500);
	result_free(&r);
	close(narrow_fd);
	free(from);
	free(to);
}

static void rows_without_a_base_are_exact(void **state)
{
	static const struct spec grown[] = { { EMBED, "BF16", 2, { 540, 256 } } };
	struct result r = result_of(model_of(grown, 1, tuned_value), model_of(model, 1, base_value), "bitdelta:embeddings=lossy");
	uint8_t *plain, *shown;
	size_t len = files_read(r.fd, &plain), new_bytes = 40 * 256 * 2;
	(void)state;

	files_read(r.shown, &shown);
	check_hashes(&r);
	CHECK(!is_exact(&r, EMBED));
	CHECK_BYTES(shown + len - new_bytes, plain + len - new_bytes, new_bytes);
	free(plain);
	free(shown);
	result_free(&r);
}

static void stacks_of_experts(void **state)
{
	static const struct spec stack[] = {
		{ "model.layers.0.mlp.experts.gate_up_proj", "BF16", 3, { 7, 96, 130 } },
		{ "model.layers.0.mlp.experts.gate_up_proj_bias", "BF16", 2, { 400, 130 } },
	};
	static const char *const codecs[] = { "bitdelta", "bitdelta:scale=column", "bitdelta:scale=scalar,k=3" };
	(void)state;

	for (size_t i = 0; i < LEN(codecs); i++) {
		struct result r = result_of(model_of(stack, 2, tuned_value), model_of(stack, 2, base_value), codecs[i]);

		check_hashes(&r);
		CHECK(!is_exact(&r, stack[0].name) && is_exact(&r, stack[1].name));
		/* each row of each expert is a row */
		CHECK(r.c->segments[1].cols == 130 && r.c->segments[1].len == 7 * 96 * 130 * 2);
		result_free(&r);
	}
}

static void the_bytes_do_not_depend_on_threads(void **state)
{
	static const unsigned threads[] = { 1, 2, 5, 13 };
	struct result r = result_of(tuned_model(), base_model(), "bitdelta:k=3,scale=column");
	(void)state;

	for (size_t i = 0; i < LEN(threads); i++) {
		int out = encode(&r, "bitdelta:k=3,scale=column", threads[i], files_memory("other"));

		CHECK(files_same(out, r.container));
		close(out);
	}
	result_free(&r);
}

/* 0; what dfs_verify_same() and dfs_verify_full() return, the former first. */
static int verified(const struct result *r, int container, int plain, bool full)
{
	struct files_reader reader = files_reader_new(r->base_fd);
	struct dfs_verify_config verify = { .reader = reader.reader };
	struct dfs_err err = { "" };
	int ret = full ? dfs_verify_full(container, "file", &verify, &err) :
			 dfs_verify_same(container, "file", plain, &verify, &err);

	CHECK(ret == 0 || err.text[0]);
	files_reader_free(&reader);
	return ret;
}

static int changed_copy(int fd, off_t at)
{
	uint8_t *bytes, byte;
	size_t len = files_read(fd, &bytes);
	int copy = files_memory("copy");

	files_append(copy, bytes, len);
	byte = bytes[at] ^ 0x10;
	CHECK(pwrite(copy, &byte, 1, at) == 1);
	free(bytes);
	return copy;
}

static void verify_sees_a_flipped_byte_anywhere(void **state)
{
	struct result r = result_of(tuned_model(), base_model(), "bitdelta");
	uint64_t seed = 1;
	(void)state;

	for (unsigned i = 0; i < 40; i++) {
		int container = changed_copy(r.container, files_random(&seed) % (r.encoded.stored_bytes - 256));
		int plain = changed_copy(r.fd, files_random(&seed) % r.encoded.original_bytes);

		CHECK(verified(&r, container, -1, true) < 0);
		CHECK(verified(&r, container, r.fd, false) < 0);
		/* not what the container was made from, even where it need not be equal */
		CHECK_RET(-EUCLEAN, verified(&r, r.container, plain, false));
		close(container);
		close(plain);
	}
	CHECK_RET(0, verified(&r, r.container, r.fd, false));
	result_free(&r);
}

static void nothing_to_give_up_gives_an_exact_container(void **state)
{
	static const struct {
		const char *codec;
		value_fn *value;
		bool based;
	} trials[] = {
		{ "bitdelta", tuned_value, false },
		{ "bitdelta", base_value, true },
		{ "bitdelta:exclude=*", tuned_value, true },
		{ "bitdelta:exclude=*_proj.*,norms=lossy", tuned_value, true },
	};
	(void)state;

	for (size_t i = 0; i < LEN(trials); i++) {
		struct result r = result_of(model_of(model, LEN(model), trials[i].value), trials[i].based ? base_model() : -1,
					    trials[i].codec);
		int exact = encode(&r, "exact", 2, files_memory("exact"));

		check_hashes(&r);
		CHECK(r.c->sb.incompatible == 0 && files_same(exact, r.container));
		close(exact);
		result_free(&r);
	}
}

static double zero_value(unsigned number, uint64_t i)
{
	return 0 * ((double)i + number);
}

static double sign_value(unsigned number, uint64_t i)
{
	return noise(i, number) < 0 ? -0.25 : 0.25;
}

/* Every difference is the scale or its negative: nothing was given up, and nothing is said of it. */
static void a_lossy_codec_may_come_out_exact(void **state)
{
	struct result r = result_of(model_of(model, LEN(model), sign_value), model_of(model, LEN(model), zero_value), "bitdelta");
	(void)state;

	check_hashes(&r);
	CHECK(chunks_of(&r, DFS_CODEC_BITDELTA) > 3 && r.c->sb.incompatible == 0);
	CHECK(files_same(r.fd, r.shown));
	result_free(&r);
}

/* So far from the base that no codec has much of it. */
static double far_value(unsigned number, uint64_t i)
{
	return base_value(number, i) + noise(i, number * 77 + 1);
}

/* A chunk of one value before a line of the grid: eight rounds would take four times its size. */
static void chunks_too_small_for_their_codec(void **state)
{
	struct spec specs[] = { { "pad", "U8", 1, { 131070 } }, { Q, "BF16", 2, { 300, 300 } } };
	struct dfs_header *header;
	(void)state;

	for (unsigned values = 1; values < 6; values++) {
		struct result r;

		for (unsigned i = 0; i < 3; i++) {
			header = make_header(specs, 2, "");
			specs[0].shape[0] = 131072 - 2 * values - header->data_off;
			dfs_header_free(header);
		}
		r = result_of(model_of(specs, 2, far_value), model_of(specs, 2, base_value), "bitdelta:k=8,scale=scalar");
		check_hashes(&r);
		CHECK(r.c->segments[r.c->n_segments - 1].off == 131072 - 2 * values);
		CHECK(chunks_of(&r, DFS_CODEC_STORED) + chunks_of(&r, DFS_CODEC_ZSTD) >= (values < 4));
		CHECK(chunks_of(&r, DFS_CODEC_BITDELTA) == 2 + (values >= 4));
		result_free(&r);
	}
}

/* Called from encode. */
struct interference {
	int fd;		/* cut short the first time; < 0: cancel the second time */
	unsigned calls;
};

static bool interfere(void *arg, uint64_t done, uint64_t total)
{
	struct interference *i = arg;

	CHECK(done <= total);
	if (i->calls++ == 0 && i->fd >= 0)
		CHECK(ftruncate(i->fd, 100000) == 0);
	return i->fd >= 0 || i->calls < 2;
}

static void interfered_with_it_ends(void **state)
{
	struct result r = result_of(tuned_model(), base_model(), "bitdelta:k=8");
	(void)state;

	for (int cut = 0; cut < 2; cut++) {
		struct interference i = { cut ? tuned_model() : -1, 0 };
		struct dfs_encode_config config = {
			.base = r.base, .codec = "bitdelta:k=8", .threads = 2, .progress = interfere, .progress_arg = &i,
		};
		int fd = cut ? i.fd : r.fd, out = files_memory("out"), ret;
		struct dfs_encode_result result;
		struct dfs_err err = { "" };

		CHECK(futimens(fd, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }) == 0);
		ret = dfs_encode(fd, "file", out, &config, &result, &err);
		/* a fast machine may be done before it is asked twice */
		CHECK(ret == (cut ? -ESTALE : -ECANCELED) || (!cut && ret == 0 && i.calls < 2));
		close(out);
		if (cut)
			close(fd);
	}
	result_free(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(linear_layers_lose_bits_and_nothing_else_does),
	cmocka_unit_test(more_of_them_where_the_user_says_so),
	cmocka_unit_test(what_is_as_in_the_base_is_copied),
	cmocka_unit_test(a_tensor_with_what_is_no_number_is_exact),
	cmocka_unit_test(bases_of_another_dtype),
	cmocka_unit_test(narrow_floats_parked_in_wide_ones),
	cmocka_unit_test(rows_without_a_base_are_exact),
	cmocka_unit_test(stacks_of_experts),
	cmocka_unit_test(the_bytes_do_not_depend_on_threads),
	cmocka_unit_test(verify_sees_a_flipped_byte_anywhere),
	cmocka_unit_test(nothing_to_give_up_gives_an_exact_container),
	cmocka_unit_test(a_lossy_codec_may_come_out_exact),
	cmocka_unit_test(chunks_too_small_for_their_codec),
	cmocka_unit_test(interfered_with_it_ends),
};

CHECK_MAIN(cases)
