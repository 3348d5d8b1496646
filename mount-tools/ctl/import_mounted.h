/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_mounted: a container into a store that is mounted read-write.
 *
 * What is written through a mount is never read as a container. So it is
 * decoded into the mount, as any user could write the file, and the daemon
 * codes it again, against the same base: the same container, for the room of
 * the plain file meanwhile.
 */
#ifndef DELTAFSCTL_IMPORT_MOUNTED_H
#define DELTAFSCTL_IMPORT_MOUNTED_H

#include "daemon.h"
#include "session.h"
#include "transfer.h"

/* The directory that containers go to. All zero but the descriptor: none. */
struct ctl_import_dir {
	struct ctl_daemon daemon;	/* of the directory, in the mount */
	char *store;			/* what is mounted there */
};

/**
 * ctl_import_dir_open() - the daemon that writes to the store of directory @path
 * @ret_dir: ctl_import_dir_release() it in any case
 * Return: 1; 0: there is none; -errno with a sentence.
 */
int ctl_import_dir_open(const char *path, struct ctl_import_dir *ret_dir, struct dfs_err *err);
void ctl_import_dir_release(struct ctl_import_dir *dir);

DFS_AUTO_KIND(import_dir, struct ctl_import_dir, ctl_import_dir_release(p));

/**
 * ctl_import_mounted() - bring a container to @name in the directory
 * @path: of the container, opened as @parcel
 * @session: of a reader; is in the store afterwards
 * @name: nothing has it
 *
 * Its bases must be there. That it stays plain, and why, is said, and is no
 * failure. Return: 0; -ENOENT: a base is missing; errors of reading, decoding
 * and writing.
 */
int ctl_import_mounted(const struct ctl_import_dir *dir, struct ctl_session *session, const char *path,
		       const struct ctl_parcel *parcel, const char *name, struct dfs_err *err);

#endif
