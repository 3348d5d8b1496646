/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal: what the files of the READ flow share.
 *
 * view -> segment -> chunk -> (bases, tables, predict, codec) -> cache -> request
 *
 * Guards: cache->lock for everything about chunks and requests, view->lock for
 * a view's cursors, and one each for the list of views, tables, names, spare buffers, gates,
 * answers about access, and the settling of bases. Order:
 * view, cache, spare buffers; the others are taken alone. Nothing is decoded
 * or read under any of them.
 */
#ifndef DFS_READ_INTERNAL_H
#define DFS_READ_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "predict/predict.h"
#include "read/ahead.h"
#include "read/allow.h"
#include "read/buffer.h"
#include "read/cache.h"
#include "read/gate.h"
#include "read/names.h"
#include "read/reader.h"
#include "read/settle.h"
#include "read/tables.h"
#include "read/view.h"
#include "read/worker.h"
#include "util/pool.h"

struct dfs_reader {
	struct dfs_cache cache;
	struct dfs_tables tables;
	struct dfs_buffers buffers;
	struct dfs_names names;
	struct dfs_pool *decoders;
	struct dfs_pool *hinters;	/* a thread that tells the kernel what will be read, and spares */
	atomic_uint hints;		/* queued there, or being told */
	struct dfs_gates gates;
	struct dfs_allow allow;
	struct dfs_settler settler;
	struct dfs_bases *bases;	/* borrowed; may be NULL */
	pthread_mutex_t views_lock;
	struct dfs_view *views;		/* under views_lock: those of containers that need a base */
	struct dfs_store *store;	/* borrowed; may be NULL */
	struct dfs_log *log;		/* borrowed; may be NULL */
	size_t ahead_max;		/* bytes a cursor decodes ahead */
};

struct dfs_view {
	struct dfs_reader *reader;
	int fd;
	char *name;
	uint64_t size;
	struct dfs_container *container;	/* NULL: plain */
	struct dfs_piece *pieces;		/* the container's, as predictors want them */
	atomic_uint refs;			/* who opened it, requests, jobs */
	atomic_uchar *checked;			/* a segment: its pieces were found sane */
	atomic_uchar *dropped;			/* a run of chunks: how many were decoded; see hint.c */

	struct stat st;				/* of the container, when it was opened */
	uint64_t metadata;			/* bytes that the cache counts for its account */
	bool trusted;				/* by its mark: reads any base */

	pthread_mutex_t lock;
	struct dfs_ahead ahead;			/* under lock */

	uint8_t *served;			/* under cache->lock; a chunk: when it was last delivered, see cache.c */
	struct dfs_chunk *chunks;		/* under cache->lock: all that exist */
	bool closed;				/* under cache->lock: decode nothing more for it */
	struct dfs_view *next, **link;		/* under reader->views_lock; link NULL: not among its views */
};

/* Views are shared by their opener, requests and jobs; the last one ends it. */
void dfs_view_ref(struct dfs_view *view);
void dfs_view_unref(struct dfs_view *view);

/*
 * segment.c: from an offset to a chunk.
 */

/* dfs_extent_at() - the chunk that holds byte @off of the file; @off < size */
struct dfs_extent dfs_extent_at(const struct dfs_view *view, uint64_t off);
/* dfs_extent_next() - the chunk behind it. Return: false at the end of the file. */
bool dfs_extent_next(const struct dfs_view *view, struct dfs_extent *extent);

/**
 * dfs_segment_prediction() - what the predictor of a segment is told
 * Return: 0; -EUCLEAN if the container's pieces are not sane.
 */
int dfs_segment_prediction(struct dfs_view *view, uint32_t segment,
			   struct dfs_prediction *ret_prediction, struct dfs_err *err);

/*
 * chunk.c: one chunk, decoded and checked.
 */

/**
 * dfs_chunk_decode() - the bytes of the file at @extent
 * @out: room for extent->len and DFS_VALUES_PAD bytes, 64-byte aligned
 *
 * Return: 0, or as dfs_view_read(); -EAGAIN: it waits for a base, and is to be
 * parked at worker->blocked; the sentence names chunk and base, not file and tensor.
 */
int dfs_chunk_decode(struct dfs_view *view, const struct dfs_extent *extent,
		     struct dfs_worker *worker, uint8_t *out, struct dfs_err *err);

/*
 * bases.c: bytes of the base files of a view.
 */

/**
 * dfs_view_base_read() - exactly @len bytes of base file @file
 * A failure is not remembered: the next read looks for the base anew.
 * @ret_blocked: where to wait, if -EAGAIN: too many threads wait for the base
 * already, or it is being asked whether the view may have it
 * Return: 0; -EIO with a sentence that names the base; -EACCES; -EAGAIN.
 */
int dfs_view_base_read(struct dfs_view *view, uint32_t file, uint64_t off, size_t len,
		       void *buf, struct dfs_gate_key *ret_blocked, struct dfs_err *err);
/* dfs_view_bases_look_again() - as dfs_bases_look_again(), for all of them */
void dfs_view_bases_look_again(struct dfs_view *view);
/* dfs_view_base_hint() - the kernel may fetch these bytes already; quiet on failure */
void dfs_view_base_hint(struct dfs_view *view, uint32_t file, uint64_t off, uint64_t len);
/**
 * dfs_view_bases_suspect() - a chunk over a base did not match its hash
 * @text: how a sentence calls that base
 *
 * Has the base hashed in the background, so that another file of its name and
 * size is found out. Return: false if the chunk has no base.
 */
bool dfs_view_bases_suspect(struct dfs_view *view, const struct dfs_extent *extent, char *text, size_t len);

/*
 * hint.c: the page cache under us.
 */

/* dfs_hint_read() - payloads and base bytes of [off, end) of the file will be wanted soon */
void dfs_hint_read(struct dfs_view *view, uint64_t off, uint64_t end);
/* dfs_hint_fetch() - these bytes of @fd will be wanted soon; may block on the disk's queue */
void dfs_hint_fetch(int fd, uint64_t off, uint64_t len);
/* dfs_hint_decoded() - a payload was decoded: its pages are of no more use */
void dfs_hint_decoded(struct dfs_view *view, uint32_t chunk);
/* dfs_hint_runs() - how many counters a view needs for that */
size_t dfs_hint_runs(const struct dfs_container *c);

/* plain.c: dfs_view_submit() for a plain file */
void dfs_plain_submit(struct dfs_view *view, struct dfs_read *read);

#endif
