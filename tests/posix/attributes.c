/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attributes: the verbs of calls that read and set attributes.
 *
 *	stat PATH		lstat PATH
 *	chmod PATH MODE		chown PATH UID GID [nofollow]
 *	utimens PATH ATIME MTIME [nofollow]	a time, now, omit, or bad: 10^9 nanoseconds
 *	access PATH 4|2|1|0	statfs PATH	whose answer must make sense
 *	setxattr PATH NAME VALUE [create,replace,nofollow]	VALUE @N: N bytes
 *	getxattr PATH NAME VALUE [nofollow]	compares
 *	xattrsize PATH NAME SIZE		getxattr into SIZE bytes
 *	listxattr PATH SIZE			removexattr PATH NAME [nofollow]
 *	lists PATH NAME=0|1			whether NAME is in the list
 *	setacl PATH access|default ACL [nofollow]	as acl_text.h has it
 *	getacl PATH access|default ACL		compares
 *	dropacl PATH access|default
 *	umask MASK		limit fsize|nofile N
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "acl_text.h"
#include "steps.h"

#define NOFOLLOW 0x100

static long long stat_of(struct posix *p, const char *word, int flags)
{
	struct posix_at at = posix_at(p, word, 0);
	struct stat st;

	return posix_result(at.path ? fstatat(at.fd, at.path, &st, flags) : fstat(at.fd, &st));
}

static long long verb_stat(struct posix *p, char **word)
{
	return stat_of(p, word[0], 0);
}

static long long verb_lstat(struct posix *p, char **word)
{
	return stat_of(p, word[0], AT_SYMLINK_NOFOLLOW);
}

static long long verb_chmod(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	mode_t mode = (mode_t)posix_number(p, word[1]);

	return posix_result(at.path ? fchmodat(at.fd, at.path, mode, 0) : fchmod(at.fd, mode));
}

static long long verb_chown(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	uid_t uid = (uid_t)posix_number(p, word[1]);
	gid_t gid = (gid_t)posix_number(p, word[2]);
	int flags = posix_is_word(word[3], "nofollow") ? AT_SYMLINK_NOFOLLOW : 0;

	return posix_result(at.path ? fchownat(at.fd, at.path, uid, gid, flags) : fchown(at.fd, uid, gid));
}

static struct timespec time_of(struct posix *p, const char *word)
{
	long long ns;

	if (posix_is_word(word, "now"))
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	if (posix_is_word(word, "omit"))
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	if (posix_is_word(word, "bad"))
		return (struct timespec){ .tv_nsec = 1000000000 };
	ns = posix_number(p, word);
	return (struct timespec){ .tv_sec = (ns - (ns % 1000000000 + 1000000000) % 1000000000) / 1000000000,
				  .tv_nsec = (ns % 1000000000 + 1000000000) % 1000000000 };
}

static long long verb_utimens(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	struct timespec times[2] = { time_of(p, word[1]), time_of(p, word[2]) };
	int flags = posix_is_word(word[3], "nofollow") ? AT_SYMLINK_NOFOLLOW : 0;

	return posix_result(at.path ? utimensat(at.fd, at.path, times, flags) : futimens(at.fd, times));
}

static long long verb_access(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);

	return posix_result(faccessat(at.fd, at.path, (int)posix_number(p, word[1]), 0));
}

static long long verb_statfs(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	struct statfs fs;

	if ((at.path ? statfs(at.path, &fs) : fstatfs(at.fd, &fs)) < 0)
		return -errno;
	POSIX_WANT(p, fs.f_bsize > 0 && fs.f_namelen == NAME_MAX, "block size %ld, names up to %ld",
		   (long)fs.f_bsize, (long)fs.f_namelen);
	POSIX_WANT(p, fs.f_bavail <= fs.f_bfree && fs.f_bfree <= fs.f_blocks && fs.f_ffree <= fs.f_files,
		   "more is free than there is");
	return 0;
}

static const struct posix_word xattr_flags[] = {
	{ "create", XATTR_CREATE },
	{ "replace", XATTR_REPLACE },
	{ "nofollow", NOFOLLOW },
	{ NULL, 0 },
};

static char *value_of(struct posix *p, const char *word, size_t *ret_len)
{
	char *value;

	if (word[0] == '@') {
		*ret_len = (size_t)posix_number(p, word + 1);
		value = malloc(*ret_len + 1);
		POSIX_WANT(p, value, "no memory");
		memset(value, 'v', *ret_len);
		return value;
	}
	*ret_len = strcmp(word, "-") == 0 ? 0 : strlen(word);
	value = strdup(word);
	POSIX_WANT(p, value, "no memory");
	return value;
}

static long long verb_setxattr(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	const char *name = posix_path(p, word[1], 1);
	int flags = (int)posix_flags(p, xattr_flags, word[3]), kernel = flags & ~NOFOLLOW;
	size_t len;
	char *value = value_of(p, word[2], &len);
	int ret;

	if (!at.path)
		ret = fsetxattr(at.fd, name, value, len, kernel);
	else if (flags & NOFOLLOW)
		ret = lsetxattr(at.path, name, value, len, kernel);
	else
		ret = setxattr(at.path, name, value, len, kernel);
	ret = ret < 0 ? -errno : 0;
	free(value);
	return ret;
}

static ssize_t get_xattr(struct posix_at at, const char *name, char *value, size_t size, bool follow)
{
	if (!at.path)
		return fgetxattr(at.fd, name, value, size);
	return follow ? getxattr(at.path, name, value, size) : lgetxattr(at.path, name, value, size);
}

static long long verb_getxattr(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	size_t want_len;
	char *want = value_of(p, word[2], &want_len), *got = malloc(want_len + 64);
	ssize_t len;

	POSIX_WANT(p, got, "no memory");
	len = get_xattr(at, posix_path(p, word[1], 1), got, want_len + 64, !posix_is_word(word[3], "nofollow"));
	if (len < 0)
		len = -errno;
	else
		POSIX_WANT(p, (size_t)len == want_len && memcmp(got, want, want_len) == 0, "expected %.80s, got %.*s",
			   word[2], (int)(len > 80 ? 80 : len), got);
	free(got);
	free(want);
	return len;
}

static long long verb_xattrsize(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	char value[4096];

	return posix_result(get_xattr(at, posix_path(p, word[1], 1), value, (size_t)posix_number(p, word[2]), true));
}

static ssize_t list_xattrs(struct posix_at at, char *list, size_t size)
{
	return at.path ? listxattr(at.path, list, size) : flistxattr(at.fd, list, size);
}

static long long verb_listxattr(struct posix *p, char **word)
{
	char list[4096];

	return posix_result(list_xattrs(posix_at(p, word[0], 0), list, (size_t)posix_number(p, word[1])));
}

static long long verb_lists(struct posix *p, char **word)
{
	char list[8192], *value = strchr(word[1], '=');
	ssize_t len = list_xattrs(posix_at(p, word[0], 0), list, sizeof(list));
	bool listed = false;

	POSIX_WANT(p, value, "the case is written wrong: 0 or 1?");
	*value = '\0';
	if (len < 0)
		return -errno;
	for (char *name = list; name < list + len; name += strlen(name) + 1)
		listed |= strcmp(name, word[1]) == 0;
	POSIX_WANT(p, listed == (value[1] == '1'), "%s is%s listed", word[1], listed ? "" : " not");
	return 0;
}

static long long verb_removexattr(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	const char *name = posix_path(p, word[1], 1);

	if (!at.path)
		return posix_result(fremovexattr(at.fd, name));
	return posix_result(posix_is_word(word[2], "nofollow") ? lremovexattr(at.path, name) :
								 removexattr(at.path, name));
}

static const char *acl_name(const char *word)
{
	return posix_is_word(word, "default") ? "system.posix_acl_default" : "system.posix_acl_access";
}

static long long verb_setacl(struct posix *p, char **word)
{
	unsigned char bytes[POSIX_ACL_BYTES];
	size_t len = posix_acl_pack(p, word[2], bytes);
	const char *path = posix_path(p, word[0], 0), *name = acl_name(word[1]);

	return posix_result(posix_is_word(word[3], "nofollow") ? lsetxattr(path, name, bytes, len, 0) :
								 setxattr(path, name, bytes, len, 0));
}

static long long verb_getacl(struct posix *p, char **word)
{
	unsigned char want[POSIX_ACL_BYTES], got[POSIX_ACL_BYTES];
	size_t want_len = posix_acl_pack(p, word[2], want);
	ssize_t len = getxattr(posix_path(p, word[0], 0), acl_name(word[1]), got, sizeof(got));
	char text[256];

	if (len < 0)
		return -errno;
	posix_acl_show(got, (size_t)len, text, sizeof(text));
	POSIX_WANT(p, (size_t)len == want_len && memcmp(got, want, want_len) == 0, "got %s", text);
	return 0;
}

static long long verb_dropacl(struct posix *p, char **word)
{
	return posix_result(removexattr(posix_path(p, word[0], 0), acl_name(word[1])));
}

static long long verb_umask(struct posix *p, char **word)
{
	umask((mode_t)posix_number(p, word[0]));
	return 0;
}

static long long verb_limit(struct posix *p, char **word)
{
	int resource = posix_is_word(word[0], "fsize") ? RLIMIT_FSIZE : RLIMIT_NOFILE;
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return -errno;
	limit.rlim_cur = (rlim_t)posix_number(p, word[1]);
	return posix_result(setrlimit((__rlimit_resource_t)resource, &limit));
}

const struct posix_verb posix_attribute_verbs[] = {
	{ "stat", 1, verb_stat },
	{ "lstat", 1, verb_lstat },
	{ "chmod", 2, verb_chmod },
	{ "chown", 3, verb_chown },
	{ "utimens", 3, verb_utimens },
	{ "access", 2, verb_access },
	{ "statfs", 1, verb_statfs },
	{ "setxattr", 3, verb_setxattr },
	{ "getxattr", 3, verb_getxattr },
	{ "xattrsize", 3, verb_xattrsize },
	{ "listxattr", 2, verb_listxattr },
	{ "lists", 2, verb_lists },
	{ "removexattr", 2, verb_removexattr },
	{ "setacl", 3, verb_setacl },
	{ "getacl", 3, verb_getacl },
	{ "dropacl", 2, verb_dropacl },
	{ "umask", 1, verb_umask },
	{ "limit", 2, verb_limit },
	{ NULL, 0, NULL },
};
