/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which base tensor each tensor gets, on the renamings and reshapings that real models show. */
#include "../check.h"

#include <errno.h>
#include <unistd.h>

#include "headers.h"
#include "util/hash.h"
#include "write/match.h"

static struct dfs_match matches[20000];
static struct dfs_match_score score;

static void match(const struct dfs_header *file, const struct dfs_header *const *bases, size_t n,
		  const struct dfs_match_config *config)
{
	struct dfs_err err = { "" };

	memset(matches, 0xee, sizeof(matches));
	CHECK(file->n_tensors <= sizeof(matches) / sizeof(matches[0]));
	CHECK_OK(dfs_match_model(file, bases, n, config, matches, &score, &err), err);
}

/* The match of the tensor @name: how, and the base's name ("" if none). */
static const struct dfs_match *expect(const struct dfs_header *file, const char *name,
				      enum dfs_match_how how, const char *base)
{
	const struct dfs_tensor *t = dfs_header_find(file, name);
	const struct dfs_match *m;

	CHECK(t);
	m = &matches[t - file->tensors];
	assert_string_equal(m->base ? m->base->name : "", base);
	assert_int_equal(m->how, how);
	CHECK((m->base == NULL) == (m->len == 0));
	CHECK(m->len <= t->len);
	return m;
}

static void names_are_found_in_any_shard(void **state)
{
	static const struct spec file_specs[] = {
		{ "a.weight", "BF16", 2, { 16, 8 } },
		{ "b.weight", "BF16", 2, { 16, 8 } },
		{ "c.weight", "BF16", 2, { 16, 8 } },
		{ "new.weight", "BF16", 2, { 4, 4 } },
	};
	static const struct spec first[] = { { "c.weight", "BF16", 2, { 16, 8 } } };
	static const struct spec second[] = {
		{ "b.weight", "F32", 2, { 16, 8 } },
		{ "a.weight", "BF16", 2, { 16, 8 } },
	};
	struct dfs_header *file = MAKE(file_specs);
	struct dfs_header *bases[] = { MAKE(first), MAKE(second) };

	(void)state;
	match(file, (const struct dfs_header *const *)bases, 2, NULL);
	assert_int_equal(expect(file, "a.weight", DFS_MATCH_NAME, "a.weight")->file, 1);
	assert_int_equal(expect(file, "b.weight", DFS_MATCH_NAME, "b.weight")->file, 1);
	assert_int_equal(expect(file, "c.weight", DFS_MATCH_NAME, "c.weight")->file, 0);
	assert_int_equal(expect(file, "b.weight", DFS_MATCH_NAME, "b.weight")->len, 256);
	expect(file, "new.weight", DFS_MATCH_NONE, "");
	assert_int_equal(score.matched_bytes, 3 * 256);
	assert_int_equal(score.total_bytes, 3 * 256 + 32);
	dfs_header_free(file);
	dfs_header_free(bases[0]);
	dfs_header_free(bases[1]);
}

static void no_base_and_no_tensors_match_nothing(void **state)
{
	static const struct spec specs[] = { { "a", "F32", 1, { 4 } } };
	struct dfs_header *file = MAKE(specs), *empty = make_header(specs, 0, "");
	const struct dfs_header *base = empty;

	(void)state;
	match(file, NULL, 0, NULL);
	expect(file, "a", DFS_MATCH_NONE, "");
	assert_int_equal(score.matched_bytes, 0);
	match(file, &base, 1, NULL);
	expect(file, "a", DFS_MATCH_NONE, "");
	base = file;
	match(empty, &base, 1, NULL);
	assert_int_equal(score.total_bytes, 0);
	dfs_header_free(file);
	dfs_header_free(empty);
}

static void dtype_and_shape_must_allow_it(void **state)
{
	static const struct spec file_specs[] = {
		{ "grown", "BF16", 2, { 20, 8 } },	{ "cut", "BF16", 2, { 10, 8 } },
		{ "wider", "BF16", 2, { 16, 10 } },	{ "vector", "F32", 1, { 9 } },
		{ "int", "I32", 1, { 8 } },		{ "float", "F32", 1, { 8 } },
		{ "squeezed", "F16", 1, { 8 } },	{ "turned", "F16", 2, { 4, 2 } },
		{ "empty", "F16", 2, { 0, 2 } },	{ "experts", "F16", 3, { 5, 2, 3 } },
		{ "half", "F4", 2, { 4, 3 } },		{ "scalar", "I64", 0, { 0 } },
		{ "halfgrown", "F4", 2, { 4, 3 } },
	};
	static const struct spec base_specs[] = {
		{ "grown", "F32", 2, { 16, 8 } },	{ "cut", "BF16", 2, { 16, 8 } },
		{ "wider", "BF16", 2, { 16, 8 } },	{ "vector", "F32", 1, { 7 } },
		{ "int", "F32", 1, { 8 } },		{ "float", "I32", 1, { 8 } },
		{ "squeezed", "F16", 3, { 1, 8, 1 } },	{ "turned", "F16", 2, { 2, 4 } },
		{ "empty", "F16", 2, { 4, 2 } },	{ "experts", "BF16", 3, { 4, 2, 3 } },
		{ "half", "F4", 2, { 4, 3 } },		{ "scalar", "I64", 1, { 1 } },
		{ "halfgrown", "F4", 2, { 2, 3 } },
	};
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, NULL);
	assert_int_equal(expect(file, "grown", DFS_MATCH_NAME, "grown")->len, 16 * 8 * 2);
	assert_int_equal(expect(file, "cut", DFS_MATCH_NAME, "cut")->len, 10 * 8 * 2);
	expect(file, "wider", DFS_MATCH_NONE, "");
	assert_int_equal(expect(file, "vector", DFS_MATCH_NAME, "vector")->len, 7 * 4);
	expect(file, "int", DFS_MATCH_NONE, "");
	expect(file, "float", DFS_MATCH_NONE, "");
	assert_int_equal(expect(file, "squeezed", DFS_MATCH_NAME, "squeezed")->len, 16);
	assert_int_equal(expect(file, "turned", DFS_MATCH_NONE, "")->len, 0);
	expect(file, "empty", DFS_MATCH_NONE, "");
	assert_int_equal(expect(file, "experts", DFS_MATCH_NAME, "experts")->len, 4 * 6 * 2);
	assert_int_equal(expect(file, "half", DFS_MATCH_NAME, "half")->len, 6);
	assert_int_equal(expect(file, "scalar", DFS_MATCH_NAME, "scalar")->len, 8);
	expect(file, "halfgrown", DFS_MATCH_NONE, ""); /* rows of a byte and a half */
	dfs_header_free(file);
	dfs_header_free(base);
}

static void wrapped_names_are_unwrapped(void **state)
{
	static const char *const pairs[][2] = {
		{ "model.language_model.layers.0.q.weight", "language_model.model.layers.0.q.weight" },
		{ "layers.1.q.weight", "model.layers.1.q.weight" },
		{ "bert.encoder.layer.0.k.bias", "encoder.layer.0.k.bias" },
		{ "base_model.model.model.norm.weight", "model.norm.weight" },
		{ "transformer.h.0.attn.weight", "h.0.attn.weight" },
		{ "module.0.auto_model.pooler.dense.weight", "pooler.dense.weight" },
	};
	struct spec file_spec = { "", "BF16", 2, { 4, 4 } }, base_spec = { "", "F32", 2, { 4, 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		for (int turned = 0; turned < 2; turned++) {
			struct dfs_header *file, *base;
			const struct dfs_header *bases;

			file_spec.name = pairs[i][turned];
			base_spec.name = pairs[i][!turned];
			file = make_header(&file_spec, 1, "");
			bases = base = make_header(&base_spec, 1, "");
			match(file, &bases, 1, NULL);
			expect(file, file_spec.name, DFS_MATCH_PREFIX, base_spec.name);
			dfs_header_free(file);
			dfs_header_free(base);
		}
	}
}

static void unlike_names_stay_apart(void **state)
{
	static const struct spec file_specs[] = {
		{ "a.weight", "F32", 2, { 4, 4 } },	/* only the last component in common */
		{ "x.norm.bias", "F32", 1, { 4 } },	/* another shape, and no matrix */
		{ "one.two.three.four.five.tail.weight", "F32", 2, { 4, 4 } }, /* too much in front */
	};
	static const struct spec base_specs[] = {
		{ "b.weight", "F32", 2, { 4, 4 } },
		{ "y.norm.bias", "F32", 1, { 5 } },
		{ "six.tail.weight", "F32", 2, { 4, 4 } },
	};
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, NULL);
	for (size_t i = 0; i < 3; i++)
		expect(file, file_specs[i].name, DFS_MATCH_NONE, "");
	dfs_header_free(file);
	dfs_header_free(base);
}

static void towers_of_like_layers_are_told_apart(void **state)
{
	static const struct spec base_specs[] = {
		{ "model.language_model.layers.0.q.weight", "F32", 2, { 4, 4 } },
		{ "model.visual.layers.0.q.weight", "F32", 2, { 4, 4 } },
		{ "audio.layers.0.k.weight", "F32", 2, { 4, 4 } },
		{ "visual.layers.0.k.weight", "F32", 2, { 4, 4 } },
		{ "audio.layers.0.v.weight", "F32", 2, { 4, 8 } },
		{ "visual.layers.0.v.weight", "F32", 2, { 4, 4 } },
		{ "text.layers.1.q.weight", "F32", 2, { 4, 4 } },
		{ "layers.2.q.weight", "F32", 2, { 4, 4 } },
	};
	static const struct spec file_specs[] = {
		{ "model.layers.0.q.weight", "F32", 2, { 4, 4 } },	/* text is what a model is by default */
		{ "layers.0.k.weight", "F32", 2, { 4, 4 } },		/* either: neither */
		{ "layers.0.v.weight", "F32", 2, { 4, 4 } },		/* the shape tells */
		{ "a.layers.1.q.weight", "F32", 2, { 4, 4 } },		/* two claim one: */
		{ "b.layers.1.q.weight", "F32", 2, { 4, 4 } },		/* neither */
		{ "model.layers.2.q.weight", "F32", 2, { 4, 4 } },	/* two claim one: the plain name */
		{ "visual.layers.2.q.weight", "F32", 2, { 4, 4 } },
	};
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, NULL);
	expect(file, "model.layers.0.q.weight", DFS_MATCH_PREFIX, base_specs[0].name);
	expect(file, "layers.0.k.weight", DFS_MATCH_NONE, "");
	expect(file, "layers.0.v.weight", DFS_MATCH_PREFIX, "visual.layers.0.v.weight");
	expect(file, "a.layers.1.q.weight", DFS_MATCH_NONE, "");
	expect(file, "b.layers.1.q.weight", DFS_MATCH_NONE, "");
	expect(file, "model.layers.2.q.weight", DFS_MATCH_PREFIX, "layers.2.q.weight");
	expect(file, "visual.layers.2.q.weight", DFS_MATCH_NONE, "");
	dfs_header_free(file);
	dfs_header_free(base);
}

static void a_taken_tensor_is_not_for_renaming(void **state)
{
	static const struct spec base_specs[] = { { "model.layers.0.q.weight", "F32", 2, { 4, 4 } } };
	static const struct spec file_specs[] = {
		{ "model.layers.0.q.weight", "F32", 2, { 4, 4 } },
		{ "draft.layers.0.q.weight", "F32", 2, { 4, 4 } },
	};
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, NULL);
	expect(file, "model.layers.0.q.weight", DFS_MATCH_NAME, "model.layers.0.q.weight");
	expect(file, "draft.layers.0.q.weight", DFS_MATCH_NONE, "");
	dfs_header_free(file);
	dfs_header_free(base);
}

/* A renamed embedding may have grown too; the whole one is better if there is a choice. */
static void renamed_and_grown(void **state)
{
	static const struct spec base_specs[] = {
		{ "model.embed.tokens.weight", "F32", 2, { 10, 4 } },
		{ "text.wide.tokens.weight", "F32", 2, { 10, 4 } },
		{ "image.wide.tokens.weight", "F32", 2, { 12, 4 } },
	};
	static const struct spec file_specs[] = {
		{ "embed.tokens.weight", "F32", 2, { 12, 4 } },
		{ "wide.tokens.weight", "F32", 2, { 12, 4 } },
	};
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, NULL);
	assert_int_equal(expect(file, "embed.tokens.weight", DFS_MATCH_PREFIX,
				"model.embed.tokens.weight")->len, 160);
	expect(file, "wide.tokens.weight", DFS_MATCH_PREFIX, "image.wide.tokens.weight");
	dfs_header_free(file);
	dfs_header_free(base);
}

/* Content by name, for the callback: tensors of one content have one fingerprint. */
struct contents {
	const char *names[16];
	uint64_t fingerprints[16];
	int asked[16];
	int unknown;
};

static int fingerprint(void *arg, uint32_t file, const struct dfs_tensor *tensor,
		       uint64_t *ret_fingerprint)
{
	struct contents *contents = arg;

	(void)file;
	for (int i = 0; contents->names[i]; i++) {
		if (strcmp(contents->names[i], tensor->name) != 0)
			continue;
		contents->asked[i]++;
		*ret_fingerprint = contents->fingerprints[i];
		return contents->fingerprints[i] ? 0 : -EIO;
	}
	contents->unknown++;
	return -EIO;
}

static void tied_and_moved_tensors_are_found_by_content(void **state)
{
	static const struct spec base_specs[] = {
		{ "embed", "BF16", 2, { 100, 64 } },
		{ "old_name", "F32", 1, { 2048 } },
		{ "other", "F32", 1, { 2048 } },
		{ "short_old", "F32", 1, { 16 } },
		{ "bad", "F32", 1, { 4096 } },
		{ "unlike", "F32", 1, { 8192 } },
	};
	static const struct spec file_specs[] = {
		{ "embed", "BF16", 2, { 110, 64 } },	/* grown, and trained */
		{ "head", "BF16", 2, { 110, 64 } },	/* tied to it */
		{ "new_name", "F32", 1, { 2048 } },
		{ "nobody", "F32", 1, { 2048 } },
		{ "short_new", "F32", 1, { 16 } },	/* too short to be read */
		{ "bad_new", "F32", 1, { 4096 } },	/* the base's cannot be read */
	};
	struct contents contents = {
		{ "embed", "head", "old_name", "new_name", "other", "nobody", "bad", "bad_new" },
		{ 7, 7, 8, 8, 9, 10, 0, 11 }, { 0 }, 0,
	};
	struct dfs_match_config config = { fingerprint, &contents };
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, &config);
	expect(file, "embed", DFS_MATCH_NAME, "embed");
	assert_int_equal(expect(file, "head", DFS_MATCH_TIED, "embed")->len, 100 * 64 * 2);
	assert_int_equal(expect(file, "new_name", DFS_MATCH_CONTENT, "old_name")->len, 8192);
	expect(file, "nobody", DFS_MATCH_NONE, "");
	expect(file, "short_new", DFS_MATCH_NONE, "");
	expect(file, "bad_new", DFS_MATCH_NONE, "");
	assert_int_equal(contents.unknown, 0); /* neither "unlike" nor the short ones were read */
	for (int i = 0; contents.names[i]; i++)
		assert_int_equal(contents.asked[i], 1);
	match(file, &bases, 1, NULL);
	expect(file, "head", DFS_MATCH_NONE, "");
	dfs_header_free(file);
	dfs_header_free(base);
}

static void equal_bytes_of_another_kind_do_not_match(void **state)
{
	static const struct spec base_specs[] = { { "x", "F16", 1, { 4096 } } };
	static const struct spec file_specs[] = {
		{ "y", "BF16", 1, { 4096 } },
		{ "z", "F16", 1, { 4097 } },
	};
	struct contents contents = { { "x", "y", "z" }, { 5, 5, 5 }, { 0 }, 0 };
	struct dfs_match_config config = { fingerprint, &contents };
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, &config);
	expect(file, "y", DFS_MATCH_NONE, "");
	expect(file, "z", DFS_MATCH_NONE, "");
	assert_int_equal(contents.asked[0], 0);
	dfs_header_free(file);
	dfs_header_free(base);
}

static void a_fingerprint_is_of_the_first_64_kib(void **state)
{
	struct dfs_tensor t = { .off = 3, .len = 70000 };
	static uint8_t bytes[70003];
	uint64_t got, changed;
	FILE *file = tmpfile();

	(void)state;
	CHECK(file);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 >> 3);
	CHECK(fwrite(bytes, 1, sizeof(bytes), file) == sizeof(bytes) && fflush(file) == 0);
	CHECK_RET(0, dfs_match_fingerprint(fileno(file), &t, &got));
	CHECK(got == dfs_hash64(bytes + 3, 65536, 0));
	CHECK(pwrite(fileno(file), "x", 1, 3 + 65536) == 1);
	CHECK_RET(0, dfs_match_fingerprint(fileno(file), &t, &changed));
	CHECK(changed == got);
	CHECK(pwrite(fileno(file), "x", 1, 3 + 65535) == 1);
	CHECK_RET(0, dfs_match_fingerprint(fileno(file), &t, &changed));
	CHECK(changed != got);
	t.len = 10;
	CHECK_RET(0, dfs_match_fingerprint(fileno(file), &t, &got));
	CHECK(got == dfs_hash64(bytes + 3, 10, 0));
	t.off = 69999;
	CHECK_RET(-EIO, dfs_match_fingerprint(fileno(file), &t, &got));
	fclose(file);
}

static void scores_compare_as_shares(void **state)
{
	static const struct dfs_match_score half = { 5, 10 }, more = { 3, 5 }, none = { 0, 7 },
					    empty = { 0, 0 }, huge = { 1ull << 62, 1ull << 63 };

	(void)state;
	CHECK(dfs_match_score_compare(half, more) < 0);
	CHECK(dfs_match_score_compare(more, half) > 0);
	CHECK(dfs_match_score_compare(half, huge) == 0);
	CHECK(dfs_match_score_compare(none, empty) == 0);
	CHECK(dfs_match_score_compare(empty, half) < 0);
}

/* Thousands of tensors, none of which keeps its name, stay a matter of milliseconds. */
static void many_renamed_tensors(void **state)
{
	enum { N = 10000 };
	struct spec *file_specs = calloc(N, sizeof(*file_specs));
	struct spec *base_specs = calloc(N, sizeof(*base_specs));
	char (*names)[64] = malloc(2 * N * sizeof(*names));
	struct dfs_header *file, *base;
	const struct dfs_header *bases;

	(void)state;
	CHECK(file_specs && base_specs && names);
	for (int i = 0; i < N; i++) {
		snprintf(names[2 * i], 64, "layers.%d.mlp.proj.weight", i);
		snprintf(names[2 * i + 1], 64, "model.layers.%d.mlp.proj.weight", N - 1 - i);
		file_specs[i] = (struct spec){ names[2 * i], "BF16", 2, { 2, 2 } };
		base_specs[i] = (struct spec){ names[2 * i + 1], "BF16", 2, { 2, 2 } };
	}
	file = make_header(file_specs, N, "");
	bases = base = make_header(base_specs, N, "");
	match(file, &bases, 1, NULL);
	for (int i = 0; i < N; i++)
		expect(file, names[2 * i], DFS_MATCH_PREFIX, names[2 * (N - 1 - i) + 1]);
	assert_int_equal(score.matched_bytes, score.total_bytes);
	dfs_header_free(file);
	dfs_header_free(base);
	free(names);
	free(file_specs);
	free(base_specs);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(names_are_found_in_any_shard),
	cmocka_unit_test(no_base_and_no_tensors_match_nothing),
	cmocka_unit_test(dtype_and_shape_must_allow_it),
	cmocka_unit_test(wrapped_names_are_unwrapped),
	cmocka_unit_test(unlike_names_stay_apart),
	cmocka_unit_test(towers_of_like_layers_are_told_apart),
	cmocka_unit_test(a_taken_tensor_is_not_for_renaming),
	cmocka_unit_test(renamed_and_grown),
	cmocka_unit_test(tied_and_moved_tensors_are_found_by_content),
	cmocka_unit_test(equal_bytes_of_another_kind_do_not_match),
	cmocka_unit_test(a_fingerprint_is_of_the_first_64_kib),
	cmocka_unit_test(scores_compare_as_shares),
	cmocka_unit_test(many_renamed_tensors),
};

CHECK_MAIN(cases)
