/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bases: bytes of the base files that a view's predictions need.
 *
 * READ: chunk.c -> this -> store/bases
 *
 * Always pread, never a mapping: a base that was cut short is an error here
 * and not a SIGBUS.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/internal.h"
#include "store/access.h"
#include "store/bases.h"
#include "util/io.h"

static void base_name(const struct dfs_base_file *file, char *text, size_t len)
{
	char hex[DFS_HASH_HEX];

	if (*file->name)
		snprintf(text, len, "%s", file->name);
	else
		snprintf(text, len, "%s", dfs_hash_hex(file->hash, hex));
}

/* Asked once a view and open of a base: it may take the name service. A refusal is not remembered. */
static int allow(struct dfs_view *view, uint32_t file, const struct dfs_base *base, struct dfs_err *err)
{
	int ret;

	if (!view->reader->store ||
	    atomic_load_explicit(&view->allowed[file], memory_order_relaxed) == base->serial)
		return 0;
	ret = dfs_access_check(view->reader->store, &view->st, view->trusted,
			       &view->container->bases[file], base, err);
	if (ret == 0)
		atomic_store_explicit(&view->allowed[file], base->serial, memory_order_relaxed);
	return ret;
}

int dfs_view_base_read(struct dfs_view *view, uint32_t file, uint64_t off, size_t len,
		       void *buf, struct dfs_err *err)
{
	const struct dfs_base_file *want = &view->container->bases[file];
	struct dfs_bases *bases = view->reader->bases;
	struct dfs_base *base;
	char name[256];
	int ret;

	if (!bases)
		return dfs_fail(err, EIO, "no bases are known to this process");
	ret = dfs_bases_get(bases, want, &base, err);
	if (ret < 0)
		return ret;
	ret = allow(view, file, base, err);
	if (ret < 0) {
		dfs_base_put(bases, base);
		return ret;
	}
	ret = dfs_pread_all(base->fd, buf, len, off);
	dfs_base_put(bases, base);
	if (ret == 0)
		return 0;
	base_name(want, name, sizeof(name));
	return dfs_fail(err, EIO, "base %s: read %zu bytes at %" PRIu64 ": %s", name, len, off, strerror(-ret));
}

void dfs_view_base_hint(struct dfs_view *view, uint32_t file, uint64_t off, uint64_t len)
{
	struct dfs_bases *bases = view->reader->bases;
	struct dfs_base *base;
	struct dfs_err err;

	if (!bases || dfs_bases_get(bases, &view->container->bases[file], &base, &err) < 0)
		return;
	dfs_hint_fetch(base->fd, off, len);
	dfs_base_put(bases, base);
}

/*
 * --- a base under suspicion
 *
 * It has the right size and the wrong bytes. Hashing it settles whether it is
 * another file, so that the next read looks for the right one elsewhere. That
 * reads all of it, so it is done in the background and once at a time.
 */

struct suspect {
	struct dfs_job job;
	struct dfs_view *view;	/* referenced */
	uint32_t file;
};

static void suspect_run(struct dfs_job *job, void *local)
{
	struct suspect *suspect = (struct suspect *)job;
	struct dfs_view *view = suspect->view;
	struct dfs_err err;

	(void)local;
	if (dfs_bases_settle(view->reader->bases, &view->container->bases[suspect->file], &err) < 0)
		dfs_log_line(view->reader->log, DFS_LOG_ERROR, "%s", err.text);
	atomic_store(&view->settling, false);
	free(suspect);
	dfs_view_unref(view);
}

static void suspect_submit(struct dfs_view *view, uint32_t file)
{
	struct suspect *suspect;

	if (atomic_exchange(&view->settling, true))
		return;
	suspect = calloc(1, sizeof(*suspect));
	if (!suspect) {
		atomic_store(&view->settling, false);
		return;
	}
	suspect->job.run = suspect_run;
	suspect->view = view;
	suspect->file = file;
	dfs_view_ref(view);
	dfs_pool_submit(view->reader->hinters, &suspect->job, DFS_BACKGROUND);
}

/* The base file that predicts the first byte of a chunk that is predicted at all. */
static uint32_t file_of(const struct dfs_view *view, const struct dfs_extent *extent)
{
	const struct dfs_container *c = view->container;
	const struct dfs_segment *s = &c->segments[extent->segment];
	uint64_t off = extent->off - s->off;

	for (uint32_t i = s->first_piece; i < s->first_piece + s->n_pieces; i++) {
		const struct dfs_piece *piece = &view->pieces[i];

		if (piece->file != DFS_NO_FILE && c->piece_starts[i] + piece->len > off)
			return piece->file;
	}
	return DFS_NO_FILE;
}

bool dfs_view_bases_suspect(struct dfs_view *view, const struct dfs_extent *extent, char *text, size_t len)
{
	uint32_t file = file_of(view, extent);

	if (file == DFS_NO_FILE)
		return false;
	base_name(&view->container->bases[file], text, len);
	suspect_submit(view, file);
	return true;
}
