/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify: are containers whole, and do they decode to what they were made from. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "mounts.h"
#include "progress.h"
#include "results.h"
#include "session.h"
#include "store/bases.h"
#include "store/claim.h"
#include "walk.h"
#include "write/verify.h"

static const struct ctl_option options[] = {
	{ 'r', "recursive", NULL, offsetof(struct ctl, recursive), "go into directories" },
	{ 0, "fast", NULL, offsetof(struct ctl, fast), "metadata and payload hashes only: needs no base, decodes nothing" },
	{ 0, "base", "PATH", offsetof(struct ctl, base), "look for bases there too" },
	{ 0, "threads", "N", offsetof(struct ctl, threads), "threads that decode (one a CPU)" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

struct verifying {
	struct ctl *ctl;
	struct ctl_session session;
	struct ctl_totals totals;
};

/* Damaged places that are told one by one: a broken disk has millions. */
#define TOLD_MAX 20

struct telling {
	struct ctl_progress progress;
	unsigned told;
};

static void damaged(void *arg, const struct dfs_err *what)
{
	struct telling *t = arg;

	ctl_progress_end(&t->progress);
	if (t->told++ < TOLD_MAX)
		ctl_warn("%s", what->text);
	else if (t->told == TOLD_MAX + 1)
		ctl_warn("... and more of the kind");
}

/* One sentence for a base that is not there, not one for each chunk. */
static int need_bases(struct verifying *v, int fd, const struct dfs_superblock *sb, const char *path,
		      struct dfs_err *err)
{
	struct dfs_container *c = NULL;
	int ret = dfs_container_load(fd, sb, &c, err);

	if (ret < 0)
		return dfs_err_at(err, ret, "%s", path);
	for (uint32_t i = 0; i < c->n_bases && ret == 0; i++) {
		struct dfs_base *base = NULL;

		ret = dfs_bases_get(v->session.bases, &c->bases[i], &base, err);
		if (ret == 0)
			dfs_base_put(v->session.bases, base);
	}
	dfs_container_free(c);
	return ret;
}

static int verify_container(struct verifying *v, int fd, const char *path, struct dfs_err *err)
{
	struct telling telling = { .told = 0 };
	struct dfs_verify_config config = {
		.reader = v->session.reader,
		.progress = ctl_progress_tell, .progress_arg = &telling.progress,
		.damaged = damaged, .damaged_arg = &telling,
	};
	int ret;

	ctl_progress_start(&telling.progress, "verifying", path);
	if (v->ctl->fast)
		ret = dfs_verify_fast(fd, path, &config, err);
	else
		ret = dfs_verify_full(fd, path, &config, err);
	ctl_progress_end(&telling.progress);
	return ret;
}

/* @behind: the file itself, where @file is seen through a mount and looks plain. */
static int verify_file(struct verifying *v, const struct ctl_file *file, const char *behind,
		       struct ctl_result *result, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = open(behind, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct dfs_claim claim;
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "open");
	ret = dfs_claim_check(fd, (uint64_t)st.st_size, &claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "read: %s", strerror(-ret));
	*result = (struct ctl_result){
		.outcome = claim.kind == DFS_PLAIN ? CTL_LEFT : CTL_CHANGED,
		.what = claim.kind == DFS_PLAIN ? "plain" : "right",
		.why = claim.kind == DFS_PLAIN ? "plain: nothing to verify" : NULL,
		.original_bytes = claim.original_size, .stored_bytes = (uint64_t)st.st_size, .lossy = dfs_claim_lossy(&claim),
		.quiet = !file->named,
	};
	if (claim.kind == DFS_PLAIN)
		return 0;
	if (claim.kind == DFS_CONTAINER && !v->ctl->fast)
		ret = need_bases(v, fd, &claim.sb, file->path, err);
	return ret < 0 ? ret : verify_container(v, fd, file->path, err);
}

static void verify_one(struct verifying *v, const struct ctl_file *file)
{
	struct dfs_err err = { "" };
	DFS_AUTO(mem) char *behind = ctl_mount_behind(file->path, &err);
	DFS_AUTO(mem) char *rel = NULL;
	struct ctl_result result;
	int ret = behind ? ctl_session_enter(&v->session, behind, &rel, &err) : -ENOENT;

	if (ret == 0)
		ret = verify_file(v, file, behind, &result, &err);
	if (ret < 0)
		ctl_result_fail(v->ctl, file->path, &err, &v->totals);
	else
		ctl_result_add(v->ctl, file->path, &result, &v->totals);
}

static int run(struct ctl *ctl)
{
	struct verifying v = { .ctl = ctl };
	DFS_AUTO(files) struct ctl_files files = { 0 };

	if (ctl_walk(ctl, &v.totals, &files) < 0)
		return CTL_USAGE;
	ctl_session_init(&v.session, ctl, false);
	for (size_t i = 0; i < files.n && !ctl_interrupted(); i++)
		verify_one(&v, &files.files[i]);
	ctl_totals_say(ctl, &v.totals, "right");
	ctl_session_release(&v.session);
	return ctl_interrupted() ? CTL_FAILED : CTL_DONE;
}

const struct ctl_command ctl_verify = {
	"verify", "[OPTION]... FILE...", "Check that containers are whole and decode to what they were made from",
	options, sizeof(options) / sizeof(options[0]), 1, -1, run,
};
