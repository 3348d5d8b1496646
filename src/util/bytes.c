/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes: the growing buffer. It doubles, so that n appends cost O(n).
 */
#include "util/bytes.h"

#include <errno.h>
#include <stdlib.h>

#define BUF_FIRST 256 /* bytes; most buffers here are small tables */

static int buf_reserve(struct dfs_buf *buf, size_t need)
{
	size_t cap = buf->cap ? buf->cap : BUF_FIRST;
	uint8_t *data;

	if (need <= buf->cap)
		return 0;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	data = realloc(buf->data, cap);
	if (!data)
		return -ENOMEM;
	buf->data = data;
	buf->cap = cap;
	return 0;
}

uint8_t *dfs_buf_extend(struct dfs_buf *buf, size_t n)
{
	size_t old = buf->len;
	size_t need;

	if (__builtin_add_overflow(old, n, &need) || buf_reserve(buf, need ? need : 1) < 0)
		return NULL;
	buf->len = need;
	return buf->data + old;
}

int dfs_buf_append(struct dfs_buf *buf, const void *data, size_t n)
{
	uint8_t *to = dfs_buf_extend(buf, n);

	if (!to)
		return -ENOMEM;
	if (n)
		memcpy(to, data, n);
	return 0;
}

void dfs_buf_release(struct dfs_buf *buf)
{
	free(buf->data);
	*buf = (struct dfs_buf){ 0 };
}
