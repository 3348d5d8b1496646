/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common: each way of reaching a path, well or badly, times each call that
 * takes one. In the steps of a case <d/x> is the call on d/x, and {d/x} what
 * makes it possible there; in those of a call, $ is the path.
 */
#include <stdio.h>
#include <string.h>

#include "common.h"

enum {
	FOLLOWS = 1,	/* a symbolic link at the end of the path */
	FINDS = 2,	/* the name must be there */
	MAKES = 4,	/* the name must not be there */
	CHANGES = 8,	/* the directory: it must be writable */
	READS = 16,	/* needs no right but search */
	AT = 32,	/* can start from a directory's descriptor */
	ALL = 0,
};

struct call {
	const char *call, *suffix;	/* which of its paths, or how */
	unsigned kind;
	const char *first;		/* beforehand, whatever the path */
	const char *make;		/* makes the name, where there is one to find */
	const char *step;
};

static const struct call calls[] = {
	{ "open", "", FOLLOWS | FINDS | READS | AT, "", "create $ 0666", "open - $ r" },
	{ "open", "-excl", MAKES | CHANGES | AT, "", "", "open - $ w,creat,excl 0644" },
	{ "open", "-path", FOLLOWS | FINDS | READS | AT, "", "create $ 0", "open - $ path" },
	{ "mkdir", "", MAKES | CHANGES | AT, "", "", "mkdir $ 0755" },
	{ "rmdir", "", FINDS | CHANGES | AT, "", "mkdir $ 0777", "rmdir $" },
	{ "unlink", "", FINDS | CHANGES | AT, "", "create $ 0666", "unlink $" },
	{ "link", "-old", FINDS | READS | AT, "", "create $ 0666", "link $ new" },
	{ "link", "-new", MAKES | CHANGES | AT, "create old 0666", "", "link old $" },
	{ "symlink", "", MAKES | CHANGES | AT, "", "", "symlink text $" },
	{ "readlink", "", FINDS | READS | AT, "", "symlink text $", "readlink $ text" },
	{ "rename", "-old", FINDS | CHANGES | AT, "", "create $ 0666", "rename $ new" },
	{ "rename", "-new", CHANGES | AT, "create old 0666", "", "rename old $" },
	{ "renameat2", "-noreplace", MAKES | CHANGES | AT, "create old 0666", "", "rename old $ noreplace" },
	{ "renameat2", "-exchange", FINDS | CHANGES | AT, "create old 0666", "create $ 0666", "rename old $ exchange" },
	{ "mknod", "", MAKES | CHANGES | AT, "", "", "mknod $ fifo 0644" },
	{ "chmod", "", FOLLOWS | FINDS | AT, "", "create $ 0666", "chmod $ 0640" },
	{ "chown", "", FOLLOWS | FINDS | AT, "", "create $ 0666", "chown $ -1 -1" },
	{ "lchown", "", FINDS | AT, "", "create $ 0666", "chown $ -1 -1 nofollow" },
	{ "truncate", "", FOLLOWS | FINDS | READS, "", "create $ 0666", "truncate $ 10" },
	{ "utimensat", "", FOLLOWS | FINDS | READS | AT, "", "create $ 0666", "utimens $ now now" },
	{ "utimensat", "-nofollow", FINDS | AT, "", "create $ 0666", "utimens $ 1 1 nofollow" },
	{ "stat", "", FOLLOWS | FINDS | READS | AT, "", "create $ 0", "stat $" },
	{ "lstat", "", FINDS | READS | AT, "", "create $ 0", "lstat $" },
	{ "access", "", FOLLOWS | FINDS | READS | AT, "", "create $ 0", "access $ 0" },
	{ "statfs", "", FOLLOWS | FINDS | READS, "", "create $ 0", "statfs $" },
	{ "chdir", "", FOLLOWS | FINDS | READS, "", "mkdir $ 0777", "chdir $" },
	{ "exec", "", FOLLOWS | FINDS, "", "create $ 0777", "exec $" },
	{ "setxattr", "", FOLLOWS | FINDS | READS, "", "create $ 0666", "setxattr $ user.a b" },
	{ "getxattr", "", FOLLOWS | FINDS | READS, "", "create $ 0666; setxattr $ user.a b", "getxattr $ user.a b" },
	{ "listxattr", "", FOLLOWS | FINDS | READS, "", "create $ 0666", "listxattr $ 100" },
	{ "removexattr", "", FOLLOWS | FINDS | READS, "", "create $ 0666; setxattr $ user.a b", "removexattr $ user.a" },
};

struct way {
	const char *name;
	unsigned kind;		/* of calls that have it; every bit must be there */
	const char *steps;
};

static const struct way ways[] = {
	{ "ENOTDIR-component", ALL, "create f 0777; ENOTDIR <f/x>" },
	{ "ENOTDIR-component-dots", ALL, "create f 0777; ENOTDIR <f/../x>" },
	{ "ENOENT-component", ALL, "ENOENT <none/x>" },
	{ "ENOENT-component-dots", ALL, "ENOENT <none/../x>" },
	{ "ENOENT-empty", ALL, "ENOENT <@empty>" },
	{ "ENOENT-missing", FINDS, "ENOENT <none>" },
	{ "ENOENT-link-to-nothing", FOLLOWS, "symlink none l; ENOENT <l>" },
	{ "ENOENT-component-link-to-nothing", ALL, "symlink none l; ENOENT <l/x>" },
	{ "EEXIST-file", MAKES, "create x 0644; EEXIST <x>" },
	{ "EEXIST-directory", MAKES, "mkdir x 0755; EEXIST <x>" },
	{ "EEXIST-link", MAKES, "mkdir d 0755; symlink d x; EEXIST <x>" },
	{ "EEXIST-link-to-nothing", MAKES, "symlink none x; EEXIST <x>; gone none" },
	{ "EEXIST-fifo", MAKES, "mknod x fifo 0644; EEXIST <x>" },
	{ "ENAMETOOLONG-component", ALL, "ENAMETOOLONG <@name+1>" },
	{ "ENAMETOOLONG-component-deep", ALL, "mkdir d 0755; ENAMETOOLONG <d/@name+1>" },
	{ "ENAMETOOLONG-component-middle", ALL, "ENAMETOOLONG <@name+1/x>" },
	{ "ENAMETOOLONG-path", ALL, "ENAMETOOLONG <@toolong/x>" },
	{ "longest-name", ALL, "{@name}; <@name>" },
	{ "longest-name-deep", ALL, "mkdir d 0755; {d/@name}; <d/@name>" },
	{ "longest-path", ALL, "{x}; <@long/x>" },
	{ "ELOOP-component", ALL, "symlink l l; ELOOP <l/x>" },
	{ "ELOOP-component-two", ALL, "symlink a b; symlink b a; ELOOP <a/x>" },
	{ "ELOOP-final", FOLLOWS, "symlink l l; ELOOP <l>" },
	{ "through-links", ALL, "mkdir d 0777; {d/x}; symlink d l; symlink l m; <m/x>" },
	{ "follows", FOLLOWS, "{x}; symlink x l; symlink l m; <m>" },
	{ "EFAULT", ALL, "EFAULT <@fault>" },
	{ "EBADF-directory", AT, "EBADF <%z/x>" },
	{ "ENOTDIR-directory", AT, "create f 0644; open %a f r; ENOTDIR <%a/x>" },
	{ "at-directory", AT, "mkdir d 0755; {d/x}; open %a d r,directory; <%a/x>" },
	{ "at-directory-moved", AT, "mkdir d 0755; {d/x}; open %a d path; rename d e; <%a/x>" },
	{ "root-anywhere", ALL, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0; <d/x>" },
	{ "EACCES-search-owner", ALL, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0677; owner: EACCES <d/x>" },
	{ "EACCES-search-member", ALL, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0767; member: EACCES <d/x>" },
	{ "EACCES-search-other", ALL, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0776; other: EACCES <d/x>" },
	{ "EACCES-search-deep", ALL, "mkdir d 0777; mkdir d/e 0777; {d/e/x}; chmod d 0; other: EACCES <d/e/x>" },
	{ "EACCES-search-cached", ALL, "mkdir d 0777; {d/x}; other: lstat d; root: chmod d 0700; other: EACCES <d/x>" },
	{ "EACCES-write-owner", CHANGES, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0577; owner: EACCES <d/x>" },
	{ "EACCES-write-member", CHANGES, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0757; member: EACCES <d/x>" },
	{ "EACCES-write-other", CHANGES, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0775; other: EACCES <d/x>" },
	{ "may-owner", CHANGES, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0300; owner: <d/x>" },
	{ "may-member", CHANGES, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0030; member: <d/x>" },
	{ "may-other", CHANGES, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0003; other: <d/x>" },
	{ "searches-owner", READS, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0100; owner: <d/x>" },
	{ "searches-member", READS, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0010; member: <d/x>" },
	{ "searches-other", READS, "mkdir d 0777; {d/x}; chown d owner owner; chmod d 0001; other: <d/x>" },
};

struct text {
	char *at;
	size_t left;
};

static void add(struct text *text, const char *from, size_t len)
{
	if (len >= text->left)
		len = text->left - 1;
	memcpy(text->at, from, len);
	text->at += len;
	text->left -= len;
	*text->at = '\0';
}

/* The template with the path in the place of each $. */
static void add_filled(struct text *text, const char *template, const char *path, size_t path_len)
{
	for (; *template; template++) {
		if (*template == '$')
			add(text, path, path_len);
		else
			add(text, template, 1);
	}
}

static void write_steps(struct text *text, const struct call *call, const char *steps)
{
	add(text, call->first, strlen(call->first));
	add(text, ";", 1);
	while (*steps) {
		size_t plain = strcspn(steps, "<{"), len;

		add(text, steps, plain);
		steps += plain;
		if (!*steps)
			break;
		len = strcspn(steps, ">}") - 1;
		add_filled(text, *steps == '<' ? call->step : call->make, steps + 1, len);
		steps += len + 2;
	}
}

void posix_common_each(void (*run)(const char *call, const struct posix_case *c, void *ctx), void *ctx)
{
	for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
		for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
			char name[96], steps[512];
			struct text text = { steps, sizeof(steps) };

			if ((calls[c].kind & ways[w].kind) != ways[w].kind)
				continue;
			snprintf(name, sizeof(name), "%s%s", ways[w].name, calls[c].suffix);
			write_steps(&text, &calls[c], ways[w].steps);
			run(calls[c].call, &(struct posix_case){ .name = name, .steps = steps }, ctx);
		}
	}
}
