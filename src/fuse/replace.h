/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replace: deltafs puts another file of the store in the place of a node's:
 * its container, or its plain form. Nobody is to notice: the node stays, and
 * with it number and names; who has it open goes on with the new file.
 *
 * But for a container that gives up bits: that is another file of the same
 * name, with a node, number and times of its own. The old node keeps the old
 * file for those who have it open; who comes by the name to change it is sent
 * to the new one, see dfs_node_was_left().
 */
#ifndef DFS_FUSE_REPLACE_H
#define DFS_FUSE_REPLACE_H

#include "fuse/open.h"
#include "store/publish.h"

/* What of a file's content is in the file that takes its place. */
enum dfs_replaces {
	DFS_REPLACES_SAME,	/* all of it */
	DFS_REPLACES_WRITTEN,	/* and what somebody wrote */
	DFS_REPLACES_EMPTIED,	/* nothing */
};

struct dfs_replacement {
	struct dfs_mount *mount;
	struct dfs_node *node;		/* referenced; NULL: the kernel does not hold the file */
	bool still;			/* nobody may have it open for writing */
	bool keep_ctime;		/* the content is the same */
	bool anew;			/* it is another one: as if somebody had renamed a file over it */
	int old_fd;			/* anew: of the old file, for those who have it; -1 once taken */
	uint64_t shown_size;		/* of the new file */
	struct dfs_content *content;	/* the new file, for those who have it open; taken when they get it; may be NULL */
	struct stat before;		/* of the file that is replaced, as it is shown in the end */
	struct dfs_node *parent;	/* of @node, referenced while it is replaced */
};

/* For struct dfs_publish; @arg is a struct dfs_replacement. */
int dfs_replace_enter(void *arg);	/* 0; -EBUSY: open for writing; -ESTALE: without a name */
void dfs_replace_leave(void *arg, const struct dfs_published *now);

/**
 * dfs_replace_hold() - keep a file of the store as it is, whether the kernel knows it or not
 * @fd: the file
 * @ret_r: dfs_replace_linked() ends it
 *
 * For a second name that nobody is to see: a pin. Return: 0; -EBUSY: somebody
 * has it open for writing; -ESTALE: without a name; -EAGAIN: looked up just
 * now, again and again; errors of fstat(2).
 */
int dfs_replace_hold(struct dfs_mount *mount, int fd, struct dfs_replacement *ret_r);

/* dfs_replace_linked() - @now: it has got that name; NULL: it has not */
void dfs_replace_linked(struct dfs_replacement *r, const struct stat *now);

/**
 * dfs_replace_plain() - a plain file takes the place of a container
 * @old_fd: the container
 * @tmp_fd, @tmp_name: complete; the name is gone afterwards
 * @what: with the same content the ctime stays
 *
 * A file that has no name any more is replaced for those who have it open.
 * Blocks on disks. Return: 0; errors of dfs_publish().
 */
int dfs_replace_plain(struct dfs_mount *mount, struct dfs_node *node, int old_fd, int tmp_fd, const char *tmp_name,
		      enum dfs_replaces what, struct dfs_err *err);

/**
 * dfs_replace_container() - a container takes the place of a plain file, whose bytes nobody misses
 * @old_fd: the plain file; the caller sees to it that nobody writes to it meanwhile
 * @tmp_fd, @tmp_name: complete, marked; the name is gone afterwards
 * @sb: the container's
 *
 * Who has the file open reads the container from then on; its room is reserved
 * when somebody writes to it. Blocks on disks.
 * Return: 0; -ESTALE: it has no name any more; -EMLINK: it has several; errors
 * of dfs_publish(), after one of which the container may be in place.
 */
int dfs_replace_container(struct dfs_mount *mount, struct dfs_node *node, int old_fd, int tmp_fd, const char *tmp_name,
			  const struct dfs_superblock *sb, struct dfs_err *err);

#endif
