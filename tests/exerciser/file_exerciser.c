/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_exerciser: random operations on one file, against a model of it in memory.
 *
 *	file_exerciser [-s SEED] [-n OPERATIONS] [-l MAXLENGTH] [-k] [-r MS] [-o LIST] FILE
 *
 * FILE is made anew; with -k what is in it stays, and comes back now and then.
 * With -r all handles are closed now and then and the file is left alone for up
 * to MS milliseconds, after which stat(2) must say what it said before.
 * LIST: names of operations to leave out, with commas. FILE.moved and
 * FILE.second are used, too.
 *
 * Every byte read, every size and the inode number must be as in the model. An
 * operation that the file system refuses as not supported is counted, and told
 * at the end. Nobody else may change the content meanwhile; moving, packing and
 * caching it is what this is meant to catch.
 *
 * Exit status: 0 all right, 1 something was wrong, 2 it cannot be tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_operations.h"

static const struct operation {
	const char *name;
	bool (*run)(struct subject *s);
	unsigned weight;
} operations[] = {
	{ "seek", file_seek, 4 },
	{ "read", file_read, 8 },
	{ "write", file_write, 6 },
	{ "pread", file_pread, 14 },
	{ "pwrite", file_pwrite, 10 },
	{ "direct_read", file_direct_read, 6 },
	{ "direct_write", file_direct_write, 5 },
	{ "map", file_map, 8 },
	{ "unmap", file_unmap, 3 },
	{ "map_read", file_map_read, 10 },
	{ "map_write", file_map_write, 10 },
	{ "private", file_private, 4 },
	{ "truncate", file_truncate, 2 },
	{ "ftruncate", file_ftruncate, 4 },
	{ "allocate", file_allocate, 2 },
	{ "allocate_keep", file_allocate_keep, 2 },
	{ "punch", file_punch, 4 },
	{ "zero", file_zero, 2 },
	{ "zero_keep", file_zero_keep, 2 },
	{ "data", file_data, 3 },
	{ "hole", file_hole, 3 },
	{ "copy_within", file_copy_within, 4 },
	{ "copy_in", file_copy_in, 4 },
	{ "copy_out", file_copy_out, 3 },
	{ "copy_all", file_copy_all, 1 },
	{ "sync", file_sync, 1 },
	{ "datasync", file_datasync, 1 },
	{ "evict", file_evict, 4 },
	{ "verify", file_verify, 2 },
	{ "reopen", file_reopen, 6 },
	{ "rename", file_rename, 2 },
	{ "unlink", file_unlink, 1 },
	{ "replace", file_replace, 1 },
	{ "restore", file_restore, 1 },
	{ "rest", file_rest, 2 },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))
#define MANY_TRIES 100000	/* with all operations, a few do */
_Static_assert(OPERATIONS <= 64, "a set of them is a uint64_t");

struct settings {
	uint64_t seed, operations, left_out;
	uint64_t max;
	unsigned rest_ms;
	bool keep;
	const char *path;
};

/* A page that cannot be read is a signal. Of the one thread there is; no other hook is given. */
static struct subject *whose_pages;

static void on_bus_error(int signal)
{
	(void)signal;
	account_fail(&whose_pages->account,
		     "SIGBUS: a page of a mapping could not be read or written");
}

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: file_exerciser [-s SEED] [-n OPERATIONS] [-l MAXLENGTH] [-k] [-r MS] "
		"[-o LIST] FILE\n");
	exit(2);
}

static _Noreturn void cannot(const char *what)
{
	fprintf(stderr, "file_exerciser: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t named_operation(const char *name)
{
	for (size_t i = 0; i < OPERATIONS; i++)
		if (!strcmp(operations[i].name, name))
			return 1ull << i;
	fprintf(stderr, "file_exerciser: no operation %s\n", name);
	exit(2);
}

static struct settings settings_of(int argc, char **argv)
{
	struct settings c = { .seed = draw_seed(), .operations = 10000, .max = 1u << 20 };
	int option;

	while ((option = getopt(argc, argv, "s:n:l:kr:o:")) >= 0) {
		if (option == 's')
			c.seed = strtoull(optarg, NULL, 0);
		else if (option == 'n')
			c.operations = strtoull(optarg, NULL, 0);
		else if (option == 'l')
			c.max = strtoull(optarg, NULL, 0);
		else if (option == 'k')
			c.keep = true;
		else if (option == 'r')
			c.rest_ms = (unsigned)strtoul(optarg, NULL, 0);
		else if (option == 'o')
			for (char *name = strtok(optarg, ","); name; name = strtok(NULL, ","))
				c.left_out |= named_operation(name);
		else
			usage();
	}
	if (optind + 1 != argc || c.max < PAGE)
		usage();
	c.path = argv[optind];
	return c;
}

static void set_name(char *to, const char *path, const char *suffix)
{
	if (snprintf(to, PATH_MAX, "%s%s", path, suffix) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		cannot(path);
	}
}

static struct image image_new(uint64_t max)
{
	struct image image = { .bytes = calloc(1, max) };

	if (!image.bytes)
		cannot("no memory for the model");
	return image;
}

/* What is there is both the first state and what it comes back to. */
static void take_start(struct subject *s, const struct stat *st)
{
	uint64_t size = (uint64_t)st->st_size;

	if (s->max < size + size / 8 + PIECE)
		s->max = size + size / 8 + PIECE;
	s->start = image_new(size + 1);
	for (ssize_t n; s->start.size < size; s->start.size += (uint64_t)n) {
		n = pread(s->handles[0].fd, s->start.bytes + s->start.size, size - s->start.size,
			  (off_t)s->start.size);
		if (n <= 0)
			cannot("reading what is to be kept");
	}
}

static void begin(struct subject *s, const struct settings *c)
{
	struct stat st;

	s->account.who = "file_exerciser";
	s->account.seed = c->seed;
	s->rng = rng_new(c->seed, "file");
	s->max = c->max;
	s->rest_ms = c->rest_ms;
	s->name = s->names[0];
	set_name(s->names[0], c->path, "");
	set_name(s->names[1], c->path, ".moved");
	set_name(s->second_name, c->path, ".second");
	for (int i = 0; i < HANDLES; i++)
		s->handles[i].fd = -1;
	if ((unlink(s->names[1]) < 0 && errno != ENOENT) ||
	    (unlink(s->second_name) < 0 && errno != ENOENT))
		cannot("removing what another run left");
	handle_open(s, &s->handles[0], c->keep ? O_RDWR : O_RDWR | O_CREAT | O_TRUNC);
	subject_must(s, fstat(s->handles[0].fd, &st) == 0, "fstat");
	s->ino = st.st_ino;
	if (c->keep)
		take_start(s, &st);
	s->want = image_new(s->max);
	s->second = image_new(s->max);
	if (c->keep)
		image_write(&s->want, 0, s->start.bytes, s->start.size);
	s->buf = aligned_alloc(PAGE, PIECE);
	if (!s->buf)
		cannot("no memory");
}

static const struct operation *draw_operation(struct subject *s, uint64_t left_out)
{
	uint64_t total = 0, at;

	for (size_t i = 0; i < OPERATIONS; i++)
		total += left_out >> i & 1 ? 0 : operations[i].weight;
	if (!total)
		usage();
	at = draw_below(&s->rng, total);
	for (size_t i = 0;; i++) {
		unsigned weight = left_out >> i & 1 ? 0 : operations[i].weight;

		if (at < weight)
			return &operations[i];
		at -= weight;
	}
}

static void one_operation(struct subject *s, uint64_t left_out)
{
	bool nameless = s->unlinked;

	account_next(&s->account);
	for (unsigned tries = 0;; tries++) {
		const struct operation *o = draw_operation(s, left_out);

		account_note(&s->account, "%s", o->name);
		if (o->run(s))
			break;
		account_again(&s->account);
		if (tries == MANY_TRIES)
			account_fail(&s->account, "nothing of what is not left out can be done");
	}
	subject_check(s);
	if (nameless && s->unlinked == 1)
		subject_recreate(s);
	else if (nameless)
		s->unlinked--;
}

/* What is left is the file by the name it had, and no other. */
static void end(struct subject *s)
{
	account_next(&s->account);
	account_note(&s->account, "the end");
	if (s->unlinked)
		subject_recreate(s);
	subject_let_go(s);
	if (s->name != s->names[0])
		subject_must(s, rename(s->name, s->names[0]) == 0, "rename");
	s->name = s->names[0];
	subject_must(s, unlink(s->second_name) == 0 || errno == ENOENT,
		     "unlink of the second file");
	subject_check(s);
	subject_verify(s);
}

int main(int argc, char **argv)
{
	struct settings c = settings_of(argc, argv);
	static struct subject s;
	uint64_t done = 0;

	printf("file_exerciser: seed %" PRIu64 "\n", c.seed);
	fflush(stdout);
	begin(&s, &c);
	whose_pages = &s;
	signal(SIGBUS, on_bus_error);
	for (; done < c.operations; done++)
		one_operation(&s, c.left_out);
	end(&s);
	account_print_refusals(&s.account);
	printf("seed %" PRIu64 ": %" PRIu64 " operations, all right\n", c.seed, done);
	return 0;
}
