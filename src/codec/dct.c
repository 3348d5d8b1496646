/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dct: the transform back, two products of matrices in a fixed order.
 *
 * With the orthonormal A[k][i] = c(k) cos(pi (2i + 1) k / 2p), c(0) = sqrt(1/p)
 * and else sqrt(2/p), coefficients C become X = A' C A:
 *	T[i][j] = sum over k of A[k][i] C[k][j]
 *	X[i][m] = sum over j of T[i][j] A[j][m]
 * A sum begins with its first product and goes upwards; products and sums are
 * rounded to F32 one by one. Vectors lie along rows, so whatever their width,
 * that order is kept. deltafs-format(5), "delta-dct payload".
 */
#include "codec/delta_dct.h"

/*
 * sqrt(2/p) cos(pi m / 2p) for m = 0 .. p, the nearest F32. None lies within a
 * thousandth of a unit in the last place of the middle between two, so that
 * any double precision cosine gives the same; tests/codec/test_dct.c does so.
 */
static const float cosines_8[] = {
	0x1.000000p-1f, 0x1.f6297cp-2f, 0x1.d906bcp-2f, 0x1.a9b662p-2f, 0x1.6a09e6p-2f, 0x1.1c73b4p-2f,
	0x1.87de2ap-3f, 0x1.8f8b84p-4f, 0x0p+0f,
};

static const float cosines_16[] = {
	0x1.6a09e6p-2f, 0x1.684b9cp-2f, 0x1.63150cp-2f, 0x1.5a730cp-2f, 0x1.4e7aeap-2f, 0x1.3f4a24p-2f,
	0x1.2d062ep-2f, 0x1.17dc14p-2f, 0x1.000000p-2f, 0x1.cb598cp-3f, 0x1.92469cp-3f, 0x1.5553e4p-3f,
	0x1.1517a8p-3f, 0x1.a4608ap-4f, 0x1.1a855ep-4f, 0x1.1be352p-5f, 0x0p+0f,
};

static const float cosines_32[] = {
	0x1.000000p-2f, 0x1.ff621ep-3f, 0x1.fd88dap-3f, 0x1.fa7558p-3f, 0x1.f6297cp-3f, 0x1.f0a7f0p-3f,
	0x1.e9f416p-3f, 0x1.e21210p-3f, 0x1.d906bcp-3f, 0x1.ced7b0p-3f, 0x1.c38b30p-3f, 0x1.b72834p-3f,
	0x1.a9b662p-3f, 0x1.9b3e04p-3f, 0x1.8bc806p-3f, 0x1.7b5df2p-3f, 0x1.6a09e6p-3f, 0x1.57d694p-3f,
	0x1.44cf32p-3f, 0x1.30ff80p-3f, 0x1.1c73b4p-3f, 0x1.07387ap-3f, 0x1.e2b5d4p-4f, 0x1.b5d100p-4f,
	0x1.87de2ap-4f, 0x1.58f9a8p-4f, 0x1.294062p-4f, 0x1.f19f98p-5f, 0x1.8f8b84p-5f, 0x1.2c8106p-5f,
	0x1.917a6cp-6f, 0x1.91f660p-7f, 0x0p+0f,
};

static const float cosines_64[] = {
	0x1.6a09e6p-3f, 0x1.69edfcp-3f, 0x1.699a42p-3f, 0x1.690ec6p-3f, 0x1.684b9cp-3f, 0x1.6750e4p-3f,
	0x1.661ec2p-3f, 0x1.64b568p-3f, 0x1.63150cp-3f, 0x1.613deep-3f, 0x1.5f3056p-3f, 0x1.5cec98p-3f,
	0x1.5a730cp-3f, 0x1.57c414p-3f, 0x1.54e018p-3f, 0x1.51c78cp-3f, 0x1.4e7aeap-3f, 0x1.4afab2p-3f,
	0x1.474772p-3f, 0x1.4361bap-3f, 0x1.3f4a24p-3f, 0x1.3b0150p-3f, 0x1.3687eap-3f, 0x1.31dea2p-3f,
	0x1.2d062ep-3f, 0x1.27ff50p-3f, 0x1.22caccp-3f, 0x1.1d6972p-3f, 0x1.17dc14p-3f, 0x1.12238ep-3f,
	0x1.0c40c2p-3f, 0x1.063498p-3f, 0x1.000000p-3f, 0x1.f347dcp-4f, 0x1.e642b8p-4f, 0x1.d8f29ap-4f,
	0x1.cb598cp-4f, 0x1.bd79aap-4f, 0x1.af5516p-4f, 0x1.a0edfep-4f, 0x1.92469cp-4f, 0x1.836132p-4f,
	0x1.74400ap-4f, 0x1.64e57cp-4f, 0x1.5553e4p-4f, 0x1.458daap-4f, 0x1.35953cp-4f, 0x1.256d12p-4f,
	0x1.1517a8p-4f, 0x1.049782p-4f, 0x1.e7de5ep-5f, 0x1.c6427ap-5f, 0x1.a4608ap-5f, 0x1.823dc8p-5f,
	0x1.5fdf76p-5f, 0x1.3d4ae0p-5f, 0x1.1a855ep-5f, 0x1.ef2894p-6f, 0x1.a8fa12p-6f, 0x1.628a08p-6f,
	0x1.1be352p-6f, 0x1.aa21a8p-7f, 0x1.1c3af6p-7f, 0x1.1c50e2p-8f, 0x0p+0f,
};

/* By the logarithm of p, less 3. */
static const float *const cosines_of_p[] = { cosines_8, cosines_16, cosines_32, cosines_64 };

void dfs_dct_cosines(unsigned p, float *out)
{
	const float *quarter = cosines_of_p[__builtin_ctz(p) - 3];

	for (unsigned k = 0; k < p; k++)
		for (unsigned i = 0; i < p; i++) {
			unsigned angle = k ? (2 * i + 1) * k % (4 * p) : p / 2;	/* sqrt(2/p) cos(pi/4) = sqrt(1/p) */

			if (angle > 2 * p)
				angle = 4 * p - angle;
			*out++ = angle > p ? -quarter[2 * p - angle] : quarter[angle];
		}
}

/* Vectors are spelled out, of the width that a level has. */
#define LANES(n) __attribute__((vector_size(4 * (n)), aligned(4), may_alias))
typedef float lanes4 LANES(4);
typedef float lanes8 LANES(8);
typedef float lanes16 LANES(16);

#define ROWS 4	/* sums at a time: enough to hide how long an addition takes, few enough for the registers */

/* out[i] = sum over k of left[k * down + i * along] * right[k], for p rows of which @lanes values are made */
#define PRODUCT(p, lanes)								\
	for (size_t i = 0; i < p; i += ROWS)						\
		for (size_t at = 0; at < p; at += sizeof(lanes) / 4) {			\
			lanes sum[ROWS];						\
											\
			_Pragma("GCC unroll 4")						\
			for (size_t r = 0; r < ROWS; r++)				\
				sum[r] = left[(i + r) * along] * *(const lanes *)(right + at); \
			for (size_t k = 1; k < p; k++) {				\
				lanes row = *(const lanes *)(right + k * p + at);	\
											\
				_Pragma("GCC unroll 4")					\
				for (size_t r = 0; r < ROWS; r++)			\
					sum[r] += left[k * down + (i + r) * along] * row; \
			}								\
			_Pragma("GCC unroll 4")						\
			for (size_t r = 0; r < ROWS; r++)				\
				*(lanes *)(out + (i + r) * stride + at) = sum[r];	\
		}

#define INVERSE(p, lanes, level, target)						\
	target static void product_##p##_##level(const float *left, size_t down, size_t along, \
						 const float *right, float *out, size_t stride) \
	{										\
		PRODUCT(p, lanes)							\
	}										\
											\
	target static void inverse_##p##_##level(const float *cosines, const float *in, float *out, \
						 size_t stride)				\
	{										\
		float middle[p * p] __attribute__((aligned(64)));			\
											\
		product_##p##_##level(cosines, p, 1, in, middle, p);			\
		product_##p##_##level(middle, 1, p, cosines, out, stride);		\
	}

#define INVERSES(level, target, lanes, lanes_of_8)	\
	INVERSE(8, lanes_of_8, level, target)		\
	INVERSE(16, lanes, level, target)		\
	INVERSE(32, lanes, level, target)		\
	INVERSE(64, lanes, level, target)

INVERSES(portable, , lanes4, lanes4)
INVERSES(avx2, DFS_FOR_AVX2, lanes8, lanes8)
INVERSES(avx512, DFS_FOR_AVX512, lanes16, lanes8)

typedef void inverse_fn(const float *cosines, const float *in, float *out, size_t stride);

static inverse_fn *const inverse_of_p[][DFS_CPU_LEVELS] = {
	DFS_LEVEL_ROW(inverse_8),
	DFS_LEVEL_ROW(inverse_16),
	DFS_LEVEL_ROW(inverse_32),
	DFS_LEVEL_ROW(inverse_64),
};

void dfs_dct_inverse(enum dfs_cpu cpu, unsigned p, const float *cosines, const float *in, float *out,
		     size_t stride)
{
	inverse_of_p[__builtin_ctz(p) - 3][cpu](cosines, in, out, stride);
}
