/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status: the mount in numbers, as JSON; deltafs(1) "EXTENDED ATTRIBUTES".
 */
#include <jansson.h>
#include <time.h>
#include <unistd.h>

#include "fuse/internal.h"

static json_t *reader_json(struct dfs_mount *mount)
{
	struct dfs_reader_stats stats;

	dfs_reader_stats(mount->reader, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "chunks_decoded", (json_int_t)stats.chunks_decoded,
			 "chunks_hit", (json_int_t)stats.chunks_hit,
			 "bytes_decoded", (json_int_t)stats.bytes_decoded,
			 "bytes_delivered", (json_int_t)stats.bytes_delivered,
			 "failures", (json_int_t)stats.failures,
			 "cache_bytes", (json_int_t)stats.cache_bytes_now,
			 "cache_bytes_peak", (json_int_t)stats.cache_bytes_peak);
}

static json_t *mount_json(struct dfs_mount *mount)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	/* Paths are bytes; JSON is text: what is no UTF-8 is left out. */
	return json_pack("{s:i, s:I, s:s*, s:s*, s:b, s:I, s:I, s:I}",
			 "version", 1,
			 "pid", (json_int_t)getpid(),
			 "store", dfs_store_path(mount->store),
			 "mountpoint", mount->mountpoint,
			 "read_only", mount->read_only,
			 "uptime_s", (json_int_t)(now.tv_sec - mount->since),
			 "nodes", (json_int_t)dfs_nodes_count(&mount->nodes),
			 "read_requests", (json_int_t)atomic_load_explicit(&mount->reads_total, memory_order_relaxed));
}

char *dfs_status_json(struct dfs_mount *mount)
{
	json_t *root = mount_json(mount);
	json_t *reader = reader_json(mount);
	char *text = NULL;

	if (root && reader && json_object_update(root, reader) == 0)
		text = json_dumps(root, JSON_COMPACT);
	json_decref(reader);
	json_decref(root);
	return text;
}
