/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readfile: one timed pass over a file, as a client would read it.
 *
 *	readfile seq FILE		read(2) of 1 MiB pieces
 *	readfile mmap FILE		map privately, touch every cache line in order
 *	readfile random FILE SEED N	N preads of 4 KiB at random offsets, each once
 *	readfile resident FILE...	pages in the page cache, per file
 *	readfile evict FILE...		drop their pages (they must be clean)
 *
 * Prints one JSON object a pass. The sum of all 8-byte words read keeps the
 * work honest and lets passes be compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE (1u << 20)
#define PAGE 4096u

struct pass {
	const char *path;
	int fd;
	uint64_t len;
	uint64_t sum;
	uint64_t bytes;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static uint64_t sum_words(const void *data, size_t len)
{
	const uint64_t *words = data;
	uint64_t sum = 0;

	for (size_t i = 0; i < len / 8; i++)
		sum += words[i];
	return sum;
}

static void die(const char *what)
{
	fprintf(stderr, "readfile: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_pass(struct pass *pass, const char *path)
{
	struct stat st;

	*pass = (struct pass){ .path = path, .fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (pass->fd < 0 || fstat(pass->fd, &st) < 0)
		die(path);
	pass->len = (uint64_t)st.st_size;
}

static void read_seq(struct pass *pass)
{
	void *buf = aligned_alloc(PAGE, PIECE);
	ssize_t n;

	if (!buf)
		die("out of memory");
	while ((n = read(pass->fd, buf, PIECE)) > 0) {
		pass->sum += sum_words(buf, (size_t)n);
		pass->bytes += (uint64_t)n;
	}
	if (n < 0)
		die(pass->path);
	free(buf);
}

static void read_mmap(struct pass *pass)
{
	const char *map = mmap(NULL, pass->len, PROT_READ, MAP_PRIVATE, pass->fd, 0);

	if (map == MAP_FAILED)
		die(pass->path);
	for (uint64_t at = 0; at < pass->len; at += PIECE)
		pass->sum += sum_words(map + at,
				       pass->len - at < PIECE ? pass->len - at : PIECE);
	pass->bytes = pass->len;
	munmap((void *)map, pass->len);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Pages far apart, so that nothing read ahead for one serves another. */
static void read_random(struct pass *pass, uint64_t seed, size_t n)
{
	double *took = calloc(n, sizeof(*took));
	uint64_t buf[PAGE / 8];
	uint64_t stride = pass->len / n / PAGE * PAGE;

	if (!took || stride < PAGE)
		die("random: file too small");
	for (size_t i = 0; i < n; i++) {
		uint64_t slot = (i * 7919 + seed) % n;
		double start;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		start = now_s();
		if (pread(pass->fd, buf, PAGE,
			  (off_t)(slot * stride + (seed >> 33) % (stride / PAGE) * PAGE)) != PAGE)
			die(pass->path);
		took[i] = now_s() - start;
		pass->sum += sum_words(buf, PAGE);
		pass->bytes += PAGE;
	}
	qsort(took, n, sizeof(*took), compare_doubles);
	printf("{\"mode\":\"random\",\"reads\":%zu,\"median_ms\":%.4f,\"p90_ms\":%.4f,\"max_ms\":%.4f}\n",
	       n, took[n / 2] * 1e3, took[n * 9 / 10] * 1e3, took[n - 1] * 1e3);
	free(took);
}

static uint64_t resident_pages(struct pass *pass)
{
	size_t pages = (pass->len + PAGE - 1) / PAGE;
	unsigned char *in_core = malloc(pages ? pages : 1);
	uint64_t n = 0;
	void *map;

	if (!pass->len || !in_core)
		return 0;
	map = mmap(NULL, pass->len, PROT_READ, MAP_SHARED, pass->fd, 0);
	if (map == MAP_FAILED || mincore(map, pass->len, in_core) < 0)
		die(pass->path);
	for (size_t i = 0; i < pages; i++)
		n += in_core[i] & 1;
	munmap(map, pass->len);
	free(in_core);
	return n;
}

static int on_each(char **paths, int evict)
{
	struct pass pass;

	for (; *paths; paths++) {
		open_pass(&pass, *paths);
		if (evict && (errno = posix_fadvise(pass.fd, 0, 0, POSIX_FADV_DONTNEED)))
			die(*paths);
		printf("{\"file\":\"%s\",\"resident_pages\":%" PRIu64 "}\n", *paths,
		       resident_pages(&pass));
		close(pass.fd);
	}
	return 0;
}

static int timed(const char *mode, const char *path)
{
	struct rusage usage;
	struct pass pass;
	double start = now_s(), took;

	open_pass(&pass, path);
	if (!strcmp(mode, "seq"))
		read_seq(&pass);
	else
		read_mmap(&pass);
	took = now_s() - start;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"mode\":\"%s\",\"bytes\":%" PRIu64 ",\"seconds\":%.6f,\"gb_per_s\":%.4f,"
	       "\"cpu_s\":%.3f,\"sum\":\"%016" PRIx64 "\"}\n",
	       mode, pass.bytes, took, (double)pass.bytes / took / 1e9,
	       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		       1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
	       pass.sum);
	return 0;
}

int main(int argc, char **argv)
{
	struct pass pass;

	if (argc == 3 && (!strcmp(argv[1], "seq") || !strcmp(argv[1], "mmap")))
		return timed(argv[1], argv[2]);
	if (argc == 5 && !strcmp(argv[1], "random")) {
		open_pass(&pass, argv[2]);
		read_random(&pass, strtoull(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
		return 0;
	}
	if (argc >= 3 && !strcmp(argv[1], "resident"))
		return on_each(argv + 2, 0);
	if (argc >= 3 && !strcmp(argv[1], "evict"))
		return on_each(argv + 2, 1);
	fprintf(stderr, "usage: readfile seq|mmap FILE | random FILE SEED N | resident|evict FILE...\n");
	return 2;
}
