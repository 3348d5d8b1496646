/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * convert: values of one dtype as another.
 *
 * The pairs that matter have loops of their own (convert_fast.c); any other
 * goes value by value through the definition (convert_float.h).
 */
#include "tensor/convert.h"

#include <string.h>

#include "tensor/convert_fast.h"
#include "tensor/convert_float.h"
#include "util/bytes.h"
#include "util/cpu.h"

static const bool convertible[DFS_DTYPES] = {
	[DFS_F8_E5M2] = true,
	[DFS_F8_E4M3] = true,
	[DFS_F16] = true,
	[DFS_BF16] = true,
	[DFS_F32] = true,
	[DFS_F64] = true,
};

bool dfs_can_convert(enum dfs_dtype from, enum dfs_dtype to)
{
	if ((unsigned)from >= DFS_DTYPES || (unsigned)to >= DFS_DTYPES)
		return false;
	return from == to || (convertible[from] && convertible[to]);
}

static struct dfs_float_format format_of(enum dfs_dtype dtype)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(dtype);

	return (struct dfs_float_format){
		.exponent = info->exponent,
		.mantissa = info->mantissa,
		.has_infinity = dtype != DFS_F8_E4M3,
	};
}

static uint64_t get_value(const uint8_t *p, unsigned size)
{
	switch (size) {
	case 1: return *p;
	case 2: return dfs_get_u16le(p);
	case 4: return dfs_get_u32le(p);
	default: return dfs_get_u64le(p);
	}
}

static void put_value(uint8_t *p, unsigned size, uint64_t value)
{
	switch (size) {
	case 1: *p = (uint8_t)value; break;
	case 2: dfs_put_u16le(p, (uint16_t)value); break;
	case 4: dfs_put_u32le(p, (uint32_t)value); break;
	default: dfs_put_u64le(p, value); break;
	}
}

static void convert_each(enum dfs_dtype from, enum dfs_dtype to, const uint8_t *in, uint8_t *out,
			 size_t n)
{
	struct dfs_float_format from_format = format_of(from), to_format = format_of(to);
	unsigned in_size = dfs_dtype_info(from)->size, out_size = dfs_dtype_info(to)->size;

	for (size_t i = 0; i < n; i++) {
		uint64_t bits = get_value(in + i * in_size, in_size);

		put_value(out + i * out_size, out_size,
			  dfs_float_convert(from_format, to_format, bits));
	}
}

void dfs_convert(enum dfs_dtype from, enum dfs_dtype to, const void *in, void *out, size_t n)
{
	dfs_convert_fn *fast;

	if (n == 0)
		return;
	if (from == to) {
		memcpy(out, in, n * dfs_dtype_info(from)->size);
		return;
	}
	fast = dfs_convert_fast(from, to, dfs_cpu_best());
	if (fast)
		fast(in, out, n);
	else
		convert_each(from, to, in, out, n);
}
