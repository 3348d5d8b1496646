/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * headers: headers made from a list of tensors, for tests that need no file.
 *
 *	static const struct spec specs[] = {
 *		{ "a.weight", "BF16", 2, { 16, 8 } },
 *	};
 *	struct dfs_header *h = make_header(specs, 1, "");
 *
 * The tensors lie in the file in the order of the list.
 */
#ifndef DFS_TESTS_HEADERS_H
#define DFS_TESTS_HEADERS_H

#include "../check.h"

#include <stdlib.h>

#include "tensor/safetensors.h"
#include "util/bytes.h"

struct spec {
	const char *name;
	const char *dtype;
	int rank;
	uint64_t shape[4];
};

static inline uint64_t spec_len(const struct spec *spec)
{
	int dtype = dfs_dtype_parse(spec->dtype, strlen(spec->dtype));
	uint64_t n = 1;

	CHECK(dtype > 0);
	for (int i = 0; i < spec->rank; i++)
		n *= spec->shape[i];
	return n * dfs_dtype_info((unsigned)dtype)->bits / 8;
}

static inline char *put_spec(char *p, const struct spec *spec, uint64_t off)
{
	p += sprintf(p, "\"%s\":{\"dtype\":\"%s\",\"shape\":[", spec->name, spec->dtype);
	for (int i = 0; i < spec->rank; i++)
		p += sprintf(p, "%s%llu", i ? "," : "", (unsigned long long)spec->shape[i]);
	return p + sprintf(p, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)off,
			   (unsigned long long)(off + spec_len(spec)));
}

/* @padding: appended to the JSON, so that the data lies where a test wants it */
static inline struct dfs_header *make_header(const struct spec *specs, size_t n, const char *padding)
{
	char *bytes = malloc(64 + strlen(padding) + n * 256), *p = bytes + 8;
	struct dfs_header *header = NULL;
	struct dfs_err err = { "" };
	uint64_t off = 0;

	CHECK(bytes);
	*p++ = '{';
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			*p++ = ',';
		p = put_spec(p, &specs[i], off);
		off += spec_len(&specs[i]);
	}
	*p++ = '}';
	p = stpcpy(p, padding);
	dfs_put_u64le(bytes, (uint64_t)(p - bytes) - 8);
	CHECK_OK(dfs_header_parse(bytes, (size_t)(p - bytes), (uint64_t)(p - bytes) + off, &header,
				  &err), err);
	free(bytes);
	return header;
}

#define MAKE(specs) make_header(specs, sizeof(specs) / sizeof((specs)[0]), "")

#endif
