/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reference: the payloads of diff, sparse and solo, decoded slowly and by the
 * letter of deltafs-format(5). Shares no code with src/codec.
 */
#ifndef DFS_TESTS_CODEC_REFERENCE_H
#define DFS_TESTS_CODEC_REFERENCE_H

#include <stdbool.h>

#include "codec/codec.h"

/* Each decodes block->n values to @out; false: malformed. */
bool reference_diff(const struct dfs_block *block, struct dfs_span table, struct dfs_span payload,
		    uint8_t *out);
bool reference_sparse(const struct dfs_block *block, struct dfs_span payload, uint8_t *out);
bool reference_solo(const struct dfs_block *block, struct dfs_span table, struct dfs_span payload,
		    uint8_t *out);

/* reference_classes() - how many row classes a diff table has */
unsigned reference_classes(struct dfs_span table);

#endif
