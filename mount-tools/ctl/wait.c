/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait: until nothing is left to be compressed. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "ctl.h"
#include "daemon.h"
#include "progress.h"
#include "results.h"

static const struct ctl_option options[] = {
	{ 0, "timeout", "S", offsetof(struct ctl, timeout), "give up after so many seconds, with exit status 1" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

struct waiting {
	struct ctl *ctl;
	struct ctl_daemon daemon;
	const char *path;
	double timeout;		/* seconds; infinite */
	double waited;
	bool settled;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t left_of(const struct dfs_control *c)
{
	return c->n_open + c->n_waiting + c->n_working;
}

/* A directory is counted in files, a file in its bytes. */
static void tell(struct ctl_progress *progress, const struct dfs_control *c, uint64_t most, bool counts)
{
	progress->counts = counts;
	if (counts)
		ctl_progress_tell(progress, most - left_of(c), most);
	else if (c->total)
		ctl_progress_tell(progress, c->done, c->total);
}

static int wait_for(struct waiting *w, bool is_file, struct dfs_err *err)
{
	struct ctl_progress progress;
	double start = seconds();
	uint64_t most = 0;
	unsigned pause = 0;
	int ret;

	ctl_progress_start(&progress, "compressing", w->path);
	while ((ret = ctl_daemon_state(&w->daemon, err)) == 0) {
		uint64_t left = left_of(&w->daemon.state);

		most = left > most ? left : most;
		w->settled = left == 0;
		w->waited = seconds() - start;
		if (w->settled || w->waited >= w->timeout || ctl_interrupted())
			break;
		tell(&progress, &w->daemon.state, most, !is_file);
		ctl_pause(&pause);
	}
	ctl_progress_end(&progress);
	return ret;
}

static void report(struct waiting *w)
{
	const struct dfs_control *c = &w->daemon.state;
	json_t *more = json_pack("{s:b, s:I, s:I, s:I, s:f}", "settled", w->settled, "open", (json_int_t)c->n_open,
				 "waiting", (json_int_t)c->n_waiting, "working", (json_int_t)c->n_working,
				 "seconds", w->waited);

	if (more)
		json_object_update(w->ctl->report, more);
	json_decref(more);
}

/* Why it is not over: of a file what is known of it, of a directory how many there are. */
static int gave_up(struct waiting *w)
{
	const struct dfs_control *c = &w->daemon.state;
	struct dfs_err err;

	if (*c->reason)
		dfs_fail(&err, ETIMEDOUT, "%s: %s%s%s", w->path, c->text, *c->cure ? "; " : "", c->cure);
	else if (c->state == DFS_CONTROL_OPEN)
		dfs_fail(&err, ETIMEDOUT, "%s: still open for writing", w->path);
	else
		dfs_fail(&err, ETIMEDOUT, "%s: not yet: %llu open, %llu waiting, %llu in work", w->path,
			 (unsigned long long)c->n_open, (unsigned long long)c->n_waiting,
			 (unsigned long long)c->n_working);
	return ctl_fail(w->ctl, &err);
}

/* Of one file also what came of it. */
static void say_result(struct waiting *w)
{
	struct ctl_totals totals = { 0 };
	struct ctl_result result;

	ctl_daemon_outcome(&w->daemon, &result);
	ctl_result_add(w->ctl, w->path, &result, &totals);
}

static int parse_timeout(struct ctl *ctl, double *ret_timeout)
{
	char *end;

	*ret_timeout = INFINITY;
	if (!ctl->timeout)
		return CTL_DONE;
	*ret_timeout = strtod(ctl->timeout, &end);
	if (end == ctl->timeout || *end || !(*ret_timeout >= 0))
		return ctl_usage(ctl, "--timeout: \"%s\" is no number of seconds", ctl->timeout);
	return CTL_DONE;
}

/* Return: 0; -errno with a sentence. */
static int wait_at(struct waiting *w, struct stat *st, struct dfs_err *err)
{
	int ret = ctl_daemon_writer(w->path, &w->daemon, err);

	if (ret < 0)
		return ret;
	if (ret == 0)
		return dfs_fail(err, ENOTTY, "%s is in no mount that compresses (deltafs -o rw)", w->path);
	if (fstat(w->daemon.fd, st) < 0)
		return dfs_fail_errno(err, "%s", w->path);
	return wait_for(w, S_ISREG(st->st_mode), err);
}

static int run(struct ctl *ctl)
{
	struct waiting w = { .ctl = ctl, .path = ctl->args[0], .daemon = { .fd = -1 } };
	struct dfs_err err = { "" };
	struct stat st;
	int ret = parse_timeout(ctl, &w.timeout);

	if (ret != CTL_DONE)
		return ret;
	ret = wait_at(&w, &st, &err) < 0 ? ctl_fail(ctl, &err) : CTL_DONE;
	if (ret == CTL_DONE && ctl->report)
		report(&w);
	if (ret == CTL_DONE && !w.settled)
		ret = ctl_interrupted() ? CTL_FAILED : gave_up(&w);
	else if (ret == CTL_DONE && S_ISREG(st.st_mode))
		say_result(&w);
	ctl_daemon_release(&w.daemon);
	return ret;
}

const struct ctl_command ctl_wait = {
	"wait", "[OPTION]... PATH", "Wait until what was written is compressed",
	options, sizeof(options) / sizeof(options[0]), 1, 1, run,
};
