/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * matched: match a header, then expect what each tensor got.
 */
#ifndef DFS_TESTS_MATCHED_H
#define DFS_TESTS_MATCHED_H

#include "headers.h"
#include "write/match.h"

static struct dfs_match matches[20000];
static struct dfs_match_score score;

static inline void match(const struct dfs_header *file, const struct dfs_header *const *bases, size_t n,
		  const struct dfs_match_config *config)
{
	struct dfs_err err = { "" };

	memset(matches, 0xee, sizeof(matches));
	CHECK(file->n_tensors <= sizeof(matches) / sizeof(matches[0]));
	CHECK_OK(dfs_match_model(file, bases, n, config, matches, &score, &err), err);
}

/* The match of the tensor @name: how, and the base's name ("" if none). */
static inline const struct dfs_match *expect(const struct dfs_header *file, const char *name,
				      enum dfs_match_how how, const char *base)
{
	const struct dfs_tensor *t = dfs_header_find(file, name);
	const struct dfs_match *m;

	CHECK(t);
	m = &matches[t - file->tensors];
	assert_string_equal(m->base ? m->base->name : "", base);
	assert_int_equal(m->how, how);
	CHECK((m->base == NULL) == (m->len == 0));
	CHECK(m->len <= t->len);
	return m;
}

#endif
