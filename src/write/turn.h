/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turn: who may count on the bases of a store staying as they are.
 *
 * WRITE: beside the flow. While a file is coded against a base, while one is
 * elected, and while pins that nobody needs are freed, no base may come or go.
 * Who compresses has the turn for one file at a time; who adds or removes a
 * base by hand goes before him as soon as that is through.
 *
 * All calls from any thread.
 */
#ifndef DFS_WRITE_TURN_H
#define DFS_WRITE_TURN_H

#include <stdbool.h>

struct dfs_turn;

struct dfs_turn *dfs_turn_new(void); /* NULL: out of memory */
void dfs_turn_free(struct dfs_turn *turn); /* when nobody has it or waits; NULL is fine */

/* dfs_turn_take() - wait until nobody has it, or wants it by dfs_turn_ask(); dfs_turn_end() follows */
void dfs_turn_take(struct dfs_turn *turn);

/**
 * dfs_turn_ask() - the same, before those of dfs_turn_take()
 * @go_on: asked some times a second; false: give up
 * Return: 0; -ECANCELED: nothing to end.
 */
int dfs_turn_ask(struct dfs_turn *turn, bool (*go_on)(void *arg), void *arg);

void dfs_turn_end(struct dfs_turn *turn);

#endif
