/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stripes_exerciser: several processes change the same file at once.
 *
 *	stripes_exerciser [-s SEED] [-p PROCESSES] [-n OPERATIONS] [-c ROUNDS] [-k] [-r MS] FILE
 *
 * The file is cut into stripes that meet within pages; each process writes to
 * every PROCESSES-th, and reads whatever it likes, but knows only its own. The
 * model of all is in shared memory. OPERATIONS are those of one process in one
 * round; after a round the whole file is compared, and now and then written
 * anew as it was in the beginning. With -r it is left alone for up to MS
 * milliseconds then, so that the next round's first writes meet whatever it has
 * become.
 *
 * FILE is made anew; with -k it is as it is, and must have a stripe for each.
 * FILE.new is used, too. The size never changes, and nobody else may write.
 *
 * Exit status: 0 all right, 1 something was wrong, 2 it cannot be tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "processes.h"
#include "stripes.h"

#define SIZE 3000017u /* of a file that is made anew */

static _Noreturn void cannot(const char *what)
{
	fprintf(stderr, "stripes_exerciser: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void child(void *context, unsigned process)
{
	struct stripes *s = context;
	char who[64];

	snprintf(who, sizeof(who), "process %u", process);
	s->account.who = who;
	s->process = process;
	s->rng = rng_new(s->settings.seed + s->round, who);
	stripes_attach(s);
	for (uint64_t i = 0; i < s->settings.operations; i++)
		stripes_operation(s);
	stripes_detach(s);
	account_print_refusals(&s->account);
	exit(0);
}

static void verify(struct stripes *s)
{
	int fd = open(s->settings.path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	stripes_must(s, fd >= 0, "open");
	stripes_check_size(s);
	for (size_t off = 0; off < s->size; off += (size_t)n) {
		n = pread(fd, s->buf, PIECE, (off_t)off);
		stripes_must(s, n > 0, "pread of all");
		for (size_t i = 0; i < (size_t)n; i++)
			if (s->buf[i] != s->want[off + i])
				account_fail(&s->account,
					     "after round %" PRIu64 ": first difference at "
					     "offset %zu: 0x%02x, not 0x%02x",
					     s->round, off + i, s->buf[i], s->want[off + i]);
	}
	stripes_must(s, close(fd) == 0, "close");
}

/* As it was, in its own place or in that of the old one. */
static void renew(struct stripes *s, bool in_place)
{
	const char *name = in_place ? s->settings.path : s->new_name;
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	stripes_must(s, fd >= 0, "open");
	for (size_t off = 0; off < s->size;) {
		size_t len = draw_length(&s->rng, PIECE);

		len = len < s->size - off ? len : s->size - off;
		stripes_must(s, write(fd, s->start + off, len) == (ssize_t)len, "write");
		off += len;
	}
	stripes_must(s, close(fd) == 0, "close");
	stripes_must(s, in_place || rename(s->new_name, s->settings.path) == 0, "rename");
	memcpy(s->want, s->start, s->size);
}

static void rest(struct stripes *s)
{
	unsigned ms = (unsigned)draw_below(&s->rng, s->settings.rest_ms + 1);
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };
	struct stat was, is;

	stripes_must(s, lstat(s->settings.path, &was) == 0, "lstat");
	nanosleep(&time, NULL);
	stripes_must(s, lstat(s->settings.path, &is) == 0, "lstat");
	if (was.st_ino != is.st_ino || memcmp(&was.st_mtim, &is.st_mtim, sizeof(was.st_mtim)) ||
	    memcmp(&was.st_ctim, &is.st_ctim, sizeof(was.st_ctim)))
		account_fail(&s->account,
			     "after round %" PRIu64 ": left alone for %u ms, its times "
			     "or its number changed",
			     s->round, ms);
	verify(s);
}

static struct settings settings_of(int argc, char **argv)
{
	struct settings c = { .seed = draw_seed(), .operations = 500, .rounds = 4, .processes = 4 };
	int option;

	while ((option = getopt(argc, argv, "s:p:n:c:kr:")) >= 0) {
		if (option == 's')
			c.seed = strtoull(optarg, NULL, 0);
		else if (option == 'p')
			c.processes = (unsigned)strtoul(optarg, NULL, 0);
		else if (option == 'n')
			c.operations = strtoull(optarg, NULL, 0);
		else if (option == 'c')
			c.rounds = strtoull(optarg, NULL, 0);
		else if (option == 'k')
			c.keep = true;
		else if (option == 'r')
			c.rest_ms = (unsigned)strtoul(optarg, NULL, 0);
		else
			optind = argc;
	}
	if (optind + 1 != argc || !c.processes || c.processes > PROCESSES) {
		fprintf(stderr, "usage: stripes_exerciser [-s SEED] [-p PROCESSES] [-n OPERATIONS] "
				"[-c ROUNDS] [-k] [-r MS] FILE\n");
		exit(2);
	}
	c.path = argv[optind];
	return c;
}

static void begin(struct stripes *s)
{
	struct matter found = { .bytes = malloc(SIZE), .len = SIZE };

	snprintf(s->new_name, sizeof(s->new_name), "%s.new", s->settings.path);
	if (found.bytes)
		content_fill(NULL, s->settings.seed, 0, found.bytes, SIZE);
	if (s->settings.keep) {
		free(found.bytes);
		found = (struct matter){ 0 };
		errno = -matter_load(&found, s->settings.path);
	}
	s->start = found.bytes;
	s->size = found.len;
	s->buf = aligned_alloc(PAGE, PIECE);
	s->want =
		mmap(NULL, s->size + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!s->start || !s->buf || s->want == MAP_FAILED)
		cannot(s->settings.path);
	errno = EINVAL;
	if (s->size / STRIPE < s->settings.processes)
		cannot("not a stripe for each process");
	memcpy(s->want, s->start, s->size);
	if (!s->settings.keep)
		renew(s, true);
}

int main(int argc, char **argv)
{
	static struct stripes s;

	s.settings = settings_of(argc, argv);
	s.account = (struct account){ .who = "stripes_exerciser", .seed = s.settings.seed };
	s.rng = rng_new(s.settings.seed, "parent");
	printf("stripes_exerciser: seed %" PRIu64 "\n", s.settings.seed);
	fflush(stdout);
	begin(&s);
	for (s.round = 1; s.round <= s.settings.rounds; s.round++) {
		if (!processes_run(s.settings.processes, child, &s))
			return 1;
		verify(&s);
		if (draw_one_in(&s.rng, 2))
			renew(&s, draw_one_in(&s.rng, 2));
		rest(&s);
	}
	printf("seed %" PRIu64 ": %" PRIu64 " rounds, %u processes, %" PRIu64
	       " operations of each, "
	       "all right\n",
	       s.settings.seed, s.settings.rounds, s.settings.processes, s.settings.operations);
	return 0;
}
