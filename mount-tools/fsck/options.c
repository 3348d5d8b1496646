/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options: see options.h. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "util/nearest.h"

static const struct row {
	int letter;		/* below ' ': it has none */
	const char *name;	/* NULL: none */
	const char *meta;	/* of its value */
	size_t field;		/* a bool, or unsigned where there is a value */
	const char *help;
} rows[] = {
	{ 'n', NULL, NULL, offsetof(struct fsck_options, no), "change nothing, only look (so it is without -a, -p or -y)" },
	{ 'a', NULL, NULL, offsetof(struct fsck_options, preen), "the same as -p" },
	{ 'p', NULL, NULL, offsetof(struct fsck_options, preen), "repair what can be without losing anything" },
	{ 'y', NULL, NULL, offsetof(struct fsck_options, all), "repair all that can be; also free bases that nobody needs" },
	{ 'f', "full", NULL, offsetof(struct fsck_options, full), "decode every chunk, and read every base" },
	{ 'v', "verbose", NULL, offsetof(struct fsck_options, verbose), "name each container as it is looked at" },
	{ 'C', NULL, NULL, offsetof(struct fsck_options, progress), "show progress on a terminal" },
	{ 1, "threads", "N", offsetof(struct fsck_options, threads), "threads that decode (one a CPU)" },
	{ 2, "json", NULL, offsetof(struct fsck_options, json), "one JSON object instead of lines" },
	{ 'h', "help", NULL, offsetof(struct fsck_options, help), "show this" },
	{ 'V', "version", NULL, offsetof(struct fsck_options, version), "show what this build reads, writes and runs" },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* fsck(8) writes a descriptor behind -C, for programs that talk to it. */
static const char letters[] = ":napyfvC::hV";

static int usage(const char *fmt, const char *what)
{
	char text[512];

	snprintf(text, sizeof(text), fmt, what);
	fsck_warn("%s (see `fsck.deltafs -h`)", text);
	return FSCK_USAGE;
}

static int set(struct fsck_options *options, int letter, const char *value)
{
	unsigned long number;
	size_t i = 0;
	char *end;

	while (rows[i].letter != letter)
		i++;
	if (!rows[i].meta) {
		*(bool *)((char *)options + rows[i].field) = true;
		return 0;
	}
	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno || *end || end == value || *value == '-' || number == 0 || number > 4096)
		return usage("--threads: \"%s\" is no number from 1 to 4096", value);
	*(unsigned *)((char *)options + rows[i].field) = (unsigned)number;
	return 0;
}

static int unknown(const char *word)
{
	const char *names[N_ROWS], *near;
	char letter[2] = { (char)optopt, 0 };
	size_t n = 0;

	if (strncmp(word, "--", 2))
		return usage("no option -%s", letter);
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].name)
			names[n++] = rows[i].name;
	near = dfs_nearest(word + 2, names, n);
	return near ? usage("no such option; did you mean --%s?", near) : usage("no option %s", word);
}

static int judge(const struct fsck_options *o, int argc, char **argv)
{
	if (o->help || o->version)
		return 0;
	if (o->no && (o->preen || o->all))
		return usage("-n changes nothing, so it does not go with -%s", o->preen ? "p" : "y");
	if (argc == optind)
		return usage("%s is missing", "STORE");
	if (argc > optind + 1)
		return usage("\"%s\" is one argument too many", argv[optind + 1]);
	return 0;
}

int fsck_options_parse(int argc, char **argv, struct fsck_options *ret_options)
{
	struct option names[N_ROWS + 1] = { 0 };
	size_t n = 0;
	int got, ret = 0;

	*ret_options = (struct fsck_options){ 0 };
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].name)
			names[n++] = (struct option){ rows[i].name, rows[i].meta ? required_argument : no_argument, NULL, rows[i].letter };
	opterr = 0;
	while (ret == 0 && (got = getopt_long(argc, argv, letters, names, NULL)) >= 0) {
		if (got == '?')
			ret = unknown(argv[optind - 1]);
		else if (got == ':')
			ret = usage("%s needs a value", argv[optind - 1]);
		else
			ret = set(ret_options, got, optarg);
	}
	if (ret == 0)
		ret = judge(ret_options, argc, argv);
	ret_options->store = argv[optind];
	return ret;
}

void fsck_options_help(void)
{
	printf("Usage: fsck.deltafs [OPTION]... STORE\nCheck a store of compressed models, and repair what can be.\n\n");
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];
		char text[64];

		if (r->letter < ' ')
			snprintf(text, sizeof(text), "    --%s%s%s", r->name, r->meta ? " " : "", r->meta ? r->meta : "");
		else
			snprintf(text, sizeof(text), "-%c%s%s", r->letter, r->name ? ", --" : "", r->name ? r->name : "");
		printf("  %-16s  %s\n", text, r->help);
	}
	printf("\nSee fsck.deltafs(8).\n");
}
