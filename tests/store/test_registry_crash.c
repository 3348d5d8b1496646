/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_registry_crash: a base is added or not, removed or not, whatever happens in between.
 *
 * The calls that change the store are wrapped by the linker (--wrap, local.mk),
 * so that the k-th of them can kill the process or fail.
 */
#include <signal.h>

#include "given.h"
#include "store/pins.h"
#include "store/registry.h"

static unsigned calls, kill_at, fail_at;

static bool step(void)
{
	if (++calls == kill_at)
		kill(getpid(), SIGKILL);
	errno = EIO;
	return calls == fail_at;
}

#define WRAP(name, parameters, arguments)				\
	int __real_##name parameters;					\
	int __wrap_##name parameters;					\
	int __wrap_##name parameters					\
	{								\
		return step() ? -1 : __real_##name arguments;		\
	}

WRAP(linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
WRAP(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAP(unlinkat, (int fd, const char *name, int flags), (fd, name, flags))
WRAP(fsync, (int fd), (fd))

static void given_a_model(void)
{
	put_model("m/a.safetensors", 1, 100);
	put_model("m/b.safetensors", 2, 100);
}

static int add(struct dfs_store *store)
{
	const struct dfs_registry_add request = { .path = "m" };
	struct dfs_registry_added added;

	return dfs_registry_add(store, &request, &added, NULL);
}

static int take_away(struct dfs_store *store)
{
	struct dfs_registry_removed removed;

	return dfs_registry_remove(store, "m", NULL, &removed, NULL);
}

/* The model is whole or not there at all. Return: there. */
static bool check_registry(struct dfs_store *store)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	char pin[DFS_PIN_PATH_SIZE];

	CHECK_RET(0, dfs_registry_list(store, &registry, NULL));
	CHECK(registry.n <= 1);
	if (!registry.n)
		return false;
	CHECK(registry.models[0].n_files == 2);
	for (unsigned i = 0; i < 2; i++) {
		dfs_pin_path(registry.models[0].files[i].hash, pin);
		CHECK(dfs_hash_equal(hash_of(pin), registry.models[0].files[i].hash));
	}
	return true;
}

static void reset(bool with_base)
{
	calls = kill_at = fail_at = 0;
	CHECK(system("rm -rf .deltafs") == 0);
	dfs_store_close(lock_store("."));
	if (with_base) {
		DFS_AUTO(store) struct dfs_store *store = lock_store(".");

		CHECK_RET(0, add(store));
	}
}

/* In a child that dies at the k-th call. Return: it died. */
static bool killed(int (*what)(struct dfs_store *store), unsigned k)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct dfs_store *store;

		if (dfs_store_open(".", false, &store, NULL) < 0 ||
		    dfs_store_lock(store, "", NULL) < 0)
			_exit(2);
		calls = 0;
		kill_at = k;
		_exit(what(store) == 0 ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void killed_while_adding_it_is_there_or_not_and_can_be_added(void **state)
{
	unsigned n_without = 0, k;

	(void)state;
	given_a_model();
	for (k = 1; reset(false), killed(add, k); k++) {
		DFS_AUTO(store) struct dfs_store *store = lock_store(".");

		n_without += !check_registry(store);
		CHECK(system("test -z \"$(ls -A .deltafs/tmp)\"") == 0);
		CHECK_RET(0, add(store));
		CHECK(check_registry(store));
	}
	CHECK(k > 8 && n_without > 6); /* the faults fired */
}

static void killed_while_removing_it_is_there_or_not_and_can_be_removed(void **state)
{
	unsigned n_with = 0, k;

	(void)state;
	given_a_model();
	for (k = 1; reset(true), killed(take_away, k); k++) {
		DFS_AUTO(store) struct dfs_store *store = lock_store(".");

		if (!check_registry(store)) /* what a crash left is swept by the next removal */
			CHECK_RET(0, add(store));
		else
			n_with++;
		CHECK_RET(0, take_away(store));
		CHECK(system("test -z \"$(ls -A .deltafs/pins .deltafs/bases | grep -v :)\"") == 0);
		CHECK(access("m/a.safetensors", F_OK) == 0);
	}
	CHECK(k > 4 && n_with > 0);
}

static void any_failure_while_adding_leaves_it_there_or_not(void **state)
{
	unsigned k, n_failed = 0;

	(void)state;
	given_a_model();
	for (k = 1; k < 100; k++) {
		DFS_AUTO(store) struct dfs_store *store = NULL;
		int ret;

		reset(false);
		store = lock_store(".");
		calls = 0;
		fail_at = k;
		ret = add(store);
		fail_at = 0;
		if (calls < k)
			break;
		n_failed += ret < 0;
		if (check_registry(store) && ret < 0)
			CHECK(n_failed >
			      6); /* only the very last step, the fsync of the directory */
		CHECK(system("test -z \"$(ls -A .deltafs/tmp)\"") == 0);
	}
	CHECK(n_failed > 6 && k < 100);
}

static const struct CMUnitTest cases[] = {
	CASE(killed_while_adding_it_is_there_or_not_and_can_be_added),
	CASE(killed_while_removing_it_is_there_or_not_and_can_be_removed),
	CASE(any_failure_while_adding_leaves_it_there_or_not),
};

CHECK_MAIN(cases)
