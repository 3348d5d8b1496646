/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shared: see shared.h. */
#include "shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x31656e6f656c6f68u
#define NAMES 6	/* of versions, and as many of folders */
#define VERSION_MAX (200u << 10)

struct version {
	uint64_t magic, content, size;
};

struct record {
	uint64_t magic, process, serial, check;
};

static void must(struct shared *s, bool right, const char *what)
{
	if (!right)
		account_fail(s->account, "shared: %s: %s", what, strerror(errno));
}

/* Whether it succeeded; if not, with one of two errnos that another process explains. */
static bool done(struct shared *s, int ret, const char *what, int error, int other)
{
	must(s, ret >= 0 || errno == error || errno == other, what);
	return ret >= 0;
}

/* "s3", or with the letter d a folder. */
static const char *draw_name(struct shared *s, char letter, char name[32])
{
	snprintf(name, 32, "%c%u", letter, (unsigned)draw_below(s->rng, NAMES));
	account_note(s->account, " %s", name);
	return name;
}

static void pour(struct shared *s, int fd, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len) {
		size_t n = draw_length(s->rng, 64u << 10);

		n = n < len ? n : len;
		must(s, write(fd, at, n) == (ssize_t)n, "write");
		at += n;
		len -= n;
	}
}

/* The last bytes of a version say what those before them must be. */
static uint8_t *version_new(struct shared *s, struct version v)
{
	uint8_t *bytes = malloc(v.size);

	must(s, bytes != NULL, "no memory");
	content_fill(s->matter, v.content, 0, bytes, v.size - sizeof(v));
	memcpy(bytes + v.size - sizeof(v), &v, sizeof(v));
	return bytes;
}

static void publish(struct shared *s)
{
	struct version v = { MAGIC, rng_next(s->rng),
			     sizeof(v) + draw_length(s->rng, VERSION_MAX) };
	char temporary[32], name[32];
	uint8_t *bytes;
	int fd;

	if (s->matter->len > sizeof(v) && !draw_one_in(s->rng, 4))
		v.size = s->matter->len;
	snprintf(temporary, sizeof(temporary), "t%u", s->process);
	fd = openat(s->directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	must(s, fd >= 0, "create");
	bytes = version_new(s, v);
	pour(s, fd, bytes, v.size);
	free(bytes);
	if (draw_one_in(s->rng, 10))
		must(s, fsync(fd) == 0, "fsync");
	must(s, close(fd) == 0, "close");
	must(s, renameat(s->directory, temporary, s->directory, draw_name(s, 's', name)) == 0,
	     "rename over");
	s->tally->published++;
}

static void check_version(struct shared *s, const uint8_t *got, size_t n, const char *name)
{
	struct version v = { 0 };
	uint8_t *want;

	if (n > sizeof(v))
		memcpy(&v, got + n - sizeof(v), sizeof(v));
	if (v.magic != MAGIC || v.size != n)
		account_fail(s->account, "shared: %s: %zu bytes are no whole version", name, n);
	want = version_new(s, v);
	for (size_t i = 0; i < n; i++)
		if (got[i] != want[i])
			account_fail(s->account, "shared: %s: byte %zu of %zu is the first wrong one",
				     name, i, n);
	free(want);
	s->tally->versions_read++;
}

/* A byte more than it should have would be read, too. */
static void read_version(struct shared *s)
{
	char name[32];
	int fd = openat(s->directory, draw_name(s, 's', name), O_RDONLY | O_CLOEXEC);
	size_t len = 0, room;
	struct stat st;
	uint8_t *got;
	ssize_t n;

	if (!done(s, fd, "open", ENOENT, 0))
		return;
	must(s, fstat(fd, &st) == 0, "fstat");
	room = (size_t)st.st_size + 1;
	got = malloc(room);
	must(s, got != NULL, "no memory");
	while ((n = read(fd, got + len, room - len)) > 0)
		len += (size_t)n;
	must(s, n == 0, "read");
	if (len != (size_t)st.st_size)
		account_fail(s->account, "shared: %s: %zu bytes read, not %zu", name, len,
			     (size_t)st.st_size);
	check_version(s, got, len, name);
	free(got);
	must(s, close(fd) == 0, "close");
}

static void look(struct shared *s)
{
	char name[32];
	struct stat st;

	if (!done(s, fstatat(s->directory, draw_name(s, 's', name), &st, AT_SYMLINK_NOFOLLOW),
		  "stat", ENOENT, 0))
		return;
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size <= sizeof(struct version))
		account_fail(s->account, "shared: %s: mode 0%o, %zu bytes: no version", name,
			     st.st_mode, (size_t)st.st_size);
}

static void drop(struct shared *s)
{
	char name[32];

	done(s, unlinkat(s->directory, draw_name(s, 's', name), 0), "unlink", ENOENT, 0);
}

static void move(struct shared *s)
{
	unsigned flags = draw_one_in(s->rng, 2) ? 0 :
			 draw_one_in(s->rng, 2) ? RENAME_EXCHANGE :
						  RENAME_NOREPLACE;
	char from[32], to[32];
	int ret;

	draw_name(s, 's', from);
	draw_name(s, 's', to);
	account_note(s->account, " with flags %u", flags);
	ret = renameat2(s->directory, from, s->directory, to, flags);
	if (ret < 0 && flags && errno == EINVAL)
		account_refused(s->account, "rename", errno);
	else
		done(s, ret, "rename", ENOENT, flags == RENAME_NOREPLACE ? EEXIST : 0);
}

static void link_another(struct shared *s)
{
	char from[32], to[32];

	draw_name(s, 's', from);
	done(s, linkat(s->directory, from, s->directory, draw_name(s, 's', to), 0), "link", ENOENT,
	     EEXIST);
}

/* As long as our file is in it, nobody can remove the folder. */
static void folder(struct shared *s)
{
	char name[32], path[64];
	int fd;

	done(s, mkdirat(s->directory, draw_name(s, 'd', name), 0755), "mkdir", EEXIST, 0);
	snprintf(path, sizeof(path), "%s/%u", name, s->process);
	fd = openat(s->directory, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (done(s, fd, "create in a folder", ENOENT, 0)) {
		must(s, close(fd) == 0, "close");
		must(s, unlinkat(s->directory, path, 0) == 0, "unlink in a folder");
	}
	done(s, unlinkat(s->directory, name, AT_REMOVEDIR), "rmdir", ENOENT, ENOTEMPTY);
}

static void increment(struct shared *s, int fd, unsigned counter)
{
	uint64_t value = 0;
	ssize_t n = pread(fd, &value, sizeof(value), 0);

	must(s, n == 0 || n == sizeof(value), "read of a counter");
	value++;
	sched_yield(); /* to whoever would come between */
	must(s, pwrite(fd, &value, sizeof(value), 0) == sizeof(value), "write of a counter");
	s->tally->increments[counter]++;
}

static void count_exclusive(struct shared *s)
{
	int lock = openat(s->directory, "lock", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), fd;

	if (!done(s, lock, "create of a lock file", EEXIST, 0))
		return;
	fd = openat(s->directory, "counter0", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	must(s, fd >= 0, "open of a counter");
	increment(s, fd, COUNTER_EXCLUSIVE);
	must(s, close(fd) == 0 && close(lock) == 0, "close");
	must(s, unlinkat(s->directory, "lock", 0) == 0, "unlink of a lock file");
}

static void count_flock(struct shared *s)
{
	int fd = openat(s->directory, "counter1", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	must(s, fd >= 0 && flock(fd, LOCK_EX) == 0, "flock");
	increment(s, fd, COUNTER_FLOCK);
	must(s, close(fd) == 0, "close");
}

static struct record record_of(uint64_t process, uint64_t serial)
{
	struct record r = { MAGIC, process, serial, 0 };

	content_fill(NULL, process, serial * 8, &r.check, sizeof(r.check));
	return r;
}

static void append(struct shared *s)
{
	int fd = openat(s->directory, "log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	struct record r = record_of(s->process, s->tally->records);

	must(s, fd >= 0, "open of the log");
	must(s, write(fd, &r, sizeof(r)) == sizeof(r), "append");
	must(s, close(fd) == 0, "close");
	s->tally->records++;
}

static void list(struct shared *s)
{
	int fd = openat(s->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	unsigned anchors = 0;
	struct dirent *d;

	must(s, listing != NULL, "opendir");
	while ((errno = 0, d = readdir(listing))) {
		anchors += !strcmp(d->d_name, "anchor");
		if (!strchr(".stdclax", d->d_name[0]))
			account_fail(s->account, "shared: '%s' is listed, which nobody made",
				     d->d_name);
	}
	must(s, !errno && closedir(listing) == 0, "readdir");
	if (anchors != 1)
		account_fail(s->account, "shared: what is always there is listed %u times",
			     anchors);
}

static const struct {
	const char *name;
	void (*run)(struct shared *s);
	unsigned weight;
} operations[] = {
	{ "publish", publish, 5 },
	{ "read_version", read_version, 8 },
	{ "look", look, 3 },
	{ "drop", drop, 1 },
	{ "move", move, 4 },
	{ "link_another", link_another, 2 },
	{ "folder", folder, 3 },
	{ "count_exclusive", count_exclusive, 4 },
	{ "count_flock", count_flock, 3 },
	{ "append", append, 4 },
	{ "list", list, 2 },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

void shared_operation(struct shared *s)
{
	unsigned total = 0, at;
	size_t i = 0;

	for (size_t o = 0; o < OPERATIONS; o++)
		total += operations[o].weight;
	at = (unsigned)draw_below(s->rng, total);
	for (; at >= operations[i].weight; i++)
		at -= operations[i].weight;
	account_note(s->account, "shared %s", operations[i].name);
	operations[i].run(s);
}

int shared_begin(struct account *a, const char *path)
{
	struct shared s = { .account = a };
	int directory, anchor;

	must(&s, mkdir(path, 0755) == 0, "mkdir");
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	anchor = openat(directory, "anchor", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	must(&s, anchor >= 0 && close(anchor) == 0, "create");
	return directory;
}

static void verify_counter(struct shared *s, const char *name, uint64_t want)
{
	int fd = openat(s->directory, name, O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	if (!want && fd < 0)
		return;
	must(s, fd >= 0 && read(fd, &value, sizeof(value)) == sizeof(value), name);
	close(fd);
	if (value != want)
		account_fail(s->account, "shared: %s is %" PRIu64 " after %" PRIu64 " increments",
			     name, value, want);
}

/* Each process's records are there once, and in its order. */
static void verify_log(struct shared *s, const struct shared_tally *tallies, unsigned processes)
{
	int fd = openat(s->directory, "log", O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
	uint64_t *next = calloc(processes, sizeof(*next));
	struct record r;
	ssize_t n;

	must(s, fd >= 0 && next, "open of the log");
	while ((n = read(fd, &r, sizeof(r))) == sizeof(r)) {
		struct record want =
			record_of(r.process, r.process < processes ? next[r.process]++ : 0);

		if (memcmp(&r, &want, sizeof(r)))
			account_fail(s->account, "shared: a record of the log is torn or misplaced");
	}
	must(s, n == 0, "read of the log");
	for (unsigned i = 0; i < processes; i++)
		if (next[i] != tallies[i].records)
			account_fail(s->account,
				     "shared: the log has %" PRIu64 " of %" PRIu64
				     " records of process %u",
				     next[i], tallies[i].records, i);
	free(next);
	close(fd);
}

static void empty(struct shared *s)
{
	static const char *const others[] = { "anchor", "counter0", "counter1", "log" };
	char name[32];

	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		done(s, unlinkat(s->directory, name, 0), name, ENOENT, 0);
		name[0] = 'd';
		done(s, unlinkat(s->directory, name, AT_REMOVEDIR), name, ENOENT, 0);
	}
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		done(s, unlinkat(s->directory, others[i], 0), others[i], ENOENT, 0);
}

void shared_verify(struct account *a, int directory, const struct shared_tally *tallies,
		   unsigned processes)
{
	struct shared s = { .account = a, .directory = directory };
	uint64_t increments[COUNTERS] = { 0 };

	for (unsigned i = 0; i < processes; i++)
		for (unsigned c = 0; c < COUNTERS; c++)
			increments[c] += tallies[i].increments[c];
	verify_counter(&s, "counter0", increments[COUNTER_EXCLUSIVE]);
	verify_counter(&s, "counter1", increments[COUNTER_FLOCK]);
	verify_log(&s, tallies, processes);
	empty(&s);
}
