/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate: how many threads may wait for one thing that hangs.
 *
 * READ: bases.c, allow.c, flight.c -> this
 *
 * A base on a server that is gone holds each thread that reads it for as long
 * as it likes, and there is no end of readers. So whoever reads a base goes
 * through its gate. While threads come out again all may go in. When nobody
 * came out for DFS_GATE_STALL_MS and DFS_GATE_MOST are inside, the gate is
 * full: a chunk that needs it is parked there, holds neither a thread nor room
 * in the cache, and starts anew when somebody comes out. All files of a model
 * have one gate, since they hang together.
 *
 * A gate may also be shut, while a question is asked that all who come wait for.
 *
 * Gates exist while somebody is inside.
 */
#ifndef DFS_READ_GATE_H
#define DFS_READ_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/hash.h"

struct dfs_chunk;
struct dfs_gate;

/* The pool's spare threads come after as long a stall; two show whether the base is back as well as more would. */
#define DFS_GATE_STALL_MS 100
#define DFS_GATE_MOST 2

struct dfs_gate_key {
	struct dfs_hash hash;	/* of the model or the base file */
	uint64_t serial;	/* a question: of the base's open; else 0 */
	uint64_t uid;		/* a question: whom it is about */
};

struct dfs_gates {
	pthread_mutex_t lock;	/* alone: no other is taken under it */
	struct dfs_gate *list;	/* under lock: a handful at most */
	bool ending;		/* under lock */
};

void dfs_gates_init(struct dfs_gates *gates);
/* dfs_gates_end() - nobody is parked any more: those who are start anew, and are told to give up by their views */
void dfs_gates_end(struct dfs_gates *gates);
void dfs_gates_release(struct dfs_gates *gates);

/**
 * dfs_gate_enter() - before what may hang
 * @ret_gate: for dfs_gate_leave(); NULL, uncounted, if memory is out
 * Return: false: full, or shut.
 */
bool dfs_gate_enter(struct dfs_gates *gates, const struct dfs_gate_key *key, struct dfs_gate **ret_gate);
/* dfs_gate_leave() - the other end of it, and of dfs_gate_shut(): who is parked there starts anew. No lock held. */
void dfs_gate_leave(struct dfs_gates *gates, struct dfs_gate *gate);

/**
 * dfs_gate_shut() - keep everybody out
 * @ret_gate: for dfs_gate_leave()
 * Return: 0; -EALREADY: it is shut; -ENOMEM.
 */
int dfs_gate_shut(struct dfs_gates *gates, const struct dfs_gate_key *key, struct dfs_gate **ret_gate);

/* dfs_gate_park() - until somebody leaves. Return: false if that happened already: try again. */
bool dfs_gate_park(struct dfs_gates *gates, const struct dfs_gate_key *key, struct dfs_chunk *chunk);

#endif
