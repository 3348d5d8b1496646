/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listing: see listing.h. */
#include "listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"

void ctl_listing_release(struct ctl_listing *listing)
{
	for (size_t i = 0; i < listing->n; i++)
		free(listing->files[i].path);
	free(listing->files);
	free(listing->top);
	*listing = (struct ctl_listing){ 0 };
}

static const char *state_of(const struct dfs_claim *claim)
{
	static const char *const states[] = {
		[DFS_PLAIN] = "plain", [DFS_CONTAINER] = "compressed",
		[DFS_CONTAINER_NEWER] = "newer", [DFS_CONTAINER_BROKEN] = "broken",
	};

	if (dfs_claim_lossy(claim))
		return "lossy";
	return states[claim->kind];
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

/* @path is below the root, where the walk is. Return: as it was asked for: free() it; NULL: out of memory. */
static char *shown(const struct ctl_listing *l, const char *path)
{
	size_t len = strlen(l->rel);
	char *name;
	int ret;

	if (strncmp(path, l->rel, len) || (len && path[len] && path[len] != '/'))
		ret = asprintf(&name, "/%s", path);
	else if (!path[len])
		ret = asprintf(&name, "%s", l->top);
	else
		ret = asprintf(&name, "%.*s%s%s", (int)l->below, l->top, l->below > strlen(l->top) ? "/" : "",
			       path + len + (path[len] == '/'));
	return ret < 0 ? NULL : name;
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
		.state = state_of(&file->claim),
		.original_bytes = file->claim.original_size,
		.stored_bytes = (uint64_t)file->st.st_blocks * 512,
	};
	read_base(file, new->base);
	new->path = shown(l, dfs_walk_name(file));
	if (!new->path)
		return -ENOMEM;
	l->n++;
	return ctl_interrupted() ? -ECANCELED : 0;
}

static void cannot(void *arg, const char *path, int ret, const char *why)
{
	struct ctl_listing *l = arg;
	DFS_AUTO(mem) char *name = shown(l, path);

	(void)ret;
	ctl_warn("%s: %s", name ? name : path, why);
	l->ctl->failures++;
}

/* The walk is of the root, so that links of a snapshot lead to blobs inside it. */
static int walk(struct ctl_listing *l, const char *behind, struct dfs_err *err)
{
	static const struct dfs_walk_ops ops = { .file = add_file, .fail = cannot };
	DFS_AUTO(fd) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (root < 0)
		return dfs_fail_errno(err, "/");
	if (stat(behind, &st) < 0)
		return dfs_fail_errno(err, "%s", l->top);
	l->is_file = S_ISREG(st.st_mode);
	if (!l->is_file && !S_ISDIR(st.st_mode))
		return dfs_fail(err, EINVAL, "%s: neither a file nor a directory", l->top);
	l->rel = behind + 1;
	return dfs_walk(root, l->rel, &ops, l, err);
}

int ctl_listing_make(struct ctl *ctl, const char *path, struct ctl_listing *listing, struct dfs_err *err)
{
	DFS_AUTO(mem) char *behind = ctl_mount_behind(path, err);
	size_t len = strlen(path);

	*listing = (struct ctl_listing){ .ctl = ctl };
	if (!behind)
		return -ENOENT;
	while (len > 1 && path[len - 1] == '/')
		len--;
	listing->top = strndup(path, len);
	if (!listing->top)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (strcmp(listing->top, "."))
		listing->below = len + (path[len - 1] != '/');
	return walk(listing, behind, err);
}
