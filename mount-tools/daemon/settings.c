/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "write/spec.h"

/*
 * Read ahead of each reader, by the kernel and in decoding: enough that a disk
 * is read in large pieces and two cores have work. More: memory, and work
 * thrown away when a loader jumps; less: readers of mappings wait.
 */
#define READAHEAD_DEFAULT ((size_t)4 << 20)

/* A base is kept by its absolute path and must be there now. */
static int set_base(const struct option_row *row, void *field, const char *value, struct dfs_err *err)
{
	char *path = realpath(value, NULL);
	int ret;

	(void)row;
	if (!path)
		return dfs_fail(err, errno, "%s: %s", value, strerror(errno));
	ret = dfs_paths_add(field, path);
	free(path);
	return ret < 0 ? dfs_fail(err, ENOMEM, "out of memory") : 0;
}

static const char *const blocks_words[] = { [BLOCKS_STORED] = "stored", [BLOCKS_LOGICAL] = "logical", NULL };

#define AT(member) offsetof(struct settings, member)
#define PASSED(name) { name, option_pass, AT(passed), NULL, NULL, NULL }
#define IGNORED(name) { name, option_ignore, 0, NULL, NULL, NULL }

static const struct option_row rows[] = {
	{ "ro", option_flag, AT(ro), NULL, "read-only: takes no lock, changes nothing", NULL },
	{ "rw", option_flag, AT(rw), NULL, "read-write, which is the default", NULL },
	{ "base", set_base, AT(bases), "PATH", "also look for base models here (may be given again)", NULL },
	{ "codec", option_commas, AT(codec), "SPEC", "how new files are encoded (exact)", NULL },
	{ "cache", option_size, AT(cache), "SIZE", "memory for decoded data (256M, or 1/8 of the memory cgroup)", NULL },
	{ "threads", option_number, AT(threads), "N", "decode threads (one a CPU)", NULL },
	{ "readahead", option_size, AT(readahead), "SIZE", "read and decode ahead of each reader (4M)", NULL },
	{ "quiet", option_number, AT(quiet), "SECONDS", "a file this long unwritten is at rest (5)", NULL },
	{ "noingest", option_flag, AT(noingest), NULL, "encode nothing in the background", NULL },
	{ "nowriteback", option_flag, AT(nowriteback), NULL, "hand each write to the store at once", NULL },
	{ "blocks", option_word, AT(blocks), "stored|logical", "what du sees (stored)", blocks_words },
	{ "log", option_path, AT(log), "FILE", "log there instead of to syslog", NULL },
	{ "allow_other", option_flag, AT(allow_other), NULL, "other users may use the mount", NULL },
	PASSED("suid"), PASSED("nosuid"), PASSED("dev"), PASSED("nodev"), PASSED("exec"), PASSED("noexec"),
	PASSED("sync"), PASSED("async"), PASSED("dirsync"), PASSED("noatime"), PASSED("nodiratime"),
	{ "context", option_pass, AT(passed), "CONTEXT", NULL, NULL },
	IGNORED("defaults"), IGNORED("auto"), IGNORED("noauto"), IGNORED("user"), IGNORED("nouser"),
	IGNORED("users"), IGNORED("owner"), IGNORED("group"), IGNORED("_netdev"), IGNORED("nofail"),
	IGNORED("atime"), IGNORED("relatime"), IGNORED("norelatime"), IGNORED("strictatime"), IGNORED("lazytime"),
	IGNORED("default_permissions"), IGNORED("comment"),
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

int settings_status(const struct settings *settings, enum deltafs_failure failure)
{
	static const int as_command[] = { [FAILED_USAGE] = 2, [FAILED_SYSTEM] = 1, [FAILED_MOUNT] = 1 };
	static const int as_helper[] = { [FAILED_USAGE] = 1, [FAILED_SYSTEM] = 2, [FAILED_MOUNT] = 32 };

	return settings->helper ? as_helper[failure] : as_command[failure];
}

/* Letters mean one thing to sshfs's users and another to mount(8). */
static void take_letter(struct settings *s, int letter)
{
	switch (letter) {
	case 'h':
		s->help = true;
		break;
	case 'V':
		s->version = true;
		break;
	case 'f':
		*(s->helper ? &s->fake : &s->foreground) = true;
		break;
	case 's':
		*(s->helper ? &s->sloppy : &s->single_thread) = true;
		break;
	case 'd':
		s->debug = s->foreground = true;
		break;
	default: /* mount(8): -n, -v, -N, -t: nothing that we could do differently */
		break;
	}
}

static int take_places(struct settings *s, int n, char **words, struct dfs_err *err)
{
	if (n != 2)
		return dfs_fail(err, EINVAL, n < 2 ? "STORE and MOUNTPOINT are needed" :
				"\"%s\" is one argument too many", n < 2 ? "" : words[2]);
	s->store = strdup(words[0]);
	s->mountpoint = strdup(words[1]);
	if (!s->store || !s->mountpoint)
		return dfs_fail(err, ENOMEM, "out of memory");
	return 0;
}

static bool called_as_helper(const char *name)
{
	const char *slash = strrchr(name, '/');

	return strncmp(slash ? slash + 1 : name, "mount.", 6) == 0;
}

static int bad_letter(int got, char **argv, struct dfs_err *err)
{
	if (got == ':')
		return dfs_fail(err, EINVAL, "%s needs a value; --help lists the options", argv[optind - 1]);
	if (optopt)
		return dfs_fail(err, EINVAL, "unknown option -%c; --help lists them", optopt);
	return dfs_fail(err, EINVAL, "unknown option %s; --help lists them", argv[optind - 1]);
}

/* Several -o make one list. */
static int option_list_add(struct dfs_buf *lists, const char *list, struct dfs_err *err)
{
	int ret = 0;

	if (lists->len) {
		lists->len--; /* the NUL */
		ret = dfs_buf_append(lists, ",", 1);
	}
	if (ret == 0)
		ret = dfs_buf_append(lists, list, strlen(list) + 1);
	return ret < 0 ? dfs_fail(err, ENOMEM, "out of memory") : 0;
}

int settings_parse(struct settings *s, int argc, char **argv, struct dfs_err *err)
{
	static const struct option names[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct dfs_buf lists = { 0 };
	int got, ret = 0;

	*s = (struct settings){ .readahead = READAHEAD_DEFAULT, .quiet = 5 };
	s->helper = called_as_helper(argv[0]);
	opterr = 0;
	while (ret == 0 && (got = getopt_long(argc, argv, s->helper ? ":o:fsnvN:t:hV" : ":o:fdshV", names, NULL)) != -1) {
		if (got == '?' || got == ':')
			ret = bad_letter(got, argv, err);
		else if (got == 'o')
			ret = option_list_add(&lists, optarg, err);
		else
			take_letter(s, got);
	}
	/* -s of mount(8) may stand behind the options that it lets pass. */
	if (ret == 0 && lists.len)
		ret = options_parse(rows, N_ROWS, s, (const char *)lists.data, s->sloppy, err);
	dfs_buf_release(&lists);
	if (ret == 0 && !s->help && !s->version)
		ret = take_places(s, argc - optind, argv + optind, err);
	if (ret == 0)
		ret = dfs_spec_check(s->codec, err);
	return ret;
}

void settings_release(struct settings *s)
{
	free(s->store);
	free(s->mountpoint);
	free(s->codec);
	free(s->log);
	dfs_paths_release(&s->bases);
	dfs_buf_release(&s->passed);
}

void settings_help(const char *program)
{
	printf("Usage: %s [OPTION]... STORE MOUNTPOINT\n"
	       "Show a store of compressed models as the files they were, and compress what is copied in.\n\n"
	       "  -f                         stay in the foreground, log to standard error\n"
	       "  -d                         the same, with every request of the kernel\n"
	       "  -s                         one thread answers the kernel\n"
	       "  -h, --help                 show this\n"
	       "  -V, --version              show what this build reads, writes and runs\n", program);
	options_help(rows, N_ROWS);
	printf("\nOptions of mount(8) (nosuid, nodev, noexec, nofail, ...) mean what they do there.\n"
	       "See deltafs(1), deltafs(7).\n");
}
