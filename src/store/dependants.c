/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dependants: which containers of a store need which base files.
 *
 * A flat list of (base, container) pairs: a store has at most some ten
 * thousand containers with a handful of bases each.
 */
#include "store/dependants.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/claim.h"
#include "store/internal.h"
#include "store/walk.h"

struct dependant {
	uint64_t original_bytes, stored_bytes;
};

struct need {
	struct dfs_hash base;
	size_t dependant;	/* index */
};

struct dfs_dependants {
	struct dfs_buf dependants;	/* struct dependant[] */
	struct dfs_buf needs;		/* struct need[], in order of dependant */
	uint64_t unreadable;
};

static size_t n_dependants(const struct dfs_dependants *d)
{
	return d->dependants.len / sizeof(struct dependant);
}

static int note_file(void *arg, const struct dfs_walk_file *file)
{
	struct dfs_dependants *d = arg;
	DFS_AUTO(container) struct dfs_container *c = NULL;
	struct dependant dependant = { file->claim.original_size,
				       (uint64_t)file->st.st_blocks * 512 };
	struct need need = { .dependant = n_dependants(d) };
	int ret;

	if (file->claim.kind == DFS_PLAIN)
		return 0;
	if (file->claim.kind != DFS_CONTAINER ||
	    dfs_container_load(file->fd, &file->claim.sb, &c, NULL) < 0) {
		d->unreadable++;
		return 0;
	}
	ret = dfs_buf_append(&d->dependants, &dependant, sizeof(dependant));
	for (uint32_t i = 0; ret == 0 && i < c->n_bases; i++) {
		need.base = c->bases[i].hash;
		ret = dfs_buf_append(&d->needs, &need, sizeof(need));
	}
	return ret;
}

static void note_failure(void *arg, const char *path, int ret, const char *why)
{
	struct dfs_dependants *d = arg;

	(void)path, (void)ret, (void)why;
	d->unreadable++;
}

int dfs_dependants_count(const struct dfs_store *store, struct dfs_dependants **ret_dependants,
			 struct dfs_err *err)
{
	static const struct dfs_walk_ops ops = { note_file, note_failure };
	DFS_AUTO(dependants) struct dfs_dependants *d = calloc(1, sizeof(*d));
	int ret;

	if (!d)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_walk(store->fd, "", &ops, d, err);
	if (ret == -ENOMEM)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (ret < 0)
		return ret;
	*ret_dependants = dfs_steal(&d);
	return 0;
}

void dfs_dependants_free(struct dfs_dependants *d)
{
	if (!d)
		return;
	dfs_buf_release(&d->dependants);
	dfs_buf_release(&d->needs);
	free(d);
}

static bool among(struct dfs_hash hash, const struct dfs_hash *hashes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (dfs_hash_equal(hash, hashes[i]))
			return true;
	}
	return false;
}

struct dfs_dependants_sum dfs_dependants_of(const struct dfs_dependants *d,
					    const struct dfs_hash *hashes, size_t n)
{
	const struct dependant *dependants = (const struct dependant *)d->dependants.data;
	const struct need *needs = (const struct need *)d->needs.data;
	size_t n_needs = d->needs.len / sizeof(*needs);
	struct dfs_dependants_sum sum = { 0 };
	size_t last = SIZE_MAX;

	for (size_t i = 0; i < n_needs; i++) {
		if (needs[i].dependant == last || !among(needs[i].base, hashes, n))
			continue;
		last = needs[i].dependant;
		sum.n++;
		sum.original_bytes += dependants[last].original_bytes;
		sum.stored_bytes += dependants[last].stored_bytes;
	}
	return sum;
}

uint64_t dfs_dependants_unreadable(const struct dfs_dependants *d)
{
	return d->unreadable;
}
