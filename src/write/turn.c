/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turn: see turn.h. */
#include "write/turn.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "util/clock.h"

/* How late somebody who waits sees that he should give up. */
#define LOOK_MS 100

struct dfs_turn {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	/* under lock */
	bool taken;
	unsigned asking;
};

struct dfs_turn *dfs_turn_new(void)
{
	struct dfs_turn *turn = calloc(1, sizeof(*turn));

	if (!turn)
		return NULL;
	pthread_mutex_init(&turn->lock, NULL);
	pthread_cond_init(&turn->ended, NULL);
	return turn;
}

void dfs_turn_free(struct dfs_turn *turn)
{
	if (!turn)
		return;
	pthread_cond_destroy(&turn->ended);
	pthread_mutex_destroy(&turn->lock);
	free(turn);
}

void dfs_turn_take(struct dfs_turn *turn)
{
	pthread_mutex_lock(&turn->lock);
	while (turn->taken || turn->asking)
		pthread_cond_wait(&turn->ended, &turn->lock);
	turn->taken = true;
	pthread_mutex_unlock(&turn->lock);
}

int dfs_turn_ask(struct dfs_turn *turn, bool (*go_on)(void *arg), void *arg)
{
	bool given = true;

	pthread_mutex_lock(&turn->lock);
	turn->asking++;
	while (turn->taken && given) {
		struct timespec end = dfs_clock_after(CLOCK_MONOTONIC, LOOK_MS);

		pthread_cond_clockwait(&turn->ended, &turn->lock, CLOCK_MONOTONIC, &end);
		given = go_on(arg);
	}
	turn->asking--;
	if (given)
		turn->taken = true;
	else
		pthread_cond_broadcast(&turn->ended);
	pthread_mutex_unlock(&turn->lock);
	return given ? 0 : -ECANCELED;
}

void dfs_turn_end(struct dfs_turn *turn)
{
	pthread_mutex_lock(&turn->lock);
	turn->taken = false;
	pthread_cond_broadcast(&turn->ended);
	pthread_mutex_unlock(&turn->lock);
}
