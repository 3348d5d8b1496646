/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/shown.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/clock.h"

#define SLOTS_AT_FIRST 64

/*
 * Set in numbers that the store's file system gave to a newcomer while another
 * file still shows them; should that be shown as well, counted up from here.
 */
#define TAKEN (UINT64_C(1) << 63)
#define TAKEN_NEXT (UINT64_C(1) << 48)

struct row {
	dev_t dev;
	uint64_t number;		/* of the backing file */
	uint64_t shown;
	struct timespec ctime, shown_ctime;	/* the latter shows as long as the former is the backing file's */
	struct row *next_number, *next_shown;
};

struct dfs_shown {
	pthread_mutex_t lock;
	/* under lock */
	struct row **by_number, **by_shown;	/* each with the device */
	size_t n_slots;				/* of each; a power of two */
	size_t n;
};

static size_t slot_of(const struct dfs_shown *shown, dev_t dev, uint64_t number)
{
	uint64_t a = (number ^ (uint64_t)dev << 40) * 0x9e3779b97f4a7c15u;

	return (a ^ a >> 29) & (shown->n_slots - 1);
}

struct dfs_shown *dfs_shown_new(void)
{
	struct dfs_shown *shown = calloc(1, sizeof(*shown));

	if (!shown)
		return NULL;
	pthread_mutex_init(&shown->lock, NULL);
	shown->n_slots = SLOTS_AT_FIRST;
	shown->by_number = calloc(shown->n_slots, sizeof(struct row *));
	shown->by_shown = calloc(shown->n_slots, sizeof(struct row *));
	if (shown->by_number && shown->by_shown)
		return shown;
	dfs_shown_free(shown);
	return NULL;
}

void dfs_shown_free(struct dfs_shown *shown)
{
	if (!shown)
		return;
	for (size_t i = 0; shown->by_number && i < shown->n_slots; i++) {
		while (shown->by_number[i]) {
			struct row *row = shown->by_number[i];

			shown->by_number[i] = row->next_number;
			free(row);
		}
	}
	free(shown->by_number);
	free(shown->by_shown);
	pthread_mutex_destroy(&shown->lock);
	free(shown);
}

/* --- under the lock */

static struct row *find(struct dfs_shown *shown, dev_t dev, uint64_t number)
{
	struct row *row = shown->by_number[slot_of(shown, dev, number)];

	while (row && (row->number != number || row->dev != dev))
		row = row->next_number;
	return row;
}

static bool is_taken(struct dfs_shown *shown, dev_t dev, uint64_t number)
{
	struct row *row = shown->by_shown[slot_of(shown, dev, number)];

	while (row && (row->shown != number || row->dev != dev))
		row = row->next_shown;
	return row != NULL;
}

static void insert(struct dfs_shown *shown, struct row *row)
{
	struct row **number = &shown->by_number[slot_of(shown, row->dev, row->number)];
	struct row **as_shown = &shown->by_shown[slot_of(shown, row->dev, row->shown)];

	row->next_number = *number;
	*number = row;
	row->next_shown = *as_shown;
	*as_shown = row;
	shown->n++;
}

static void take_out(struct dfs_shown *shown, struct row *row)
{
	struct row **at = &shown->by_number[slot_of(shown, row->dev, row->number)];

	while (*at != row)
		at = &(*at)->next_number;
	*at = row->next_number;
	at = &shown->by_shown[slot_of(shown, row->dev, row->shown)];
	while (*at != row)
		at = &(*at)->next_shown;
	*at = row->next_shown;
	shown->n--;
}

/* A table that cannot grow is slower, nothing else. */
static void grow(struct dfs_shown *shown)
{
	struct row **before = shown->by_number, **before_shown = shown->by_shown;
	size_t n_before = shown->n_slots;
	struct row **numbers = calloc(n_before * 4, sizeof(struct row *));
	struct row **as_shown = calloc(n_before * 4, sizeof(struct row *));

	if (!numbers || !as_shown) {
		free(numbers);
		free(as_shown);
		return;
	}
	*shown = (struct dfs_shown){ .lock = shown->lock, .by_number = numbers, .by_shown = as_shown, .n_slots = n_before * 4 };
	for (size_t i = 0; i < n_before; i++) {
		struct row *next;

		for (struct row *row = before[i]; row; row = next) {
			next = row->next_number;
			insert(shown, row);
		}
	}
	free(before);
	free(before_shown);
}

/* The number that a backing file shows, if it was not replaced itself. */
static uint64_t plain_number(struct dfs_shown *shown, dev_t dev, uint64_t number)
{
	if (is_taken(shown, dev, number))
		number |= TAKEN;
	while (is_taken(shown, dev, number))
		number += TAKEN_NEXT;
	return number;
}

static void remove_row(struct dfs_shown *shown, dev_t dev, uint64_t number)
{
	struct row *row = find(shown, dev, number);

	if (!row)
		return;
	take_out(shown, row);
	free(row);
}

/* The row of a file; NULL: it needs none. The other file of a newcomer may go, and the newcomer's number must not change then. */
static const struct row *row_of(struct dfs_shown *shown, dev_t dev, uint64_t number)
{
	struct row *row = find(shown, dev, number);

	if (row || !is_taken(shown, dev, number))
		return row;
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	*row = (struct row){ .dev = dev, .number = number, .shown = plain_number(shown, dev, number), .ctime.tv_nsec = -1 };
	if (shown->n > shown->n_slots)
		grow(shown);
	insert(shown, row);
	return row;
}

/* --- the interface */

int dfs_shown_replaced(struct dfs_shown *shown, const struct stat *before, const struct stat *after, bool keep_ctime)
{
	struct row *row = calloc(1, sizeof(*row));
	const struct row *old;

	if (!row)
		return -ENOMEM;
	pthread_mutex_lock(&shown->lock);
	if (after->st_ino != before->st_ino || after->st_dev != before->st_dev)
		remove_row(shown, after->st_dev, after->st_ino); /* of a file that was removed behind the mount */
	old = find(shown, before->st_dev, before->st_ino);
	*row = (struct row){
		.dev = after->st_dev, .number = after->st_ino,
		.shown = old ? old->shown : plain_number(shown, before->st_dev, before->st_ino),
		.ctime = after->st_ctim,
		.shown_ctime = keep_ctime ? before->st_ctim : after->st_ctim,
	};
	if (keep_ctime && old && dfs_time_same(old->ctime, before->st_ctim))
		row->shown_ctime = old->shown_ctime;
	remove_row(shown, before->st_dev, before->st_ino);
	if (shown->n > shown->n_slots)
		grow(shown);
	insert(shown, row);
	pthread_mutex_unlock(&shown->lock);
	return 0;
}

void dfs_shown_removed(struct dfs_shown *shown, const struct stat *st)
{
	pthread_mutex_lock(&shown->lock);
	remove_row(shown, st->st_dev, st->st_ino);
	pthread_mutex_unlock(&shown->lock);
}

void dfs_shown_apply(struct dfs_shown *shown, struct stat *st)
{
	const struct row *row;

	pthread_mutex_lock(&shown->lock);
	row = row_of(shown, st->st_dev, st->st_ino);
	if (row) {
		if (dfs_time_same(row->ctime, st->st_ctim))
			st->st_ctim = row->shown_ctime;
		st->st_ino = row->shown;
	}
	pthread_mutex_unlock(&shown->lock);
}

uint64_t dfs_shown_number(struct dfs_shown *shown, dev_t dev, uint64_t number)
{
	const struct row *row;
	uint64_t result;

	pthread_mutex_lock(&shown->lock);
	row = row_of(shown, dev, number);
	result = row ? row->shown : plain_number(shown, dev, number);
	pthread_mutex_unlock(&shown->lock);
	return result;
}
