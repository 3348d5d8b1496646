/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ahead: cursors of a view, their windows, and what they guess.
 */
#include "read/ahead.h"

#include "read/internal.h"

/*
 * A read of at least this is taken for the start of a run: the kernel's own
 * readahead has judged it so. Smaller: scattered reads of slices decode what
 * nobody wants; larger: the first tensor bytes of a loader come late.
 */
#define RUN_MIN (64u << 10)

/* The first guess: a few chunks, so that a wrong one costs little. Doubles with each read that proves it right. */
#define WINDOW_FIRST (2 * (size_t)DFS_GRID)

/*
 * The kernel is told this much beyond what is being decoded: a cold disk needs
 * large pieces ahead of time, decoding does not. In steps, since each is a
 * handful of system calls.
 */
#define HINT_BEYOND (8u << 20)
#define HINT_STEP (1u << 20)

/* The kernel has several requests of a reader under way at once; they overtake each other by this many. */
#define OVERTAKE 8

/* Kernel readahead runs past a tensor's end whatever the loader wants, so one crossing proves nothing. */
#define CROSSINGS 3

/* A file may be cut into chunks of a few bytes: so many are looked at in one hold of the cache's lock. */
#define GUESS_CHUNKS 256

struct guess {
	uint64_t off, end;		/* to be decoded */
	uint64_t hint_off, hint_end;	/* for the kernel */
};

static uint64_t segment_end(const struct dfs_view *view, uint64_t last_byte)
{
	const struct dfs_segment *s = &view->container->segments[dfs_container_find(view->container, last_byte)];

	return s->off + s->len;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The nearest one that this read may belong to. A small read must continue it exactly. */
static struct dfs_cursor *cursor_find(struct dfs_ahead *ahead, uint64_t off, uint64_t end)
{
	uint64_t reach = end - off < RUN_MIN ? 0 : OVERTAKE * (end - off);
	struct dfs_cursor *nearest = NULL;

	for (struct dfs_cursor *c = ahead->cursors; c < ahead->cursors + DFS_CURSORS; c++) {
		if (!c->used || distance(off, c->next) > reach)
			continue;
		if (!nearest || distance(off, c->next) < distance(off, nearest->next))
			nearest = c;
	}
	return nearest;
}

static struct dfs_cursor *cursor_new(const struct dfs_view *view, struct dfs_ahead *ahead, uint64_t off, uint64_t end)
{
	bool small = end - off < RUN_MIN;
	struct dfs_cursor *first = ahead->cursors + (small ? 0 : DFS_CURSORS_SMALL);
	struct dfs_cursor *last = ahead->cursors + (small ? DFS_CURSORS_SMALL : DFS_CURSORS);
	struct dfs_cursor *oldest = first;

	for (struct dfs_cursor *c = first; c < last; c++)
		if (c->used < oldest->used)
			oldest = c;
	*oldest = (struct dfs_cursor){
		.next = end,
		.edge = end,
		.hinted = end,
		.segment_end = segment_end(view, end - 1),
		.window = small ? 0 : WINDOW_FIRST,
	};
	return oldest;
}

static void cursor_move(const struct dfs_view *view, struct dfs_cursor *c, uint64_t end)
{
	size_t max = view->reader->ahead_max;

	if (end <= c->next)
		return; /* one that was overtaken */
	c->next = end;
	c->window = c->window ? c->window * 2 : WINDOW_FIRST;
	if (c->window > max)
		c->window = max;
	if (end > c->segment_end) {
		c->segment_end = segment_end(view, end - 1);
		c->crossed++;
	}
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void guess_from(const struct dfs_view *view, struct dfs_cursor *c, struct guess *guess)
{
	uint64_t bound = c->crossed >= CROSSINGS ? view->size : c->segment_end;
	uint64_t hint_end = min_u64(c->next + 2 * c->window + (c->window > WINDOW_FIRST ? HINT_BEYOND : 0), bound);

	if (c->edge < c->next)
		c->edge = c->next;
	if (c->hinted < c->next)
		c->hinted = c->next;
	guess->off = c->edge;
	guess->end = min_u64(c->next + c->window, bound);
	guess->hint_off = guess->hint_end = c->hinted;
	if (hint_end >= c->hinted + HINT_STEP || (hint_end == bound && hint_end > c->hinted))
		guess->hint_end = c->hinted = hint_end;
}

/* Return: up to where chunks are decoded or on their way. */
static uint64_t decode_ahead(struct dfs_view *view, uint64_t off, uint64_t end)
{
	struct dfs_cache *cache = &view->reader->cache;
	struct dfs_extent extent = dfs_extent_at(view, off);

	pthread_mutex_lock(&cache->lock);
	for (unsigned n = 0; extent.off < end && n < GUESS_CHUNKS; n++) {
		if (!dfs_cache_ahead(cache, view, &extent))
			break; /* guessed again at the next read */
		off = extent.off + extent.len;
		if (!dfs_extent_next(view, &extent))
			break;
	}
	pthread_mutex_unlock(&cache->lock);
	return off;
}

unsigned dfs_ahead_note(struct dfs_view *view, uint64_t off, uint64_t end)
{
	struct dfs_ahead *ahead = &view->ahead;
	struct dfs_cursor *c;

	if (!view->reader->ahead_max)
		return 0;
	pthread_mutex_lock(&view->lock);
	c = cursor_find(ahead, off, end);
	if (c)
		cursor_move(view, c, end);
	else
		c = cursor_new(view, ahead, off, end);
	c->used = ++ahead->clock;
	pthread_mutex_unlock(&view->lock);
	return (unsigned)(c - ahead->cursors);
}

void dfs_ahead_run(struct dfs_view *view, unsigned cursor)
{
	struct dfs_cursor *c = &view->ahead.cursors[cursor];
	struct guess guess;

	if (!view->reader->ahead_max)
		return;
	pthread_mutex_lock(&view->lock);
	guess_from(view, c, &guess);
	if (guess.end > guess.off)
		c->edge = decode_ahead(view, guess.off, guess.end);
	pthread_mutex_unlock(&view->lock);
	if (guess.hint_end > guess.hint_off)
		dfs_hint_read(view, guess.hint_off, guess.hint_end);
}
