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

static const char hash_why[] = "its name is the hash of its content";

const char *dfs_permit_wanted(const char *rel, const char *spec, const char **ret_why)
{
	bool refused = spec && strcmp(spec, "exact") && is_hash(rel);

	*ret_why = refused ? hash_why : NULL;
	return refused ? NULL : spec;
}

/* Is there a reason to code a file exactly? Return: NULL: none; a sentence. */
static const char *why_exact(const char *rel, int fd, int64_t since)
{
	int64_t at = born(fd);

	if (is_hash(rel))
		return hash_why;
	if (dfs_mark_has(&dfs_mark_exact, fd))
		return "it was compressed before";
	if (at < 0)
		return "its file system does not tell when it came";
	return at < since ? "it was there before the policy" : NULL;
}

const char *dfs_permit_codec(const struct dfs_policy *policy, const struct dfs_permit_mount *mount, const char *rel,
			     int fd, const char **ret_why)
{
	const char *codec = dfs_policy_codec(policy);
	int64_t since = codec ? dfs_policy_since(policy) : mount->since;
	struct dfs_spec spec;

	*ret_why = NULL;
	if (!codec)
		codec = mount->codec;
	if (dfs_spec_parse(codec, &spec, NULL) < 0 || !spec.lossy)
		return codec;
	*ret_why = why_exact(rel, fd, since);
	return *ret_why ? NULL : codec;
}
