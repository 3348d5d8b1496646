/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claim: plain or container, by mark and magic.
 */
#include "store/claim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/mark.h"
#include "store/plain_mark.h"
#include "util/caps.h"
#include "util/io.h"

static const char trusted_mark[] = "trusted.deltafs.container";
static const char user_mark[] = "user.deltafs.container";

/* Its inode number in /proc, PROC_USER_INIT_INO of the kernel's proc_ns.h. */
#define FIRST_USER_NAMESPACE 0xEFFFFFFDu

/* trusted.* asks for the capability in the first user namespace; root of another has it in vain. */
static bool in_first_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) < 0 || st.st_ino == FIRST_USER_NAMESPACE;
}

static bool can_set_trusted(void)
{
	return dfs_caps_permitted(CAP_SYS_ADMIN) && in_first_user_namespace();
}

const char *dfs_claim_xattr(void)
{
	return can_set_trusted() ? trusted_mark : user_mark;
}

bool dfs_claim_trusted(void)
{
	return can_set_trusted();
}

bool dfs_is_mark(const char *name)
{
	return strcmp(name, trusted_mark) == 0 || strcmp(name, user_mark) == 0 || dfs_is_plain_mark(name) ||
	       dfs_mark_is(&dfs_mark_exact, name);
}

struct mark {
	bool present;
	bool valid;		/* of the right length: hash and size mean something */
	bool trusted;
	struct dfs_hash meta_hash;
	uint64_t original_size;
};

/* A mark that cannot be read (no xattrs, no right to see trusted.*) is one that is not there. */
static bool mark_get(int fd, const char *name, struct mark *ret_mark)
{
	uint8_t value[DFS_MARK_SIZE];
	ssize_t n = fgetxattr(fd, name, value, sizeof(value));

	if (n < 0 && errno != ERANGE)
		return false;
	ret_mark->present = true;
	ret_mark->valid = n == DFS_MARK_SIZE;
	if (ret_mark->valid) {
		memcpy(ret_mark->meta_hash.bytes, value, sizeof(ret_mark->meta_hash.bytes));
		ret_mark->original_size = dfs_get_u64le(value + 16);
		ret_mark->valid = ret_mark->original_size <= DFS_ORIGINAL_SIZE_MAX;
	}
	return true;
}

static void mark_read(int fd, struct mark *ret_mark)
{
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);

	memset(ret_mark, 0, sizeof(*ret_mark));
	if (mark_get(fd, trusted_mark, ret_mark))
		ret_mark->trusted = true;
	else
		mark_get(fd, user_mark, ret_mark);
}

/* One superblock; false if it is damaged, so that the other one may be tried. */
static bool superblock_try(const uint8_t *bytes, struct dfs_claim *claim)
{
	int ret = dfs_superblock_unpack(bytes, &claim->sb, &claim->why);

	if (ret != 0 && ret != -ENOTSUP)
		return false;
	claim->kind = ret == 0 ? DFS_CONTAINER : DFS_CONTAINER_NEWER;
	claim->original_size = claim->sb.original_size;
	return true;
}

static void broken(struct dfs_claim *claim, const struct mark *mark, uint64_t size)
{
	claim->kind = DFS_CONTAINER_BROKEN;
	claim->original_size = mark->valid ? mark->original_size : size;
	if (mark->present)
		dfs_fail(
			&claim->why, EUCLEAN,
			"marked as a container, but neither superblock is valid: damaged, or overwritten behind the mount (then remove its attribute %s)",
			mark->trusted ? trusted_mark : user_mark);
	else
		dfs_fail(&claim->why, EUCLEAN,
			 "begins like a container, but neither superblock is valid");
}

int dfs_claim_check(int fd, uint64_t size, struct dfs_claim *ret_claim)
{
	uint8_t bytes[DFS_SUPERBLOCK_SIZE] = { 0 };
	struct mark mark;
	ssize_t n;

	memset(ret_claim, 0, sizeof(*ret_claim));
	ret_claim->original_size = size;
	n = dfs_pread_some(fd, bytes, sizeof(bytes), 0);
	if (n < 0)
		return (int)n;
	mark_read(fd, &mark);
	if (!mark.present && (dfs_magic_score(bytes, (size_t)n) < DFS_MAGIC_CLAIM || dfs_plain_mark_has(fd)))
		return 0;
	if (n < DFS_SUPERBLOCK_SIZE || !superblock_try(bytes, ret_claim)) {
		n = 0;
		if (size >= DFS_SUPERBLOCK_SIZE)
			n = dfs_pread_some(fd, bytes, sizeof(bytes), size - DFS_SUPERBLOCK_SIZE);
		if (n < 0)
			return (int)n;
		if (n < DFS_SUPERBLOCK_SIZE || !superblock_try(bytes, ret_claim)) {
			broken(ret_claim, &mark, size);
			return 0;
		}
	}
	ret_claim->marked = mark.valid && dfs_hash_equal(mark.meta_hash, ret_claim->sb.meta_hash);
	ret_claim->mismarked = mark.present && !ret_claim->marked;
	ret_claim->trusted = ret_claim->marked && mark.trusted;
	return 0;
}

int dfs_claim_mark(int fd, const struct dfs_superblock *sb)
{
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);
	uint8_t value[DFS_MARK_SIZE];

	memcpy(value, sb->meta_hash.bytes, sizeof(sb->meta_hash.bytes));
	dfs_put_u64le(value + 16, sb->original_size);
	if (can_set_trusted()) {
		if (fsetxattr(fd, trusted_mark, value, sizeof(value), 0) == 0)
			return 0;
		if (errno != EPERM && errno != ENOTSUP)
			return -errno;
	}
	return fsetxattr(fd, user_mark, value, sizeof(value), 0) < 0 ? -errno : 0;
}

int dfs_claim_unmark(int fd)
{
	static const char *const names[] = { trusted_mark, user_mark };
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);

	for (size_t i = 0; i < 2; i++) {
		if (fremovexattr(fd, names[i]) < 0 && errno != ENODATA && errno != ENOTSUP &&
		    !(errno == EPERM && names[i] == trusted_mark))
			return -errno;
	}
	return 0;
}
