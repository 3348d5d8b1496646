/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>

struct model *model_new(unsigned codec, const char *options)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->how = (struct driver){ .codec = codec, .options = options };
	return m;
}

void model_free(struct model *m)
{
	for (size_t i = 0; i < m->n; i++) {
		driven_free(&m->coded[i]);
		matrix_free(&m->matrices[i]);
	}
	free(m);
}

struct driven *model_add(struct model *m, unsigned dtype, uint64_t rows, uint64_t cols, unsigned kind, double size,
			 uint64_t seed)
{
	struct matrix *matrix = &m->matrices[m->n];

	if (m->n == MODEL_MAX)
		abort();
	*matrix = matrix_make(dtype, rows, cols, kind, size, seed);
	driven_cut(&m->how, matrix, &m->coded[m->n]);
	return &m->coded[m->n++];
}

int model_code(struct model *m)
{
	int ret;

	for (size_t i = 0; i < m->n; i++)
		driven_free(&m->coded[i]);
	ret = drive(&m->how, m->matrices, m->n, m->coded);
	for (size_t i = 0; i < m->n; i++)
		if (!driven_shrinks(&m->coded[i]))
			abort();
	return ret;
}

double model_bits(const struct model *m)
{
	double bytes = 0, values = 0;

	for (size_t i = 0; i < m->n; i++) {
		bytes += (double)driven_bytes(&m->coded[i]);
		values += (double)m->matrices[i].n;
	}
	return 8 * bytes / values;
}
