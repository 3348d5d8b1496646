/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rest: see rest.h. */
#include "write/rest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/claim.h"
#include "store/plain_mark.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/io.h"
#include "write/classify.h"

#define PREFIX 8 /* bytes of a header's length */

static int not_yet(struct dfs_reason *why, enum dfs_reason_id id, uint64_t number)
{
	dfs_reason_set(why, id, number, NULL);
	return -EAGAIN;
}

static int nothing(struct dfs_reason *why, enum dfs_reason_id id, const char *detail)
{
	dfs_reason_set(why, id, 0, detail);
	return -EINVAL;
}

static const char *name_of(const char *rel)
{
	const char *slash = strrchr(rel, '/');

	return slash ? slash + 1 : rel;
}

/* Return: 1: aria2 is still at it; 0; -errno. A sibling that cannot be opened is one all the same. */
static int has_sibling(const struct dfs_store *store, const char *rel)
{
	DFS_AUTO(mem) char *sibling = NULL;
	DFS_AUTO(fd) int fd = -1;
	int ret;

	if (asprintf(&sibling, "%s.aria2", rel) < 0)
		return -ENOMEM;
	ret = dfs_store_openat(store, sibling, O_RDONLY | O_NOATIME, &fd);
	if (ret == -ENOENT || ret == -ENAMETOOLONG)
		return 0;
	return ret == 0 || ret == -EACCES || ret == -ELOOP || ret == -ENXIO ? 1 : ret;
}

/*
 * Does a file whose header could not be taken look like the beginning of one
 * that could? Return: 1: yes; 0; -errno.
 */
static int begins_header(int fd, uint64_t size)
{
	uint8_t start[PREFIX + 1];
	uint64_t n;
	int ret;

	if (size < sizeof(start))
		return 0;
	ret = dfs_pread_all(fd, start, sizeof(start), 0);
	if (ret < 0)
		return ret;
	n = dfs_get_u64le(start);
	return n <= DFS_HEADER_MAX && n > size - PREFIX && start[PREFIX] == '{';
}

/* The whole header is there. @ret_len: how long it says the file is. Return: 0; -EINVAL: it is none; -errno. */
static int said_length(int fd, uint64_t size, uint64_t *ret_len)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	DFS_AUTO(mem) uint8_t *bytes = NULL;
	uint8_t start[PREFIX];
	uint64_t n;
	int ret = size < PREFIX ? -EINVAL : dfs_pread_all(fd, start, PREFIX, 0);

	if (ret < 0)
		return ret;
	n = dfs_get_u64le(start);
	if (n > DFS_HEADER_MAX || n > size - PREFIX)
		return -EINVAL;
	bytes = malloc(PREFIX + n);
	if (!bytes)
		return -ENOMEM;
	ret = dfs_pread_all(fd, bytes, PREFIX + n, 0);
	if (ret == 0)
		ret = dfs_header_parse(bytes, PREFIX + n, DFS_FILE_LEN_ANY, &header, NULL);
	if (ret == 0)
		*ret_len = header->file_len;
	return ret;
}

/* Valid but for its length: not complete. @why_not: what dfs_header_load() said */
static int check_length(int fd, uint64_t size, const char *why_not, struct dfs_reason *why)
{
	uint64_t said = 0;
	int ret = begins_header(fd, size);

	if (ret < 0)
		return ret;
	if (ret)
		return not_yet(why, DFS_REASON_INCOMPLETE, 0);
	ret = said_length(fd, size, &said);
	if (ret == 0 && said > size)
		return not_yet(why, DFS_REASON_INCOMPLETE, said - size);
	if (ret < 0 && ret != -EINVAL && ret != -E2BIG)
		return ret;
	return nothing(why, DFS_REASON_NOT_SAFETENSORS, why_not);
}

static int check_content(int fd, uint64_t size, struct dfs_reason *why, struct dfs_err *err)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	struct dfs_claim claim;
	struct dfs_err said = { "" };
	int ret = dfs_claim_check(fd, size, &claim);

	if (ret < 0)
		return dfs_fail(err, -ret, "read: %s", strerror(-ret));
	if (claim.kind == DFS_CONTAINER_BROKEN)
		return nothing(why, DFS_REASON_BROKEN, claim.why.text);
	if (claim.kind != DFS_PLAIN)
		return nothing(why, DFS_REASON_COMPRESSED, NULL);
	ret = dfs_plain_mark_keeps(fd);
	if (ret != 0)
		return ret < 0 ? dfs_fail(err, -ret, "read: %s", strerror(-ret)) : 0;
	ret = dfs_header_load(fd, &header, &said);
	if (ret == -E2BIG)
		return nothing(why, DFS_REASON_HEADER_LIMITS, said.text);
	if (ret == -EINVAL) {
		ret = check_length(fd, size, said.text, why);
		return ret == -EAGAIN || ret == -EINVAL ? ret : dfs_fail(err, -ret, "read of the header: %s", strerror(-ret));
	}
	return ret < 0 ? dfs_fail(err, -ret, "%s", said.text) : 0;
}

/* Return: 0 with a regular file that holds something; as dfs_rest_check(). */
static int open_regular(const struct dfs_store *store, const char *rel, int *ret_fd, struct stat *ret_st,
			struct dfs_reason *why, struct dfs_err *err)
{
	int ret = dfs_store_openat(store, rel, O_RDONLY | O_NOATIME, ret_fd);

	if (ret == -ELOOP || ret == -ENXIO) /* a symlink, a socket */
		return nothing(why, DFS_REASON_NOT_REGULAR, NULL);
	if (ret < 0)
		return dfs_fail(err, -ret, "open: %s", strerror(-ret));
	if (fstat(*ret_fd, ret_st) < 0)
		return dfs_fail_errno(err, "stat");
	if (!S_ISREG(ret_st->st_mode))
		return nothing(why, DFS_REASON_NOT_REGULAR, NULL);
	return ret_st->st_size == 0 ? nothing(why, DFS_REASON_EMPTY, NULL) : 0;
}

int dfs_rest_check(const struct dfs_store *store, const char *rel, struct dfs_reason *ret_why, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = -1;
	struct stat st;
	int ret;

	dfs_reason_set(ret_why, DFS_REASON_NONE, 0, NULL);
	ret = open_regular(store, rel, &fd, &st, ret_why, err);
	if (ret == -EINVAL)
		return ret;
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", rel);
	if (dfs_classify_name(name_of(rel)))
		return not_yet(ret_why, DFS_REASON_PARTIAL_NAME, 0);
	ret = has_sibling(store, rel);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: look for %s.aria2: %s", rel, name_of(rel), strerror(-ret));
	if (ret)
		return not_yet(ret_why, DFS_REASON_ARIA2, 0);
	ret = check_content(fd, (uint64_t)st.st_size, ret_why, err);
	return ret < 0 && ret != -EAGAIN && ret != -EINVAL ? dfs_err_at(err, ret, "%s", rel) : ret;
}
