/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_names: operations on names; see tree.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

static const char *noted(struct tree *t, const struct place *p, char *path)
{
	tree_path(t, p, path);
	account_note(&t->account, " '%s'", path);
	return path;
}

void tree_create(struct tree *t)
{
	struct place p = tree_draw_place(t);
	mode_t mode = 0600 | (mode_t)draw_below(&t->rng, 01000);
	size_t size = tree_draw_size(t);
	char path[PATH_MAX];
	int fd = open(noted(t, &p, path), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (!tree_outcome(t, fd, p.entry ? EEXIST : 0))
		return;
	tree_fill(t, tree_add(t, &p, KIND_FILE, mode & ~(mode_t)TREE_UMASK), fd, size);
	tree_must(t, close(fd) == 0, "close");
}

void tree_mkdir(struct tree *t)
{
	struct place p = tree_draw_place(t);
	mode_t mode = 0700 | (mode_t)draw_below(&t->rng, 01000);
	char path[PATH_MAX];

	if (!p.entry && tree_full(t))
		return;
	if (tree_outcome(t, mkdir(noted(t, &p, path), mode), p.entry ? EEXIST : 0))
		tree_add(t, &p, KIND_DIRECTORY, mode & ~(mode_t)TREE_UMASK);
}

void tree_symlink(struct tree *t)
{
	struct place p = tree_draw_place(t);
	char path[PATH_MAX], target[64];

	snprintf(target, sizeof(target), "%.*s", (int)draw_length(&t->rng, 60),
		 "../nowhere/where/a/model/of/many/names/once/was/and/is/no/more");
	if (tree_outcome(t, symlink(target, noted(t, &p, path)), p.entry ? EEXIST : 0))
		snprintf(tree_add(t, &p, KIND_SYMLINK, 0777)->target, sizeof(target), "%s", target);
}

void tree_make_link(struct tree *t)
{
	struct place from = tree_draw_existing(t, KIND_FILE | KIND_SYMLINK);
	struct place to = tree_draw_place(t);
	struct object *o = tree_object(t, &from);
	char path[PATH_MAX], other[PATH_MAX];
	int expected = !o ? ENOENT : to.entry ? EEXIST : o->kind == KIND_DIRECTORY ? EPERM : 0;

	if (tree_outcome(t, link(noted(t, &from, path), noted(t, &to, other)), expected))
		tree_link(t, &to, from.entry->object);
}

static int unlink_expected(const struct object *o)
{
	if (!o)
		return ENOENT;
	return o->kind == KIND_DIRECTORY ? EISDIR : 0;
}

void tree_unlink(struct tree *t)
{
	struct place p = tree_draw_existing(t, KIND_FILE | KIND_SYMLINK);
	int expected = unlink_expected(tree_object(t, &p));
	char path[PATH_MAX];

	if (tree_outcome(t, unlink(noted(t, &p, path)), expected))
		tree_drop(t, p.entry);
}

static bool is_empty(const struct tree *t, const struct place *p)
{
	return !tree_count(t, p->entry->object, KIND_ANY);
}

static int rmdir_expected(struct tree *t, const struct place *p)
{
	const struct object *o = tree_object(t, p);

	if (!o)
		return ENOENT;
	if (o->kind != KIND_DIRECTORY)
		return ENOTDIR;
	return is_empty(t, p) ? 0 : ENOTEMPTY;
}

void tree_rmdir(struct tree *t)
{
	struct place p = tree_draw_existing(t, KIND_DIRECTORY);
	int expected = rmdir_expected(t, &p);
	char path[PATH_MAX];

	if (tree_outcome(t, rmdir(noted(t, &p, path)), expected))
		tree_drop(t, p.entry);
}

/* In the order in which Linux looks: names, then the tree, then kinds. */
static int rename_expected(struct tree *t, const struct place *from, const struct place *to,
			   unsigned flags)
{
	const struct object *o = tree_object(t, from), *over = tree_object(t, to);
	bool exchange = flags & RENAME_EXCHANGE;

	if (!o)
		return ENOENT;
	if (over && (flags & RENAME_NOREPLACE))
		return EEXIST;
	if (!over && exchange)
		return ENOENT;
	if (tree_is_within(t, to->directory, from->entry->object))
		return EINVAL;
	if (over && tree_is_within(t, from->directory, to->entry->object))
		return exchange ? EINVAL : ENOTEMPTY;
	if (!over || over == o || exchange)
		return 0;
	if ((over->kind == KIND_DIRECTORY) != (o->kind == KIND_DIRECTORY))
		return o->kind == KIND_DIRECTORY ? ENOTDIR : EISDIR;
	return over->kind == KIND_DIRECTORY && !is_empty(t, to) ? ENOTEMPTY : 0;
}

static void rename_done(struct tree *t, const struct place *from, const struct place *to,
			unsigned flags)
{
	struct entry *e = from->entry, *over = to->entry;
	unsigned object = e->object;

	if (over && over->object == object)
		return;
	tree_touched(&t->objects[object], false);
	tree_touched(&t->objects[from->directory], true);
	tree_touched(&t->objects[to->directory], true);
	if (flags & RENAME_EXCHANGE) {
		tree_touched(&t->objects[over->object], false);
		e->object = over->object;
		over->object = object;
		return;
	}
	if (over)
		tree_drop(t, over);
	e->directory = to->directory;
	e->name = to->name;
}

void tree_rename(struct tree *t)
{
	static const unsigned all_flags[] = {
		0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE
	};
	unsigned flags = all_flags[draw_below(&t->rng, sizeof(all_flags) / sizeof(all_flags[0]))];
	struct place from = tree_draw_existing(t, KIND_ANY);
	struct place to =
		draw_one_in(&t->rng, 2) ? tree_draw_existing(t, KIND_ANY) : tree_draw_place(t);
	char path[PATH_MAX], other[PATH_MAX];
	int expected = rename_expected(t, &from, &to, flags), ret;

	account_note(&t->account, " with flags %u", flags);
	ret = renameat2(AT_FDCWD, noted(t, &from, path), AT_FDCWD, noted(t, &to, other), flags);
	if (tree_outcome_unless(t, "rename", flags ? EINVAL : 0, ret, expected))
		rename_done(t, &from, &to, flags);
}

/* What is not there, and what is below a file. */
void tree_missing(struct tree *t)
{
	struct place p = tree_draw_place(t);
	struct object *o = tree_object(t, &p);
	char path[PATH_MAX];
	struct stat st;

	tree_path(t, &p, path);
	if (o && o->kind == KIND_FILE && strlen(path) + 2 < PATH_MAX)
		memcpy(path + strlen(path), "/a", 3);
	else if (o)
		return;
	account_note(&t->account, " '%s'", path);
	tree_outcome(t, lstat(path, &st), o ? ENOTDIR : ENOENT);
}

static bool remove_entry(struct tree *t, struct entry *e)
{
	struct place p = { e->directory, e->name, e };
	bool directory = t->objects[e->object].kind == KIND_DIRECTORY;
	char path[PATH_MAX];

	if (!e->used || (directory && !is_empty(t, &p)))
		return false;
	tree_path(t, &p, path);
	tree_must(t, (directory ? rmdir(path) : unlink(path)) == 0, path);
	tree_drop(t, e);
	return true;
}

void tree_remove_all(struct tree *t)
{
	bool again = true;

	while (again) {
		again = false;
		for (struct entry *e = t->entries; e < t->entries + TREE_ENTRIES; e++)
			again |= remove_entry(t, e);
	}
	tree_verify(t);
}
