/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_life: what is durable, who has the file open, and its names; see file_operations.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "file_operations.h"

bool file_sync(struct subject *s)
{
	subject_must(s, fsync(handle_pick(s, 0)->fd) == 0, "fsync");
	return true;
}

bool file_datasync(struct subject *s)
{
	subject_must(s, fdatasync(handle_pick(s, 0)->fd) == 0, "fdatasync");
	return true;
}

bool file_evict(struct subject *s)
{
	struct handle *h = handle_pick(s, 0);

	if (draw_one_in(&s->rng, 2))
		subject_must(s, fdatasync(h->fd) == 0, "fdatasync");
	errno = posix_fadvise(h->fd, 0, 0, POSIX_FADV_DONTNEED);
	subject_must(s, !errno, "posix_fadvise");
	return true;
}

bool file_verify(struct subject *s)
{
	subject_verify(s);
	return true;
}

/* Without a name only those may be closed without which it stays. */
bool file_reopen(struct subject *s)
{
	static const int flags[] = {
		O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR | O_APPEND, O_WRONLY | O_APPEND,
	};
	struct handle *h = &s->handles[draw_below(&s->rng, HANDLES)];
	int how = flags[draw_below(&s->rng, sizeof(flags) / sizeof(flags[0]))];

	if (s->unlinked && h == s->handles)
		return false;
	if (s->unlinked) {
		handle_close(s, h);
		return true;
	}
	if (how != O_RDONLY && draw_one_in(&s->rng, 40))
		how |= O_TRUNC;
	account_note(&s->account, " handle %td with flags 0%o", h - s->handles, (unsigned)how);
	handle_open(s, h, how);
	return true;
}

bool file_rename(struct subject *s)
{
	const char *other = s->names[s->name == s->names[0]];

	if (s->unlinked)
		return false;
	subject_must(s, rename(s->name, other) == 0, "rename");
	subject_must(s, access(s->name, F_OK) < 0 && errno == ENOENT, "the old name after rename");
	s->name = other;
	return true;
}

bool file_unlink(struct subject *s)
{
	if (s->unlinked)
		return false;
	subject_must(s, unlink(s->name) == 0, "unlink");
	s->unlinked = 1 + (unsigned)draw_below(&s->rng, 30);
	return true;
}

/* As editors and downloads do; who has the old file open goes on reading it. */
bool file_replace(struct subject *s)
{
	struct image old = s->want;
	struct stat st;
	int fd, second;

	if (s->unlinked)
		return false;
	second = open(s->second_name, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
	fd = open(s->name, O_RDONLY | O_CLOEXEC);
	subject_must(s, second >= 0 && fd >= 0, "open");
	if (draw_one_in(&s->rng, 2))
		subject_must(s, fsync(second) == 0, "fsync");
	subject_must(s, rename(s->second_name, s->name) == 0, "rename over");
	s->want = s->second;
	image_verify(s, &old, fd);
	subject_let_go(s);
	subject_must(s, close(fd) == 0 && fstat(second, &st) == 0 && close(second) == 0, "close");
	s->ino = st.st_ino;
	s->second = old;
	image_resize(&s->second, 0);
	handle_open(s, &s->handles[0], O_RDWR);
	return true;
}

bool file_restore(struct subject *s)
{
	struct handle *h = &s->handles[0];

	if (!s->start.bytes || s->unlinked)
		return false;
	handle_open(s, h, O_RDWR | O_TRUNC);
	image_write(&s->want, 0, s->start.bytes, s->start.size);
	image_pour(s, &s->want, h->fd);
	h->at = s->want.size;
	return true;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static void check_rested(struct subject *s, const struct stat *was, const struct stat *is)
{
	if (!same_time(&was->st_mtim, &is->st_mtim) || !same_time(&was->st_ctim, &is->st_ctim))
		account_fail(&s->account,
			     "left alone, its times changed: mtime %lld.%09ld to %lld.%09ld, "
			     "ctime %lld.%09ld to %lld.%09ld",
			     (long long)was->st_mtim.tv_sec, was->st_mtim.tv_nsec,
			     (long long)is->st_mtim.tv_sec, is->st_mtim.tv_nsec,
			     (long long)was->st_ctim.tv_sec, was->st_ctim.tv_nsec,
			     (long long)is->st_ctim.tv_sec, is->st_ctim.tv_nsec);
	if (was->st_mode != is->st_mode || was->st_uid != is->st_uid || was->st_gid != is->st_gid)
		account_fail(&s->account, "left alone, its mode or owner changed");
}

bool file_rest(struct subject *s)
{
	unsigned ms = s->rest_ms ? (unsigned)draw_below(&s->rng, s->rest_ms) : 0;
	struct timespec rest = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };
	struct stat was, is;

	if (!s->rest_ms || s->unlinked)
		return false;
	if (draw_one_in(&s->rng, 2))
		file_restore(s);
	account_note(&s->account, " %u ms", ms);
	subject_let_go(s);
	subject_must(s, lstat(s->name, &was) == 0, "lstat");
	nanosleep(&rest, NULL);
	subject_must(s, lstat(s->name, &is) == 0, "lstat");
	check_rested(s, &was, &is);
	handle_open(s, &s->handles[0], draw_one_in(&s->rng, 2) ? O_RDWR : O_RDONLY);
	return true;
}
