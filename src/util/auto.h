/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auto: cleanup bound to a scope.
 *
 *	DFS_AUTO(mem) uint8_t *buf = malloc(len);
 *	DFS_AUTO(fd) int fd = open(...);
 *	...
 *	*ret_buf = dfs_steal(&buf);
 *
 * Always with an initialiser. Destructors take NULL (or -1) and keep errno.
 * A folder adds its own kinds with one line: DFS_AUTO_KIND(view, struct dfs_view *, dfs_view_close(*p)).
 */
#ifndef DFS_UTIL_AUTO_H
#define DFS_UTIL_AUTO_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* unused: what only its end is wanted of; clang does not count that as a use. */
#define DFS_AUTO(kind) __attribute__((cleanup(dfs_auto_##kind), unused))

#define DFS_AUTO_KIND(kind, type, end)					\
	static inline void dfs_auto_##kind(type *p)			\
	{								\
		int saved = errno;					\
		end;							\
		errno = saved;						\
	}								\
	struct dfs_auto_##kind##_needs_a_semicolon

static inline void dfs_auto_mem(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

DFS_AUTO_KIND(fd, int, if (*p >= 0) close(*p));
DFS_AUTO_KIND(dir, DIR *, if (*p) closedir(*p));
DFS_AUTO_KIND(file, FILE *, if (*p) fclose(*p));

/* dfs_steal() - take a pointer out of its scope's care. */
#define dfs_steal(p)							\
	({								\
		__typeof__(*(p)) taken_ = *(p);				\
		*(p) = NULL;						\
		taken_;							\
	})

static inline int dfs_steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
