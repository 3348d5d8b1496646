/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: see room.h. */
#include "write/room.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "read/limit.h"

#define KEPT_SHARE 50
#define KEPT_MAX (UINT64_C(1) << 30)

/* What an encode and its verification take, as measured on models of 128 MiB to 4 GiB: tables, a window, and buffers of each thread. */
#define ENCODE_BYTES (UINT64_C(72) << 20)
#define THREAD_BYTES (UINT64_C(6) << 20)

uint64_t dfs_room_kept(uint64_t total)
{
	return total / KEPT_SHARE < KEPT_MAX ? total / KEPT_SHARE : KEPT_MAX;
}

int dfs_room_check(const struct dfs_store *store, uint64_t bytes, uint64_t *ret_needs)
{
	struct statvfs fs;

	*ret_needs = bytes;
	if (fstatvfs(dfs_store_fd(store), &fs) < 0)
		return 0;
	*ret_needs = bytes + dfs_room_kept((uint64_t)fs.f_blocks * fs.f_frsize);
	return (uint64_t)fs.f_bavail * fs.f_frsize < *ret_needs ? -ENOSPC : 0;
}

uint64_t dfs_room_memory(void)
{
	return dfs_memory_limit() / 4 * 3;
}

int dfs_room_memory_check(uint64_t most, unsigned threads)
{
	uint64_t n = threads ? threads : (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);

	return dfs_memory_held() + ENCODE_BYTES + n * THREAD_BYTES > most ? -ENOMEM : 0;
}
