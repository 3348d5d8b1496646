/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stripes: one file that several processes change at once, each its own part
 * of it; see stripes_exerciser.c.
 */
#ifndef DFS_TESTS_STRIPES_H
#define DFS_TESTS_STRIPES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "draw.h"

#define STRIPE 20011u		/* prime: no border is that of a page */
#define PAGE 4096u
#define PIECE (256u << 10)

struct settings {
	uint64_t seed, operations, rounds;
	unsigned processes, rest_ms;
	bool keep;
	const char *path;
};

struct stripes {
	struct account account;
	struct rng rng;
	struct settings settings;
	char new_name[PATH_MAX];
	uint64_t round;
	unsigned process;
	size_t size;
	uint8_t *want;		/* shared by all; who writes a stripe of the file writes it here */
	uint8_t *start;
	uint8_t *buf;		/* PIECE bytes, page aligned */
	uint8_t *mapping;	/* the whole file, shared */
	int fd;
};

/* stripes_must() - the errno of a failed call, and what was tried, end the process */
void stripes_must(struct stripes *s, bool right, const char *what);

/* stripes_attach() - the file, open and mapped; stripes_detach() undoes it */
void stripes_attach(struct stripes *s);
void stripes_detach(struct stripes *s);

void stripes_check_size(struct stripes *s);

/* stripes_operation() - one of s->process, drawn by lot, while attached */
void stripes_operation(struct stripes *s);

#endif
