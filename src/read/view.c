/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view: an open file, plain or container.
 *
 * READ: fuse, write/verify, tools -> this -> request.c
 */
#include "read/view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "read/internal.h"
#include "store/claim.h"
#include "util/auto.h"

void dfs_view_ref(struct dfs_view *view)
{
	atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
}

/* Those that need a base are known to their reader: see dfs_reader_uses(). */
static void enlist(struct dfs_view *view)
{
	struct dfs_reader *reader = view->reader;

	if (!view->container || !view->container->n_bases)
		return;
	pthread_mutex_lock(&reader->views_lock);
	view->next = reader->views;
	view->link = &reader->views;
	if (view->next)
		view->next->link = &view->next;
	reader->views = view;
	pthread_mutex_unlock(&reader->views_lock);
}

static void delist(struct dfs_view *view)
{
	pthread_mutex_lock(&view->reader->views_lock);
	if (view->link)
		*view->link = view->next;
	if (view->link && view->next)
		view->next->link = view->link;
	pthread_mutex_unlock(&view->reader->views_lock);
}

static void view_free(struct dfs_view *view)
{
	struct dfs_reader *reader = view->reader;

	delist(view);
	dfs_tables_forget(&reader->tables, view);
	dfs_names_forget(&reader->names, view);
	dfs_container_free(view->container);
	dfs_cache_dismiss(&reader->cache, view->metadata);
	pthread_mutex_destroy(&view->lock);
	if (view->fd >= 0)
		close(view->fd);
	free(view->pieces);
	free(view->checked);
	free(view->dropped);
	free(view->served);
	free(view->name);
	free(view);
}

void dfs_view_unref(struct dfs_view *view)
{
	if (atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) == 1)
		view_free(view);
}

DFS_AUTO_KIND(unopened, struct dfs_view *, if (*p) view_free(*p));

static struct dfs_view *view_new(struct dfs_reader *reader, const char *name)
{
	struct dfs_view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->reader = reader;
	view->fd = -1;
	atomic_init(&view->refs, 1);
	pthread_mutex_init(&view->lock, NULL);
	view->name = strdup(name);
	if (view->name)
		return view;
	view_free(view);
	return NULL;
}

/* The format's records of pieces, as predictors want them: two structs with one meaning. */
static int copy_pieces(struct dfs_view *view)
{
	const struct dfs_container *c = view->container;

	view->pieces = calloc((size_t)c->n_pieces + 1, sizeof(*view->pieces));
	if (!view->pieces)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_pieces; i++)
		view->pieces[i] = (struct dfs_piece){
			.len = c->pieces[i].len,
			.base_off = c->pieces[i].base_off,
			.file = c->pieces[i].file,
			.dtype = c->pieces[i].dtype,
		};
	return 0;
}

/* Loading takes the block as read besides: what that took may be others' now. */
static void count_kept(struct dfs_view *view)
{
	const struct dfs_container *c = view->container;
	uint64_t kept = c->memory + c->n_pieces * sizeof(*view->pieces) + c->n_segments + c->n_chunks +
			dfs_hint_runs(c);

	if (kept >= view->metadata)
		return;
	dfs_cache_dismiss(&view->reader->cache, view->metadata - kept);
	view->metadata = kept;
}

static int load(struct dfs_view *view, int fd, const struct dfs_claim *claim, struct dfs_err *err)
{
	int ret = dfs_cache_admit(&view->reader->cache, claim->sb.meta_len);

	if (ret < 0)
		return dfs_fail(err, ENOMEM, "%s: its metadata of %" PRIu64 " KiB needs a larger cache (-o cache=)%s",
				view->name, claim->sb.meta_len >> 10, ret == -ENOMEM ? ", or fewer open files" : "");
	view->metadata = claim->sb.meta_len * DFS_METADATA_COST;
	ret = dfs_container_load(fd, &claim->sb, &view->container, err);
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", view->name);
	view->checked = calloc((size_t)view->container->n_segments + 1, sizeof(*view->checked));
	view->dropped = calloc(dfs_hint_runs(view->container), sizeof(*view->dropped));
	view->served = calloc((size_t)view->container->n_chunks + 1, 1);
	if (!view->checked || !view->dropped || !view->served || copy_pieces(view) < 0)
		return dfs_fail(err, ENOMEM, "%s: out of memory", view->name);
	count_kept(view);
	view->size = view->container->sb.original_size;
	view->trusted = claim->trusted;
	return 0;
}

static int look(struct dfs_view *view, int fd, struct dfs_err *err)
{
	if (fstat(fd, &view->st) < 0)
		return dfs_fail_errno(err, "%s: fstat", view->name);
	if (!S_ISREG(view->st.st_mode))
		return dfs_fail(err, EINVAL, "%s: not a regular file", view->name);
	view->size = (uint64_t)view->st.st_size;
	return 0;
}

static int look_closer(struct dfs_view *view, int fd, struct dfs_err *err)
{
	struct dfs_claim claim;
	int ret = dfs_claim_check(fd, (uint64_t)view->st.st_size, &claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: %s", view->name, strerror(-ret));
	view->size = claim.original_size;
	switch (claim.kind) {
	case DFS_PLAIN:
		return 0;
	case DFS_CONTAINER:
		return load(view, fd, &claim, err);
	case DFS_CONTAINER_NEWER:
		return dfs_fail(err, ENOTSUP, "%s: %s", view->name, claim.why.text);
	default:
		return dfs_fail(err, EUCLEAN, "%s: %s", view->name, claim.why.text);
	}
}

static int open_view(struct dfs_reader *reader, int fd, const char *name, bool plain,
		     struct dfs_view **ret_view, struct dfs_err *err)
{
	DFS_AUTO(unopened) struct dfs_view *view = view_new(reader, name);
	int ret;

	if (!view)
		return dfs_fail(err, ENOMEM, "%s: out of memory", name);
	ret = look(view, fd, err);
	if (ret == 0 && !plain)
		ret = look_closer(view, fd, err);
	if (ret < 0)
		return ret;
	view->fd = fd;
	enlist(view);
	*ret_view = dfs_steal(&view);
	return 0;
}

int dfs_view_open(struct dfs_reader *reader, int fd, const char *name,
		  struct dfs_view **ret_view, struct dfs_err *err)
{
	return open_view(reader, fd, name, false, ret_view, err);
}

int dfs_view_open_plain(struct dfs_reader *reader, int fd, const char *name,
			struct dfs_view **ret_view, struct dfs_err *err)
{
	return open_view(reader, fd, name, true, ret_view, err);
}

void dfs_view_close(struct dfs_view *view)
{
	struct dfs_cache *cache;

	if (!view)
		return;
	cache = &view->reader->cache;
	pthread_mutex_lock(&cache->lock);
	dfs_cache_forget(cache, view);
	pthread_mutex_unlock(&cache->lock);
	dfs_view_unref(view);
}

uint64_t dfs_view_size(const struct dfs_view *view)
{
	return view->size;
}

const struct dfs_container *dfs_view_container(const struct dfs_view *view)
{
	return view->container;
}

int dfs_view_fd(const struct dfs_view *view)
{
	return view->fd;
}

bool dfs_view_trusted(const struct dfs_view *view)
{
	return view->trusted;
}
