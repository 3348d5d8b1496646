/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/svd.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef DFS_HAVE_OPENBLAS

#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>

#include "util/rounding.h"

/* OpenBLAS has LAPACK as well, but no header for it in every distribution. */
typedef void ssyevr_fn(const char *vectors, const char *range, const char *half, const int *n, float *a, const int *lda,
		       const float *low, const float *high, const int *first, const int *last, const float *tolerance,
		       int *ret_found, float *ret_values, float *ret_vectors, const int *ldz, int *support, float *work,
		       const int *work_len, int *iwork, const int *iwork_len, int *ret_info);
typedef void dsyevd_fn(const char *vectors, const char *half, const int *n, double *a, const int *lda, double *ret_values,
		       double *work, const int *work_len, int *iwork, const int *iwork_len, int *ret_info);
typedef void spotrf_fn(const char *half, const int *n, float *a, const int *lda, int *ret_info);

static struct {
	__typeof__(cblas_sgemm) *sgemm;
	__typeof__(cblas_ssyrk) *ssyrk;
	__typeof__(cblas_dsyrk) *dsyrk;
	__typeof__(cblas_strsm) *strsm;
	__typeof__(openblas_set_num_threads) *set_threads;
	ssyevr_fn *ssyevr;
	dsyevd_fn *dsyevd;
	spotrf_fn *spotrf;
	bool loaded;
} blas;	/* written once, by load() */

static pthread_once_t once = PTHREAD_ONCE_INIT;

#define LIBRARY "libopenblas.so.0"

static void load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	dfs_rounding_default();
	if (!library)
		return;
	blas.sgemm = (__typeof__(blas.sgemm))dlsym(library, "cblas_sgemm");
	blas.ssyrk = (__typeof__(blas.ssyrk))dlsym(library, "cblas_ssyrk");
	blas.dsyrk = (__typeof__(blas.dsyrk))dlsym(library, "cblas_dsyrk");
	blas.strsm = (__typeof__(blas.strsm))dlsym(library, "cblas_strsm");
	blas.set_threads = (__typeof__(blas.set_threads))dlsym(library, "openblas_set_num_threads");
	blas.ssyevr = (ssyevr_fn *)dlsym(library, "ssyevr_");
	blas.dsyevd = (dsyevd_fn *)dlsym(library, "dsyevd_");
	blas.spotrf = (spotrf_fn *)dlsym(library, "spotrf_");
	blas.loaded = blas.sgemm && blas.ssyrk && blas.dsyrk && blas.strsm && blas.set_threads && blas.ssyevr &&
		      blas.dsyevd && blas.spotrf;
	if (blas.loaded)
		blas.set_threads(1);
}

int dfs_linear_load(struct dfs_err *err)
{
	pthread_once(&once, load);
	if (!blas.loaded)
		return dfs_fail(err, ENOTSUP, "OpenBLAS with LAPACK is needed, but %s does not load (Debian: libopenblas0)",
				LIBRARY);
	return 0;
}

/* The upper half of a^T a or of a a^T. */
static void gram(const float *a, uint64_t rows, uint64_t cols, bool of_rows, float *ret)
{
	int n = (int)(of_rows ? rows : cols), k = (int)(of_rows ? cols : rows);

	blas.ssyrk(CblasRowMajor, CblasUpper, of_rows ? CblasNoTrans : CblasTrans, n, k, 1, a, (int)cols, 0, ret, n);
}

/* Eigenvectors @first to @last (from 1, ascending) of a matrix's half, each n long. Return: LAPACK's info, or -ENOMEM. */
static int eigen(float *matrix, int n, int first, int last, float *values, float *vectors)
{
	int found, info, ints = -1, len = -1, iwork_len;
	int *support = malloc(2 * (size_t)n * sizeof(*support)), *iwork = NULL;
	float zero = 0, work_len, *work = NULL;

	/* what is the upper half row by row is the lower one column by column */
	blas.ssyevr("V", "I", "L", &n, matrix, &n, &zero, &zero, &first, &last, &zero, &found, values, vectors, &n,
		    support, &work_len, &len, &iwork_len, &ints, &info);
	/* a float may be a little less than the integer it was made from */
	len = (int)work_len + (int)(work_len / (1 << 22)) + 1;
	ints = iwork_len;
	work = malloc((size_t)len * sizeof(*work));
	iwork = malloc((size_t)ints * sizeof(*iwork));
	if (!support || !work || !iwork)
		info = -ENOMEM;
	else
		blas.ssyevr("V", "I", "L", &n, matrix, &n, &zero, &zero, &first, &last, &zero, &found, values, vectors,
			    &n, support, work, &len, iwork, &ints, &info);
	free(support);
	free(work);
	free(iwork);
	return info == 0 && found != last - first + 1 ? 1 : info;
}

int dfs_linear_top(const float *d, uint64_t rows, uint64_t cols, uint64_t rank, float *vectors, float *energies,
		   struct dfs_err *err)
{
	bool of_rows = rows < cols;
	uint64_t n = of_rows ? rows : cols;
	float *matrix = malloc(n * n * sizeof(*matrix)), *values = malloc(n * sizeof(*values));
	float *columns = malloc(n * rank * sizeof(*columns));
	int info = -ENOMEM;

	if (matrix && values && columns) {
		gram(d, rows, cols, of_rows, matrix);
		info = eigen(matrix, (int)n, (int)(n - rank + 1), (int)n, values, columns);
	}
	if (info == 0)
		for (uint64_t k = 0; k < rank; k++) {
			const float *column = columns + (rank - 1 - k) * n;

			energies[k] = values[rank - 1 - k];
			for (uint64_t i = 0; i < n; i++)
				vectors[i * rank + k] = column[i];
		}
	free(matrix);
	free(values);
	free(columns);
	if (info == -ENOMEM)
		return dfs_fail(err, ENOMEM, "out of memory");
	return info ? dfs_fail(err, ERANGE, "LAPACK found no singular vectors (%d)", info) : 0;
}

/* w := w g^-1, for the upper half of a positive definite g, which is lost. Return: false if it is not. */
static bool divide(float *w, uint64_t rows, float *g, uint64_t rank)
{
	int n = (int)rank, m = (int)rows, info;

	blas.spotrf("L", &n, g, &n, &info);	/* by columns; by rows, g = r^T r with r the upper half */
	if (info != 0)
		return false;
	blas.strsm(CblasRowMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, m, n, 1, g, n, w, n);
	blas.strsm(CblasRowMajor, CblasRight, CblasUpper, CblasTrans, CblasNonUnit, m, n, 1, g, n, w, n);
	return true;
}

int dfs_linear_fit(const float *d, uint64_t rows, uint64_t cols, bool transposed, const float *factor,
		   const float *noise, uint64_t rank, float *ret, struct dfs_err *err)
{
	uint64_t n = transposed ? rows : cols, m = transposed ? cols : rows;
	float *g = malloc(rank * rank * sizeof(*g));
	bool found;

	if (!g)
		return dfs_fail(err, ENOMEM, "out of memory");
	blas.sgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (int)m, (int)rank, (int)n, 1, d,
		   (int)cols, factor, (int)rank, 0, ret, (int)rank);
	gram(factor, n, rank, false, g);
	for (uint64_t k = 0; k < rank; k++) {
		/* a column of zeros stays one */
		float *square = &g[k * rank + k];

		*square = *square > 0 ? *square * (1 + noise[k]) : 1;
	}
	found = divide(ret, m, g, rank);
	free(g);
	return found ? 0 : dfs_fail(err, ERANGE, "LAPACK cannot solve for a factor");
}

/* --- all singular values */

#define PANEL 128	/* of the longer side, as F64 at a time */

/* The upper half of the smaller Gram matrix, a panel of the longer side after the other. */
static void gram_exact(const float *d, uint64_t rows, uint64_t cols, double *panel, double *ret)
{
	bool of_rows = rows < cols;
	uint64_t n = of_rows ? rows : cols, longer = of_rows ? cols : rows;

	for (uint64_t at = 0; at < longer; at += PANEL) {
		uint64_t k = longer - at < PANEL ? longer - at : PANEL;
		uint64_t height = of_rows ? rows : k, width = of_rows ? k : cols;
		const float *from = d + (of_rows ? at : at * cols);

		for (uint64_t i = 0; i < height; i++)
			for (uint64_t j = 0; j < width; j++)
				panel[i * width + j] = from[i * cols + j];
		blas.dsyrk(CblasRowMajor, CblasUpper, of_rows ? CblasNoTrans : CblasTrans, (int)n, (int)k, 1, panel,
			   (int)width, at ? 1 : 0, ret, (int)n);
	}
}

/* All eigenvalues of a matrix's half, which is lost. Return: LAPACK's info, or -ENOMEM. */
static int eigenvalues(double *matrix, int n, double *values)
{
	int info, ints = 1, len = 2 * n + 1;
	double *work = malloc((size_t)len * sizeof(*work));

	if (!work)
		return -ENOMEM;
	blas.dsyevd("N", "L", &n, matrix, &n, values, work, &len, &(int){ 0 }, &ints, &info);
	free(work);
	return info;
}

int dfs_linear_trace(const float *d, uint64_t rows, uint64_t cols, double *ret_sum, struct dfs_err *err)
{
	uint64_t n = rows < cols ? rows : cols;
	double *matrix = malloc(n * n * sizeof(*matrix)), *values = malloc(n * sizeof(*values));
	double *panel = malloc(n * PANEL * sizeof(*panel));
	int info = -ENOMEM;

	*ret_sum = 0;
	if (matrix && values && panel) {
		gram_exact(d, rows, cols, panel, matrix);
		info = eigenvalues(matrix, (int)n, values);
	}
	for (uint64_t i = 0; i < n && info == 0; i++)
		*ret_sum += values[i] > 0 ? sqrt(values[i]) : 0;
	free(matrix);
	free(values);
	free(panel);
	if (info == -ENOMEM)
		return dfs_fail(err, ENOMEM, "out of memory");
	return info ? dfs_fail(err, ERANGE, "LAPACK found no singular values (%d)", info) : 0;
}

#else

int dfs_linear_load(struct dfs_err *err)
{
	return dfs_fail(err, ENOTSUP, "this build is without OpenBLAS, which is needed");
}

int dfs_linear_top(const float *d, uint64_t rows, uint64_t cols, uint64_t rank, float *vectors, float *energies,
		   struct dfs_err *err)
{
	(void)d, (void)rows, (void)cols, (void)rank, (void)vectors, (void)energies;
	return dfs_linear_load(err);
}

int dfs_linear_fit(const float *d, uint64_t rows, uint64_t cols, bool transposed, const float *factor,
		   const float *noise, uint64_t rank, float *ret, struct dfs_err *err)
{
	(void)d, (void)rows, (void)cols, (void)transposed, (void)factor, (void)noise, (void)rank, (void)ret;
	return dfs_linear_load(err);
}

int dfs_linear_trace(const float *d, uint64_t rows, uint64_t cols, double *ret_sum, struct dfs_err *err)
{
	(void)d, (void)rows, (void)cols, (void)ret_sum;
	return dfs_linear_load(err);
}

#endif
