/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_origin: hints from paths, model cards and configurations; nonsense gives none. */
#include "given.h"
#include "store/origin.h"

static void check(const char *path, const char *repository, const char *commit,
		  const char *made_from)
{
	struct dfs_origin origin;

	dfs_origin_find(path, &origin);
	assert_string_equal(origin.repository, repository);
	assert_string_equal(origin.commit, commit);
	assert_string_equal(origin.made_from, made_from);
}

static void a_hub_path_names_repository_and_commit(void **state)
{
	(void)state;
	check("/h/models--org--name/snapshots/abc123/model.safetensors", "org/name", "abc123", "");
	check("models--org--name/snapshots/abc123", "org/name", "abc123", "");
	check("/h/models--gpt2/snapshots/abc/x", "gpt2", "abc", "");
	check("/h/models--org--name--x/snapshots/abc/x", "org/name--x", "abc", "");
	check("/h/models--org--name/blobs/abc", "", "", "");
	check("/h/my-models--org--name/snapshots/abc/x", "", "", "");
	check("/h/models--/snapshots/abc/x", "", "", "");
	check("/h/models--org--na\nme/snapshots/abc/x", "", "", "");
}

static void a_model_card_tells_what_it_was_made_from(void **state)
{
	static const struct {
		const char *card, *made_from;
	} cards[] = {
		{ "---\nlicense: mit\nbase_model: org/base\n---\ntext", "org/base" },
		{ "---\nbase_model: \"org/base\"\n---\n", "org/base" },
		{ "---\nbase_model:\n- org/base\n- org/second\n---\n", "org/base" },
		{ "---\nbase_model: [org/base, org/second]\n---\n", "org/base" },
		{ "---\nlicense: mit\n---\nbase_model: org/base\n", "" },
		{ "base_model: org/base\n", "" },
		{ "---\nbase_model: org/base\n", "" }, /* never closed */
		{ "---\nbase_model:\n---\n", "" },
		{ "", "" },
	};

	(void)state;
	put_model("m/model.safetensors", 1, 10);
	for (size_t i = 0; i < sizeof(cards) / sizeof(*cards); i++) {
		put_text("m/README.md", cards[i].card);
		check("m/model.safetensors", "", "", cards[i].made_from);
		check("m", "", "", cards[i].made_from);
	}
}

static void a_configuration_tells_it_else(void **state)
{
	(void)state;
	put_model("m/model.safetensors", 1, 10);
	put_text("m/config.json", "{\"_name_or_path\": \"org/base\"}");
	check("m", "", "", "org/base");
	put_text("m/adapter_config.json", "{\"base_model_name_or_path\": \"org/other\"}");
	check("m", "", "", "org/other");
	put_text("m/README.md", "---\nbase_model: org/card\n---\n");
	check("m/model.safetensors", "", "", "org/card");
}

static void hostile_papers_give_nothing(void **state)
{
	static const char *const texts[] = { "", "[", "[]", "{\"_name_or_path\": 7}",
					     "{\"_name_or_path\": \"a\\u0007b\"}" };

	(void)state;
	put_model("m/model.safetensors", 1, 10);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		put_text("m/config.json", texts[i]);
		check("m", "", "", "");
	}
	CHECK(mkfifo("m/README.md", 0600) == 0);
	alarm(5);
	check("m", "", "", "");
	alarm(0);
	check("nothing/at/all", "", "", "");
}

static const struct CMUnitTest cases[] = {
	CASE(a_hub_path_names_repository_and_commit),
	CASE(a_model_card_tells_what_it_was_made_from),
	CASE(a_configuration_tells_it_else),
	CASE(hostile_papers_give_nothing),
};

CHECK_MAIN(cases)
