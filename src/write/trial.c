/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "write/give_up.h"
#include "write/sample.h"
#include "write/trial_piece.h"

/* Tensors that are tried, evenly spread over all. */
#define PIECES 16

struct trial {
	struct dfs_work w;
	struct dfs_hand *hand;
	struct dfs_seen *seen;
	enum dfs_scope *scopes;		/* of segments that are marked */
	struct dfs_trial_piece pieces[PIECES];
	unsigned n;
	double rate;			/* bytes that a value takes, of pieces that are worth it */
	double fixed;			/* bytes that a tensor takes besides */
};

/* What the values of each tensor say. */
static int look(struct trial *t, uint32_t *ret_lossy, struct dfs_err *err)
{
	const struct dfs_seen_tensor *seen;

	for (uint32_t i = 0; i < t->w.c.n_segments; i++) {
		int ret = t->w.segments[i].lossy ? dfs_seen_look(t->seen, &t->w, i, t->hand, &seen, err) : 0;

		if (ret < 0)
			return ret;
		if (!t->w.segments[i].lossy)
			continue;
		t->scopes[i] = !seen->finite ? DFS_SCOPE_NOT_FINITE : seen->differs ? DFS_SCOPE_LOSSY : DFS_SCOPE_SAME;
		*ret_lossy += t->scopes[i] == DFS_SCOPE_LOSSY;
	}
	return 0;
}

static bool is_lossy(const struct trial *t, uint32_t segment)
{
	return t->w.segments[segment].lossy && t->scopes[segment] == DFS_SCOPE_LOSSY;
}

static int read_pieces(struct trial *t, uint32_t lossy, struct dfs_err *err)
{
	uint32_t number = 0;
	int ret = 0;

	for (uint32_t i = 0; i < t->w.c.n_segments && ret >= 0 && t->n < PIECES; i++) {
		/* of 40 every 2.5th, of 10 all */
		if (!is_lossy(t, i) || (uint64_t)number++ * PIECES / (lossy > PIECES ? lossy : PIECES) < t->n)
			continue;
		ret = dfs_trial_piece_read(&t->w, t->hand, i, &t->pieces[t->n], err);
		if (ret)
			t->n++;		/* to be released, if it failed */
		else
			dfs_trial_piece_release(&t->pieces[t->n]);
	}
	return ret < 0 ? ret : 0;
}

static int plan_pieces(struct trial *t, struct dfs_err *err)
{
	const struct dfs_spec *spec = t->w.spec;
	struct dfs_lossy_tensor tensors[PIECES];
	unsigned n = 0;

	for (unsigned i = 0; i < t->n; i++)
		if (t->pieces[i].scope == DFS_SCOPE_LOSSY)
			tensors[n++] = t->pieces[i].tensor;
	return spec->lossy->plan && n ? spec->lossy->plan(spec->options, tensors, n, err) : 0;
}

static int code_pieces(struct trial *t, bool exact, struct dfs_err *err)
{
	int ret = 0;

	for (unsigned i = 0; i < t->n && ret == 0; i++)
		ret = dfs_trial_piece_measure(&t->w, t->hand, &t->pieces[i]);
	if (ret == 0)
		ret = plan_pieces(t, err);
	for (unsigned i = 0; i < t->n && ret == 0; i++)
		if (t->pieces[i].scope == DFS_SCOPE_LOSSY)
			ret = dfs_trial_piece_code(&t->w, t->hand, &t->pieces[i], err);
	for (unsigned i = 0; i < t->n && ret == 0 && exact; i++)
		ret = dfs_trial_piece_exact(t->hand, &t->pieces[i], err);
	if (ret == -ENOTSUP)	/* with a sentence */
		return ret;
	return ret < 0 ? dfs_fail(err, -ret, "codec %s: %s", t->w.spec->lossy->codec->name, strerror(-ret)) : 0;
}

static const struct dfs_seen_tensor *seen_of(const struct trial *t, uint32_t segment)
{
	const struct dfs_tensor *tensor = dfs_header_at(t->seen->header, t->w.c.segments[segment].off);

	return &t->seen->of[tensor - t->seen->header->tensors];
}

static uint64_t stored_of(const struct trial *t, uint32_t segment)
{
	uint64_t values = t->w.segments[segment].lossy->tensor.values;

	for (unsigned i = 0; i < t->n; i++)
		if (t->pieces[i].segment == segment)
			return t->pieces[i].fixed +
			       (uint64_t)((double)t->pieces[i].stored / (double)t->pieces[i].tensor.values * (double)values);
	return (uint64_t)(t->fixed + t->rate * (double)values);
}

/* What the pieces say, of themselves and of the others. */
static void settle_scopes(struct trial *t)
{
	double stored = 0, values = 0, fixed = 0, n = 0;

	for (unsigned i = 0; i < t->n; i++) {
		const struct dfs_trial_piece *p = &t->pieces[i];

		t->scopes[p->segment] = p->scope;
		if (is_lossy(t, p->segment) && seen_of(t, p->segment)->exact <= stored_of(t, p->segment))
			t->scopes[p->segment] = DFS_SCOPE_SMALLER;
		if (t->scopes[p->segment] == DFS_SCOPE_LOSSY) {
			n++;
			fixed += (double)p->fixed;
			stored += (double)p->stored;
			values += (double)p->tensor.values;
		}
	}
	t->rate = n ? stored / values : 0;
	t->fixed = n ? fixed / n : 0;
	for (uint32_t i = 0; i < t->w.c.n_segments; i++)
		if (is_lossy(t, i) && (!t->n || seen_of(t, i)->exact <= stored_of(t, i)))
			t->scopes[i] = DFS_SCOPE_SMALLER;
}

static void add_seconds(const struct trial *t, struct dfs_trial *result)
{
	double values = 0;

	for (unsigned i = 0; i < t->n; i++) {
		values += (double)t->pieces[i].tensor.values;
		result->seconds += t->pieces[i].seconds;
		result->exact_seconds += t->pieces[i].exact_seconds;
	}
	result->seconds *= values > 0 ? (double)result->values / values : 0;
	result->exact_seconds *= values > 0 ? (double)result->values / values : 0;
}

/* @sample: of what the codec does not take by its name or shape */
static void add_up(const struct trial *t, const struct dfs_sample *sample, struct dfs_trial *result)
{
	const struct dfs_work *w = &t->w;
	uint64_t marked = 0;

	*result = (struct dfs_trial){ 0 };
	for (uint32_t i = 0; i < w->c.n_segments; i++) {
		if (!w->segments[i].lossy)
			continue;
		marked += w->c.segments[i].len;
		if (!is_lossy(t, i)) {
			result->rest_stored += seen_of(t, i)->exact;
			continue;
		}
		result->values += w->segments[i].lossy->tensor.values;
		result->bytes += w->c.segments[i].len;
		result->stored += stored_of(t, i);
		result->exact_stored += seen_of(t, i)->exact;
	}
	add_seconds(t, result);
	result->rest = w->c.sb.original_size - result->bytes;
	result->rest_stored += dfs_sample_of(w->c.sb.original_size - marked, sample);
}

static void tell_scopes(const struct trial *t, enum dfs_scope *ret_scopes)
{
	const struct dfs_header *header = t->seen->header;

	for (size_t i = 0; i < header->n_tensors; i++)
		ret_scopes[i] = dfs_give_up_scope(&t->w, header, &header->tensors[i]);
	for (uint32_t i = 0; i < t->w.c.n_segments; i++)
		if (t->w.segments[i].lossy)
			ret_scopes[dfs_header_at(header, t->w.c.segments[i].off) - header->tensors] = t->scopes[i];
}

static int run(struct trial *t, const struct dfs_work_input *input, bool exact, struct dfs_trial *ret_trial, struct dfs_err *err)
{
	struct dfs_sample sample;
	uint32_t lossy = 0;
	int ret = look(t, &lossy, err);

	if (ret == 0)
		ret = read_pieces(t, lossy, err);
	if (ret == 0)
		ret = code_pieces(t, exact, err);
	if (ret == 0)
		ret = dfs_sample(input, DFS_SAMPLE_ESTIMATE, t->hand, &sample, err);
	if (ret < 0)
		return ret;
	settle_scopes(t);
	add_up(t, &sample, ret_trial);
	return 0;
}

int dfs_trial(const struct dfs_work_input *input, struct dfs_seen *seen, struct dfs_hand *hand, bool exact,
	      struct dfs_trial *ret_trial, enum dfs_scope *ret_scopes, struct dfs_err *err)
{
	struct trial t = { .hand = hand, .seen = seen };
	int ret = dfs_work_init(&t.w, input, err);

	if (ret < 0)
		return ret;
	t.scopes = calloc(t.w.c.n_segments + 1, sizeof(*t.scopes));
	ret = t.scopes ? run(&t, input, exact, ret_trial, err) : dfs_fail(err, ENOMEM, "out of memory");
	if (ret == 0 && ret_scopes)
		tell_scopes(&t, ret_scopes);
	for (unsigned i = 0; i < t.n; i++)
		dfs_trial_piece_release(&t.pieces[i]);
	free(t.scopes);
	dfs_work_release(&t.w);
	return ret;
}
