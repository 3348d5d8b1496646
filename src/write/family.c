/* SPDX-License-Identifier: GPL-2.0-or-later */
/* family: greedy facility location over sampled costs. */
#include "write/family.h"

#include <errno.h>
#include <stdlib.h>

#include "write/match.h"
#include "write/ticker.h"

/* A dependant must save more than 1 part in this of what it takes alone. */
#define GAIN_MIN 50

int dfs_family_alike(const struct dfs_model *a, const struct dfs_model *b, struct dfs_err *err)
{
	DFS_AUTO(mem) const struct dfs_header **headers = calloc(b->n_files, sizeof(*headers));
	uint64_t matched = 0, total = 0;

	if (!headers)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < b->n_files; i++)
		headers[i] = b->files[i].header;
	for (size_t i = 0; i < a->n_files; i++) {
		const struct dfs_header *header = a->files[i].header;
		DFS_AUTO(mem) struct dfs_match *matches = calloc(header->n_tensors + 1, sizeof(*matches));
		struct dfs_match_score score;
		int ret;

		if (!matches)
			return dfs_fail(err, ENOMEM, "out of memory");
		ret = dfs_match_model(header, headers, b->n_files, NULL, matches, &score, err);
		if (ret < 0)
			return ret;
		matched += score.matched_bytes;
		total += score.total_bytes;
	}
	return total > 0 && matched > total / 2;
}

int dfs_model_sample(const struct dfs_model *model, const struct dfs_model *base,
		     struct dfs_sample_size size, struct dfs_hand *hand, uint64_t *ret_stored,
		     struct dfs_err *err)
{
	uint64_t stored = 0;

	/* The same effort for a model of many shards as for one. */
	size.places = (unsigned)(size.places / model->n_files) + 1;
	for (size_t i = 0; i < model->n_files; i++) {
		struct dfs_work_input input = {
			.fd = model->files[i].fd, .len = model->files[i].size,
			.header = model->files[i].header, .base = base,
		};
		struct dfs_sample sample;
		int ret = dfs_sample(&input, size, hand, &sample, err);

		if (ret < 0)
			return ret;
		stored += dfs_sample_stored(&input, &sample);
	}
	*ret_stored = stored;
	return 0;
}

struct plan {
	struct dfs_member *members;
	size_t n;
	struct dfs_hand *hand;
	struct dfs_ticker ticker;
	uint64_t sampled;	/* pairs */
	uint64_t *costs;	/* of one round: [candidate][member] */
};

/* Over candidate @b, what does @m take? Never more than alone. */
static int cost(struct plan *p, size_t b, size_t m, uint64_t *ret_cost, struct dfs_err *err)
{
	const struct dfs_member *member = &p->members[m];
	int ret = dfs_model_sample(member->model, p->members[b].model, DFS_SAMPLE_CHOOSE, p->hand, ret_cost, err);

	if (ret < 0)
		return ret;
	if (*ret_cost + member->alone / GAIN_MIN > member->alone)
		*ret_cost = member->alone;
	return dfs_ticker_tell(&p->ticker, p->sampled++, err);
}

/* The saving of candidate @b in this round, its costs noted. May be negative. */
static int candidate(struct plan *p, size_t b, uint64_t *costs, int64_t *ret_saving, struct dfs_err *err)
{
	const struct dfs_member *base = &p->members[b];
	int64_t saving = (int64_t)base->alone - (int64_t)dfs_model_bytes(base->model);

	for (size_t m = 0; m < p->n; m++) {
		costs[m] = p->members[m].alone;
		if (m == b || p->members[m].base != DFS_NO_BASE)
			continue;
		int ret = cost(p, b, m, &costs[m], err);

		if (ret < 0)
			return ret;
		saving += (int64_t)p->members[m].alone - (int64_t)costs[m];
	}
	*ret_saving = saving;
	return 0;
}

static void adopt(struct plan *p, size_t b, const uint64_t *costs)
{
	p->members[b].base = b;
	p->members[b].stored = dfs_model_bytes(p->members[b].model);
	for (size_t m = 0; m < p->n; m++)
		if (p->members[m].base == DFS_NO_BASE && costs[m] < p->members[m].alone) {
			p->members[m].base = b;
			p->members[m].stored = costs[m];
		}
}

/* Return: 1: a base was found; 0: none pays; -errno. */
static int plan_round(struct plan *p, struct dfs_err *err)
{
	size_t free_members = 0, step, seen = 0, tried = 0, best = 0, best_row = 0;
	int64_t best_saving = 0;

	for (size_t m = 0; m < p->n; m++)
		free_members += p->members[m].base == DFS_NO_BASE;
	if (free_members < 2)
		return 0;
	step = (free_members + DFS_FAMILY_CANDIDATES - 1) / DFS_FAMILY_CANDIDATES;
	for (size_t m = 0; m < p->n; m++) {
		int64_t saving;
		int ret;

		if (p->members[m].base != DFS_NO_BASE || seen++ % step)
			continue;
		/* Two rows are enough: this one's costs and the best one's. */
		ret = candidate(p, m, p->costs + (best_row ^ 1) * p->n, &saving, err);
		if (ret < 0)
			return ret;
		if (saving > best_saving) {
			best_saving = saving;
			best = m;
			best_row ^= 1;
		}
		tried++;
	}
	if (tried == 0 || best_saving <= 0)
		return 0;
	adopt(p, best, p->costs + best_row * p->n);
	return 1;
}

int dfs_family_plan(struct dfs_member *members, size_t n, struct dfs_hand *hand,
		    dfs_progress_fn *progress, void *arg, struct dfs_err *err)
{
	DFS_AUTO(mem) uint64_t *costs = calloc(2 * n + 1, sizeof(*costs));
	struct plan plan = {
		.members = members, .n = n, .hand = hand, .costs = costs,
		.ticker = { progress, arg, n * (n < DFS_FAMILY_CANDIDATES ? n : DFS_FAMILY_CANDIDATES), { 0 } },
	};
	int ret = 0;

	if (!costs)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t m = 0; m < n && ret == 0; m++) {
		uint64_t bytes = dfs_model_bytes(members[m].model);

		members[m].base = DFS_NO_BASE;
		ret = dfs_model_sample(members[m].model, NULL, DFS_SAMPLE_CHOOSE, hand, &members[m].alone, err);
		if (members[m].alone > bytes)
			members[m].alone = bytes;
		members[m].stored = members[m].alone;
	}
	if (ret < 0)
		return ret;
	do
		ret = plan_round(&plan, err);
	while (ret > 0);
	return ret;
}
