/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_space: sizes, room and holes; see file_operations.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "file_operations.h"

/* Often near the size that it has: the last page is where things go wrong. */
static uint64_t draw_size(struct subject *s)
{
	uint64_t size = draw_offset(s, draw_one_in(&s->rng, 2) ? s->max : s->want.size);
	uint64_t room = s->max - s->want.size;

	if (draw_one_in(&s->rng, 4) && room)
		size = s->want.size + 1 + draw_below(&s->rng, room < PAGE ? room : PAGE);
	account_note(&s->account, " from %llu to %llu", (unsigned long long)s->want.size,
		     (unsigned long long)size);
	return size;
}

bool file_truncate(struct subject *s)
{
	uint64_t size = draw_size(s);

	if (s->unlinked)
		return false;
	subject_must(s, truncate(s->name, (off_t)size) == 0, "truncate");
	image_resize(&s->want, size);
	return true;
}

bool file_ftruncate(struct subject *s)
{
	struct handle *h = handle_pick(s, MAY_WRITE);
	uint64_t size = draw_size(s);

	if (!h)
		return false;
	subject_must(s, ftruncate(h->fd, (off_t)size) == 0, "ftruncate");
	image_resize(&s->want, size);
	return true;
}

/* The part of the range that the file has already is zeroed, and it grows if it may. */
static bool space(struct subject *s, const char *name, int mode, bool zeroes)
{
	struct handle *h = handle_pick(s, MAY_WRITE);
	struct range r =
		draw_range(s, s->want.size && !draw_one_in(&s->rng, 4) ? s->want.size : s->max);
	uint64_t end = r.off + r.len;

	if (!h)
		return false;
	if (fallocate(h->fd, mode, (off_t)r.off, (off_t)r.len) < 0)
		return subject_refused(s, name, 0);
	if (zeroes && r.off < s->want.size)
		image_zero(&s->want, r.off, (end < s->want.size ? end : s->want.size) - r.off);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > s->want.size)
		image_resize(&s->want, end);
	return true;
}

bool file_allocate(struct subject *s)
{
	return space(s, "allocate", 0, false);
}

bool file_allocate_keep(struct subject *s)
{
	return space(s, "allocate_keep", FALLOC_FL_KEEP_SIZE, false);
}

bool file_punch(struct subject *s)
{
	return space(s, "punch", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, true);
}

bool file_zero(struct subject *s)
{
	return space(s, "zero", FALLOC_FL_ZERO_RANGE, true);
}

bool file_zero_keep(struct subject *s)
{
	return space(s, "zero_keep", FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, true);
}

/* What is passed over as a hole is zero; nothing else is promised. */
static void passed_over(struct subject *s, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at++)
		if (s->want.bytes[at])
			account_fail(&s->account, "a hole from %llu to %llu has data at %llu",
				     (unsigned long long)from, (unsigned long long)to,
				     (unsigned long long)at);
}

bool file_data(struct subject *s)
{
	struct handle *h = handle_pick(s, 0);
	uint64_t from = draw_offset(s, s->want.size);
	off_t found = lseek(h->fd, (off_t)from, SEEK_DATA);

	account_note(&s->account, " from %llu: %lld", (unsigned long long)from, (long long)found);
	if (found < 0) {
		subject_must(s, errno == ENXIO, "lseek, SEEK_DATA");
		passed_over(s, from, s->want.size);
		return true;
	}
	h->at = (uint64_t)found;
	if (h->at < from || h->at >= s->want.size)
		account_fail(&s->account, "data is nowhere else than from %llu to %llu",
			     (unsigned long long)from, (unsigned long long)s->want.size);
	passed_over(s, from, h->at);
	return true;
}

bool file_hole(struct subject *s)
{
	struct handle *h = handle_pick(s, 0);
	uint64_t from = draw_offset(s, s->want.size);
	off_t found = lseek(h->fd, (off_t)from, SEEK_HOLE);

	account_note(&s->account, " from %llu: %lld", (unsigned long long)from, (long long)found);
	if (from == s->want.size) {
		subject_must(s, found < 0 && errno == ENXIO, "lseek, SEEK_HOLE at the end");
		return true;
	}
	subject_must(s, found >= 0, "lseek, SEEK_HOLE");
	h->at = (uint64_t)found;
	if (h->at < from || h->at > s->want.size)
		account_fail(&s->account, "a hole is nowhere else than from %llu to %llu",
			     (unsigned long long)from, (unsigned long long)s->want.size);
	if (h->at < s->want.size)
		passed_over(s, h->at, h->at + 1);
	return true;
}
