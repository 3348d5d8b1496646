/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_subject: one file under test, all ways in which it is open, and what
 * must be in it.
 *
 * An image is the model: its bytes past its size are 0 up to the largest size
 * that the file may have, so that growing is only a change of size.
 *
 * What does not go as it must ends the process by account_fail(); so do errors
 * of system calls that are not said to be returned.
 */
#ifndef DFS_TESTS_FILE_SUBJECT_H
#define DFS_TESTS_FILE_SUBJECT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "account.h"
#include "draw.h"

#define PAGE 4096u
#define PIECE (256u << 10)	/* bytes of one operation at most; two requests of FUSE */
#define HANDLES 3
#define MAPPINGS 4

struct image {
	uint8_t *bytes;
	uint64_t size;
};

struct handle {
	int fd;			/* -1: closed */
	int flags;		/* of its open(2) */
	uint64_t at;		/* its file offset */
};

/* Shared and writable. Its pages stay dirty as long as the kernel likes. */
struct mapping {
	uint8_t *at;		/* NULL: none */
	uint64_t off;
	size_t len;		/* past the end of the file it must not be touched */
};

struct subject {
	struct account account;
	struct rng rng;
	char names[2][PATH_MAX];	/* the file goes to and fro between them */
	char second_name[PATH_MAX];	/* another file, for copies */
	const char *name;		/* one of names */
	uint64_t max;			/* no file grows larger */
	struct image want, second;
	struct image start;		/* what -k found; no bytes without -k */
	struct handle handles[HANDLES];	/* the first is always open */
	struct mapping mappings[MAPPINGS];
	uint8_t *buf;			/* PIECE bytes, page aligned */
	ino_t ino;
	unsigned unlinked;		/* operations left without a name; 0: it has one */
	unsigned rest_ms;		/* 0: never */
};

/* What a handle must be able to do; handle_pick() takes a set of them. */
enum { MAY_READ = 1, MAY_WRITE = 2, MAY_PLACE = 4 /* writes go where they are told */ };

/* subject_must() - the errno of a failed call, and what was tried, end the process */
void subject_must(struct subject *s, bool right, const char *what);

/**
 * subject_refused() - whether a failed call says that the file system lacks it
 * @also: an errno that means the same of this operation, or 0
 *
 * True, and counted, for EOPNOTSUPP and @also; any other errno ends the process.
 */
bool subject_refused(struct subject *s, const char *operation, int also);

/* image_write(), image_zero() - @off + @len is at most the subject's max */
void image_write(struct image *image, uint64_t off, const void *bytes, size_t len);
void image_zero(struct image *image, uint64_t off, uint64_t len);	/* the size stays */
void image_resize(struct image *image, uint64_t size);

/* image_compare() - @got is what @image has at @off; else the process ends */
void image_compare(struct subject *s, const struct image *image, const uint8_t *got, uint64_t off,
		   size_t len);

/* image_verify() - all of @fd is what @image has; read with pread(2) */
void image_verify(struct subject *s, const struct image *image, int fd);

/* image_pour() - write all of @image to the empty file @fd in pieces of random size */
void image_pour(struct subject *s, const struct image *image, int fd);

/* handle_open() - close a handle if it is open, and open it by the present name */
void handle_open(struct subject *s, struct handle *h, int flags);
void handle_close(struct subject *s, struct handle *h);

/* handle_pick() - an open handle that can do all of @may, or NULL if none can */
struct handle *handle_pick(struct subject *s, unsigned may);

/* subject_let_go() - unmap and close all */
void subject_let_go(struct subject *s);

/* subject_check() - size, number and links, by handle and by name */
void subject_check(struct subject *s);

/* subject_verify() - all bytes, by whichever handle can read, or by name */
void subject_verify(struct subject *s);

/* subject_recreate() - leaves a file without a name, and makes one (with -k: as it was found) */
void subject_recreate(struct subject *s);

#endif
