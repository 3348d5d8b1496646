/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * safetensors_check: the rules that make a header true of its file.
 *
 * Ordered by place, the tensors must begin where the data begins, each touch
 * the one before, and end where the file ends; and each must be as long as
 * its shape and dtype say, in whole bytes. Then no two tensors share a byte
 * and none is anybody's guess, so that segments made from them tile the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/internal.h"

static int by_place(const void *a, const void *b)
{
	const struct dfs_tensor *x = a, *y = b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int check_size(const struct dfs_tensor *t, struct dfs_err *err)
{
	uint64_t n = 1, bits;

	/* The product fits: read_shape() has made it once. */
	for (unsigned i = 0; i < t->rank; i++)
		n *= t->shape[i];
	if (__builtin_mul_overflow(n, dfs_dtype_info(t->dtype)->bits, &bits))
		return dfs_fail(err, EINVAL, "tensor \"%.200s\": size overflows", t->name);
	if (bits % 8 != 0)
		return dfs_fail(err, EINVAL, "tensor \"%.200s\": no whole number of bytes", t->name);
	if (bits / 8 != t->len)
		return dfs_fail(err, EINVAL, "tensor \"%.200s\": %llu bytes, shape and dtype want %llu",
				t->name, (unsigned long long)t->len, (unsigned long long)(bits / 8));
	return 0;
}

int dfs_header_settle(struct dfs_header *header, struct dfs_err *err)
{
	uint64_t data_len = header->file_len - header->data_off;
	uint64_t pos = 0;

	qsort(header->tensors, header->n_tensors, sizeof(*header->tensors), by_place);
	for (size_t i = 0; i < header->n_tensors; i++) {
		struct dfs_tensor *t = &header->tensors[i];
		int ret;

		if (t->off != pos)
			return dfs_fail(err, EINVAL, "tensor \"%.200s\": begins at %llu, not at %llu",
					t->name, (unsigned long long)t->off,
					(unsigned long long)pos);
		/* off + len was two numbers below 2^63 in the header, end not below begin. */
		pos = t->off + t->len;
		ret = check_size(t, err);
		if (ret < 0)
			return ret;
		t->off += header->data_off;
	}
	if (header->file_len == DFS_FILE_LEN_ANY)
		header->file_len = header->data_off + pos;
	else if (pos != data_len)
		return dfs_fail(err, EINVAL, "tensors of %llu bytes and data of %llu",
				(unsigned long long)pos, (unsigned long long)data_len);
	return 0;
}
