/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reasons: why files are plain, for as long as they are as they were. */
#include <pthread.h>

#include "../store/given.h"
#include "store/journal_line.h"
#include "util/hash.h"
#include "write/reasons.h"

static struct dfs_store *store;
static struct dfs_reasons *reasons;

static void open_reasons(void)
{
	struct dfs_err err = { "" };

	store = lock_store(".");
	CHECK_OK(dfs_reasons_new(store, NULL, &reasons, &err), err);
}

static void close_reasons(void)
{
	dfs_reasons_free(reasons);
	dfs_store_close(store);
}

static void restart(void)
{
	close_reasons();
	open_reasons();
}

static struct stat file(uint64_t inode)
{
	struct stat st = { .st_ino = inode, .st_size = 1000, .st_mtim = { .tv_sec = 4102444800, .tv_nsec = 7 } };
	struct stat root;

	CHECK(fstat(dfs_store_fd(store), &root) == 0);
	st.st_dev = root.st_dev;
	return st;
}

static void set(struct stat st, enum dfs_reason_id id, uint64_t number, const char *detail)
{
	struct dfs_reason why;

	dfs_reason_set(&why, id, number, detail);
	dfs_reasons_set(reasons, &st, &why);
}

/* Return: the id; DFS_REASON_NONE: nothing is known. */
static enum dfs_reason_id known(struct stat st)
{
	struct dfs_reason why;

	return dfs_reasons_find(reasons, &st, &why) ? why.id : DFS_REASON_NONE;
}

static void a_reason_survives_with_all_it_says(void **state)
{
	struct dfs_reason why;
	struct stat a, b, old;

	(void)state;
	open_reasons();
	a = file(1), b = file(2), old = file(3);
	old.st_mtim = (struct timespec){ .tv_sec = -86400, .tv_nsec = 5 }; /* before 1970 */
	old.st_ino = UINT64_MAX;
	set(a, DFS_REASON_NO_GAIN, 97, NULL);
	set(b, DFS_REASON_NOT_SAFETENSORS, 0, "a\ttensor\n\\");
	set(old, DFS_REASON_BY_HAND, UINT64_MAX, NULL);
	for (int round = 0; round < 2; round++) {
		CHECK(dfs_reasons_find(reasons, &a, &why) && why.id == DFS_REASON_NO_GAIN && why.number == 97);
		CHECK(dfs_reasons_find(reasons, &b, &why) && why.id == DFS_REASON_NOT_SAFETENSORS);
		assert_string_equal(why.detail, "a\ttensor\n\\");
		CHECK(dfs_reasons_find(reasons, &old, &why) && why.number == UINT64_MAX);
		CHECK(known(file(4)) == DFS_REASON_NONE);
		restart();
	}
	close_reasons();
}

static void a_file_that_has_changed_has_none(void **state)
{
	struct stat a, st;

	(void)state;
	open_reasons();
	a = file(1);
	set(a, DFS_REASON_BY_HAND, 0, NULL);
	for (int round = 0; round < 2; round++) {
		st = a;
		st.st_size++;
		CHECK(known(st) == DFS_REASON_NONE);
		st = a;
		st.st_mtim.tv_nsec++;
		CHECK(known(st) == DFS_REASON_NONE);
		st = a;
		st.st_mtim.tv_sec--;
		CHECK(known(st) == DFS_REASON_NONE);
		st = a;
		st.st_dev++;
		CHECK(known(st) == DFS_REASON_NONE);
		st = a;
		st.st_ctim.tv_sec++; /* renamed, say */
		CHECK(known(st) == DFS_REASON_BY_HAND);
		restart();
	}
	close_reasons();
}

static void the_last_one_counts(void **state)
{
	struct stat a, other;

	(void)state;
	open_reasons();
	a = other = file(1);
	other.st_dev++;
	set(a, DFS_REASON_NO_BASE, 0, NULL);
	set(other, DFS_REASON_LINKS, 2, NULL);
	set(a, DFS_REASON_NO_GAIN, 99, NULL);
	CHECK(known(a) == DFS_REASON_NO_GAIN && known(other) == DFS_REASON_LINKS);
	restart();
	CHECK(known(a) == DFS_REASON_NO_GAIN && known(other) == DFS_REASON_LINKS);
	dfs_reasons_clear(reasons, &a);
	CHECK(known(a) == DFS_REASON_NONE && known(other) == DFS_REASON_LINKS);
	set(other, DFS_REASON_NONE, 0, NULL);
	CHECK(known(other) == DFS_REASON_NONE);
	restart();
	CHECK(known(a) == DFS_REASON_NONE && known(other) == DFS_REASON_NONE);
	close_reasons();
}

static struct dfs_hash id(uint64_t n)
{
	return dfs_hash128(&n, sizeof(n));
}

/* Is one of the bases 1 to @n news to who wants one? */
static bool outdated(uint64_t n)
{
	struct dfs_hash ids[4] = { id(1), id(2), id(3), id(4) };

	return dfs_reasons_outdated(reasons, ids, n);
}

static void a_base_that_is_added_is_news_to_who_wants_one(void **state)
{
	struct dfs_hash one[1], three[3] = { id(1), id(2), id(3) };

	(void)state;
	open_reasons();
	one[0] = id(2);
	set(file(1), DFS_REASON_NOT_SAFETENSORS, 0, NULL);
	CHECK(!outdated(4)); /* nobody wants any */
	set(file(2), DFS_REASON_NO_BASE, 0, NULL);
	CHECK(!outdated(0) && outdated(1) && outdated(4));
	dfs_reasons_bases(reasons, three, 3);
	for (int round = 0; round < 3; round++) {
		CHECK(!outdated(3) && outdated(4));
		if (round == 1)
			dfs_reasons_tidy(reasons);
		restart();
	}
	dfs_reasons_bases(reasons, one, 1); /* 1 and 3 were removed, and are new when they come back */
	for (int round = 0; round < 2; round++) {
		CHECK(outdated(1) && !dfs_reasons_outdated(reasons, one, 1));
		restart();
	}
	set(file(2), DFS_REASON_NO_GAIN, 99, NULL);
	CHECK(outdated(1));
	set(file(2), DFS_REASON_BY_HAND, 0, NULL);
	CHECK(!outdated(4));
	close_reasons();
}

static void bases_are_kept_when_the_file_is_written_anew(void **state)
{
	struct dfs_hash one[1] = { id(1) };
	uint64_t before;

	(void)state;
	open_reasons();
	dfs_reasons_bases(reasons, one, 1);
	for (int i = 0; i < 50000; i++)
		set(file(1), DFS_REASON_NO_GAIN, (uint64_t)i, NULL);
	before = size_of(".deltafs/reasons");
	dfs_reasons_tidy(reasons);
	CHECK(size_of(".deltafs/reasons") < before);
	restart();
	CHECK(!outdated(1) && outdated(2));
	close_reasons();
}

static void saying_the_same_again_costs_no_disk(void **state)
{
	uint64_t size;

	(void)state;
	open_reasons();
	set(file(1), DFS_REASON_NO_GAIN, 99, NULL);
	size = size_of(".deltafs/reasons");
	for (int i = 0; i < 100; i++)
		set(file(1), DFS_REASON_NO_GAIN, 99, NULL);
	dfs_reasons_clear(reasons, &(struct stat){ .st_ino = 77 });
	CHECK(size_of(".deltafs/reasons") == size);
	set(file(1), DFS_REASON_NO_GAIN, 98, NULL);
	CHECK(size_of(".deltafs/reasons") > size);
	close_reasons();
}

static void only_the_newest_are_kept(void **state)
{
	unsigned tidied = 0;
	uint64_t before;

	(void)state;
	open_reasons();
	for (uint64_t i = 1; i <= DFS_REASONS_KEPT + 1000; i++) {
		set(file(i), DFS_REASON_NO_GAIN, i, NULL);
		if (i % 1000 == 0) {
			before = size_of(".deltafs/reasons");
			dfs_reasons_tidy(reasons);
			tidied += size_of(".deltafs/reasons") < before;
		}
	}
	for (int i = 0; i < 50000; i++) /* one file, again and again */
		set(file(5000), DFS_REASON_NO_GAIN, (uint64_t)i, NULL);
	for (int round = 0; round < 3; round++) {
		CHECK(known(file(1000)) == DFS_REASON_NONE);
		CHECK(known(file(1001)) == DFS_REASON_NO_GAIN);
		CHECK(known(file(DFS_REASONS_KEPT + 1000)) == DFS_REASON_NO_GAIN);
		before = size_of(".deltafs/reasons");
		dfs_reasons_tidy(reasons);
		tidied += size_of(".deltafs/reasons") < before;
		restart();
	}
	CHECK(tidied > 0);
	CHECK(size_of(".deltafs/reasons") < DFS_REASONS_KEPT * 100ull);
	close_reasons();
}

/* A file whose only line says this. Return: whether it is taken for a reason of inode 1. */
static bool takes(const char *const *fields, size_t n)
{
	struct dfs_buf line = { 0 };
	bool taken;

	CHECK_RET(0, dfs_journal_line(&line, fields, n));
	put(".deltafs/reasons", line.data, line.len);
	dfs_buf_release(&line);
	open_reasons();
	taken = known(file(1)) != DFS_REASON_NONE;
	close_reasons();
	return taken;
}

#define TAKES(...) takes((const char *[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

static void lines_that_make_no_sense_are_passed_over(void **state)
{
	(void)state;
	CHECK(mkdir(".deltafs", 0700) == 0);
	CHECK(TAKES("set", "0", "1", "1000", "4102444800000000007", "10", "0", ""));
	CHECK(TAKES("set", "0", "1", "1000", "4102444800000000007", "12345", "0", "of a newer one"));
	CHECK(!TAKES("set", "0", "1", "1000", "4102444800000000007", "0", "0", ""));
	CHECK(!TAKES("set", "0", "1", "1000", "4102444800000000007", "4294967296", "0", ""));
	CHECK(!TAKES("set", "0", "1", "1000", "4102444800000000007", "10", "0"));
	CHECK(!TAKES("set", "0", "1", "1000", "4102444800000000007", "10", "0", "", ""));
	CHECK(!TAKES("set", "0", "1x", "1000", "4102444800000000007", "10", "0", ""));
	CHECK(!TAKES("set", "", "1", "1000", "4102444800000000007", "10", "0", ""));
	CHECK(!TAKES("set", "0", " 1", "1000", "4102444800000000007", "10", "0", ""));
	CHECK(!TAKES("set", "0", "-1", "1000", "4102444800000000007", "10", "0", ""));
	CHECK(!TAKES("sets", "0", "1", "1000", "4102444800000000007", "10", "0", ""));
	CHECK(!TAKES("clear", "0"));
	CHECK(!TAKES("base", "0123"));
	CHECK(!TAKES("bases", "0123456789abcdef0123456789abcdef"));
}

static void every_flipped_bit_costs_one_reason_at_most(void **state)
{
	uint8_t bytes[2048];
	ssize_t len;

	(void)state;
	open_reasons();
	for (uint64_t i = 1; i <= 5; i++)
		set(file(i), DFS_REASON_NOT_SAFETENSORS, i, "detail");
	close_reasons();
	{
		DFS_AUTO(fd) int fd = open(".deltafs/reasons", O_RDONLY);

		len = read(fd, bytes, sizeof(bytes));
	}
	CHECK(len > 100);
	for (ssize_t bit = 0; bit < len * 8; bit += 3) {
		struct dfs_reason why;
		unsigned lost = 0;
		bool newline = bytes[bit / 8] == '\n';

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		put(".deltafs/reasons", bytes, (size_t)len);
		open_reasons();
		for (uint64_t i = 1; i <= 5; i++) {
			struct stat st = file(i);

			if (!dfs_reasons_find(reasons, &st, &why))
				lost++;
			else
				CHECK(why.id == DFS_REASON_NOT_SAFETENSORS && why.number == i && !strcmp(why.detail, "detail"));
		}
		close_reasons();
		CHECK(lost <= (newline ? 2u : 1u));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void *many(void *arg)
{
	unsigned random = (unsigned)(uintptr_t)arg;
	struct dfs_reason why;

	for (int i = 0; i < 3000; i++) {
		struct stat st;

		random = random * 1103515245 + 12345;
		st = file(1 + (random >> 16) % 50);
		if (i % 3 == 0)
			set(st, DFS_REASON_NO_GAIN, random >> 24, "x");
		else if (i % 7 == 0)
			dfs_reasons_clear(reasons, &st);
		else
			dfs_reasons_find(reasons, &st, &why);
	}
	return NULL;
}

static void threads_leave_on_disk_what_is_in_memory(void **state)
{
	struct dfs_reason before[51], after;
	bool had[51];
	pthread_t threads[4];

	(void)state;
	open_reasons();
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, many, (void *)(i + 1)) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (uint64_t i = 1; i <= 50; i++) {
		struct stat st = file(i);

		had[i] = dfs_reasons_find(reasons, &st, &before[i]);
	}
	restart();
	for (uint64_t i = 1; i <= 50; i++) {
		struct stat st = file(i);

		CHECK(dfs_reasons_find(reasons, &st, &after) == had[i]);
		CHECK(!had[i] || after.number == before[i].number);
	}
	close_reasons();
}

static const struct CMUnitTest cases[] = {
	CASE(a_reason_survives_with_all_it_says),
	CASE(a_file_that_has_changed_has_none),
	CASE(the_last_one_counts),
	CASE(a_base_that_is_added_is_news_to_who_wants_one),
	CASE(bases_are_kept_when_the_file_is_written_anew),
	CASE(saying_the_same_again_costs_no_disk),
	CASE(only_the_newest_are_kept),
	CASE(lines_that_make_no_sense_are_passed_over),
	CASE(every_flipped_bit_costs_one_reason_at_most),
	CASE(threads_leave_on_disk_what_is_in_memory),
};

CHECK_MAIN(cases)
