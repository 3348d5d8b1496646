/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_queue_random: anything in any order, against a list of what is in the
 * queue that each operation looks at from end to end.
 *
 * Prints its seed when it fails; DFS_SEED=N begins with that one.
 */
#include "queued.h"

#define MAX 400
#define ROUNDS 12000

struct want {
	char path[64];
	enum dfs_queue_state state;
	int64_t due;
	unsigned tries;
	struct dfs_queue_item *item;
};

static struct want wants[MAX];
static size_t n_wants;

/* Items that were taken; @live: nothing has cancelled it. */
static struct {
	struct dfs_queue_item *item;
	bool live;
} hands[8];
static size_t n_hands;

static struct queued q;
static uint64_t random_state;

static unsigned any(unsigned below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(random_state >> 33) % below;
}

static void any_path(char *ret_path)
{
	unsigned depth = 1 + any(3);

	for (unsigned i = 0; i < depth; i++) {
		*ret_path++ = (char)('a' + any(4));
		*ret_path++ = '/';
	}
	ret_path[-1] = '\0';
}

static bool is_at(const char *path, const char *top)
{
	size_t n = strlen(top);

	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static struct want *want_find(const char *path)
{
	for (size_t i = 0; i < n_wants; i++)
		if (strcmp(wants[i].path, path) == 0)
			return &wants[i];
	return NULL;
}

static void cancel(struct want *want)
{
	for (size_t i = 0; i < n_hands; i++)
		if (hands[i].item == want->item)
			hands[i].live = false;
	want->item = NULL;
}

static void renew(struct want *want, int64_t ms)
{
	cancel(want);
	want->state = DFS_QUEUE_WAITING;
	want->due = q.now + ms;
	want->tries = 0;
}

static struct want *want_get(const char *path)
{
	struct want *want = want_find(path);

	if (want)
		return want;
	CHECK(n_wants < MAX);
	want = &wants[n_wants++];
	*want = (struct want){ .state = DFS_QUEUE_OPEN };
	snprintf(want->path, sizeof(want->path), "%s", path);
	return want;
}

static void want_remove(struct want *want)
{
	cancel(want);
	*want = wants[--n_wants];
}

static void wants_drop(const char *top)
{
	for (size_t i = n_wants; i-- > 0;)
		if (is_at(wants[i].path, top))
			want_remove(&wants[i]);
}

/* Return: whether it was below @from. */
static bool want_rename(struct want *want, const char *from, const char *to)
{
	char path[sizeof(want->path)];

	if (!is_at(want->path, from))
		return false;
	CHECK((size_t)snprintf(path, sizeof(path), "%s%s", to, want->path + strlen(from)) < sizeof(path));
	memcpy(want->path, path, sizeof(path));
	if (want->state != DFS_QUEUE_OPEN)
		renew(want, QUIET);
	return true;
}

/* --- what can happen */

static void op_written(const char *a, const char *b)
{
	(void)b;
	dfs_queue_written(q.queue, a);
	renew(want_get(a), QUIET);
}

static void op_writing(const char *a, const char *b)
{
	struct want *want = want_get(a);

	(void)b;
	dfs_queue_writing(q.queue, a);
	cancel(want);
	want->state = DFS_QUEUE_OPEN;
	want->tries = 0;
}

static void op_add(const char *a, const char *b)
{
	unsigned ms = any(3) * 1000;

	(void)b;
	dfs_queue_add(q.queue, a, ms);
	renew(want_get(a), ms);
}

static void op_moved(const char *a, const char *b)
{
	dfs_queue_moved(q.queue, a, b);
	if (is_at(a, b) || is_at(b, a))
		return;
	wants_drop(b);
	for (size_t i = 0; i < n_wants; i++)
		want_rename(&wants[i], a, b);
}

static void op_exchanged(const char *a, const char *b)
{
	dfs_queue_exchanged(q.queue, a, b);
	if (is_at(a, b) || is_at(b, a))
		return;
	for (size_t i = 0; i < n_wants; i++)
		if (!want_rename(&wants[i], a, b))
			want_rename(&wants[i], b, a);
}

static void op_removed(const char *a, const char *b)
{
	(void)b;
	dfs_queue_removed(q.queue, a);
	wants_drop(a);
}

static void op_wait(const char *a, const char *b)
{
	(void)a, (void)b;
	q.now += any(QUIET);
}

static void op_take(const char *a, const char *b)
{
	const struct want *first = NULL;
	struct want *taken;
	struct dfs_queue_item *item = NULL;
	int64_t left;
	int ret;

	(void)a, (void)b;
	if (n_hands == sizeof(hands) / sizeof(*hands))
		return;
	for (size_t i = 0; i < n_wants; i++)
		if (wants[i].state == DFS_QUEUE_WAITING && (!first || wants[i].due < first->due))
			first = &wants[i];
	ret = dfs_queue_try_take(q.queue, &item, &left);
	if (!first || first->due > q.now) {
		CHECK_RET(-EAGAIN, ret);
		CHECK(left == (first ? first->due - q.now : -1));
		return;
	}
	CHECK_RET(0, ret);
	taken = want_find(item->rel);
	CHECK(taken && taken->state == DFS_QUEUE_WAITING && taken->due == first->due && taken->tries == item->tries);
	taken->state = DFS_QUEUE_IN_WORK;
	taken->item = item;
	hands[n_hands].item = item;
	hands[n_hands++].live = true;
}

static void give_back(size_t hand, enum dfs_queue_end end)
{
	struct dfs_queue_item *item = hands[hand].item;
	struct want *want = NULL;

	for (size_t i = 0; i < n_wants; i++)
		if (wants[i].item == item)
			want = &wants[i];
	CHECK((want != NULL) == hands[hand].live);
	hands[hand] = hands[--n_hands];
	dfs_queue_done(q.queue, item, end, 2000, NULL);
	if (!want)
		return;
	want->item = NULL;
	if (end != DFS_QUEUE_LATER) {
		want_remove(want);
		return;
	}
	want->state = DFS_QUEUE_WAITING;
	want->due = q.now + 2000;
	want->tries++;
}

static void op_done(const char *a, const char *b)
{
	(void)a, (void)b;
	if (n_hands)
		give_back(any((unsigned)n_hands), (enum dfs_queue_end)any(3));
}

/* Sometimes with rubbish in the file, which is then written anew. */
static void op_restart(const char *a, const char *b)
{
	(void)a, (void)b;
	if (any(20))
		return;
	while (n_hands)
		give_back(n_hands - 1, DFS_QUEUE_LATER);
	queued_free(&q);
	if (any(2)) {
		DFS_AUTO(fd) int fd = open(".deltafs/pending", O_WRONLY | O_APPEND | O_CREAT, 0600);

		CHECK_RET(0, dfs_write_all(fd, "rubbish", 7));
	}
	queued_open(&q);
	for (size_t i = 0; i < n_wants; i++)
		renew(&wants[i], QUIET);
	if (any(2))
		dfs_queue_tidy(q.queue);
}

static void (*const operations[])(const char *a, const char *b) = {
	op_written, op_written, op_written, op_writing, op_add, op_add, op_moved, op_exchanged, op_removed,
	op_wait, op_take, op_take, op_done, op_restart,
};

/* --- what must be so */

static bool see(void *arg, const struct dfs_queue_view *view)
{
	const struct want *want = want_find(view->rel);
	int64_t left = want && want->state == DFS_QUEUE_WAITING && want->due > q.now ? want->due - q.now : 0;

	++*(size_t *)arg;
	CHECK(want && view->state == want->state && view->left_ms == left && view->tries == want->tries);
	return true;
}

static void check_all(const char *top)
{
	size_t n = 0, expected = 0;
	struct dfs_queue_stats stats;
	uint64_t in[DFS_QUEUE_STATES] = { 0 };

	for (size_t i = 0; i < n_wants; i++) {
		expected += is_at(wants[i].path, top);
		in[wants[i].state]++;
	}
	CHECK_RET(0, dfs_queue_each(q.queue, top, see, &n));
	CHECK(n == expected);
	CHECK(dfs_queue_settled(q.queue, top) == (expected == 0));
	dfs_queue_stats(q.queue, &stats);
	CHECK(memcmp(stats.n, in, sizeof(in)) == 0 && stats.n_taken == n_hands);
	for (size_t i = 0; i < n_hands; i++)
		CHECK(dfs_queue_cancelled(q.queue, hands[i].item) == !hands[i].live);
	CHECK_RET(0, dfs_queue_each(q.queue, "", see, &n));
	CHECK(n == expected + n_wants);
	CHECK(dfs_queue_settled(q.queue, "") == (n_wants == 0));
}

static void a_queue_is_what_happened_to_it(void **state)
{
	const char *given = getenv("DFS_SEED");
	char a[64], b[64];
	size_t most = 0, restarts = 0;

	(void)state;
	random_state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	print_message("DFS_SEED=%llu\n", (unsigned long long)random_state);
	queued_new(&q, QUIET);
	for (int round = 0; round < ROUNDS; round++) {
		unsigned which = any(sizeof(operations) / sizeof(*operations));

		any_path(a);
		any_path(b);
		operations[which](a, b);
		any_path(a);
		check_all(a);
		most = n_wants > most ? n_wants : most;
		restarts += which == sizeof(operations) / sizeof(*operations) - 1;
	}
	CHECK(most > 10 && restarts > 100);
	while (n_hands)
		give_back(0, DFS_QUEUE_DONE);
	queued_free(&q);
}

static const struct CMUnitTest cases[] = {
	CASE(a_queue_is_what_happened_to_it),
};

CHECK_MAIN(cases)
