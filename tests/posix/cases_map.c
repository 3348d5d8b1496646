/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map: mmap of files, and running a file. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/magic.h>

#include "steps.h"

#define PAGE 4096u
#define LEN (16 * PAGE)

static char *map(struct posix *p, const char *fd, int protection, int flags)
{
	char *at = mmap(NULL, LEN, protection, flags, posix_fd(p, fd), 0);

	if (at == MAP_FAILED && errno == ENODEV)
		posix_unsupported(p, "mmap");
	POSIX_OK(p, at != MAP_FAILED, "mmap");
	return at;
}

static char *shared(struct posix *p, const char *fd)
{
	return map(p, fd, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void stores_are_read(struct posix *p)
{
	char *at;

	posix_steps(p, "open %a f rw,creat 0644; truncate %a 64k");
	at = shared(p, "%a");
	memcpy(at + 5000, "mapped", 6);
	posix_steps(p, "=6 pread %a 6 5000 mapped; open %b f r; =6 pread %b 6 5000 mapped; bytes f 0 0 5000");
	munmap(at, LEN);
	posix_steps(p, "close %a; close %b; open %c f r; =6 pread %c 6 5000 mapped");
}

static void writes_are_loaded(struct posix *p)
{
	char *at;

	posix_steps(p, "open %a f rw,creat 0644; truncate %a 64k");
	at = shared(p, "%a");
	POSIX_WANT(p, at[9000] == 0, "not zero");
	posix_steps(p, "open %b f w; pwrite %b written 9000");
	POSIX_WANT(p, memcmp(at + 9000, "written", 7) == 0, "the mapping does not show it");
	posix_steps(p, "truncate %b 9002; truncate %b 64k");
	POSIX_WANT(p, memcmp(at + 9000, "wr\0\0\0", 5) == 0, "the mapping shows what was cut off");
	posix_steps(p, "fallocate %b punch,keep 8192 4096");
	POSIX_WANT(p, at[9000] == 0, "the mapping shows what was punched");
}

static void between_processes(struct posix *p)
{
	char *at;
	pid_t pid;

	posix_steps(p, "open %a f rw,creat 0644; truncate %a 64k");
	at = shared(p, "%a");
	pid = fork();
	if (pid == 0) {
		posix_steps(p, "open %b f rw");
		at = shared(p, "%b");
		memcpy(at + 100, "child", 5);
		_exit(POSIX_PASSED);
	}
	waitpid(pid, NULL, 0);
	POSIX_WANT(p, memcmp(at + 100, "child", 5) == 0, "another process's store is not there");
}

static void synced(struct posix *p)
{
	char *at;

	posix_steps(p, "open %a f rw,creat 0644; truncate %a 64k; note f");
	at = shared(p, "%a");
	memset(at, 7, LEN);
	POSIX_OK(p, msync(at, LEN, MS_SYNC) == 0, "msync");
	posix_steps(p, "since f mc?; bytes f 7 0 64k; fsync %a");
	munmap(at, LEN);
	posix_steps(p, "bytes f 7 0 64k; is f size=65536 blocks>127");
}

static void private_stays(struct posix *p)
{
	char *at;

	posix_steps(p, "open %a f rw,creat 0644; fill %a 7 0 64k; open %b f r");
	at = map(p, "%b", PROT_READ | PROT_WRITE, MAP_PRIVATE);
	memset(at, 9, LEN);
	msync(at, LEN, MS_SYNC);
	posix_steps(p, "bytes f 7 0 64k");
}

static void outlives_names(struct posix *p)
{
	char *at;

	posix_steps(p, "open %a f rw,creat 0644; fill %a 7 0 64k");
	at = shared(p, "%a");
	posix_steps(p, "close %a; create g 0644; rename g f; unlink f");
	POSIX_WANT(p, at[0] == 7 && at[LEN - 1] == 7, "other bytes after the file went");
	memset(at, 9, LEN);
	POSIX_OK(p, msync(at, LEN, MS_SYNC) == 0 && at[LEN / 2] == 9, "msync");
}

static void outlives_chmod(struct posix *p)
{
	char *at;

	posix_steps(p, "owner: open %a f rw,creat 0644; truncate %a 64k");
	at = shared(p, "%a");
	posix_steps(p, "close %a; chmod f 0");
	memcpy(at, "text", 4);
	msync(at, LEN, MS_SYNC);
	posix_steps(p, "root: open %b f r; =4 pread %b 4 0 text");
}

/*
 * The page in which the file ends shows zeros behind it; what is stored there is no
 * part of the file. On tmpfs it becomes one when the file grows.
 */
static void tail_is_not_file(struct posix *p)
{
	struct statfs fs;
	char *at;

	if (statfs(".", &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		posix_unsupported(p, "tmpfs keeps what is stored behind the end");
	posix_steps(p, "open %a f rw,creat 0644; fill %a 7 0 5000");
	at = shared(p, "%a");
	POSIX_WANT(p, at[4999] == 7 && at[5000] == 0 && at[8191] == 0, "the last page is not filled with zeros");
	memset(at + 5000, 9, 1000);
	msync(at, 2 * PAGE, MS_SYNC);
	posix_steps(p, "is f size=5000; truncate f 6000; bytes f 7 0 5000; bytes f 0 5000 1000");
}

static void beyond_end_is_sigbus(struct posix *p)
{
	int status = 0;
	char *at;
	pid_t pid;

	posix_steps(p, "open %a f rw,creat 0644; fill %a 7 0 64k");
	at = shared(p, "%a");
	at[LEN - 1] = 8;
	posix_steps(p, "truncate f 4096");
	POSIX_WANT(p, at[4095] == 7, "what is left is gone");
	pid = fork();
	if (pid == 0)
		_exit(*(volatile char *)(at + PAGE));
	waitpid(pid, &status, 0);
	POSIX_WANT(p, WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "expected SIGBUS, got %d", status);
}

static void refuse(struct posix *p, const char *fd, int protection, int flags, int want)
{
	char *at = mmap(NULL, LEN, protection, flags, posix_fd(p, fd), 0);

	POSIX_WANT(p, at == MAP_FAILED && errno == want, "expected %s, got %s", posix_errno_name(want),
		   at == MAP_FAILED ? posix_errno_name(errno) : "a mapping");
}

static void refused(struct posix *p)
{
	posix_steps(p, "create f 0644; truncate f 64k; open %a f r; open %b f w; mkdir d 0755; open %c d r");
	refuse(p, "%a", PROT_READ | PROT_WRITE, MAP_SHARED, EACCES);
	refuse(p, "%b", PROT_READ, MAP_SHARED, EACCES);
	refuse(p, "%b", PROT_READ, MAP_PRIVATE, EACCES);
	refuse(p, "%c", PROT_READ, MAP_SHARED, ENODEV);
	refuse(p, "%z", PROT_READ, MAP_SHARED, EBADF);
}

static void reading_keeps_suid(struct posix *p)
{
	posix_steps(p, "owner: open %a f rw,creat 0777; fill %a 7 0 64k; chmod f 06777");
	POSIX_WANT(p, map(p, "%a", PROT_READ, MAP_SHARED)[0] == 7, "other bytes");
	posix_steps(p, "is f mode=06777");
}

static void copied_from_mapping(struct posix *p)
{
	char *at;

	posix_steps(p, "open %a f rw,creat 0644; fill %a 7 0 64k");
	at = shared(p, "%a");
	memset(at, 9, LEN);
	posix_steps(p, "open %b g rw,creat 0644; =65536 copy %a 0 %b 0 64k; bytes g 9 0 64k");
	POSIX_WANT(p, pwrite(posix_fd(p, "%b"), at, LEN, LEN) == LEN, "write from a mapping: %s", posix_errno_name(errno));
	posix_steps(p, "bytes g 9 0 128k; is g size=131072");
}

/* Reading a file into its own mapping, and writing it from there: the kernel faults on what it locks. */
static void read_into_itself(struct posix *p)
{
	char *at;

	posix_steps(p, "open %a f rw,creat 0644; fill %a 7 0 32k; fill %a 8 32k 32k; fsync %a");
	at = shared(p, "%a");
	POSIX_OK(p, pread(posix_fd(p, "%a"), at + LEN / 2, LEN / 2, 0) == LEN / 2, "pread");
	posix_steps(p, "bytes f 7 0 64k");
	memset(at, 9, PAGE);
	POSIX_OK(p, pwrite(posix_fd(p, "%a"), at, PAGE, PAGE) == PAGE, "pwrite");
	posix_steps(p, "bytes f 9 0 8192; bytes f 7 8192 57344");
}

static const struct posix_case posix_mmap_cases[] = {
	RUN("stores-are-read", stores_are_read),
	RUN("writes-are-loaded", writes_are_loaded),
	RUN("between-processes", between_processes),
	RUN("synced", synced),
	RUN("private-stays", private_stays),
	RUN("outlives-names", outlives_names),
	RUN("outlives-chmod", outlives_chmod),
	RUN("tail-is-not-file", tail_is_not_file),
	RUN("SIGBUS-beyond-end", beyond_end_is_sigbus),
	RUN("refused", refused),
	RUN("reading-keeps-suid", reading_keeps_suid),
	RUN("copied-from-mapping", copied_from_mapping),
	RUN("read-into-itself", read_into_itself),
};

/* A copy of a program, written piece by piece, is f. */
static void copy_program(struct posix *p, const char *path)
{
	char buf[1000];
	ssize_t got;
	int from = open(path, O_RDONLY | O_CLOEXEC);

	posix_steps(p, "open %a f w,creat 0777");
	while ((got = read(from, buf, sizeof(buf))) > 0)
		POSIX_OK(p, write(posix_fd(p, "%a"), buf, (size_t)got) == got, "write");
	POSIX_OK(p, got == 0, path);
	close(from);
	posix_steps(p, "close %a");
}

static void program(struct posix *p)
{
	int status = 0;
	pid_t pid;

	copy_program(p, "/bin/true");
	posix_become(p, POSIX_OTHER);
	pid = fork();
	if (pid == 0) {
		execl("./f", "true", NULL);
		_exit(100);
	}
	waitpid(pid, &status, 0);
	POSIX_WANT(p, status == 0, "it ended with status %#x", status);
}

/* What runs is not written to: a cat that waits for its input. */
static void written_while_running(struct posix *p)
{
	int input[2], execed[2];
	char byte;
	int status = 0;
	pid_t pid;

	copy_program(p, "/bin/cat");
	POSIX_OK(p, pipe2(input, O_CLOEXEC) == 0 && pipe2(execed, O_CLOEXEC) == 0, "pipe");
	pid = fork();
	if (pid == 0) {
		dup2(input[0], STDIN_FILENO);
		execl("./f", "cat", NULL);
		_exit(100);
	}
	close(execed[1]);
	POSIX_OK(p, read(execed[0], &byte, 1) == 0, "read");
	posix_steps(p, "ETXTBSY open - f w; ETXTBSY open - f rw; ETXTBSY open - f r,trunc; ETXTBSY truncate f 0; open - f r");
	posix_steps(p, "is f size>1000");
	posix_steps(p, "create g 0777; rename g f; open - f w; chmod f 0644");
	close(input[1]);
	waitpid(pid, &status, 0);
	POSIX_WANT(p, status == 0, "what ran ended with status %#x", status);
}

static const struct posix_case posix_exec_cases[] = {
	STEPS("EACCES-mode", "create f 0666; EACCES exec f; chmod f 0766; exec f; other: EACCES exec f"),
	STEPS("EACCES-member", "create f 0701; chown f owner owner; member: EACCES exec f; owner: exec f; "
	      "other: exec f"),
	STEPS("EACCES-directory", "mkdir d 0777; EACCES exec d"),
	STEPS("ETXTBSY", "create f 0755; open %a f w; ETXTBSY exec f; close %a; exec f"),
	RUN("program", program),
	RUN("ETXTBSY-open", written_while_running),
};

const struct posix_group posix_map_groups[] = {
	POSIX_GROUP(mmap),
	POSIX_GROUP(exec),
	{ NULL, NULL, 0 },
};
