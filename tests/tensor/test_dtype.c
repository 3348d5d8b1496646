/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dtype table against a list of its own. */
#include "../check.h"

#include <errno.h>

#include "tensor/dtype.h"

/* On-disk number, header's word, bits an element, and the unit with exponent and mantissa. */
static const struct {
	unsigned number;
	const char *name;
	unsigned bits, size, exponent, mantissa;
} words[] = {
	{ 1, "BOOL", 8, 1, 0, 0 },	   { 2, "F4", 4, 1, 0, 0 },
	{ 3, "F6_E2M3", 6, 1, 0, 0 },	   { 4, "F6_E3M2", 6, 1, 0, 0 },
	{ 5, "U8", 8, 1, 0, 0 },	   { 6, "I8", 8, 1, 0, 0 },
	{ 7, "F8_E5M2", 8, 1, 5, 2 },	   { 8, "F8_E4M3", 8, 1, 4, 3 },
	{ 9, "F8_E8M0", 8, 1, 0, 0 },	   { 10, "F8_E4M3FNUZ", 8, 1, 4, 3 },
	{ 11, "F8_E5M2FNUZ", 8, 1, 5, 2 }, { 12, "I16", 16, 2, 0, 0 },
	{ 13, "U16", 16, 2, 0, 0 },	   { 14, "F16", 16, 2, 5, 10 },
	{ 15, "BF16", 16, 2, 8, 7 },	   { 16, "I32", 32, 4, 0, 0 },
	{ 17, "U32", 32, 4, 0, 0 },	   { 18, "F32", 32, 4, 8, 23 },
	{ 19, "C64", 64, 4, 8, 23 },	   { 20, "F64", 64, 8, 11, 52 },
	{ 21, "I64", 64, 8, 0, 0 },	   { 22, "U64", 64, 8, 0, 0 },
};

static void numbers_and_layouts_are_the_formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct dfs_dtype_info *info = dfs_dtype_info(words[i].number);

		assert_string_equal(info->name, words[i].name);
		assert_int_equal(info->bits, words[i].bits);
		assert_int_equal(info->size, words[i].size);
		assert_int_equal(info->exponent, words[i].exponent);
		assert_int_equal(info->mantissa, words[i].mantissa);
		assert_int_equal(info->is_float, words[i].exponent > 0);
		if (info->is_float)
			assert_int_equal(1 + info->exponent + info->mantissa, 8 * info->size);
		assert_int_equal(dfs_dtype_parse(words[i].name, strlen(words[i].name)),
				 words[i].number);
	}
	assert_int_equal(DFS_DTYPES, 23);
	CHECK(dfs_dtype_info(DFS_DTYPES) == NULL);
	CHECK(dfs_dtype_info(255) == NULL);
	assert_int_equal(dfs_dtype_info(DFS_BYTES)->size, 1);
}

static void other_words_are_refused(void **state)
{
	static const char *const others[] = { "", "bf16", "BF1", "BF160", "F9", "bytes", "BYTES", "F32 " };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK_RET(-EINVAL, dfs_dtype_parse(others[i], strlen(others[i])));
	CHECK_RET(-EINVAL, dfs_dtype_parse("F32\0", 4));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(numbers_and_layouts_are_the_formats),
	cmocka_unit_test(other_words_are_refused),
};

CHECK_MAIN(cases)
