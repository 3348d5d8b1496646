/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reference.h"

#include <stdlib.h>

/* --- bits */

struct bits {
	struct dfs_span from;
	size_t at;
	bool bad;
};

static uint64_t get(struct bits *b, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++, b->at++) {
		if (b->at >= 8 * b->from.len) {
			b->bad = true;
			return 0;
		}
		v |= (uint64_t)(b->from.data[b->at / 8] >> b->at % 8 & 1) << i;
	}
	return v;
}

static unsigned zeros_and_one(struct bits *b)
{
	unsigned zeros = 0;

	while (!b->bad && get(b, 1) == 0)
		zeros++;
	return zeros;
}

static uint64_t golomb(struct bits *b, unsigned order)
{
	unsigned zeros = zeros_and_one(b);

	if (zeros + order > 63)
		b->bad = true;
	if (b->bad)
		return 0;
	return (1ull << (zeros + order)) + get(b, zeros + order) - (1ull << order);
}

static bool ended(struct bits *b)
{
	while (b->at % 8 && b->at < 8 * b->from.len)
		if (get(b, 1))
			return false;
	return !b->bad && b->at == 8 * b->from.len;
}

static unsigned length_of(uint64_t v)
{
	unsigned n = 0;

	for (; v; v >>= 1)
		n++;
	return n;
}

/* --- values */

struct layout {
	unsigned size, drop, width, exponent, mantissa;
};

static struct layout layout_of(struct dfs_shape shape)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(shape.dtype);
	struct layout l = { info->size, shape.drop, 8 * info->size - shape.drop, 0, 0 };

	if (info->exponent && 1 + info->exponent + info->mantissa == 8 * info->size) {
		l.exponent = info->exponent;
		l.mantissa = info->mantissa;
	}
	return l;
}

static uint64_t ones(unsigned n)
{
	return n ? UINT64_MAX >> (64 - n) : 0;
}

static uint64_t at(const void *array, size_t i, unsigned size)
{
	const uint8_t *p = (const uint8_t *)array + i * size;
	uint64_t v = 0;

	for (unsigned j = 0; j < size; j++)
		v |= (uint64_t)p[j] << 8 * j;
	return v;
}

static void set(uint8_t *array, size_t i, unsigned size, uint64_t v)
{
	for (unsigned j = 0; j < size; j++)
		array[i * size + j] = v >> 8 * j;
}

static uint64_t add_folded(struct layout l, uint64_t q, uint64_t u)
{
	uint64_t sign = 1ull << (l.width - 1);
	uint64_t o = q >> l.drop;

	if (l.exponent)
		o = o & sign ? ~o & ones(l.width) : o ^ sign;
	o = u % 2 ? o - (u / 2 + 1) : o + u / 2;
	o &= ones(l.width);
	if (l.exponent)
		o = o & sign ? o ^ sign : ~o & ones(l.width);
	return o << l.drop;
}

/* --- frequencies and lanes */

struct alphabet {
	unsigned n, log;
	unsigned f[256];
};

static void frequencies(struct bits *b, struct alphabet *a, unsigned precision)
{
	unsigned last = get(b, length_of(a->n - 1));
	unsigned rest = get(b, length_of(last)), sum = 0;
	int length = 0;

	memset(a->f, 0, sizeof(a->f));
	for (unsigned s = 0; s <= last && !b->bad; s++) {
		unsigned folded, k;

		if (s == rest)
			continue;
		folded = golomb(b, 0);
		length += folded % 2 ? (int)(folded + 1) / 2 : -(int)(folded / 2);
		b->bad |= length < 0 || length > (int)a->log || last >= a->n;
		if (b->bad || length == 0)
			continue;
		k = (unsigned)length - 1 < precision ? (unsigned)length - 1 : precision;
		a->f[s] = ((1u << k) + get(b, k)) << (length - 1 - k);
		sum += a->f[s];
	}
	b->bad |= rest > last || sum >= 1u << a->log;
	if (!b->bad)
		a->f[rest] = (1u << a->log) - sum;
}

struct lanes {
	unsigned n;
	uint32_t x[32];
	const uint8_t *next, *end;
	bool bad;
};

static void open_lanes(struct lanes *l, struct dfs_span payload, size_t n)
{
	l->n = n >= 2048 ? 32 : 4;
	l->bad = payload.len < 4 * l->n || payload.len % 2;
	for (unsigned i = 0; i < l->n && !l->bad; i++) {
		l->x[i] = at(payload.data, i, 4);
		l->bad |= l->x[i] < 65536;
	}
	l->next = payload.data + 4 * l->n;
	l->end = payload.data + payload.len;
}

static void refill(struct lanes *l, unsigned lane)
{
	if (l->x[lane] >= 65536 || l->bad)
		return;
	if (l->next == l->end) {
		l->bad = true;
		return;
	}
	l->x[lane] = l->x[lane] * 65536 + at(l->next, 0, 2);
	l->next += 2;
}

static unsigned symbol(struct lanes *l, unsigned lane, const struct alphabet *a)
{
	uint32_t x = l->x[lane], slot = x % (1u << a->log);
	unsigned s = 0, begin = 0;

	while (begin + a->f[s] <= slot)
		begin += a->f[s++];
	l->x[lane] = a->f[s] * (x >> a->log) + slot - begin;
	refill(l, lane);
	return s;
}

static uint64_t plain(struct lanes *l, unsigned lane, unsigned k)
{
	uint64_t bits = l->x[lane] & ones(k);

	l->x[lane] >>= k;
	refill(l, lane);
	return bits;
}

static bool closed(const struct lanes *l)
{
	bool good = !l->bad && l->next == l->end;

	for (unsigned i = 0; i < l->n; i++)
		good &= l->x[i] == 65536;
	return good;
}

/* --- diff */

struct diff {
	struct layout layout;
	unsigned log, precision, n_tables, n_classes, top;
	struct alphabet classes;
	struct alphabet tables[30];
	unsigned map[16][16];
};

static void read_map(struct bits *b, struct diff *d)
{
	unsigned contexts = d->layout.exponent ? 16 : 1;

	for (unsigned k = d->n_classes > 1; k < d->n_classes && d->n_tables > 1; k++)
		for (unsigned c = 0; c < contexts; c++) {
			if (c && get(b, 1))
				d->map[k][c] = d->map[k][c - 1];
			else
				d->map[k][c] = get(b, length_of(d->n_tables - 1));
			if (d->map[k][c] >= d->n_tables) {
				b->bad = true;
				d->map[k][c] = 0;
			}
		}
}

static bool read_diff(struct diff *d, struct dfs_shape shape, struct dfs_span table)
{
	struct bits b = { table, 0, false };

	memset(d, 0, sizeof(*d));
	d->layout = layout_of(shape);
	d->log = 8 + get(&b, 2);
	d->precision = get(&b, 3);
	d->n_tables = 1 + get(&b, 5);
	d->n_classes = 1 + get(&b, 4);
	d->top = get(&b, d->layout.exponent);
	if (d->n_tables > 30)
		return false;
	for (unsigned k = 1; k < d->n_classes; k++)
		b.bad |= get(&b, 5) == 0;
	d->classes = (struct alphabet){ .n = 16, .log = d->log };
	if (d->n_classes > 1)
		frequencies(&b, &d->classes, d->precision);
	read_map(&b, d);
	for (unsigned i = 0; i < d->n_tables; i++) {
		d->tables[i] = (struct alphabet){ .n = 2 * d->layout.width + 8, .log = d->log };
		frequencies(&b, &d->tables[i], d->precision);
	}
	return ended(&b);
}

unsigned reference_classes(struct dfs_span table)
{
	struct bits b = { table, 10, false };

	return 1 + get(&b, 4);
}

static unsigned context_of(const struct diff *d, uint64_t q)
{
	int c;

	if (!d->layout.exponent)
		return 0;
	c = (int)d->top - (int)(q >> d->layout.mantissa & ones(d->layout.exponent));
	return c < 0 ? 0 : c > 15 ? 15 : c;
}

static bool decode_diff(struct diff *d, const struct dfs_block *block, struct dfs_span payload,
			uint8_t *out)
{
	unsigned size = d->layout.size, width = d->layout.width;
	struct lanes l;
	uint8_t *classes = NULL;
	bool good;

	open_lanes(&l, payload, block->n);
	if (d->n_classes > 1) {
		uint64_t cols = block->shape.cols;
		size_t rows = block->n ?
			(block->first + block->n - 1) / cols - block->first / cols + 1 : 0;

		classes = calloc(1, rows + 1);
		for (size_t r = 0; r < rows && !l.bad; r++)
			classes[r] = symbol(&l, r % l.n, &d->classes);
	}
	for (size_t from = 0; from < block->n && !l.bad; from += 16 < l.n ? 16 : l.n) {
		size_t to = from + (16 < l.n ? 16 : l.n);
		unsigned k[16];
		uint64_t u[16];

		to = to < block->n ? to : block->n;
		for (size_t i = from; i < to; i++) {
			uint64_t q = at(block->pred, i, size);
			unsigned class = classes ? classes[(block->first + i) / block->shape.cols -
							   block->first / block->shape.cols] : 0;
			const struct alphabet *a = &d->tables[d->map[class][context_of(d, q)]];
			unsigned t = classes && class == 0 ? 0 : symbol(&l, i % l.n, a);

			k[i - from] = t < 16 ? 0 : t / 2 - 5;
			u[i - from] = t < 16 ? t : (uint64_t)(2 + t % 2) << k[i - from];
		}
		for (int low = 48; low >= 0; low -= 16)
			for (size_t i = from; i < to; i++) {
				int left = (int)k[i - from] - low;

				if (left > 0)
					u[i - from] |= plain(&l, i % l.n, left < 16 ? left : 16) << low;
			}
		for (size_t i = from; i < to; i++)
			set(out, i, size, add_folded(d->layout, at(block->pred, i, size),
						     u[i - from] & ones(width)));
	}
	good = closed(&l);
	free(classes);
	return good;
}

bool reference_diff(const struct dfs_block *block, struct dfs_span table, struct dfs_span payload,
		    uint8_t *out)
{
	struct diff *d = malloc(sizeof(*d));
	bool good = d && read_diff(d, block->shape, table) &&
		    decode_diff(d, block, payload, out);

	free(d);
	return good;
}

/* --- sparse */

bool reference_sparse(const struct dfs_block *block, struct dfs_span payload, uint8_t *out)
{
	struct layout l = layout_of(block->shape);
	struct bits b = { payload, 0, false };
	unsigned g = get(&b, 5), fixed = get(&b, 1), order = get(&b, 6);
	uint64_t n = golomb(&b, 10), place = 0;

	if (order > 62)
		return false;
	memcpy(out, block->pred, block->n * l.size);
	for (uint64_t i = 0; i < n && !b.bad; i++, place++) {
		uint64_t gap = (uint64_t)zeros_and_one(&b) << g, u;

		gap += get(&b, g);
		u = 1 + (fixed ? get(&b, order) : golomb(&b, order));
		if (gap >= block->n - place || u == 0 || u > ones(l.width))
			return false;
		place += gap;
		set(out, place, l.size, add_folded(l, at(block->pred, place, l.size), u));
	}
	return ended(&b);
}

/* --- solo */

bool reference_solo(const struct dfs_block *block, struct dfs_span table, struct dfs_span payload,
		    uint8_t *out)
{
	struct layout l = layout_of(block->shape);
	unsigned rest = l.width > 8 ? l.width - 8 : 0;
	struct bits t = { table, 0, false };
	struct alphabet a = { .n = 1u << (l.width < 8 ? l.width : 8), .log = 12 };
	size_t planes = block->n * (rest / 8), packed = (block->n * (rest % 8) + 7) / 8;
	struct bits b = { { payload.data + planes, packed }, 0, false };
	struct lanes lanes;

	frequencies(&t, &a, get(&t, 3));
	if (!ended(&t) || payload.len < planes + packed)
		return false;
	open_lanes(&lanes, (struct dfs_span){ payload.data + planes + packed,
					      payload.len - planes - packed }, block->n);
	for (size_t i = 0; i < block->n && !lanes.bad; i++) {
		uint64_t y = symbol(&lanes, i % lanes.n, &a), r = 0;

		for (unsigned j = 0; j < rest / 8; j++)
			r |= (uint64_t)payload.data[j * block->n + i] << 8 * j;
		r |= get(&b, rest % 8) << (rest - rest % 8);
		if (rest)
			y = (r >> (rest - 1)) << (l.width - 1) | y << (rest - 1) | (r & ones(rest - 1));
		set(out, i, l.size, y << l.drop);
	}
	return ended(&b) && closed(&lanes);
}
