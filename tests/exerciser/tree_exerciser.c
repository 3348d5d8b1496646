/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree_exerciser: several processes, random operations on trees of files.
 *
 *	tree_exerciser [-s SEED] [-p PROCESSES] [-n OPERATIONS] [-b FILE] [-r MS] DIR
 *
 * Each process has DIR/own-N to itself and a model of it in memory; all race in
 * DIR/shared. DIR must have neither. OPERATIONS are those of each process. At
 * the end what was made is removed again, and DIR is as it was. With -b most
 * files are variations of FILE, as fine-tunes are of a model. With -r a process
 * does nothing now and then, for up to MS milliseconds; all is verified before
 * and after that, times and inode numbers included.
 *
 * What a process does in its own tree depends on SEED alone; what it meets in
 * the shared directory does not. Nobody else may change what is there.
 *
 * Exit status: 0 all right, 1 something was wrong, 2 it cannot be tried.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "processes.h"
#include "shared.h"
#include "tree.h"

#define VERIFY_EVERY 300	/* operations; a verification costs about as much */
#define ROOT_MODE 0755

static const struct {
	const char *name;
	void (*run)(struct tree *t);
	unsigned weight;
} operations[] = {
	{ "create", tree_create, 14 },
	{ "mkdir", tree_mkdir, 4 },
	{ "symlink", tree_symlink, 3 },
	{ "link", tree_make_link, 4 },
	{ "unlink", tree_unlink, 6 },
	{ "rmdir", tree_rmdir, 3 },
	{ "rename", tree_rename, 14 },
	{ "missing", tree_missing, 2 },
	{ "rewrite", tree_rewrite, 5 },
	{ "extend", tree_extend, 5 },
	{ "truncate", tree_truncate, 4 },
	{ "chmod", tree_chmod, 3 },
	{ "utimens", tree_utimens, 3 },
	{ "set_attribute", tree_set_attribute, 6 },
	{ "remove_attribute", tree_remove_attribute, 2 },
	{ "look", tree_look, 12 },
	{ "list", tree_list, 4 },
	{ "keep", tree_keep, 4 },
	{ "kept_look", tree_kept_look, 3 },
	{ "kept_extend", tree_kept_extend, 3 },
	{ "kept_close", tree_kept_close, 1 },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

struct settings {
	uint64_t seed, operations;
	unsigned processes, rest_ms;
	const char *path, *matter;
};

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: tree_exerciser [-s SEED] [-p PROCESSES] [-n OPERATIONS] "
		"[-b FILE] [-r MS] DIR\n");
	exit(2);
}

static _Noreturn void cannot(const char *what)
{
	fprintf(stderr, "tree_exerciser: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct settings settings_of(int argc, char **argv)
{
	struct settings c = { .seed = draw_seed(), .operations = 3000, .processes = 4 };
	int option;

	while ((option = getopt(argc, argv, "s:p:n:b:r:")) >= 0) {
		if (option == 's')
			c.seed = strtoull(optarg, NULL, 0);
		else if (option == 'p')
			c.processes = (unsigned)strtoul(optarg, NULL, 0);
		else if (option == 'n')
			c.operations = strtoull(optarg, NULL, 0);
		else if (option == 'b')
			c.matter = optarg;
		else if (option == 'r')
			c.rest_ms = (unsigned)strtoul(optarg, NULL, 0);
		else
			usage();
	}
	if (optind + 1 != argc || !c.processes || c.processes > PROCESSES)
		usage();
	c.path = argv[optind];
	return c;
}

static void tree_operation(struct tree *t)
{
	unsigned total = 0, at;
	size_t i = 0;

	for (size_t o = 0; o < OPERATIONS; o++)
		total += operations[o].weight;
	at = (unsigned)draw_below(&t->rng, total);
	for (; at >= operations[i].weight; i++)
		at -= operations[i].weight;
	account_note(&t->account, "%s", operations[i].name);
	operations[i].run(t);
}

static void rest(struct tree *t, struct rng *rng, unsigned rest_ms)
{
	unsigned ms = rest_ms ? (unsigned)draw_below(rng, rest_ms) : 0;
	struct timespec rest = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };

	tree_verify(t);
	if (!rest_ms)
		return;
	account_note(&t->account, ", then a rest of %u ms", ms);
	nanosleep(&rest, NULL);
	tree_verify(t);
}

/* A stream of its own for each part: what is met in the shared directory changes no tree. */
static void run(struct tree *t, struct shared *shared, const struct settings *c)
{
	struct rng which = rng_new(c->seed, t->account.who);
	char stream[64];

	snprintf(stream, sizeof(stream), "%s, shared", t->account.who);
	*shared->rng = rng_new(c->seed, stream);
	snprintf(stream, sizeof(stream), "%s, own", t->account.who);
	t->rng = rng_new(c->seed, stream);
	tree_begin(t, ROOT_MODE);
	for (uint64_t i = 0; i < c->operations; i++) {
		account_next(&t->account);
		if (draw_one_in(&which, 4))
			shared_operation(shared);
		else
			tree_operation(t);
		if (i % VERIFY_EVERY == VERIFY_EVERY - 1)
			rest(t, &which, c->rest_ms);
	}
	account_next(&t->account);
	account_note(&t->account, "the end");
	tree_verify(t);
	tree_remove_all(t);
}

struct family {
	const struct settings *settings;
	struct matter matter;
	int shared_directory;
	struct shared_tally *tallies;	/* of each process */
};

static void child(void *context, unsigned process)
{
	const struct family *f = context;
	struct tree *t = calloc(1, sizeof(*t));
	struct rng rng;
	char who[32], own[32];
	struct shared shared = {
		.rng = &rng, .directory = f->shared_directory, .process = process,
		.matter = &f->matter, .tally = &f->tallies[process],
	};

	if (!t)
		cannot("no memory for the model");
	snprintf(who, sizeof(who), "process %u", process);
	snprintf(own, sizeof(own), "own-%u", process);
	shared.account = &t->account;
	t->matter = f->matter;
	t->account.who = who;
	t->account.seed = f->settings->seed;
	tree_must(t, mkdir(own, ROOT_MODE) == 0 && chdir(own) == 0, own);
	run(t, &shared, f->settings);
	tree_must(t, chdir("..") == 0 && rmdir(own) == 0, "rmdir at the end");
	account_print_refusals(&t->account);
	exit(0);
}

static void print_end(const struct settings *c, const struct shared_tally *tallies)
{
	uint64_t published = 0, versions_read = 0;

	for (unsigned i = 0; i < c->processes; i++) {
		published += tallies[i].published;
		versions_read += tallies[i].versions_read;
	}
	printf("seed %" PRIu64 ": %u processes, %" PRIu64 " operations of each, %" PRIu64
	       " versions published and %" PRIu64 " read, all right\n",
	       c->seed, c->processes, c->operations, published, versions_read);
}

int main(int argc, char **argv)
{
	struct settings c = settings_of(argc, argv);
	struct account a = { .who = "tree_exerciser", .seed = c.seed };
	struct family f = { .settings = &c };

	f.tallies = mmap(NULL, PROCESSES * sizeof(*f.tallies), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f.tallies == MAP_FAILED)
		cannot("no memory");
	printf("tree_exerciser: seed %" PRIu64 "\n", c.seed);
	fflush(stdout);
	umask(TREE_UMASK);
	if (c.matter && (errno = -matter_load(&f.matter, c.matter)))
		cannot(c.matter);
	if (chdir(c.path) < 0)
		cannot(c.path);
	f.shared_directory = shared_begin(&a, "shared");
	if (!processes_run(c.processes, child, &f))
		return 1;
	shared_verify(&a, f.shared_directory, f.tallies, c.processes);
	if (rmdir("shared") < 0)
		account_fail(&a, "rmdir of the shared directory at the end: %s", strerror(errno));
	print_end(&c, f.tallies);
	return 0;
}
