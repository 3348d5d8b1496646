/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample: about how small a file gets over a base, from a few places of it.
 */
#ifndef DFS_WRITE_SAMPLE_H
#define DFS_WRITE_SAMPLE_H

#include "write/expect.h"
#include "write/work.h"

/*
 * How much is looked at: places spread evenly over the file. More and longer:
 * nearer to the truth, at about 1 ms a megabyte.
 */
struct dfs_sample_size {
	unsigned places;
	uint32_t bytes;		/* of each */
};

/* To tell bases apart, whose costs differ by much: 40 places see every kind of layer. */
#define DFS_SAMPLE_CHOOSE ((struct dfs_sample_size){ 40, 8u << 10 })
/* To say what will be saved, within some per cent. */
#define DFS_SAMPLE_ESTIMATE ((struct dfs_sample_size){ 256, 32u << 10 })

struct dfs_sample {
	uint64_t bits;		/* that the exact codecs need for what was looked at */
	uint64_t bytes;		/* that were looked at */
};

/**
 * dfs_sample() - look at a file over input->base (NULL: alone)
 * @hand: scratch of this thread
 *
 * The header is not looked at, nor is what a codec of input->spec would take. Return: 0; -EIO, -ENOMEM.
 */
int dfs_sample(const struct dfs_work_input *input, struct dfs_sample_size size,
	       struct dfs_hand *hand, struct dfs_sample *ret_sample, struct dfs_err *err);

/* dfs_sample_stored() - the size of the whole container, from its sample */
uint64_t dfs_sample_stored(const struct dfs_work_input *input, const struct dfs_sample *sample);

/* dfs_sample_of() - the same of @bytes that are like those that were looked at */
uint64_t dfs_sample_of(uint64_t bytes, const struct dfs_sample *sample);

#endif
