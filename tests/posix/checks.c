/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checks: the verbs that look at what the calls before left. A PATH that is a
 * symbolic link is looked at itself.
 *
 *	is PATH FIELD=N...	also FIELD<N, FIELD>N; fields: type mode uid gid nlink
 *				size blocks rdev atime mtime
 *	same PATH PATH		one inode		differ PATH PATH	two
 *	gone PATH		ENOENT
 *	note PATH...		remembers their times, then waits for the clock to move
 *	since PATH amc		just these of its times have moved on since; "-": none;
 *				"?" besides: the atime may have moved or not
 *	lists_names PATH N	reading the directory shows N names besides . and ..
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "steps.h"

static int look(struct posix *p, const char *word, struct stat *st)
{
	struct posix_at at = posix_at(p, word, 0);
	int ret = at.path ? fstatat(at.fd, at.path, st, AT_SYMLINK_NOFOLLOW) : fstat(at.fd, st);

	return ret < 0 ? -errno : 0;
}

static long long ns(struct timespec time)
{
	return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

static long long get_type(const struct stat *st)
{
	return st->st_mode & S_IFMT;
}

static long long get_mode(const struct stat *st)
{
	return st->st_mode & 07777;
}

static long long get_uid(const struct stat *st)
{
	return st->st_uid;
}

static long long get_gid(const struct stat *st)
{
	return st->st_gid;
}

static long long get_nlink(const struct stat *st)
{
	return (long long)st->st_nlink;
}

static long long get_size(const struct stat *st)
{
	return st->st_size;
}

static long long get_blocks(const struct stat *st)
{
	return st->st_blocks;
}

/* 1003 of 1:3. */
static long long get_rdev(const struct stat *st)
{
	return major(st->st_rdev) * 1000ll + minor(st->st_rdev);
}

static long long get_atime(const struct stat *st)
{
	return ns(st->st_atim);
}

static long long get_mtime(const struct stat *st)
{
	return ns(st->st_mtim);
}

static const struct {
	const char *name;
	long long (*get)(const struct stat *st);
} fields[] = {
	{ "type", get_type }, { "mode", get_mode },	{ "uid", get_uid },   { "gid", get_gid },
	{ "nlink", get_nlink }, { "size", get_size }, { "blocks", get_blocks }, { "rdev", get_rdev },
	{ "atime", get_atime }, { "mtime", get_mtime },
};

static void check_field(struct posix *p, const struct stat *st, const char *claim)
{
	size_t len = strcspn(claim, "=<>");
	char relation = claim[len];
	long long want = posix_number(p, relation ? claim + len + 1 : ""), got;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strlen(fields[i].name) != len || memcmp(fields[i].name, claim, len) != 0)
			continue;
		got = fields[i].get(st);
		if (relation == '<' ? got < want : relation == '>' ? got > want : got == want)
			return;
		if (strncmp(claim, "mode", 4) == 0)
			posix_fail(p, "expected %s, got %04llo", claim, got);
		posix_fail(p, "expected %s, got %lld", claim, got);
	}
	posix_fail(p, "the case is written wrong: no field %s", claim);
}

static long long verb_is(struct posix *p, char **word)
{
	struct stat st;
	int ret = look(p, word[0], &st);

	for (int i = 1; ret == 0 && word[i]; i++)
		check_field(p, &st, word[i]);
	return ret;
}

static int compare_inodes(struct posix *p, char **word, bool *ret_same)
{
	struct stat a, b;
	int ret = look(p, word[0], &a);

	if (ret == 0)
		ret = look(p, word[1], &b);
	if (ret == 0)
		*ret_same = a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	return ret;
}

static long long verb_same(struct posix *p, char **word)
{
	bool same = true;
	int ret = compare_inodes(p, word, &same);

	POSIX_WANT(p, same, "they are two");
	return ret;
}

static long long verb_differ(struct posix *p, char **word)
{
	bool same = false;
	int ret = compare_inodes(p, word, &same);

	POSIX_WANT(p, !same, "they are one");
	return ret;
}

static long long verb_gone(struct posix *p, char **word)
{
	struct stat st;
	int ret = look(p, word[0], &st);

	POSIX_WANT(p, ret == -ENOENT, "expected ENOENT, got %s", posix_errno_name(-ret));
	return 0;
}

static long long verb_note(struct posix *p, char **word)
{
	for (int i = 0; word[i]; i++) {
		struct posix_note *note = &p->notes[p->n_notes];
		int ret;

		POSIX_WANT(p, p->n_notes < POSIX_NOTES, "the case is written wrong: too many notes");
		ret = look(p, word[i], &note->st);
		if (ret < 0)
			return ret;
		snprintf(note->path, sizeof(note->path), "%s", word[i]);
		p->n_notes++;
	}
	posix_nap();
	return 0;
}

static const struct posix_note *find_note(struct posix *p, const char *path)
{
	for (size_t i = p->n_notes; i > 0; i--)
		if (strcmp(p->notes[i - 1].path, path) == 0)
			return &p->notes[i - 1];
	posix_fail(p, "the case is written wrong: no note of %s", path);
}

static void check_time(struct posix *p, char letter, const char *moved, struct timespec before, struct timespec after)
{
	bool want = strchr(moved, letter) != NULL;

	POSIX_WANT(p, ns(after) != ns(before) || !want, "%ctime has not moved", letter);
	POSIX_WANT(p, ns(after) == ns(before) || want, "%ctime has moved", letter);
	POSIX_WANT(p, ns(after) >= ns(before) || letter != 'c', "ctime went back");
}

static long long verb_since(struct posix *p, char **word)
{
	const struct stat *before = &find_note(p, word[0])->st;
	struct stat after;
	int ret = look(p, word[0], &after);

	if (ret < 0)
		return ret;
	if (!strchr(word[1], '?'))
		check_time(p, 'a', word[1], before->st_atim, after.st_atim);
	check_time(p, 'm', word[1], before->st_mtim, after.st_mtim);
	check_time(p, 'c', word[1], before->st_ctim, after.st_ctim);
	return 0;
}

static long long verb_lists_names(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	int fd = openat(at.fd, at.path ? at.path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	long long n = -2;

	if (!dir)
		return -errno;
	while (readdir(dir))
		n++;
	closedir(dir);
	POSIX_WANT(p, n == posix_number(p, word[1]), "it lists %lld", n);
	return 0;
}

const struct posix_verb posix_check_verbs[] = {
	{ "is", 2, verb_is },
	{ "same", 2, verb_same },
	{ "differ", 2, verb_differ },
	{ "gone", 1, verb_gone },
	{ "note", 1, verb_note },
	{ "since", 2, verb_since },
	{ "lists_names", 2, verb_lists_names },
	{ NULL, 0, NULL },
};
