/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode: make files plain again, in place or into OUT. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "daemon.h"
#include "outfile.h"
#include "progress.h"
#include "results.h"
#include "session.h"
#include "store/claim.h"
#include "store/publish.h"
#include "walk.h"
#include "write/decode.h"
#include "write/ingest.h"

static const struct ctl_option options[] = {
	{ 'r', "recursive", NULL, offsetof(struct ctl, recursive), "go into directories" },
	{ 0, "base", "PATH", offsetof(struct ctl, base), "look for bases there too" },
	{ 0, "threads", "N", offsetof(struct ctl, threads), "threads that decode (one a CPU)" },
	{ 'o', "output", "OUT", offsetof(struct ctl, out), "write there and leave FILE alone; several: OUT is a directory; -: standard output" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

struct decoding {
	struct ctl *ctl;
	struct ctl_session session;
	struct ctl_totals totals;
	bool many;
};

static int decode_to(struct decoding *d, int fd, const char *name, int out_fd, struct dfs_err *err)
{
	struct ctl_progress progress;
	struct dfs_decode_config config = {
		.reader = d->session.reader, .progress = ctl_progress_tell, .progress_arg = &progress,
	};
	int ret;

	ctl_progress_start(&progress, "decoding", name);
	ret = dfs_decode(fd, name, out_fd, &config, err);
	ctl_progress_end(&progress);
	return ret;
}

static int open_input(const char *path, int *ret_fd, struct stat *st, struct dfs_claim *claim,
		      struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int ret;

	if (fd < 0 || fstat(fd, st) < 0)
		return dfs_fail_errno(err, "open");
	ret = dfs_claim_check(fd, (uint64_t)st->st_size, claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "read: %s", strerror(-ret));
	*ret_fd = dfs_steal_fd(&fd);
	return 0;
}

static int decode_output(struct decoding *d, struct ctl_file *file, struct ctl_result *result,
			 struct dfs_err *err)
{
	DFS_AUTO(mem) char *path = NULL;
	DFS_AUTO(outfile) struct ctl_outfile out = { .fd = -1 };
	DFS_AUTO(fd) int fd = -1;
	struct dfs_claim claim;
	struct stat st;
	int ret = open_input(file->path, &fd, &st, &claim, err);

	if (ret < 0)
		return ret;
	if (ctl_outfile_streams(d->ctl->out))
		return decode_to(d, fd, file->path, STDOUT_FILENO, err);
	path = ctl_outfile_place(d->ctl->out, file, d->many, err);
	ret = path ? ctl_outfile_open(&out, path, err) : -ENOENT;
	if (ret == 0)
		ret = decode_to(d, fd, file->path, out.fd, err);
	/* Rights and times as cp -p keeps them: as far as this user may. */
	if (ret == 0 && !out.direct)
		dfs_attributes_offer(fd, &st, out.fd);
	if (ret == 0)
		ret = ctl_outfile_commit(&out, err);
	if (ret < 0)
		return ret;
	file->made = true;
	*result = (struct ctl_result){
		.outcome = CTL_CHANGED, .what = claim.kind == DFS_PLAIN ? "copied" : "decoded",
		.original_bytes = claim.original_size, .stored_bytes = claim.original_size, .lossy = dfs_claim_lossy(&claim),
	};
	return 0;
}

static int decode_in_place(struct decoding *d, const struct ctl_file *file, const char *rel,
			   struct ctl_result *result, struct dfs_ingest_result *done, struct dfs_err *err)
{
	int ret = ctl_session_thaw(&d->session, file->path, rel, done, err);

	if (ret < 0)
		return ret;
	*result = (struct ctl_result){
		.outcome = done->why.text[0] ? CTL_LEFT : CTL_CHANGED,
		.what = done->why.text[0] ? "left" : "decoded", .why = done->why.text[0] ? done->why.text : NULL,
		.original_bytes = done->original_bytes, .stored_bytes = done->stored_bytes, .lossy = done->lossy,
		.quiet = done->why.text[0] && !file->named,
	};
	return 0;
}

static int decode_through(const struct ctl_file *file, struct ctl_daemon *daemon, struct ctl_result *result,
			  struct dfs_err *err)
{
	int ret = ctl_daemon_decode(daemon, result, err);

	if (ret == 0)
		result->quiet = result->outcome == CTL_LEFT && !file->named;
	return ret;
}

static void decode_file(struct decoding *d, struct ctl_file *file)
{
	DFS_AUTO(mem) char *rel = NULL;
	DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
	struct dfs_ingest_result done;
	struct ctl_result result = { .outcome = CTL_CHANGED, .what = "decoded", .quiet = true };
	struct dfs_err err = { "" };
	int ret = d->ctl->out ? 0 : ctl_daemon_writer(file->path, &daemon, &err);
	bool through = ret > 0;

	if (through)
		ret = decode_through(file, &daemon, &result, &err);
	else if (ret == 0)
		ret = ctl_session_enter(&d->session, file->path, &rel, &err);
	if (ret == 0 && d->ctl->out)
		ret = decode_output(d, file, &result, &err);
	else if (ret == 0 && !through)
		ret = decode_in_place(d, file, rel, &result, &done, &err);
	if (ret < 0)
		ctl_result_fail(d->ctl, file->path, &err, &d->totals);
	else
		ctl_result_add(d->ctl, file->path, &result, &d->totals);
}

static int run(struct ctl *ctl)
{
	struct decoding d = { .ctl = ctl };
	DFS_AUTO(files) struct ctl_files files = { 0 };
	bool streams = ctl_outfile_streams(ctl->out);

	if (streams && (ctl->json || ctl->recursive))
		return ctl_usage(ctl, "-o - writes the bytes of one file and nothing else: no --json, no -r");
	if (ctl_walk(ctl, &d.totals, &files) < 0)
		return CTL_USAGE;
	if (streams && files.n > 1)
		return ctl_usage(ctl, "-o - writes the bytes of one file, not of %zu", files.n);
	d.many = ctl->n_args > 1 || ctl->recursive;
	ctl_session_init(&d.session, ctl, !ctl->out);
	if (ctl->recursive && ctl->n_args == 1)
		d.session.new_store = realpath(ctl->args[0], NULL);
	for (size_t i = 0; i < files.n && !ctl_interrupted(); i++)
		decode_file(&d, &files.files[i]);
	if (!streams)
		ctl_totals_say(ctl, &d.totals, "decoded");
	ctl_session_release(&d.session);
	return ctl_interrupted() ? CTL_FAILED : CTL_DONE;
}

const struct ctl_command ctl_decode = {
	"decode", "[OPTION]... FILE...", "Make files plain again, in place or into OUT",
	options, sizeof(options) / sizeof(options[0]), 1, -1, run,
};
