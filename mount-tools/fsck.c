/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsck.deltafs: is a store whole, and what of it can be mended.
 *
 * What is looked at is src/store/check.h and src/write/check_tree.h; here is
 * who may write, and what comes out of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/mounts.h"
#include "ctl/process.h"
#include "ctl/progress.h"
#include "fsck/options.h"
#include "fsck/report.h"
#include "read/reader.h"
#include "store/pending.h"
#include "util/rounding.h"
#include "version.h"
#include "write/check_tree.h"
#include "write/reasons.h"

struct fsck {
	const struct fsck_options *options;
	struct fsck_report report;
	struct ctl_progress progress;
	struct dfs_check check;
	struct dfs_store *store;
	struct dfs_bases *bases;
	struct dfs_reader *reader;
	struct dfs_paths rubbish;
};

static void release(struct fsck *f)
{
	dfs_check_end(&f->check);
	dfs_paths_release(&f->rubbish);
	dfs_reader_free(f->reader);
	dfs_bases_free(f->bases);
	dfs_store_close(f->store);
	json_decref(f->report.findings);
}

/* --- what the check calls */

static void found(void *arg, const struct dfs_finding *finding)
{
	struct fsck *f = arg;

	ctl_progress_end(&f->progress);
	fsck_report_add(&f->report, finding);
}

static bool progress(void *arg, uint64_t done, uint64_t total)
{
	struct fsck *f = arg;

	return ctl_progress_tell(&f->progress, done, total);
}

static void begin(struct fsck *f, const char *name)
{
	ctl_progress_end(&f->progress);
	ctl_progress_start(&f->progress, "checking", name);
	f->progress.terminal &= f->options->progress;
}

static void name(void *arg, const char *path)
{
	struct fsck *f = arg;

	begin(f, path);
	if (f->options->verbose && !f->options->json)
		fsck_say("%s/%s", f->options->store, path);
}

/* --- before it */

/* Whoever writes to the store keeps us from repairing it. A directory without .deltafs becomes no store for nothing. */
static int lock(struct fsck *f, struct dfs_err *err)
{
	struct dfs_holder holder;
	struct stat st;
	int ret;

	if (f->check.repair && fstatat(dfs_store_fd(f->store), DFS_STORE_DIR, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		ret = dfs_store_lock(f->store, "", err);
		/* with a version that makes no sense nobody writes: what is wrong is told all the same */
		return ret < 0 && ret != -EUCLEAN ? dfs_err_at(err, ret, "cannot repair") : 0;
	}
	f->check.live = dfs_store_holder(f->store, &holder) == 0;
	return 0;
}

static int open_store(struct fsck *f, struct dfs_err *err)
{
	const struct fsck_options *o = f->options;
	DFS_AUTO(mem) char *behind = ctl_mount_behind(o->store, err);
	int ret = behind ? dfs_store_open(behind, true, &f->store, err) : -ENOENT;

	if (ret < 0)
		return ret;
	f->bases = dfs_bases_new(f->store);
	if (!f->bases)
		return dfs_fail(err, ENOMEM, "out of memory");
	f->check = (struct dfs_check){
		.store = f->store, .bases = f->bases, .full = o->full, .found = found, .progress = progress, .arg = f,
		.repair = o->all ? DFS_REPAIR_ALL : o->preen ? DFS_REPAIR_SAFE : DFS_REPAIR_NONE,
	};
	ret = dfs_check_rubbish(f->store, &f->rubbish);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s/" DFS_STORE_DIR "/tmp: %s", o->store, strerror(-ret));
	return lock(f, err);
}

static int open_reader(struct fsck *f, struct dfs_err *err)
{
	const struct dfs_reader_config config = {
		.threads = f->options->threads, .bases = f->bases, .metadata_bytes = DFS_METADATA_OF_TOOLS,
	};

	return f->options->full ? dfs_reader_new(&config, &f->reader, err) : 0;
}

/* --- the check */

static int check(struct fsck *f, struct dfs_err *err)
{
	int ret = dfs_check_state(&f->check, err);

	begin(f, "bases");
	if (ret == 0)
		dfs_check_rubbish_tell(&f->check, &f->rubbish);
	if (ret == 0)
		ret = dfs_check_journal(&f->check, &dfs_pending_form, dfs_pending_sense, err);
	if (ret == 0)
		ret = dfs_check_journal(&f->check, &dfs_reasons_form, dfs_reasons_sense, err);
	if (ret == 0)
		ret = dfs_check_models(&f->check, err);
	if (ret == 0)
		ret = open_reader(f, err);
	if (ret == 0)
		ret = dfs_check_tree(&f->check, f->reader, name, err);
	if (ret == 0)
		ret = dfs_check_kept(&f->check, err);
	if (ret == 0)
		ret = dfs_check_pins(&f->check, err);
	if (ret == 0 && ctl_interrupted())
		ret = dfs_fail(err, ECANCELED, "interrupted");
	ctl_progress_end(&f->progress);
	return ret;
}

static int run(const struct fsck_options *options)
{
	struct fsck f = { .options = options, .report = { .options = options } };
	struct dfs_err err = { "" };
	int code = 0, ret;

	if (options->json)
		f.report.findings = json_array();
	ret = open_store(&f, &err);
	if (ret == 0) {
		ret = check(&f, &err);
		code = fsck_report_end(&f.report, &f.check, ret == 0);
	}
	if (ret < 0)
		fsck_warn("%s", err.text);
	if (ret < 0)
		code |= ret == -ECANCELED ? FSCK_CANCELLED : FSCK_FAILED;
	release(&f);
	if (fflush(stdout) || ferror(stdout)) {
		fsck_warn("write to standard output: %s", strerror(errno));
		code |= FSCK_FAILED;
	}
	return code;
}

int main(int argc, char **argv)
{
	struct fsck_options options;
	int ret = fsck_options_parse(argc, argv, &options);

	dfs_rounding_default();
	if (ret)
		return ret;
	if (options.help) {
		fsck_options_help();
		return 0;
	}
	if (options.version) {
		version_print("fsck.deltafs");
		return 0;
	}
	ctl_process_prepare();
	return run(&options);
}
