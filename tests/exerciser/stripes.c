/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stripes: see stripes.h. */
#include "stripes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct range {
	uint64_t off;
	size_t len;
};

void stripes_must(struct stripes *s, bool right, const char *what)
{
	if (!right)
		account_fail(&s->account, "round %" PRIu64 ": %s: %s", s->round, what,
			     strerror(errno));
}

static struct range draw_range(struct stripes *s, uint64_t off, size_t len)
{
	uint64_t skip = draw_below(&s->rng, len);
	struct range r = { off + skip, draw_length(&s->rng, len - skip) };

	account_note(&s->account, " %" PRIu64 "+%zu", r.off, r.len);
	return r;
}

static struct range draw_stripe(struct stripes *s)
{
	uint64_t n = s->size / STRIPE / s->settings.processes;

	return (struct range){
		(draw_below(&s->rng, n) * s->settings.processes + s->process) * STRIPE, STRIPE
	};
}

/* Part of a stripe of one's own, with as much new content in the buffer. */
static struct range draw_own(struct stripes *s)
{
	struct range stripe = draw_stripe(s), r = draw_range(s, stripe.off, stripe.len);

	content_fill(NULL, rng_next(&s->rng), 0, s->buf, r.len);
	return r;
}

static struct range draw_any(struct stripes *s)
{
	uint64_t off = draw_below(&s->rng, s->size);

	return draw_range(s, off, s->size - off < PIECE ? s->size - off : PIECE);
}

static bool is_own(const struct stripes *s, uint64_t at)
{
	uint64_t stripe = at / STRIPE;

	return stripe % s->settings.processes == s->process &&
	       (stripe / s->settings.processes + 1) * s->settings.processes * STRIPE <= s->size;
}

static void check_own(struct stripes *s, const uint8_t *got, struct range r)
{
	for (uint64_t at = r.off; at < r.off + r.len; at++)
		if (is_own(s, at) && got[at - r.off] != s->want[at])
			account_fail(&s->account,
				     "round %" PRIu64 ": first difference at offset %" PRIu64
				     ": 0x%02x, not 0x%02x, in the stripe that begins at %" PRIu64,
				     s->round, at, got[at - r.off], s->want[at],
				     at / STRIPE * STRIPE);
}

static void write_some(struct stripes *s)
{
	struct range r = draw_own(s);

	stripes_must(s, pwrite(s->fd, s->buf, r.len, (off_t)r.off) == (ssize_t)r.len, "pwrite");
	memcpy(s->want + r.off, s->buf, r.len);
}

static void store_some(struct stripes *s)
{
	struct range r = draw_own(s);

	memcpy(s->mapping + r.off, s->buf, r.len);
	memcpy(s->want + r.off, s->buf, r.len);
	r.len += r.off % PAGE;
	r.off -= r.off % PAGE;
	if (draw_one_in(&s->rng, 8))
		stripes_must(s, msync(s->mapping + r.off, r.len, MS_SYNC) == 0, "msync");
}

/*
 * Pages that nobody else has a byte of: FUSE drops a page of which part was
 * copied to, and may write one back of which part was punched, as it was before;
 * what another process stores through a mapping at that moment is in it.
 */
static struct range draw_own_pages(struct stripes *s)
{
	struct range stripe = draw_stripe(s);
	uint64_t first = (stripe.off + PAGE - 1) / PAGE, end = (stripe.off + stripe.len) / PAGE;
	uint64_t skip = draw_below(&s->rng, end - first);
	struct range r = { (first + skip) * PAGE,
			   PAGE * (1 + draw_below(&s->rng, end - first - skip)) };

	account_note(&s->account, " %" PRIu64 "+%zu", r.off, r.len);
	return r;
}

static void punch_some(struct stripes *s)
{
	struct range r = draw_own_pages(s);
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	if (fallocate(s->fd, mode, (off_t)r.off, (off_t)r.len) < 0) {
		stripes_must(s, errno == EOPNOTSUPP, "fallocate");
		account_refused(&s->account, "punch", errno);
		return;
	}
	memset(s->want + r.off, 0, r.len);
}

static void copy_some(struct stripes *s)
{
	struct range from = draw_stripe(s), to = draw_own_pages(s);
	off_t from_off = (off_t)from.off, to_off = (off_t)to.off;
	ssize_t n;

	if (to.off < from.off + STRIPE && from.off < to.off + STRIPE)
		return;
	account_note(&s->account, " from %" PRIu64, from.off);
	n = copy_file_range(s->fd, &from_off, s->fd, &to_off, to.len, 0);
	stripes_must(s, n > 0 || (n < 0 && errno == EOPNOTSUPP), "copy_file_range");
	if (n < 0)
		account_refused(&s->account, "copy", errno);
	else
		memcpy(s->want + to.off, s->want + from.off, (size_t)n);
}

static void read_some(struct stripes *s)
{
	struct range r = draw_any(s);

	stripes_must(s, pread(s->fd, s->buf, r.len, (off_t)r.off) == (ssize_t)r.len, "pread");
	check_own(s, s->buf, r);
}

static void load_some(struct stripes *s)
{
	struct range r = draw_any(s);

	memcpy(s->buf, s->mapping + r.off, r.len);
	check_own(s, s->buf, r);
}

static void settle(struct stripes *s)
{
	if (draw_one_in(&s->rng, 2))
		stripes_must(s, fdatasync(s->fd) == 0, "fdatasync");
	errno = posix_fadvise(s->fd, 0, 0, POSIX_FADV_DONTNEED);
	stripes_must(s, !errno, "posix_fadvise");
}

void stripes_check_size(struct stripes *s)
{
	struct stat st;

	stripes_must(s, stat(s->settings.path, &st) == 0, "stat");
	if ((size_t)st.st_size != s->size)
		account_fail(&s->account, "round %" PRIu64 ": size %lld, not %zu", s->round,
			     (long long)st.st_size, s->size);
}

void stripes_attach(struct stripes *s)
{
	s->fd = open(s->settings.path, O_RDWR | O_CLOEXEC);
	stripes_must(s, s->fd >= 0, "open");
	s->mapping = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	stripes_must(s, s->mapping != MAP_FAILED, "mmap");
}

void stripes_detach(struct stripes *s)
{
	stripes_must(s, munmap(s->mapping, s->size) == 0, "munmap");
	stripes_must(s, close(s->fd) == 0, "close");
}

static void again(struct stripes *s)
{
	stripes_detach(s);
	stripes_attach(s);
}

static const struct {
	const char *name;
	void (*run)(struct stripes *s);
	unsigned weight;
} operations[] = {
	{ "write", write_some, 8 }, { "store", store_some, 8 },	       { "punch", punch_some, 2 },
	{ "copy", copy_some, 2 },   { "read", read_some, 8 },	       { "load", load_some, 6 },
	{ "settle", settle, 2 },    { "size", stripes_check_size, 2 }, { "again", again, 2 },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

void stripes_operation(struct stripes *s)
{
	unsigned total = 0, at;
	size_t i = 0;

	for (size_t o = 0; o < OPERATIONS; o++)
		total += operations[o].weight;
	at = (unsigned)draw_below(&s->rng, total);
	for (; at >= operations[i].weight; i++)
		at -= operations[i].weight;
	account_next(&s->account);
	account_note(&s->account, "%s", operations[i].name);
	operations[i].run(s);
}
