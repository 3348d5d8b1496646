/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read/limit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/auto.h"

/* The two generations: where under the mount, and the file with the limit. */
struct hierarchy {
	const char *below;
	const char *file;
};

static const struct hierarchy version1 = { "/memory", "memory.limit_in_bytes" };
static const struct hierarchy version2 = { "", "memory.max" };

/* "max", an absent file and what is no number are no limit. */
static uint64_t read_limit(const char *path)
{
	DFS_AUTO(file) FILE *file = fopen(path, "re");
	unsigned long long bytes;

	if (!file || fscanf(file, "%llu", &bytes) != 1)
		return UINT64_MAX;
	return bytes;
}

/* The group's limit and those of all above it, up to the mount. */
static uint64_t least_upwards(const char *mount, const struct hierarchy *h, char *group)
{
	uint64_t least = UINT64_MAX;
	char path[4096];

	for (;;) {
		char *slash = strrchr(group, '/');
		uint64_t limit;

		snprintf(path, sizeof(path), "%s%s%s/%s", mount, h->below, group, h->file);
		limit = read_limit(path);
		if (limit < least)
			least = limit;
		if (!slash)
			return least;
		*slash = '\0';
	}
}

/* Is "memory" one of the comma-separated controllers at @list? */
static bool has_memory(const char *list, size_t len)
{
	while (len >= 6) {
		size_t word = 0;

		while (word < len && list[word] != ',')
			word++;
		if (word == 6 && memcmp(list, "memory", 6) == 0)
			return true;
		word += word < len;
		list += word;
		len -= word;
	}
	return false;
}

/* A line of /proc/self/cgroup is "number:controllers:group". */
static uint64_t limit_of_line(const char *mount, char *line)
{
	char *controllers = strchr(line, ':');
	char *group = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!group)
		return UINT64_MAX;
	controllers++;
	line[strcspn(line, "\n")] = '\0';
	if (group == controllers)
		return least_upwards(mount, &version2, group + 1);
	if (has_memory(controllers, (size_t)(group - controllers)))
		return least_upwards(mount, &version1, group + 1);
	return UINT64_MAX;
}

uint64_t dfs_memory_limit_in(const char *groups, const char *mount)
{
	DFS_AUTO(file) FILE *file = fopen(groups, "re");
	uint64_t least = UINT64_MAX;
	char line[4096];

	while (file && fgets(line, sizeof(line), file)) {
		uint64_t limit = limit_of_line(mount, line);

		if (limit < least)
			least = limit;
	}
	return least;
}

uint64_t dfs_memory_limit(void)
{
	uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t group = dfs_memory_limit_in("/proc/self/cgroup", "/sys/fs/cgroup");

	return group < machine ? group : machine;
}

uint64_t dfs_memory_held(void)
{
	DFS_AUTO(file) FILE *file = fopen("/proc/self/statm", "re");
	uint64_t resident, shared;

	if (!file || fscanf(file, "%*u %" SCNu64 " %" SCNu64, &resident, &shared) != 2 || shared > resident)
		return 0;
	return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}
