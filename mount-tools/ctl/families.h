/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * families: the models among files never seen before, and a base for each.
 *
 * Files whose names say that they are shards (NAME-00001-of-00002) of one
 * directory are one model. Models with the same tensors are a family, in which
 * dfs_family_plan() chooses. Nothing is written.
 */
#ifndef DELTAFSCTL_FAMILIES_H
#define DELTAFSCTL_FAMILIES_H

#include "ctl.h"
#include "walk.h"

#define CTL_NO_MODEL SIZE_MAX

struct ctl_planned_model {
	char **paths;		/* of its files; owned */
	size_t n_paths;
	char *shown;		/* what it is called: the file, or the directory of its shards */
	uint64_t bytes;
	size_t family;
	size_t base;		/* a model; itself if it is to be a base; CTL_NO_MODEL: alone */
	uint64_t alone, stored;	/* estimated */
	bool lonely;		/* no other model has its tensors */
};

struct ctl_planned_file {
	size_t model;		/* CTL_NO_MODEL: it is none, and why says why */
	const char *why;
	uint64_t bytes;		/* as shown */
	uint64_t stored;	/* of what is there now */
	bool plain;		/* not compressed yet */
};

struct ctl_families {
	struct ctl_planned_model *models;
	size_t n_models;
	struct ctl_planned_file *files;	/* as given */
	size_t n_files;
};

/* ctl_families_make() - what cannot be read is said and counted. Return: 0; -ECANCELED, -ENOMEM. */
int ctl_families_make(struct ctl *ctl, const struct ctl_files *files, struct ctl_families *ret_families,
		      struct dfs_err *err);
void ctl_families_release(struct ctl_families *families);

DFS_AUTO_KIND(families, struct ctl_families, ctl_families_release(p));

/* ctl_families_path() - the path by which dfs_registry_add() finds a model; free() it; NULL: out of memory */
char *ctl_families_path(const struct ctl_planned_model *model);

#endif
