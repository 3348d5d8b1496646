/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cached: see cached.h. The file is mapped to be asked about; no byte of the mapping is ever touched. */
#include "util/cached.h"

#include <sys/mman.h>

#define LEN_MAX (1u << 20)
#define PAGE_MIN 4096

bool dfs_cached(int fd, uint64_t off, size_t len)
{
	unsigned char pages[LEN_MAX / PAGE_MIN] = { 0 };
	bool cached = false;
	void *at;

	if (len > LEN_MAX)
		return true;
	at = mmap(NULL, len, PROT_NONE, MAP_SHARED, fd, (off_t)off);
	if (at == MAP_FAILED)
		return true;
	if (mincore(at, len, pages) < 0)
		cached = true;
	for (size_t i = 0; i < sizeof(pages) && !cached; i++)
		cached = pages[i] & 1;
	munmap(at, len);
	return cached;
}
