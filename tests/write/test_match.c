/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which base tensor each tensor gets: by its name, and by what it holds. */
#include "matched.h"

#include <errno.h>
#include <unistd.h>

#include "util/hash.h"

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

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(names_are_found_in_any_shard),
	cmocka_unit_test(no_base_and_no_tensors_match_nothing),
	cmocka_unit_test(dtype_and_shape_must_allow_it),
	cmocka_unit_test(tied_and_moved_tensors_are_found_by_content),
	cmocka_unit_test(equal_bytes_of_another_kind_do_not_match),
	cmocka_unit_test(a_fingerprint_is_of_the_first_64_kib),
	cmocka_unit_test(scores_compare_as_shares),
};

CHECK_MAIN(cases)
