/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/auto.h"
#include "util/bytes.h"
#include "util/nearest.h"

/* --- kinds of values */

int option_flag(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	(void)row;
	(void)value;
	(void)err;
	*(bool *)field = true;
	return 0;
}

static int parse_number(const char *value, const char **ret_rest, uint64_t *ret_number)
{
	char *rest;

	if (!isdigit((unsigned char)*value))
		return -EINVAL;
	errno = 0;
	*ret_number = strtoull(value, &rest, 10);
	*ret_rest = rest;
	return errno ? -EINVAL : 0;
}

int option_number(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	const char *rest;
	uint64_t number;

	(void)row;
	if (parse_number(value, &rest, &number) < 0 || *rest || number > INT_MAX)
		return dfs_fail(err, EINVAL, "\"%s\" is not a number", value);
	*(unsigned *)field = (unsigned)number;
	return 0;
}

int option_size(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	static const char units[] = "KMG";
	const char *rest, *unit;
	uint64_t number;
	unsigned shift = 0;

	(void)row;
	if (parse_number(value, &rest, &number) < 0)
		return dfs_fail(err, EINVAL, "\"%s\" is not a size like 256M", value);
	unit = *rest ? strchr(units, toupper((unsigned char)*rest)) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		rest++;
	}
	if (*rest || number > SIZE_MAX >> 1 >> shift)
		return dfs_fail(err, EINVAL, "\"%s\" is not a size like 256M", value);
	*(size_t *)field = (size_t)number << shift;
	return 0;
}

static int replace(char **field, char *text, struct dfs_err *err)
{
	if (!text)
		return dfs_fail(err, ENOMEM, "out of memory");
	free(*field);
	*field = text;
	return 0;
}

int option_text(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	(void)row;
	return replace(field, strdup(value), err);
}

int option_commas(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	return option_text(row, field, value, err);
}

/* The daemon leaves its directory. */
int option_path(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	DFS_AUTO(mem) char *dir = NULL;
	char *text;

	(void)row;
	if (*value == '/')
		return replace(field, strdup(value), err);
	dir = getcwd(NULL, 0);
	if (!dir)
		return dfs_fail_errno(err, "getcwd");
	return replace(field, asprintf(&text, "%s/%s", dir, value) < 0 ? NULL : text, err);
}

int option_word(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	char all[128] = "";

	for (int i = 0; row->words[i]; i++) {
		size_t used = strlen(all);

		if (strcmp(row->words[i], value) == 0) {
			*(int *)field = i;
			return 0;
		}
		snprintf(all + used, sizeof(all) - used, "%s%s", i ? " or " : "", row->words[i]);
	}
	return dfs_fail(err, EINVAL, "\"%s\" is not %s", value, all);
}

int option_pass(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	struct dfs_buf *list = field;
	int ret = 0;

	if (list->len) {
		list->len--; /* the NUL */
		ret = dfs_buf_append(list, ",", 1);
	}
	if (ret == 0)
		ret = dfs_buf_append(list, row->name, strlen(row->name));
	if (ret == 0 && value)
		ret = dfs_buf_append(list, "=", 1);
	if (ret == 0 && value)
		ret = dfs_buf_append(list, value, strlen(value));
	if (ret == 0)
		ret = dfs_buf_append(list, "", 1);
	return ret < 0 ? dfs_fail(err, ENOMEM, "out of memory") : 0;
}

int option_ignore(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	(void)row;
	(void)field;
	(void)value;
	(void)err;
	return 0;
}

/* --- the list */

static const struct option_row *find(const struct option_row *rows, size_t n_rows, const char *name)
{
	for (size_t i = 0; i < n_rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

/* One that was taken. */
struct taken {
	const struct option_row *row;
	const char *value;
};

static int unknown(const struct option_row *rows, size_t n_rows, const char *name, const char *value,
		   const struct taken *before, struct dfs_err *err)
{
	DFS_AUTO(mem) const char **words = calloc(n_rows + 1, sizeof(*words));
	const char *near;

	if (before->row && before->row->set == option_commas && strchr(before->value, ':'))
		return dfs_fail(err, EINVAL, "unknown option \"%s\"; one of %s= has a backslash before its comma: %s=%s\\,%s%s%s",
				name, before->row->name, before->row->name, before->value, name, value ? "=" : "",
				value ? value : "");
	for (size_t i = 0; words && i < n_rows; i++)
		words[i] = rows[i].name;
	near = words ? dfs_nearest(name, words, n_rows) : NULL;
	if (near)
		return dfs_fail(err, EINVAL, "unknown option \"%s\"; did you mean \"%s\"?", name, near);
	return dfs_fail(err, EINVAL, "unknown option \"%s\"; --help lists them", name);
}

/* @before: what stood before it, and this afterwards */
static int take(const struct option_row *rows, size_t n_rows, void *settings, char *word,
		bool sloppy, struct taken *before, struct dfs_err *err)
{
	char *value = strchr(word, '=');
	const struct option_row *row;
	int ret;

	if (value)
		*value++ = '\0';
	if (strncmp(word, "x-", 2) == 0)
		return 0; /* for systemd and others, never for us */
	row = find(rows, n_rows, word);
	if (!row)
		return sloppy ? 0 : unknown(rows, n_rows, word, value, before, err);
	if (row->meta && !value)
		return dfs_fail(err, EINVAL, "option %s needs a value: %s=%s", word, word, row->meta);
	if (!row->meta && value && row->set == option_flag)
		return dfs_fail(err, EINVAL, "option %s takes no value", word);
	*before = (struct taken){ row, value };
	ret = row->set(row, (char *)settings + row->offset, value, err);
	return ret < 0 ? dfs_err_at(err, ret, "option %s", word) : 0;
}

/* Ends the word at the next comma that no backslash hides. Return: what follows, or NULL. */
static char *split(char *word)
{
	char *to = word;

	for (; *word && *word != ','; word++) {
		if (word[0] == '\\' && word[1])
			word++;
		*to++ = *word;
	}
	if (!*word) {
		*to = '\0';
		return NULL;
	}
	*to = '\0';
	return word + 1;
}

int options_parse(const struct option_row *rows, size_t n_rows, void *settings, const char *list,
		  bool sloppy, struct dfs_err *err)
{
	DFS_AUTO(mem) char *copy = strdup(list);
	struct taken before = { NULL, NULL };
	char *next;
	int ret = 0;

	if (!copy)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (char *word = copy; word && ret == 0; word = next) {
		next = split(word);
		if (*word)
			ret = take(rows, n_rows, settings, word, sloppy, &before, err);
	}
	return ret;
}

void options_help(const struct option_row *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++) {
		char left[64];

		if (!rows[i].about)
			continue;
		snprintf(left, sizeof(left), "%s%s%s", rows[i].name, rows[i].meta ? "=" : "",
			 rows[i].meta ? rows[i].meta : "");
		printf("  -o %-22s  %s\n", left, rows[i].about);
	}
}
