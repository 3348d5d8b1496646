/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * no_libraries: in place of what other libraries do, where these are not at
 * hand: they are their own authors' to test. For test_cross.sh, test_lossy.sh.
 */
#include <errno.h>

#include "codec/delta_dct.h"

static bool no_values(struct dfs_shape shape)
{
	(void)shape;
	return false;
}

const struct dfs_codec dfs_codec_zstd = { .name = "zstd", .accepts = no_values };

int dfs_dct_forward(struct dfs_scratch *scratch, unsigned p, float *in, float *out, size_t n)
{
	(void)scratch;
	(void)p;
	(void)in;
	(void)out;
	(void)n;
	return -ENOSYS;
}
