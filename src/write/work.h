/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * work: what an encode in progress shares among its steps.
 *
 * The container grows here: segments and pieces come from layout and stay;
 * the rows of chunks[] are filled by the threads that encode them, each its
 * own, and completed (place, payload hash) by the one that writes; tables are
 * appended in file order.
 */
#ifndef DFS_WRITE_WORK_H
#define DFS_WRITE_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/exact.h"
#include "format/container.h"
#include "predict/predict.h"
#include "write/model.h"
#include "write/spared.h"
#include "write/spec.h"

/*
 * Chunks that one job takes, neighbours of one segment. More: longer reads,
 * more memory in flight (a span's bytes three times) and worse use of the
 * CPU's cache; less: more jobs. 4 chunks are half a megabyte. Of chunks that
 * are cut by rows, as many as fit that, or one.
 */
#define DFS_SPAN_CHUNKS 4
#define DFS_SPAN_BYTES (DFS_SPAN_CHUNKS * (DFS_GRID + 8u))

struct dfs_work_segment {
	struct dfs_shape shape;
	bool measurable;			/* measuring can find something */
	bool ready;				/* tables are there; under the schedule's lock */
	uint32_t unmeasured;			/* chunks; under the schedule's lock */
	struct dfs_exact_record **partials;	/* of spans that were measured, n_partials; under the schedule's lock */
	unsigned n_partials;
	struct dfs_exact_tables *tables;	/* immutable once ready */
	struct dfs_work_lossy *lossy;		/* NULL: exact */
	const char *smaller;			/* name of the tensor, which was to be lossy and takes no more exactly; NULL: none such */
};

/* Bytes that a chunk and a tensor take of a container's metadata, about: to compare codecs by. */
#define DFS_CHUNK_METADATA 32
#define DFS_TENSOR_METADATA 128

/* A segment whose codec gives up bits. */
struct dfs_work_lossy {
	const char *name;		/* the tensor's, of the header */
	struct dfs_lossy_tensor tensor;	/* its record is gone once the table is there */
	struct dfs_table *table;	/* only while chunks are encoded: give_up.h */
	struct dfs_buf table_bytes, notes;	/* until they all are */
};

struct dfs_work {
	int in_fd;
	const struct dfs_model *base;		/* may be NULL */
	uint32_t *used;				/* used[file of a piece] = file of the model */
	struct dfs_container c;			/* c.sb, tables, blob: see output.h */
	struct dfs_piece *pieces;		/* as c.pieces, for predictors */
	uint32_t max_needs;			/* pieces of the segment that has most */
	struct dfs_work_segment *segments;	/* c.n_segments */
	const struct dfs_spec *spec;		/* its codec is that of the lossy segments */
	uint32_t n_lossy;
	struct dfs_norms norms;			/* as in struct dfs_encode_result */
	struct dfs_spared spared;		/* what was to be lossy, and is not */
};

/* What is to be encoded. All borrowed until release. */
struct dfs_work_input {
	int fd;
	uint64_t len;			/* size of the file */
	const struct dfs_header *header;	/* NULL: opaque bytes */
	const struct dfs_model *base;	/* may be NULL */
	const struct dfs_spec *spec;	/* NULL: exact */
	bool by_content;		/* where no name matches, read how tensors begin and compare */
};

/**
 * dfs_work_init() - match a file with the base and lay it out
 * Return: 0; -E2BIG; -EIO; -ENOMEM.
 */
int dfs_work_init(struct dfs_work *w, const struct dfs_work_input *input, struct dfs_err *err);
void dfs_work_release(struct dfs_work *w);

/* dfs_work_make_chunks() - cut all segments into chunks, none of them encoded; again after a change of chunk_rows. Return: 0; -E2BIG, -ENOMEM. */
int dfs_work_make_chunks(struct dfs_work *w, struct dfs_err *err);

/* A run of chunks of one segment. */
struct dfs_span_place {
	uint32_t segment;
	uint32_t first;		/* chunk of the segment */
	uint32_t n;
	uint64_t off, len;	/* bytes of the file */
};

/* dfs_work_span() - the span that starts at chunk @first of @segment */
struct dfs_span_place dfs_work_span(const struct dfs_work *w, uint32_t segment, uint32_t first);

/* dfs_work_spans() - how many spans @segment is */
uint32_t dfs_work_spans(const struct dfs_work *w, uint32_t segment);

/* dfs_work_prediction() - what predicts a segment; predictor none if nothing does */
struct dfs_prediction dfs_work_prediction(const struct dfs_work *w, uint32_t segment);

#endif
