/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Predictors against a model that knows, value by value, which base value it
 * comes from: on random lists of pieces, any part of a segment must need just
 * the bytes the model names, in order, and predict what they convert to.
 */
#include "../check.h"

#include <errno.h>
#include <stdlib.h>

#include "predict/predict.h"
#include "tensor/convert.h"

#define FILES 3
#define FILE_LEN 4096
#define PIECES 12
#define SEGMENT_MAX 4096

static uint8_t files[FILES][FILE_LEN];

struct segment {
	struct dfs_prediction p;
	struct dfs_piece pieces[PIECES];
	uint64_t starts[PIECES];
	uint64_t len;
};

static uint64_t seed = 11;

static uint64_t pick(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % below;
}

static uint64_t unit_of(unsigned dtype)
{
	return dfs_dtype_info(dtype)->size;
}

static void add_piece(struct segment *s, uint64_t n_values)
{
	static const uint8_t sources[] = { DFS_F8_E4M3, DFS_F16, DFS_BF16, DFS_F32, DFS_F64 };
	struct dfs_piece *piece = &s->pieces[s->p.n_pieces];
	uint64_t base_len;

	s->starts[s->p.n_pieces++] = s->len;
	piece->len = n_values * unit_of(s->p.dtype);
	piece->dtype = dfs_can_convert(DFS_F32, s->p.dtype) ? sources[pick(5)] : s->p.dtype;
	piece->file = pick(8) == 0 ? DFS_NO_FILE : (uint32_t)pick(FILES);
	base_len = n_values * unit_of(piece->dtype);
	piece->base_off = pick(FILE_LEN - base_len + 1);
	s->len += piece->len;
}

/* Now and then a piece goes on where the one before it ended, as in a model saved alike. */
static void continue_last(struct segment *s)
{
	const struct dfs_piece *last = &s->pieces[s->p.n_pieces - 1];
	uint64_t n = last->len / unit_of(s->p.dtype);
	uint64_t end = last->base_off + n * unit_of(last->dtype);
	struct dfs_piece *piece = &s->pieces[s->p.n_pieces];

	if (end + 8 * unit_of(last->dtype) > FILE_LEN)
		return;
	*piece = *last;
	piece->base_off = end;
	piece->len = 8 * unit_of(s->p.dtype);
	s->starts[s->p.n_pieces++] = s->len;
	s->len += piece->len;
}

static void random_segment(struct segment *s)
{
	static const uint8_t dtypes[] = { DFS_BF16, DFS_F16, DFS_F32, DFS_F64, DFS_F8_E5M2,
					  DFS_BYTES, DFS_I32, DFS_C64, DFS_F4 };

	memset(s, 0, sizeof(*s));
	s->p.predictor = DFS_PREDICT_BASE;
	s->p.dtype = dtypes[pick(sizeof(dtypes))];
	if (dfs_dtype_info(s->p.dtype)->mantissa > 0)
		s->p.drop = (uint8_t)pick(dfs_dtype_info(s->p.dtype)->mantissa);
	if (pick(2))
		s->p.drop = 0;
	s->p.pieces = s->pieces;
	s->p.piece_starts = s->starts;
	add_piece(s, 1 + pick(40));
	for (uint64_t n = pick(PIECES); s->p.n_pieces < n;) {
		if (pick(3) == 0)
			continue_last(s);
		else
			add_piece(s, 1 + pick(40));
	}
}

/* Where the value at @off of the segment comes from, by looking at every piece. */
static const uint8_t *model_source(const struct segment *s, uint64_t off,
				   const struct dfs_piece **ret_piece)
{
	uint64_t start = 0;

	for (uint32_t i = 0; i < s->p.n_pieces; i++) {
		const struct dfs_piece *piece = &s->pieces[i];

		if (off < start + piece->len) {
			*ret_piece = piece;
			if (piece->file == DFS_NO_FILE)
				return NULL;
			return &files[piece->file][piece->base_off + (off - start) /
					unit_of(s->p.dtype) * unit_of(piece->dtype)];
		}
		start += piece->len;
	}
	fail_msg("beyond the segment");
	return NULL;
}

/* All base bytes of a range, and its prediction, one value at a time. */
static size_t model_predict(const struct segment *s, uint64_t off, uint64_t len, uint8_t *bytes,
			    uint8_t *out)
{
	uint64_t unit = unit_of(s->p.dtype);
	size_t n = 0;

	memset(out, 0, len);
	for (uint64_t at = off; at < off + len; at += unit, out += unit) {
		const struct dfs_piece *piece;
		const uint8_t *source = model_source(s, at, &piece);

		if (!source)
			continue;
		memcpy(bytes + n, source, unit_of(piece->dtype));
		n += unit_of(piece->dtype);
		dfs_convert(piece->dtype, s->p.dtype, source, out, 1);
		dfs_round_low(s->p.dtype, s->p.drop, out, 1);
	}
	return n;
}

static size_t fetch(const struct dfs_need *needs, int n, uint8_t *bytes)
{
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		CHECK(needs[i].len > 0);
		CHECK(needs[i].file < FILES);
		CHECK(needs[i].off + needs[i].len <= FILE_LEN);
		if (i > 0)
			CHECK(needs[i].file != needs[i - 1].file ||
			      needs[i].off != needs[i - 1].off + needs[i - 1].len);
		memcpy(bytes + len, files[needs[i].file] + needs[i].off, needs[i].len);
		len += needs[i].len;
	}
	return len;
}

static unsigned n_as_is;	/* ranges that were */

static void check_range(const struct segment *s, uint64_t off, uint64_t len)
{
	static uint8_t want_bytes[8 * SEGMENT_MAX], bytes[8 * SEGMENT_MAX];
	static uint8_t want[SEGMENT_MAX], out[SEGMENT_MAX + 1];
	const struct dfs_predictor *base;
	struct dfs_need needs[PIECES];
	struct dfs_err err = { "" };
	size_t n_bytes;
	int n, ret;

	base = dfs_predictor_find(s->p.predictor, &ret, NULL);
	CHECK(base && ret == 0);
	n = base->needs(&s->p, off, len, needs, PIECES);
	CHECK(n >= 0);
	n_bytes = fetch(needs, n, bytes);
	assert_int_equal(n_bytes, model_predict(s, off, len, want_bytes, want));
	CHECK_BYTES(bytes, want_bytes, n_bytes);
	if (n > 0)
		CHECK_RET(-E2BIG, base->needs(&s->p, off, len, needs, (size_t)n - 1));

	out[len] = 0xa7;
	CHECK_OK(base->predict(&s->p, off, len, (struct dfs_span){ bytes, n_bytes }, out, &err), err);
	CHECK_BYTES(out, want, len);
	assert_int_equal(out[len], 0xa7);
	if (base->as_is(&s->p, off, len)) {
		assert_int_equal(n_bytes, len);
		CHECK_BYTES(bytes, want, len);
		n_as_is++;
	}
	CHECK_RET(-EUCLEAN, base->predict(&s->p, off, len, (struct dfs_span){ bytes, n_bytes + 1 },
					  out, NULL));
	if (n_bytes > 0)
		CHECK_RET(-EUCLEAN, base->predict(&s->p, off, len,
						  (struct dfs_span){ bytes, n_bytes - 1 }, out, NULL));
}

static int make_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files); i++)
		(&files[0][0])[i] = (uint8_t)pick(256);
	return 0;
}

static void random_ranges_of_random_segments(void **state)
{
	struct segment s;

	make_files(state);
	for (int round = 0; round < 20000; round++) {
		struct dfs_err err = { "" };
		uint64_t unit, n, first;

		random_segment(&s);
		CHECK_OK(dfs_prediction_check(&s.p, s.len, FILES, &err), err);
		unit = unit_of(s.p.dtype);
		n = s.len / unit;
		first = pick(n + 1);
		check_range(&s, first * unit, pick(n - first + 1) * unit);
		check_range(&s, 0, s.len);
	}
	CHECK(n_as_is > 1000);
}

static void one_piece_of_one_dtype_is_a_copy(void **state)
{
	const struct dfs_piece piece = { .len = 512, .base_off = 100, .file = 1, .dtype = DFS_BF16 };
	const uint64_t start = 0;
	const struct dfs_prediction p = { .predictor = DFS_PREDICT_BASE, .dtype = DFS_BF16,
					  .pieces = &piece, .piece_starts = &start, .n_pieces = 1 };
	const struct dfs_predictor *base;
	struct dfs_need need;
	uint8_t out[128];
	int ret;

	make_files(state);
	base = dfs_predictor_find(DFS_PREDICT_BASE, &ret, NULL);
	assert_int_equal(base->needs(&p, 64, 128, &need, 1), 1);
	assert_int_equal(need.off, 164);
	assert_int_equal(need.len, 128);
	assert_int_equal(need.file, 1);
	CHECK_RET(0, base->predict(&p, 64, 128, (struct dfs_span){ files[1] + 164, 128 }, out, NULL));
	CHECK_BYTES(out, files[1] + 164, 128);
}

static void none_needs_and_predicts_nothing(void **state)
{
	const struct dfs_prediction p = { .predictor = DFS_PREDICT_NONE, .dtype = DFS_BF16 };
	const struct dfs_predictor *none;
	uint8_t out[4] = { 1, 1, 1, 1 }, zeros[4] = { 0 };
	int ret;

	(void)state;
	none = dfs_predictor_find(DFS_PREDICT_NONE, &ret, NULL);
	CHECK(!none->predicts);
	assert_int_equal(none->needs(&p, 0, 4, NULL, 0), 0);
	CHECK_RET(0, none->predict(&p, 0, 4, (struct dfs_span){ NULL, 0 }, out, NULL));
	CHECK_BYTES(out, zeros, 4);
	CHECK_RET(-EUCLEAN, none->predict(&p, 0, 4, (struct dfs_span){ zeros, 4 }, out, NULL));
}

static void ids_without_a_row_are_told_apart(void **state)
{
	struct dfs_err err;
	int ret = 0;

	(void)state;
	CHECK(dfs_predictor_find(DFS_PREDICT_LOW_RANK, &ret, &err) == NULL);
	CHECK_RET(-ENOTSUP, ret);
	assert_string_equal(err.text, "predictor low-rank is not in this build");
	CHECK(dfs_predictor_find(DFS_PREDICTORS, &ret, &err) == NULL);
	CHECK_RET(-EUCLEAN, ret);
	CHECK(dfs_predictor_find(255, &ret, NULL) == NULL);
	assert_string_equal(dfs_predictor_name(DFS_PREDICT_BASE), "base");
	assert_string_equal(dfs_predictor_name(DFS_PREDICT_QUANTISED), "quantised");
	assert_string_equal(dfs_predictor_name(200), "?");
}

/* A sane prediction of two pieces, for each claim to break one thing of it. */
static struct segment sane;

static int check_sane(void)
{
	return dfs_prediction_check(&sane.p, 24, 2, NULL);
}

static void given_a_sane_prediction(void)
{
	sane = (struct segment){
		.p = { .predictor = DFS_PREDICT_BASE, .dtype = DFS_F32, .n_pieces = 2 },
		.pieces = { { .len = 16, .base_off = 3, .file = 0, .dtype = DFS_BF16 },
			    { .len = 8, .base_off = 0, .file = 1, .dtype = DFS_F64 } },
		.starts = { 0, 16 },
	};
	sane.p.pieces = sane.pieces;
	sane.p.piece_starts = sane.starts;
	CHECK_RET(0, check_sane());
}

#define REFUSED(change)				\
	do {					\
		given_a_sane_prediction();	\
		change;				\
		CHECK_RET(-EUCLEAN, check_sane()); \
	} while (0)

static void insane_predictions_are_refused(void **state)
{
	(void)state;
	REFUSED(sane.p.dtype = DFS_DTYPES);
	REFUSED(sane.p.dtype = DFS_I32);		/* floats do not predict integers */
	REFUSED(sane.p.drop = 23);
	REFUSED(sane.p.n_pieces = 1);
	REFUSED(sane.p.n_pieces = 0);
	REFUSED(sane.p.predictor = DFS_PREDICT_NONE);	/* with pieces */
	REFUSED(sane.pieces[0].len = 15);
	REFUSED(sane.pieces[0].len = 0);
	REFUSED(sane.pieces[0].len = UINT64_MAX - 3);
	REFUSED(sane.pieces[1].len = 12);
	REFUSED(sane.pieces[1].len = 4);
	REFUSED(sane.pieces[0].dtype = DFS_U16);
	REFUSED(sane.pieces[0].dtype = 99);
	REFUSED(sane.pieces[1].file = 2);
	REFUSED(sane.pieces[1].base_off = UINT64_MAX - 8);
	REFUSED(sane.pieces[1].base_off = INT64_MAX - 15);
	REFUSED(sane.starts[1] = 12);
	REFUSED(sane.starts[0] = 4);
}

static void sane_predictions_are_not(void **state)
{
	(void)state;
	given_a_sane_prediction();
	sane.pieces[1].file = DFS_NO_FILE;
	CHECK_RET(0, check_sane());
	sane.p.drop = 22;
	CHECK_RET(0, check_sane());
	sane.pieces[1].file = 1;
	sane.pieces[1].base_off = INT64_MAX - 16;
	CHECK_RET(0, check_sane());
	CHECK_RET(-EUCLEAN, dfs_prediction_check(&sane.p, 22, 2, NULL));
	sane.p.predictor = DFS_PREDICT_NONE;
	sane.p.n_pieces = 0;
	CHECK_RET(0, check_sane());
}

/* Even unchecked, a walk stays within its pieces. */
static void pieces_too_few_are_an_error_not_a_crash(void **state)
{
	const struct dfs_predictor *base;
	uint8_t bytes[64] = { 0 }, out[64];
	struct dfs_need needs[4];
	int ret;

	(void)state;
	given_a_sane_prediction();
	base = dfs_predictor_find(DFS_PREDICT_BASE, &ret, NULL);
	assert_int_equal(base->needs(&sane.p, 40, 8, needs, 4), 0);
	CHECK_RET(-EUCLEAN, base->predict(&sane.p, 40, 8, (struct dfs_span){ bytes, 0 }, out, NULL));
	sane.p.n_pieces = 0;
	assert_int_equal(base->needs(&sane.p, 0, 8, needs, 4), 0);
	CHECK_RET(-EUCLEAN, base->predict(&sane.p, 0, 8, (struct dfs_span){ bytes, 0 }, out, NULL));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(one_piece_of_one_dtype_is_a_copy),
	cmocka_unit_test(random_ranges_of_random_segments),
	cmocka_unit_test(none_needs_and_predicts_nothing),
	cmocka_unit_test(ids_without_a_row_are_told_apart),
	cmocka_unit_test(insane_predictions_are_refused),
	cmocka_unit_test(sane_predictions_are_not),
	cmocka_unit_test(pieces_too_few_are_an_error_not_a_crash),
};

CHECK_MAIN(cases)
