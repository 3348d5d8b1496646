/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_err: sentences grow from the inside out and never past their buffer. */
#include "util/err.h"

#include <errno.h>

#include "../check.h"

static void failure_has_a_code_and_a_sentence(void **state)
{
	struct dfs_err err = { "" };

	(void)state;
	CHECK_RET(-EUCLEAN, dfs_fail(&err, EUCLEAN, "chunk %d is odd", 7));
	assert_string_equal(err.text, "chunk 7 is odd");
}

static void subjects_are_put_in_front(void **state)
{
	struct dfs_err err;
	int ret = dfs_fail(&err, EBADMSG, "hash does not match");

	(void)state;
	ret = dfs_err_at(&err, ret, "chunk %d", 7);
	ret = dfs_err_at(&err, ret, "%s", "a.safetensors");
	CHECK_RET(-EBADMSG, ret);
	assert_string_equal(err.text, "a.safetensors: chunk 7: hash does not match");
}

static void nobody_needs_the_sentence(void **state)
{
	(void)state;
	CHECK_RET(-ENOMEM, dfs_fail(NULL, ENOMEM, "x"));
	CHECK_RET(-EIO, dfs_err_at(NULL, -EIO, "x"));
	errno = ENOSPC;
	CHECK_RET(-ENOSPC, dfs_fail_errno(NULL, "x"));
}

static void system_call_is_explained(void **state)
{
	struct dfs_err err;

	(void)state;
	errno = ENOENT;
	CHECK_RET(-ENOENT, dfs_fail_errno(&err, "open %s", "x"));
	assert_string_equal(err.text, "open x: No such file or directory");
	errno = 0; /* the caller's mistake must not become success */
	CHECK_RET(-EIO, dfs_fail_errno(&err, "open x"));
}

static void long_text_loses_its_end(void **state)
{
	struct dfs_err err;
	char big[3000];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	dfs_fail(&err, EIO, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	dfs_err_at(&err, -EIO, "subject");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	CHECK(!strncmp(err.text, "subject: aaa", 12));
	dfs_err_at(&err, -EIO, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	errno = EIO;
	dfs_fail_errno(&err, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(failure_has_a_code_and_a_sentence),
	cmocka_unit_test(subjects_are_put_in_front),
	cmocka_unit_test(nobody_needs_the_sentence),
	cmocka_unit_test(system_call_is_explained),
	cmocka_unit_test(long_text_loses_its_end),
};

CHECK_MAIN(cases)
