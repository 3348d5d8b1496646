/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transfer: containers as they are, from store to store.
 */
#ifndef DELTAFSCTL_TRANSFER_H
#define DELTAFSCTL_TRANSFER_H

#include "ctl.h"
#include "format/container.h"
#include "session.h"
#include "store/claim.h"

/* An opened container. */
struct ctl_parcel {
	int fd;
	struct dfs_claim claim;
	struct dfs_container *c;
};

/* ctl_parcel_open() - open and check a container: metadata and payload hashes. Return: 0; -EINVAL: plain; -EUCLEAN, ... */
int ctl_parcel_open(struct ctl_parcel *parcel, const char *path, struct dfs_err *err);
void ctl_parcel_release(struct ctl_parcel *parcel);

DFS_AUTO_KIND(parcel, struct ctl_parcel, ctl_parcel_release(p));

/* ctl_copy_bytes() - @size bytes to an empty file; @name is what is copied. Return: 0; -ECANCELED; errors of reading and writing. */
int ctl_copy_bytes(int fd, const char *name, uint64_t size, int out_fd, struct dfs_err *err);

/* ctl_parcel_copy() - its bytes, rights and times to an empty file. Return: 0; -ECANCELED; errors of reading and writing. */
int ctl_parcel_copy(const struct ctl_parcel *parcel, const char *name, int out_fd, struct dfs_err *err);

/**
 * ctl_parcel_say() - the bases it needs, and which of them are missing
 * @s: whose bases are looked through; NULL: none are
 * Return: how many are missing.
 */
unsigned ctl_parcel_say(struct ctl *ctl, const char *path, const struct ctl_parcel *parcel,
			struct ctl_session *s);

#endif
