/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words: what the words of a step stand for: files, descriptors, numbers, flags. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "steps.h"

/* Not mapped, since vm.mmap_min_addr is above it; and no NULL, of which compilers know too much. */
#define FAULT ((const char *)(uintptr_t)8)

/* The text @mark in the path becomes @len times the letter n. */
static void expand(char *path, size_t size, const char *mark, size_t len)
{
	char *at = strstr(path, mark);
	size_t rest;

	if (!at)
		return;
	rest = strlen(at + strlen(mark)) + 1;
	if ((size_t)(at - path) + len + rest > size)
		return;
	memmove(at + len, at + strlen(mark), rest);
	memset(at, 'n', len);
}

/* A path of @len bytes that means the same as @tail, which begins with '/'. */
static void lengthen(char *path, const char *tail, size_t len)
{
	size_t front = len - strlen(tail);

	path[0] = '.';
	memset(path + 1, '/', front - 1);
	memcpy(path + front, tail, strlen(tail) + 1);
}

const char *posix_path(struct posix *p, const char *word, int which)
{
	char *path = p->paths[which];

	if (strcmp(word, "@fault") == 0)
		return FAULT;
	if (strcmp(word, "@empty") == 0)
		return "";
	if (strncmp(word, "@long/", 6) == 0) {
		lengthen(path, word + 5, PATH_MAX - 1);
	} else if (strncmp(word, "@toolong/", 9) == 0) {
		lengthen(path, word + 8, PATH_MAX);
	} else {
		snprintf(path, sizeof(p->paths[which]), "%s", word);
		expand(path, sizeof(p->paths[which]), "@name-5", NAME_MAX - 5);
		expand(path, sizeof(p->paths[which]), "@name+1", NAME_MAX + 1);
		expand(path, sizeof(p->paths[which]), "@name", NAME_MAX);
	}
	return path;
}

static int slot(struct posix *p, const char *word)
{
	int at = word[0] == '%' ? word[1] - 'a' : -1;

	POSIX_WANT(p, at >= 0 && at < POSIX_FDS, "the case is written wrong: no descriptor %s", word);
	return at;
}

int posix_fd(struct posix *p, const char *word)
{
	return p->fds[slot(p, word)];
}

void posix_keep(struct posix *p, const char *word, int fd)
{
	int at = slot(p, word);

	if (p->fds[at] >= 0)
		close(p->fds[at]);
	p->fds[at] = fd;
}

struct posix_at posix_at(struct posix *p, const char *word, int which)
{
	if (word[0] != '%')
		return (struct posix_at){ AT_FDCWD, posix_path(p, word, which) };
	return (struct posix_at){ posix_fd(p, word), word[2] == '/' ? posix_path(p, word + 3, which) : NULL };
}

static const struct posix_word names[] = {
	{ "root", 0 },
	{ "owner", POSIX_UID(POSIX_OWNER) },
	{ "member", POSIX_UID(POSIX_MEMBER) },
	{ "other", POSIX_UID(POSIX_OTHER) },
	{ "team", POSIX_TEAM },
	{ "nobody", 65534 },
	{ "reg", S_IFREG },
	{ "dir", S_IFDIR },
	{ "lnk", S_IFLNK },
	{ "fifo", S_IFIFO },
	{ "sock", S_IFSOCK },
	{ "chr", S_IFCHR },
	{ "blk", S_IFBLK },
	{ NULL, 0 },
};

static const struct posix_word *find_word(const struct posix_word *table, const char *name, size_t len)
{
	for (; table->name; table++)
		if (strlen(table->name) == len && memcmp(table->name, name, len) == 0)
			return table;
	return NULL;
}

long long posix_number(struct posix *p, const char *word)
{
	const struct posix_word *name = find_word(names, word, strlen(word));
	char *end;
	long long value = strtoll(word, &end, 0);

	if (name)
		return name->value;
	if (*end == 'k' || *end == 'm')
		value <<= *end++ == 'k' ? 10 : 20;
	else if (*end == '.' && strlen(end) == 10)
		value = strtoll(word, &end, 10) * 1000000000 + strtoll(end + 1, &end, 10);
	POSIX_WANT(p, *word && *end == '\0', "the case is written wrong: no number %s", word);
	return value;
}

long posix_flags(struct posix *p, const struct posix_word *table, const char *words)
{
	long flags = 0;

	while (words && *words) {
		size_t len = strcspn(words, ",");
		const struct posix_word *word = find_word(table, words, len);
		char *end = NULL;

		flags |= word ? word->value : strtol(words, &end, 0);
		POSIX_WANT(p, word || end == words + len, "the case is written wrong: no flag %s", words);
		words += len + (words[len] == ',');
	}
	return flags;
}

int posix_is_word(const char *word, const char *name)
{
	return word && strcmp(word, name) == 0;
}

long long posix_result(long long returned)
{
	return returned < 0 ? -errno : returned;
}

/* File systems stamp with the time of the last timer tick, 10 ms at HZ=100. */
void posix_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 25000000 }, NULL);
}
