/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/permit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "store/mark.h"
#include "write/policy_of.h"
#include "write/spec.h"

#define SHA256_DIGITS 64
#define SHA1_DIGITS 40

/* Of a hub cache's blob, of a git-lfs object. */
static bool is_hash(const char *rel)
{
	const char *slash = strrchr(rel, '/');
	const char *name = slash ? slash + 1 : rel;
	size_t len = strlen(name);

	return (len == SHA256_DIGITS || len == SHA1_DIGITS) && strspn(name, "0123456789abcdef") == len;
}

/* When the file came to be. Return: -1: its file system does not tell. */
static int64_t born(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) < 0 || !(st.stx_mask & STATX_BTIME))
		return -1;
	return st.stx_btime.tv_sec * 1000000000ll + st.stx_btime.tv_nsec;
}

const char *dfs_permit_wanted(const char *rel, const char *spec, enum dfs_reason_id *ret_why)
{
	bool refused = spec && strcmp(spec, "exact") && is_hash(rel);

	*ret_why = refused ? DFS_REASON_EXACT_HASH : DFS_REASON_NONE;
	return refused ? NULL : spec;
}

/* Is there a reason to code a file exactly? */
static enum dfs_reason_id why_exact(const char *rel, int fd, int64_t since)
{
	int64_t at = born(fd);

	if (is_hash(rel))
		return DFS_REASON_EXACT_HASH;
	if (dfs_mark_has(&dfs_mark_exact, fd))
		return DFS_REASON_EXACT_BEFORE;
	if (at < 0)
		return DFS_REASON_EXACT_UNDATED;
	return at < since ? DFS_REASON_EXACT_OLD : DFS_REASON_NONE;
}

/* What policy or mount have, and from when on. */
static const char *codec_in_force(const struct dfs_policy *policy, const struct dfs_permit_mount *mount, int64_t *ret_since)
{
	const char *codec = dfs_policy_codec(policy);

	*ret_since = codec ? dfs_policy_since(policy) : mount->since;
	return codec ? codec : mount->codec;
}

static bool is_lossy(const char *codec)
{
	struct dfs_spec spec;

	return dfs_spec_parse(codec, &spec, NULL) == 0 && spec.lossy;
}

const char *dfs_permit_codec(const struct dfs_policy *policy, const struct dfs_permit_mount *mount, const char *rel,
			     int fd, enum dfs_reason_id *ret_why)
{
	int64_t since;
	const char *codec = codec_in_force(policy, mount, &since);

	*ret_why = is_lossy(codec) ? why_exact(rel, fd, since) : DFS_REASON_NONE;
	return *ret_why == DFS_REASON_NONE ? codec : NULL;
}

enum dfs_reason_id dfs_permit_why_exact(const struct dfs_policy *policy, const struct dfs_permit_mount *mount,
					const char *rel, int fd)
{
	int64_t since;
	const char *codec = codec_in_force(policy, mount, &since);
	enum dfs_reason_id why = is_lossy(codec) ? why_exact(rel, fd, since) : DFS_REASON_NONE;

	return is_lossy(codec) && why == DFS_REASON_NONE ? DFS_REASON_EXACT_UNKNOWN : why;
}
