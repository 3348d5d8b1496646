/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/duration.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* More digits than the longest duration in seconds has: never an overflow. */
#define DIGITS_MAX 12

static const struct {
	char unit;
	int64_t seconds;
} units[] = {
	{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 },
};

int dfs_duration_parse(const char *text, int64_t *ret_s)
{
	size_t digits = strspn(text, "0123456789"), i = 0;
	int64_t n;

	if (!digits || !text[digits] || text[digits + 1])
		return -EINVAL;
	while (i < sizeof(units) / sizeof(units[0]) && units[i].unit != text[digits])
		i++;
	if (i == sizeof(units) / sizeof(units[0]))
		return -EINVAL;
	if (digits > DIGITS_MAX)
		return -ERANGE;
	n = strtoll(text, NULL, 10) * units[i].seconds;
	if (n < 1 || n > DFS_DURATION_MAX_S)
		return -ERANGE;
	*ret_s = n;
	return 0;
}
