/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pair: a base and a fine-tune on disk, small but of many chunks, the
 * fine-tune coded against the base. Each test program makes its own in a
 * directory that pair_remove() takes away.
 */
#ifndef DFS_TESTS_READ_PAIR_H
#define DFS_TESTS_READ_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "read/view.h"

struct pair {
	char dir[64];
	char base[96], tune[96], container[96];	/* paths */
	uint8_t *bytes;		/* of the fine-tune */
	size_t len;
	struct dfs_bases *bases;
	struct dfs_reader *reader;
	struct dfs_view *view;
};

/* The layout, so that tests can name what they read: two large tensors, small ones between. */
#define PAIR_BIG_ROWS 2048
#define PAIR_COLS 512
#define PAIR_BIG_LEN ((size_t)PAIR_BIG_ROWS * PAIR_COLS * 2)
size_t pair_tensor_off(const struct pair *pair, const char *name);

/* pair_make() - the files; ends the test program if it cannot */
void pair_make(struct pair *pair);

/* pair_open() - a reader with these limits, and a view of the container; ends the case if it cannot */
void pair_open(struct pair *pair, size_t cache_bytes, unsigned threads, size_t readahead);
void pair_close(struct pair *pair);
void pair_remove(struct pair *pair);

/* pair_is_right() - are [off, off + len) of the view the fine-tune's bytes */
bool pair_is_right(const struct pair *pair, uint64_t off, size_t len);

/* pair_flip() - change one byte of a file, keeping its times; again to change it back */
void pair_flip(const char *path, uint64_t off);

#endif
