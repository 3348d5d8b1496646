/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output: the container's file, written front to back by one thread.
 *
 * WRITE: encode -> this -> verify. Payloads follow each other in chunk order,
 * so their offsets, and the hashes that are bound to them, are settled here
 * and do not depend on who encoded what when.
 */
#ifndef DFS_WRITE_OUTPUT_H
#define DFS_WRITE_OUTPUT_H

#include "write/span.h"
#include "write/work.h"

struct dfs_output {
	int fd;
	uint64_t end;			/* where the next payload goes */
	struct dfs_hasher *hasher, *source;	/* of the file as shown */
	struct dfs_buf blob;		/* tables' bytes */
	struct dfs_buf tables;		/* struct dfs_table_record */
};

int dfs_output_init(struct dfs_output *out, int fd);	/* 0 or -ENOMEM */
void dfs_output_release(struct dfs_output *out);

/* dfs_output_span() - the next span in file order. Return: 0; errors of pwrite; -E2BIG, -ENOMEM. */
int dfs_output_span(struct dfs_output *out, struct dfs_work *w, const struct dfs_coded *coded,
		    struct dfs_err *err);

/* dfs_output_finish() - metadata and superblocks; fills w->c.sb. Return: as above. */
int dfs_output_finish(struct dfs_output *out, struct dfs_work *w, struct dfs_err *err);

#endif
