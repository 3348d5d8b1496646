/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parsing: a file written as its JSON and the length of its data, for tests of
 * headers. What is REFUSED here is a file that deltafs takes as opaque bytes.
 */
#ifndef DFS_TESTS_PARSING_H
#define DFS_TESTS_PARSING_H

#include "../check.h"

#include <errno.h>
#include <stdlib.h>

#include "tensor/safetensors.h"
#include "util/bytes.h"

static struct dfs_header *header;
static struct dfs_err err;

/* Parses a file of @json_len bytes of JSON that says it is @n long, and @data_len bytes of data. */
static inline int parse_as(const char *json, size_t json_len, uint64_t n, uint64_t data_len)
{
	uint8_t *file = malloc(8 + json_len);
	int ret;

	CHECK(file);
	dfs_header_free(header);
	header = NULL;
	err.text[0] = '\0';
	dfs_put_u64le(file, n);
	memcpy(file + 8, json, json_len);
	ret = dfs_header_parse(file, 8 + json_len, 8 + json_len + data_len, &header, &err);
	CHECK((ret == 0) == (header != NULL));
	CHECK((ret == 0) == (err.text[0] == '\0'));
	free(file);
	return ret;
}

static inline int parse(const char *json, uint64_t data_len)
{
	return parse_as(json, strlen(json), strlen(json), data_len);
}

#define TAKEN(json, data_len) CHECK_OK(parse(json, data_len), err)
#define REFUSED(json, data_len) CHECK_RET(-EINVAL, parse(json, data_len))

static int drop_header(void **state)
{
	(void)state;
	dfs_header_free(header);
	header = NULL;
	return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, NULL, drop_header)

#endif
