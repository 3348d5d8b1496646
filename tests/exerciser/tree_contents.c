/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_contents: operations on what names lead to; see tree.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tree.h"

/* One of these kinds, noted; false if there is none. */
static bool draw_object(struct tree *t, unsigned kinds, struct place *ret_place,
			struct object **ret_object, char *path)
{
	struct place p = tree_draw_existing(t, kinds);
	struct object *o = tree_object(t, &p);

	if (!o || !(o->kind & kinds))
		return false;
	account_note(&t->account, " '%s'", tree_path(t, &p, path));
	*ret_place = p;
	*ret_object = o;
	return true;
}

static void write_pieces(struct tree *t, const struct object *o, int fd, uint64_t off, size_t len)
{
	while (len) {
		size_t n = draw_length(&t->rng, TREE_PIECE);

		n = n < len ? n : len;
		content_fill(&t->matter, o->content, off, t->want, n);
		tree_must(t, pwrite(fd, t->want, n, (off_t)off) == (ssize_t)n, "pwrite");
		off += n;
		len -= n;
	}
}

void tree_fill(struct tree *t, struct object *o, int fd, size_t size)
{
	o->content = rng_next(&t->rng);
	o->filled = o->size = size;
	account_note(&t->account, " %zu bytes", size);
	write_pieces(t, o, fd, 0, size);
	tree_touched(o, true);
}

static int open_file(struct tree *t, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	tree_must(t, fd >= 0, "open");
	return fd;
}

void tree_rewrite(struct tree *t)
{
	char path[PATH_MAX];
	struct object *o;
	struct place p;
	int fd;

	if (!draw_object(t, KIND_FILE, &p, &o, path))
		return;
	fd = open_file(t, path, O_WRONLY | O_TRUNC);
	tree_fill(t, o, fd, tree_draw_size(t));
	if (draw_one_in(&t->rng, 8))
		tree_must(t, fsync(fd) == 0, "fsync");
	tree_must(t, close(fd) == 0, "close");
}

/* Its own content goes on, over the zeros if it ends in such. */
static void extend(struct tree *t, struct object *o, int fd)
{
	size_t len = draw_length(&t->rng, TREE_PIECE);

	if (o->filled + len > t->matter.len + TREE_LENGTH)
		return;
	account_note(&t->account, " %llu+%zu", (unsigned long long)o->filled, len);
	write_pieces(t, o, fd, o->filled, len);
	o->filled += len;
	o->size = o->size < o->filled ? o->filled : o->size;
	tree_touched(o, true);
}

void tree_extend(struct tree *t)
{
	char path[PATH_MAX];
	struct object *o;
	struct place p;
	int fd;

	if (!draw_object(t, KIND_FILE, &p, &o, path))
		return;
	fd = open_file(t, path, o->filled == o->size ? O_WRONLY | O_APPEND : O_WRONLY);
	extend(t, o, fd);
	tree_must(t, close(fd) == 0, "close");
}

void tree_truncate(struct tree *t)
{
	uint64_t size = draw_one_in(&t->rng, 8) ? 0 : tree_draw_size(t);
	char path[PATH_MAX];
	struct object *o;
	struct place p;

	if (!draw_object(t, KIND_FILE, &p, &o, path))
		return;
	account_note(&t->account, " %llu", (unsigned long long)size);
	tree_must(t, truncate(path, (off_t)size) == 0, "truncate");
	o->size = size;
	o->filled = o->filled < size ? o->filled : size;
	tree_touched(o, true);
}

void tree_chmod(struct tree *t)
{
	char path[PATH_MAX];
	struct object *o;
	struct place p;

	if (!draw_object(t, KIND_FILE | KIND_DIRECTORY, &p, &o, path))
		return;
	o->mode = (o->kind == KIND_FILE ? 0600 : 0700) | (mode_t)draw_below(&t->rng, 01000);
	account_note(&t->account, " 0%o", (unsigned)o->mode);
	tree_must(t, chmod(path, o->mode) == 0, "chmod");
	tree_touched(o, false);
}

void tree_utimens(struct tree *t)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
	char path[PATH_MAX];
	struct object *o;
	struct place p;

	if (!draw_object(t, KIND_ANY, &p, &o, path))
		return;
	times[1].tv_sec = (time_t)draw_below(&t->rng, 1ull << 32);
	times[1].tv_nsec = (long)draw_below(&t->rng, 1000000000);
	if (draw_one_in(&t->rng, 2))
		times[0] = times[1];
	account_note(&t->account, " %lld", (long long)times[1].tv_sec);
	tree_must(t, utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0, "utimensat");
	o->mtime = times[1];
	o->mtime_known = true;
	tree_touched(o, false);
}

void tree_set_attribute(struct tree *t)
{
	static const int all_flags[] = { 0, 0, XATTR_CREATE, XATTR_REPLACE };
	int flags = all_flags[draw_below(&t->rng, 4)], expected = 0, ret;
	unsigned attribute = (unsigned)draw_below(&t->rng, TREE_ATTRIBUTES);
	uint64_t content = rng_next(&t->rng) | 1;
	uint8_t value[512];
	char path[PATH_MAX], name[32];
	struct object *o;
	struct place p;

	if (!draw_object(t, KIND_FILE | KIND_DIRECTORY, &p, &o, path))
		return;
	if (flags == XATTR_CREATE && o->attributes[attribute])
		expected = EEXIST;
	if (flags == XATTR_REPLACE && !o->attributes[attribute])
		expected = ENODATA;
	tree_attribute_name(attribute, name);
	account_note(&t->account, " %s with flags %d", name, flags);
	ret = setxattr(path, name, value, tree_attribute_value(content, value), flags);
	if (!tree_outcome_unless(t, "setxattr", EOPNOTSUPP, ret, expected))
		return;
	o->attributes[attribute] = content;
	tree_touched(o, false);
}

void tree_remove_attribute(struct tree *t)
{
	unsigned attribute = (unsigned)draw_below(&t->rng, TREE_ATTRIBUTES);
	char path[PATH_MAX], name[32];
	struct object *o;
	struct place p;

	if (!draw_object(t, KIND_FILE | KIND_DIRECTORY, &p, &o, path))
		return;
	tree_attribute_name(attribute, name);
	account_note(&t->account, " %s", name);
	if (!tree_outcome_unless(t, "removexattr", EOPNOTSUPP, removexattr(path, name),
				 o->attributes[attribute] ? 0 : ENODATA))
		return;
	o->attributes[attribute] = 0;
	tree_touched(o, false);
}

void tree_look(struct tree *t)
{
	char path[PATH_MAX];
	struct object *o;
	struct place p;

	if (draw_object(t, KIND_ANY, &p, &o, path))
		tree_check_entry(t, p.entry);
}

void tree_list(struct tree *t)
{
	char path[PATH_MAX];
	struct object *o;
	struct place p;

	if (draw_object(t, KIND_DIRECTORY, &p, &o, path))
		tree_check_listing(t, p.entry->object, path);
}

void tree_keep(struct tree *t)
{
	struct kept *k = &t->kept[draw_below(&t->rng, TREE_KEPT)];
	char path[PATH_MAX];
	struct object *o;
	struct place p;

	if (k->fd >= 0 || !draw_object(t, KIND_FILE, &p, &o, path))
		return;
	k->fd = open_file(t, path, O_RDWR);
	k->object = p.entry->object;
	o->handles++;
}

static struct kept *draw_kept(struct tree *t)
{
	struct kept *k = &t->kept[draw_below(&t->rng, TREE_KEPT)];

	account_note(&t->account, " kept %td", k - t->kept);
	return k->fd >= 0 ? k : NULL;
}

void tree_kept_look(struct tree *t)
{
	struct kept *k = draw_kept(t);

	if (k)
		tree_check_kept(t, k);
}

void tree_kept_extend(struct tree *t)
{
	struct kept *k = draw_kept(t);

	if (k)
		extend(t, &t->objects[k->object], k->fd);
}

void tree_kept_close(struct tree *t)
{
	struct kept *k = draw_kept(t);

	if (!k)
		return;
	tree_must(t, close(k->fd) == 0, "close");
	k->fd = -1;
	t->objects[k->object].handles--;
	tree_forget_unused(t, k->object);
}
