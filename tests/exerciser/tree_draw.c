/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_draw: see tree.h. */
#include <errno.h>
#include <string.h>

#include "tree.h"

static unsigned draw_directory(struct tree *t)
{
	unsigned at = 0;

	do {
		at = (unsigned)draw_below(&t->rng, TREE_OBJECTS);
	} while (t->objects[at].kind != KIND_DIRECTORY);
	return at;
}

struct place tree_draw_place(struct tree *t)
{
	struct place p = { .directory = draw_directory(t) };

	p.name = (unsigned)draw_below(&t->rng, TREE_NAMES);
	p.entry = tree_find(t, p.directory, p.name);
	return p;
}

struct place tree_draw_existing(struct tree *t, unsigned kinds)
{
	unsigned first = (unsigned)draw_below(&t->rng, TREE_ENTRIES);

	if (draw_one_in(&t->rng, 10))
		return tree_draw_place(t);
	for (unsigned i = 0; i < TREE_ENTRIES; i++) {
		struct entry *e = &t->entries[(first + i) % TREE_ENTRIES];

		if (e->used && (t->objects[e->object].kind & kinds))
			return (struct place){ e->directory, e->name, e };
	}
	return tree_draw_place(t);
}

size_t tree_draw_size(struct tree *t)
{
	if (t->matter.len && !draw_one_in(&t->rng, 4))
		return t->matter.len;
	return draw_length(&t->rng, TREE_LENGTH);
}

bool tree_outcome(struct tree *t, int ret, int expected)
{
	int error = ret < 0 ? errno : 0;

	if (error != expected)
		account_fail(&t->account, "%s, but it should have been: %s",
			     error ? strerror(error) : "it succeeded",
			     expected ? strerror(expected) : "success");
	return !error;
}

bool tree_outcome_unless(struct tree *t, const char *operation, int refusal, int ret, int expected)
{
	if (ret >= 0 || errno != refusal || expected == refusal)
		return tree_outcome(t, ret, expected);
	account_refused(&t->account, operation, errno);
	return false;
}

void tree_must(struct tree *t, bool right, const char *what)
{
	if (!right)
		account_fail(&t->account, "%s: %s", what, strerror(errno));
}
