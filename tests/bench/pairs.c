/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairs.h"

#include <stdlib.h>

#include "../codec/random.h"
#include "speed.h"
#include "tensor/convert.h"

/* The dtype that values are rounded to: a parked one, if low bits are dropped. */
static enum dfs_dtype real_dtype(const struct set *s)
{
	return s->drop ? s->base : s->dtype;
}

static double row_factor(const struct set *s, size_t i)
{
	uint64_t state = s->cols ? i / s->cols : 0;

	if (!s->rows_differ)
		return 1;
	return random_next(&state) % 2 ? 0 : exp2(4 * random_uniform(&state) - 3);
}

static void move_some(const struct set *s, uint8_t *data, const uint8_t *pred, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t v = dfs_get_u16le(pred + 2 * i);
		unsigned by = 1 + random_next(seed) % 2;

		if (random_uniform(seed) < s->changed)
			v += random_next(seed) % 2 ? by : -by;
		dfs_put_u16le(data + 2 * i, v);
	}
}

struct pair make_pair(const struct set *s, size_t bytes)
{
	struct pair p = { .size = dfs_dtype_info(s->dtype)->size };
	uint64_t seed = 1;
	double *exact;
	uint8_t *narrow;

	p.n = bytes / p.size;
	p.pred = room(bytes);
	p.data = room(bytes);
	exact = room(p.n * sizeof(*exact));
	narrow = room(p.n * sizeof(*exact));
	for (size_t i = 0; i < p.n; i++)
		exact[i] = 0.02 * random_normal(&seed);
	dfs_convert(DFS_F64, s->base, exact, narrow, p.n);
	dfs_convert(s->base, s->dtype, narrow, p.pred, p.n);
	dfs_convert(s->base, DFS_F64, narrow, exact, p.n);
	for (size_t i = 0; i < p.n && s->r > 0; i++)
		exact[i] += 0.02 * s->r * row_factor(s, i) * random_normal(&seed);
	dfs_convert(DFS_F64, real_dtype(s), exact, narrow, p.n);
	dfs_convert(real_dtype(s), s->dtype, narrow, p.data, p.n);
	if (s->changed > 0)
		move_some(s, p.data, p.pred, p.n, &seed);
	if (s->r < 0) {
		free(p.pred);
		p.pred = NULL;
	}
	free(exact);
	free(narrow);
	return p;
}
