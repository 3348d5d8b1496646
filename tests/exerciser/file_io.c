/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_io: reading and writing; see file_operations.h. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "file_operations.h"

/* Writes go past the end, but not so often that the file is as large as it may be at once. */
static uint64_t write_limit(struct subject *s)
{
	return s->want.size && !draw_one_in(&s->rng, 4) ? s->want.size : s->max;
}

static size_t expected(const struct subject *s, uint64_t off, size_t len)
{
	if (off >= s->want.size)
		return 0;
	return s->want.size - off < len ? s->want.size - off : len;
}

static void check_read(struct subject *s, ssize_t n, uint64_t off, size_t len)
{
	size_t want = expected(s, off, len);

	subject_must(s, n >= 0, "read");
	if ((size_t)n != want)
		account_fail(&s->account, "%zd bytes were read, not %zu", n, want);
	image_compare(s, &s->want, s->buf, off, want);
}

static void check_write(struct subject *s, ssize_t n, uint64_t off, size_t len)
{
	subject_must(s, n >= 0, "write");
	if ((size_t)n != len)
		account_fail(&s->account, "%zd bytes were written, not %zu", n, len);
	image_write(&s->want, off, s->buf, len);
}

bool file_seek(struct subject *s)
{
	struct handle *h = handle_pick(s, 0);

	h->at = draw_offset(s, s->max - 1);
	account_note(&s->account, " %llu", (unsigned long long)h->at);
	subject_must(s, lseek(h->fd, (off_t)h->at, SEEK_SET) == (off_t)h->at, "lseek");
	return true;
}

bool file_read(struct subject *s)
{
	struct handle *h = handle_pick(s, MAY_READ);
	size_t len = draw_length(&s->rng, PIECE);

	if (!h)
		return false;
	account_note(&s->account, " %llu+%zu", (unsigned long long)h->at, len);
	check_read(s, read(h->fd, s->buf, len), h->at, len);
	h->at += expected(s, h->at, len);
	return true;
}

bool file_write(struct subject *s)
{
	struct handle *h = handle_pick(s, MAY_WRITE);
	size_t len = draw_length(&s->rng, PIECE);
	uint64_t off;

	if (!h)
		return false;
	off = h->flags & O_APPEND ? s->want.size : h->at;
	if (off >= s->max)
		return false;
	len = len < s->max - off ? len : s->max - off;
	account_note(&s->account, " %llu+%zu", (unsigned long long)off, len);
	draw_bytes(s, len);
	check_write(s, write(h->fd, s->buf, len), off, len);
	h->at = off + len;
	if (lseek(h->fd, 0, SEEK_CUR) != (off_t)h->at)
		account_fail(&s->account, "the file offset is not %llu after it",
			     (unsigned long long)h->at);
	return true;
}

bool file_pread(struct subject *s)
{
	struct handle *h = handle_pick(s, MAY_READ);
	struct range r =
		draw_range(s, draw_one_in(&s->rng, 8) || !s->want.size ? s->max : s->want.size);

	if (!h)
		return false;
	check_read(s, pread(h->fd, s->buf, r.len, (off_t)r.off), r.off, r.len);
	return true;
}

/* With O_APPEND, Linux appends, whatever the offset. */
bool file_pwrite(struct subject *s)
{
	struct handle *h = handle_pick(s, MAY_WRITE);
	struct range r = draw_range(s, write_limit(s));
	uint64_t off = r.off;

	if (!h)
		return false;
	if (h->flags & O_APPEND)
		off = s->want.size;
	if (off + r.len > s->max)
		return false;
	draw_bytes(s, r.len);
	check_write(s, pwrite(h->fd, s->buf, r.len, (off_t)r.off), off, r.len);
	return true;
}

/* A handle for one operation: opened with O_DIRECT, or one that is open made so. -1: refused. */
static int direct_begin(struct subject *s, const struct handle *h, int flags)
{
	int fd;

	if (s->unlinked || draw_one_in(&s->rng, 4)) {
		account_note(&s->account, ", made direct");
		fd = fcntl(h->fd, F_SETFL, (h->flags & O_APPEND) | O_DIRECT) < 0 ? -1 : h->fd;
	} else {
		fd = open(s->name, flags | O_DIRECT | O_CLOEXEC);
	}
	if (fd < 0)
		subject_refused(s, flags == O_RDONLY ? "direct_read" : "direct_write", EINVAL);
	return fd;
}

static void direct_end(struct subject *s, const struct handle *h, int fd)
{
	if (fd == h->fd)
		subject_must(s, fcntl(fd, F_SETFL, h->flags & O_APPEND) == 0, "no longer direct");
	else
		subject_must(s, close(fd) == 0, "close");
}

static struct range draw_pages(struct subject *s, uint64_t limit)
{
	struct range r = draw_range(s, limit);

	r.off = r.off / PAGE * PAGE;
	r.len = (r.len + PAGE - 1) / PAGE * PAGE;
	account_note(&s->account, ", in pages %llu+%zu", (unsigned long long)r.off, r.len);
	return r;
}

bool file_direct_read(struct subject *s)
{
	struct handle *h = handle_pick(s, MAY_READ);
	struct range r = draw_pages(s, s->want.size ? s->want.size : s->max);
	ssize_t n;
	int fd;

	if (!h)
		return false;
	fd = direct_begin(s, h, O_RDONLY);
	if (fd < 0)
		return true;
	n = pread(fd, s->buf, r.len, (off_t)r.off);
	if (n >= 0 || !subject_refused(s, "direct_read", EINVAL))
		check_read(s, n, r.off, r.len);
	direct_end(s, h, fd);
	return true;
}

bool file_direct_write(struct subject *s)
{
	struct handle *h = handle_pick(s, MAY_PLACE);
	struct range r = draw_pages(s, write_limit(s));
	ssize_t n;
	int fd;

	if (!h || r.off + r.len > s->max)
		return false;
	draw_bytes(s, r.len);
	fd = direct_begin(s, h, O_RDWR);
	if (fd < 0)
		return true;
	n = pwrite(fd, s->buf, r.len, (off_t)r.off);
	if (n >= 0 || !subject_refused(s, "direct_write", EINVAL))
		check_write(s, n, r.off, r.len);
	direct_end(s, h, fd);
	return true;
}
