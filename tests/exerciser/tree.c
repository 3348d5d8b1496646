/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree: the model; see tree.h. */
#include "tree.h"

#include <stdio.h>
#include <string.h>

#define TEN "0123456789"

static const char *const names[TREE_NAMES] = {
	"a", "b", "c", "d", ".hidden", "with space", "tab\there", "\303\274ml\303\244ut",
	"model.safetensors", "model.safetensors.tmp", "-o", "*", "back\\slash",
	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN,
};

const char *tree_name(unsigned name)
{
	return names[name];
}

int tree_name_find(const char *name)
{
	for (int i = 0; i < TREE_NAMES; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

void tree_begin(struct tree *t, mode_t mode)
{
	t->objects[0] = (struct object){ .kind = KIND_DIRECTORY, .mode = mode, .names = 1 };
	for (int i = 0; i < TREE_KEPT; i++)
		t->kept[i].fd = -1;
}

struct entry *tree_find(struct tree *t, unsigned directory, unsigned name)
{
	for (struct entry *e = t->entries; e < t->entries + TREE_ENTRIES; e++)
		if (e->used && e->directory == directory && e->name == name)
			return e;
	return NULL;
}

struct object *tree_object(struct tree *t, const struct place *p)
{
	return p->entry ? &t->objects[p->entry->object] : NULL;
}

struct entry *tree_entry_of(struct tree *t, unsigned object)
{
	for (struct entry *e = t->entries; e < t->entries + TREE_ENTRIES; e++)
		if (e->used && e->object == object)
			return e;
	return NULL;
}

unsigned tree_count(const struct tree *t, unsigned directory, unsigned kinds)
{
	unsigned n = 0;

	for (const struct entry *e = t->entries; e < t->entries + TREE_ENTRIES; e++)
		n += e->used && e->directory == directory && (t->objects[e->object].kind & kinds);
	return n;
}

bool tree_full(const struct tree *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < TREE_OBJECTS; i++)
		n += t->objects[i].kind == KIND_DIRECTORY;
	return n == TREE_DIRECTORIES;
}

bool tree_is_within(struct tree *t, unsigned directory, unsigned object)
{
	while (directory != object && directory)
		directory = tree_entry_of(t, directory)->directory;
	return directory == object;
}

/* From the last name to the first, in front of which is nothing: paths are relative. */
char *tree_path(const struct tree *t, const struct place *p, char *path)
{
	char *at = path + PATH_MAX - 1;
	struct place up = *p;

	*at = '\0';
	for (;;) {
		size_t len = strlen(names[up.name]);

		at -= len;
		memcpy(at, names[up.name], len);
		if (!up.directory)
			break;
		up.entry = tree_entry_of((struct tree *)t, up.directory);
		up.directory = up.entry->directory;
		up.name = up.entry->name;
		*--at = '/';
	}
	return memmove(path, at, strlen(at) + 1);
}

void tree_link(struct tree *t, const struct place *p, unsigned object)
{
	struct entry *e = t->entries;

	while (e->used)
		e++;
	*e = (struct entry){ true, p->directory, p->name, object };
	t->objects[object].names++;
	tree_touched(&t->objects[object], false);
	tree_touched(&t->objects[p->directory], true);
}

struct object *tree_add(struct tree *t, const struct place *p, enum kind kind, mode_t mode)
{
	unsigned object = 0;

	while (t->objects[object].kind)
		object++;
	t->objects[object] = (struct object){ .kind = kind, .mode = mode };
	tree_link(t, p, object);
	return &t->objects[object];
}

void tree_forget_unused(struct tree *t, unsigned object)
{
	struct object *o = &t->objects[object];

	if (!o->names && !o->handles)
		o->kind = KIND_NONE;
}

void tree_drop(struct tree *t, struct entry *e)
{
	struct object *o = &t->objects[e->object];

	e->used = false;
	o->names--;
	tree_touched(o, false);
	tree_touched(&t->objects[e->directory], true);
	tree_forget_unused(t, e->object);
}

void tree_touched(struct object *o, bool content)
{
	o->ctime_known = false;
	if (content)
		o->mtime_known = false;
}
