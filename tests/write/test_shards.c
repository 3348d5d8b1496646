/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_shards: which sisters a shard waits for, until when, and that they wait for each other no longer than that. */
#include "queued.h"
#include "write/shards.h"

#define NAME(n) "m/model-0000" #n "-of-00004.safetensors"

static struct queued q;

static void begin(void)
{
	mkdir("m", 0755);
	for (int i = 1; i <= 4; i++) {
		char name[64];

		snprintf(name, sizeof(name), "m/model-0000%d-of-00004.safetensors", i);
		unlink(name);
	}
	queued_new(&q, QUIET);
}

/* What @rel waits for; "": nothing. */
static const char *waits(struct dfs_ledger *ledger, const char *rel)
{
	static struct dfs_reason why;
	int ret;

	dfs_reason_set(&why, DFS_REASON_NONE, 0, NULL);
	ret = dfs_shards_check(q.store, q.queue, ledger, rel, &why);
	CHECK(ret == (why.id == DFS_REASON_SHARDS ? -EAGAIN : 0));
	return why.detail;
}

static void what_is_missing_is_named(void **state)
{
	char many[64] = "m/many-00001-of-00300.safetensors";
	struct dfs_reason why;
	char text[256];

	(void)state;
	begin();
	put(NAME(1), "x", 1);
	put(NAME(2), "x", 1);
	assert_string_equal(waits(NULL, NAME(1)), "3,4");
	assert_string_equal(waits(NULL, NAME(2)), "3,4");
	put(NAME(3), "", 0);
	assert_string_equal(waits(NULL, NAME(1)), "3,4");
	put(NAME(3), "x", 1);
	CHECK(mkdir(NAME(4), 0755) == 0);
	assert_string_equal(waits(NULL, NAME(1)), "4");
	CHECK(rmdir(NAME(4)) == 0);
	put(NAME(4), "x", 1);
	assert_string_equal(waits(NULL, NAME(1)), "");
	assert_string_equal(waits(NULL, "m/model.safetensors"), "");
	assert_string_equal(waits(NULL, "m/model-00001-of-00001.safetensors"), "");
	CHECK(strlen(waits(NULL, many)) == sizeof(why.detail) - 1);
	CHECK_RET(-EAGAIN, dfs_shards_check(q.store, q.queue, NULL, "n/x-00001-of-00002.safetensors", &why));
	assert_string_equal(dfs_reason_text(&why, text, sizeof(text)), "waiting for shards 2");
	queued_free(&q);
}

static void who_is_written_to_is_waited_for(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 4; i++)
		put((const char *[]){ NAME(1), NAME(2), NAME(3), NAME(4) }[i], "x", 1);
	dfs_queue_writing(q.queue, NAME(3));
	assert_string_equal(waits(NULL, NAME(1)), "3");
	assert_string_equal(waits(NULL, NAME(3)), ""); /* not for itself */
	dfs_queue_written(q.queue, NAME(3));
	assert_string_equal(waits(NULL, NAME(1)), "3");
	q.now += QUIET;
	assert_string_equal(waits(NULL, NAME(1)), "");
	queued_free(&q);
}

static void an_unfinished_download_is_waited_for(void **state)
{
	const struct dfs_reason incomplete = { .id = DFS_REASON_INCOMPLETE }, no_gain = { .id = DFS_REASON_NO_GAIN };
	struct dfs_reasons *reasons;
	struct dfs_ledger *ledger;
	struct dfs_err err = { "" };
	struct stat st;

	(void)state;
	begin();
	for (int i = 0; i < 4; i++)
		put((const char *[]){ NAME(1), NAME(2), NAME(3), NAME(4) }[i], "x", 1);
	CHECK_OK(dfs_reasons_new(q.store, NULL, &reasons, &err), err);
	ledger = dfs_ledger_new(reasons);
	CHECK(stat(NAME(2), &st) == 0);
	dfs_ledger_note(ledger, NAME(2), &st, &incomplete);
	assert_string_equal(waits(ledger, NAME(1)), "2");
	dfs_ledger_note(ledger, NAME(2), &st, &no_gain); /* plain, and whole */
	assert_string_equal(waits(ledger, NAME(1)), "");
	dfs_ledger_free(ledger);
	dfs_reasons_free(reasons);
	queued_free(&q);
}

static void the_last_one_calls_the_others(void **state)
{
	const struct dfs_reason shards = { .id = DFS_REASON_SHARDS }, room = { .id = DFS_REASON_ROOM };

	(void)state;
	begin();
	for (int i = 0; i < 4; i++)
		put((const char *[]){ NAME(1), NAME(2), NAME(3), NAME(4) }[i], "x", 1);
	dfs_queue_add(q.queue, NAME(1), 0);
	queued_take(&q, NAME(1));
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 60000, &shards);
	dfs_queue_add(q.queue, NAME(2), 0);
	queued_take(&q, NAME(2));
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 60000, &room);
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, NULL));
	assert_string_equal(waits(NULL, NAME(4)), "");
	queued_take(&q, NAME(1));
	CHECK(q.item->tries == 1);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, NULL)); /* 2 waits for something else */
	queued_free(&q);
}

static void it_is_over_in_ten_minutes(void **state)
{
	unsigned sum = 0;

	(void)state;
	for (unsigned i = 0; i < DFS_SHARDS_TRIES; i++)
		sum += dfs_reason_again_ms(DFS_REASON_SHARDS, i);
	CHECK(sum >= 600000 && sum < 660000);
}

static const struct CMUnitTest cases[] = {
	CASE(what_is_missing_is_named),
	CASE(who_is_written_to_is_waited_for),
	CASE(an_unfinished_download_is_waited_for),
	CASE(the_last_one_calls_the_others),
	CASE(it_is_over_in_ten_minutes),
};

CHECK_MAIN(cases)
