/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_corpus: what earlier builds wrote is read; what is wrong is refused as
 * README.md says.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "read/reader.h"
#include "read/view.h"
#include "util/auto.h"
#include "util/cpu.h"

#define PIECE 50000 /* bytes read at once: falls on no chunk */

/* A reader that finds every base of the corpus. */
struct shelf {
	struct dfs_bases *bases;
	struct dfs_reader *reader;
};

static void shelf_open(struct shelf *shelf)
{
	static const char *const files[] = {
		"base-main.safetensors", "base-every.safetensors", "base-halves.index.json",
	};
	struct dfs_reader_config config = { .threads = 2 };
	struct dfs_err err = { "" };
	char path[4096];

	shelf->bases = dfs_bases_new(NULL);
	CHECK(shelf->bases);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", CORPUS, files[i]);
		CHECK_OK(dfs_bases_add(shelf->bases, path, &err), err);
	}
	config.bases = shelf->bases;
	CHECK_OK(dfs_reader_new(&config, &shelf->reader, &err), err);
}

static void shelf_close(struct shelf *shelf)
{
	dfs_reader_free(shelf->reader);
	dfs_bases_free(shelf->bases);
}

static int open_file(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* All bytes of a file of the corpus through the READ flow, added to @hasher. Return: 0 or the first error. */
static int read_all(const struct shelf *shelf, const char *name, struct dfs_hasher *hasher,
		    struct dfs_err *err)
{
	DFS_AUTO(mem) uint8_t *buf = malloc(PIECE);
	DFS_AUTO(fd) int fd = open_file(name);
	struct dfs_view *view;
	int ret;

	if (fd < 0)
		fail_msg("%s: %m", name);
	ret = dfs_view_open(shelf->reader, fd, name, &view, err);
	if (ret < 0)
		return ret;
	dfs_steal_fd(&fd);
	for (uint64_t off = 0; ret == 0 && off < dfs_view_size(view); off += PIECE) {
		size_t len = 0;

		ret = dfs_view_read(view, off, PIECE, buf, &len, err);
		if (ret == 0)
			dfs_hasher_add(hasher, buf, len);
	}
	dfs_view_close(view);
	return ret;
}

static FILE *open_list(const char *name)
{
	int fd = open_file(name);
	FILE *list = fd < 0 ? NULL : fdopen(fd, "r");

	if (!list)
		fail_msg("%s: %m", name);
	return list;
}

/* One line of FROZEN: hashes of the container and of the file, the container's name. */
static void good_one(const struct shelf *shelf, const char *line)
{
	char want[DFS_HASH_HEX], got[DFS_HASH_HEX], name[100];
	struct dfs_hasher *hasher = dfs_hasher_new();
	struct dfs_err err = { "" };
	int ret;

	CHECK(sscanf(line, "%*64s %*64s %32s %99s", want, name) == 2);
	ret = read_all(shelf, name, hasher, &err);
	if (ret < 0)
		fail_msg("%s with %s: %d, %s", name, getenv("DELTAFS_CPU"), ret, err.text);
	dfs_hash_hex(dfs_hasher_end(hasher), got);
	dfs_hasher_free(hasher);
	if (strcmp(want, got) != 0)
		fail_msg("%s: other bytes than were encoded: %s, not %s", name, got, want);
}

static void every_good_one_is_read_by_every_kernel(void **state)
{
	char line[1000];
	unsigned n = 0;

	(void)state;
	for (unsigned level = 0; level <= dfs_cpu_best(); level++) {
		FILE *list = open_list("FROZEN");
		struct shelf shelf;

		setenv("DELTAFS_CPU", dfs_cpu_name(level), 1);
		shelf_open(&shelf);
		for (n = 0; fgets(line, sizeof(line), list);) {
			if (line[0] == '#')
				continue;
			good_one(&shelf, line);
			n++;
		}
		shelf_close(&shelf);
		fclose(list);
		unsetenv("DELTAFS_CPU");
	}
	CHECK(n >= 25);
}

static int errno_of(const char *word)
{
	if (!strcmp(word, "EUCLEAN"))
		return -EUCLEAN;
	if (!strcmp(word, "EBADMSG"))
		return -EBADMSG;
	if (!strcmp(word, "ENOTSUP"))
		return -ENOTSUP;
	fail_msg("README.md: %s?", word);
	return 0;
}

static void every_bad_one_is_refused_as_it_should(void **state)
{
	FILE *list = open_list("README.md");
	char line[1000], name[100], word[100];
	struct shelf shelf;
	unsigned n = 0;

	(void)state;
	shelf_open(&shelf);
	while (fgets(line, sizeof(line), list)) {
		struct dfs_hasher *hasher;
		struct dfs_err err = { "" };
		int ret;

		if (sscanf(line, "| %99s | %99s |", name, word) != 2 || word[0] != 'E')
			continue;
		hasher = dfs_hasher_new();
		ret = read_all(&shelf, name, hasher, &err);
		dfs_hasher_free(hasher);
		if (ret != errno_of(word))
			fail_msg("%s: %d (%s), not %s", name, ret, err.text, word);
		if (!err.text[0])
			fail_msg("%s: no sentence", name);
		n++;
	}
	shelf_close(&shelf);
	fclose(list);
	CHECK(n >= 40);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(every_good_one_is_read_by_every_kernel),
	cmocka_unit_test(every_bad_one_is_refused_as_it_should),
};

CHECK_MAIN(cases)
