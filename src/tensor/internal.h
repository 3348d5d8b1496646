/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal: the steps of reading a safetensors header, shared in this folder.
 *
 * safetensors.c (bytes) -> safetensors_scan.c (limits) -> safetensors_json.c
 * (JSON to tensors) -> safetensors_check.c (order and extents).
 */
#ifndef DFS_TENSOR_INTERNAL_H
#define DFS_TENSOR_INTERNAL_H

#include "tensor/safetensors.h"

#define DFS_HEADER_DEPTH_MAX 8
#define DFS_HEADER_VALUES_MAX 2000000u
#define DFS_HEADER_KEYS_MAX 500000u
#define DFS_HEADER_NAME_MAX 65536u

/**
 * dfs_header_scan() - is this JSON small enough to be parsed
 * @json: not known to be JSON, or text, at all
 *
 * One pass; allocates nothing. What is no JSON may pass or not; what passes
 * costs a parser no more than the limits allow.
 *
 * Return: 0; -E2BIG.
 */
int dfs_header_scan(const char *json, size_t len, struct dfs_err *err);

/**
 * dfs_header_read_json() - fill in tensors, names and metadata
 * @header: all zero but data_off and file_len
 *
 * Tensors come in any order, with off still relative to the data and len as
 * the header claims; nothing but types is checked.
 *
 * Return: 0; -EINVAL; -E2BIG (too many tensors); -ENOMEM. @header is then half built.
 */
int dfs_header_read_json(const char *json, size_t len, struct dfs_header *header,
			 struct dfs_err *err);

/**
 * dfs_header_settle() - order the tensors, check their extents, make off absolute
 * Return: 0; -EINVAL.
 */
int dfs_header_settle(struct dfs_header *header, struct dfs_err *err);

#endif
