/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_line: one line of a journal (journal.h), and a file of them.
 *
 *	CHECK	FIELD	FIELD ...
 *
 * CHECK is the XXH3-64 of what follows its tab, as 16 hexadecimal digits; in a
 * field \\ \t \n stand for backslash, tab and newline. The first line of a file
 * has two fields: the journal's word, and the version of its form.
 */
#ifndef DFS_STORE_JOURNAL_LINE_H
#define DFS_STORE_JOURNAL_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"

/* A longer line is none: two paths of PATH_MAX, each byte escaped, and the rest. */
#define DFS_JOURNAL_LINE_MAX (2 * 2 * 4096 + 64)
#define DFS_JOURNAL_FIELDS_MAX 12

struct dfs_journal_form {
	const char *path;	/* in the store */
	const char *word;	/* that the file begins with */
	unsigned version;	/* that this build writes, and the newest it reads */
	const char *holds;	/* for sentences: "what waits to be compressed" */
};

/**
 * dfs_journal_line_fn() - a line that was read
 * @fields: unescaped; the receiver may write to them
 * Return: false: it makes no sense.
 */
typedef bool dfs_journal_line_fn(void *arg, char **fields, size_t n);

/* dfs_journal_line() - add one to @out. Return: 0; -ENAMETOOLONG: it would not be read again; -ENOMEM. */
int dfs_journal_line(struct dfs_buf *out, const char *const *fields, size_t n);

/* dfs_journal_line_first() - add the line that a file begins with. Return: 0; -ENOMEM. */
int dfs_journal_line_first(struct dfs_buf *out, const struct dfs_journal_form *form);

struct dfs_journal_reading {
	uint64_t size;			/* bytes that were read */
	unsigned long damaged;		/* lines that are torn, damaged or make no sense */
	unsigned version;		/* the highest that a line names; 0: none */
	bool torn;			/* the last byte is no newline */
};

/**
 * dfs_journal_read() - all lines of a file, in order
 * @fd: from its start
 * Memory for one line, whatever the file holds. After a line of a newer version no other counts.
 * Return: 0; -ENOMEM; errors of pread: what came before them was read.
 */
int dfs_journal_read(int fd, const struct dfs_journal_form *form, dfs_journal_line_fn *each, void *arg,
		     struct dfs_journal_reading *ret_reading);

#endif
