/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate: see gate.h.
 */
#include "read/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "read/internal.h"
#include "util/clock.h"

struct dfs_gate {
	struct dfs_gate_key key;
	unsigned inside;		/* under gates->lock, as all below */
	bool shut;
	int64_t moved_ms;		/* when the first went in, or the last one came out */
	struct dfs_chunk *parked;	/* only while it is full or shut */
	struct dfs_gate *next;
};

static int64_t now_ms(void)
{
	return dfs_clock_ms(CLOCK_MONOTONIC_COARSE);
}

void dfs_gates_init(struct dfs_gates *gates)
{
	*gates = (struct dfs_gates){ .list = NULL };
	pthread_mutex_init(&gates->lock, NULL);
}

void dfs_gates_release(struct dfs_gates *gates)
{
	pthread_mutex_destroy(&gates->lock);
}

/* --- under the lock */

static struct dfs_gate *find(const struct dfs_gates *gates, const struct dfs_gate_key *key)
{
	struct dfs_gate *gate = gates->list;

	while (gate && !(dfs_hash_equal(gate->key.hash, key->hash) && gate->key.serial == key->serial &&
			 gate->key.uid == key->uid))
		gate = gate->next;
	return gate;
}

static struct dfs_gate *find_or_make(struct dfs_gates *gates, const struct dfs_gate_key *key)
{
	struct dfs_gate *gate = find(gates, key);

	if (gate)
		return gate;
	gate = calloc(1, sizeof(*gate));
	if (!gate)
		return NULL;
	gate->key = *key;
	gate->moved_ms = now_ms();
	gate->next = gates->list;
	gates->list = gate;
	return gate;
}

static bool full(const struct dfs_gates *gates, const struct dfs_gate *gate)
{
	if (gates->ending)
		return false;
	return gate->shut || (gate->inside >= DFS_GATE_MOST && now_ms() - gate->moved_ms >= DFS_GATE_STALL_MS);
}

static void remove_gate(struct dfs_gates *gates, struct dfs_gate *gate)
{
	struct dfs_gate **p = &gates->list;

	while (*p != gate)
		p = &(*p)->next;
	*p = gate->next;
	free(gate);
}

/* --- */

static void wake_all(struct dfs_chunk *parked)
{
	struct dfs_chunk *next;

	for (; parked; parked = next) {
		next = parked->next_parked;
		dfs_chunk_wake(parked);
	}
}

bool dfs_gate_enter(struct dfs_gates *gates, const struct dfs_gate_key *key, struct dfs_gate **ret_gate)
{
	struct dfs_gate *gate;
	bool enters;

	pthread_mutex_lock(&gates->lock);
	gate = find_or_make(gates, key);
	enters = !gate || !full(gates, gate);
	if (gate && enters)
		gate->inside++;
	pthread_mutex_unlock(&gates->lock);
	*ret_gate = gate;
	return enters;
}

int dfs_gate_shut(struct dfs_gates *gates, const struct dfs_gate_key *key, struct dfs_gate **ret_gate)
{
	struct dfs_gate *gate;
	int ret = 0;

	pthread_mutex_lock(&gates->lock);
	gate = find_or_make(gates, key);
	if (!gate)
		ret = -ENOMEM;
	else if (gate->shut)
		ret = -EALREADY;
	else
		gate->shut = gate->inside++ == 0;
	pthread_mutex_unlock(&gates->lock);
	*ret_gate = gate;
	return ret;
}

void dfs_gate_leave(struct dfs_gates *gates, struct dfs_gate *gate)
{
	struct dfs_chunk *parked;

	if (!gate)
		return;
	pthread_mutex_lock(&gates->lock);
	parked = gate->parked;
	gate->parked = NULL;
	gate->moved_ms = now_ms();
	if (--gate->inside == 0)
		remove_gate(gates, gate);
	pthread_mutex_unlock(&gates->lock);
	wake_all(parked);
}

bool dfs_gate_park(struct dfs_gates *gates, const struct dfs_gate_key *key, struct dfs_chunk *chunk)
{
	struct dfs_gate *gate;
	bool parks;

	pthread_mutex_lock(&gates->lock);
	gate = find(gates, key);
	parks = gate && full(gates, gate);
	if (parks) {
		chunk->next_parked = gate->parked;
		gate->parked = chunk;
	}
	pthread_mutex_unlock(&gates->lock);
	return parks;
}

void dfs_gates_end(struct dfs_gates *gates)
{
	struct dfs_chunk *all = NULL;

	pthread_mutex_lock(&gates->lock);
	gates->ending = true;
	for (struct dfs_gate *gate = gates->list; gate; gate = gate->next) {
		while (gate->parked) {
			struct dfs_chunk *chunk = gate->parked;

			gate->parked = chunk->next_parked;
			chunk->next_parked = all;
			all = chunk;
		}
	}
	pthread_mutex_unlock(&gates->lock);
	wake_all(all);
}
