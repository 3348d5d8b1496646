/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spared: the matrices that a codec which gives up bits was to have, by its
 * scope, and that keep them all the same; and why.
 *
 * WRITE: give_up -> this -> who tells of it. A tensor that is the base's is
 * none of them: there was nothing to give up.
 */
#ifndef DFS_WRITE_SPARED_H
#define DFS_WRITE_SPARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "write/reason.h"
#include "write/scope.h"

/* Scopes that a codec was to have; spared.c lists them. */
#define DFS_SPARED_SCOPES 6

/* Of a tensor's name, or of a pattern; what is longer is cut. */
#define DFS_SPARED_NAME 96

/* Owns nothing; all zero is none. */
struct dfs_spared {
	uint32_t n[DFS_SPARED_SCOPES];
	char first[DFS_SPARED_SCOPES][DFS_SPARED_NAME];	/* of each, the one that was added first */
	char unmatched[DFS_SPARED_NAME];	/* include= or exclude= whose pattern is no tensor's name; "" */
};

/* dfs_spared_add() - one more, if it is of such a scope */
void dfs_spared_add(struct dfs_spared *spared, enum dfs_scope scope, const char *name);

/* dfs_spared_tried() - are there some that the codec had a look at, and could not take */
bool dfs_spared_tried(const struct dfs_spared *spared);

/* dfs_spared_mostly_smaller() - and are those as many that it need not take */
bool dfs_spared_mostly_smaller(const struct dfs_spared *spared);

/**
 * dfs_spared_text() - "2 matrices are exact, since they have NaN, infinity or numbers too large: NAME, ..."
 * @ret_text: "" if there are none; of several reasons one after the other; fit for a terminal
 */
#define DFS_SPARED_TEXT 1024
char *dfs_spared_text(const struct dfs_spared *spared, char ret_text[DFS_SPARED_TEXT]);

/* dfs_spared_reason() - the same as a reason, as long as that may be; DFS_REASON_NONE if there are none */
void dfs_spared_reason(const struct dfs_spared *spared, struct dfs_reason *ret_reason);

#endif
