/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages: reads a container page by page through the READ flow and says of
 * each page whether it is right, refused or wrong.
 *
 *	pages check CONTAINER ORIGINAL BASE...	as it is; "right N refused N wrong N"
 *	pages flips STEP CONTAINER ORIGINAL BASE...
 *		with one bit flipped, for every STEP-th bit of the container, in a
 *		copy that is never written back: no page may ever be wrong, a flip in a
 *		payload may cost only the pages of its chunk, and some flips must be
 *		noticed (else the test proves nothing)
 *
 * Exit status 0 if no page was wrong.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read/view.h"

#define PAGE 4096u

struct tally {
	uint64_t right, refused, wrong;
};

struct subject {
	struct dfs_reader *reader;
	const uint8_t *original;
	size_t original_len;
	uint8_t *bytes;		/* of the container */
	size_t len;
	char copy[64];		/* a file to damage */
	int copy_fd;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static uint8_t *load(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *bytes;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes || read(fd, bytes, (size_t)st.st_size) != st.st_size)
		die(path);
	close(fd);
	*ret_len = (size_t)st.st_size;
	return bytes;
}

static struct tally read_pages(const struct subject *s, const char *path, uint64_t *first, uint64_t *last)
{
	size_t n_pages = (s->original_len + PAGE - 1) / PAGE;
	struct tally tally = { 0 };
	struct dfs_view *view = NULL;
	struct dfs_err err;
	uint8_t page[PAGE];

	*first = UINT64_MAX;
	*last = 0;
	if (dfs_view_open(s->reader, open(path, O_RDONLY | O_CLOEXEC), path, &view, &err) < 0 ||
	    dfs_view_size(view) != s->original_len) {
		tally.refused = n_pages;
		tally.wrong = view != NULL;
		dfs_view_close(view);
		return tally;
	}
	for (size_t i = 0; i < n_pages; i++) {
		size_t want = s->original_len - i * PAGE < PAGE ? s->original_len - i * PAGE : PAGE, got = 0;

		if (dfs_view_read(view, i * PAGE, PAGE, page, &got, &err) < 0) {
			tally.refused++;
			*first = i < *first ? i : *first;
			*last = i;
		} else if (got == want && !memcmp(page, s->original + i * PAGE, want)) {
			tally.right++;
		} else {
			tally.wrong++;
		}
	}
	dfs_view_close(view);
	return tally;
}

/* The pages that a chunk with this byte of the container in its payload may cost. */
static int in_its_chunk(const struct dfs_container *c, uint64_t at, uint64_t first, uint64_t last)
{
	for (uint32_t s = 0; s < c->n_segments; s++) {
		for (uint32_t i = 0; i < c->segments[s].n_chunks; i++) {
			const struct dfs_chunk_ref *ref = &c->chunks[c->segments[s].first_chunk + i];
			uint64_t off, len;

			if (at < ref->off || at >= ref->off + ref->len)
				continue;
			dfs_segment_chunk(&c->segments[s], i, &off, &len);
			return first >= off / PAGE && last <= (off + len - 1) / PAGE;
		}
	}
	return 0;
}

static int flip_one(const struct subject *s, const struct dfs_container *c, uint64_t bit, uint64_t *noticed)
{
	uint64_t at = bit / 8, first, last;
	uint8_t damaged = s->bytes[at] ^ (uint8_t)(1u << bit % 8);
	struct tally tally;

	if (pwrite(s->copy_fd, &damaged, 1, (off_t)at) != 1)
		die("pwrite");
	tally = read_pages(s, s->copy, &first, &last);
	if (pwrite(s->copy_fd, &s->bytes[at], 1, (off_t)at) != 1)
		die("pwrite");
	*noticed += tally.refused != 0;
	if (tally.wrong) {
		printf("WRONG: bit %" PRIu64 " of byte %" PRIu64 "\n", bit % 8, at);
		return 1;
	}
	if (tally.refused && at >= DFS_SUPERBLOCK_SIZE && at < c->sb.meta_off && !in_its_chunk(c, at, first, last)) {
		printf("TOO MUCH: byte %" PRIu64 " cost pages %" PRIu64 " to %" PRIu64 "\n", at, first, last);
		return 1;
	}
	return 0;
}

static int flips(struct subject *s, const char *container, uint64_t step)
{
	struct dfs_view *view;
	struct dfs_err err;
	uint64_t noticed = 0, tried = 0;
	int failed = 0;

	if (dfs_view_open(s->reader, open(container, O_RDONLY | O_CLOEXEC), container, &view, &err) < 0 ||
	    !dfs_view_container(view)) {
		fprintf(stderr, "%s: %s\n", container, err.text);
		return 2;
	}
	for (uint64_t bit = 0; bit < s->len * 8; bit += step, tried++)
		failed |= flip_one(s, dfs_view_container(view), bit, &noticed);
	dfs_view_close(view);
	printf("flips %" PRIu64 " noticed %" PRIu64 "\n", tried, noticed);
	return failed || noticed < tried / 2;
}

static void make_copy(struct subject *s)
{
	s->copy_fd = memfd_create("damaged", MFD_CLOEXEC);
	if (s->copy_fd < 0 || write(s->copy_fd, s->bytes, s->len) != (ssize_t)s->len)
		die("memfd");
	snprintf(s->copy, sizeof(s->copy), "/proc/self/fd/%d", s->copy_fd);
}

static int run(struct subject *s, int argc, char **argv, int at)
{
	struct dfs_bases *bases = dfs_bases_new(NULL);
	struct dfs_reader_config config = { .cache_bytes = 16u << 20, .threads = 1, .bases = bases };
	struct tally tally;
	struct dfs_err err;
	uint64_t first, last;

	for (int i = at + 2; i < argc; i++) {
		if (dfs_bases_add(bases, argv[i], &err) < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], err.text);
			return 2;
		}
	}
	if (dfs_reader_new(&config, &s->reader, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	s->bytes = load(argv[at], &s->len);
	s->original = load(argv[at + 1], &s->original_len);
	make_copy(s);
	if (at == 3)
		return flips(s, argv[at], strtoull(argv[2], NULL, 0));
	tally = read_pages(s, argv[at], &first, &last);
	printf("right %" PRIu64 " refused %" PRIu64 " wrong %" PRIu64 "\n", tally.right, tally.refused, tally.wrong);
	return tally.wrong != 0;
}

int main(int argc, char **argv)
{
	struct subject subject = { 0 };

	if (argc >= 5 && !strcmp(argv[1], "check"))
		return run(&subject, argc, argv, 2);
	if (argc >= 6 && !strcmp(argv[1], "flips"))
		return run(&subject, argc, argv, 3);
	fprintf(stderr, "usage: pages check CONTAINER ORIGINAL BASE... | flips STEP CONTAINER ORIGINAL BASE...\n");
	return 2;
}
