/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files: model files and containers that live in memory, for tests of the WRITE flow.
 */
#ifndef DFS_TESTS_FILES_H
#define DFS_TESTS_FILES_H

#include "headers.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read/reader.h"
#include "read/view.h"
#include "store/bases.h"
#include "util/io.h"
#include "write/encode.h"
#include "write/model.h"

/* A reproducible byte stream: an LCG of 64 bits, the upper half of it. */
static inline uint32_t files_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 32);
}

static inline int files_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static inline void files_append(int fd, const void *data, size_t len)
{
	CHECK(write(fd, data, len) == (ssize_t)len);
}

/* One BF16 matrix "w" of @rows x @cols; values by @value from (index, arg). */
static inline int files_model(uint64_t rows, uint64_t cols, uint16_t (*value)(uint64_t i, uint64_t arg), uint64_t arg)
{
	uint16_t *values = malloc(rows * cols * 2);
	uint8_t length[8];
	char json[128];
	int fd = files_memory("model");

	CHECK(values);
	snprintf(json, sizeof(json), "{\"w\":{\"dtype\":\"BF16\",\"shape\":[%llu,%llu],\"data_offsets\":[0,%llu]}}",
		 (unsigned long long)rows, (unsigned long long)cols, (unsigned long long)(rows * cols * 2));
	dfs_put_u64le(length, strlen(json));
	for (uint64_t i = 0; i < rows * cols; i++)
		values[i] = htole16(value(i, arg));
	files_append(fd, length, 8);
	files_append(fd, json, strlen(json));
	files_append(fd, values, rows * cols * 2);
	free(values);
	return fd;
}

/* BF16 that look like weights: sign, an exponent around 2^-6, any mantissa. */
static inline uint16_t files_weight(uint64_t i, uint64_t seed)
{
	uint64_t state = (i + 1) * 0x9e3779b97f4a7c15ull ^ seed;
	uint32_t r = (files_random(&state), files_random(&state));
	int octaves = __builtin_ctz(r | 1u << 8);

	return (uint16_t)((r >> 31) << 15 | (uint32_t)(121 - octaves) << 7 | (r >> 9 & 0x7f));
}

/* The same, each moved by -1, 0 or 1 unit. */
static inline uint16_t files_tuned(uint64_t i, uint64_t seed)
{
	uint64_t state = i ^ 0x5851f42d4c957f2dull;

	return (uint16_t)(files_weight(i, seed) + (files_random(&state), files_random(&state) % 3) - 1);
}

static inline struct dfs_model *files_open_model(int fd)
{
	struct dfs_model *model = NULL;
	struct dfs_err err = { "" };
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_OK(dfs_model_open_files((char *[]){ path }, 1, "org/name@c0ffee", &model, &err), err);
	CHECK_OK(dfs_model_identify(model, NULL, NULL, NULL, &err), err);
	return model;
}

static inline size_t files_read(int fd, uint8_t **ret_bytes)
{
	struct stat st;

	CHECK(fstat(fd, &st) == 0);
	*ret_bytes = malloc((size_t)st.st_size + 1);
	CHECK(*ret_bytes);
	CHECK(dfs_pread_all(fd, *ret_bytes, (size_t)st.st_size, 0) == 0);
	return (size_t)st.st_size;
}

/* Two files hold the same bytes. */
static inline bool files_same(int a, int b)
{
	uint8_t *x, *y;
	size_t x_len = files_read(a, &x), y_len = files_read(b, &y);
	bool same = x_len == y_len && !memcmp(x, y, x_len);

	free(x);
	free(y);
	return same;
}

/* A reader that finds the base at @base_fd; < 0: no base. */
struct files_reader {
	struct dfs_bases *bases;
	struct dfs_reader *reader;
};

static inline struct files_reader files_reader_new(int base_fd)
{
	struct files_reader r = { dfs_bases_new(NULL), NULL };
	struct dfs_reader_config config = { .bases = r.bases, .threads = 2, .cache_bytes = 8 << 20 };
	struct dfs_err err = { "" };
	char path[64];

	CHECK(r.bases);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", base_fd);
	if (base_fd >= 0)
		CHECK_OK(dfs_bases_add(r.bases, path, &err), err);
	CHECK_OK(dfs_reader_new(&config, &r.reader, &err), err);
	return r;
}

static inline void files_reader_free(struct files_reader *r)
{
	dfs_reader_free(r->reader);
	dfs_bases_free(r->bases);
}

#endif
