/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict: reads names of containers, answers each with what the READ flow
 * makes of it: "0 HASH" (XXH3-128 of the shown file) or "-ERRNO sentence".
 *
 *	verdict BASE...
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "read/reader.h"
#include "read/view.h"
#include "util/auto.h"

#define SHOWN_MAX (16u << 20) /* an invented size is not worth hashing to its end */

static int read_all(struct dfs_view *view, struct dfs_hasher *hasher, struct dfs_err *err)
{
	static uint8_t buf[1 << 17];
	size_t len = 0;
	int ret = 0;

	for (uint64_t off = 0; ret == 0 && off < dfs_view_size(view) && off < SHOWN_MAX; off += len) {
		ret = dfs_view_read(view, off, sizeof(buf), buf, &len, err);
		if (ret == 0)
			dfs_hasher_add(hasher, buf, len);
	}
	return ret;
}

static int judge(struct dfs_reader *reader, const char *path, struct dfs_hasher *hasher,
		 struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct dfs_view *view;
	int ret;

	if (fd < 0)
		return dfs_fail_errno(err, "open %s", path);
	ret = dfs_view_open(reader, fd, path, &view, err);
	if (ret < 0)
		return ret;
	dfs_steal_fd(&fd);
	ret = read_all(view, hasher, err);
	dfs_view_close(view);
	return ret;
}

static int answer(struct dfs_reader *reader, const char *path)
{
	struct dfs_hasher *hasher = dfs_hasher_new();
	struct dfs_err err = { "" };
	char hex[DFS_HASH_HEX];
	int ret;

	if (!hasher)
		return 1;
	ret = judge(reader, path, hasher, &err);
	printf("%d %s\n", ret, ret ? err.text : dfs_hash_hex(dfs_hasher_end(hasher), hex));
	dfs_hasher_free(hasher);
	return fflush(stdout);
}

int main(int argc, char **argv)
{
	struct dfs_bases *bases = dfs_bases_new(NULL);
	struct dfs_reader_config config = { .threads = 1, .bases = bases };
	struct dfs_reader *reader;
	struct dfs_err err = { "" };
	char path[4096];
	int ret = 0;

	for (int i = 1; ret == 0 && i < argc; i++)
		ret = dfs_bases_add(bases, argv[i], &err);
	if (ret == 0)
		ret = dfs_reader_new(&config, &reader, &err);
	if (ret < 0) {
		fprintf(stderr, "verdict: %s\n", err.text);
		return 1;
	}
	while (ret == 0 && fgets(path, sizeof(path), stdin)) {
		path[strcspn(path, "\n")] = '\0';
		ret = answer(reader, path);
	}
	dfs_reader_free(reader);
	dfs_bases_free(bases);
	return ret != 0;
}
