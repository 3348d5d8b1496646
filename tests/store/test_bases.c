/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bases: a base is found wherever it is, heals when it returns, and is never another file for long. */
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

#include "given_bases.h"

static void a_named_file_is_found_without_a_store(void **state)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(NULL);
	struct dfs_base_file want;
	struct dfs_err err = { "" };

	(void)state;
	put_model("m/a.safetensors", 1, 100);
	put_model("m/b.safetensors", 1, 200);
	want = want_of("m/b.safetensors", "b");
	CHECK_RET(-ENOENT, dfs_bases_add(bases, "nothing", &err));
	missed(bases, &want, "not found");
	CHECK_OK(dfs_bases_add(bases, "m", &err), err);
	CHECK(chdir("/") == 0); /* as a daemon does */
	found(bases, &want);
}

static void a_pin_outlives_the_name(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(bases) struct dfs_bases *bases = NULL;
	struct dfs_base_file want;

	(void)state;
	put_model("m.safetensors", 1, 100);
	want = want_of("m.safetensors", "");
	store = lock_store(".");
	bases = dfs_bases_new(store);
	missed(bases, &want, "without a name");
	pin(store, "m.safetensors");
	CHECK(unlink("m.safetensors") == 0);
	found(bases, &want);
}

static void the_sentence_says_all_that_is_known(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = open_store(".");
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(store);
	struct dfs_base_file want = { .size = 4242,
				      .name = "llama/x.safetensors",
				      .origin = "org/llama@abc" };

	(void)state;
	memset(want.hash.bytes, 0xab, 16);
	memset(want.model.bytes, 0xcd, 16);
	missed(bases, &want, "llama/x.safetensors");
	missed(bases, &want, "org/llama@abc");
	missed(bases, &want, "4242 bytes");
	missed(bases, &want, "abababababababababababababababab");
	missed(bases, &want, "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd");
	missed(bases, &want, "not found");
}

static void what_is_wrong_with_a_place_is_told(void **state)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(NULL);
	struct dfs_base_file want;
	struct dfs_err err = { "" };

	(void)state;
	put_model("m.safetensors", 1, 100);
	want = want_of("m.safetensors", "m");
	CHECK_OK(dfs_bases_add(bases, "m.safetensors", &err), err);
	CHECK(truncate("m.safetensors", 50) == 0);
	missed(bases, &want, "m.safetensors has 50 bytes");
	CHECK(unlink("m.safetensors") == 0 && mkfifo("m.safetensors", 0600) == 0);
	missed(bases, &want, "not a regular file"); /* and does not hang */
	CHECK(unlink("m.safetensors") == 0 && mkdir("m.safetensors", 0700) == 0);
	missed(bases, &want, "not a regular file");
	CHECK(rmdir("m.safetensors") == 0);
	missed(bases, &want, "not found");
	if (geteuid() != 0) { /* root may read anything */
		put_model("m.safetensors", 1, 100);
		CHECK(chmod("m.safetensors", 0) == 0);
		missed(bases, &want, "cannot be opened: Permission denied");
		CHECK(unlink("m.safetensors") == 0);
	}
	put_model("m.safetensors", 1, 100);
	found(bases, &want);
}

static void a_base_that_goes_and_returns_heals(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(bases) struct dfs_bases *bases = NULL;
	struct dfs_base_file want;
	char path[DFS_PIN_PATH_SIZE];

	(void)state;
	put_model("m.safetensors", 1, 100);
	want = want_of("m.safetensors", "elsewhere.safetensors");
	store = lock_store(".");
	pin(store, "m.safetensors");
	bases = dfs_bases_new(store);
	found(bases, &want);
	CHECK(rename(dfs_pin_path(want.hash, path), "away") == 0);
	wait_for_check();
	missed(bases, &want, "not found");
	CHECK(rename("away", path) == 0);
	found(bases, &want);
}

static void what_is_open_is_looked_at_again_at_once_when_asked(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(bases) struct dfs_bases *bases = NULL;
	DFS_AUTO(fd) int fd = -1;
	struct dfs_base_file want;
	struct dfs_err err = { "" };

	(void)state;
	put_model("m.safetensors", 1, 100);
	want = want_of("m.safetensors", "");
	store = lock_store(".");
	pin(store, "m.safetensors");
	bases = dfs_bases_new(store);
	dfs_bases_look_again(bases, &want); /* of what is not open: nothing */
	found(bases, &want);
	/* somebody writes to the file: the pin gets one of its own first */
	fd = open("m.safetensors", O_RDWR);
	CHECK_OK(dfs_pin_detach(store, fd, &err), err);
	CHECK(pwrite(fd, "other", 5, 50) == 5);
	dfs_bases_look_again(bases, &want);
	found(bases, &want);
}

static void the_path_a_container_remembers_is_tried_last_and_never_outside(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(bases) struct dfs_bases *bases = NULL;
	struct dfs_base_file want;

	(void)state;
	put_model("s/models/m.safetensors", 1, 100);
	put_model("secret", 1, 100);
	want = want_of("secret", "../secret");
	store = open_store("s");
	bases = dfs_bases_new(store);
	missed(bases, &want, "not found");
	CHECK(symlink("../secret", "s/link") == 0);
	want.name = "link";
	missed(bases, &want, "not a regular file");
	CHECK(mkfifo("s/fifo", 0600) == 0);
	want.name = "fifo";
	missed(bases, &want, "not a regular file");
	want.name = "models";
	missed(bases, &want, "not a regular file");
	want.name = "/etc/passwd";
	missed(bases, &want, "not found");
	want.name = "models/m.safetensors";
	found(bases, &want);
}

static void named_files_of_one_size_are_told_apart(void **state)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(NULL);
	struct dfs_base_file want, none;
	struct dfs_err err = { "" };

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		char path[32];

		snprintf(path, sizeof(path), "m/%u.safetensors", i);
		put_model(path, i, 100);
	}
	CHECK_OK(dfs_bases_add(bases, "m", &err), err);
	for (unsigned i = 0; i < 5; i++) {
		char path[32];

		snprintf(path, sizeof(path), "m/%u.safetensors", i);
		want = want_of(path, "");
		found(bases, &want);
	}
	CHECK_OK(dfs_bases_settle(bases, &want, go_on, NULL, &err),
		 err); /* the last one was not hashed: it alone was left */
	none = want;
	none.hash.bytes[0] ^= 1;
	missed(bases, &none, "other content");
}

static unsigned open_files(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void descriptors_are_shared_and_idle_ones_bounded(void **state)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(NULL);
	struct dfs_base *one, *two;
	struct dfs_err err = { "" };
	unsigned before;

	(void)state;
	for (unsigned i = 0; i < 3 * DFS_BASES_IDLE; i++) {
		char path[32];

		snprintf(path, sizeof(path), "m/%03u.safetensors", i);
		put_model(path, i, 10 + i);
	}
	CHECK_OK(dfs_bases_add(bases, "m", &err), err);
	before = open_files();
	for (unsigned i = 0; i < 3 * DFS_BASES_IDLE; i++) {
		struct dfs_base_file want;
		char path[32];

		snprintf(path, sizeof(path), "m/%03u.safetensors", i);
		want = want_of(path, "");
		found(bases, &want);
		if (i == 0) {
			CHECK_OK(dfs_bases_get(bases, &want, &one, &err), err);
			CHECK_OK(dfs_bases_get(bases, &want, &two, &err), err);
			CHECK(one == two);
			dfs_base_put(bases, one);
			dfs_base_put(bases, two);
		}
	}
	CHECK(open_files() - before == DFS_BASES_IDLE);
}

static void without_descriptors_it_says_so_and_recovers(void **state)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(NULL);
	struct rlimit limit, low;
	int first_free;
	struct dfs_base_file want;
	struct dfs_base *base;
	struct dfs_err err = { "" };

	(void)state;
	put_model("m.safetensors", 1, 100);
	want = want_of("m.safetensors", "");
	CHECK_OK(dfs_bases_add(bases, "m.safetensors", &err), err);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	first_free = dup(0);
	close(first_free);
	low = (struct rlimit){ (rlim_t)first_free, limit.rlim_max };
	CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	CHECK_RET(-EMFILE, dfs_bases_get(bases, &want, &base, &err));
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	found(bases, &want);
}

struct load {
	struct dfs_bases *bases;
	struct dfs_base_file wants[8];
	unsigned wrong, rounds;
	bool stop;
};

static void *hammer(void *arg)
{
	struct load *load = arg;

	for (unsigned i = 0; !__atomic_load_n(&load->stop, __ATOMIC_RELAXED); i++) {
		const struct dfs_base_file *want = &load->wants[i % 8];
		struct dfs_base *base;
		uint8_t byte;

		if (dfs_bases_get(load->bases, want, &base, NULL) < 0 || base->size != want->size ||
		    pread(base->fd, &byte, 1, (off_t)want->size - 1) != 1) {
			__atomic_add_fetch(&load->wrong, 1, __ATOMIC_RELAXED);
			continue;
		}
		dfs_base_put(load->bases, base);
		__atomic_add_fetch(&load->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void many_threads_share_them(void **state)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(NULL);
	struct load load = { .bases = bases };
	pthread_t threads[4];
	struct dfs_err err = { "" };

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		char path[32];

		snprintf(path, sizeof(path), "m/%u.safetensors", i);
		put_model(path, i, 10 + i);
		load.wants[i] = want_of(path, "");
	}
	CHECK_OK(dfs_bases_add(bases, "m", &err), err);
	for (unsigned i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, hammer, &load) == 0);
	/* the files look changed again and again, so entries are dropped under their users */
	for (unsigned i = 0; i < 24; i++) {
		char path[32];

		snprintf(path, sizeof(path), "m/%u.safetensors", i % 8);
		CHECK(utimensat(AT_FDCWD, path, NULL, 0) == 0);
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
	__atomic_store_n(&load.stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK(load.wrong == 0 && load.rounds > 1000);
}

static const struct CMUnitTest cases[] = {
	CASE(a_named_file_is_found_without_a_store),
	CASE(a_pin_outlives_the_name),
	CASE(the_sentence_says_all_that_is_known),
	CASE(what_is_wrong_with_a_place_is_told),
	CASE(a_base_that_goes_and_returns_heals),
	CASE(what_is_open_is_looked_at_again_at_once_when_asked),
	CASE(the_path_a_container_remembers_is_tried_last_and_never_outside),
	CASE(named_files_of_one_size_are_told_apart),
	CASE(descriptors_are_shared_and_idle_ones_bounded),
	CASE(without_descriptors_it_says_so_and_recovers),
	CASE(many_threads_share_them),
};

CHECK_MAIN(cases)
