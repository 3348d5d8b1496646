/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree: a directory that one process has to itself, and what must be in it.
 *
 * Objects are what inodes are, entries what names are: an object has as many
 * entries as links, and lives on without any while a handle is kept on it.
 * Object 0 is the directory itself, which is the current directory.
 *
 * What does not go as it must ends the process by account_fail().
 */
#ifndef DFS_TESTS_TREE_H
#define DFS_TESTS_TREE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "account.h"
#include "draw.h"

#define TREE_NAMES 14		/* names that there are in each directory */
#define TREE_DIRECTORIES 16	/* so the longest path is below PATH_MAX */
#define TREE_KEPT 8
#define TREE_ENTRIES (TREE_NAMES * TREE_DIRECTORIES)
#define TREE_OBJECTS (TREE_ENTRIES + TREE_KEPT + 1)
#define TREE_ATTRIBUTES 3
#define TREE_PIECE (64u << 10)
#define TREE_LENGTH (300u << 10)	/* of a file at most, past its matter */
#define TREE_UMASK 022

/* A set of kinds is a sum of them. */
enum kind { KIND_NONE = 0, KIND_FILE = 1, KIND_DIRECTORY = 2, KIND_SYMLINK = 4, KIND_ANY = 7 };

struct object {
	enum kind kind;			/* KIND_NONE: free */
	mode_t mode;			/* the permissions */
	unsigned names, handles;
	uint64_t content;		/* of a file: bytes [0, filled) of it, then zeros up to size */
	uint64_t filled, size;
	char target[64];
	uint64_t attributes[TREE_ATTRIBUTES];	/* content of the value; 0: not there */
	ino_t ino;			/* 0: not yet seen */
	bool mtime_known, ctime_known;	/* seen since the last change */
	struct timespec mtime, ctime;
};

struct entry {
	bool used;
	unsigned directory, name, object;
};

struct kept {
	int fd;				/* -1: none */
	unsigned object;
};

/* Where a name is or could be; entry is NULL if there is none. */
struct place {
	unsigned directory, name;
	struct entry *entry;
};

struct tree {
	struct account account;
	struct rng rng;
	struct object objects[TREE_OBJECTS];
	struct entry entries[TREE_ENTRIES];
	struct kept kept[TREE_KEPT];
	struct matter matter;
	uint8_t got[TREE_PIECE], want[TREE_PIECE];
};

/* tree.c: the model */

/* tree_begin() - the empty tree; the current directory is it, and umask is TREE_UMASK */
void tree_begin(struct tree *t, mode_t mode);

/* tree_path() - relative to the current directory. Return: @path, of PATH_MAX bytes. */
char *tree_path(const struct tree *t, const struct place *p, char *path);

/* tree_name() - one of TREE_NAMES; tree_name_find(): its number, or -1 */
const char *tree_name(unsigned name);
int tree_name_find(const char *name);

struct entry *tree_find(struct tree *t, unsigned directory, unsigned name);
struct object *tree_object(struct tree *t, const struct place *p);	/* NULL: none is there */
struct entry *tree_entry_of(struct tree *t, unsigned object);	/* the first of its names, or NULL */
unsigned tree_count(const struct tree *t, unsigned directory, unsigned kinds);	/* entries in it */
bool tree_full(const struct tree *t);	/* of directories */

/* tree_is_within() - whether @directory is @object or lies below it */
bool tree_is_within(struct tree *t, unsigned directory, unsigned object);

/* tree_add() - a new object by a free name; tree_link(): one that is there, by another */
struct object *tree_add(struct tree *t, const struct place *p, enum kind kind, mode_t mode);
void tree_link(struct tree *t, const struct place *p, unsigned object);
void tree_drop(struct tree *t, struct entry *e);
void tree_forget_unused(struct tree *t, unsigned object);	/* if it has neither name nor handle */

/* tree_touched() - times change: of the status alone, or of the content too */
void tree_touched(struct object *o, bool content);

/* tree_draw.c: where to do something, and whether it went as it must */
struct place tree_draw_place(struct tree *t);		/* free or not */
struct place tree_draw_existing(struct tree *t, unsigned kinds);	/* mostly; else as above */

/* tree_draw_size() - of a file; with matter, often just as much as there is of it */
size_t tree_draw_size(struct tree *t);

/**
 * tree_outcome() - whether a call succeeded, as it had to
 * @ret: what it returned, negative for errno
 * @expected: 0, or the errno that it must fail with
 *
 * Any other outcome ends the process.
 */
bool tree_outcome(struct tree *t, int ret, int expected);

/* tree_outcome_unless() - the same; but @refusal says that the file system lacks it: false, counted */
bool tree_outcome_unless(struct tree *t, const char *operation, int refusal, int ret, int expected);

/* tree_must() - the errno of a failed call, and what was tried, end the process */
void tree_must(struct tree *t, bool right, const char *what);

/* tree_check.c: comparing with the model */
void tree_check_stat(struct tree *t, struct object *o, const struct stat *st, const char *path);
void tree_check_content(struct tree *t, const struct object *o, int fd, const char *path);
void tree_check_attributes(struct tree *t, const struct object *o, const char *path);
void tree_check_listing(struct tree *t, unsigned directory, const char *path);
void tree_check_entry(struct tree *t, struct entry *e);	/* all of the above that it has */
void tree_check_kept(struct tree *t, struct kept *k);
void tree_verify(struct tree *t);		/* all there is */

/* The name of an attribute, and its value. Return: bytes of it. */
void tree_attribute_name(unsigned attribute, char name[32]);
size_t tree_attribute_value(uint64_t content, uint8_t value[512]);

/* tree_names.c, tree_contents.c: what can be done, one function each */
void tree_create(struct tree *t);
void tree_mkdir(struct tree *t);
void tree_symlink(struct tree *t);
void tree_make_link(struct tree *t);
void tree_unlink(struct tree *t);
void tree_rmdir(struct tree *t);
void tree_rename(struct tree *t);
void tree_missing(struct tree *t);

void tree_rewrite(struct tree *t);
void tree_extend(struct tree *t);
void tree_truncate(struct tree *t);
void tree_chmod(struct tree *t);
void tree_utimens(struct tree *t);
void tree_set_attribute(struct tree *t);
void tree_remove_attribute(struct tree *t);
void tree_look(struct tree *t);
void tree_list(struct tree *t);
void tree_keep(struct tree *t);
void tree_kept_look(struct tree *t);
void tree_kept_extend(struct tree *t);
void tree_kept_close(struct tree *t);

/* tree_fill() - new content of @size bytes in the empty file @fd */
void tree_fill(struct tree *t, struct object *o, int fd, size_t size);

/* tree_remove_all() - by its model, until nothing is left */
void tree_remove_all(struct tree *t);

#endif
