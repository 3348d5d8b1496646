/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tables: shared tables of segments, opened once and kept while they are used
 * and for a while after.
 *
 * READ: chunk.c -> this -> codec table_open()
 *
 * Opening one costs more than decoding a chunk, and a large model has
 * thousands; the ones used longest ago make room.
 */
#ifndef DFS_READ_TABLES_H
#define DFS_READ_TABLES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/codec.h"

struct dfs_view;
struct dfs_table_entry;

#define DFS_TABLE_SLOTS 1024

struct dfs_tables {
	pthread_mutex_t lock;
	size_t limit;			/* bytes of tables that nobody uses right now */
	/* under lock */
	size_t bytes;			/* of all */
	struct dfs_table_entry *slots[DFS_TABLE_SLOTS];
	struct dfs_table_entry *newest, *oldest;
};

void dfs_tables_init(struct dfs_tables *tables, size_t limit);
void dfs_tables_release(struct dfs_tables *tables); /* no view is open any more */

/* A table in use; .table is NULL for a codec that has none. */
struct dfs_table_use {
	const struct dfs_table *table;
	struct dfs_table_entry *entry;
};

/**
 * dfs_tables_get() - the table that @codec needs for chunks of @segment
 * @id: the codec's, on disk
 * @ret_use: dfs_tables_put() it
 *
 * Return: 0; -EUCLEAN if the container has none or a malformed one; -ENOMEM.
 */
int dfs_tables_get(struct dfs_view *view, uint32_t segment, unsigned id,
		   const struct dfs_codec *codec, struct dfs_shape shape,
		   struct dfs_table_use *ret_use, struct dfs_err *err);
void dfs_tables_put(struct dfs_view *view, struct dfs_table_use *use);

/* dfs_tables_forget() - a view ends: so do its tables */
void dfs_tables_forget(struct dfs_tables *tables, const struct dfs_view *view);

#endif
