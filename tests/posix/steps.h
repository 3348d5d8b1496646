/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steps: the little language in which cases are written.
 *
 *	mkdir d 0755; other: EACCES mkdir d/x 0755; root: is d nlink=2
 *
 * Steps are separated by ';', their words by blanks. A step is
 *
 *	[WHO:] [EXPECTED] [?ERRNO] VERB WORD...
 *
 * WHO	root, owner, member or other: whose rights this step and those after it have.
 * EXPECTED
 *	an errno, or several: EPERM|EACCES. Or what the call returns: =5, =0|4096.
 *	Without it the call must succeed.
 * ?ERRNO
 *	fails with this: the file system cannot be asked, the case ends as "not
 *	supported here". So it does with EOPNOTSUPP and ENOSYS where these are not expected.
 *
 * A word that names a file is a path, or
 *
 *	%a		the descriptor that "open a PATH FLAGS" left: fchmod, ftruncate, ...
 *	%a/x		x relative to that descriptor: openat, mkdirat, ...
 *	@name		in a path: a component of NAME_MAX bytes; @name+1: of one more; @name-5:
 *			what is left of it behind "user."
 *	@long/x		a path of PATH_MAX - 1 bytes that ends in /x; @toolong/x: of PATH_MAX
 *	@empty @fault	the empty path; an address that is not mapped
 *
 * Numbers are decimal, 0octal or 0xhex; "64k" and "1m" are sizes; owner, member,
 * other, team, root, nobody are ids; 5.000000001 is seconds and nanoseconds.
 * A text is one word, "-" the empty one.
 *
 * The verbs, each with its words, stand in the tables of names.c, attributes.c,
 * bytes.c and checks.c.
 */
#ifndef DFS_TESTS_POSIX_STEPS_H
#define DFS_TESTS_POSIX_STEPS_H

#include <stddef.h>
#include <sys/types.h>

#include "posix.h"

#define POSIX_WORDS 12

/* posix_steps() - run steps; returns if all came as expected, else ends the case. */
void posix_steps(struct posix *p, const char *steps);

struct posix_verb {
	const char *name;
	int n_words;		/* at least */
	/* @word: POSIX_WORDS of them, NULL behind the last. Return: what the call returned, or -errno. */
	long long (*run)(struct posix *p, char **word);
};

/* Each ends with a row without a name. */
extern const struct posix_verb posix_name_verbs[], posix_attribute_verbs[], posix_byte_verbs[],
	posix_check_verbs[];

/* Where a call is to act: on @path from @fd, or, with no path, on @fd itself. */
struct posix_at {
	int fd;
	const char *path;
};

/**
 * posix_at() - the file that a word names
 * @which: 0 or 1; the path is valid until the next call with the same number
 */
struct posix_at posix_at(struct posix *p, const char *word, int which);

/* posix_path() - the same where a call takes only a path from the current directory. */
const char *posix_path(struct posix *p, const char *word, int which);

/* posix_fd() - the descriptor "%a"; -1, which the kernel refuses, if it is not open. */
int posix_fd(struct posix *p, const char *word);

/* posix_keep() - let "%a" be @fd. */
void posix_keep(struct posix *p, const char *word, int fd);

/* posix_number() - a number, an id, a size or a time (in ns); fails the case if it is none. */
long long posix_number(struct posix *p, const char *word);

struct posix_word {
	const char *name;
	long value;
};

/* posix_flags() - names of @table (which ends with a row without a name) and numbers, or'ed: "rw,creat". */
long posix_flags(struct posix *p, const struct posix_word *table, const char *words);

/* posix_is_word() - whether an optional word is there and is this. */
int posix_is_word(const char *word, const char *name);

/* posix_result() - of a system call: its value, or -errno. */
long long posix_result(long long returned);

/* posix_nap() - until the clock that file systems stamp with has moved on. */
void posix_nap(void);

#endif
