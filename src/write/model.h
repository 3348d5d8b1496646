/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model: an opened model: its files, what they contain, and who they are.
 *
 * A model is one .safetensors file, the shards that a *.index.json names, or
 * a directory of them; or one registered as a base of a store, then read from
 * its pins. Files are ordered by name, so that the same model is the same
 * each time.
 */
#ifndef DFS_WRITE_MODEL_H
#define DFS_WRITE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/registry.h"
#include "tensor/safetensors.h"
#include "util/auto.h"
#include "util/err.h"
#include "util/hash.h"

struct dfs_model_file {
	int fd;
	uint64_t size;
	struct dfs_hash hash;		/* XXH3-128 of the content; zero until dfs_model_identify() */
	struct dfs_header *header;
	char *path;			/* as it was opened */
	char *name;			/* for people: "llama/model.safetensors" */
	char *origin;			/* "org/name@commit", or "" */
};

/* Immutable once identified. */
struct dfs_model {
	struct dfs_model_file *files;
	size_t n_files;
	struct dfs_hash id;		/* zero until identified */
};

/**
 * dfs_model_open() - open the files at @path and read their headers
 * @path: a .safetensors, a *.index.json, or a directory of shards
 * @ret_model: dfs_model_free() it
 *
 * Reads headers only; hashes nothing. Return: 0; -EINVAL if a file is no
 * valid safetensors file or is a container (a base must be plain); -ENOENT if
 * there is none; -EIO, -EACCES, -ENOMEM.
 */
int dfs_model_open(const char *path, struct dfs_model **ret_model, struct dfs_err *err);

/* dfs_model_open_files() - the same of exactly these files; an @origin that is not known is "" */
int dfs_model_open_files(char *const *paths, size_t n, const char *origin,
			 struct dfs_model **ret_model, struct dfs_err *err);

/* dfs_model_open_registered() - the same of a base of @store, identified already. Return: as above; -EIO: a file of it is gone. */
int dfs_model_open_registered(const struct dfs_store *store, const struct dfs_registered *registered,
			      struct dfs_model **ret_model, struct dfs_err *err);

/**
 * dfs_model_identify() - hash each file and the model, unless that is done
 * @store: remembers hashes of files that did not change; may be NULL
 * @progress: over all bytes that must be read; may be NULL
 *
 * Reads every byte the first time. Return: 0; -ECANCELED, -EIO, -ENOMEM.
 */
int dfs_model_identify(struct dfs_model *model, struct dfs_store *store,
		       dfs_hash_progress_fn *progress, void *arg, struct dfs_err *err);

/* dfs_model_bytes() - the size of all files */
uint64_t dfs_model_bytes(const struct dfs_model *model);

/* dfs_model_stat() - its files as they are now. @ret_stats: n_files of them. Return: 0; -errno. */
int dfs_model_stat(const struct dfs_model *model, struct stat *ret_stats, struct dfs_err *err);

/**
 * dfs_model_check() - are the files of an identified model still as in @stats, and hold what it is known by?
 * @store, @progress: as of dfs_model_identify(); nothing is read if @store remembers their hashes
 *
 * Return: 0; -ESTALE: no; as dfs_model_identify().
 */
int dfs_model_check(const struct dfs_model *model, const struct stat *stats, struct dfs_store *store,
		    dfs_hash_progress_fn *progress, void *arg, struct dfs_err *err);

void dfs_model_free(struct dfs_model *model); /* NULL is fine */

DFS_AUTO_KIND(model, struct dfs_model *, dfs_model_free(*p));

#endif
