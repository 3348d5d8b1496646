/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * given_up: whole files through codecs that give up bits, for tests: files of
 * several tensors by a formula, and what became of them.
 */
#ifndef DFS_TESTS_GIVEN_UP_H
#define DFS_TESTS_GIVEN_UP_H

#include "files.h"

#include <math.h>

#include "codec/codec.h"
#include "tensor/convert.h"
#include "write/decode.h"
#include "write/verify.h"

#define LEN(list) (sizeof(list) / sizeof(*(list)))

/* The @i-th number of some order that has none, from -1 to 1. */
static inline double noise(uint64_t i, uint64_t seed)
{
	uint64_t state = (i + 1) * 0x9e3779b97f4a7c15ull ^ seed;

	files_random(&state);
	return (double)(int32_t)files_random(&state) * 0x1p-31;
}

/* Value @i of tensor @number: of a base, and tuned by up to 2^-6, which takes some five bits exactly in BF16. */
typedef double value_fn(unsigned number, uint64_t i);

static inline double base_value(unsigned number, uint64_t i)
{
	return noise(i, number * 77);
}

static inline double tuned_value(unsigned number, uint64_t i)
{
	return base_value(number, i) + noise(i, number * 77 + 1) * 0x1p-6;
}

/* A file of tensors in the order of the list. */
static inline int model_of(const struct spec *specs, size_t n, value_fn *value)
{
	struct dfs_header *header = make_header(specs, n, "");
	char *json = NULL;
	int fd = files_memory("model");
	uint8_t length[8];
	uint64_t off = 0;
	size_t len;
	FILE *out = open_memstream(&json, &len);

	fputs("{", out);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? "," : "", out);
		put_spec(out, &specs[i], off);
		off += spec_len(&specs[i]);
	}
	fputs("}", out);
	CHECK(fclose(out) == 0);
	dfs_put_u64le(length, len);
	files_append(fd, length, 8);
	files_append(fd, json, len);
	for (unsigned t = 0; t < n; t++) {
		const struct dfs_tensor *tensor = dfs_header_find(header, specs[t].name);
		uint8_t *bytes = calloc(1, tensor->len);
		unsigned size = dfs_dtype_info(tensor->dtype)->size;

		for (uint64_t i = 0; i < tensor->len / size; i++) {
			double number = value(t, i);

			if (dfs_can_convert(DFS_F64, tensor->dtype))
				dfs_convert(DFS_F64, tensor->dtype, &number, bytes + i * size, 1);
		}
		files_append(fd, bytes, tensor->len);
		free(bytes);
	}
	free(json);
	dfs_header_free(header);
	return fd;
}

/* What became of a file: the container, and what it decodes to. */
struct result {
	int fd, base_fd, container, shown;
	struct dfs_model *base;
	struct files_reader reader;
	struct dfs_view *view;
	const struct dfs_container *c;
	struct dfs_encode_result encoded;
};

static inline int encode(struct result *r, const char *codec, unsigned threads, int out)
{
	struct dfs_encode_config config = { .base = r->base, .codec = codec, .threads = threads };
	struct dfs_err err = { "" };

	CHECK_OK(dfs_encode(r->fd, "file", out, &config, &r->encoded, &err), err);
	return out;
}

/* Takes both descriptors; @base_fd < 0: none. Verified in every way. */
static inline struct result result_of(int fd, int base_fd, const char *codec)
{
	struct result r = {
		.fd = fd, .base_fd = base_fd, .shown = files_memory("shown"),
		.base = base_fd >= 0 ? files_open_model(base_fd) : NULL, .reader = files_reader_new(base_fd),
	};
	struct dfs_decode_config decode = { .reader = r.reader.reader };
	struct dfs_verify_config verify = { .reader = r.reader.reader };
	struct dfs_err err = { "" };

	r.container = encode(&r, codec, 2, files_memory("container"));
	CHECK_OK(dfs_verify_same(r.container, "file", fd, &verify, &err), err);
	CHECK_OK(dfs_verify_full(r.container, "file", &verify, &err), err);
	CHECK_OK(dfs_verify_fast(r.container, "file", &verify, &err), err);
	CHECK_OK(dfs_decode(r.container, "file", r.shown, &decode, &err), err);
	CHECK_OK(dfs_view_open(r.reader.reader, fcntl(r.container, F_DUPFD_CLOEXEC, 0), "file", &r.view, &err), err);
	r.c = dfs_view_container(r.view);
	return r;
}

static inline void result_free(struct result *r)
{
	dfs_view_close(r->view);
	files_reader_free(&r->reader);
	dfs_model_free(r->base);
	close(r->fd);
	close(r->container);
	close(r->shown);
	if (r->base_fd >= 0)
		close(r->base_fd);
}

/* Chunks of @codec in the container. */
static inline unsigned chunks_of(const struct result *r, unsigned codec)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < r->c->n_chunks; i++)
		n += r->c->chunks[i].codec == codec;
	return n;
}

static inline void check_hashes(const struct result *r)
{
	uint8_t *plain, *shown;
	size_t plain_len = files_read(r->fd, &plain), shown_len = files_read(r->shown, &shown);
	bool lossy = r->c->sb.incompatible & DFS_FEATURE_LOSSY;

	CHECK(plain_len == shown_len);
	CHECK(dfs_hash_equal(r->c->sb.source_hash, dfs_hash128(plain, plain_len)));
	CHECK(dfs_hash_equal(r->c->sb.shown_hash, dfs_hash128(shown, shown_len)));
	CHECK(lossy == (memcmp(plain, shown, plain_len) != 0));
	CHECK(dfs_hash_equal(r->encoded.sb.shown_hash, r->c->sb.shown_hash));
	free(plain);
	free(shown);
}

/*
 * Is a tensor as it was? If not, it has to be near: no value further off than
 * twice the largest difference that was made.
 */
static inline bool is_exact(const struct result *r, const char *name)
{
	struct dfs_header *header = NULL;
	const struct dfs_tensor *t;
	struct dfs_err err = { "" };
	uint8_t *plain, *shown;
	unsigned size;
	bool same;

	files_read(r->fd, &plain);
	files_read(r->shown, &shown);
	CHECK_OK(dfs_header_load(r->fd, &header, &err), err);
	t = dfs_header_find(header, name);
	CHECK(t);
	size = dfs_dtype_info(t->dtype)->size;
	same = !memcmp(plain + t->off, shown + t->off, t->len);
	for (uint64_t i = 0; !same && i < t->len / size; i++) {
		double a, b;

		dfs_convert(t->dtype, DFS_F64, plain + t->off + i * size, &a, 1);
		dfs_convert(t->dtype, DFS_F64, shown + t->off + i * size, &b, 1);
		/* the rounding of BF16 near 1 is a difference too */
		CHECK(fabs(a - b) <= 2 * (0x1p-6 + 0x1p-8));
	}
	dfs_header_free(header);
	free(plain);
	free(shown);
	return same;
}

#endif
