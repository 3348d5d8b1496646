/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listing: the files below a path with their state, for ls and du.
 */
#ifndef DELTAFSCTL_LISTING_H
#define DELTAFSCTL_LISTING_H

#include "ctl.h"
#include "store/walk.h"

struct ctl_listed {
	char *path;		/* as shown: below what was asked for, a hub blob by its name */
	const char *state;	/* "plain", "compressed" (exactly), "lossy", "newer", "broken" */
	uint64_t original_bytes;
	uint64_t stored_bytes;	/* blocks on disk */
	char base[9];		/* the first digits of the model's ID; "" */
};

struct ctl_listing {
	struct ctl_listed *files;
	size_t n;
	struct ctl *ctl;
	char *top;		/* what was asked for */
	const char *rel;	/* the same as a path below the root; only during the walk */
	size_t below;		/* how much of a shown path it is, with its slash */
	bool is_file;		/* it is a file, and the only one */
};

/* ctl_listing_make() - walk @path, which may be in a mount. Return: 0; errors of the walk. */
int ctl_listing_make(struct ctl *ctl, const char *path, struct ctl_listing *listing, struct dfs_err *err);
void ctl_listing_release(struct ctl_listing *listing);

DFS_AUTO_KIND(listing, struct ctl_listing, ctl_listing_release(p));

#endif
