/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * solos: which containers of a store were coded alone, and what they are made of.
 *
 * WRITE: choose base -> this -> elect. A file for which there is no base may
 * have a sister that came before it, when there was none either. Sisters have
 * the same names of tensors: each container is known by a fingerprint of them.
 *
 * Filled by a walk of the store when first asked, and by what is compressed
 * from then on. A hint: files may have been renamed, removed or written since,
 * so whoever takes one looks again. All calls from one thread.
 */
#ifndef DFS_WRITE_SOLOS_H
#define DFS_WRITE_SOLOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "read/reader.h"
#include "read/view.h"
#include "store/store.h"
#include "tensor/safetensors.h"
#include "util/err.h"
#include "write/encode.h"

struct dfs_solos;

struct dfs_solo {
	char *rel;		/* path in the store */
	uint64_t names;		/* fingerprint */
	uint64_t shown_bytes, stored_bytes;
};

struct dfs_solos *dfs_solos_new(void); /* NULL: out of memory */
void dfs_solos_free(struct dfs_solos *solos); /* NULL is fine */

/* dfs_solos_names() - the fingerprint of a model file: the names of its tensors, in whatever order */
uint64_t dfs_solos_names(const struct dfs_header *header);

/* dfs_solos_add() - @solo was coded alone just now; copied. Failing for lack of memory loses a chance, no more. */
void dfs_solos_add(struct dfs_solos *solos, const struct dfs_solo *solo);

/* dfs_solos_find() - the one at @rel (until the next change), or NULL */
const struct dfs_solo *dfs_solos_find(const struct dfs_solos *solos, const char *rel);

/* dfs_solos_drop() - what is at @rel is no such container any more */
void dfs_solos_drop(struct dfs_solos *solos, const char *rel);

/* dfs_solos_forget() - there is no such container at @rel any more; the next dfs_solos_fill() walks again: it may have been renamed */
void dfs_solos_forget(struct dfs_solos *solos, const char *rel);

/**
 * dfs_solos_fill() - find those that are in the store, unless that is done
 * @reader: to read headers by
 * @progress: asked at each file whether to go on
 * Return: 0; -ECANCELED, -ENOMEM; errors of opening the store's root.
 */
int dfs_solos_fill(struct dfs_solos *solos, const struct dfs_store *store, struct dfs_reader *reader,
		   dfs_progress_fn *progress, void *arg, struct dfs_err *err);

/**
 * dfs_solos_next() - those of one fingerprint, the one known for longest first
 * @from: 0, or what the call before returned
 * Return: place to go on from, with *@ret_solo (until the next change); 0: no more.
 */
size_t dfs_solos_next(const struct dfs_solos *solos, uint64_t names, size_t from, const struct dfs_solo **ret_solo);

/**
 * dfs_solo_open() - a container of the store that needs no base
 * @ret_header: of the file that it shows; dfs_header_free() it
 * Return: 0; -ESTALE: it is another thing now; errors of opening and decoding; -ENOMEM.
 */
int dfs_solo_open(const struct dfs_store *store, const char *rel, struct dfs_reader *reader,
		  struct dfs_view **ret_view, struct dfs_header **ret_header, struct dfs_err *err);

#endif
