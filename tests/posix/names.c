/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: the verbs of calls that make, find and remove names.
 *
 *	open %a|- PATH FLAGS [MODE]	"-": closed at once
 *	create PATH MODE		open with O_CREAT|O_EXCL and close
 *	close %a
 *	mkdir PATH MODE			rmdir PATH		unlink PATH
 *	link OLD NEW [follow]		OLD may be %a, which linkat reaches through /proc
 *	symlink TEXT PATH		readlink PATH TEXT	compares
 *	rename OLD NEW [noreplace,exchange,whiteout]
 *	mknod PATH fifo|sock|reg|chr|blk|dir MODE
 *	chdir PATH			exec PATH		runs it; what is no program counts as run
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.h"

static const struct posix_word open_flags[] = {
	{ "r", O_RDONLY },
	{ "w", O_WRONLY },
	{ "rw", O_RDWR },
	{ "creat", O_CREAT },
	{ "excl", O_EXCL },
	{ "trunc", O_TRUNC },
	{ "append", O_APPEND },
	{ "nofollow", O_NOFOLLOW },
	{ "directory", O_DIRECTORY },
	{ "direct", O_DIRECT },
	{ "tmpfile", O_TMPFILE },
	{ "noatime", O_NOATIME },
	{ "path", O_PATH },
	{ "nonblock", O_NONBLOCK },
	{ "sync", O_SYNC },
	{ "dsync", O_DSYNC },
	{ NULL, 0 },
};

static const struct posix_word rename_flags[] = {
	{ "noreplace", RENAME_NOREPLACE },
	{ "exchange", RENAME_EXCHANGE },
	{ "whiteout", RENAME_WHITEOUT },
	{ NULL, 0 },
};

static long long verb_open(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[1], 0);
	mode_t mode = word[3] ? (mode_t)posix_number(p, word[3]) : 0;
	int fd = openat(at.fd, at.path, (int)posix_flags(p, open_flags, word[2]) | O_CLOEXEC, mode);

	if (fd < 0)
		return -errno;
	if (posix_is_word(word[0], "-"))
		close(fd);
	else
		posix_keep(p, word[0], fd);
	return 0;
}

static long long verb_create(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	int fd = openat(at.fd, at.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			(mode_t)posix_number(p, word[1]));

	if (fd < 0)
		return -errno;
	return posix_result(close(fd));
}

static long long verb_close(struct posix *p, char **word)
{
	int fd = posix_fd(p, word[0]);

	p->fds[word[0][1] - 'a'] = -1;
	return posix_result(close(fd));
}

static long long verb_mkdir(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);

	return posix_result(mkdirat(at.fd, at.path, (mode_t)posix_number(p, word[1])));
}

static long long verb_rmdir(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);

	return posix_result(unlinkat(at.fd, at.path, AT_REMOVEDIR));
}

static long long verb_unlink(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);

	return posix_result(unlinkat(at.fd, at.path, 0));
}

static long long verb_link(struct posix *p, char **word)
{
	struct posix_at old = posix_at(p, word[0], 0), new = posix_at(p, word[1], 1);
	int flags = posix_is_word(word[2], "follow") ? AT_SYMLINK_FOLLOW : 0;
	char held[64];

	if (!old.path) {
		snprintf(held, sizeof(held), "/proc/self/fd/%d", old.fd);
		old = (struct posix_at){ AT_FDCWD, held };
		flags = AT_SYMLINK_FOLLOW;
	}
	return posix_result(linkat(old.fd, old.path, new.fd, new.path, flags));
}

static long long verb_symlink(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[1], 0);

	return posix_result(symlinkat(posix_path(p, word[0], 1), at.fd, at.path));
}

static long long verb_readlink(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	char *got = p->paths[1], want[sizeof(p->paths[1])];
	ssize_t len;

	snprintf(want, sizeof(want), "%s", posix_path(p, word[1], 1));
	len = readlinkat(at.fd, at.path, got, sizeof(p->paths[1]) - 1);
	if (len < 0)
		return -errno;
	got[len] = '\0';
	POSIX_WANT(p, strcmp(got, want) == 0, "expected %.80s, got %.80s", want, got);
	return 0;
}

static long long verb_rename(struct posix *p, char **word)
{
	struct posix_at old = posix_at(p, word[0], 0), new = posix_at(p, word[1], 1);

	if (!word[2])
		return posix_result(renameat(old.fd, old.path, new.fd, new.path));
	return posix_result(renameat2(old.fd, old.path, new.fd, new.path,
				      (unsigned)posix_flags(p, rename_flags, word[2])));
}

/* A device is 1:3, the null device: harmless where it can be opened. */
static long long verb_mknod(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);
	mode_t type = (mode_t)posix_number(p, word[1]);
	dev_t device = S_ISCHR(type) || S_ISBLK(type) ? makedev(1, 3) : 0;

	return posix_result(mknodat(at.fd, at.path, type | (mode_t)posix_number(p, word[2]), device));
}

static long long verb_chdir(struct posix *p, char **word)
{
	struct posix_at at = posix_at(p, word[0], 0);

	return posix_result(at.path ? chdir(at.path) : fchdir(at.fd));
}

/* What execve fails with comes back through a pipe that its success closes. */
static long long verb_exec(struct posix *p, char **word)
{
	char *argument[] = { word[0], NULL };
	const char *path = posix_path(p, word[0], 0);
	int ends[2], error = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		execv(path, argument);
		error = errno == ENOEXEC ? 0 : errno;
		_exit(write(ends[1], &error, sizeof(error)) != sizeof(error));
	}
	close(ends[1]);
	if (read(ends[0], &error, sizeof(error)) < 0)
		error = errno;
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return -error;
}

const struct posix_verb posix_name_verbs[] = {
	{ "open", 3, verb_open },
	{ "create", 2, verb_create },
	{ "close", 1, verb_close },
	{ "mkdir", 2, verb_mkdir },
	{ "rmdir", 1, verb_rmdir },
	{ "unlink", 1, verb_unlink },
	{ "link", 2, verb_link },
	{ "symlink", 2, verb_symlink },
	{ "readlink", 2, verb_readlink },
	{ "rename", 2, verb_rename },
	{ "mknod", 3, verb_mknod },
	{ "chdir", 1, verb_chdir },
	{ "exec", 1, verb_exec },
	{ NULL, 0, NULL },
};
