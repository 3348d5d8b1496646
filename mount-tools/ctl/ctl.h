/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl: what the commands of deltafsctl share.
 *
 * A command is one row: its name, its options, its function. main() parses
 * the options into struct ctl and calls the function, whose return is the exit
 * code. Results go to stdout, as lines or, with --json, as one object at the
 * end; failures and progress go to stderr.
 */
#ifndef DELTAFSCTL_CTL_H
#define DELTAFSCTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"
#include "util/auto.h"
#include "util/err.h"

DFS_AUTO_KIND(json, json_t *, if (*p) json_decref(*p));

enum ctl_exit { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

struct ctl_command;

struct ctl {
	const struct ctl_command *command;

	/* options; a command sees only those of its table */
	bool again;
	bool by_reference;
	bool fast;
	bool help;
	bool json;
	bool recursive;
	bool tensors;
	bool thaw;
	bool watch;
	bool yes;
	unsigned threads;
	const char *base;
	const char *codec;
	const char *exact_norm;
	const char *norm;
	const char *out;
	const char *rebase;
	const char *timeout;

	/* arguments */
	char **args;
	int n_args;

	json_t *report;		/* with --json: the object that is printed at the end */
	unsigned failures;
};

/* How a value is read, told by what stands for it in the help. */
struct ctl_option {
	char letter;		/* 0: none */
	const char *name;	/* NULL: none */
	const char *meta;	/* NULL: a flag; "N": a number; else text */
	size_t field;		/* in struct ctl */
	const char *help;	/* a sentence, without full stop */
};

struct ctl_command {
	const char *name;
	const char *synopsis;	/* what stands behind the name */
	const char *about;	/* one sentence */
	const struct ctl_option *options;
	size_t n_options;
	int min_args, max_args;	/* max_args -1: any number */
	int (*run)(struct ctl *ctl);
};

extern const struct ctl_command ctl_encode, ctl_decode, ctl_verify, ctl_info, ctl_estimate;
extern const struct ctl_command ctl_base_add, ctl_base_list, ctl_base_remove;
extern const struct ctl_command ctl_policy_set, ctl_policy_unset, ctl_policy_show;
extern const struct ctl_command ctl_accept, ctl_revert;
extern const struct ctl_command ctl_import, ctl_export, ctl_ls, ctl_du, ctl_status, ctl_wait;

/* ctl_say() - a line of the result, to stdout; nothing with --json */
void ctl_say(const struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ctl_warn() - a line to stderr, behind "deltafsctl: " */
void ctl_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ctl_fail() - the command as a whole cannot go on. Return: CTL_FAILED. */
int ctl_fail(struct ctl *ctl, const struct dfs_err *err);

/* ctl_usage() - it was called wrongly; says why and where help is. Return: CTL_USAGE. */
int ctl_usage(const struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ctl_usage_codec() - the same of a SPEC, whose options no help has. @what: gave it: "--codec" */
int ctl_usage_codec(const struct ctl *ctl, const char *what, const struct dfs_err *err);

#endif
