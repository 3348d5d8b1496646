/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "codec/internal.h"

static const struct dfs_codec *const codecs[DFS_CODECS] = {
	[DFS_CODEC_COPY] = &dfs_codec_copy,
	[DFS_CODEC_STORED] = &dfs_codec_stored,
	[DFS_CODEC_ZSTD] = &dfs_codec_zstd,
	[DFS_CODEC_DIFF] = &dfs_codec_diff,
	[DFS_CODEC_SPARSE] = &dfs_codec_sparse,
	[DFS_CODEC_SOLO] = &dfs_codec_solo,
	[DFS_CODEC_BITDELTA] = &dfs_codec_bitdelta,
	[DFS_CODEC_DELTA_COME] = &dfs_codec_delta_come,
	[DFS_CODEC_DELTA_DCT] = &dfs_codec_delta_dct,
	[DFS_CODEC_ULTRADELTA] = &dfs_codec_ultradelta,
};

/* Of all ids that the format knows, so that an unbuilt codec is named. */
static const char *const names[DFS_CODECS] = {
	[DFS_CODEC_COPY] = "copy",
	[DFS_CODEC_STORED] = "stored",
	[DFS_CODEC_ZSTD] = "zstd",
	[DFS_CODEC_DIFF] = "diff",
	[DFS_CODEC_SPARSE] = "sparse",
	[DFS_CODEC_SOLO] = "solo",
	[DFS_CODEC_BITDELTA] = "bitdelta",
	[DFS_CODEC_DELTA_DCT] = "delta-dct",
	[DFS_CODEC_ULTRADELTA] = "ultradelta",
	[DFS_CODEC_DELTA_COME] = "delta-come",
};

const struct dfs_codec *dfs_codec_find(unsigned id, int *ret_code, struct dfs_err *err)
{
	if (id < DFS_CODECS && codecs[id])
		return codecs[id];
	if (id < DFS_CODECS && names[id])
		*ret_code = dfs_fail(err, ENOTSUP, "codec %s is not in this build", names[id]);
	else
		*ret_code = dfs_fail(err, EUCLEAN, "no codec has the number %u", id);
	return NULL;
}

const char *dfs_codec_name(unsigned id)
{
	return id < DFS_CODECS && names[id] ? names[id] : "?";
}

int dfs_codec_parse(const char *name)
{
	for (int id = 0; id < DFS_CODECS; id++)
		if (names[id] && !strcmp(names[id], name))
			return id;
	return -EINVAL;
}

void *dfs_table_alloc(size_t size, size_t zeros)
{
	size_t whole = (size + 63) / 64 * 64;
	struct dfs_table *table = aligned_alloc(64, whole);

	if (!table)
		return NULL;
	memset(table, 0, zeros);
	table->size = whole;
	return table;
}

size_t dfs_table_size(const struct dfs_table *table)
{
	return table->size;
}

void dfs_table_close(struct dfs_table *table)
{
	free(table);
}
