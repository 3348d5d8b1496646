/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock: flock, which belongs to an open file; fcntl's POSIX locks, which belong to a process. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.h"

/* Return: 0 or -errno. F_SETLKW waits, at most until the case's alarm. */
static int lock(int fd, int command, short type, off_t from, off_t len)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = len };

	return fcntl(fd, command, &range) < 0 ? -errno : 0;
}

static void take(struct posix *p, int fd, short type, off_t from, off_t len)
{
	int ret = lock(fd, F_SETLK, type, from, len);

	POSIX_WANT(p, ret == 0, "not locked: %s", posix_errno_name(-ret));
}

static int open_file(struct posix *p, const char *name, int flags)
{
	int fd = open(name, flags | O_CREAT | O_CLOEXEC, 0666);

	POSIX_OK(p, fd >= 0, "open");
	return fd;
}

/* What another process gets that asks for such a lock: 0 or an errno. */
static int others_try(struct posix *p, const char *name, short type, off_t from, off_t len)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(-lock(open_file(p, name, O_RDWR), F_SETLK, type, from, len));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static void want_refused(struct posix *p, short type, off_t from, off_t len, bool refused)
{
	int got = others_try(p, "f", type, from, len);

	POSIX_WANT(p, refused ? got == EAGAIN || got == EACCES : got == 0, "%s lock of %lld at %lld: expected %s, got %s",
		   type == F_WRLCK ? "a write" : "a read", (long long)len, (long long)from, refused ? "EAGAIN" : "0",
		   posix_errno_name(got));
}

static void write_lock_excludes(struct posix *p)
{
	int fd = open_file(p, "f", O_RDWR);

	take(p, fd, F_WRLCK, 0, 0);
	want_refused(p, F_WRLCK, 0, 0, true);
	want_refused(p, F_RDLCK, 100, 1, true);
	take(p, fd, F_UNLCK, 0, 0);
	want_refused(p, F_WRLCK, 0, 0, false);
}

static void read_locks_share(struct posix *p)
{
	take(p, open_file(p, "f", O_RDWR), F_RDLCK, 0, 0);
	want_refused(p, F_RDLCK, 0, 0, false);
	want_refused(p, F_WRLCK, 0, 0, true);
}

static void ranges_are_apart(struct posix *p)
{
	int fd = open_file(p, "f", O_RDWR);

	take(p, fd, F_WRLCK, 10, 10);
	want_refused(p, F_WRLCK, 0, 10, false);
	want_refused(p, F_WRLCK, 20, 0, false);
	want_refused(p, F_WRLCK, 19, 1, true);
	want_refused(p, F_WRLCK, 0, 11, true);
	take(p, fd, F_UNLCK, 13, 2);
	want_refused(p, F_WRLCK, 13, 2, false);
	want_refused(p, F_WRLCK, 12, 1, true);
	want_refused(p, F_WRLCK, 15, 1, true);
}

static void a_process_replaces_its_own(struct posix *p)
{
	int fd = open_file(p, "f", O_RDWR);

	take(p, fd, F_WRLCK, 0, 100);
	take(p, open_file(p, "f", O_RDWR), F_RDLCK, 0, 50);
	want_refused(p, F_RDLCK, 0, 50, false);
	want_refused(p, F_RDLCK, 50, 50, true);
}

static void any_close_releases(struct posix *p)
{
	int fd = open_file(p, "f", O_RDWR), second = open_file(p, "f", O_RDONLY);

	take(p, fd, F_WRLCK, 0, 0);
	close(second);
	want_refused(p, F_WRLCK, 0, 0, false);
}

/*
 * A process that holds a lock on f; it has it when this returns. It ends when told
 * by closing @ret_go; told by a byte it waits for another lock first.
 */
static pid_t start_holder(struct posix *p, int *ret_go)
{
	int there[2], go[2], fd;
	char byte;
	pid_t pid;

	POSIX_OK(p, pipe2(there, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0, "pipe");
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		fd = open_file(p, "f", O_RDWR);
		take(p, fd, F_WRLCK, 5, 10);
		POSIX_OK(p, write(there[1], "x", 1) == 1, "write");
		_exit(read(go[0], &byte, 1) == 1 ? -lock(fd, F_SETLKW, F_WRLCK, 0, 1) : 0);
	}
	close(there[1]);
	POSIX_WANT(p, read(there[0], &byte, 1) == 1, "the other process did not get its lock: %s", p->said);
	*ret_go = go[1];
	return pid;
}

static void tells_who_holds(struct posix *p)
{
	struct flock range = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int go, fd = open_file(p, "f", O_RDWR);
	pid_t pid = start_holder(p, &go);

	POSIX_OK(p, fcntl(fd, F_GETLK, &range) == 0, "F_GETLK");
	POSIX_WANT(p, range.l_type == F_WRLCK && range.l_pid == pid && range.l_start == 5 && range.l_len == 10,
		   "F_GETLK: type %d, pid %d for %d, %lld at %lld", range.l_type, range.l_pid, pid,
		   (long long)range.l_len, (long long)range.l_start);
	close(go);
	waitpid(pid, NULL, 0);
	POSIX_WANT(p, fcntl(fd, F_GETLK, &range) == 0 && range.l_type == F_UNLCK, "still held after its process ended");
}

static void killed_process_releases(struct posix *p)
{
	int go, fd = open_file(p, "f", O_RDWR);
	pid_t pid = start_holder(p, &go);

	POSIX_WANT(p, lock(fd, F_SETLK, F_WRLCK, 0, 0) == -EAGAIN, "locked twice");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	take(p, fd, F_WRLCK, 0, 0);
}

static void waits_until_released(struct posix *p)
{
	int go, status = 0, fd = open_file(p, "f", O_RDWR);
	pid_t holder = start_holder(p, &go), waiter = fork();

	if (waiter == 0) {
		close(go);
		_exit(-lock(fd, F_SETLKW, F_WRLCK, 0, 0));
	}
	posix_nap();
	POSIX_WANT(p, waitpid(waiter, &status, WNOHANG) == 0, "did not wait");
	close(go);
	waitpid(holder, NULL, 0);
	waitpid(waiter, &status, 0);
	POSIX_WANT(p, status == 0, "waiting ended with %s", posix_errno_name(WEXITSTATUS(status)));
}

static void ignore(int number)
{
	(void)number;
}

static void waiting_is_interrupted(struct posix *p)
{
	struct sigaction action = { .sa_handler = ignore };
	int go, fd = open_file(p, "f", O_RDWR), ret;
	pid_t holder = start_holder(p, &go), parent = getpid(), waker;

	sigaction(SIGUSR1, &action, NULL);
	waker = fork();
	if (waker == 0) {
		for (;;) {
			posix_nap();
			kill(parent, SIGUSR1);
		}
	}
	ret = lock(fd, F_SETLKW, F_WRLCK, 0, 0);
	kill(waker, SIGKILL);
	kill(holder, SIGKILL);
	POSIX_WANT(p, ret == -EINTR, "expected EINTR, got %s", posix_errno_name(-ret));
}

/* Each of two waits for what the other has: one of them is told. */
static void mutual_waiting(struct posix *p)
{
	int go, status = 0, ret, fd = open_file(p, "f", O_RDWR);
	pid_t holder;

	take(p, fd, F_WRLCK, 0, 1);
	holder = start_holder(p, &go);
	POSIX_OK(p, write(go, "x", 1) == 1, "write");
	ret = -lock(fd, F_SETLKW, F_WRLCK, 5, 1);
	take(p, fd, F_UNLCK, 0, 0);
	waitpid(holder, &status, 0);
	POSIX_WANT(p, (ret == EDEADLK) != (WEXITSTATUS(status) == EDEADLK) && (ret == 0 || ret == EDEADLK),
		   "got %s, the other %s", posix_errno_name(ret), posix_errno_name(WEXITSTATUS(status)));
}

static void children_do_not_inherit(struct posix *p)
{
	int status, fd = open_file(p, "f", O_RDWR);
	pid_t pid;

	take(p, fd, F_WRLCK, 0, 0);
	pid = fork();
	if (pid == 0)
		_exit(-lock(fd, F_SETLK, F_WRLCK, 0, 0));
	waitpid(pid, &status, 0);
	POSIX_WANT(p, WEXITSTATUS(status) == EAGAIN, "expected EAGAIN, got %s", posix_errno_name(WEXITSTATUS(status)));
	want_refused(p, F_WRLCK, 0, 0, true);
}

static void mode_of_the_descriptor(struct posix *p)
{
	int reads = open_file(p, "f", O_RDONLY), writes = open_file(p, "f", O_WRONLY);

	POSIX_WANT(p, lock(reads, F_SETLK, F_WRLCK, 0, 0) == -EBADF, "a write lock on what only reads");
	POSIX_WANT(p, lock(writes, F_SETLK, F_RDLCK, 0, 0) == -EBADF, "a read lock on what only writes");
	take(p, reads, F_RDLCK, 0, 0);
	take(p, writes, F_WRLCK, 0, 0);
}

/* O_APPEND may be set later, and taken away again. */
static void append_set_later(struct posix *p)
{
	posix_steps(p, "open %a f rw,creat 0644; write %a abc");
	POSIX_OK(p, fcntl(p->fds[0], F_SETFL, O_APPEND) == 0, "F_SETFL");
	posix_steps(p, "pwrite %a d 0; content f abcd");
	POSIX_OK(p, fcntl(p->fds[0], F_SETFL, 0) == 0, "F_SETFL");
	posix_steps(p, "pwrite %a A 0; content f Abcd");
}

static void open_file_locks(struct posix *p)
{
	int a = open_file(p, "f", O_RDWR), b = open_file(p, "f", O_RDWR);

	POSIX_OK(p, lock(a, F_OFD_SETLK, F_WRLCK, 0, 10) == 0, "F_OFD_SETLK");
	POSIX_WANT(p, lock(b, F_OFD_SETLK, F_WRLCK, 5, 10) == -EAGAIN, "locked twice");
	POSIX_WANT(p, lock(b, F_OFD_SETLK, F_WRLCK, 10, 10) == 0, "another range is refused");
	close(a);
	POSIX_WANT(p, lock(b, F_OFD_SETLK, F_WRLCK, 0, 0) == 0, "close did not release");
}

static void links_are_one_file(struct posix *p)
{
	take(p, open_file(p, "f", O_RDWR), F_WRLCK, 0, 0);
	posix_steps(p, "link f g; rename f h; rename g f");
	want_refused(p, F_WRLCK, 0, 0, true);
	POSIX_WANT(p, others_try(p, "h", F_WRLCK, 0, 0) == EAGAIN, "the other name is not locked");
	posix_steps(p, "unlink f");
	want_refused(p, F_WRLCK, 0, 0, false);
}

static const struct posix_case posix_fcntl_cases[] = {
	RUN("write-lock-excludes", write_lock_excludes),
	RUN("read-locks-share", read_locks_share),
	RUN("ranges-are-apart", ranges_are_apart),
	RUN("process-replaces-its-own", a_process_replaces_its_own),
	RUN("any-close-releases", any_close_releases),
	RUN("tells-who-holds", tells_who_holds),
	RUN("killed-process-releases", killed_process_releases),
	RUN("waits-until-released", waits_until_released),
	RUN("EINTR", waiting_is_interrupted),
	RUN("children-do-not-inherit", children_do_not_inherit),
	RUN("EDEADLK", mutual_waiting),
	RUN("append-set-later", append_set_later),
	RUN("EBADF-mode", mode_of_the_descriptor),
	RUN("open-file-locks", open_file_locks),
	RUN("links-are-one-file", links_are_one_file),
};

/* What the descriptor %a has locked, another process finds locked, until this one ends. */
static void flock_between_processes(struct posix *p)
{
	int status = 0;
	pid_t pid;

	posix_steps(p, "open %a f rw,creat 0666; flock %a ex");
	pid = fork();
	if (pid == 0) {
		posix_steps(p, "other: open %b f r; EAGAIN flock %b sh; EAGAIN flock %b ex");
		_exit(POSIX_PASSED);
	}
	waitpid(pid, &status, 0);
	POSIX_WANT(p, status == 0, "%s", p->said);
	posix_steps(p, "flock %a un; open %b f r; flock %b ex");
}

static void flock_shared_with_children(struct posix *p)
{
	pid_t pid;

	posix_steps(p, "open %a f rw,creat 0666; flock %a ex");
	pid = fork();
	if (pid == 0) {
		posix_steps(p, "flock %a ex; close %a");
		_exit(POSIX_PASSED);
	}
	waitpid(pid, NULL, 0);
	posix_steps(p, "open %b f r; EAGAIN flock %b sh; close %a; flock %b sh");
}

static void flock_waits(struct posix *p)
{
	int status = 0;
	pid_t pid;

	posix_steps(p, "open %a f rw,creat 0666; flock %a ex; open %b f r");
	pid = fork();
	if (pid == 0) {
		close(p->fds[0]);
		_exit(flock(p->fds[1], LOCK_EX) < 0 ? errno : 0);
	}
	posix_nap();
	POSIX_WANT(p, waitpid(pid, &status, WNOHANG) == 0, "did not wait");
	posix_steps(p, "flock %a un");
	waitpid(pid, &status, 0);
	POSIX_WANT(p, status == 0, "waiting ended with %s", posix_errno_name(WEXITSTATUS(status)));
}

static const struct posix_case posix_flock_cases[] = {
	STEPS("exclusive", "open %a f rw,creat 0644; open %b f rw; flock %a ex; EAGAIN flock %b ex; "
	      "EAGAIN flock %b sh; flock %a un; flock %b ex"),
	STEPS("shared", "open %a f rw,creat 0644; open %b f r; flock %a sh; flock %b sh; EAGAIN flock %a ex; "
	      "flock %b un; flock %a ex"),
	STEPS("readonly", "create f 0644; open %a f r; flock %a ex; open %b f w; EAGAIN flock %b sh"),
	STEPS("again", "open %a f rw,creat 0644; flock %a ex; flock %a ex; flock %a sh; open %b f r; "
	      "flock %b sh"),
	STEPS("close-releases", "open %a f rw,creat 0644; open %b f rw; flock %a ex; close %a; flock %b ex"),
	STEPS("not-by-others-close", "open %a f rw,creat 0644; open %b f rw; open %c f rw; flock %a ex; "
	      "close %b; EAGAIN flock %c ex"),
	STEPS("links", "open %a f rw,creat 0644; link f g; open %b g rw; flock %a ex; EAGAIN flock %b ex; "
	      "rename f h; unlink g; EAGAIN flock %b ex"),
	STEPS("replaced", "open %a f rw,creat 0644; flock %a ex; create g 0644; rename g f; open %b f rw; "
	      "flock %b ex"),
	STEPS("unlinked", "open %a f rw,creat 0644; open %b f rw; unlink f; flock %a ex; EAGAIN flock %b ex"),
	STEPS("directory", "mkdir d 0755; open %a d r; open %b d r; flock %a ex; EAGAIN flock %b ex"),
	STEPS("EBADF", "EBADF flock %a ex"),
	STEPS("EINVAL", "open %a f rw,creat 0644; EINVAL flock %a 0"),
	RUN("between-processes", flock_between_processes),
	RUN("shared-with-children", flock_shared_with_children),
	RUN("waits", flock_waits),
};

const struct posix_group posix_lock_groups[] = {
	POSIX_GROUP(fcntl),
	POSIX_GROUP(flock),
	{ NULL, NULL, 0 },
};
