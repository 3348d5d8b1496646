/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory a process may use, from files as the kernel writes them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "read/limit.h"

static char dir[] = "/tmp/deltafs-limit.XXXXXX";
static char groups[64];

static void file(const char *name, const char *text)
{
	char command[512];

	snprintf(command, sizeof(command), "mkdir -p \"$(dirname %s/%s)\" && printf '%s' >%s/%s", dir, name, text, dir, name);
	CHECK(system(command) == 0);
}

static void version_2_takes_the_least_on_the_way_up(void **state)
{
	(void)state;
	file("cgroup", "0::/a/b/c\\n");
	file("a/b/c/memory.max", "max\\n");
	file("a/b/memory.max", "300000000\\n");
	file("a/memory.max", "700000000\\n");
	CHECK(dfs_memory_limit_in(groups, dir) == 300000000);
}

static void version_1_has_a_hierarchy_of_its_own(void **state)
{
	(void)state;
	file("cgroup", "9:name=systemd:/x\\n4:cpu,memory:/job\\n2:memoryx:/none\\n");
	file("memory/job/memory.limit_in_bytes", "123456789\\n");
	file("memory/none/memory.limit_in_bytes", "5\\n");
	CHECK(dfs_memory_limit_in(groups, dir) == 123456789);
}

static void the_root_group_may_have_a_limit_too(void **state)
{
	(void)state;
	file("cgroup", "0::/\\n");
	file("memory.max", "4096\\n");
	CHECK(dfs_memory_limit_in(groups, dir) == 4096);
	unlink("memory.max");
}

static void nothing_is_no_limit(void **state)
{
	(void)state;
	CHECK(dfs_memory_limit_in("/nonexistent", dir) == UINT64_MAX);
	file("cgroup", "garbage\\n0:\\n::\\n");
	file("memory.max", "max\\n");
	CHECK(dfs_memory_limit_in(groups, dir) == UINT64_MAX);
}

static void the_machine_is_a_limit(void **state)
{
	(void)state;
	CHECK(dfs_memory_limit() <= (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
	CHECK(dfs_memory_limit() > 0);
}

static void what_is_held_is_what_was_touched(void **state)
{
	const size_t size = (size_t)64 << 20;
	uint64_t before = dfs_memory_held();
	volatile char *block = malloc(size); /* else the compiler does without */

	(void)state;
	CHECK(before > 0);
	CHECK(block);
	for (size_t i = 0; i < size; i += 4096)
		block[i] = 1;
	CHECK(dfs_memory_held() > before + size / 2);
	free((void *)block);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(version_2_takes_the_least_on_the_way_up),
	cmocka_unit_test(version_1_has_a_hierarchy_of_its_own),
	cmocka_unit_test(the_root_group_may_have_a_limit_too),
	cmocka_unit_test(nothing_is_no_limit),
	cmocka_unit_test(the_machine_is_a_limit),
	cmocka_unit_test(what_is_held_is_what_was_touched),
};

int main(int argc, char **argv)
{
	char command[128];
	int status;

	if (!mkdtemp(dir))
		return 1;
	snprintf(groups, sizeof(groups), "%s/cgroup", dir);
	status = check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) ? 1 : status;
}
