/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_pending: any bytes as .deltafs/pending.
 *
 * Input: lines. They are read twice: as they are, and with the right check in
 * front of each, without which no mutation would ever pass the first test. A
 * line that is taken for a record is what that record would be written as.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/pending.h"
#include "util/auto.h"
#include "util/hash.h"
#include "util/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_path(const char *path)
{
	if (!*path || *path == '/' || strstr(path, "//") || strncmp(path, "../", 3) == 0 || strstr(path, "/../"))
		abort();
}

static const char *const words[DFS_PENDING_KINDS] = {
	[DFS_PENDING_ADD] = "add", [DFS_PENDING_DONE] = "done", [DFS_PENDING_DROP] = "drop",
	[DFS_PENDING_MOVE] = "move", [DFS_PENDING_EXCHANGE] = "exchange",
};

/* dfs_pending_fn */
static void check_record(void *arg, enum dfs_pending_kind kind, const char *path, const char *to)
{
	struct dfs_buf *out = arg;

	check_path(path);
	if ((kind == DFS_PENDING_MOVE || kind == DFS_PENDING_EXCHANGE) != (*to != '\0'))
		abort();
	if (*to)
		check_path(to);
	if (dfs_journal_line(out, (const char *[]){ words[kind], path, to }, *to ? 3 : 2) < 0)
		abort();
}

/* The lines of @out are lines of @in, in their order. */
static void check_same(const struct dfs_buf *in, const struct dfs_buf *out)
{
	size_t at = 0;

	for (size_t from = 0; from < out->len;) {
		const uint8_t *end = memchr(out->data + from, '\n', out->len - from);
		size_t n = (size_t)(end - out->data) - from + 1;
		const uint8_t *found = memmem(in->data + at, in->len - at, out->data + from, n - 1);

		if (!found)
			abort();
		at = (size_t)(found - in->data) + n - 1;
		from += n;
	}
}

static void read_back(const struct dfs_buf *in)
{
	DFS_AUTO(fd) int fd = memfd_create("pending", MFD_CLOEXEC);
	struct dfs_journal_reading reading;
	struct dfs_buf out = { 0 };

	if (fd < 0 || dfs_write_all(fd, in->data, in->len) < 0)
		abort();
	if (dfs_pending_read(fd, check_record, &out, &reading) < 0 || reading.size != in->len)
		abort();
	check_same(in, &out);
	dfs_buf_release(&out);
}

static void append_checked(struct dfs_buf *out, const uint8_t *line, size_t len)
{
	char check[20];
	int n = snprintf(check, sizeof(check), "%016" PRIx64 "\t", dfs_hash64(line, len, 0));

	if (dfs_buf_append(out, check, (size_t)n) < 0 || dfs_buf_append(out, line, len) < 0 ||
	    dfs_buf_append(out, "\n", 1) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dfs_buf raw = { 0 }, checked = { 0 };
	size_t from = 0;

	if (dfs_buf_append(&raw, data, len) < 0)
		abort();
	while (from < len) {
		const uint8_t *end = memchr(data + from, '\n', len - from);
		size_t n = end ? (size_t)(end - data) - from : len - from;

		append_checked(&checked, data + from, n);
		from += n + 1;
	}
	read_back(&raw);
	read_back(&checked);
	dfs_buf_release(&raw);
	dfs_buf_release(&checked);
	return 0;
}
