/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reference: payloads say what deltafs-format(5) says they say. */
#include <errno.h>
#include <stdlib.h>

#include "../check.h"
#include "reference.h"
#include "samples.h"

static bool reference(const struct sample *s, unsigned id, struct dfs_span table,
		      struct dfs_span payload, uint8_t *out)
{
	if (id == DFS_CODEC_DIFF)
		return reference_diff(&s->block, table, payload, out);
	if (id == DFS_CODEC_SPARSE)
		return reference_sparse(&s->block, payload, out);
	return reference_solo(&s->block, table, payload, out);
}

/* Return: whether the codec took it. */
static bool reference_agrees(const struct sample *s, unsigned id)
{
	uint8_t *out = malloc(s->bytes + 1);
	struct coded coded;
	int ret = sample_code(s, id, &coded);

	CHECK(ret == 0 || ret == -ERANGE);
	if (ret == 0) {
		CHECK(reference(s, id, (struct dfs_span){ coded.table.data, coded.table.len },
				(struct dfs_span){ coded.payload, coded.len }, out));
		CHECK_BYTES(out, s->data, s->bytes);
	}
	coded_free(&coded);
	free(out);
	return ret == 0;
}

static void agree_on(struct dfs_shape shape, size_t n, enum sample_kind kind, unsigned id)
{
	struct sample s = sample_make(shape, 0, n, kind, 7 + shape.dtype);
	int code;

	if (dfs_codec_find(id, &code, NULL)->accepts(shape))
		reference_agrees(&s, id);
	sample_free(&s);
}

static void agree_for_all(unsigned id)
{
	for (unsigned dtype = 0; dtype < DFS_DTYPES; dtype++) {
		unsigned drops = dfs_dtype_info(dtype)->mantissa / 2;

		for (int kind = 0; kind < KINDS; kind++) {
			agree_on((struct dfs_shape){ .dtype = dtype }, 3000, kind, id);
			agree_on((struct dfs_shape){ .dtype = dtype }, 77, kind, id);
			agree_on((struct dfs_shape){ .dtype = dtype, .drop = drops }, 2500, kind, id);
		}
	}
}

static void diff_is_as_the_format_says(void **state)
{
	(void)state;
	agree_for_all(DFS_CODEC_DIFF);
}

static void sparse_is_as_the_format_says(void **state)
{
	(void)state;
	agree_for_all(DFS_CODEC_SPARSE);
}

static void solo_is_as_the_format_says(void **state)
{
	(void)state;
	agree_for_all(DFS_CODEC_SOLO);
}

static void rows_have_classes_as_the_format_says(void **state)
{
	static const struct {
		uint8_t dtype;
		unsigned cols;
		uint64_t first;
		size_t n;
	} shapes[] = {
		{ DFS_BF16, 64, 0, 64 * 100 },
		{ DFS_BF16, 65, 30, 65 * 100 },
		{ DFS_F16, 384, 384 * 3 + 383, 384 * 70 + 100 },
		{ DFS_F32, 100, 1234567, 9999 },
		{ DFS_BF16, 5000, 4999, 5000 * 9 },
		{ DFS_F32, 64, 63, 65 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct dfs_shape shape = { shapes[i].dtype, 0, shapes[i].cols, 1 << 20 };
		struct sample s = sample_make(shape, shapes[i].first, shapes[i].n, ROWS, i);
		struct coded coded;

		CHECK_RET(0, sample_code(&s, DFS_CODEC_DIFF, &coded));
		if (s.block.n > 1000)
			CHECK(reference_classes((struct dfs_span){ coded.table.data,
								   coded.table.len }) > 1);
		coded_free(&coded);
		CHECK(reference_agrees(&s, DFS_CODEC_DIFF));
		sample_free(&s);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(diff_is_as_the_format_says),
	cmocka_unit_test(sparse_is_as_the_format_says),
	cmocka_unit_test(solo_is_as_the_format_says),
	cmocka_unit_test(rows_have_classes_as_the_format_says),
};

CHECK_MAIN(cases)
