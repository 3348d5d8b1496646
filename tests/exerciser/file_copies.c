/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_copies: copy_file_range(2); see file_operations.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "file_operations.h"

struct copy {
	const char *operation;
	int from_fd, to_fd;
	const struct image *from;
	struct image *to;
	uint64_t from_off, to_off;
	size_t len;
};

/* In one call or more; what each says it copied is in the model at once. False: refused. */
static bool copy_run(struct subject *s, struct copy c)
{
	account_note(&s->account, ", copies %llu+%zu to %llu", (unsigned long long)c.from_off,
		     c.len, (unsigned long long)c.to_off);
	while (c.len) {
		off_t from_off = (off_t)c.from_off, to_off = (off_t)c.to_off;
		ssize_t n = copy_file_range(c.from_fd, &from_off, c.to_fd, &to_off, c.len, 0);

		if (n < 0)
			return !subject_refused(s, c.operation, 0);
		if (n == 0 || (size_t)n > c.len)
			account_fail(&s->account, "%zd of %zu bytes were copied", n, c.len);
		if ((uint64_t)from_off != c.from_off + (uint64_t)n ||
		    (uint64_t)to_off != c.to_off + (uint64_t)n)
			account_fail(&s->account, "after %zd bytes the offsets are %lld and %lld",
				     n, (long long)from_off, (long long)to_off);
		image_write(c.to, c.to_off, c.from->bytes + c.from_off, (size_t)n);
		c.from_off += (uint64_t)n;
		c.to_off += (uint64_t)n;
		c.len -= (size_t)n;
	}
	return true;
}

/* From what there is to anywhere that it fits. */
static void draw_copy(struct subject *s, struct copy *c)
{
	struct range r = draw_range(s, c->from->size);

	c->from_off = r.off;
	c->to_off = draw_offset(s, draw_one_in(&s->rng, 4) ? s->max - r.len : c->to->size);
	c->len = r.len < s->max - c->to_off ? r.len : s->max - c->to_off;
}

static bool overlaps(const struct copy *c)
{
	return c->from_off < c->to_off + c->len && c->to_off < c->from_off + c->len;
}

static int open_second(struct subject *s, int flags)
{
	int fd = open(s->second_name, flags | O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	subject_must(s, fd >= 0, "open of the second file");
	return fd;
}

static void close_second(struct subject *s, int fd)
{
	subject_must(s, close(fd) == 0, "close of the second file");
}

bool file_copy_within(struct subject *s)
{
	struct handle *to = handle_pick(s, MAY_READ | MAY_PLACE);
	struct copy c = { .operation = "copy_within", .from = &s->want, .to = &s->want };

	if (!to || !s->want.size)
		return false;
	c.from_fd = c.to_fd = to->fd;
	draw_copy(s, &c);
	if (overlaps(&c))
		return false;
	copy_run(s, c);
	return true;
}

/* The second file has more to give than what was copied to it. */
static void grow_second(struct subject *s, int fd)
{
	size_t len = draw_length(&s->rng, PIECE);

	if (s->second.size + len > s->max)
		return;
	draw_bytes(s, len);
	subject_must(s, pwrite(fd, s->buf, len, (off_t)s->second.size) == (ssize_t)len,
		     "write to the second file");
	image_write(&s->second, s->second.size, s->buf, len);
}

bool file_copy_in(struct subject *s)
{
	struct handle *to = handle_pick(s, MAY_PLACE);
	struct copy c = { .operation = "copy_in", .from = &s->second, .to = &s->want };

	if (!to)
		return false;
	c.to_fd = to->fd;
	c.from_fd = open_second(s, 0);
	if (!s->second.size || draw_one_in(&s->rng, 8))
		grow_second(s, c.from_fd);
	if (s->second.size) {
		draw_copy(s, &c);
		copy_run(s, c);
	}
	close_second(s, c.from_fd);
	return true;
}

bool file_copy_out(struct subject *s)
{
	struct handle *from = handle_pick(s, MAY_READ);
	struct copy c = { .operation = "copy_out", .from = &s->want, .to = &s->second };

	if (!from || !s->want.size)
		return false;
	c.from_fd = from->fd;
	c.to_fd = open_second(s, 0);
	draw_copy(s, &c);
	copy_run(s, c);
	image_verify(s, &s->second, c.to_fd);
	close_second(s, c.to_fd);
	return true;
}

bool file_copy_all(struct subject *s)
{
	struct handle *from = handle_pick(s, MAY_READ);
	struct copy c = { .operation = "copy_all", .from = &s->want, .to = &s->second };
	size_t piece = s->want.size;

	if (!from)
		return false;
	if (draw_one_in(&s->rng, 2))
		piece = 1 + draw_length(&s->rng, PIECE) + s->want.size / 8;
	c.from_fd = from->fd;
	c.to_fd = open_second(s, O_TRUNC);
	image_resize(&s->second, 0);
	for (; c.from_off < s->want.size; c.from_off = c.to_off += c.len) {
		c.len = s->want.size - c.from_off < piece ? s->want.size - c.from_off : piece;
		if (!copy_run(s, c))
			break;
	}
	if (draw_one_in(&s->rng, 4))
		grow_second(s, c.to_fd);
	image_verify(s, &s->second, c.to_fd);
	close_second(s, c.to_fd);
	return true;
}
