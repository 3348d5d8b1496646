/* SPDX-License-Identifier: GPL-2.0-or-later */
/* give_up_job: one job a tensor, since its sums must have one order. */
#include "write/give_up_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "write/encode.h"
#include "write/give_up.h"

bool dfs_pass_failed(struct dfs_passes *p, uint64_t done)
{
	bool failed;

	pthread_mutex_lock(&p->lock);
	failed = p->ret < 0;
	p->done += done;
	pthread_mutex_unlock(&p->lock);
	return failed;
}

/* One chunk of a span: its difference, measured. */
static int measure_chunk(struct dfs_pass_job *j, unsigned pass, const struct dfs_block *block, const uint8_t *input,
			 struct dfs_hand *hand)
{
	const struct dfs_work *w = j->w;
	float *delta = dfs_hand_delta(hand, block->n);

	if (!delta)
		return -ENOMEM;
	j->differs |= memcmp(input, block->pred, block->n * dfs_dtype_info(block->shape.dtype)->size) != 0;
	if (!dfs_delta(block->shape.dtype, input, block->pred, delta, block->n)) {
		j->finite = false;
		return 0;
	}
	return j->p->lossy->measure(w->spec->options, pass, block, delta, &w->segments[j->segment].lossy->tensor,
				    hand->scratch);
}

static int measure_span(struct dfs_pass_job *j, unsigned pass, const struct dfs_span_place *place, struct dfs_hand *hand,
			struct dfs_err *err)
{
	const struct dfs_work *w = j->w;
	int ret = dfs_expect_both(w, place, hand, &hand->span, err);

	for (uint32_t i = 0; i < place->n && ret == 0 && j->finite; i++) {
		uint64_t at;
		struct dfs_block block = dfs_expect_block(w, place, i, &hand->span, &at);

		ret = measure_chunk(j, pass, &block, hand->span.input + at, hand);
		if (ret < 0)
			dfs_fail(err, -ret, "measure: %s", strerror(-ret));
	}
	return ret;
}

static int run_pass(struct dfs_pass_job *j, unsigned pass, struct dfs_hand *hand, struct dfs_err *err)
{
	const struct dfs_work *w = j->w;
	const struct dfs_lossy_tensor *tensor = &w->segments[j->segment].lossy->tensor;
	struct dfs_span_place place;
	int ret = 0;

	for (uint32_t first = 0; first < w->c.segments[j->segment].n_chunks; first += place.n) {
		place = dfs_work_span(w, j->segment, first);
		ret = measure_span(j, pass, &place, hand, err);
		if (ret < 0 || !j->finite || dfs_pass_failed(j->p, place.len))
			return ret;
	}
	if (j->p->lossy->settle)
		ret = j->p->lossy->settle(w->spec->options, pass, tensor);
	return ret < 0 ? dfs_fail(err, -ret, "measure: %s", strerror(-ret)) : 0;
}

static int run_passes(struct dfs_pass_job *j, struct dfs_hand *hand, struct dfs_err *err)
{
	const struct dfs_lossy *lossy = j->p->lossy;
	const void *options = j->p->spec->options;
	struct dfs_lossy_tensor *tensor = &j->w->segments[j->segment].lossy->tensor;
	unsigned passes = lossy->passes(options);
	int ret = 0;

	tensor->record = calloc(1, lossy->record_size(options, tensor->shape));
	if (!tensor->record)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (unsigned pass = 0; pass < passes && ret == 0 && j->finite && (!pass || j->differs); pass++)
		ret = run_pass(j, pass, hand, err);
	return ret;
}

static void job_end(struct dfs_passes *p, int ret, const struct dfs_err *err)
{
	pthread_mutex_lock(&p->lock);
	if (ret < 0 && p->ret == 0) {
		p->ret = ret;
		p->err = *err;
	}
	p->running--;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

void dfs_pass_measure(struct dfs_job *job, void *hand)
{
	struct dfs_pass_job *j = (struct dfs_pass_job *)job;
	struct dfs_err err = { "" };

	job_end(j->p, dfs_pass_failed(j->p, 0) ? 0 : run_passes(j, hand, &err), &err);
}

static int prepare_segment(struct dfs_pass_job *j, struct dfs_err *err)
{
	struct dfs_work_lossy *l = dfs_pass_lossy(j);
	const struct dfs_passes *p = j->p;
	int ret;

	dfs_give_up_done(l);	/* of an earlier plan */
	ret = p->lossy->prepare(p->spec->options, &l->tensor, &l->table_bytes, &l->notes, err);
	if (ret == -ERANGE) {
		l->tensor.values = 0;	/* declined: the caller makes it exact */
		return 0;
	}
	return ret;
}

static int try_segment(struct dfs_pass_job *j, struct dfs_hand *hand, struct dfs_err *err)
{
	int ret = prepare_segment(j, err);

	if (ret < 0 || !dfs_pass_gives_up(j))
		return ret;
	ret = dfs_give_up_open(j->w, j->segment, err);
	if (ret == 0)
		ret = dfs_pass_compare(j, hand, err);
	dfs_give_up_close(dfs_pass_lossy(j));
	return ret;
}

void dfs_pass_both(struct dfs_job *job, void *hand)
{
	struct dfs_pass_job *j = (struct dfs_pass_job *)job;
	const struct dfs_lossy *lossy = j->p->lossy;
	struct dfs_lossy_tensor *tensor = &dfs_pass_lossy(j)->tensor;
	size_t room = lossy->room ? lossy->room(j->p->spec->options, tensor->shape) : 0;
	struct dfs_err err = { "" };
	int ret = 0;

	dfs_allowance_take(&j->p->allowance, room);
	if (!dfs_pass_failed(j->p, 0))
		ret = run_passes(j, hand, &err);
	if (ret == 0 && !dfs_pass_failed(j->p, 0) && dfs_pass_gives_up(j))
		ret = try_segment(j, hand, &err);
	free(tensor->record);
	tensor->record = NULL;
	dfs_allowance_give(&j->p->allowance, room);
	job_end(j->p, ret, &err);
}

void dfs_pass_prepare(struct dfs_job *job, void *hand)
{
	struct dfs_pass_job *j = (struct dfs_pass_job *)job;
	struct dfs_err err = { "" };

	(void)hand;
	job_end(j->p, dfs_pass_failed(j->p, 0) ? 0 : prepare_segment(j, &err), &err);
}

void dfs_pass_try(struct dfs_job *job, void *hand)
{
	struct dfs_pass_job *j = (struct dfs_pass_job *)job;
	struct dfs_err err = { "" };

	job_end(j->p, dfs_pass_failed(j->p, 0) ? 0 : try_segment(j, hand, &err), &err);
}
