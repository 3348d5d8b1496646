/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/mountinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/auto.h"

void dfs_mountinfo_plain(char *word)
{
	char *to = word;
	unsigned octal;

	for (; *word; to++) {
		if (*word == '\\' && sscanf(word + 1, "%3o", &octal) == 1) {
			*to = (char)octal;
			word += 4;
		} else {
			*to = *word++;
		}
	}
	*to = '\0';
}

bool dfs_mountinfo_find(const char *path, char *type, char *source)
{
	DFS_AUTO(file) FILE *file = fopen("/proc/self/mountinfo", "re");
	DFS_AUTO(mem) char *line = NULL;
	size_t cap = 0;
	bool found = false;

	while (file && getline(&line, &cap, file) > 0) {
		char *rest = strstr(line, " - ");
		char point[4096];

		if (!rest || sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		dfs_mountinfo_plain(point);
		if (strcmp(point, path) == 0 && sscanf(rest + 3, "%63s %4095s", type, source) == 2)
			found = true;
	}
	if (found)
		dfs_mountinfo_plain(source);
	return found;
}
