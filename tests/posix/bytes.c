/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes: the verbs of calls that read, write and size files.
 *
 *	read %a LEN TEXT	pread %a LEN OFF TEXT	compare; return the count
 *	write %a TEXT		pwrite %a TEXT OFF	return the count
 *	fill %a BYTE OFF LEN	pwrite, all of it
 *	bytes PATH BYTE OFF LEN	checks that each is BYTE
 *	content PATH TEXT	checks the whole file
 *	truncate PATH LEN
 *	lseek %a OFF set|cur|end|data|hole	returns the offset
 *	fallocate %a keep,punch,zero OFF LEN	"0" for none of these
 *	copy %a OFF %b OFF LEN	copy_file_range; OFF "-": where the descriptor is; returns the count
 *	fsync %a		fdatasync %a		syncfs %a
 *	flock %a sh|ex|un	never waits
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <linux/falloc.h>

#include "steps.h"

static const void *text_of(struct posix *p, const char *word, size_t *ret_len)
{
	*ret_len = strcmp(word, "-") == 0 ? 0 : strlen(word);
	return strcmp(word, "@fault") == 0 ? posix_path(p, word, 0) : word;
}

static ssize_t compare(struct posix *p, const char *got, ssize_t len, const char *want)
{
	size_t want_len;

	if (len < 0)
		return -errno;
	text_of(p, want, &want_len);
	POSIX_WANT(p, (size_t)len == want_len && memcmp(got, want, want_len) == 0,
		   "expected %.80s, got %zd bytes: %.*s", want, len, (int)(len > 80 ? 80 : len), got);
	return len;
}

static long long verb_pread(struct posix *p, char **word)
{
	char buf[4096];
	char *to = posix_is_word(word[3], "@fault") ? (char *)posix_path(p, word[3], 0) : buf;
	size_t len = (size_t)posix_number(p, word[1]);
	ssize_t got = posix_is_word(word[2], "-") ? read(posix_fd(p, word[0]), to, len) :
						    pread(posix_fd(p, word[0]), to, len, posix_number(p, word[2]));

	return compare(p, to, got, word[3]);
}

static long long verb_read(struct posix *p, char **word)
{
	char here[] = "-", *all[] = { word[0], word[1], here, word[2] };

	return verb_pread(p, all);
}

static long long verb_write(struct posix *p, char **word)
{
	size_t len;
	const void *text = text_of(p, word[1], &len);

	return posix_result(write(posix_fd(p, word[0]), text, len));
}

static long long verb_pwrite(struct posix *p, char **word)
{
	size_t len;
	const void *text = text_of(p, word[1], &len);

	return posix_result(pwrite(posix_fd(p, word[0]), text, len, posix_number(p, word[2])));
}

static long long verb_fill(struct posix *p, char **word)
{
	size_t len = (size_t)posix_number(p, word[3]), done = 0;
	char *buf = malloc(len + 1);
	ssize_t written = 1;

	POSIX_WANT(p, buf, "no memory");
	memset(buf, (int)posix_number(p, word[1]), len);
	while (done < len && written > 0) {
		written = pwrite(posix_fd(p, word[0]), buf + done, len - done, posix_number(p, word[2]) + (off_t)done);
		done += written > 0 ? (size_t)written : 0;
	}
	free(buf);
	return posix_result(written < 0 ? -1 : 0);
}

/* A descriptor is that of the case; a path is opened anew. */
static int reading(struct posix *p, const char *word)
{
	struct posix_at at = posix_at(p, word, 0);

	return at.path ? openat(at.fd, at.path, O_RDONLY | O_CLOEXEC) : dup(at.fd);
}

static long long verb_bytes(struct posix *p, char **word)
{
	long long want = posix_number(p, word[1]), off = posix_number(p, word[2]), len = posix_number(p, word[3]);
	unsigned char buf[4096];
	int fd = reading(p, word[0]);

	if (fd < 0)
		return -errno;
	for (ssize_t got; len > 0; off += got, len -= got) {
		got = pread(fd, buf, (size_t)len < sizeof(buf) ? (size_t)len : sizeof(buf), off);
		POSIX_WANT(p, got > 0, "nothing to read at %lld: %s", off, posix_errno_name(got < 0 ? errno : 0));
		for (ssize_t i = 0; i < got; i++)
			POSIX_WANT(p, buf[i] == want, "byte %lld is %u", off + i, buf[i]);
	}
	return posix_result(close(fd));
}

static long long verb_content(struct posix *p, char **word)
{
	char buf[4096];
	int fd = reading(p, word[0]);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = compare(p, buf, pread(fd, buf, sizeof(buf), 0), word[1]);
	close(fd);
	return got;
}

static long long verb_truncate(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	off_t len = posix_number(p, word[1]);

	return posix_result(at.path ? truncate(at.path, len) : ftruncate(at.fd, len));
}

static const struct posix_word whences[] = {
	{ "set", SEEK_SET }, { "cur", SEEK_CUR },   { "end", SEEK_END },
	{ "data", SEEK_DATA }, { "hole", SEEK_HOLE }, { NULL, 0 },
};

static long long verb_lseek(struct posix *p, char **word)
{
	return posix_result(lseek(posix_fd(p, word[0]), posix_number(p, word[1]),
				  (int)posix_flags(p, whences, word[2])));
}

static const struct posix_word fallocate_flags[] = {
	{ "keep", FALLOC_FL_KEEP_SIZE },
	{ "punch", FALLOC_FL_PUNCH_HOLE },
	{ "zero", FALLOC_FL_ZERO_RANGE },
	{ NULL, 0 },
};

static long long verb_fallocate(struct posix *p, char **word)
{
	return posix_result(fallocate(posix_fd(p, word[0]), (int)posix_flags(p, fallocate_flags, word[1]),
				      posix_number(p, word[2]), posix_number(p, word[3])));
}

static long long verb_copy(struct posix *p, char **word)
{
	off_t offs[2] = { 0, 0 }, *off[2] = { NULL, NULL };

	for (int i = 0; i < 2; i++) {
		if (posix_is_word(word[2 * i + 1], "-"))
			continue;
		offs[i] = posix_number(p, word[2 * i + 1]);
		off[i] = &offs[i];
	}
	return posix_result(copy_file_range(posix_fd(p, word[0]), off[0], posix_fd(p, word[2]), off[1],
					    (size_t)posix_number(p, word[4]),
					    word[5] ? (unsigned)posix_number(p, word[5]) : 0));
}

static long long verb_fsync(struct posix *p, char **word)
{
	return posix_result(fsync(posix_fd(p, word[0])));
}

static long long verb_fdatasync(struct posix *p, char **word)
{
	return posix_result(fdatasync(posix_fd(p, word[0])));
}

static long long verb_syncfs(struct posix *p, char **word)
{
	return posix_result(syncfs(posix_fd(p, word[0])));
}

static const struct posix_word locks[] = {
	{ "sh", LOCK_SH },
	{ "ex", LOCK_EX },
	{ "un", LOCK_UN },
	{ NULL, 0 },
};

static long long verb_flock(struct posix *p, char **word)
{
	return posix_result(flock(posix_fd(p, word[0]), (int)posix_flags(p, locks, word[1]) | LOCK_NB));
}

const struct posix_verb posix_byte_verbs[] = {
	{ "read", 3, verb_read },
	{ "pread", 4, verb_pread },
	{ "write", 2, verb_write },
	{ "pwrite", 3, verb_pwrite },
	{ "fill", 4, verb_fill },
	{ "bytes", 4, verb_bytes },
	{ "content", 2, verb_content },
	{ "truncate", 2, verb_truncate },
	{ "lseek", 3, verb_lseek },
	{ "fallocate", 4, verb_fallocate },
	{ "copy", 5, verb_copy },
	{ "fsync", 1, verb_fsync },
	{ "fdatasync", 1, verb_fdatasync },
	{ "syncfs", 1, verb_syncfs },
	{ "flock", 2, verb_flock },
	{ NULL, 0, NULL },
};
