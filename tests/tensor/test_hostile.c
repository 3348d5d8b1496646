/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers made to cost time or memory, cut short, or changed a byte at a time; and headers of files. */
#include "parsing.h"

#include <unistd.h>

/* @n times @text, between @before and @after. Return: malloced. */
static char *repeated(const char *before, const char *text, size_t n, const char *after)
{
	char *out = malloc(strlen(before) + n * strlen(text) + strlen(after) + 1), *p = out;

	CHECK(out);
	p = stpcpy(p, before);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, text);
	stpcpy(p, after);
	return out;
}

static void check_repeated(int want, const char *before, const char *text, size_t n,
			   const char *after)
{
	char *json = repeated(before, text, n, after);

	CHECK_RET(want, parse(json, 0));
	free(json);
}

static void costly_headers_are_not_parsed(void **state)
{
	(void)state;
	check_repeated(-E2BIG, "", "[", 200000, "");
	check_repeated(-E2BIG, "", "{\"a\":", 200000, "");
	check_repeated(-E2BIG, "{\"t\":", "[", 8, "");
	check_repeated(-EINVAL, "{\"t\":", "[", 7, "]]]]]]]}");
	check_repeated(-E2BIG, "[", "0,", 2000000, "0]");
	check_repeated(-E2BIG, "{\"t\":{\"shape\":[", "[],", 1000001, "[]]}}");
	check_repeated(-E2BIG, "{", "\"a\":1,", 500001, "\"a\":1}");
	check_repeated(-E2BIG, "{\"", "n", 65537, "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
	check_repeated(0, "{\"", "n", 65536, "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
	/* Training notes do get long, and brackets in strings nest nothing. */
	check_repeated(0, "{\"__metadata__\":{\"notes\":\"", "[{:,\\\"", 100000, "\"}}");
	/* An escape that hides the closing quote, up to the very end. */
	check_repeated(-EINVAL, "{\"", "\\\\", 1000, "\\\"");
	check_repeated(-EINVAL, "{\"", "\\\\", 1000, "\\");
	check_repeated(-EINVAL, "", " ", 1000000, "");
}

/* @n empty tensors, named by number */
static char *many_tensors(size_t n)
{
	char *json = NULL;
	size_t len;
	FILE *out = open_memstream(&json, &len);

	CHECK(out);
	fputc('{', out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "\"model.layers.%06zu.weight\":{\"dtype\":\"BF16\","
			"\"shape\":[0,4096],\"data_offsets\":[0,0]},", n - i);
	fputs("\"__metadata__\":{}}", out);
	CHECK(fclose(out) == 0);
	return json;
}

static void the_number_of_tensors_is_bounded(void **state)
{
	static const size_t counts[] = { 100000, 100001, 300000 };
	char *json;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		json = many_tensors(counts[i]);
		CHECK_RET(counts[i] <= 100000 ? 0 : -E2BIG, parse(json, 0));
		free(json);
	}
	json = many_tensors(10000);
	TAKEN(json, 0);
	assert_int_equal(header->n_tensors, 10000);
	for (size_t i = 1; i <= 10000; i++) {
		char name[64];

		snprintf(name, sizeof(name), "model.layers.%06zu.weight", i);
		assert_string_equal(dfs_header_find(header, name)->name, name);
		assert_string_equal(header->tensors[i - 1].name, name);
	}
	free(json);
}

/* A valid header cut anywhere, with the length fixed up and not, is refused. */
static void every_truncation_is_refused(void **state)
{
	static const char json[] = "{\"__metadata__\":{\"a\":\"b\"},\"t\":{\"dtype\":\"F32\",\"shape\":[1,2],"
				   "\"data_offsets\":[0,8]}}";

	(void)state;
	TAKEN(json, 8);
	for (size_t cut = 0; cut < sizeof(json) - 1; cut++) {
		CHECK_RET(-EINVAL, parse_as(json, cut, cut, 8));
		CHECK_RET(-EINVAL, parse_as(json, cut, sizeof(json) - 1, 8));
	}
}

/* Whatever byte is set to whatever value: taken or refused, but tensors tile the data. */
static void every_changed_byte_leaves_the_rules_in_force(void **state)
{
	char json[] = "{\"b\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[8,12]},"
		      "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";

	(void)state;
	for (size_t i = 0; i < sizeof(json) - 1; i++) {
		char was = json[i];

		for (int c = 0; c < 256; c++) {
			uint64_t pos;

			json[i] = (char)c;
			if (parse_as(json, sizeof(json) - 1, sizeof(json) - 1, 12) != 0)
				continue;
			pos = header->data_off;
			for (size_t t = 0; t < header->n_tensors; t++) {
				assert_int_equal(header->tensors[t].off, pos);
				pos += header->tensors[t].len;
			}
			assert_int_equal(pos, header->file_len);
		}
		json[i] = was;
	}
}

/* dfs_header_load() on a file of these bytes. */
static int load(const void *bytes, size_t len, uint64_t file_len)
{
	FILE *file = tmpfile();
	int ret;

	CHECK(file);
	CHECK(fwrite(bytes, 1, len, file) == len);
	CHECK(fflush(file) == 0 && ftruncate(fileno(file), (off_t)file_len) == 0);
	dfs_header_free(header);
	header = NULL;
	ret = dfs_header_load(fileno(file), &header, &err);
	fclose(file);
	return ret;
}

static void a_file_is_loaded(void **state)
{
	static const char json[] = "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
	uint8_t bytes[8 + sizeof(json)];
	size_t n = sizeof(json) - 1;

	(void)state;
	dfs_put_u64le(bytes, n);
	memcpy(bytes + 8, json, n);
	CHECK_OK(load(bytes, 8 + n, 8 + n + 8), err);
	assert_int_equal(header->file_len, 8 + n + 8);
	assert_int_equal(dfs_header_find(header, "t")->off, 8 + n);
	CHECK_RET(-EINVAL, load(bytes, 8 + n, 8 + n + 7));
	CHECK_RET(-EINVAL, load(bytes, 8, 8));
	CHECK_RET(-EINVAL, load(bytes, 7, 7));
	CHECK_RET(-EINVAL, load(bytes, 0, 0));
	dfs_put_u64le(bytes, 40 << 20);
	CHECK_RET(-E2BIG, load(bytes, 8, 50 << 20));
	dfs_put_u64le(bytes, 30 << 20); /* zeros are no JSON */
	CHECK_RET(-EINVAL, load(bytes, 8, 50 << 20));
	CHECK_RET(-EBADF, dfs_header_load(-1, &header, &err));
}

static const struct CMUnitTest cases[] = {
	CASE(costly_headers_are_not_parsed),
	CASE(the_number_of_tensors_is_bounded),
	CASE(every_truncation_is_refused),
	CASE(every_changed_byte_leaves_the_rules_in_force),
	CASE(a_file_is_loaded),
};

CHECK_MAIN(cases)
