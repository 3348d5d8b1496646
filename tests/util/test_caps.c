/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_caps: rights that were given up stay so; those permitted are at work only while raised. */
#include "util/caps.h"

#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "../check.h"

/* A line of /proc/thread-self/status, e.g. "CapEff", read by other means than capget(2). */
static uint64_t told(const char *set)
{
	FILE *file = fopen("/proc/thread-self/status", "re");
	unsigned long long value = 0;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, set, strlen(set)) == 0)
			value = strtoull(line + strlen(set) + 1, NULL, 16);
	fclose(file);
	return value;
}

/* In a child, since nothing brings rights back. */
static int in_child(int (*body)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(body());
	assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Each of these returns the number of the claim that is false, 0 if none is. */
static int limits(void)
{
	const uint64_t chown = DFS_CAP(CAP_CHOWN), admin = DFS_CAP(CAP_SYS_ADMIN);

	if (dfs_caps_limit(chown, admin) != 0)
		return 1;
	if (told("CapEff:") != chown)
		return 2;
	if (told("CapPrm:") != (chown | admin) || told("CapBnd:") != (chown | admin))
		return 3;
	if (told("CapInh:") != 0 || told("CapAmb:") != 0)
		return 4;
	return umount2("/", MNT_EXPIRE | MNT_FORCE) == 0 || errno != EPERM ? 5 : 0;
}

static int raises(void)
{
	const uint64_t chown = DFS_CAP(CAP_CHOWN), admin = DFS_CAP(CAP_SYS_ADMIN);

	if (dfs_caps_limit(chown, admin) != 0)
		return 1;
	{
		DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);

		if (raised != CAP_SYS_ADMIN || told("CapEff:") != (chown | admin))
			return 2;
		if (dfs_caps_raise(CAP_SYS_ADMIN) != -1)
			return 3;
	}
	if (told("CapEff:") != chown)
		return 4;
	if (dfs_caps_raise(CAP_SYS_RESOURCE) != -1 || told("CapEff:") != chown)
		return 5;
	if (!dfs_caps_permitted(CAP_SYS_ADMIN) || dfs_caps_permitted(CAP_SYS_RESOURCE))
		return 6;
	return 0;
}

static int never_grows(void)
{
	const uint64_t chown = DFS_CAP(CAP_CHOWN), fowner = DFS_CAP(CAP_FOWNER);

	if (dfs_caps_limit(chown, 0) != 0 || dfs_caps_limit(chown | fowner, fowner) != 0)
		return 1;
	return told("CapEff:") == chown && told("CapPrm:") == chown ? 0 : 2;
}

static bool without_root(void)
{
	return !(told("CapEff:") & DFS_CAP(CAP_SYS_ADMIN) && told("CapEff:") & DFS_CAP(CAP_SETPCAP));
}

static void what_is_not_kept_is_gone(void **state)
{
	(void)state;
	if (without_root())
		skip();
	CHECK_RET(0, in_child(limits));
}

static void what_is_permitted_works_while_raised(void **state)
{
	(void)state;
	if (without_root())
		skip();
	CHECK_RET(0, in_child(raises));
}

static void a_second_limit_brings_nothing_back(void **state)
{
	(void)state;
	if (without_root())
		skip();
	CHECK_RET(0, in_child(never_grows));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(what_is_not_kept_is_gone),
	cmocka_unit_test(what_is_permitted_works_while_raised),
	cmocka_unit_test(a_second_limit_brings_nothing_back),
};

CHECK_MAIN(cases)
