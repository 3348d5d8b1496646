/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rounding: how this thread rounds floats, and the threads that it starts.
 *
 * What codecs compute is defined by IEEE 754's defaults: to nearest even, and
 * subnormal numbers are numbers. A library's constructor may set other modes
 * for the thread that loads it; those built with -ffast-math do.
 */
#ifndef DFS_UTIL_ROUNDING_H
#define DFS_UTIL_ROUNDING_H

#include <fenv.h>

/* dfs_rounding_default() - before threads are started, and after a library was loaded */
static inline void dfs_rounding_default(void)
{
	fesetenv(FE_DFL_ENV);
}

#endif
