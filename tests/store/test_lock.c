/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_lock: one writer a store; the lock dies with its process; others learn who has it. */
#include <signal.h>

#include "given.h"

/* A child that holds the lock until it is killed; returns once it has it. */
static pid_t holder(const char *mountpoint)
{
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(pipe(ready) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct dfs_store *store;

		if (dfs_store_open(".", false, &store, NULL) == 0 &&
		    dfs_store_lock(store, mountpoint, NULL) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_second_writer_is_refused_by_the_holders_name(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err err = { "" };
	char pid_text[32];
	pid_t pid;

	(void)state;
	pid = holder("/mnt/models here");
	snprintf(pid_text, sizeof(pid_text), "process %d (test_lock)", (int)pid);
	store = open_store(".");
	CHECK_RET(-EBUSY, dfs_store_lock(store, "", &err));
	end(pid);
	CHECK_SAYS(err, pid_text);
	CHECK_SAYS(err, "mounted on /mnt/models here");
}

static void the_lock_dies_with_its_process(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err err = { "" };

	(void)state;
	end(holder(""));
	store = open_store(".");
	CHECK_OK(dfs_store_lock(store, "", &err), err);
}

static void who_holds_it_can_be_asked_without_disturbing(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_holder found;
	pid_t pid;

	(void)state;
	store = open_store(".");
	CHECK_RET(-ENOENT, dfs_store_holder(store, &found));
	pid = holder("/m");
	CHECK_RET(0, dfs_store_holder(store, &found));
	CHECK(found.pid == pid && strcmp(found.mountpoint, "/m") == 0);
	CHECK(strcmp(found.command, "test_lock") == 0);
	end(pid);
	CHECK_RET(-ENOENT, dfs_store_holder(store, &found));
}

static void unlocking_lets_the_next_one_in(void **state)
{
	DFS_AUTO(store) struct dfs_store *first = NULL;
	DFS_AUTO(store) struct dfs_store *second = NULL;
	struct dfs_err err = { "" };

	(void)state;
	first = lock_store(".");
	second = open_store(".");
	CHECK_RET(-EBUSY, dfs_store_lock(second, "", &err));
	dfs_store_unlock(first);
	CHECK_OK(dfs_store_lock(second, "", &err), err);
}

static void a_note_names_the_process_after_a_fork(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_holder found;
	struct stat st;

	(void)state;
	store = lock_store(".");
	CHECK_RET(0, dfs_store_lock_note(store, "/a/very/long/mountpoint"));
	CHECK_RET(0, dfs_store_lock_note(store, "/m"));
	CHECK(stat(".deltafs/lock", &st) == 0);
	CHECK_RET(0, dfs_store_holder(store, &found));
	CHECK(found.pid == getpid() && strcmp(found.mountpoint, "/m") == 0);
	dfs_store_unlock(store);
	CHECK_RET(-ENOLCK, dfs_store_lock_note(store, "/m"));
}

static void the_new_writer_clears_rubbish_the_refused_one_does_not(void **state)
{
	DFS_AUTO(store) struct dfs_store *first = NULL;
	DFS_AUTO(store) struct dfs_store *second = NULL;
	DFS_AUTO(mem) char *name = NULL;
	struct dfs_err err = { "" };
	int fd;

	(void)state;
	first = lock_store(".");
	put_text(".deltafs/tmp/left", "x");
	CHECK_OK(dfs_store_tmp(first, &fd, &name, &err), err);
	close(fd);
	second = open_store(".");
	CHECK_RET(-EBUSY, dfs_store_lock(second, "", &err));
	CHECK(access(name, F_OK) == 0 && access(".deltafs/tmp/left", F_OK) == 0);
	dfs_store_unlock(first);
	CHECK_OK(dfs_store_lock(second, "", &err), err);
	CHECK(access(name, F_OK) < 0 && access(".deltafs/tmp/left", F_OK) < 0);
}

static void a_text_of_nonsense_is_no_holder(void **state)
{
	DFS_AUTO(store) struct dfs_store *first = NULL;
	DFS_AUTO(store) struct dfs_store *second = NULL;
	static const char *const texts[] = { "", "\n", "nobody\n", "-4 /m\n", "0 /m\n", "99" };
	struct dfs_err err;

	(void)state;
	first = lock_store(".");
	second = open_store(".");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct dfs_holder found;

		put_text(".deltafs/lock", texts[i]);
		CHECK_RET(0, dfs_store_holder(second, &found));
		CHECK(found.pid == 0);
	}
	CHECK_RET(-EBUSY, dfs_store_lock(second, "", &err));
	CHECK_SAYS(err, "another process");
}

static const struct CMUnitTest cases[] = {
	CASE(a_second_writer_is_refused_by_the_holders_name),
	CASE(the_lock_dies_with_its_process),
	CASE(who_holds_it_can_be_asked_without_disturbing),
	CASE(unlocking_lets_the_next_one_in),
	CASE(a_note_names_the_process_after_a_fork),
	CASE(the_new_writer_clears_rubbish_the_refused_one_does_not),
	CASE(a_text_of_nonsense_is_no_holder),
};

CHECK_MAIN(cases)
