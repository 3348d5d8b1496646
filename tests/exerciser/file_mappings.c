/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_mappings: memory that is the file; see file_operations.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "file_operations.h"

static struct mapping *free_mapping(struct subject *s)
{
	for (struct mapping *m = s->mappings; m < s->mappings + MAPPINGS; m++)
		if (!m->at)
			return m;
	return NULL;
}

/* One with bytes of the file in it. */
static struct mapping *pick_mapping(struct subject *s)
{
	unsigned first = (unsigned)draw_below(&s->rng, MAPPINGS);

	for (unsigned i = 0; i < MAPPINGS; i++) {
		struct mapping *m = &s->mappings[(first + i) % MAPPINGS];

		if (m->at && m->off < s->want.size)
			return m;
	}
	return NULL;
}

static void draw_mapped(struct subject *s, struct mapping *m)
{
	struct range r = draw_range(s, draw_one_in(&s->rng, 4) ? s->max : s->want.size);

	m->len = r.len + r.off % PAGE;
	m->off = r.off / PAGE * PAGE;
}

/* May reach past the end: what is touched there later is there by then. */
bool file_map(struct subject *s)
{
	struct mapping *m = free_mapping(s);
	struct handle *h = handle_pick(s, MAY_READ | MAY_WRITE);

	if (!m || !h || !s->want.size)
		return false;
	draw_mapped(s, m);
	m->at = mmap(NULL, m->len, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, (off_t)m->off);
	subject_must(s, m->at != MAP_FAILED, "mmap");
	return true;
}

static void unmap(struct subject *s, struct mapping *m)
{
	account_note(&s->account, ", unmaps %llu+%zu", (unsigned long long)m->off, m->len);
	subject_must(s, munmap(m->at, m->len) == 0, "munmap");
	m->at = NULL;
}

bool file_unmap(struct subject *s)
{
	struct mapping *m = &s->mappings[draw_below(&s->rng, MAPPINGS)];

	if (!m->at)
		return false;
	unmap(s, m);
	return true;
}

/* A range in the mapping, and in the file as it is now. */
static struct range draw_touched(struct subject *s, const struct mapping *m)
{
	uint64_t in_file = s->want.size - m->off;
	struct range r = draw_range(s, in_file < m->len ? in_file : m->len);

	account_note(&s->account, " of the mapping at %llu", (unsigned long long)m->off);
	return r;
}

bool file_map_read(struct subject *s)
{
	struct mapping *m = pick_mapping(s);
	struct range r;

	if (!m)
		return false;
	r = draw_touched(s, m);
	memcpy(s->buf, m->at + r.off, r.len);
	image_compare(s, &s->want, s->buf, m->off + r.off, r.len);
	return true;
}

static void sync_mapping(struct subject *s, const struct mapping *m, struct range r)
{
	int flags = draw_one_in(&s->rng, 2) ? MS_SYNC : MS_ASYNC;
	size_t skip = r.off / PAGE * PAGE;

	account_note(&s->account, ", msync");
	subject_must(s, msync(m->at + skip, r.off + r.len - skip, flags) == 0, "msync");
}

bool file_map_write(struct subject *s)
{
	struct mapping *m = pick_mapping(s);
	struct range r;

	if (!m)
		return false;
	r = draw_touched(s, m);
	draw_bytes(s, r.len);
	memcpy(m->at + r.off, s->buf, r.len);
	image_write(&s->want, m->off + r.off, s->buf, r.len);
	if (draw_one_in(&s->rng, 4))
		sync_mapping(s, m, r);
	if (draw_one_in(&s->rng, 8))
		unmap(s, m);
	return true;
}

bool file_private(struct subject *s)
{
	struct handle *h = handle_pick(s, MAY_READ);
	struct mapping m;

	if (!h || !s->want.size)
		return false;
	draw_mapped(s, &m);
	if (m.off >= s->want.size)
		return false;
	if (m.off + m.len > s->want.size)
		m.len = s->want.size - m.off;
	m.at = mmap(NULL, m.len, PROT_READ | PROT_WRITE, MAP_PRIVATE, h->fd, (off_t)m.off);
	subject_must(s, m.at != MAP_FAILED, "mmap");
	for (size_t done = 0; done < m.len; done += PIECE) {
		size_t len = m.len - done < PIECE ? m.len - done : PIECE;

		memcpy(s->buf, m.at + done, len);
		image_compare(s, &s->want, s->buf, m.off + done, len);
	}
	memset(m.at, 0x55, m.len);
	subject_must(s, munmap(m.at, m.len) == 0, "munmap");
	return true;
}
