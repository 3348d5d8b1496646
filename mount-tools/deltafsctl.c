/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deltafsctl: everything that is done to a store by hand.
 *
 * This file finds the command; each command is one file in ctl/.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/options.h"
#include "ctl/text.h"
#include "util/nearest.h"
#include "util/rounding.h"
#include "version.h"

static const struct ctl_command *const commands[] = {
	&ctl_encode, &ctl_decode, &ctl_verify, &ctl_info, &ctl_estimate,
	&ctl_base_add, &ctl_base_list, &ctl_base_remove,
	&ctl_policy_set, &ctl_policy_unset, &ctl_policy_show,
	&ctl_accept, &ctl_revert,
	&ctl_import, &ctl_export, &ctl_ls, &ctl_du, &ctl_status, &ctl_wait,
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

void ctl_say(const struct ctl *ctl, const char *fmt, ...)
{
	va_list args;

	if (ctl->json)
		return;
	va_start(args, fmt);
	ctl_put_line(stdout, fmt, args);
	va_end(args);
}

void ctl_warn(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("deltafsctl: ", stderr);
	va_start(args, fmt);
	ctl_put_line(stderr, fmt, args);
	va_end(args);
}

int ctl_fail(struct ctl *ctl, const struct dfs_err *err)
{
	ctl_warn("%s", err->text);
	ctl->failures++;
	if (ctl->report)
		json_object_set_new(ctl->report, "error", ctl_string(err->text));
	return CTL_FAILED;
}

int ctl_usage(const struct ctl *ctl, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ctl_warn("%s (see `deltafsctl %s -h`)", text, ctl->command->name);
	if (ctl->report)
		json_object_set_new(ctl->report, "error", ctl_string(text));
	return CTL_USAGE;
}

int ctl_usage_codec(const struct ctl *ctl, const char *what, const struct dfs_err *err)
{
	ctl_warn("%s: %s (see deltafs-codecs(7))", what, err->text);
	if (ctl->report)
		json_object_set_new(ctl->report, "error", ctl_string(err->text));
	return CTL_USAGE;
}

static void help(void)
{
	printf("Usage: deltafsctl COMMAND [OPTION]... ARGUMENT...\n"
	       "Keep fine-tuned models as compressed differences from their bases.\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-12s  %s\n", commands[i]->name, commands[i]->about);
	printf("\n  -h, --help     show this, or the options of a COMMAND\n"
	       "  -V, --version  show what this build reads, writes and runs\n"
	       "\nSee deltafsctl(1), deltafs(7).\n");
}

/* "base add" is one command of two words. */
static bool is_command(const struct ctl_command *command, int argc, char **argv, int *ret_words)
{
	const char *space = strchr(command->name, ' ');
	size_t len = space ? (size_t)(space - command->name) : strlen(command->name);

	*ret_words = space ? 2 : 1;
	if (argc < 1 + *ret_words || strlen(argv[1]) != len || strncmp(argv[1], command->name, len))
		return false;
	return !space || !strcmp(argv[2], space + 1);
}

static int unknown(int argc, char **argv)
{
	const char *words[N_COMMANDS + 1], *near;
	char asked[128];

	for (size_t i = 0; i < N_COMMANDS; i++)
		words[i] = commands[i]->name;
	snprintf(asked, sizeof(asked), "%s", argv[1]);
	if (!strcmp(argv[1], "base") || !strcmp(argv[1], "policy"))
		snprintf(asked, sizeof(asked), "%s %s", argv[1], argc > 2 ? argv[2] : "");
	near = dfs_nearest(asked, words, N_COMMANDS);
	if (near)
		ctl_warn("no command \"%s\"; did you mean \"%s\"?", asked, near);
	else
		ctl_warn("no command \"%s\"; `deltafsctl -h` lists them", asked);
	return CTL_USAGE;
}

/* Results that did not reach their reader are a failure. */
static int finish(struct ctl *ctl, int code)
{
	if (ctl->report) {
		json_dumpf(ctl->report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
		putchar('\n');
		json_decref(ctl->report);
	}
	if (fflush(stdout) || ferror(stdout)) {
		ctl_warn("write to standard output: %s", strerror(errno));
		return CTL_FAILED;
	}
	return code;
}

static int run(const struct ctl_command *command, int argc, char **argv)
{
	struct ctl ctl = { .command = command };
	int code = ctl_options_parse(&ctl, argc, argv);

	if (code != CTL_DONE)
		return code;
	if (ctl.help) {
		ctl_options_help(command);
		return finish(&ctl, CTL_DONE);
	}
	if (ctl.json) {
		ctl.report = json_pack("{s:i, s:s}", "version", 1, "command", command->name);
		if (!ctl.report) {
			ctl_warn("out of memory");
			return CTL_FAILED;
		}
	}
	ctl_process_prepare();
	code = command->run(&ctl);
	if (code == CTL_DONE && ctl.failures)
		code = CTL_FAILED;
	return finish(&ctl, code);
}

int main(int argc, char **argv)
{
	int words;

	dfs_rounding_default();
	if (argc < 2) {
		ctl_warn("no command; `deltafsctl -h` lists them");
		return CTL_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		help();
		return CTL_DONE;
	}
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		version_print("deltafsctl");
		return CTL_DONE;
	}
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (is_command(commands[i], argc, argv, &words))
			return run(commands[i], argc - words, argv + words);
	return unknown(argc, argv);
}
