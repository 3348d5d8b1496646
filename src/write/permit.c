/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/permit.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "store/mark.h"
#include "write/policy_of.h"
#include "write/spec.h"

#define SHA512_DIGITS 128
#define SHA256_DIGITS 64
#define SHA1_DIGITS 40
#define MD5_DIGITS 32

/* Of a hash that stands at @text, up to a dot or the end of its component. Return: 0: something else stands there. */
static size_t digits(const char *text)
{
	size_t len = strspn(text, "0123456789abcdefABCDEF");

	return text[len] == '.' || text[len] == '/' || !text[len] ? len : 0;
}

static bool names_hash(const char *name)
{
	return !strncasecmp(name, "sha", 3) || !strncasecmp(name, "md5", 3) || !strncasecmp(name, "blake", 5);
}

/*
 * A hub cache's blob and an object of git-lfs are called by the hash alone;
 * Ollama's sha256-HASH, git-annex's SHA256E-sSIZE--HASH.safetensors; DVC's,
 * and those of others, have the first two digits as their directory. Of 32
 * digits alone there are other names, such as UUIDs.
 */
static bool is_hash(const char *rel)
{
	const char *slash = strrchr(rel, '/');
	const char *name = slash ? slash + 1 : rel;
	const char *dash = names_hash(name) ? strrchr(name, '-') : NULL;
	size_t len = digits(dash ? dash + 1 : name);
	bool split = slash && slash - rel >= 2 && (slash - rel == 2 || slash[-3] == '/') && digits(slash - 2) == 2;

	if (len == SHA512_DIGITS || len == SHA256_DIGITS || len == SHA1_DIGITS || (dash && len == MD5_DIGITS))
		return true;
	len += split ? 2 : 0;
	return split && (len == SHA512_DIGITS || len == SHA256_DIGITS || len == SHA1_DIGITS || len == MD5_DIGITS);
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
	int64_t since = dfs_policy_since(policy);

	*ret_since = codec || since > mount->since ? since : mount->since;
	return codec ? codec : mount->codec;
}

static bool is_lossy(const char *codec)
{
	struct dfs_spec spec;

	return dfs_spec_parse(codec, &spec, NULL) == 0 && spec.lossy;
}

bool dfs_permit_gives_up(const struct dfs_policy *policy, const struct dfs_permit_mount *mount)
{
	int64_t since;

	return is_lossy(codec_in_force(policy, mount, &since));
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
	enum dfs_reason_id why;

	if (!is_lossy(codec))
		return DFS_REASON_NONE;
	why = why_exact(rel, fd, since);
	return why == DFS_REASON_NONE ? DFS_REASON_EXACT_UNKNOWN : why;
}
