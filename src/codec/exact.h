/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exact: the policy that picks, chunk by chunk, the smallest exact codec.
 *
 * One record per tensor serves all exact codecs that have shared tables.
 */
#ifndef DFS_CODEC_EXACT_H
#define DFS_CODEC_EXACT_H

#include "codec/codec.h"

/* What measuring a tensor found: a record for each codec that keeps one. */
struct dfs_exact_record;
struct dfs_exact_record *dfs_exact_record_new(struct dfs_shape shape, bool has_prediction);
void dfs_exact_record_free(struct dfs_exact_record *record);

/* dfs_exact_measure() - add a chunk (chunks equal to their prediction add nothing). Return: 0 or -ENOMEM. */
int dfs_exact_measure(struct dfs_exact_record *record, const struct dfs_block *block,
		      const void *data, struct dfs_scratch *scratch);
void dfs_exact_merge(struct dfs_exact_record *into, const struct dfs_exact_record *from);

/* dfs_exact_bits() - estimated payload bits of all that was measured (for choosing a base) */
uint64_t dfs_exact_bits(const struct dfs_exact_record *record);

/* The tables of a tensor, opened for encoding, and their bytes for the container. */
struct dfs_exact_tables;
/* dfs_exact_prepare() - codecs that cannot win get no table. Return: 0, -ENOMEM. */
int dfs_exact_prepare(const struct dfs_exact_record *record, struct dfs_exact_tables **ret_tables,
		      struct dfs_err *err);
void dfs_exact_tables_free(struct dfs_exact_tables *tables);
/* dfs_exact_table_bytes() - the table of codec @id; empty if it has none */
struct dfs_span dfs_exact_table_bytes(const struct dfs_exact_tables *tables, unsigned id);

/* dfs_exact_bound() - payload bytes at most: n * size (stored) */
size_t dfs_exact_bound(struct dfs_shape shape, size_t n);

/**
 * dfs_exact_encode() - the smallest payload for one chunk
 * @payload: room for dfs_exact_bound()
 * @ret_codec: which codec made it
 *
 * Deterministic: a tie goes to the lower id. Return: 0 or -ENOMEM.
 */
int dfs_exact_encode(const struct dfs_block *block, const void *data,
		     const struct dfs_exact_tables *tables, uint8_t *payload, size_t *ret_len,
		     unsigned *ret_codec, struct dfs_scratch *scratch);

#endif
