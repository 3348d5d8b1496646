/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * posix: what the files of this suite share.
 *
 * A case is a line of steps (steps.h) or, where these do not reach, a function.
 * Each runs in a process of its own, its current directory fresh, empty and
 * writable to all (mode 0777, root's), with umask 0 and the rights of root.
 */
#ifndef DFS_TESTS_POSIX_H
#define DFS_TESTS_POSIX_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/*
 * Whose rights a step has. All have group ids of their own; the member has the
 * owner's group as a supplementary one only, the owner the group TEAM.
 */
enum posix_who { POSIX_ROOT, POSIX_OWNER, POSIX_MEMBER, POSIX_OTHER, POSIX_WHO_MAX };

#define POSIX_TEAM 65530
#define POSIX_UID(who) ((who) == POSIX_ROOT ? 0u : 65530u + (unsigned)(who))

/* How the process of a case ends; any other way is a failure too. */
enum posix_verdict { POSIX_PASSED = 0, POSIX_FAILED = 1, POSIX_UNSUPPORTED = 77 };

#define POSIX_FDS 26
#define POSIX_NOTES 8

struct posix_note {
	char path[64];
	struct stat st;
};

/* One running case. Only its own process writes to it. */
struct posix {
	char *said;		/* POSIX_SAID bytes, shared with the parent: why it failed */
	const char *step;	/* being run, or NULL */
	enum posix_who who;
	int fds[POSIX_FDS];	/* the descriptors "%a" to "%z", -1 where none */
	struct posix_note notes[POSIX_NOTES];
	size_t n_notes;
	char paths[2][PATH_MAX + NAME_MAX]; /* what the words of a step stand for */
};

#define POSIX_SAID 1024

struct posix_case {
	const char *name;	/* what is shown, as in "EACCES-other" */
	const char *steps;	/* or NULL */
	void (*run)(struct posix *p);
};

#define STEPS(name, steps) { name, steps, NULL }
#define RUN(name, function) { name, NULL, function }

struct posix_group {
	const char *call;
	const struct posix_case *cases;
	size_t n;
};

#define POSIX_GROUP(name)							\
	{									\
		#name, posix_##name##_cases, sizeof(posix_##name##_cases) / sizeof(struct posix_case) \
	}

/* Every group of the suite but those of common.h; ends with a row without a call. */
extern const struct posix_group posix_open_groups[], posix_create_groups[], posix_remove_groups[],
	posix_rename_groups[], posix_mode_groups[], posix_size_groups[], posix_io_groups[], posix_times_groups[],
	posix_xattr_groups[], posix_acl_groups[], posix_lock_groups[], posix_map_groups[], posix_list_groups[];

/**
 * posix_fail() - end this case as failed
 * @format: what was expected and what came; the step, if one runs, is put in front
 */
_Noreturn void posix_fail(struct posix *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* posix_unsupported() - end this case: the file system cannot be asked, for this reason. */
_Noreturn void posix_unsupported(struct posix *p, const char *why);

/* POSIX_WANT() - fail unless @claim; @what is a sentence, "the lock was given twice". */
#define POSIX_WANT(p, claim, ...)			\
	do {						\
		if (!(claim))				\
			posix_fail(p, __VA_ARGS__);	\
	} while (0)

/* POSIX_OK() - the same for a call that says why in errno; @what is the call. */
#define POSIX_OK(p, claim, what) POSIX_WANT(p, claim, "%s: %s", what, posix_errno_name(errno))

/* posix_become() - from now on, have the rights of @who: real and effective ids, groups, no capabilities. */
void posix_become(struct posix *p, enum posix_who who);

/* posix_errno_name() - "ENOENT", or "0" of 0. */
const char *posix_errno_name(int number);

#endif
