/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_operations: what can be done to the file under test, one function each.
 *
 * Each draws its arguments, does it to the file and to the model, and compares
 * what it was given. Return: false if it cannot be done just now (no handle
 * can write, the file has no name, ...), and then nothing was done.
 */
#ifndef DFS_TESTS_FILE_OPERATIONS_H
#define DFS_TESTS_FILE_OPERATIONS_H

#include "file_subject.h"

/* file_draw.c: where an operation works */
struct range {
	uint64_t off;
	size_t len;
};

/* draw_offset() - 0 to @limit, often where pages or requests meet, and at the end */
uint64_t draw_offset(struct subject *s, uint64_t limit);

/* draw_range() - of 1 byte to PIECE, ending at or before @limit, which is at least 1 */
struct range draw_range(struct subject *s, uint64_t limit);

/* draw_bytes() - new content in s->buf */
void draw_bytes(struct subject *s, size_t len);

/* file_io.c: by the file offset, by a given offset, past the page cache */
bool file_seek(struct subject *s);
bool file_read(struct subject *s);
bool file_write(struct subject *s);
bool file_pread(struct subject *s);
bool file_pwrite(struct subject *s);
bool file_direct_read(struct subject *s);
bool file_direct_write(struct subject *s);

/* file_mappings.c: shared ones stay mapped for many operations */
bool file_map(struct subject *s);
bool file_unmap(struct subject *s);
bool file_map_read(struct subject *s);
bool file_map_write(struct subject *s);
bool file_private(struct subject *s);	/* read, and written to: the file does not change */

/* file_space.c: sizes and holes */
bool file_truncate(struct subject *s);	/* by name */
bool file_ftruncate(struct subject *s);
bool file_allocate(struct subject *s);
bool file_allocate_keep(struct subject *s);
bool file_punch(struct subject *s);
bool file_zero(struct subject *s);
bool file_zero_keep(struct subject *s);
bool file_data(struct subject *s);	/* SEEK_DATA */
bool file_hole(struct subject *s);	/* SEEK_HOLE */

/* file_copies.c: copy_file_range(2) */
bool file_copy_within(struct subject *s);
bool file_copy_in(struct subject *s);	/* from the second file */
bool file_copy_out(struct subject *s);	/* to the second file */
bool file_copy_all(struct subject *s);	/* to the second file, which has nothing else then */

/* file_life.c: durability, handles, names */
bool file_sync(struct subject *s);
bool file_datasync(struct subject *s);
bool file_evict(struct subject *s);	/* what is clean, out of the page cache */
bool file_verify(struct subject *s);
bool file_reopen(struct subject *s);
bool file_rename(struct subject *s);
bool file_unlink(struct subject *s);	/* and go on by handles */
bool file_replace(struct subject *s);	/* the second file takes its name */
bool file_restore(struct subject *s);	/* only with -k: what was found is written anew */
bool file_rest(struct subject *s);	/* only with -r: closed, and left alone for a while */

#endif
