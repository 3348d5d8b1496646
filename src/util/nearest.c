/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nearest: optimal string alignment distance, by three rows of the usual table. */
#include "util/nearest.h"

#include <stdint.h>
#include <string.h>

#define LEN_MAX 64

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static size_t distance(const char *a, const char *b)
{
	size_t rows[3][LEN_MAX + 1], la = strlen(a), lb = strlen(b);

	if (la > LEN_MAX || lb > LEN_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return rows[la % 3][lb];
}

const char *dfs_nearest(const char *word, const char *const *words, size_t n_words)
{
	size_t best = (strlen(word) + 2) / 3 + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n_words; i++) {
		size_t d = words[i] ? distance(word, words[i]) : SIZE_MAX;

		if (d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
