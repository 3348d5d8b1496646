/* SPDX-License-Identifier: GPL-2.0-or-later */
/* add_signs: differences of one size make the sums that dfs_add() is held to, by every kernel. */
#include "../check.h"
#include "codec/add.h"
#include "samples.h"
#include "sums.h"

#define BF16 (&sum_formats[0])
#define ALL 65536	/* BF16 that there are */
#define SKEW 3

static uint8_t pred[2 * ALL + SKEW], out[2 * ALL + SKEW], want[2 * ALL];
static uint8_t signs[ALL / 8];

static uint32_t delta_at(uint32_t size, size_t i)
{
	return size | (uint32_t)(signs[i / 8] >> i % 8 & 1) << 31;
}

static void check_size(uint32_t bits, size_t n)
{
	union { uint32_t bits; float value; } size = { bits };

	for (size_t i = 0; i < n; i++)
		sum_value_put(BF16, want, i, sum_expected(BF16, sum_value_at(BF16, pred + SKEW, i), delta_at(bits, i)));
	for (unsigned level = 0; level <= dfs_cpu_best(); level++) {
		memset(out, 0xa5, sizeof(out));
		dfs_add_signs(level, pred + SKEW, signs, size.value, out + SKEW, n);
		for (size_t i = 0; i < n; i++)
			if (sum_value_at(BF16, out + SKEW, i) != sum_value_at(BF16, want, i))
				fail_msg("%s: %x + %x gives %x, not %x", dfs_cpu_name(level), sum_value_at(BF16, pred + SKEW, i),
					 delta_at(bits, i), sum_value_at(BF16, out + SKEW, i), sum_value_at(BF16, want, i));
		for (size_t i = 0; i < sizeof(out); i++)
			CHECK((i >= SKEW && i < SKEW + 2 * n) || out[i] == 0xa5);
		memcpy(out, pred, sizeof(out));
		dfs_add_signs(level, out + SKEW, signs, size.value, out + SKEW, n);
		CHECK_BYTES(out + SKEW, want, 2 * n);
	}
}

/* All there are, in the order of their bits, so that many at a time are as far from the size. */
static void fill(uint64_t *seed)
{
	for (uint32_t i = 0; i < ALL; i++)
		sum_value_put(BF16, pred + SKEW, i, i);
	for (size_t i = 0; i < sizeof(signs); i++)
		signs[i] = (uint8_t)random_next(seed);
}

/* Zero, subnormals, powers of two, all bits set; few bits as scales have them, and the most there are. */
static const uint32_t sizes[] = {
	0, 1, 2, 0x8000, 0x10000, 0x007fffff, 0x00800000, 0x00ffffff, 0x33800000, 0x38800000, 0x3a83126f, 0x3a832000,
	0x3a830000, 0x3a838000, 0x3a83a000, 0x3a800000, 0x3f7fffff, 0x3f7ffffe, 0x3f7ffffc, 0x3f800000, 0x3f801000,
	0x3f808000, 0x3f818000, 0x477fe000, 0x7e7fffff, 0x7e800000, 0x7effffff, 0x7eff8000,
};

static void every_value_meets_every_kind_of_size(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		fill(&seed);
		check_size(sizes[i], ALL);
	}
	for (unsigned i = 0; i < 40; i++) {
		fill(&seed);
		check_size((uint32_t)random_next(&seed) % 0x7f000000 & ~0u << i % 24, ALL);
	}
}

/* Near the size, as weights are; one in a hundred lies far off. */
static void mixed_values(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		uint32_t size = 0x3a000000 + ((uint32_t)random_next(&seed) & 0xffe000);

		fill(&seed);
		for (size_t i = 0; i < ALL; i++) {
			uint32_t random = (uint32_t)random_next(&seed);
			uint32_t value = 0x3800 + random % 0x0700 + (random >> 16 & 0x8000);

			sum_value_put(BF16, pred + SKEW, i, round % 2 && random >> 8 & 0x7f ? value : random & 0xffff);
		}
		check_size(size, 4096);
	}
}

static void every_length(void **state)
{
	uint64_t seed = 3;

	(void)state;
	fill(&seed);
	for (size_t n = 0; n < 1200; n++)
		check_size(0x3a832000, n);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(every_value_meets_every_kind_of_size),
	cmocka_unit_test(mixed_values),
	cmocka_unit_test(every_length),
};

CHECK_MAIN(cases)
