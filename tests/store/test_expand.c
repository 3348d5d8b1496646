/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_expand: files, indices and directories of shards; hostile indices. */
#include "given.h"
#include "store/expand.h"

static const char index_text[] =
	"{\"metadata\":{},\"weight_map\":{\"b\":\"s-2.safetensors\",\"a\":\"s-1.safetensors\",\"c\":\"s-2.safetensors\"}}";

static void check(const char *path, const char *expected)
{
	DFS_AUTO(paths) struct dfs_paths paths = { 0 };
	struct dfs_err err = { "" };
	char all[512] = "";

	CHECK_OK(dfs_paths_expand(path, &paths, &err), err);
	for (size_t i = 0; i < paths.n; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", paths.paths[i]);
	assert_string_equal(all, expected);
}

static void a_file_is_itself(void **state)
{
	(void)state;
	put_model("m.safetensors", 1, 10);
	check("m.safetensors", "m.safetensors ");
	check("./m.safetensors", "./m.safetensors ");
}

static void an_index_names_its_shards_once_each(void **state)
{
	(void)state;
	make_dirs("d/x");
	put_text("d/model.safetensors.index.json", index_text);
	check("d/model.safetensors.index.json", "d/s-1.safetensors d/s-2.safetensors ");
	CHECK(chdir("d") == 0);
	check("model.safetensors.index.json", "./s-1.safetensors ./s-2.safetensors ");
}

static void a_directory_goes_by_its_index_else_by_its_files(void **state)
{
	(void)state;
	put_model("d/one.safetensors", 1, 10);
	put_model("d/two.safetensors", 1, 10);
	put_text("d/.hidden.safetensors", "");
	put_text("d/three.bin", "");
	check("d", "d/one.safetensors d/two.safetensors ");
	put_text("d/weights.index.json", index_text);
	check("d", "d/s-1.safetensors d/s-2.safetensors ");
	put_text("d/other.index.json", "{\"weight_map\":{\"a\":\"o.safetensors\"}}");
	check("d", "d/one.safetensors d/two.safetensors ");
	put_text("d/model.safetensors.index.json", "{\"weight_map\":{\"a\":\"m.safetensors\"}}");
	check("d", "d/m.safetensors ");
}

static void hostile_indices_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"weight_map\":7}",
		"{\"weight_map\":{}}",
		"{\"weight_map\":{\"a\":7}}",
		"{\"weight_map\":{\"a\":\"\"}}",
		"{\"weight_map\":{\"a\":\"../../etc/shadow\"}}",
		"{\"weight_map\":{\"a\":\"/etc/shadow\"}}",
		"{\"weight_map\":{\"a\":\"..\"}}",
		"{\"weight_map\":{\"a\":\"x\"},\"weight_map\":{\"a\":\"y\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct dfs_paths paths = { 0 };
		struct dfs_err err = { "" };

		put_text("m.index.json", texts[i]);
		CHECK_RET(-EUCLEAN, dfs_paths_expand("m.index.json", &paths, &err));
		CHECK_SAYS(err, "m.index.json");
		CHECK(paths.n == 0);
	}
}

static void nothing_there_is_told(void **state)
{
	struct dfs_paths paths = { 0 };
	struct dfs_err err = { "" };

	(void)state;
	CHECK_RET(-ENOENT, dfs_paths_expand("nothing", &paths, &err));
	mkdir("d", 0755);
	CHECK_RET(-ENOENT, dfs_paths_expand("d", &paths, &err));
	CHECK_SAYS(err, "no .safetensors file");
}

static void an_index_that_is_a_fifo_does_not_hang(void **state)
{
	struct dfs_paths paths = { 0 };

	(void)state;
	CHECK(mkfifo("m.index.json", 0600) == 0);
	alarm(5);
	CHECK(dfs_paths_expand("m.index.json", &paths, NULL) < 0);
	alarm(0);
}

static const struct CMUnitTest cases[] = {
	CASE(a_file_is_itself),
	CASE(an_index_names_its_shards_once_each),
	CASE(a_directory_goes_by_its_index_else_by_its_files),
	CASE(hostile_indices_are_refused),
	CASE(nothing_there_is_told),
	CASE(an_index_that_is_a_fifo_does_not_hang),
};

CHECK_MAIN(cases)
