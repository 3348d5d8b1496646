/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry: the models that a store may use as bases.
 *
 * One JSON file a model, .deltafs/bases/ID.json, replaced whole and durably:
 *
 *	{ "version": 1, "id": HEX, "repository": TEXT, "commit": TEXT,
 *	  "names": [ PATH, ... ], "automatic": BOOL,
 *	  "norms": { "estimate": N, "exact": N },
 *	  "files": [ { "hash": HEX, "size": N, "name": TEXT, "pinned": BOOL,
 *		       "paths": [ PATH, ... ] }, ... ] }
 *
 * A PATH without a leading slash is relative to the store, so that a store can
 * move. The model ID is the XXH3-128 of the 16-byte hashes of its files,
 * sorted bytewise and joined (a file that is there twice counts twice): it
 * depends on content alone, not on names or on the order of shards.
 */
#ifndef DFS_STORE_REGISTRY_H
#define DFS_STORE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/expand.h"
#include "store/hashes.h"
#include "store/store.h"
#include "tensor/norms.h"
#include "util/hash.h"

/* Fewer digits of an ID than this are no ID. */
#define DFS_ID_PREFIX_MIN 8

struct dfs_registered_file {
	struct dfs_hash hash;
	uint64_t size;
	char *name; /* as containers remember it: its path in the store, else "MODEL/FILE" */
	bool pinned;		/* false: by reference */
	struct dfs_paths paths;	/* where it was found; resolved */
};

struct dfs_registered {
	struct dfs_hash id;
	char *repository, *commit;	/* "" if unknown */
	struct dfs_paths names;		/* of the model, as added: file, index or directory */
	bool automatic;			/* nobody asked for it: it may go when no container needs it */
	struct dfs_norms norms;		/* that fine-tunes of it are compared with */
	struct dfs_registered_file *files;	/* in order of hash */
	size_t n_files;
};

struct dfs_registry {
	struct dfs_registered *models;	/* in order of ID */
	size_t n;
};

/**
 * dfs_registry_list() - all models of a store
 * @ret_registry: dfs_registry_release() it
 * @err: if a file makes no sense it is left out, and the last such sentence is here; may be NULL
 *
 * A store without .deltafs has none. Return: how many files made no sense; -ENOMEM, -EACCES, ...
 */
int dfs_registry_list(const struct dfs_store *store, struct dfs_registry *ret_registry,
		      struct dfs_err *err);
void dfs_registry_release(struct dfs_registry *registry);

/* dfs_registry_holds() - is the file of these attributes what a base is read from? Its bytes must stay as they are. */
bool dfs_registry_holds(const struct dfs_registry *registry, const struct dfs_store *store, const struct stat *st);

/**
 * dfs_registry_find() - the model that a user means
 * @text: at least 8 digits that begin exactly one ID, or the path of the model or of one of its files
 *
 * A path fits if all the files it stands for are files of the model: by name,
 * inode, or remembered hash. Nothing is hashed.
 * Return: the model in @registry; NULL with a sentence.
 */
const struct dfs_registered *dfs_registry_find(const struct dfs_registry *registry,
					       const struct dfs_store *store, const char *text,
					       struct dfs_err *err);

/* dfs_registry_file() - which model has a file of this hash; NULL if none. @ret_file may be NULL. */
const struct dfs_registered *dfs_registry_file(const struct dfs_registry *registry,
					       struct dfs_hash hash,
					       const struct dfs_registered_file **ret_file);

/* dfs_registry_holder() - the model that has the file @rel of the store, open with attributes @st; by inode, remembered hash or name; NULL */
const struct dfs_registered *dfs_registry_holder(const struct dfs_registry *registry, const struct dfs_store *store,
						 const char *rel, const struct stat *st);

/* dfs_registry_id() - the model whose ID begins so. Return: NULL with a sentence: none, several, or less than 8 digits. */
const struct dfs_registered *dfs_registry_id(const struct dfs_registry *registry, const struct dfs_store *store,
					     const char *text, struct dfs_err *err);

/* dfs_model_id() - of files with these hashes, in any order; sorts them */
struct dfs_hash dfs_model_id(struct dfs_hash *hashes, size_t n);

/* dfs_registered_origin() - "org/name@commit", "org/name" or ""; cut to @size */
void dfs_registered_origin(const struct dfs_registered *model, char *ret_text, size_t size);

/**
 * dfs_registered_open() - a file of a model, from its pin or one of its paths
 * Return: 0 with a descriptor of a regular file of the right size; -EIO with a sentence.
 */
int dfs_registered_open(const struct dfs_store *store, const struct dfs_registered_file *file,
			int *ret_fd, struct dfs_err *err);

struct dfs_pin_watch;

struct dfs_registry_add {
	const char *path;		/* file, index or directory of shards */
	bool by_reference;		/* leave it where it is */
	const struct dfs_pin_watch *watch;	/* may be NULL; see store/pins.h */
	dfs_hash_progress_fn *
		progress; /* over all bytes, once for hashing and, file by file, once more where it must copy; may be NULL */
	void *arg;
};

struct dfs_registry_added {
	struct dfs_hash id;
	bool known;			/* this content was a base already */
	size_t n_files;
	uint64_t bytes;			/* of the model */
	uint64_t bytes_linked, bytes_cloned, bytes_copied; /* newly pinned; the last take room */
	struct dfs_err why_copied;	/* if anything was: "another file system", ... */
};

/**
 * dfs_registry_add() - make a model a base of the store
 *
 * Needs the writer lock. Each file must be a plain safetensors file. Content
 * that is a base already is the same base: it gets a further name, missing or
 * damaged pins are made anew, and one added by reference becomes pinned.
 * Durable when it returns; a crash leaves it added or not.
 *
 * What lies in the store is opened by its path there, also below a mount over
 * the store itself.
 *
 * Return: 0; -EINVAL: not safetensors; -ENOTSUP: a container; -ENOSPC: no room
 * for copies; -ESTALE: changed meanwhile; -EBUSY: of the watch; -ECANCELED;
 * -ENOLCK; errors of I/O.
 */
int dfs_registry_add(struct dfs_store *store, const struct dfs_registry_add *add,
		     struct dfs_registry_added *ret_added, struct dfs_err *err);

/* A file of the store whose content is pinned. */
struct dfs_pinned_file {
	const char *rel;	/* its path in the store */
	struct dfs_hash hash;
	uint64_t size;
};

/**
 * dfs_registry_add_pinned() - make a model a base of which each file is pinned already
 *
 * The model is automatic, unless somebody has added the same content by
 * himself. Opens nothing, so it works below a mount over the store itself.
 * Needs the writer lock. Durable when it returns.
 * Return: 0; -ENOLCK, -ENOMEM, errors of I/O.
 */
int dfs_registry_add_pinned(struct dfs_store *store, const struct dfs_pinned_file *files, size_t n_files,
			    struct dfs_hash *ret_id, struct dfs_err *err);

/**
 * dfs_registry_forget() - let go of a model, not of its pins
 * Containers that need it go on reading its pins. Needs the writer lock.
 * Return: 0; -ENOLCK, -ENOENT, errors of I/O.
 */
int dfs_registry_forget(struct dfs_store *store, struct dfs_hash id, struct dfs_err *err);

/* dfs_registry_norms() - those of the model @id; none if it is no base */
struct dfs_norms dfs_registry_norms(const struct dfs_store *store, struct dfs_hash id);

/**
 * dfs_registry_set_norms() - note what fine-tunes of a model are compared with
 * @norms: 0: stays as it is; below 0: none any more
 * @replace: false: what is known stays too: the first fine-tune is what later ones are compared with
 * Needs the writer lock. Durable. Return: 0; -ENOENT: no base, and @replace; -ENOLCK, -ENOMEM; errors of I/O.
 */
int dfs_registry_set_norms(struct dfs_store *store, struct dfs_hash id, const struct dfs_norms *norms, bool replace,
			   struct dfs_err *err);

struct dfs_registry_removed {
	struct dfs_hash id;
	uint64_t dependants, original_bytes;	/* why it was refused; else 0 */
	uint64_t bytes_freed;		/* held by nothing but the pins */
	bool pins_kept;			/* some containers are unreadable: they may need them */
};

/* Who changes the store meanwhile. */
struct dfs_registry_watch {
	/* after the store was walked: may the count be relied on, and does nobody read @model by other means? 0; -errno with a sentence: it stays */
	int (*still)(void *arg, const struct dfs_registered *model, struct dfs_err *err);
	void *arg;
};

/**
 * dfs_registry_remove() - let go of a model and of the pins that nobody else needs
 * @watch: may be NULL: nobody
 *
 * Needs the writer lock; walks the whole store. Return: 0; -EBUSY with the
 * number and bytes of dependants; -ENOENT, -ENOLCK; errors of I/O and of @watch.
 */
int dfs_registry_remove(struct dfs_store *store, const char *id_or_path, const struct dfs_registry_watch *watch,
			struct dfs_registry_removed *ret_removed, struct dfs_err *err);

DFS_AUTO_KIND(registry, struct dfs_registry, dfs_registry_release(p));

#endif
