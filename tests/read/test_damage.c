/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Damage is an error that says where; it is never a wrong byte, and it is over when the damage is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../check.h"
#include "pair.h"
#include "read/internal.h"

static struct pair pair;
static struct dfs_err err;

static int read_at(uint64_t off, size_t len)
{
	uint8_t *buf = malloc(len);
	size_t got;
	int ret;

	err.text[0] = '\0';
	ret = dfs_view_read(pair.view, off, len, buf, &got, &err);
	if (ret == 0 && memcmp(buf, pair.bytes + off, got) != 0)
		ret = 1; /* the one thing that must never be */
	free(buf);
	return ret;
}

static bool said(const char *word)
{
	if (strstr(err.text, word))
		return true;
	print_error("\"%s\" is not in: %s\n", word, err.text);
	return false;
}

/* The chunk in the middle of second.weight, and where its payload lies. */
static struct dfs_extent middle(void)
{
	return dfs_extent_at(pair.view, pair_tensor_off(&pair, "second.weight") + PAIR_BIG_LEN / 2);
}

static void a_flipped_payload_costs_its_chunk_alone(void **state)
{
	struct dfs_extent chunk;
	uint64_t payload;

	(void)state;
	pair_open(&pair, 0, 1, 1);
	chunk = middle();
	payload = dfs_view_container(pair.view)->chunks[chunk.chunk].off;
	pair_flip(pair.container, payload + 11);
	CHECK_RET(-EBADMSG, read_at(chunk.off, 4096));
	CHECK(said("coded: tensor \"second.weight\": chunk"));
	CHECK(said("payload does not match its hash"));
	CHECK_RET(0, read_at(chunk.off - 4096, 4096));
	CHECK_RET(0, read_at(chunk.off + chunk.len, 4096));
	CHECK_RET(-EBADMSG, read_at(chunk.off - 4096, 8192));
	pair_flip(pair.container, payload + 11);
	CHECK_RET(0, read_at(chunk.off, chunk.len));
	pair_close(&pair);
}

static void a_changed_base_is_named(void **state)
{
	struct dfs_extent chunk;

	(void)state;
	pair_open(&pair, 0, 1, 1);
	chunk = middle();
	pair_flip(pair.base, chunk.off + 100);
	CHECK_RET(-EBADMSG, read_at(chunk.off, 4096));
	CHECK(said("tensor \"second.weight\": chunk"));
	CHECK(said("base.safetensors"));
	CHECK_RET(0, read_at(chunk.off + chunk.len, 4096));
	pair_flip(pair.base, chunk.off + 100);
	dfs_pool_drain(pair.reader->settler.pool); /* hashes it: changed bytes would be passed over */
	CHECK_RET(0, read_at(chunk.off, chunk.len));
	pair_close(&pair);
}

static void a_lost_base_heals_when_it_returns(void **state)
{
	char away[128];

	(void)state;
	snprintf(away, sizeof(away), "%s.away", pair.base);
	pair_open(&pair, 0, 1, 1);
	CHECK(rename(pair.base, away) == 0);
	CHECK_RET(-EIO, read_at(middle().off, 4096));
	CHECK(said("second.weight"));
	CHECK_RET(0, read_at(0, 100)); /* the header needs no base */
	CHECK(rename(away, pair.base) == 0);
	CHECK_RET(0, read_at(middle().off, 4096));
	pair_close(&pair);
}

static void a_base_cut_short_is_an_error_and_no_signal(void **state)
{
	uint8_t *whole = malloc(pair.len);
	int fd = open(pair.base, O_RDWR | O_CLOEXEC);

	(void)state;
	CHECK(fd >= 0 && pread(fd, whole, pair.len, 0) == (ssize_t)pair.len);
	pair_open(&pair, 0, 1, 1);
	CHECK_RET(0, read_at(middle().off, 4096)); /* it is open now */
	CHECK(ftruncate(fd, 4096) == 0);
	CHECK_RET(-EIO, read_at(middle().off + 2 * DFS_GRID, 4096));
	CHECK(said("base"));
	CHECK(pwrite(fd, whole, pair.len, 0) == (ssize_t)pair.len);
	CHECK_RET(0, read_at(middle().off + 2 * DFS_GRID, 4096));
	pair_close(&pair);
	close(fd);
	free(whole);
}

static void a_container_cut_short_is_no_container(void **state)
{
	struct dfs_view *view;
	char copy[512];
	int fd;

	(void)state;
	pair_open(&pair, 0, 1, 1);
	snprintf(copy, sizeof(copy), "cp %s %s/copy && truncate -s -300 %s/copy", pair.container, pair.dir, pair.dir);
	CHECK(system(copy) == 0);
	snprintf(copy, sizeof(copy), "%s/copy", pair.dir);
	fd = open(copy, O_RDONLY | O_CLOEXEC);
	CHECK(dfs_view_open(pair.reader, fd, "copy", &view, &err) == -EUCLEAN);
	CHECK(said("copy: "));
	close(fd);
	unlink(copy);
	pair_close(&pair);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(a_flipped_payload_costs_its_chunk_alone),
	cmocka_unit_test(a_changed_base_is_named),
	cmocka_unit_test(a_lost_base_heals_when_it_returns),
	cmocka_unit_test(a_base_cut_short_is_an_error_and_no_signal),
	cmocka_unit_test(a_container_cut_short_is_no_container),
};

int main(int argc, char **argv)
{
	int status;

	pair_make(&pair);
	status = check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
	pair_remove(&pair);
	return status;
}
