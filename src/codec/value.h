/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * value: the bits of a value as a number in the order of what it stands for.
 *
 * A value x loses its @drop zero bits: y = x >> drop, of @width bits. Floats
 * are mapped so that neighbours differ by one, -0 and +0 too; integers are
 * taken modulo 2^width as they are. The difference of two such numbers,
 * folded (0, -1, 1, -2, ... as 0, 1, 2, 3, ...), is what gets coded. NaN and
 * infinity are numbers like any other.
 *
 * deltafs-format(5), "ordered differences".
 */
#ifndef DFS_CODEC_VALUE_H
#define DFS_CODEC_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/codec.h"

/* How the values of a shape are read. */
struct dfs_layout {
	uint64_t mask;		/* @width ones */
	uint64_t sign;		/* top bit of @width for a float, else 0 */
	uint8_t size;		/* bytes a value in the file */
	uint8_t drop;
	uint8_t width;		/* 8 * size - drop */
	uint8_t exponent;	/* bits of exponent; 0: no float */
	uint8_t shift;		/* of the exponent in y: mantissa bits that are left */
};

#define DFS_WIDTH_MIN 5

/* dfs_layout_init() - false if there is no such dtype or @shape.drop is out of range */
bool dfs_layout_init(struct dfs_layout *layout, struct dfs_shape shape);

#define DFS_INLINE static inline __attribute__((always_inline))

/* dfs_value_load() - value @i of an array in file order, any alignment; @size is a constant where it matters */
DFS_INLINE uint64_t dfs_value_load(const uint8_t *p, size_t i, unsigned size)
{
	switch (size) {
	case 1:
		return p[i];
	case 2:
		return dfs_get_u16le(p + 2 * i);
	case 4:
		return dfs_get_u32le(p + 4 * i);
	default:
		return dfs_get_u64le(p + 8 * i);
	}
}

DFS_INLINE void dfs_value_store(uint8_t *p, size_t i, unsigned size, uint64_t v)
{
	switch (size) {
	case 1:
		p[i] = v;
		break;
	case 2:
		dfs_put_u16le(p + 2 * i, v);
		break;
	case 4:
		dfs_put_u32le(p + 4 * i, v);
		break;
	default:
		dfs_put_u64le(p + 8 * i, v);
	}
}

/* dfs_value_order() - y as its place among all values of the layout */
DFS_INLINE uint64_t dfs_value_order(const struct dfs_layout *l, uint64_t y)
{
	return y & l->sign ? ~y & l->mask : y ^ l->sign;
}

DFS_INLINE uint64_t dfs_value_unorder(const struct dfs_layout *l, uint64_t o)
{
	return o & l->sign || !l->sign ? o ^ l->sign : ~o & l->mask;
}

/* dfs_value_fold() - a difference modulo 2^width: small either way becomes small */
DFS_INLINE uint64_t dfs_value_fold(const struct dfs_layout *l, uint64_t d)
{
	return ((d << 1) ^ -(d >> (l->width - 1) & 1)) & l->mask;
}

DFS_INLINE uint64_t dfs_value_unfold(const struct dfs_layout *l, uint64_t u)
{
	return ((u >> 1) ^ -(u & 1)) & l->mask;
}

/* dfs_value_diff() - the folded difference of value @x from prediction @q, both as in the file */
DFS_INLINE uint64_t dfs_value_diff(const struct dfs_layout *l, uint64_t x, uint64_t q)
{
	uint64_t d = dfs_value_order(l, x >> l->drop) - dfs_value_order(l, q >> l->drop);

	return dfs_value_fold(l, d & l->mask);
}

/* dfs_value_apply() - the value that differs from prediction @q by @u */
DFS_INLINE uint64_t dfs_value_apply(const struct dfs_layout *l, uint64_t u, uint64_t q)
{
	uint64_t o = dfs_value_order(l, q >> l->drop) + dfs_value_unfold(l, u);

	return dfs_value_unorder(l, o & l->mask) << l->drop;
}

#endif
