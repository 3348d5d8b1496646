/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options: what may follow -o, as a table of rows; parser and --help are made
 * from it, so they cannot differ.
 */
#ifndef DELTAFS_OPTIONS_H
#define DELTAFS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/err.h"

struct option_row;

/* One kind of value. Return: 0; -EINVAL with what is wrong with @value. */
typedef int option_set_fn(const struct option_row *row, void *field, const char *value, struct dfs_err *err);

struct option_row {
	const char *name;
	option_set_fn *set;
	size_t offset;		/* of its field in the settings */
	const char *meta;	/* name of the value in --help; NULL: takes none */
	const char *about;	/* sentence for --help; NULL: not shown there */
	const char *const *words;	/* option_word(): what the value may be, NULL at the end */
};

/* Kinds; the field is ... */
option_set_fn option_flag;	/* bool: true */
option_set_fn option_number;	/* unsigned */
option_set_fn option_size;	/* size_t, bytes; K, M and G are understood */
option_set_fn option_text;	/* char *, malloc'ed */
option_set_fn option_commas;	/* the same, of a value with options of its own behind a colon: "name:a=1\,b=2" */
option_set_fn option_path;	/* the same, made absolute */
option_set_fn option_word;	/* int: its place in row->words */
option_set_fn option_pass;	/* struct dfs_buf: appended, with "=value" if there is one, after a comma */
option_set_fn option_ignore;

/**
 * options_parse() - take a list like "ro,cache=1G"
 * @sloppy: unknown names are passed over
 *
 * A backslash takes a comma's meaning away. Return: 0; -EINVAL with a sentence
 * that names the nearest known option; -ENOMEM.
 */
int options_parse(const struct option_row *rows, size_t n_rows, void *settings, const char *list,
		  bool sloppy, struct dfs_err *err);

/* options_help() - a line an option, to standard output */
void options_help(const struct option_row *rows, size_t n_rows);

#endif
