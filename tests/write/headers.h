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

static inline void put_spec(FILE *out, const struct spec *spec, uint64_t off)
{
	fprintf(out, "\"%s\":{\"dtype\":\"%s\",\"shape\":[", spec->name, spec->dtype);
	for (int i = 0; i < spec->rank; i++)
		fprintf(out, "%s%llu", i ? "," : "", (unsigned long long)spec->shape[i]);
	fprintf(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)off,
		(unsigned long long)(off + spec_len(spec)));
}

/* @padding: appended to the JSON, so that the data lies where a test wants it */
static inline struct dfs_header *make_header(const struct spec *specs, size_t n, const char *padding)
{
	struct dfs_header *header = NULL;
	struct dfs_err err = { "" };
	char *bytes = NULL;
	uint64_t off = 0;
	size_t len;
	FILE *out = open_memstream(&bytes, &len);

	CHECK(out);
	fputs("<length>{", out);
	for (size_t i = 0; i < n; i++) {
		fputs(i > 0 ? "," : "", out);
		put_spec(out, &specs[i], off);
		off += spec_len(&specs[i]);
	}
	fprintf(out, "}%s", padding);
	CHECK(fclose(out) == 0);
	dfs_put_u64le(bytes, len - 8);
	CHECK_OK(dfs_header_parse(bytes, len, len + off, &header, &err), err);
	free(bytes);
	return header;
}

#define MAKE(specs) make_header(specs, sizeof(specs) / sizeof((specs)[0]), "")

#endif
