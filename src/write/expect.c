/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect: ask the predictor what it needs, read that, ask what it predicts. */
#include "write/expect.h"

#include <stdlib.h>

#include "util/io.h"

void *dfs_hand_new(void)
{
	struct dfs_hand *hand = calloc(1, sizeof(*hand));

	if (!hand)
		return NULL;
	hand->scratch = dfs_scratch_new();
	if (!hand->scratch) {
		free(hand);
		return NULL;
	}
	return hand;
}

void dfs_hand_free(void *arg)
{
	struct dfs_hand *hand = arg;

	if (!hand)
		return;
	dfs_scratch_free(hand->scratch);
	dfs_buf_release(&hand->input);
	dfs_buf_release(&hand->bytes);
	dfs_buf_release(&hand->values);
	free(hand->needs);
	free(hand);
}

static int hand_room(struct dfs_hand *hand, uint32_t max_needs, size_t values_len)
{
	if (hand->max_needs < max_needs) {
		struct dfs_need *needs = reallocarray(hand->needs, max_needs, sizeof(*needs));

		if (!needs)
			return -ENOMEM;
		hand->needs = needs;
		hand->max_needs = max_needs;
	}
	hand->bytes.len = 0;
	hand->values.len = 0;
	return dfs_buf_extend(&hand->values, values_len + DFS_VALUES_PAD) ? 0 : -ENOMEM;
}

static int read_need(const struct dfs_work *w, const struct dfs_need *need, struct dfs_buf *bytes,
		     struct dfs_err *err)
{
	const struct dfs_model_file *file = &w->base->files[w->used[need->file]];
	uint8_t *to = dfs_buf_extend(bytes, need->len);
	int ret;

	if (!to)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_pread_all(file->fd, to, need->len, need->off);
	if (ret < 0)
		return dfs_fail(err, -ret, "read base %s: %s", file->path, strerror(-ret));
	return 0;
}

int dfs_expect(const struct dfs_work *w, const struct dfs_span_place *place,
	       struct dfs_hand *hand, const void **ret_values, struct dfs_err *err)
{
	struct dfs_prediction p = dfs_work_prediction(w, place->segment);
	uint64_t off = place->off - w->c.segments[place->segment].off;
	const struct dfs_predictor *predictor;
	int n, ret;

	*ret_values = NULL;
	if (p.predictor == DFS_PREDICT_NONE)
		return 0;
	predictor = dfs_predictor_find(p.predictor, &ret, err);
	if (!predictor)
		return ret;
	if (hand_room(hand, w->max_needs, place->len) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	n = predictor->needs(&p, off, place->len, hand->needs, hand->max_needs);
	if (n < 0)
		return dfs_fail(err, -n, "base bytes that predict a segment cannot be listed");
	for (int i = 0; i < n; i++) {
		ret = read_need(w, &hand->needs[i], &hand->bytes, err);
		if (ret < 0)
			return ret;
	}
	ret = predictor->predict(&p, off, place->len,
				 (struct dfs_span){ hand->bytes.data, hand->bytes.len },
				 hand->values.data, err);
	if (ret == 0)
		*ret_values = hand->values.data;
	return ret;
}
