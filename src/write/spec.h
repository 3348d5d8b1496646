/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spec: what a user asks for by --codec: `exact`, or a codec that gives up
 * bits, with options: `bitdelta:scale=row,exclude=*.layers.0.*`.
 *
 * Which tensors such a codec gets is the same for all of them:
 *
 *	include=GLOB	a tensor that it would not get; may be given again
 *	exclude=GLOB	one that it would; stronger than include
 *	embeddings=lossy	embeddings and output heads too (exact)
 *	norms=lossy	norms, biases and the like too, where their shape lets (exact)
 *
 * What is no matrix of at least DFS_LINEAR_MIN rows and columns is never one of them.
 */
#ifndef DFS_WRITE_SPEC_H
#define DFS_WRITE_SPEC_H

#include <stdbool.h>

#include "codec/lossy.h"
#include "tensor/safetensors.h"
#include "util/err.h"
#include "write/scope.h"

#define DFS_SPEC_MAX 1024	/* bytes of a SPEC, its NUL counted */
#define DFS_SPEC_GLOBS 16

struct dfs_spec {
	const struct dfs_lossy *lossy;	/* NULL: exact */
	unsigned codec;			/* on-disk id, if lossy */
	_Alignas(16) uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	bool embeddings, norms;		/* lossy too */
	const char *include[DFS_SPEC_GLOBS], *exclude[DFS_SPEC_GLOBS];	/* in text; NULL behind the last */
	char text[DFS_SPEC_MAX];
};

/**
 * dfs_spec_parse() - read a SPEC
 * @text: NULL: "exact"
 * @ret_spec: not to be copied: it points into itself
 *
 * Return: 0; -EINVAL (no such codec or option, or a value it cannot have; the
 * sentence names the nearest); -ENOTSUP (a codec that is not in this build, or
 * none that can be asked for by itself).
 */
int dfs_spec_parse(const char *text, struct dfs_spec *ret_spec, struct dfs_err *err);

/* dfs_spec_check() - the same, for whoever only wants to know. */
int dfs_spec_check(const char *text, struct dfs_err *err);

/**
 * dfs_spec_compare() - tell the codec what the base's fine-tunes are compared with
 * It is told only if the options leave it to the base.
 */
void dfs_spec_compare(struct dfs_spec *spec, const struct dfs_norms *norms);

/* dfs_spec_compares() - is the base's norm wanted and not known, and of which kind is it */
bool dfs_spec_compares(const struct dfs_spec *spec, enum dfs_norm *ret_kind);

/**
 * dfs_spec_unmatched() - a pattern that no tensor of a file is called by
 * @ret_option: "include" or "exclude"
 * Return: the first of them; NULL: there is none.
 */
const char *dfs_spec_unmatched(const struct dfs_spec *spec, const struct dfs_header *header, const char **ret_option);

/* dfs_spec_scope() - what a tensor is by its name, its shape and the options; of a SPEC that is not exact */
enum dfs_scope dfs_spec_scope(const struct dfs_spec *spec, const struct dfs_tensor *tensor);

/* dfs_spec_takes() - is this tensor to be coded with bits given up, if it has a base */
bool dfs_spec_takes(const struct dfs_spec *spec, const struct dfs_tensor *tensor);

#endif
