/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_check: what is there against what must be; see tree.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tree.h"

#define ATTRIBUTE_PREFIX "user.exerciser."

static void equal(struct tree *t, const char *path, const char *what, uint64_t got, uint64_t want)
{
	if (got != want)
		account_fail(&t->account,
			     "%s: %s is %" PRIu64 " (0%" PRIo64 "), not %" PRIu64 " (0%" PRIo64 ")",
			     path, what, got, got, want, want);
}

static mode_t type_of(enum kind kind)
{
	return kind == KIND_FILE ? S_IFREG : kind == KIND_DIRECTORY ? S_IFDIR : S_IFLNK;
}

/* Some file systems do not count directories. */
static uint64_t links_of(const struct tree *t, const struct object *o, uint64_t got)
{
	if (o->kind != KIND_DIRECTORY)
		return o->names;
	return got == 1 ? 1 : 2 + tree_count(t, (unsigned)(o - t->objects), KIND_DIRECTORY);
}

/* Nobody sets a time but the file system: it is what it was seen to be first. */
static void check_time(struct tree *t, const char *path, const char *what,
		       const struct timespec *got, struct timespec *want, bool *known)
{
	if (*known && (got->tv_sec != want->tv_sec || got->tv_nsec != want->tv_nsec))
		account_fail(&t->account, "%s: %s is %lld.%09ld, not %lld.%09ld", path, what,
			     (long long)got->tv_sec, got->tv_nsec, (long long)want->tv_sec,
			     want->tv_nsec);
	*want = *got;
	*known = true;
}

void tree_check_stat(struct tree *t, struct object *o, const struct stat *st, const char *path)
{
	equal(t, path, "type", st->st_mode & S_IFMT, type_of(o->kind));
	if (o->kind != KIND_SYMLINK)
		equal(t, path, "mode", st->st_mode & 07777, o->mode);
	if (o->kind == KIND_FILE)
		equal(t, path, "size", (uint64_t)st->st_size, o->size);
	if (o->kind == KIND_SYMLINK)
		equal(t, path, "size", (uint64_t)st->st_size, strlen(o->target));
	equal(t, path, "number of links", st->st_nlink, links_of(t, o, st->st_nlink));
	if (o->ino)
		equal(t, path, "inode number", st->st_ino, o->ino);
	o->ino = st->st_ino;
	check_time(t, path, "mtime", &st->st_mtim, &o->mtime, &o->mtime_known);
	check_time(t, path, "ctime", &st->st_ctim, &o->ctime, &o->ctime_known);
}

static void expect_bytes(struct tree *t, const struct object *o, uint64_t off, size_t len)
{
	size_t filled = off >= o->filled ? 0 : o->filled - off < len ? o->filled - off : len;

	content_fill(&t->matter, o->content, off, t->want, filled);
	memset(t->want + filled, 0, len - filled);
}

void tree_check_content(struct tree *t, const struct object *o, int fd, const char *path)
{
	uint64_t off = 0;
	ssize_t n;

	while ((n = pread(fd, t->got, TREE_PIECE, (off_t)off)) > 0) {
		if (off + (uint64_t)n > o->size)
			account_fail(&t->account, "%s: more bytes than the %" PRIu64 " it has",
				     path, o->size);
		expect_bytes(t, o, off, (size_t)n);
		for (size_t i = 0; i < (size_t)n && memcmp(t->got, t->want, (size_t)n); i++)
			if (t->got[i] != t->want[i])
				account_fail(&t->account,
					     "%s: first difference at offset %" PRIu64
					     ": 0x%02x, not 0x%02x; the file "
					     "has %" PRIu64 " bytes, from %" PRIu64 " on zeros",
					     path, off + i, t->got[i], t->want[i], o->size,
					     o->filled);
		off += (uint64_t)n;
	}
	tree_must(t, n == 0, "pread");
	equal(t, path, "number of bytes read", off, o->size);
}

void tree_attribute_name(unsigned attribute, char name[32])
{
	snprintf(name, 32, ATTRIBUTE_PREFIX "%u", attribute);
}

size_t tree_attribute_value(uint64_t content, uint8_t value[512])
{
	size_t len = 1 + content % 500;

	content_fill(NULL, content, 0, value, len);
	return len;
}

static void check_attribute(struct tree *t, const struct object *o, unsigned attribute,
			    const char *path)
{
	uint8_t got[512], want[512];
	uint64_t content = o->attributes[attribute];
	size_t len = content ? tree_attribute_value(content, want) : 0;
	char name[32];
	ssize_t n;

	tree_attribute_name(attribute, name);
	n = lgetxattr(path, name, got, sizeof(got));
	if (!len) {
		if (n >= 0)
			account_fail(&t->account, "%s: %s is there, but nobody set it", path, name);
		tree_must(t, errno == ENODATA || errno == EOPNOTSUPP,
			  "getxattr of what is not there");
		return;
	}
	tree_must(t, n >= 0, name);
	equal(t, path, "length of an attribute", (uint64_t)n, len);
	if (memcmp(got, want, len))
		account_fail(&t->account, "%s: another value of %s", path, name);
}

/* Others than ours may be there: of the file system itself, or of a security module. */
void tree_check_attributes(struct tree *t, const struct object *o, const char *path)
{
	char list[4096];
	ssize_t n = llistxattr(path, list, sizeof(list));
	unsigned seen = 0, want = 0;

	tree_must(t, n >= 0 || errno == EOPNOTSUPP, "listxattr");
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(list + at) + 1)
		seen += !strncmp(list + at, ATTRIBUTE_PREFIX, strlen(ATTRIBUTE_PREFIX));
	for (unsigned i = 0; i < TREE_ATTRIBUTES; i++) {
		want += o->attributes[i] != 0;
		check_attribute(t, o, i, path);
	}
	equal(t, path, "number of attributes", seen, want);
}

static unsigned check_listed(struct tree *t, unsigned directory, const struct dirent *d)
{
	static const unsigned char types[] = {
		[KIND_FILE] = DT_REG, [KIND_DIRECTORY] = DT_DIR, [KIND_SYMLINK] = DT_LNK,
	};
	int name = tree_name_find(d->d_name);
	struct entry *e = name < 0 ? NULL : tree_find(t, directory, (unsigned)name);

	if (!e)
		account_fail(&t->account, "a directory lists '%s', which is not there", d->d_name);
	if (d->d_type != DT_UNKNOWN)
		equal(t, d->d_name, "type listed", d->d_type, types[t->objects[e->object].kind]);
	if (t->objects[e->object].ino)
		equal(t, d->d_name, "inode number listed", d->d_ino, t->objects[e->object].ino);
	return 1u << name;
}

void tree_check_listing(struct tree *t, unsigned directory, const char *path)
{
	DIR *listing = opendir(path);
	unsigned seen = 0, n = 0;
	struct dirent *d;

	tree_must(t, listing != NULL, "opendir");
	while ((errno = 0, d = readdir(listing))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		seen |= check_listed(t, directory, d);
		n++;
	}
	tree_must(t, !errno, "readdir");
	equal(t, path, "number of names listed", n, tree_count(t, directory, KIND_ANY));
	equal(t, path, "number of different names listed", (uint64_t)__builtin_popcount(seen), n);
	tree_must(t, closedir(listing) == 0, "closedir");
}

static void check_target(struct tree *t, const struct object *o, const char *path)
{
	char target[128] = "";

	tree_must(t, readlink(path, target, sizeof(target) - 1) >= 0, "readlink");
	if (strcmp(target, o->target))
		account_fail(&t->account, "%s leads to '%s', not '%s'", path, target, o->target);
}

static void check_file(struct tree *t, const struct object *o, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	tree_must(t, fd >= 0, "open");
	tree_check_content(t, o, fd, path);
	tree_must(t, close(fd) == 0, "close");
}

void tree_check_entry(struct tree *t, struct entry *e)
{
	struct place p = { e->directory, e->name, e };
	struct object *o = &t->objects[e->object];
	char path[PATH_MAX];
	struct stat st;

	tree_must(t, lstat(tree_path(t, &p, path), &st) == 0, "lstat");
	tree_check_stat(t, o, &st, path);
	if (o->kind == KIND_SYMLINK) {
		check_target(t, o, path);
		return;
	}
	if (o->kind == KIND_FILE)
		check_file(t, o, path);
	else
		tree_check_listing(t, e->object, path);
	tree_check_attributes(t, o, path);
}

void tree_check_kept(struct tree *t, struct kept *k)
{
	struct stat st;

	tree_must(t, fstat(k->fd, &st) == 0, "fstat");
	tree_check_stat(t, &t->objects[k->object], &st, "a kept handle");
	tree_check_content(t, &t->objects[k->object], k->fd, "a kept handle");
}

void tree_verify(struct tree *t)
{
	struct stat st;

	tree_must(t, lstat(".", &st) == 0, "lstat");
	tree_check_stat(t, &t->objects[0], &st, ".");
	tree_check_listing(t, 0, ".");
	for (struct entry *e = t->entries; e < t->entries + TREE_ENTRIES; e++)
		if (e->used)
			tree_check_entry(t, e);
	for (struct kept *k = t->kept; k < t->kept + TREE_KEPT; k++)
		if (k->fd >= 0)
			tree_check_kept(t, k);
}
