/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pair.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "store/bases.h"
#include "util/bytes.h"
#include "util/io.h"
#include "write/encode.h"
#include "write/model.h"

static const struct shape {
	const char *name;
	const char *dtype;
	unsigned rows, cols, size;
} shapes[] = {
	{ "first.weight", "BF16", PAIR_BIG_ROWS, PAIR_COLS, 2 },
	{ "first.bias", "BF16", 1, 300, 2 },
	{ "middle.norm", "F32", 1, 513, 4 },
	{ "second.weight", "BF16", PAIR_BIG_ROWS, PAIR_COLS, 2 },
	{ "second.bias", "BF16", 1, 7, 2 },
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static size_t shape_len(const struct shape *s)
{
	return (size_t)s->rows * s->cols * s->size;
}

static size_t header_make(char *text, size_t room)
{
	size_t at = 0, used;

	used = (size_t)snprintf(text, room, "{\"__metadata__\":{\"format\":\"pt\"}");
	for (size_t i = 0; i < N_SHAPES; i++) {
		used += (size_t)snprintf(text + used, room - used, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%u,%u],\"data_offsets\":[%zu,%zu]}",
					 shapes[i].name, shapes[i].dtype, shapes[i].rows, shapes[i].cols,
					 at, at + shape_len(&shapes[i]));
		at += shape_len(&shapes[i]);
	}
	used += (size_t)snprintf(text + used, room - used, "}");
	return used;
}

static size_t data_off(void)
{
	char text[2048];

	return 8 + header_make(text, sizeof(text));
}

size_t pair_tensor_off(const struct pair *pair, const char *name)
{
	size_t off = data_off();

	(void)pair;
	for (size_t i = 0; i < N_SHAPES; i++) {
		if (strcmp(shapes[i].name, name) == 0)
			return off;
		off += shape_len(&shapes[i]);
	}
	fail_msg("no tensor %s", name);
	return 0;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	perror(what);
	exit(2);
}

static void file_write(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	must(fd >= 0 && dfs_write_all(fd, data, len) == 0, path);
	close(fd);
}

/* Values like weights: small, of either sign; the fine-tune's a few units off where it moved. */
static void values_make(uint8_t *base, uint8_t *tune, size_t len)
{
	uint64_t state = 88172645463325252u;

	for (size_t i = 0; i + 2 <= len; i += 2) {
		uint64_t r = next_random(&state);
		uint16_t value = (uint16_t)(0x3b80 + (r & 0x1ff)) | (uint16_t)(r >> 40 & 0x8000);

		dfs_put_u16le(base + i, value);
		if (r >> 32 & 3)
			value = (uint16_t)(value + (r >> 34 & 7) - 3);
		dfs_put_u16le(tune + i, value);
	}
}

static void encode(struct pair *pair)
{
	struct dfs_encode_result result;
	struct dfs_encode_config config = { .threads = 1 };
	struct dfs_model *base = NULL;
	struct dfs_err err = { "" };
	int in = open(pair->tune, O_RDONLY | O_CLOEXEC);
	int out = open(pair->container, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int ret = dfs_model_open(pair->base, &base, &err);

	if (ret == 0)
		ret = dfs_model_identify(base, NULL, NULL, NULL, &err);
	config.base = base;
	if (ret == 0)
		ret = dfs_encode(in, "tune", out, &config, &result, &err);
	if (ret < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	must(result.shrunk, "the fine-tune did not shrink");
	dfs_model_free(base);
	close(in);
	close(out);
}

void pair_make(struct pair *pair)
{
	char header[2048];
	size_t header_len = header_make(header, sizeof(header));
	uint8_t *base;

	*pair = (struct pair){ .len = 8 + header_len };
	for (size_t i = 0; i < N_SHAPES; i++)
		pair->len += shape_len(&shapes[i]);
	snprintf(pair->dir, sizeof(pair->dir), "/tmp/deltafs-read.XXXXXX");
	must(mkdtemp(pair->dir), "mkdtemp");
	snprintf(pair->base, sizeof(pair->base), "%s/base.safetensors", pair->dir);
	snprintf(pair->tune, sizeof(pair->tune), "%s/tune.safetensors", pair->dir);
	snprintf(pair->container, sizeof(pair->container), "%s/coded.safetensors", pair->dir);
	pair->bytes = malloc(pair->len);
	base = malloc(pair->len);
	must(pair->bytes && base, "malloc");
	dfs_put_u64le(base, header_len);
	memcpy(base + 8, header, header_len);
	memcpy(pair->bytes, base, 8 + header_len);
	values_make(base + 8 + header_len, pair->bytes + 8 + header_len, pair->len - 8 - header_len);
	file_write(pair->base, base, pair->len);
	file_write(pair->tune, pair->bytes, pair->len);
	free(base);
	encode(pair);
}

void pair_open(struct pair *pair, size_t cache_bytes, unsigned threads, size_t readahead)
{
	struct dfs_reader_config config = {
		.cache_bytes = cache_bytes,
		.threads = threads,
		.readahead_bytes = readahead,
	};
	struct dfs_err err = { "" };

	config.bases = pair->bases = dfs_bases_new(NULL);
	CHECK_OK(dfs_bases_add(pair->bases, pair->base, &err), err);
	CHECK_OK(dfs_reader_new(&config, &pair->reader, &err), err);
	CHECK_OK(dfs_view_open(pair->reader, open(pair->container, O_RDONLY | O_CLOEXEC), "coded", &pair->view, &err), err);
	CHECK(dfs_view_size(pair->view) == pair->len);
}

void pair_close(struct pair *pair)
{
	dfs_view_close(pair->view);
	dfs_reader_free(pair->reader);
	dfs_bases_free(pair->bases);
}

void pair_remove(struct pair *pair)
{
	unlink(pair->base);
	unlink(pair->tune);
	unlink(pair->container);
	rmdir(pair->dir);
	free(pair->bytes);
}

bool pair_is_right(const struct pair *pair, uint64_t off, size_t len)
{
	uint8_t *buf = malloc(len + 1);
	struct dfs_err err = { "" };
	size_t got = 0;
	bool right;

	if (dfs_view_read(pair->view, off, len, buf, &got, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		free(buf);
		return false;
	}
	right = got == (off >= pair->len ? 0 : len < pair->len - off ? len : pair->len - off) &&
		memcmp(buf, pair->bytes + off, got) == 0;
	free(buf);
	return right;
}

void pair_flip(const char *path, uint64_t off)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct timespec times[2];
	struct stat st;
	uint8_t byte;

	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	CHECK(dfs_pread_all(fd, &byte, 1, off) == 0);
	byte ^= 0x10;
	CHECK(dfs_pwrite_all(fd, &byte, 1, off) == 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	CHECK(futimens(fd, times) == 0);
	close(fd);
}
