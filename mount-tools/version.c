/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "version.h"

#include <stdio.h>

#include "codec/codec.h"
#include "format/container.h"
#include "util/cpu.h"

void version_print(const char *program)
{
	printf("%s " PACKAGE_VERSION "\n"
	       "container format: reads 1 to %d, writes %d\n"
	       "codecs:", program, DFS_FORMAT_VERSION, DFS_FORMAT_VERSION);
	for (unsigned id = 0; id < DFS_CODECS; id++) {
		int code;

		if (dfs_codec_find(id, &code, NULL))
			printf(" %s", dfs_codec_name(id));
	}
	printf("\nkernels:");
	for (int level = 0; level <= (int)dfs_cpu_best(); level++)
		printf(" %s", dfs_cpu_name((enum dfs_cpu)level));
	printf("\n");
}
