/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * safetensors: a header from its bytes, and what is asked of it later.
 *
 * The steps are in internal.h; here they are put together, and the finished
 * header answers by name (binary search in pointers ordered by name) and by
 * place (binary search in the tensors themselves).
 */
#include "tensor/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tensor/internal.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/io.h"

#define PREFIX 8 /* bytes of the length */
#define REFERENCE_HEADER_MAX 100000000u

DFS_AUTO_KIND(header, struct dfs_header *, dfs_header_free(*p));

static int check_length(uint64_t n, uint64_t file_len, struct dfs_err *err)
{
	if (n > REFERENCE_HEADER_MAX)
		return dfs_fail(err, EINVAL, "header length %llu", (unsigned long long)n);
	if (n > file_len - PREFIX)
		return dfs_fail(err, EINVAL, "header of %llu bytes in a file of %llu",
				(unsigned long long)n, (unsigned long long)file_len);
	if (n > DFS_HEADER_MAX)
		return dfs_fail(err, E2BIG, "header of %llu bytes", (unsigned long long)n);
	return 0;
}

static int name_order(const void *a, const void *b)
{
	const struct dfs_tensor *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int index_names(struct dfs_header *header, struct dfs_err *err)
{
	const struct dfs_tensor **by_name;

	by_name = malloc((header->n_tensors + 1) * sizeof(*by_name));
	if (!by_name)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < header->n_tensors; i++)
		by_name[i] = &header->tensors[i];
	qsort(by_name, header->n_tensors, sizeof(*by_name), name_order);
	header->by_name = by_name;
	return 0;
}

/* @json: the @n bytes after the length */
static int header_make(const char *json, uint64_t n, uint64_t file_len,
		       struct dfs_header **ret_header, struct dfs_err *err)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	int ret;

	ret = dfs_header_scan(json, n, err);
	if (ret < 0)
		return ret;
	header = calloc(1, sizeof(*header));
	if (!header)
		return dfs_fail(err, ENOMEM, "out of memory");
	header->data_off = PREFIX + n;
	header->file_len = file_len;
	ret = dfs_header_read_json(json, n, header, err);
	if (ret < 0)
		return ret;
	ret = dfs_header_settle(header, err);
	if (ret < 0)
		return ret;
	ret = index_names(header, err);
	if (ret < 0)
		return ret;
	*ret_header = dfs_steal(&header);
	return 0;
}

int dfs_header_parse(const void *bytes, size_t len, uint64_t file_len,
		     struct dfs_header **ret_header, struct dfs_err *err)
{
	uint64_t n;
	int ret;

	if (len < PREFIX || file_len < PREFIX)
		return dfs_fail(err, EINVAL, "too short for a header");
	n = dfs_get_u64le(bytes);
	ret = check_length(n, file_len, err);
	if (ret < 0)
		return ret;
	if (n > len - PREFIX)
		return dfs_fail(err, EINVAL, "only %zu bytes of a header of %llu", len - PREFIX,
				(unsigned long long)n);
	return header_make((const char *)bytes + PREFIX, n, file_len, ret_header, err);
}

int dfs_header_load(int fd, struct dfs_header **ret_header, struct dfs_err *err)
{
	DFS_AUTO(mem) char *json = NULL;
	uint8_t prefix[PREFIX];
	struct stat st;
	uint64_t n;
	int ret;

	if (fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "fstat");
	if (st.st_size < PREFIX)
		return dfs_fail(err, EINVAL, "too short for a header");
	ret = dfs_pread_all(fd, prefix, sizeof(prefix), 0);
	if (ret < 0)
		return dfs_fail(err, -ret, "read of the header: %s", strerror(-ret));
	n = dfs_get_u64le(prefix);
	ret = check_length(n, (uint64_t)st.st_size, err);
	if (ret < 0)
		return ret;
	json = malloc(n + 1);
	if (!json)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_pread_all(fd, json, n, PREFIX);
	if (ret < 0)
		return dfs_fail(err, -ret, "read of the header: %s", strerror(-ret));
	return header_make(json, n, (uint64_t)st.st_size, ret_header, err);
}

void dfs_header_free(struct dfs_header *header)
{
	if (!header)
		return;
	json_decref(header->json);
	free(header->by_name);
	free(header->names);
	free(header->tensors);
	free(header);
}

const struct dfs_tensor *dfs_header_find(const struct dfs_header *header, const char *name)
{
	const struct dfs_tensor key = { .name = name }, *key_ptr = &key;
	const struct dfs_tensor **found;

	found = bsearch(&key_ptr, header->by_name, header->n_tensors, sizeof(*found), name_order);
	return found ? *found : NULL;
}

const struct dfs_tensor *dfs_header_at(const struct dfs_header *header, uint64_t off)
{
	size_t low = 0, high = header->n_tensors;
	const struct dfs_tensor *t;

	/* The last tensor that begins at or before @off: what follows low begins after it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (header->tensors[middle].off <= off)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	t = &header->tensors[low - 1];
	return off - t->off < t->len ? t : NULL;
}

const char *dfs_header_metadata(const struct dfs_header *header, const char *key)
{
	return json_string_value(json_object_get(header->json, key));
}

uint64_t dfs_tensor_cols(const struct dfs_tensor *tensor)
{
	return tensor->rank < 2 ? 0 : tensor->shape[tensor->rank - 1];
}
