/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers whose hashes are right and whose meaning is not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../check.h"
#include "codec/codec.h"
#include "pair.h"
#include "read/internal.h"
#include "util/io.h"

static struct pair pair;

/* A diff payload of 32 lanes that are where they began: all values are as predicted. */
#define PAYLOAD 128

static void payload_make(uint8_t payload[PAYLOAD])
{
	for (unsigned i = 0; i < PAYLOAD; i += 4)
		dfs_put_u32le(payload + i, 1u << 16);
}

/* A diff table for F64 whose only symbol is "as predicted"; for bytes it would be too long. */
static uint8_t sure_table[5];

#define FIRST_LEN (2048u * 8)
#define SECOND_LEN (112u << 10)

static void container_write(const struct dfs_container *c, const uint8_t *payloads, int fd)
{
	struct dfs_superblock sb = { .version = DFS_FORMAT_VERSION, .meta_off = DFS_SUPERBLOCK_SIZE + 2 * PAYLOAD };
	uint8_t packed[DFS_SUPERBLOCK_SIZE];
	struct dfs_buf meta = { 0 };
	struct dfs_err err;

	CHECK_OK(dfs_container_pack(c, &meta, &err), err);
	sb.original_size = FIRST_LEN + SECOND_LEN;
	sb.meta_len = meta.len;
	sb.container_size = sb.meta_off + meta.len + DFS_SUPERBLOCK_SIZE;
	sb.meta_hash = dfs_hash128(meta.data, meta.len);
	dfs_superblock_pack(&sb, packed);
	CHECK(dfs_pwrite_all(fd, packed, sizeof(packed), 0) == 0);
	CHECK(dfs_pwrite_all(fd, payloads, 2 * PAYLOAD, DFS_SUPERBLOCK_SIZE) == 0);
	CHECK(dfs_pwrite_all(fd, meta.data, meta.len, sb.meta_off) == 0);
	CHECK(dfs_pwrite_all(fd, packed, sizeof(packed), sb.meta_off + meta.len) == 0);
	dfs_buf_release(&meta);
}

/* Values of 8 bytes, then bytes, coded with one table. */
static void shared_table_write(int fd)
{
	const struct dfs_container *real = dfs_view_container(pair.view);
	uint8_t payloads[2 * PAYLOAD], expected[FIRST_LEN];
	struct dfs_chunk_ref chunks[2];
	struct dfs_segment segments[2] = {
		{ .len = FIRST_LEN, .dtype = DFS_F64, .first_chunk = 0 },
		{ .off = FIRST_LEN, .len = SECOND_LEN, .dtype = DFS_U8, .first_chunk = 1, .first_piece = 1 },
	};
	struct dfs_piece_record pieces[2] = {
		{ .len = FIRST_LEN, .dtype = DFS_F64 },
		{ .len = SECOND_LEN, .dtype = DFS_U8 },
	};
	struct dfs_table_record table = { .len = sizeof(sure_table), .codec = DFS_CODEC_DIFF };
	struct dfs_container c = {
		.bases = real->bases, .n_bases = 1, .segments = segments, .n_segments = 2,
		.pieces = pieces, .n_pieces = 2, .tables = &table, .n_tables = 1,
		.chunks = chunks, .n_chunks = 2, .blob = sure_table, .blob_len = sizeof(sure_table),
	};
	int base = open(pair.base, O_RDONLY | O_CLOEXEC);

	CHECK(base >= 0 && dfs_pread_all(base, expected, FIRST_LEN, 0) == 0);
	close(base);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t off = DFS_SUPERBLOCK_SIZE + i * PAYLOAD;

		payload_make(payloads + i * PAYLOAD);
		segments[i].kind = DFS_SEGMENT_TENSOR;
		segments[i].predictor = DFS_PREDICT_BASE;
		segments[i].n_chunks = segments[i].n_pieces = segments[i].n_tables = 1;
		chunks[i] = (struct dfs_chunk_ref){ .off = off, .len = PAYLOAD, .codec = DFS_CODEC_DIFF };
		chunks[i].payload_hash = dfs_hash64(payloads + i * PAYLOAD, PAYLOAD, off);
	}
	chunks[0].decoded_hash = dfs_hash64(expected, FIRST_LEN, 0);
	container_write(&c, payloads, fd);
}

/* A table says how large values are; taken for smaller ones it would have a kernel write past a chunk's end. */
static void a_table_serves_values_of_its_own_shape_only(void **state)
{
	struct dfs_err err = { "" };
	struct dfs_view *view;
	uint8_t byte;
	size_t got;
	char path[96];
	int fd;

	(void)state;
	pair_open(&pair, 0, 1, 1);
	snprintf(path, sizeof(path), "%s/hostile", pair.dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	shared_table_write(fd);
	CHECK_OK(dfs_view_open(pair.reader, fd, "hostile", &view, &err), err);
	CHECK_OK(dfs_view_read(view, 0, 1, &byte, &got, &err), err);
	CHECK_RET(-EUCLEAN, dfs_view_read(view, FIRST_LEN, 1, &byte, &got, &err));
	CHECK(strstr(err.text, "table"));
	CHECK_OK(dfs_view_read(view, FIRST_LEN - 1, 1, &byte, &got, &err), err);
	dfs_view_close(view);
	unlink(path);
	pair_close(&pair);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(a_table_serves_values_of_its_own_shape_only),
};

int main(int argc, char **argv)
{
	int status;

	pair_make(&pair);
	status = check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
	pair_remove(&pair);
	return status;
}
