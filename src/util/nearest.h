/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nearest: which known word somebody may have meant.
 */
#ifndef DFS_UTIL_NEAREST_H
#define DFS_UTIL_NEAREST_H

#include <stddef.h>

/**
 * dfs_nearest() - the word with the fewest letters changed, added, left out or swapped with a neighbour
 * @words: NULL entries are passed over
 *
 * Return: a word of @words, or NULL if none is near: more than a third of the letters differ.
 */
const char *dfs_nearest(const char *word, const char *const *words, size_t n_words);

#endif
