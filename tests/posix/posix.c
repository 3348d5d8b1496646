/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * posix: does this file system do what section 2 of the manual says?
 *
 *	posix [-l] DIR [CALL|CALL/CASE]...
 *
 * Runs every case, or those that the patterns name ("rename", "open/EACCES*"),
 * each in a directory of its own in DIR, and prints a line for each that failed
 * or could not be asked. -l lists them instead. To be run as root, since cases
 * have the rights of several users; DIR must be searchable by all of them.
 *
 * Ends with "N passed, N failed". Exit status: 0; 1 if any failed or none ran;
 * 2 if it cannot run here.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "steps.h"

/* A case that takes longer hangs; the longest takes 3 s on a slow disk. */
#define CASE_SECONDS 60

static const struct posix_group *const files[] = {
	posix_open_groups, posix_create_groups, posix_remove_groups, posix_rename_groups, posix_mode_groups,
	posix_size_groups, posix_io_groups, posix_times_groups, posix_xattr_groups, posix_acl_groups,
	posix_lock_groups, posix_map_groups, posix_list_groups,
};

struct suite {
	const char *dir;
	char **patterns;	/* NULL at the end; none: all */
	bool list;
	char *said;
	unsigned n[POSIX_UNSUPPORTED + 1]; /* by verdict */
};

static const struct {
	gid_t groups[2];
	size_t n;
} people[POSIX_WHO_MAX] = {
	[POSIX_OWNER] = { { POSIX_UID(POSIX_OWNER), POSIX_TEAM }, 2 },
	[POSIX_MEMBER] = { { POSIX_UID(POSIX_MEMBER), POSIX_UID(POSIX_OWNER) }, 2 },
	[POSIX_OTHER] = { { POSIX_UID(POSIX_OTHER) }, 1 },
};

static const char *const who_suffixes[POSIX_WHO_MAX] = { "", " as owner", " as member", " as other" };

void posix_fail(struct posix *p, const char *format, ...)
{
	int used = 0;
	va_list args;

	if (p->step)
		used = snprintf(p->said, POSIX_SAID / 2, "%s%s: ", p->step, who_suffixes[p->who]);
	if (used >= POSIX_SAID / 2)
		used = POSIX_SAID / 2 - 1;
	va_start(args, format);
	vsnprintf(p->said + used, (size_t)(POSIX_SAID - used), format, args);
	va_end(args);
	_exit(POSIX_FAILED);
}

void posix_unsupported(struct posix *p, const char *why)
{
	snprintf(p->said, POSIX_SAID, "%s%s%s", p->step ? p->step : "", p->step ? ": " : "", why);
	_exit(POSIX_UNSUPPORTED);
}

/*
 * The saved user id stays root's, so that a later step can have other rights. No
 * permission depends on it, and effective capabilities go when the ids change.
 * Such a process is not dumpable, which would close its /proc/self/fd to it.
 */
void posix_become(struct posix *p, enum posix_who who)
{
	unsigned id = POSIX_UID(who);

	if (setresuid(0, 0, 0) < 0 || setgroups(people[who].n, people[who].groups) < 0 ||
	    setresgid(id, id, id) < 0 || setresuid(id, id, 0) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
		posix_fail(p, "cannot become another user: %s", posix_errno_name(errno));
	p->who = who;
}

static _Noreturn void run_case(struct suite *suite, const struct posix_case *c, const char *dir)
{
	struct posix p = { .said = suite->said };

	memset(p.fds, -1, sizeof(p.fds));
	setpgid(0, 0);
	alarm(CASE_SECONDS);
	signal(SIGXFSZ, SIG_IGN);
	umask(0);
	if (chdir(dir) < 0)
		posix_fail(&p, "%s: %s", dir, posix_errno_name(errno));
	posix_become(&p, POSIX_ROOT);
	if (c->steps)
		posix_steps(&p, c->steps);
	if (c->run)
		c->run(&p);
	_exit(POSIX_PASSED);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (kind == FTW_DP ? rmdir(path) < 0 : unlink(path) < 0)
		fprintf(stderr, "posix: %s stays behind: %s\n", path, posix_errno_name(errno));
	return 0;
}

/*
 * Return: a verdict, or POSIX_FAILED for whatever else the process came to. Children
 * that it left are killed before it is reaped: so long its group is nobody else's.
 */
static int wait_for(struct suite *suite, pid_t pid)
{
	siginfo_t info;
	int status = 0;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == POSIX_PASSED || WEXITSTATUS(status) == POSIX_UNSUPPORTED))
		return WEXITSTATUS(status);
	if (WIFSIGNALED(status))
		snprintf(suite->said, POSIX_SAID, "ended by %s", strsignal(WTERMSIG(status)));
	return POSIX_FAILED;
}

/* A directory for one case. Return: 0; -1 with the reason in errno. */
static int make_dir(const struct suite *suite, char *ret_dir, size_t size)
{
	snprintf(ret_dir, size, "%s/posix-XXXXXX", suite->dir);
	return mkdtemp(ret_dir) ? chmod(ret_dir, 0777) : -1;
}

static int run_apart(struct suite *suite, const struct posix_case *c)
{
	char dir[PATH_MAX];
	int verdict;
	pid_t pid;

	suite->said[0] = '\0';
	if (make_dir(suite, dir, sizeof(dir)) < 0) {
		snprintf(suite->said, POSIX_SAID, "%.200s: %s", dir, posix_errno_name(errno));
		return POSIX_FAILED;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_case(suite, c, dir);
	verdict = wait_for(suite, pid);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return verdict;
}

static bool is_picked(const struct suite *suite, const char *call, const char *name)
{
	for (char **pattern = suite->patterns; *pattern; pattern++)
		if (strcmp(*pattern, call) == 0 || fnmatch(*pattern, name, 0) == 0)
			return true;
	return !suite->patterns[0];
}

static void run_one(const char *call, const struct posix_case *c, void *ctx)
{
	struct suite *suite = ctx;
	char name[128];
	int verdict;

	snprintf(name, sizeof(name), "%s/%s", call, c->name);
	if (!is_picked(suite, call, name))
		return;
	if (suite->list) {
		puts(name);
		return;
	}
	verdict = run_apart(suite, c);
	suite->n[verdict]++;
	if (verdict == POSIX_FAILED)
		printf("%s: %s\n", name, suite->said);
	if (verdict == POSIX_UNSUPPORTED)
		printf("%s: not supported here: %s\n", name, suite->said);
}

static void run_all(struct suite *suite)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (const struct posix_group *group = files[i]; group->call; group++)
			for (size_t at = 0; at < group->n; at++)
				run_one(group->call, &group->cases[at], suite);
	posix_common_each(run_one, suite);
}

/* Return: 0, or -1 and it has said why no case can run. */
static int look_at(const struct suite *suite)
{
	char dir[PATH_MAX];

	if (geteuid() != 0) {
		fprintf(stderr, "posix: needs the rights of root\n");
		return -1;
	}
	if (make_dir(suite, dir, sizeof(dir)) < 0 || rmdir(dir) < 0) {
		fprintf(stderr, "posix: %s: %s\n", suite->dir, posix_errno_name(errno));
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool list = argc > 1 && strcmp(argv[1], "-l") == 0;
	struct suite suite = { .list = list };

	argv += list;
	if (argc - list < 2) {
		fprintf(stderr, "usage: posix [-l] DIR [CALL|CALL/CASE]...\n");
		return 2;
	}
	suite.dir = argv[1];
	suite.patterns = argv + 2;
	suite.said = mmap(NULL, POSIX_SAID, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (suite.said == MAP_FAILED || (!list && look_at(&suite) < 0))
		return 2;
	run_all(&suite);
	if (list)
		return 0;
	if (suite.n[POSIX_UNSUPPORTED])
		printf("%u not supported here\n", suite.n[POSIX_UNSUPPORTED]);
	printf("%u passed, %u failed\n", suite.n[POSIX_PASSED], suite.n[POSIX_FAILED]);
	return suite.n[POSIX_FAILED] != 0 || suite.n[POSIX_PASSED] == 0;
}
