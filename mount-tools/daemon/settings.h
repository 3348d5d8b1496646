/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings: what the command line of deltafs and of mount.deltafs asks for.
 */
#ifndef DELTAFS_SETTINGS_H
#define DELTAFS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "store/expand.h"
#include "util/bytes.h"
#include "util/err.h"

enum deltafs_blocks { BLOCKS_STORED, BLOCKS_LOGICAL };

struct settings {
	char *store;			/* as written */
	char *mountpoint;		/* as written */
	struct dfs_paths bases;		/* base=, absolute */
	char *codec;
	char *log;			/* absolute */
	size_t cache;			/* bytes; 0: default */
	size_t readahead;		/* bytes */
	unsigned threads;		/* 0: one a CPU */
	unsigned quiet;			/* seconds */
	int blocks;			/* enum deltafs_blocks */
	bool ro, rw, noingest, nowriteback, allow_other;
	bool foreground, debug, single_thread;
	bool help, version;
	bool helper;			/* called as mount.deltafs */
	bool fake, sloppy;		/* of mount(8): -f, -s */
	struct dfs_buf passed;		/* options that are mount(2)'s, with commas; a string if len > 0 */
};

/*
 * Called as mount.deltafs or mount.fuse.deltafs, exit statuses are mount(8)'s.
 */
enum deltafs_failure { FAILED_USAGE, FAILED_SYSTEM, FAILED_MOUNT };
int settings_status(const struct settings *settings, enum deltafs_failure failure);

/**
 * settings_parse() - read the command line
 * Return: 0; -EINVAL with a sentence; -ENOENT if a named base is missing; -ENOMEM.
 */
int settings_parse(struct settings *settings, int argc, char **argv, struct dfs_err *err);
void settings_release(struct settings *settings);

/* settings_help() - to standard output, from the same table */
void settings_help(const char *program);

#endif
