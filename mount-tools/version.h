/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * version: what -V of every program says.
 */
#ifndef DFS_TOOLS_VERSION_H
#define DFS_TOOLS_VERSION_H

/* version_print() - to stdout: version, container formats read and written, codecs and kernels of this build */
void version_print(const char *program);

#endif
