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
	uint64_t flip;		/* what a negative float's bits are turned by: @mask; else 0 */
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

/*
 * The arithmetic, in numbers of 16, 32 and 64 bits: the narrower, the more fit
 * a vector. No branches: signs are not to be predicted.
 *
 *	dfs_order_*()	y as its place among all values of the layout
 *	dfs_unorder_*()	and back
 *	dfs_fold_*()	a difference modulo 2^width: small either way becomes small
 *	dfs_unfold_*()	and back
 *	dfs_diff_*()	the folded difference of value @x from prediction @q, both as in the file
 *	dfs_apply_*()	the value that differs from prediction @q by @u
 */
#define DFS_VALUE_ARITHMETIC(bits, type)						\
DFS_INLINE type dfs_order_##bits(const struct dfs_layout *l, type y)			\
{											\
	type negative = -(y >> (l->width - 1));						\
											\
	return y ^ ((negative & (type)l->flip) | (type)l->sign);			\
}											\
DFS_INLINE type dfs_unorder_##bits(const struct dfs_layout *l, type o)			\
{											\
	type negative = (o >> (l->width - 1)) - 1;					\
											\
	return o ^ ((negative & (type)l->flip) | (type)l->sign);			\
}											\
DFS_INLINE type dfs_fold_##bits(const struct dfs_layout *l, type d)			\
{											\
	return ((d << 1) ^ -(d >> (l->width - 1))) & (type)l->mask;			\
}											\
DFS_INLINE type dfs_unfold_##bits(type u)						\
{											\
	return (u >> 1) ^ -(u & 1);							\
}											\
DFS_INLINE type dfs_diff_##bits(const struct dfs_layout *l, type x, type q)		\
{											\
	type d = dfs_order_##bits(l, x >> l->drop) - dfs_order_##bits(l, q >> l->drop);	\
											\
	return dfs_fold_##bits(l, d & (type)l->mask);					\
}											\
DFS_INLINE type dfs_apply_##bits(const struct dfs_layout *l, type u, type q)		\
{											\
	type o = dfs_order_##bits(l, q >> l->drop) + dfs_unfold_##bits(u);		\
											\
	return dfs_unorder_##bits(l, o & (type)l->mask) << l->drop;			\
}											\
struct dfs_value_arithmetic_needs_a_semicolon

DFS_VALUE_ARITHMETIC(16, uint16_t);
DFS_VALUE_ARITHMETIC(32, uint32_t);
DFS_VALUE_ARITHMETIC(64, uint64_t);

/* dfs_layout_is_whole() - a float of which nothing is dropped: what most chunks hold */
DFS_INLINE bool dfs_layout_is_whole(const struct dfs_layout *l)
{
	return l->exponent && !l->drop;
}

/* dfs_whole_layout() - all that order and fold need to know of such a float, in constants for the compiler */
DFS_INLINE struct dfs_layout dfs_whole_layout(unsigned size)
{
	uint64_t sign = 1ull << (8 * size - 1);

	return (struct dfs_layout){
		.mask = 2 * sign - 1, .sign = sign, .flip = 2 * sign - 1,
		.size = size, .width = 8 * size,
	};
}

#endif
