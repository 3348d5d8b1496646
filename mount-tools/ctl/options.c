/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options: getopt_long() made from the table.
 *
 * getopt's own messages name neither the command nor a near word, so ours are
 * printed instead.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/nearest.h"

#define MAX 16
/* What getopt_long() returns for row i of the table: beyond any letter. */
#define ROW 256

/* Options of every command. */
static const struct ctl_option common[] = {
	{ 'h', "help", NULL, offsetof(struct ctl, help), "show this" },
};

static const struct ctl_option *row(const struct ctl_command *command, size_t i)
{
	return i < command->n_options ? &command->options[i] : &common[i - command->n_options];
}

static size_t n_rows(const struct ctl_command *command)
{
	return command->n_options + sizeof(common) / sizeof(common[0]);
}

/* The table as getopt wants it. */
struct getopt_table {
	char letters[2 * MAX + 4];
	struct option names[MAX + 2];
	const char *words[MAX + 2];	/* for the nearest */
	size_t n_words;
};

static void table_make(const struct ctl_command *command, struct getopt_table *t)
{
	char *letter = t->letters;
	size_t n = 0;

	*letter++ = ':';	/* tell a missing value from an unknown option */
	for (size_t i = 0; i < n_rows(command); i++) {
		const struct ctl_option *o = row(command, i);

		if (o->letter)
			*letter++ = o->letter;
		if (o->letter && o->meta)
			*letter++ = ':';
		if (!o->name)
			continue;
		t->words[n] = o->name;
		t->names[n++] = (struct option){ o->name, o->meta ? required_argument : no_argument, NULL, ROW + (int)i };
	}
	*letter = '\0';
	t->names[n] = (struct option){ 0 };
	t->n_words = n;
}

static const struct ctl_option *option_of(const struct ctl_command *command, int got)
{
	if (got >= ROW)
		return row(command, (size_t)got - ROW);
	for (size_t i = 0; i < n_rows(command); i++)
		if (row(command, i)->letter == got)
			return row(command, i);
	return NULL;
}

static int option_set(struct ctl *ctl, const struct ctl_option *o, const char *value)
{
	void *field = (char *)ctl + o->field;
	unsigned long number;
	char *end;

	if (!o->meta) {
		*(bool *)field = true;
		return CTL_DONE;
	}
	if (strcmp(o->meta, "N")) {
		*(const char **)field = value;
		return CTL_DONE;
	}
	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno || *end || end == value || *value == '-' || number == 0 || number > 4096)
		return ctl_usage(ctl, "--%s: \"%s\" is no number from 1 to 4096", o->name, value);
	*(unsigned *)field = (unsigned)number;
	return CTL_DONE;
}

static int option_unknown(const struct ctl *ctl, const struct getopt_table *t, const char *word)
{
	const char *near;

	if (strncmp(word, "--", 2))
		return ctl_usage(ctl, "no option -%c", optopt);
	near = dfs_nearest(word + 2, t->words, t->n_words);
	if (near)
		return ctl_usage(ctl, "no option %s; did you mean --%s?", word, near);
	return ctl_usage(ctl, "no option %s", word);
}

int ctl_options_parse(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_command *command = ctl->command;
	struct getopt_table table;
	int got, ret = CTL_DONE;

	table_make(command, &table);
	opterr = 0;
	optind = 0;		/* start anew, also after main() has looked for -h and -V */
	while (ret == CTL_DONE && (got = getopt_long(argc, argv, table.letters, table.names, NULL)) >= 0) {
		if (got == '?')
			ret = option_unknown(ctl, &table, argv[optind - 1]);
		else if (got == ':')
			ret = ctl_usage(ctl, "%s needs a value", argv[optind - 1]);
		else
			ret = option_set(ctl, option_of(command, got), optarg);
	}
	ctl->args = argv + optind;
	ctl->n_args = argc - optind;
	if (ret != CTL_DONE || ctl->help)
		return ret;
	if (ctl->n_args < command->min_args)
		return ctl_usage(ctl, "something is missing: %s %s", command->name, command->synopsis);
	if (command->max_args >= 0 && ctl->n_args > command->max_args)
		return ctl_usage(ctl, "\"%s\" is one argument too many", ctl->args[command->max_args]);
	return CTL_DONE;
}

static void print_option(const struct ctl_option *o, int width)
{
	char text[64];
	int len = 0;

	if (o->letter)
		len += snprintf(text, sizeof(text), "-%c", o->letter);
	else
		len += snprintf(text, sizeof(text), "   ");
	if (o->name)
		len += snprintf(text + len, sizeof(text) - len, "%s--%s", o->letter ? ", " : " ", o->name);
	if (o->meta)
		snprintf(text + len, sizeof(text) - len, " %s", o->meta);
	printf("  %-*s  %s\n", width, text, o->help);
}

void ctl_options_help(const struct ctl_command *command)
{
	printf("Usage: deltafsctl %s %s\n%s.\n\n", command->name, command->synopsis, command->about);
	for (size_t i = 0; i < n_rows(command); i++)
		print_option(row(command, i), 24);
	printf("\nSee deltafsctl(1).\n");
}
