/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect: ask the predictor what it needs, read that, ask what it predicts. */
#include "write/expect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "util/io.h"

/*
 * What is read is followed by what comes so far behind it, of the file and of
 * its base alike, while this is worked on. The kernel reads ahead as well, but
 * by default 128 KiB: less than what one disk request should be. Less: threads
 * wait for the disk; more: memory.
 */
#define AHEAD (4u << 20)

static int read_on(int fd, uint8_t *to, uint64_t len, uint64_t off)
{
	int ret = dfs_pread_all(fd, to, len, off);

	if (len >= DFS_GRID)	/* else it is a sample */
		posix_fadvise(fd, (off_t)(off + AHEAD), (off_t)len, POSIX_FADV_WILLNEED);
	return ret;
}

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
	dfs_buf_release(&hand->base);
	dfs_span_bytes_release(&hand->span);
	free(hand->needs);
	free(hand->delta);
	free(hand);
}

void dfs_span_bytes_release(struct dfs_span_bytes *bytes)
{
	free(bytes->input);
	free(bytes->values);
	*bytes = (struct dfs_span_bytes){ 0 };
}

int dfs_span_room(uint8_t **buffer, size_t *room, size_t len)
{
	if (len < DFS_SPAN_BYTES)
		len = DFS_SPAN_BYTES;
	if (*room >= len)
		return 0;
	free(*buffer);
	*buffer = malloc(len + DFS_VALUES_PAD);
	*room = *buffer ? len : 0;
	return *buffer ? 0 : -ENOMEM;
}

float *dfs_hand_delta(struct dfs_hand *hand, size_t n)
{
	if (hand->delta_room < n) {
		free(hand->delta);
		hand->delta = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64);
		hand->delta_room = hand->delta ? n : 0;
	}
	return hand->delta;
}

static int hand_room(struct dfs_hand *hand, uint32_t max_needs)
{
	struct dfs_need *needs;

	hand->base.len = 0;
	if (hand->max_needs >= max_needs)
		return 0;
	needs = reallocarray(hand->needs, max_needs, sizeof(*needs));
	if (!needs)
		return -ENOMEM;
	hand->needs = needs;
	hand->max_needs = max_needs;
	return 0;
}

static int read_need(const struct dfs_work *w, const struct dfs_need *need, struct dfs_buf *bytes,
		     struct dfs_err *err)
{
	const struct dfs_model_file *file = &w->base->files[w->used[need->file]];
	uint8_t *to = dfs_buf_extend(bytes, need->len);
	int ret;

	if (!to)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = read_on(file->fd, to, need->len, need->off);
	if (ret < 0)
		return dfs_fail(err, -ret, "read base %s: %s", file->path, strerror(-ret));
	return 0;
}

static int predict(const struct dfs_work *w, const struct dfs_span_place *place,
		   const struct dfs_prediction *p, struct dfs_hand *hand, uint8_t *values,
		   struct dfs_err *err)
{
	uint64_t off = place->off - w->c.segments[place->segment].off;
	const struct dfs_predictor *predictor;
	int n, ret;

	predictor = dfs_predictor_find(p->predictor, &ret, err);
	if (!predictor)
		return ret;
	if (hand_room(hand, w->max_needs) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	n = predictor->needs(p, off, place->len, hand->needs, hand->max_needs);
	if (n < 0)
		return dfs_fail(err, -n, "base bytes that predict a segment cannot be listed");
	for (int i = 0; i < n; i++) {
		ret = read_need(w, &hand->needs[i], &hand->base, err);
		if (ret < 0)
			return ret;
	}
	return predictor->predict(p, off, place->len,
				  (struct dfs_span){ hand->base.data, hand->base.len }, values, err);
}

int dfs_expect_read(const struct dfs_work *w, const struct dfs_span_place *place,
		    struct dfs_span_bytes *bytes, struct dfs_err *err)
{
	int ret;

	if (dfs_span_room(&bytes->input, &bytes->input_room, place->len) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = read_on(w->in_fd, bytes->input, place->len, place->off);
	return ret < 0 ? dfs_fail(err, -ret, "read: %s", strerror(-ret)) : 0;
}

int dfs_expect(const struct dfs_work *w, const struct dfs_span_place *place,
	       struct dfs_hand *hand, struct dfs_span_bytes *bytes, struct dfs_err *err)
{
	struct dfs_prediction p = dfs_work_prediction(w, place->segment);

	bytes->predicted = p.predictor != DFS_PREDICT_NONE;
	if (!bytes->predicted)
		return 0;
	if (dfs_span_room(&bytes->values, &bytes->values_room, place->len) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	return predict(w, place, &p, hand, bytes->values, err);
}

int dfs_expect_both(const struct dfs_work *w, const struct dfs_span_place *place, struct dfs_hand *hand,
		    struct dfs_span_bytes *bytes, struct dfs_err *err)
{
	int ret = dfs_expect_read(w, place, bytes, err);

	return ret < 0 ? ret : dfs_expect(w, place, hand, bytes, err);
}

struct dfs_block dfs_expect_block(const struct dfs_work *w, const struct dfs_span_place *place, uint32_t i,
				  const struct dfs_span_bytes *bytes, uint64_t *ret_at)
{
	const struct dfs_segment *seg = &w->c.segments[place->segment];
	unsigned unit = dfs_segment_unit(seg);
	uint64_t off, len;

	dfs_segment_chunk(seg, place->first + i, &off, &len);
	*ret_at = off - place->off;
	return (struct dfs_block){
		.shape = w->segments[place->segment].shape,
		.first = (off - seg->off) / unit,
		.n = len / unit,
		.pred = bytes->predicted ? bytes->values + *ret_at : NULL,
	};
}
