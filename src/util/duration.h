/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * duration: how long something lasts, as people write it: 90s, 30m, 12h, 7d, 2w.
 */
#ifndef DFS_UTIL_DURATION_H
#define DFS_UTIL_DURATION_H

#include <stdint.h>

/* Ten years of 365 days. Who means longer means for good. */
#define DFS_DURATION_MAX_S (INT64_C(10) * 365 * 86400)

/**
 * dfs_duration_parse() - a number and its unit, with nothing around them
 * @ret_s: seconds, from 1 to DFS_DURATION_MAX_S
 *
 * Without a unit it is refused: 30 may be meant as days.
 * Return: 0; -EINVAL: makes no sense; -ERANGE: none at all, or too long.
 */
int dfs_duration_parse(const char *text, int64_t *ret_s);

#endif
