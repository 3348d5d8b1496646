/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept: originals of files that gave up bits, until somebody says that he does
 * not need them, or a time has come.
 *
 *	.deltafs/kept/ID		the original: the very inode, with its owner, mode, times, attributes
 *	.deltafs/kept/ID.record		what it is the original of, and until when
 *
 * The original is there by a hard link, made before the container takes its
 * name; nothing is copied. What it is kept for is known by its inode (number
 * and time of birth), which a rename keeps and a copy does not have. The path
 * of the record is where it was seen last.
 *
 * The order is what makes a crash harmless:
 *
 *	record -> link -> (container takes the name)	dfs_kept_make()
 *	(original goes) -> record goes			dfs_kept_let_go(), revert
 *
 * A record alone is rubbish. An original whose file still has its name was
 * about to be replaced, and is let go. Both are tidied by the next holder of
 * the store's lock: dfs_kept_tidy().
 *
 * In a store that was copied elsewhere no inode is what it was: there the path
 * tells, see dfs_kept_find().
 */
#ifndef DFS_STORE_KEPT_H
#define DFS_STORE_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/hashes.h"
#include "store/pins.h"
#include "store/store.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/err.h"
#include "util/hash.h"

#define DFS_KEPT_DIR DFS_STORE_DIR "/kept"
#define DFS_KEPT_RECORD ".record"

/* 16 digits and NUL. */
#define DFS_KEPT_ID 17
#define DFS_KEPT_PATH_SIZE (sizeof(DFS_KEPT_DIR "/" DFS_KEPT_RECORD) + DFS_KEPT_ID)

/* Until somebody decides. */
#define DFS_KEPT_MANUAL INT64_MAX

/* Which inode of a file system. */
struct dfs_file_id {
	uint64_t ino;
	int64_t born_ns;	/* since 1970; 0: its file system does not tell */
};

/* dfs_file_id_of() - Return: 0; -errno. */
int dfs_file_id_of(int fd, struct dfs_file_id *ret_id);
/* dfs_file_id_at() - the same of a path below @dir, symlinks not followed */
int dfs_file_id_at(int dir, const char *path, struct dfs_file_id *ret_id);
bool dfs_file_id_same(const struct dfs_file_id *a, const struct dfs_file_id *b);

/* One that took the other's place with the same bytes; before that is done, either may have the name. */
#define DFS_KEPT_FILES 2

struct dfs_kept {
	char id[DFS_KEPT_ID];
	char *path;		/* in the store, of what it is kept for; owned */
	int64_t at_s, until_s;	/* seconds since 1970; until: or DFS_KEPT_MANUAL */
	uint64_t bytes;		/* of the original */
	struct dfs_hash hash;	/* of its content; zero: of a record without (version 1) */
	mode_t mode;		/* the same */
	struct dfs_file_id original;
	struct dfs_file_id files[DFS_KEPT_FILES];	/* what it is kept for; ino 0: none */
};

void dfs_kept_release(struct dfs_kept *kept);
DFS_AUTO_KIND(kept, struct dfs_kept, dfs_kept_release(p));

/* dfs_kept_copy() - Return: 0; -ENOMEM. */
int dfs_kept_copy(const struct dfs_kept *kept, struct dfs_kept *ret_copy);

/* dfs_kept_is_for() - is that what it is kept for? */
bool dfs_kept_is_for(const struct dfs_kept *kept, const struct dfs_file_id *file);

/* dfs_kept_path() - of the original; dfs_kept_record_path() - of the record. Return: @ret_path. */
char *dfs_kept_path(const char *id, char ret_path[DFS_KEPT_PATH_SIZE]);
char *dfs_kept_record_path(const char *id, char ret_path[DFS_KEPT_PATH_SIZE]);

/* dfs_kept_is_id() - 16 digits? */
bool dfs_kept_is_id(const char *text);

/* --- kept_record.c */

/* dfs_kept_pack() - a record's bytes. Return: 0; -ENOMEM. */
int dfs_kept_pack(const struct dfs_kept *kept, struct dfs_buf *ret_text);
/* dfs_kept_unpack() - @id: of its name. Return: 0; -EUCLEAN; -ENOTSUP: of a later version; -ENOMEM. */
int dfs_kept_unpack(const char *id, const void *text, size_t len, struct dfs_kept *ret_kept);

/* --- kept.c: needs the writer lock, but for reading */

/* dfs_kept_read() - Return: 0; -ENOENT; -EUCLEAN, -ENOTSUP, -ENOMEM, -EIO, -EACCES. */
int dfs_kept_read(const struct dfs_store *store, const char *id, struct dfs_kept *ret_kept);

/*
 * dfs_kept_write() - make or replace the record, durably
 * On a full disk one that is there is written over: a power cut just then
 * leaves the one or the other, or none that makes sense.
 * Return: 0; -errno with a sentence.
 */
int dfs_kept_write(struct dfs_store *store, const struct dfs_kept *kept, struct dfs_err *err);

/* dfs_kept_begin() - give it an ID, of the original that is open as @fd. Return: 0; -errno with a sentence. */
int dfs_kept_begin(struct dfs_kept *kept, int fd, struct dfs_err *err);

/**
 * dfs_kept_make() - write the record, and link the original
 * @fd: of the original, open for reading
 * @st: as it was read; as it is with the link afterwards
 * @watch: who shows it to others; may be NULL
 *
 * Durable when it returns; what is left of a failure is removed.
 * Return: 0; -ESTALE: it is not what was read; -EBUSY: of the watch; -EPERM,
 * -EXDEV, -EMLINK, -ENOTSUP: it cannot have another name there; -ENOSPC, -EIO, ...
 */
int dfs_kept_make(struct dfs_store *store, const struct dfs_kept *kept, int fd, struct stat *st,
		  const struct dfs_pin_watch *watch, struct dfs_err *err);

/**
 * dfs_kept_undo() - after dfs_kept_make(), of what did not take its name
 * @fd, @watch: as there
 */
void dfs_kept_undo(struct dfs_store *store, const char *id, int fd, const struct dfs_pin_watch *watch);

/* dfs_kept_let_go() - remove the original, and the record. Return: 0, also if there is none; -errno with a sentence. */
int dfs_kept_let_go(struct dfs_store *store, const char *id, struct dfs_err *err);

/* dfs_kept_forget() - remove the record, the original having gone. Return: as above. */
int dfs_kept_forget(struct dfs_store *store, const char *id, struct dfs_err *err);

/**
 * dfs_kept_made() - is a file the container that was made of an original?
 * @fd: it, open for reading
 * @hash: of the original; zero: not known, and any that gave up bits is it
 *
 * False: it was decoded, written to or coded anew since, or cannot be read.
 */
bool dfs_kept_made(int fd, struct dfs_hash hash);

/**
 * dfs_kept_check() - is an original what was kept?
 * @fd: it, open for reading
 * @bytes, @hash: of the record; zero: the hash is not known, and only the size is compared
 * @progress: of reading it; may be NULL
 * Return: 0; -EUCLEAN: it is not; errors of dfs_hash_file(); with a sentence.
 */
int dfs_kept_check(int fd, uint64_t bytes, struct dfs_hash hash, dfs_hash_progress_fn *progress, void *arg,
		   struct dfs_err *err);

/* --- kept_list.c */

struct dfs_kept_list {
	struct dfs_kept *kept;
	size_t n;
	size_t n_odd;	/* records that make no sense, or cannot be read */
};

/* dfs_kept_list() - all, in order of ID. Return: 0, also without any; -EACCES, -EIO, -ENOMEM. */
int dfs_kept_list(const struct dfs_store *store, struct dfs_kept_list *ret_list);
void dfs_kept_list_release(struct dfs_kept_list *list);
DFS_AUTO_KIND(kept_list, struct dfs_kept_list, dfs_kept_list_release(p));

/* What a look at the store says of one. */
enum dfs_kept_state {
	DFS_KEPT_THERE,		/* at its path is what it is kept for */
	DFS_KEPT_ASTRAY,	/* at its path is something else, or nothing */
	DFS_KEPT_MOVED,		/* the store was copied here, and at its path is what fits */
	DFS_KEPT_ADRIFT,	/* the store was copied here, and nothing fits; or it cannot be told */
	DFS_KEPT_NOT_YET,	/* at its path is the original itself */
	DFS_KEPT_GONE,		/* the original is not there */
};

/* dfs_kept_look() - @ret_file: of THERE and MOVED: what is at its path; may be NULL */
enum dfs_kept_state dfs_kept_look(const struct dfs_store *store, const struct dfs_kept *kept,
				  struct dfs_file_id *ret_file);

/**
 * dfs_kept_find() - what is kept of a file
 * @fd: of the file, in the store
 * @rel: its path; NULL: not known
 *
 * For who does not hold the lock. Return: 1; 0: nothing; -EACCES, -EIO, -ENOMEM.
 */
int dfs_kept_find(const struct dfs_store *store, int fd, const char *rel, struct dfs_kept *ret_kept);

/* dfs_kept_tidy() - what a crash left. Return: how much was removed. */
unsigned dfs_kept_tidy(struct dfs_store *store);

/* --- for people */

/* "manual", or "2027-03-01T12:00:00Z" */
#define DFS_KEPT_UNTIL_LEN 32
char *dfs_kept_until_text(int64_t until_s, char ret_text[DFS_KEPT_UNTIL_LEN]);

#endif
