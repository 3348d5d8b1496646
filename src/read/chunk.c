/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chunk: payload and base bytes in, checked bytes of the file out.
 *
 * READ: flight.c -> this -> bases.c, tables.c, predict/, codec/
 *
 * Payload bytes are hash-checked before a codec sees them, and decoded bytes
 * before anyone else does.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/codec.h"
#include "predict/predict.h"
#include "read/internal.h"
#include "util/hash.h"
#include "util/io.h"

/*
 * Base bytes are fetched for this much of the file at a time: any chunk on the
 * grid at once, a huge one in steps, so that a base of wider values does not
 * take a multiple of the largest chunk.
 */
#define RUN_MAX (2 * (size_t)DFS_GRID)

/* Stretches of base bytes in one run; a bundle with more pieces is split. */
#define NEEDS_MAX 64

/* What is known of the chunk at hand. */
struct job {
	struct dfs_view *view;
	const struct dfs_extent *extent;
	const struct dfs_segment *segment;
	const struct dfs_chunk_ref *ref;
	const struct dfs_codec *codec;
	struct dfs_worker *worker;
	struct dfs_block block;
};

static int payload_read(const struct job *job, struct dfs_span *ret_payload, struct dfs_err *err)
{
	const struct dfs_chunk_ref *ref = job->ref;
	uint8_t *payload = dfs_room_get(&job->worker->payload, (size_t)ref->len + DFS_PAYLOAD_PAD);
	int ret;

	if (!payload)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_pread_all(job->view->fd, payload, ref->len, ref->off);
	if (ret < 0)
		return dfs_fail(err, EIO, "read %" PRIu32 " payload bytes at %" PRIu64 ": %s",
				ref->len, ref->off, strerror(-ret));
	if (ref->len && dfs_hash64(payload, ref->len, ref->off) != ref->payload_hash)
		return dfs_fail(err, EBADMSG, "payload does not match its hash");
	memset(payload + ref->len, 0, DFS_PAYLOAD_PAD);
	*ret_payload = (struct dfs_span){ payload, ref->len };
	return 0;
}

/* --- prediction */

static int needs_sum(const struct dfs_need *needs, int n, uint64_t *ret_total, struct dfs_err *err)
{
	uint64_t total = 0;

	for (int i = 0; i < n; i++)
		if (needs[i].len > DFS_CHUNK_MAX || (total += needs[i].len) > DFS_CHUNK_MAX)
			return dfs_fail(err, EUCLEAN, "needs more than %u base bytes", DFS_CHUNK_MAX);
	*ret_total = total;
	return 0;
}

static int needs_read(const struct job *job, const struct dfs_need *needs, int n, uint8_t *bytes,
		      struct dfs_err *err)
{
	for (int i = 0; i < n; i++) {
		int ret = dfs_view_base_read(job->view, needs[i].file, needs[i].off, needs[i].len, bytes,
					     &job->worker->blocked, err);

		if (ret < 0)
			return ret;
		bytes += needs[i].len;
	}
	return 0;
}

/* Base bytes, and what they predict. */
static int predict(const struct job *job, const struct dfs_prediction *prediction,
		   const struct dfs_predictor *predictor, const struct dfs_need *needs, int n,
		   uint64_t off, size_t len, uint8_t *out, struct dfs_err *err)
{
	uint64_t total = 0;
	uint8_t *bytes;
	int ret = needs_sum(needs, n, &total, err);

	if (ret < 0)
		return ret;
	if (total == len && predictor->as_is && predictor->as_is(prediction, off, len))
		return needs_read(job, needs, n, out, err);
	bytes = dfs_room_get(&job->worker->base, total);
	if (!bytes)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = needs_read(job, needs, n, bytes, err);
	return ret < 0 ? ret : predictor->predict(prediction, off, len, (struct dfs_span){ bytes, total }, out, err);
}

/* Predicts up to @len bytes of the segment from @off on, fewer if they need too many stretches. */
static int64_t run_predict(const struct job *job, const struct dfs_prediction *prediction,
			   const struct dfs_predictor *predictor, uint64_t off, size_t len,
			   uint8_t *out, struct dfs_err *err)
{
	size_t unit = dfs_segment_unit(job->segment);
	struct dfs_need needs[NEEDS_MAX];
	int ret;

	while ((ret = predictor->needs(prediction, off, len, needs, NEEDS_MAX)) == -E2BIG && len > unit)
		len = len / 2 / unit * unit;
	if (ret < 0)
		return dfs_fail(err, -ret, "predictor %s: %s", predictor->name, strerror(-ret));
	ret = predict(job, prediction, predictor, needs, ret, off, len, out, err);
	return ret < 0 ? ret : (int64_t)len;
}

/* The prediction is made where the values will be: codecs work in place. */
static int chunk_predict(struct job *job, const struct dfs_predictor *predictor, uint8_t *out, struct dfs_err *err)
{
	uint64_t off = job->extent->off - job->segment->off;
	uint64_t end = off + job->extent->len;
	struct dfs_prediction prediction;
	int ret = dfs_segment_prediction(job->view, job->extent->segment, &prediction, err);

	if (ret < 0)
		return ret;
	job->block.pred = out;
	while (off < end) {
		size_t len = end - off < RUN_MAX ? end - off : RUN_MAX;
		int64_t done = run_predict(job, &prediction, predictor, off, len, out, err);

		if (done < 0)
			return (int)done;
		off += (uint64_t)done;
		out += done;
	}
	return 0;
}

/* --- decoding */

static int decode(const struct job *job, struct dfs_span payload, uint8_t *out, struct dfs_err *err)
{
	struct dfs_table_use table;
	int ret = dfs_tables_get(job->view, job->extent->segment, job->ref->codec, job->codec,
				 job->block.shape, &table, err);

	if (ret < 0)
		return ret;
	ret = job->codec->decode(&job->block, payload, table.table, out, job->worker->scratch, err);
	dfs_tables_put(job->view, &table);
	return ret < 0 ? dfs_err_at(err, ret, "codec %s", job->codec->name) : 0;
}

/*
 * The payload is what the encoder wrote, and still does not give what the
 * encoder saw: then the base is not what it was, if there is one.
 */
static int suspect_base(const struct job *job, int ret, struct dfs_err *err)
{
	char base[256], what[sizeof(err->text)];

	if (!job->block.pred || !dfs_view_bases_suspect(job->view, job->extent, base, sizeof(base)))
		return ret;
	snprintf(what, sizeof(what), "%s", err ? err->text : "");
	return dfs_fail(err, -ret, "%.400s: base %s was changed, or is another one; "
			"give the right one back: deltafsctl base add STORE PATH", what, base);
}

static int check_decoded(const struct job *job, const uint8_t *out, struct dfs_err *err)
{
	if (dfs_hash64(out, job->extent->len, job->extent->off) == job->ref->decoded_hash)
		return 0;
	return dfs_fail(err, EBADMSG, "decoded bytes do not match their hash");
}

static int job_init(struct job *job, struct dfs_view *view, const struct dfs_extent *extent,
		    struct dfs_worker *worker, struct dfs_err *err)
{
	const struct dfs_container *c = view->container;
	const struct dfs_segment *s = &c->segments[extent->segment];
	size_t unit = dfs_segment_unit(s);
	int code = 0;

	*job = (struct job){
		.view = view,
		.extent = extent,
		.segment = s,
		.ref = &c->chunks[extent->chunk],
		.worker = worker,
		.block = {
			.shape = {
				.dtype = s->dtype,
				.drop = s->drop,
				.cols = s->cols,
				.rows = s->cols ? s->len / unit / s->cols : 0,
			},
			.first = (extent->off - s->off) / unit,
			.n = extent->len / unit,
		},
	};
	job->codec = dfs_codec_find(job->ref->codec, &code, err);
	if (!job->codec)
		return code;
	if (!job->codec->accepts(job->block.shape))
		return dfs_fail(err, EUCLEAN, "codec %s does not take such values", job->codec->name);
	return 0;
}

static int try_decode(struct job *job, const struct dfs_predictor *predictor, struct dfs_span payload, uint8_t *out,
		      struct dfs_err *err)
{
	int ret = 0;

	if (job->codec->needs_prediction)
		ret = chunk_predict(job, predictor, out, err);
	if (ret < 0) {
		job->block.pred = NULL; /* no base bytes came to be wrong */
		return ret;
	}
	ret = decode(job, payload, out, err);
	return ret < 0 ? ret : check_decoded(job, out, err);
}

static bool is_wrong(int ret)
{
	return ret == -EUCLEAN || ret == -EBADMSG;
}

/* A base that somebody writes to may be read half old and half new, until it is read from its pin. */
static int decode_with(struct job *job, const struct dfs_predictor *predictor, struct dfs_span payload, uint8_t *out,
		       struct dfs_err *err)
{
	int ret = try_decode(job, predictor, payload, out, err);

	if (is_wrong(ret) && job->block.pred && job->view->reader->bases) {
		dfs_view_bases_look_again(job->view);
		ret = try_decode(job, predictor, payload, out, err);
	}
	return is_wrong(ret) ? suspect_base(job, ret, err) : ret;
}

int dfs_chunk_decode(struct dfs_view *view, const struct dfs_extent *extent,
		     struct dfs_worker *worker, uint8_t *out, struct dfs_err *err)
{
	const struct dfs_predictor *predictor;
	struct dfs_span payload;
	struct job job;
	int ret = job_init(&job, view, extent, worker, err);

	if (ret < 0)
		return ret;
	predictor = dfs_predictor_find(job.segment->predictor, &ret, err);
	if (!predictor)
		return ret;
	if (job.codec->needs_prediction && !predictor->predicts)
		return dfs_fail(err, EUCLEAN, "codec %s without a prediction", job.codec->name);
	ret = payload_read(&job, &payload, err);
	return ret < 0 ? ret : decode_with(&job, predictor, payload, out, err);
}
