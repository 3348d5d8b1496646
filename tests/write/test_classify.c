/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classify, spec, nearest: small decisions about words and first bytes. */
#include "files.h"

#include "util/nearest.h"
#include "write/classify.h"
#include "write/spec.h"

static void unfinished_files_are_known_by_their_names(void **state)
{
	static const char *const unfinished[] = {
		"abc.incomplete", "model.safetensors.part", ".tmpAbC123", ".model.safetensors.x7Gh2K",
		"model.safetensors.aria2", "x.crdownload", ".tmp012345",
	};
	static const char *const finished[] = {
		"model.safetensors", "incomplete", ".hidden", "0123abcd", "a.b.c.def", "part", ".tmp", ".tmp12345",
		"model.x7Gh2K", ".model.toolong1",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(unfinished) / sizeof(*unfinished); i++)
		CHECK(dfs_classify_name(unfinished[i]));
	for (size_t i = 0; i < sizeof(finished) / sizeof(*finished); i++)
		CHECK(!dfs_classify_name(finished[i]));
}

static void what_is_no_model_has_a_reason_and_no_error(void **state)
{
	struct dfs_header *header = NULL;
	struct dfs_err why = { "" }, err = { "" };
	int fd = files_memory("text");
	(void)state;

	files_append(fd, "just some text, longer than eight bytes", 39);
	CHECK_OK(dfs_classify(fd, &header, &why, &err), err);
	CHECK(!header && why.text[0]);
	close(fd);
	fd = files_model(10, 10, files_weight, 1);
	CHECK_OK(dfs_classify(fd, &header, &why, &err), err);
	CHECK(header && header->n_tensors == 1);
	dfs_header_free(header);
	close(fd);
	/* Not to be read at all is an error. */
	CHECK(dfs_classify(-1, &header, &why, &err) < 0);
	CHECK(!header);
}

static void specs_are_checked_and_near_words_named(void **state)
{
	struct dfs_err err = { "" };
	(void)state;

	CHECK_RET(0, dfs_spec_check(NULL, &err));
	CHECK_RET(0, dfs_spec_check("exact", &err));
	CHECK_RET(-EINVAL, dfs_spec_check("exatc", &err));
	CHECK(strstr(err.text, "\"exact\""));
	CHECK_RET(-EINVAL, dfs_spec_check("bit-delta", &err));
	CHECK(strstr(err.text, "\"bitdelta\""));
	CHECK_RET(-EINVAL, dfs_spec_check("", &err));
	CHECK_RET(-EINVAL, dfs_spec_check("a-word-that-is-much-longer-than-any-codec-is-called", &err));
	CHECK_RET(-EINVAL, dfs_spec_check("exact:fast", &err));
	CHECK_RET(-EINVAL, dfs_spec_check("delta-come:ratio=1", &err));
	CHECK(strstr(err.text, "ratio"));
	CHECK_RET(-ENOTSUP, dfs_spec_check("diff", &err));
}

static void the_nearest_word_is_near(void **state)
{
	static const char *const words[] = { "encode", NULL, "decode", "estimate", "export" };
	(void)state;

	CHECK(!strcmp(dfs_nearest("encod", words, 5), "encode"));
	CHECK(!strcmp(dfs_nearest("edcode", words, 5), "encode"));
	CHECK(!strcmp(dfs_nearest("dceode", words, 5), "decode"));
	CHECK(!strcmp(dfs_nearest("exprot", words, 5), "export"));
	CHECK(!dfs_nearest("zzzz", words, 5));
	CHECK(!dfs_nearest("", words, 5));
	CHECK(!dfs_nearest("encode", words, 0));
	CHECK(!dfs_nearest("encodeencodeencodeencodeencodeencodeencodeencodeencodeencodeencode", words, 5));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(unfinished_files_are_known_by_their_names),
	cmocka_unit_test(what_is_no_model_has_a_reason_and_no_error),
	cmocka_unit_test(specs_are_checked_and_near_words_named),
	cmocka_unit_test(the_nearest_word_is_near),
};

CHECK_MAIN(cases)
