/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/container.h"
#include "write/give_up.h"
#include "write/sample.h"

/* Tensors that are tried, evenly spread over all, and values of each: a fraction of a second a codec. */
#define TENSORS 6
#define VALUES (512u << 10)
#define ROWS 64		/* whole patches of any size */
/* Whether a tensor is its base's is told by so many places of so many bytes. */
#define PROBES 8
#define PROBE_BYTES 2048
/* Values in a chunk that is not cut by rows, about; what a chunk and a tensor take of a container's metadata. */
#define CHUNK_VALUES 65536
#define CHUNK_BYTES 32
#define TENSOR_BYTES 128

/* The first rows of one tensor. */
struct piece {
	struct dfs_lossy_tensor tensor;
	uint8_t *data, *pred;
	float *delta;
	bool exact;		/* the codec cannot take it */
	struct dfs_buf table, notes;
	uint64_t stored, exact_stored;
	double seconds, exact_seconds;
};

struct trial {
	const struct dfs_work *w;
	struct dfs_hand *hand;
	struct piece pieces[TENSORS];
	unsigned n;
	uint64_t same, same_stored;	/* tensors that are the base's: bytes in the file, and in a container */
};

static void piece_release(struct piece *p)
{
	free(p->tensor.record);
	free(p->data);
	free(p->pred);
	free(p->delta);
	dfs_buf_release(&p->table);
	dfs_buf_release(&p->notes);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Chunk @i of a piece. Return: false: there is none. */
static bool piece_block(const struct piece *p, uint64_t i, struct dfs_block *ret_block)
{
	const struct dfs_lossy_tensor *t = &p->tensor;
	uint64_t each = t->chunk_rows ? t->chunk_rows * t->shape.cols : CHUNK_VALUES;
	unsigned size = dfs_dtype_info(t->shape.dtype)->size;

	if (i * each >= t->values)
		return false;
	*ret_block = (struct dfs_block){
		.shape = t->shape, .first = i * each,
		.n = t->values - i * each < each ? t->values - i * each : each,
		.pred = p->pred + i * each * size,
	};
	return true;
}

/* Return: whether all differences are finite. */
static bool piece_delta(struct piece *p, const struct dfs_block *block)
{
	unsigned size = dfs_dtype_info(block->shape.dtype)->size;

	return dfs_delta(block->shape.dtype, p->data + block->first * size, block->pred, p->delta, block->n);
}

static int piece_read(struct trial *t, uint32_t segment, struct piece *p, struct dfs_err *err)
{
	const struct dfs_work *w = t->w;
	const struct dfs_segment *seg = &w->c.segments[segment];
	struct dfs_span_place place = { .segment = segment, .off = seg->off };
	struct dfs_shape shape = w->segments[segment].shape;
	uint64_t whole = (VALUES / shape.cols / ROWS + 1) * ROWS;
	int ret;

	if (shape.rows > whole)
		shape.rows = whole;
	p->tensor = w->segments[segment].lossy->tensor;
	p->tensor.shape = shape;
	p->tensor.values = shape.rows * shape.cols;
	place.len = p->tensor.values * dfs_segment_unit(seg);
	ret = dfs_expect_read(w, &place, &t->hand->span, err);
	if (ret == 0)
		ret = dfs_expect(w, &place, t->hand, &t->hand->span, err);
	if (ret < 0)
		return ret;
	p->data = malloc(place.len + DFS_VALUES_PAD);
	p->pred = malloc(place.len + DFS_VALUES_PAD);
	p->delta = malloc(p->tensor.values * sizeof(*p->delta));
	p->tensor.record = calloc(1, w->spec->lossy->record_size(w->spec->options, shape));
	if (!p->data || !p->pred || !p->delta || !p->tensor.record)
		return dfs_fail(err, ENOMEM, "out of memory");
	memcpy(p->data, t->hand->span.input, place.len);
	memcpy(p->pred, t->hand->span.values, place.len);
	return 0;
}

static int piece_measure(struct trial *t, struct piece *p)
{
	const struct dfs_spec *spec = t->w->spec;
	double start = now();
	struct dfs_block block;
	int ret = 0;

	for (unsigned pass = 0; pass < spec->lossy->passes(spec->options) && ret == 0 && !p->exact; pass++) {
		for (uint64_t i = 0; ret == 0 && !p->exact && piece_block(p, i, &block); i++) {
			p->exact = !piece_delta(p, &block);
			if (!p->exact)
				ret = spec->lossy->measure(spec->options, pass, &block, p->delta, &p->tensor, t->hand->scratch);
		}
		if (ret == 0 && !p->exact && spec->lossy->settle)
			ret = spec->lossy->settle(spec->options, pass, &p->tensor);
	}
	p->seconds += now() - start;
	return ret;
}

static int piece_encode(struct trial *t, struct piece *p, const struct dfs_table *table)
{
	const struct dfs_lossy *lossy = t->w->spec->lossy;
	struct dfs_span notes = { p->notes.data, p->notes.len };
	DFS_AUTO(mem) uint8_t *payload = malloc(lossy->codec->bound(p->tensor.shape, p->tensor.values) + DFS_PAYLOAD_PAD);
	struct dfs_block block;
	size_t len;
	int ret = payload ? 0 : -ENOMEM;

	p->stored = p->table.len + TENSOR_BYTES;
	for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++) {
		piece_delta(p, &block);
		ret = lossy->encode(&block, p->delta, table, notes, payload, &len, t->hand->scratch);
		p->stored += len + CHUNK_BYTES;
	}
	return ret;
}

static int piece_code(struct trial *t, struct piece *p, struct dfs_err *err)
{
	const struct dfs_spec *spec = t->w->spec;
	struct dfs_table *table = NULL;
	double start = now();
	int ret = spec->lossy->prepare(spec->options, &p->tensor, &p->table, &p->notes, err);

	p->exact = ret == -ERANGE;	/* declined */
	if (p->exact)
		return 0;
	if (ret == 0)
		ret = spec->lossy->codec->table_open(p->tensor.shape, (struct dfs_span){ p->table.data, p->table.len },
						     true, &table, err);
	if (ret == 0)
		ret = piece_encode(t, p, table);
	dfs_table_close(table);
	p->seconds += now() - start;
	return ret;
}

static int exact_chunks(struct trial *t, struct piece *p, const struct dfs_exact_tables *tables)
{
	unsigned codec, size = dfs_dtype_info(p->tensor.shape.dtype)->size;
	DFS_AUTO(mem) uint8_t *payload = malloc(dfs_exact_bound(p->tensor.shape, p->tensor.values) + DFS_PAYLOAD_PAD);
	struct dfs_block block;
	size_t len;
	int ret = payload ? 0 : -ENOMEM;

	for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++) {
		ret = dfs_exact_encode(&block, p->data + block.first * size, tables, payload, &len, &codec, t->hand->scratch);
		p->exact_stored += len + CHUNK_BYTES;
	}
	return ret;
}

static int piece_exact(struct trial *t, struct piece *p, struct dfs_err *err)
{
	unsigned size = dfs_dtype_info(p->tensor.shape.dtype)->size;
	struct dfs_exact_record *record = dfs_exact_record_new(p->tensor.shape, true);
	struct dfs_exact_tables *tables = NULL;
	double start = now();
	struct dfs_block block;
	int ret = record ? 0 : -ENOMEM;

	for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++)
		ret = dfs_exact_measure(record, &block, p->data + block.first * size, t->hand->scratch);
	if (ret == 0)
		ret = dfs_exact_prepare(record, &tables, err);
	if (ret == 0) {
		p->exact_stored = dfs_exact_table_bytes(tables, DFS_CODEC_DIFF).len + TENSOR_BYTES;
		ret = exact_chunks(t, p, tables);
	}
	dfs_exact_tables_free(tables);
	dfs_exact_record_free(record);
	p->exact_seconds = now() - start;
	return ret;
}

/* Return: 1: a segment is what is predicted, as far as it was looked at; 0; -errno. */
static int is_same(struct trial *t, uint32_t segment, struct dfs_err *err)
{
	const struct dfs_segment *seg = &t->w->c.segments[segment];
	uint64_t values = seg->len / dfs_segment_unit(seg), len = PROBE_BYTES;
	int ret = 0;

	for (unsigned i = 0; i < PROBES && ret == 0; i++) {
		struct dfs_span_place place = { .segment = segment };

		place.off = seg->off + values * i / PROBES * dfs_segment_unit(seg);
		place.len = seg->off + seg->len - place.off < len ? seg->off + seg->len - place.off : len;
		ret = dfs_expect_read(t->w, &place, &t->hand->span, err);
		if (ret == 0)
			ret = dfs_expect(t->w, &place, t->hand, &t->hand->span, err);
		if (ret == 0 && memcmp(t->hand->span.input, t->hand->span.values, place.len) != 0)
			return 0;
	}
	return ret < 0 ? ret : 1;
}

/* Nothing is given up of what is the base's, and no codec has merit in it. */
static int drop_same(struct trial *t, struct dfs_work *w, struct dfs_err *err)
{
	for (uint32_t i = 0; i < w->c.n_segments; i++) {
		int ret = w->segments[i].lossy ? is_same(t, i, err) : 0;

		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		dfs_give_up_free(w->segments[i].lossy);
		w->segments[i].lossy = NULL;
		w->n_lossy--;
		t->same += w->c.segments[i].len;
		t->same_stored += TENSOR_BYTES + w->c.segments[i].len / DFS_GRID * CHUNK_BYTES;
	}
	return 0;
}

/* Pieces of tensors evenly spread over those that the codec takes. */
static int read_pieces(struct trial *t, struct dfs_err *err)
{
	uint32_t seen = 0, step = t->w->n_lossy / TENSORS + 1;
	int ret = 0;

	for (uint32_t i = 0; i < t->w->c.n_segments && ret == 0 && t->n < TENSORS; i++)
		if (t->w->segments[i].lossy && seen++ % step == 0)
			ret = piece_read(t, i, &t->pieces[t->n++], err);
	return ret;
}

static int plan_pieces(struct trial *t, struct dfs_err *err)
{
	const struct dfs_spec *spec = t->w->spec;
	struct dfs_lossy_tensor tensors[TENSORS];
	unsigned n = 0;

	for (unsigned i = 0; i < t->n; i++)
		if (!t->pieces[i].exact)
			tensors[n++] = t->pieces[i].tensor;
	return spec->lossy->plan && n ? spec->lossy->plan(spec->options, tensors, n, err) : 0;
}

static int code_pieces(struct trial *t, bool exact, struct dfs_err *err)
{
	int ret = 0;

	for (unsigned i = 0; i < t->n && ret == 0; i++)
		ret = piece_measure(t, &t->pieces[i]);
	if (ret == 0)
		ret = plan_pieces(t, err);
	for (unsigned i = 0; i < t->n && ret == 0; i++)
		if (!t->pieces[i].exact)
			ret = piece_code(t, &t->pieces[i], err);
	for (unsigned i = 0; i < t->n && ret == 0; i++)
		if (exact || t->pieces[i].exact)
			ret = piece_exact(t, &t->pieces[i], err);
	if (ret == -ENOTSUP)	/* with a sentence */
		return ret;
	return ret < 0 ? dfs_fail(err, -ret, "codec %s: %s", t->w->spec->lossy->codec->name, strerror(-ret)) : 0;
}

/* Of pieces: those that the codec takes, or those that it cannot. */
struct share {
	uint64_t values, bytes, stored, exact_stored;
	double seconds, exact_seconds;
};

static struct share share_of(const struct trial *t, bool exact)
{
	struct share share = { 0 };

	for (unsigned i = 0; i < t->n; i++) {
		const struct piece *p = &t->pieces[i];

		if (p->exact != exact)
			continue;
		share.values += p->tensor.values;
		share.bytes += p->tensor.values * dfs_dtype_info(p->tensor.shape.dtype)->size;
		share.stored += p->stored;
		share.exact_stored += p->exact_stored;
		share.seconds += p->seconds;
		share.exact_seconds += p->exact_seconds;
	}
	return share;
}

/* @sample: of what the codec does not take by its name or shape */
static void add_up(const struct trial *t, const struct dfs_sample *sample, struct dfs_trial *result)
{
	const struct dfs_work *w = t->w;
	struct share taken = share_of(t, false), left = share_of(t, true);
	uint64_t values = 0, bytes = 0;
	double scale = 0;

	for (uint32_t i = 0; i < w->c.n_segments; i++)
		if (w->segments[i].lossy) {
			values += w->segments[i].lossy->tensor.values;
			bytes += w->c.segments[i].len;
		}
	if (taken.values + left.values)
		scale = (double)values / (double)(taken.values + left.values);
	*result = (struct dfs_trial){
		.values = (uint64_t)((double)taken.values * scale + 0.5),
		.bytes = taken.bytes ? (uint64_t)((double)bytes * ((double)taken.bytes / (double)(taken.bytes + left.bytes)) + 0.5) : 0,
		.stored = (uint64_t)((double)taken.stored * scale),
		.exact_stored = (uint64_t)((double)taken.exact_stored * scale),
		.seconds = taken.seconds * scale,
		.exact_seconds = taken.exact_seconds * scale,
	};
	result->rest = w->c.sb.original_size - result->bytes;
	result->rest_stored = dfs_sample_of(w->c.sb.original_size - bytes - t->same, sample) + t->same_stored +
			      (uint64_t)((double)left.exact_stored * scale);
}

int dfs_trial(const struct dfs_work_input *input, struct dfs_hand *hand, bool exact, struct dfs_trial *ret_trial,
	      struct dfs_err *err)
{
	struct dfs_sample sample;
	struct dfs_work w;
	struct trial t = { .w = &w, .hand = hand };
	int ret = dfs_work_init(&w, input, err);

	if (ret < 0)
		return ret;
	ret = drop_same(&t, &w, err);
	if (ret == 0)
		ret = read_pieces(&t, err);
	if (ret == 0)
		ret = code_pieces(&t, exact, err);
	if (ret == 0)
		ret = dfs_sample(input, DFS_SAMPLE_ESTIMATE, hand, &sample, err);
	if (ret == 0)
		add_up(&t, &sample, ret_trial);
	for (unsigned i = 0; i < t.n; i++)
		piece_release(&t.pieces[i]);
	dfs_work_release(&w);
	return ret;
}
