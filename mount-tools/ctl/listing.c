/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listing: see listing.h. */
#include "listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mounts.h"

void ctl_listing_release(struct ctl_listing *listing)
{
	for (size_t i = 0; i < listing->n; i++)
		free(listing->files[i].path);
	free(listing->files);
	*listing = (struct ctl_listing){ 0 };
}

static const char *state_of(enum dfs_claim_kind kind)
{
	static const char *const states[] = {
		[DFS_PLAIN] = "plain", [DFS_CONTAINER] = "compressed",
		[DFS_CONTAINER_NEWER] = "newer", [DFS_CONTAINER_BROKEN] = "broken",
	};

	return states[kind];
}

static void read_base(const struct dfs_walk_file *file, char base[9])
{
	struct dfs_container *c = NULL;
	char hex[DFS_HASH_HEX];

	base[0] = '\0';
	if (file->claim.kind != DFS_CONTAINER || dfs_container_load(file->fd, &file->claim.sb, &c, NULL) < 0)
		return;
	if (c->n_bases)
		snprintf(base, 9, "%s", dfs_hash_hex(c->bases[0].model, hex));
	dfs_container_free(c);
}

static int add_file(void *arg, const struct dfs_walk_file *file)
{
	struct ctl_listing *l = arg;
	struct ctl_listed *more = l->files;
	struct ctl_listed *new;

	/* Grows by doubling: a power of two is full. */
	if ((l->n & (l->n - 1)) == 0)
		more = reallocarray(l->files, l->n ? 2 * l->n : 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	l->files = more;
	new = &more[l->n];
	*new = (struct ctl_listed){
		.state = state_of(file->claim.kind),
		.original_bytes = file->claim.original_size,
		.stored_bytes = (uint64_t)file->st.st_blocks * 512,
	};
	read_base(file, new->base);
	if (asprintf(&new->path, "%s%s%s", l->top, *l->top ? "/" : "", dfs_walk_name(file)) < 0)
		return -ENOMEM;
	l->n++;
	return ctl_interrupted() ? -ECANCELED : 0;
}

static void cannot(void *arg, const char *path, int ret, const char *why)
{
	struct ctl_listing *l = arg;

	(void)ret;
	ctl_warn("%s: %s", path, why);
	l->ctl->failures++;
}

int ctl_listing_make(struct ctl *ctl, const char *path, struct ctl_listing *listing, struct dfs_err *err)
{
	static const struct dfs_walk_ops ops = { .file = add_file, .fail = cannot };
	DFS_AUTO(mem) char *behind = ctl_mount_behind(path, err);
	DFS_AUTO(fd) int dir = -1;
	char *slash;

	*listing = (struct ctl_listing){ .ctl = ctl, .top = "" };
	if (!behind)
		return -ENOENT;
	dir = open(behind, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		listing->top = strcmp(path, ".") ? path : "";
		return dfs_walk(dir, "", &ops, listing, err);
	}
	if (errno != ENOTDIR)
		return dfs_fail_errno(err, "%s", path);
	/* A file: its directory, and the walk of one. */
	slash = strrchr(behind, '/');
	*slash = '\0';
	dir = open(slash == behind ? "/" : behind, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return dfs_fail_errno(err, "%s", behind);
	return dfs_walk(dir, slash + 1, &ops, listing, err);
}
