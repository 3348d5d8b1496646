/* SPDX-License-Identifier: GPL-2.0-or-later */
/* measure: the first pass over a segment, and the tables that come of it. */
#include "write/run.h"

#include <errno.h>
#include <stdlib.h>

static struct dfs_exact_record *record_new(const struct dfs_run *r, uint32_t segment)
{
	return dfs_exact_record_new(r->w->segments[segment].shape,
				    r->w->c.segments[segment].predictor != DFS_PREDICT_NONE);
}

/*
 * As many records a segment as threads measure it at once: each span adds to
 * one that is idle. Adding records up takes longer than measuring a span, so
 * that is done once, at the end.
 */
static struct dfs_exact_record *partial_take(struct dfs_run *r, uint32_t segment)
{
	struct dfs_work_segment *ws = &r->w->segments[segment];
	struct dfs_exact_record *record = NULL;

	pthread_mutex_lock(&r->lock);
	if (ws->n_partials)
		record = ws->partials[--ws->n_partials];
	pthread_mutex_unlock(&r->lock);
	return record ? record : record_new(r, segment);
}

/* Return: 1 if this was the last span of its segment; 0; -ENOMEM. */
static int partial_put(struct dfs_run *r, const struct dfs_span_place *place, struct dfs_exact_record *record)
{
	struct dfs_work_segment *ws = &r->w->segments[place->segment];
	int ret = -ENOMEM;

	pthread_mutex_lock(&r->lock);
	if (!ws->partials)
		ws->partials = calloc(r->n_slots, sizeof(*ws->partials));	/* no more spans are measured at once */
	if (ws->partials) {
		ws->partials[ws->n_partials++] = record;
		record = NULL;
		ws->unmeasured -= place->n;
		r->measured += place->len;
		ret = ws->unmeasured == 0;
	}
	pthread_mutex_unlock(&r->lock);
	dfs_exact_record_free(record);
	return ret;
}

int dfs_run_prepare(struct dfs_run *r, uint32_t segment, struct dfs_err *err)
{
	struct dfs_work_segment *ws = &r->w->segments[segment];
	struct dfs_exact_record *record = partial_take(r, segment);
	struct dfs_exact_tables *tables = NULL;
	int ret;

	if (!record)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (; ws->n_partials; ws->n_partials--) {
		dfs_exact_merge(record, ws->partials[ws->n_partials - 1]);
		dfs_exact_record_free(ws->partials[ws->n_partials - 1]);
	}
	ret = dfs_exact_prepare(record, &tables, err);
	dfs_exact_record_free(record);
	if (ret < 0)
		return ret;
	pthread_mutex_lock(&r->lock);
	ws->tables = tables;
	ws->ready = true;
	dfs_run_note(r);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static int look_measure(struct dfs_run *r, const struct dfs_look *look, struct dfs_hand *hand, struct dfs_err *err)
{
	struct dfs_exact_record *record = partial_take(r, look->place.segment);
	int ret;

	if (!record)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_span_measure(r->w, &look->place, hand, look->bytes ? look->bytes : &hand->span, record, err);
	if (ret < 0) {
		dfs_exact_record_free(record);
		return ret;
	}
	ret = partial_put(r, &look->place, record);
	if (ret < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	return ret ? dfs_run_prepare(r, look->place.segment, err) : 0;
}

void dfs_look_run(struct dfs_job *job, void *hand)
{
	struct dfs_look *look = (struct dfs_look *)job;
	struct dfs_run *r = look->run;
	struct dfs_err err = { "" };
	int ret = dfs_run_failed(r) ? 0 : look_measure(r, look, hand, &err);

	if (ret < 0)
		dfs_run_fail(r, ret, &err);
	pthread_mutex_lock(&r->lock);
	look->next = r->idle;
	r->idle = look;
	dfs_run_note(r);
	pthread_mutex_unlock(&r->lock);
}
