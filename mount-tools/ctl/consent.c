/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consent: see consent.h. */
#include "consent.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "anew.h"
#include "kept.h"
#include "policy_place.h"
#include "shown.h"
#include "text.h"
#include "write/classify.h"
#include "write/layout.h"
#include "write/policy_of.h"

/* What would be given up, and what is kept of it. */
struct giving {
	uint64_t bytes;
	int64_t now_s;
	size_t n, n_kept, n_first;	/* files; those whose original is kept; of these: since an earlier time */
	char how_long[64];	/* of these the shortest, for people */
	char until[DFS_KEPT_UNTIL_LEN];	/* the same, as dfs_kept_until_text(): in the order of time */
	bool differ;
	size_t n_before;	/* files that were compressed before */
	size_t n_changed;	/* those whose original lacks what somebody may have written since */
};

/* Bytes of the tensors that would be coded so, if all differ from the base's; what cannot be read is told of later. */
static uint64_t bytes_of(const struct ctl_file *file, const struct dfs_spec *spec)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	uint64_t bytes = 0;

	if (file->anew == CTL_ANEW_REFUSED || file->anew == CTL_ANEW_NEVER)
		return 0;
	header = ctl_shown_header_of(file->path);
	if (!header)
		return 0;
	for (size_t i = 0; i < header->n_tensors; i++)
		if (dfs_spec_takes(spec, &header->tensors[i]) && header->tensors[i].len >= DFS_BUNDLE_SMALL)
			bytes += header->tensors[i].len;
	return bytes;
}

/* What is kept of a file. */
struct keeping {
	char until[DFS_KEPT_UNTIL_LEN];
	char policy[32];	/* "7d"; "" if it is kept already */
	bool changed;		/* and somebody may have written to the file since */
};

/* By the policy of the directory that it lies in, not of one with a link to it. */
static bool find_policy(const char *path, int64_t now_s, struct keeping *ret_keeping)
{
	DFS_AUTO(mem) char *real = realpath(path, NULL);
	DFS_AUTO(place) struct ctl_place place = { .fd = -1 };
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	char *slash = real ? strrchr(real, '/') : NULL;
	struct dfs_err none;
	int64_t until_s;

	if (!slash)
		return false;
	slash[slash == real] = '\0';
	if (ctl_place_open(real, false, &place, &none) < 0 || ctl_place_policy(&place, &policy, &none) < 0 ||
	    !dfs_policy_kept_until(&policy, now_s, &until_s))
		return false;
	dfs_kept_until_text(until_s, ret_keeping->until);
	snprintf(ret_keeping->policy, sizeof(ret_keeping->policy), "%.31s", dfs_policy_get(&policy, DFS_POLICY_KEEP)->value);
	return true;
}

/* An original that is kept already stays that of the first time, and its time too, whatever the policy became. */
static bool find_keeping(const char *path, int64_t now_s, struct keeping *ret_keeping)
{
	struct ctl_kept kept;

	*ret_keeping = (struct keeping){ .policy = "" };
	if (!ctl_kept_of(path, &kept))
		return find_policy(path, now_s, ret_keeping);
	memcpy(ret_keeping->until, kept.until, sizeof(ret_keeping->until));
	ret_keeping->changed = kept.changed;
	return true;
}

static void add_keeping(struct giving *g, const struct keeping *k)
{
	bool manual = !strcmp(k->until, "manual");
	bool dated = !manual && !*k->policy;

	g->differ |= g->n_kept && strcmp(k->until, g->until);
	if (!g->n_kept || strcmp(k->until, g->until) < 0) {
		memcpy(g->until, k->until, sizeof(g->until));
		snprintf(g->how_long, sizeof(g->how_long), "%s%s", manual || dated ? "until " : "for ",
			 manual ? "deltafsctl accept" : dated ? k->until : k->policy);
	}
	g->n_kept++;
	g->n_first += !*k->policy;
	g->n_changed += k->changed;
}

static void add_file(const struct ctl *ctl, const struct ctl_file *file, const struct dfs_spec *spec, struct giving *g)
{
	uint64_t bytes = ctl_may_be_lossy(ctl, file) ? bytes_of(file, spec) : 0;
	struct keeping keeping;

	g->bytes += bytes;
	g->n += bytes != 0;
	g->n_before += bytes && file->before;
	if (bytes && !ctl->out && find_keeping(file->path, g->now_s, &keeping))
		add_keeping(g, &keeping);
}

/* How long there is a way back. */
static void say_kept(const struct ctl *ctl, const struct giving *g)
{
	if (g->n_kept < g->n)
		fprintf(stderr, ",%s for good", ctl->out ? " in OUT," : "");
	if (g->n_kept && g->n_kept < g->n)
		fprintf(stderr, " but for %zu", g->n_kept);
	if (!g->n_kept)
		return;
	fprintf(stderr, ".\nThe original%s%s %s kept %s%s, unless the file%s removed or replaced; until then deltafsctl revert brings %s back",
		g->n_kept == 1 ? "" : "s", g->n_first == g->n_kept ? " of the first time" : "", g->n_kept == 1 ? "is" : "are",
		g->how_long, g->differ ? " or longer" : "", g->n_kept == 1 ? " is" : "s are", g->n_kept == 1 ? "it" : "them");
	if (g->n_changed)
		fputs(", without what was written since", stderr);
}

/* Nobody knows of each whether it gave up anything. */
static void say_before(const struct giving *g)
{
	if (!g->n_before)
		return;
	fputs(".\n", stderr);
	if (g->n == 1)
		fputs("It was", stderr);
	else
		fprintf(stderr, "%zu of them %s", g->n_before, g->n_before == 1 ? "was" : "were");
	fputs(" compressed before, and what was given up then, if anything, is lost already", stderr);
}

/* An interrupt that came before the question, or with the answer, is the answer. */
static bool says_yes(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[256] = "";
	sigset_t ours, before;
	int ret = 0;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &before);
	while (ret <= 0 && !ctl_interrupted()) {
		ret = ppoll(&input, 1, NULL, &before);
		if (ret < 0 && errno != EINTR)
			break;
	}
	if (ret > 0 && read(STDIN_FILENO, line, sizeof(line)) <= 0)
		line[0] = '\0';
	sigprocmask(SIG_SETMASK, &before, NULL);
	return tolower((unsigned char)line[0]) == 'y' && !ctl_interrupted();
}

int ctl_consent(const struct ctl *ctl, const struct dfs_spec *spec, const struct ctl_files *files)
{
	struct giving g = { .now_s = time(NULL) };
	char text[CTL_BYTES_LEN];

	if (!spec->lossy || ctl->yes)
		return CTL_DONE;
	for (size_t i = 0; i < files->n && !ctl_interrupted(); i++)
		add_file(ctl, &files->files[i], spec, &g);
	if (ctl_interrupted())
		return CTL_FAILED;
	if (!g.bytes)
		return CTL_DONE;
	ctl_bytes(text, g.bytes);
	if (isatty(STDIN_FILENO) != 1)
		return ctl_usage(ctl, "codec %s gives up bits, of up to %s in %zu file%s; --yes says that you want that",
				 spec->lossy->codec->name, text, g.n, g.n == 1 ? "" : "s");
	fprintf(stderr, "Codec %s gives up bits: up to %s in %zu file%s will be other bytes than now", spec->lossy->codec->name,
		text, g.n, g.n == 1 ? "" : "s");
	say_kept(ctl, &g);
	say_before(&g);
	fputs(".\nGo on? [y/N] ", stderr);
	if (says_yes())
		return CTL_DONE;
	ctl_warn("nothing was changed");
	return CTL_FAILED;
}
