/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list: getdents64: every name once, whatever happens meanwhile. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steps.h"

#define MANY 2500

static void make_many(struct posix *p)
{
	char name[32];

	for (int i = 0; i < MANY; i++) {
		int fd;

		snprintf(name, sizeof(name), "entry-%d", i);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		POSIX_OK(p, fd >= 0, name);
		close(fd);
	}
}

/* How often each was seen, from 0 to MANY - 1; "." and ".." at the end. */
struct seen {
	int n[MANY], dots[2], foreign;
};

static void see(struct seen *seen, const char *name)
{
	int number = -1;

	if (sscanf(name, "entry-%d", &number) == 1 && number >= 0 && number < MANY)
		seen->n[number]++;
	else if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		seen->dots[strlen(name) - 1]++;
	else
		seen->foreign++;
}

static void want_all_once(struct posix *p, const struct seen *seen)
{
	for (int i = 0; i < MANY; i++)
		POSIX_WANT(p, seen->n[i] == 1, "entry-%d was listed %d times", i, seen->n[i]);
	POSIX_WANT(p, seen->dots[0] == 1 && seen->dots[1] == 1, ". was listed %d times, .. %d times", seen->dots[0],
		   seen->dots[1]);
	POSIX_WANT(p, seen->foreign == 0, "%d names that nobody made", seen->foreign);
}

static void every_name_once(struct posix *p)
{
	static struct seen seen, again;
	struct dirent *entry;
	DIR *dir;

	make_many(p);
	dir = opendir(".");
	POSIX_OK(p, dir, "opendir");
	while ((entry = readdir(dir)))
		see(&seen, entry->d_name);
	want_all_once(p, &seen);
	rewinddir(dir);
	while ((entry = readdir(dir)))
		see(&again, entry->d_name);
	want_all_once(p, &again);
	closedir(dir);
}

/* Each is removed as soon as it is listed: none may be missed, none come twice. */
static void removed_while_listing(struct posix *p)
{
	static struct seen seen;
	struct dirent *entry;
	DIR *dir;

	make_many(p);
	dir = opendir(".");
	while ((entry = readdir(dir))) {
		see(&seen, entry->d_name);
		if (entry->d_name[0] == 'e')
			POSIX_OK(p, unlink(entry->d_name) == 0, entry->d_name);
	}
	want_all_once(p, &seen);
	closedir(dir);
	posix_steps(p, "lists_names . 0");
}

/* What was there from the beginning to the end is listed once, though its neighbours come and go. */
static void changes_while_listing(struct posix *p)
{
	static struct seen seen;
	struct dirent *entry;
	char name[32];
	DIR *dir;
	int i = 0;

	make_many(p);
	dir = opendir(".");
	while ((entry = readdir(dir))) {
		see(&seen, entry->d_name);
		snprintf(name, sizeof(name), "new-%d", i++ / 2);
		if (i < MANY)
			POSIX_OK(p, i % 2 ? mkdir(name, 0755) == 0 : rmdir(name) == 0, name);
	}
	seen.foreign = 0;
	want_all_once(p, &seen);
	closedir(dir);
}

static void goes_on_where_told(struct posix *p)
{
	static struct seen seen;
	static long places[MANY + 2];
	struct dirent *entry;
	DIR *dir;
	int n = 0;
	long place;
	char name[256];

	make_many(p);
	dir = opendir(".");
	for (place = telldir(dir); n < MANY + 2 && readdir(dir); place = telldir(dir))
		places[n++] = place;
	POSIX_WANT(p, n == MANY + 2, "%d names listed", n);
	for (int i = 0; i < 20; i++) {
		seekdir(dir, places[n * i / 20]);
		entry = readdir(dir);
		POSIX_WANT(p, entry, "nothing is listed at a place told before");
		snprintf(name, sizeof(name), "%s", entry->d_name);
		seekdir(dir, places[n * i / 20]);
		entry = readdir(dir);
		POSIX_WANT(p, entry && strcmp(entry->d_name, name) == 0, "another name at the same place");
	}
	seekdir(dir, places[0]);
	while ((entry = readdir(dir)))
		see(&seen, entry->d_name);
	want_all_once(p, &seen);
	closedir(dir);
}

static void kinds_and_numbers(struct posix *p)
{
	int n = 0;
	struct dirent *entry;
	DIR *dir;

	posix_steps(p, "create f 0644; mkdir d 0755; symlink t l; mknod p fifo 0644; mknod s sock 0644; link f g");
	dir = opendir(".");
	for (; (entry = readdir(dir)); n++) {
		struct stat st;

		POSIX_OK(p, lstat(entry->d_name, &st) == 0, entry->d_name);
		POSIX_WANT(p, entry->d_type == DT_UNKNOWN || DTTOIF((mode_t)entry->d_type) == (st.st_mode & S_IFMT),
			   "%s: d_type %d", entry->d_name, entry->d_type);
		POSIX_WANT(p, strcmp(entry->d_name, "..") == 0 || entry->d_ino == st.st_ino,
			   "%s: d_ino %llu, st_ino %llu", entry->d_name, (unsigned long long)entry->d_ino, (unsigned long long)st.st_ino);
	}
	POSIX_WANT(p, n == 8, "%d names", n);
	closedir(dir);
}

static void rewound_shows_news(struct posix *p)
{
	struct dirent *entry;
	int n = 0, m = 0;
	DIR *dir = opendir(".");

	while ((entry = readdir(dir)))
		n++;
	posix_steps(p, "create a 0644; mkdir b 0755; create c 0644; unlink c");
	rewinddir(dir);
	while ((entry = readdir(dir)))
		m++;
	POSIX_WANT(p, n == 2 && m == 4, "%d, then %d names", n, m);
	closedir(dir);
}

static long list(struct posix *p, const char *fd, void *buf, size_t len)
{
	long got = syscall(SYS_getdents64, posix_fd(p, fd), buf, len);

	return got < 0 ? -errno : got;
}

static void want_error(struct posix *p, const char *fd, size_t len, int want)
{
	char buf[1024];
	long got = list(p, fd, buf, len);

	POSIX_WANT(p, got == -want, "getdents64 into %zu bytes: expected %s, got %s", len, posix_errno_name(want),
		   got < 0 ? posix_errno_name((int)-got) : "entries");
}

static void errors(struct posix *p)
{
	posix_steps(p, "mkdir d 0755; open %d d r; create f 0644; open %f f r; mkdir e 0755; open %e e r; rmdir e; "
		       "open %p d path");
	want_error(p, "%f", 1024, ENOTDIR);
	want_error(p, "%z", 1024, EBADF);
	want_error(p, "%p", 1024, EBADF);
	want_error(p, "%d", 4, EINVAL);
	want_error(p, "%e", 1024, ENOENT);
}

static void removed_directory_ends(struct posix *p)
{
	char buf[1024];

	posix_steps(p, "mkdir d 0755; create d/f 0644; open %d d r");
	POSIX_WANT(p, list(p, "%d", buf, sizeof(buf)) > 0, "nothing listed");
	posix_steps(p, "unlink d/f; rmdir d");
	want_error(p, "%d", 1024, ENOENT);
}

static const struct posix_case posix_getdents_cases[] = {
	RUN("every-name-once", every_name_once),
	RUN("removed-while-listing", removed_while_listing),
	RUN("changes-while-listing", changes_while_listing),
	RUN("goes-on-where-told", goes_on_where_told),
	RUN("kinds-and-numbers", kinds_and_numbers),
	RUN("rewound-shows-news", rewound_shows_news),
	RUN("errors", errors),
	RUN("ENOENT-removed", removed_directory_ends),
	STEPS("longest-names", "create @name 0644; lists_names . 1; unlink @name; lists_names . 0"),
	STEPS("EACCES", "mkdir d 0711; other: EACCES lists_names d 0; owner: EACCES lists_names d 0; "
	      "root: lists_names d 0"),
	STEPS("after-chmod", "mkdir d 0755; other: open %a d r; root: create d/f 0644; chmod d 0; "
	      "other: lists_names . 1"),
	STEPS("names-of-all-kinds", "create a.b 0644; create \303\244 0644; create -x 0644; "
	      "create \377\001 0644; create ~ 0644; lists_names . 5; unlink \377\001; unlink -x; "
	      "lists_names . 3"),
	STEPS("case", "create a 0644; create A 0644; lists_names . 2; differ a A"),
	STEPS("times", "mkdir d 0755; create d/f 0644; utimens d 5.000000000 omit; note d; lists_names d 1; "
	      "since d a"),
	STEPS("hidden", "create .a 0644; create ..a 0644; create ... 0644; lists_names . 3"),
};

static const struct posix_case posix_chdir_cases[] = {
	STEPS("directory", "mkdir d 0755; create d/f 0644; chdir d; stat f; chdir ..; stat d/f"),
	STEPS("descriptor", "mkdir d 0755; create d/f 0644; open %a d r; open %b . path; chdir %a; stat f; "
	      "chdir %b; stat d/f"),
	STEPS("ENOTDIR", "create f 0644; ENOTDIR chdir f; open %a f r; ENOTDIR chdir %a"),
	STEPS("EACCES", "mkdir d 0766; other: EACCES chdir d; owner: EACCES chdir d; root: chmod d 0711; "
	      "other: chdir d"),
	STEPS("EACCES-descriptor", "mkdir d 0755; other: open %a d r; root: chmod d 0700; "
	      "other: EACCES chdir %a"),
	STEPS("EACCES-later", "mkdir d 0755; create d/f 0644; other: chdir d; stat f; root: chmod . 0700; "
	      "other: EACCES stat f"),
	STEPS("EBADF", "EBADF chdir %a"),
	STEPS("removed", "mkdir d 0755; open %a d r; rmdir d; chdir %a; ENOENT create f 0644"),
};

const struct posix_group posix_list_groups[] = {
	POSIX_GROUP(getdents),
	POSIX_GROUP(chdir),
	{ NULL, NULL, 0 },
};
