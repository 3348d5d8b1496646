/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_subject: see file_subject.h. */
#include "file_subject.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void subject_must(struct subject *s, bool right, const char *what)
{
	if (!right)
		account_fail(&s->account, "%s: %s", what, strerror(errno));
}

bool subject_refused(struct subject *s, const char *operation, int also)
{
	subject_must(s, errno == EOPNOTSUPP || (also && errno == also), operation);
	account_refused(&s->account, operation, errno);
	return true;
}

void image_write(struct image *image, uint64_t off, const void *bytes, size_t len)
{
	memcpy(image->bytes + off, bytes, len);
	if (off + len > image->size)
		image->size = off + len;
}

void image_zero(struct image *image, uint64_t off, uint64_t len)
{
	memset(image->bytes + off, 0, len);
}

void image_resize(struct image *image, uint64_t size)
{
	if (size < image->size)
		image_zero(image, size, image->size - size);
	image->size = size;
}

/* What is nearly right tells as much as the first wrong byte. */
static _Noreturn void differ(struct subject *s, const uint8_t *got, const uint8_t *want,
			     uint64_t off, size_t len)
{
	size_t first = 0, last = len - 1, n = 0, zeros = 0;

	while (got[first] == want[first])
		first++;
	while (got[last] == want[last])
		last--;
	for (size_t i = first; i <= last; i++) {
		n += got[i] != want[i];
		zeros += got[i] != want[i] && !got[i];
	}
	account_fail(&s->account,
		     "first difference at offset %" PRIu64 " (0x%" PRIx64
		     "): 0x%02x, not 0x%02x; %zu bytes "
		     "differ up to offset %" PRIu64
		     ", %zu of them are read as 0; %zu bytes were read at %" PRIu64,
		     off + first, off + first, got[first], want[first], n, off + last, zeros, len,
		     off);
}

void image_compare(struct subject *s, const struct image *image, const uint8_t *got, uint64_t off,
		   size_t len)
{
	if (memcmp(got, image->bytes + off, len))
		differ(s, got, image->bytes + off, off, len);
}

void image_verify(struct subject *s, const struct image *image, int fd)
{
	struct stat st;

	subject_must(s, fstat(fd, &st) == 0, "fstat");
	if ((uint64_t)st.st_size != image->size)
		account_fail(&s->account, "size %" PRIu64 ", not %" PRIu64, (uint64_t)st.st_size,
			     image->size);
	for (uint64_t off = 0; off < image->size; off += PIECE) {
		size_t len = image->size - off < PIECE ? image->size - off : PIECE;
		ssize_t n = pread(fd, s->buf, len, (off_t)off);

		subject_must(s, n >= 0, "pread of all");
		if ((size_t)n != len)
			account_fail(&s->account, "pread of all: %zd of %zu bytes at %" PRIu64, n,
				     len, off);
		image_compare(s, image, s->buf, off, len);
	}
}

void image_pour(struct subject *s, const struct image *image, int fd)
{
	for (uint64_t off = 0; off < image->size;) {
		size_t len = draw_length(&s->rng, 1u << 20);

		if (len > image->size - off)
			len = image->size - off;
		subject_must(s, write(fd, image->bytes + off, len) == (ssize_t)len, "write of all");
		off += len;
	}
}

void handle_close(struct subject *s, struct handle *h)
{
	if (h->fd >= 0)
		subject_must(s, close(h->fd) == 0, "close");
	h->fd = -1;
}

void handle_open(struct subject *s, struct handle *h, int flags)
{
	handle_close(s, h);
	*h = (struct handle){ .fd = open(s->name, flags | O_CLOEXEC, 0644), .flags = flags };
	subject_must(s, h->fd >= 0, "open");
	if (flags & O_TRUNC)
		image_resize(&s->want, 0);
}

static bool can(const struct handle *h, unsigned may)
{
	int access = h->flags & O_ACCMODE;

	return h->fd >= 0 && !((may & MAY_READ) && access == O_WRONLY) &&
	       !((may & MAY_WRITE) && access == O_RDONLY) &&
	       !((may & MAY_PLACE) && (access == O_RDONLY || (h->flags & O_APPEND)));
}

struct handle *handle_pick(struct subject *s, unsigned may)
{
	unsigned first = (unsigned)draw_below(&s->rng, HANDLES);

	for (unsigned i = 0; i < HANDLES; i++) {
		struct handle *h = &s->handles[(first + i) % HANDLES];

		if (!can(h, may))
			continue;
		account_note(&s->account, " by handle %u (%s%s)", (unsigned)(h - s->handles),
			     (const char *[]){ "r", "w", "rw" }[h->flags & O_ACCMODE],
			     h->flags & O_APPEND ? ", append" : "");
		return h;
	}
	return NULL;
}

void subject_let_go(struct subject *s)
{
	for (struct mapping *m = s->mappings; m < s->mappings + MAPPINGS; m++) {
		if (m->at)
			subject_must(s, munmap(m->at, m->len) == 0, "munmap");
		m->at = NULL;
	}
	for (struct handle *h = s->handles; h < s->handles + HANDLES; h++)
		handle_close(s, h);
}

static void check_one(struct subject *s, const struct stat *st, const char *by, nlink_t links)
{
	if ((uint64_t)st->st_size != s->want.size)
		account_fail(&s->account, "size %" PRIu64 " by %s, not %" PRIu64,
			     (uint64_t)st->st_size, by, s->want.size);
	if (st->st_ino != s->ino)
		account_fail(&s->account, "number %" PRIu64 " by %s, not %" PRIu64,
			     (uint64_t)st->st_ino, by, (uint64_t)s->ino);
	if (st->st_nlink != links)
		account_fail(&s->account, "%" PRIu64 " links by %s, not %" PRIu64,
			     (uint64_t)st->st_nlink, by, (uint64_t)links);
}

void subject_check(struct subject *s)
{
	struct stat st;

	for (struct handle *h = s->handles; h < s->handles + HANDLES; h++) {
		if (h->fd < 0)
			continue;
		subject_must(s, fstat(h->fd, &st) == 0, "fstat");
		check_one(s, &st, "handle", !s->unlinked);
	}
	if (s->unlinked)
		return;
	subject_must(s, lstat(s->name, &st) == 0, "lstat");
	check_one(s, &st, "name", 1);
}

void subject_verify(struct subject *s)
{
	struct handle *h = handle_pick(s, MAY_READ);
	int fd = h ? h->fd : -1;

	if (!h && s->unlinked)
		return;
	if (!h)
		fd = open(s->name, O_RDONLY | O_CLOEXEC);
	subject_must(s, fd >= 0, "open");
	image_verify(s, &s->want, fd);
	if (!h)
		subject_must(s, close(fd) == 0, "close");
}

void subject_recreate(struct subject *s)
{
	struct stat st;

	subject_verify(s);
	subject_let_go(s);
	image_resize(&s->want, 0);
	handle_open(s, &s->handles[0], O_RDWR | O_CREAT | O_EXCL);
	s->unlinked = 0;
	if (s->start.bytes) {
		image_write(&s->want, 0, s->start.bytes, s->start.size);
		image_pour(s, &s->want, s->handles[0].fd);
		s->handles[0].at = s->want.size;
	}
	subject_must(s, fstat(s->handles[0].fd, &st) == 0, "fstat");
	s->ino = st.st_ino;
}
