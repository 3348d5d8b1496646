/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_thaw_race: writers and readers in many threads while it decodes.
 *
 * The model: each byte has one new value, unlike the old one, and is written
 * once or several times, always with that. A flag for each says whether a
 * write of it began, or is over. A read must give the new value where a write
 * was over before it began, and the old one where none had begun when it ended.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "thawing.h"

#define WRITERS 4
#define READERS 3
#define GROWTH 300000	/* bytes that the file may become longer */
#define LEN_MAX 300000	/* of one read or write */

enum { UNTOUCHED, BEGUN, OVER };

struct race {
	struct thawing t;
	struct dfs_job brake;
	uint64_t seed;
	size_t room;			/* bytes of the model */
	uint8_t *fresh;			/* the new values; @t.old holds the old ones, zeros behind them */
	_Atomic unsigned char *flags;	/* of each byte */
	bool pages;			/* writes are whole pages */
	unsigned writes;		/* of each writer */
	atomic_int next;		/* threads take numbers */
	atomic_bool stop;		/* to readers */
	atomic_uint reads[3];		/* by enum dfs_thaw_where */
	atomic_uint bad;		/* claims that were false */
};

static void claim(struct race *race, bool right, const char *what, uint64_t off)
{
	if (!right && atomic_fetch_add(&race->bad, 1) == 0)
		fprintf(stderr, "seed %llu: %s at %llu of %zu\n", (unsigned long long)race->seed, what,
			(unsigned long long)off, race->t.len);
}

static void pick(struct race *race, uint64_t *random, uint64_t *off, size_t *len)
{
	uint32_t kind = files_random(random) % 4;

	*off = files_random(random) % race->room;
	*len = files_random(random) % (kind == 0 ? LEN_MAX : kind == 1 ? 5000 : 40) + 1;
	if (race->pages) {
		*off -= *off % 4096;
		*len += 4096 - *len % 4096;
	}
	if (*len > race->room - *off)
		*len = race->room - *off;
}

static void raise_flags(struct race *race, uint64_t off, size_t len, unsigned char to)
{
	for (uint64_t i = off; i < off + len; i++) {
		unsigned char now = UNTOUCHED;

		if (to == OVER)
			atomic_store(&race->flags[i], OVER);
		else
			atomic_compare_exchange_strong(&race->flags[i], &now, BEGUN);
	}
}

static void *writer_main(void *arg)
{
	struct race *race = arg;
	uint64_t random = race->seed * 1000 + (uint64_t)atomic_fetch_add(&race->next, 1);

	for (unsigned i = 0; i < race->writes; i++) {
		struct dfs_err err = { "" };
		uint64_t off;
		size_t len;
		ssize_t ret;

		pick(race, &random, &off, &len);
		raise_flags(race, off, len, BEGUN);
		if (files_random(&random) % 8 == 0)
			ret = dfs_thaw_write_slowly(race->t.thaw, race->fresh + off, len, off, &err);
		else
			ret = dfs_thaw_write(race->t.thaw, race->fresh + off, len, off, &err);
		claim(race, ret == (ssize_t)len, err.text[0] ? err.text : "a short write", off);
		raise_flags(race, off, len, OVER);
	}
	return NULL;
}

static void check_read(struct race *race, const uint8_t *before, const uint8_t *got, size_t len, uint64_t off)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t at = off + i;
		bool fresh = got[i] == race->fresh[at];

		claim(race, fresh || got[i] == race->t.old[at], "neither old nor new", at);
		claim(race, fresh || before[i] != OVER, "a write that was over is not seen", at);
		claim(race, !fresh || atomic_load(&race->flags[at]) != UNTOUCHED, "new before it was written", at);
	}
}

static void read_one(struct race *race, uint64_t *random, uint8_t *before, uint8_t *got)
{
	struct dfs_err err = { "" };
	size_t len, n = 0, end;
	uint64_t off;
	int ret;

	pick(race, random, &off, &len);
	for (size_t i = 0; i < len; i++)
		before[i] = atomic_load(&race->flags[off + i]);
	for (end = len; end > 0 && off + end > race->t.len && before[end - 1] != OVER; end--)
		;
	atomic_fetch_add(&race->reads[dfs_thaw_where(race->t.thaw, off, len)], 1);
	ret = thaw_read(&race->t, got, len, off, &n, &err);
	claim(race, ret == 0, err.text, off);
	claim(race, ret < 0 || n >= end, "the file ends too early", off);
	if (ret == 0)
		check_read(race, before, got, n, off);
}

static void *reader_main(void *arg)
{
	struct race *race = arg;
	uint64_t random = race->seed * 1000 + 500 + (uint64_t)atomic_fetch_add(&race->next, 1);
	uint8_t *before = malloc(LEN_MAX + 4096), *got = malloc(LEN_MAX + 4096);

	while (before && got && !atomic_load(&race->stop))
		read_one(race, &random, before, got);
	claim(race, before && got, "out of memory", 0);
	free(before);
	free(got);
	return NULL;
}

/* Between two windows the pool's thread does nothing for a while, so that the decode takes as long as the writers do. */
static void brake_run(struct dfs_job *job, void *local)
{
	struct race *race = (struct race *)((char *)job - offsetof(struct race, brake));
	struct timespec pause = { 0, 4000000 };

	(void)local;
	nanosleep(&pause, NULL);
	if (!atomic_load(&race->stop))
		dfs_pool_submit(race->t.pool, job, DFS_URGENT);
}

/* New values differ from the old ones, and from the zeros behind the end. */
static void race_begin(struct race *race, uint64_t rows)
{
	struct thawing *t = &race->t;
	uint64_t random = race->seed;

	given_fine_tune(t, rows);
	race->room = t->len + GROWTH;
	t->old = realloc(t->old, race->room);
	race->fresh = malloc(race->room);
	race->flags = calloc(race->room, 1);
	CHECK(t->old && race->fresh && race->flags);
	memset(t->old + t->len, 0, GROWTH);
	for (size_t i = 0; i < race->room; i++)
		race->fresh[i] = (uint8_t)(t->old[i] + 1 + files_random(&random) % 255);
	given_thaw(t);
}

static void race_run(struct race *race)
{
	pthread_t writers[WRITERS], readers[READERS];

	race->brake.run = brake_run;
	dfs_pool_submit(race->t.pool, &race->brake, DFS_URGENT);
	for (unsigned i = 0; i < READERS; i++)
		CHECK(pthread_create(&readers[i], NULL, reader_main, race) == 0);
	for (unsigned i = 0; i < WRITERS; i++)
		CHECK(pthread_create(&writers[i], NULL, writer_main, race) == 0);
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&race->stop, true);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
}

static void race_end(struct race *race)
{
	struct dfs_err err = { "" };
	size_t len = race->t.len;

	CHECK_OK(finish(&race->t, &err), err);
	for (size_t i = 0; i < race->room; i++) {
		if (race->flags[i] == UNTOUCHED)
			continue;
		race->t.old[i] = race->fresh[i];
		if (i >= len)
			len = i + 1;
	}
	CHECK(dfs_thaw_size(race->t.thaw) == len);
	check_file(&race->t, race->t.old, len);
	CHECK(atomic_load(&race->bad) == 0);
	thawing_gone(&race->t);
	free(race->fresh);
	free((void *)race->flags);
}

static uint64_t seed(void)
{
	const char *given = getenv("SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_nsec;
}

static void race_with(bool pages, uint64_t rows, unsigned writes)
{
	struct race race = { .seed = seed(), .pages = pages, .writes = writes };

	print_message("seed %llu\n", (unsigned long long)race.seed);
	race_begin(&race, rows);
	race_run(&race);
	/* Kinds of reads that were made: a race without them would show nothing. */
	print_message("reads: %u old, %u new, %u mixed\n", race.reads[DFS_THAW_OLD], race.reads[DFS_THAW_NEW],
		      race.reads[DFS_THAW_MIXED]);
	race_end(&race);
}

static void pieces_of_any_size_are_written_while_it_decodes(void **state)
{
	(void)state;
	race_with(false, 4000, 40);
}

static void pages_are_written_while_it_decodes(void **state)
{
	(void)state;
	race_with(true, 4000, 40);
}

static void before_the_decode_begins_all_is_as_well(void **state)
{
	struct race race = { .seed = seed(), .writes = 60 };
	(void)state;

	print_message("seed %llu\n", (unsigned long long)race.seed);
	race_begin(&race, 2000);
	keep(&race.t);
	race_run(&race);
	CHECK(race.reads[DFS_THAW_MIXED] > 0);
	let_go(&race.t);
	race_end(&race);
}

static void ends_come_in_the_middle_of_it(void **state)
{
	(void)state;

	for (unsigned i = 0; i < 10; i++) {
		struct race race = { .seed = seed(), .writes = 5 };

		race_begin(&race, 2000);
		race_run(&race);
		thaw_gone(&race.t);
		CHECK(atomic_load(&race.bad) == 0);
		thawing_gone(&race.t);
		free(race.fresh);
		free((void *)race.flags);
	}
}

static const struct CMUnitTest cases[] = {
	CASE(pieces_of_any_size_are_written_while_it_decodes),
	CASE(pages_are_written_while_it_decodes),
	CASE(before_the_decode_begins_all_is_as_well),
	CASE(ends_come_in_the_middle_of_it),
};

CHECK_MAIN(cases)
