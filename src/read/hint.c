/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hint: the page cache under us: what it should fetch, and what it may drop.
 *
 * READ: ahead.c, flight.c -> this
 *
 * Decoding wants bytes a chunk at a time; a disk wants to be asked for large
 * pieces long before. So one thread of its own tells the kernel what comes
 * next: asking may block when the disk's queue is full. A payload is of no use
 * once decoded, the kernel keeps the decoded pages; a base serves others too.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "read/internal.h"

/*
 * One call fetches no more than the disk's own readahead, 128 KiB by default,
 * whatever it is asked for.
 */
#define FETCH_STEP (128u << 10)

/* Payloads are dropped in runs of this many chunks: 2 MiB of the file, one system call. */
#define RUN 16

/*
 * Hints that wait. Each keeps its file open, and all wait while the thread
 * hangs in the open of a base on a server that is gone: more would use up
 * descriptors; fewer would tell less of 64 readers on a slow disk.
 */
#define HINTS_MAX 64

#define NEEDS_MAX 64
#define PREDICT_STEP (1u << 20)

struct hint {
	struct dfs_job job;
	struct dfs_view *view;	/* referenced */
	uint64_t off, end;	/* of the file */
};

void dfs_hint_fetch(int fd, uint64_t off, uint64_t len)
{
	for (uint64_t end = off + len; off < end; off += FETCH_STEP)
		posix_fadvise(fd, (off_t)off, (off_t)(end - off < FETCH_STEP ? end - off : FETCH_STEP),
			      POSIX_FADV_WILLNEED);
}

/* Payloads of the chunks of a stretch lie back to back. */
static void fetch_payloads(const struct dfs_view *view, const struct dfs_extent *first, uint64_t end)
{
	const struct dfs_container *c = view->container;
	struct dfs_extent last = dfs_extent_at(view, end - 1);
	uint64_t from = c->chunks[first->chunk].off;
	uint64_t to = c->chunks[last.chunk].off + c->chunks[last.chunk].len;

	if (to > from)
		dfs_hint_fetch(view->fd, from, to - from);
}

static void fetch_needs(struct dfs_view *view, const struct dfs_predictor *predictor,
			const struct dfs_prediction *prediction, uint64_t off, uint64_t len)
{
	struct dfs_need needs[NEEDS_MAX];
	/* More pieces than that: they are small, and their neighbours' pages are likely the same. */
	int n = predictor->needs(prediction, off, len, needs, NEEDS_MAX);

	for (int i = 0; i < n; i++)
		dfs_view_base_hint(view, needs[i].file, needs[i].off, needs[i].len);
}

static void fetch_base(struct dfs_view *view, uint32_t segment, uint64_t off, uint64_t end)
{
	const struct dfs_segment *s = &view->container->segments[segment];
	struct dfs_prediction prediction;
	const struct dfs_predictor *predictor;
	unsigned unit = dfs_segment_unit(s);
	int code;

	predictor = dfs_predictor_find(s->predictor, &code, NULL);
	if (!predictor || !predictor->predicts || dfs_segment_prediction(view, segment, &prediction, NULL) < 0)
		return;
	off = (off - s->off) / unit * unit;
	end = (end - s->off) / unit * unit;
	for (; off < end; off += PREDICT_STEP)
		fetch_needs(view, predictor, &prediction, off, end - off < PREDICT_STEP ? end - off : PREDICT_STEP);
}

static void hint_run(struct dfs_job *job, void *local)
{
	struct hint *hint = (struct hint *)job;
	struct dfs_view *view = hint->view;
	const struct dfs_container *c = view->container;
	struct dfs_extent first = dfs_extent_at(view, hint->off);

	(void)local;
	fetch_payloads(view, &first, hint->end);
	for (uint32_t i = first.segment; i < c->n_segments && c->segments[i].off < hint->end; i++) {
		const struct dfs_segment *s = &c->segments[i];
		uint64_t off = s->off > hint->off ? s->off : hint->off;
		uint64_t end = s->off + s->len < hint->end ? s->off + s->len : hint->end;

		if (off < end)
			fetch_base(view, i, off, end);
	}
	free(hint);
	atomic_fetch_sub_explicit(&view->reader->hints, 1, memory_order_relaxed);
	dfs_view_unref(view);
}

void dfs_hint_read(struct dfs_view *view, uint64_t off, uint64_t end)
{
	atomic_uint *hints = &view->reader->hints;
	struct hint *hint;

	if (atomic_fetch_add_explicit(hints, 1, memory_order_relaxed) >= HINTS_MAX ||
	    !(hint = calloc(1, sizeof(*hint)))) {
		atomic_fetch_sub_explicit(hints, 1, memory_order_relaxed);
		return;
	}
	hint->job.run = hint_run;
	hint->view = view;
	hint->off = off;
	hint->end = end;
	dfs_view_ref(view);
	dfs_pool_submit(view->reader->hinters, &hint->job, DFS_URGENT); /* for those alone there are spares */
}

size_t dfs_hint_runs(const struct dfs_container *c)
{
	return c->n_chunks / RUN + 1;
}

void dfs_hint_decoded(struct dfs_view *view, uint32_t chunk)
{
	const struct dfs_container *c = view->container;
	uint32_t first = chunk / RUN * RUN;
	uint32_t n = c->n_chunks - first < RUN ? c->n_chunks - first : RUN;
	const struct dfs_chunk_ref *last = &c->chunks[first + n - 1];

	if (atomic_fetch_add_explicit(&view->dropped[chunk / RUN], 1, memory_order_relaxed) + 1u != n)
		return;
	atomic_store_explicit(&view->dropped[chunk / RUN], 0, memory_order_relaxed);
	posix_fadvise(view->fd, (off_t)c->chunks[first].off, (off_t)(last->off + last->len - c->chunks[first].off),
		      POSIX_FADV_DONTNEED);
}
