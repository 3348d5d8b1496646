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
#include <unistd.h>

#include "anew.h"
#include "policy_place.h"
#include "shown.h"
#include "store/kept.h"
#include "text.h"
#include "write/classify.h"
#include "write/layout.h"
#include "write/policy_of.h"

/* What would be given up, and what is kept of it. */
struct giving {
	uint64_t bytes;
	size_t n, n_kept;	/* files; those whose policy keeps the original */
	char keep[32];		/* of these the shortest: "7d", "manual" */
	int64_t until_s;	/* the same */
	bool differ;
};

/* Bytes of the tensors that would be coded so, if all differ from the base's; what cannot be read is told of later. */
static uint64_t bytes_of(const struct ctl_file *file, const struct dfs_spec *spec)
{
	DFS_AUTO(fd) int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	DFS_AUTO(header) struct dfs_header *header = NULL;
	uint64_t bytes = 0;
	int ret;

	if (fd < 0 || file->anew == CTL_ANEW_REFUSED || file->anew == CTL_ANEW_NEVER)
		return 0;
	ret = file->anew == CTL_ANEW_PLAIN ? ctl_shown_header_at(fd, file->path, &header, NULL) :
					     dfs_classify(fd, &header, NULL, NULL);
	if (ret < 0 || !header)
		return 0;
	for (size_t i = 0; i < header->n_tensors; i++)
		if (dfs_spec_takes(spec, &header->tensors[i]) && header->tensors[i].len >= DFS_BUNDLE_SMALL)
			bytes += header->tensors[i].len;
	return bytes;
}

/* By the policy of the directory that it lies in, not of one with a link to it. */
static bool find_keep(const char *path, char keep[32], int64_t *ret_until_s)
{
	DFS_AUTO(mem) char *real = realpath(path, NULL);
	DFS_AUTO(place) struct ctl_place place = { .fd = -1 };
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	char *slash = real ? strrchr(real, '/') : NULL;
	struct dfs_err none;

	if (!slash)
		return false;
	slash[slash == real] = '\0';
	if (ctl_place_open(real, false, &place, &none) < 0 || ctl_place_policy(&place, &policy, &none) < 0 ||
	    !dfs_policy_kept_until(&policy, 0, ret_until_s))
		return false;
	snprintf(keep, 32, "%.31s", dfs_policy_get(&policy, DFS_POLICY_KEEP)->value);
	return true;
}

static void add_file(const struct ctl *ctl, const struct ctl_file *file, const struct dfs_spec *spec, struct giving *g)
{
	uint64_t bytes = ctl_may_be_lossy(ctl, file) ? bytes_of(file, spec) : 0;
	int64_t until_s;
	char keep[32];

	g->bytes += bytes;
	g->n += bytes != 0;
	if (!bytes || ctl->out || !find_keep(file->path, keep, &until_s))
		return;
	g->differ |= g->n_kept && until_s != g->until_s;
	if (!g->n_kept || until_s < g->until_s) {
		memcpy(g->keep, keep, sizeof(keep));
		g->until_s = until_s;
	}
	g->n_kept++;
}

/* How long there is a way back. */
static void say_kept(const struct ctl *ctl, const struct giving *g)
{
	bool manual = g->until_s == DFS_KEPT_MANUAL;

	if (g->n_kept < g->n)
		fprintf(stderr, ",%s for good", ctl->out ? " in OUT," : "");
	if (g->n_kept && g->n_kept < g->n)
		fprintf(stderr, " but for %zu", g->n_kept);
	if (!g->n_kept)
		return;
	fprintf(stderr, ".\nThe original%s kept %s%s%s; until then deltafsctl revert brings %s back",
		g->n_kept == 1 ? " is" : "s are", manual ? "until deltafsctl accept" : "for ", manual ? "" : g->keep,
		g->differ ? " or longer" : "", g->n_kept == 1 ? "it" : "them");
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
	struct giving g = { 0 };
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
	fputs(".\nGo on? [y/N] ", stderr);
	if (says_yes())
		return CTL_DONE;
	ctl_warn("nothing was changed");
	return CTL_FAILED;
}
