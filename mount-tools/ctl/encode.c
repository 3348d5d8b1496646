/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode: compress files, in place or into OUT. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anew.h"
#include "bases.h"
#include "consent.h"
#include "ctl.h"
#include "daemon.h"
#include "found_bases.h"
#include "left.h"
#include "mounted.h"
#include "outfile.h"
#include "patterns.h"
#include "progress.h"
#include "results.h"
#include "session.h"
#include "transfer.h"
#include "walk.h"
#include "write/classify.h"
#include "write/coding.h"
#include "write/ingest.h"
#include "write/permit.h"
#include "write/planned.h"
#include "write/spec.h"
#include "write/verify.h"

static const struct ctl_option options[] = {
	{ 'r', "recursive", NULL, offsetof(struct ctl, recursive), "go into directories; takes the safetensors files there" },
	{ 0, "base", "PATH|ID", offsetof(struct ctl, base), "the base; else the best of the store's is chosen" },
	{ 0, "codec", "SPEC", offsetof(struct ctl, codec), "how differences are coded (exact)" },
	{ 0, "again", NULL, offsetof(struct ctl, again), "also of what has given up bits before" },
	{ 0, "yes", NULL, offsetof(struct ctl, yes), "do not ask before a lossy codec" },
	{ 0, "threads", "N", offsetof(struct ctl, threads), "threads that encode (one a CPU)" },
	{ 'o', "output", "OUT", offsetof(struct ctl, out), "write a container there and leave FILE alone; several: OUT is a directory" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

/* All that one call works with. */
struct encoding {
	struct ctl *ctl;
	struct ctl_session session;
	struct ctl_bases bases;
	struct ctl_totals totals;
	struct ctl_wish wish;	/* --base, to a daemon */
	struct dfs_planned planned;
	bool many;		/* -o names a directory */
	char spared[DFS_SPARED_TEXT], said[DFS_SPARED_TEXT + 128];	/* what a result points at */
};

static struct dfs_encode_config encode_config(struct encoding *e, const struct dfs_model *base,
					      struct ctl_progress *progress)
{
	return (struct dfs_encode_config){
		.base = base, .codec = e->ctl->codec, .threads = e->ctl->threads,
		.progress = ctl_progress_tell, .progress_arg = progress,
	};
}

static int open_path(void *arg, const char *path, bool original)
{
	struct encoding *e = arg;
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	return original ? dfs_keeper_open(e->session.keeper, fd) : dfs_steal_fd(&fd);
}

/*
 * Codecs that look at whole models want the other files too.
 * @rel: what is made or replaced, whatever link it was named by
 * @ret_why: it is to be exact, and why
 */
static int make_plan(struct encoding *e, const struct ctl_file *file, const char *rel, int fd,
		     struct dfs_encode_config *config, enum dfs_reason_id *ret_why, struct dfs_err *err)
{
	int ret;

	config->codec = dfs_permit_wanted(rel, config->codec, ret_why);
	if (!config->codec)
		return 0;
	if (e->session.store)
		dfs_coding_compare(e->session.store, config);
	ret = dfs_planned_get(&e->planned, file->path, fd, config, open_path, e, &config->plan, ret_why, err);
	if (ret == 0 && *ret_why != DFS_REASON_NONE)
		config->codec = NULL;
	return ret;
}

/* Of what is compressed: why exactly, or partly, though somebody asked for another codec. @why: known before; @then: found on the way. */
static const char *exact_sentence(struct encoding *e, enum dfs_reason_id why, enum dfs_reason_id then,
				  const struct dfs_spared *spared)
{
	const char *sentence = dfs_reason_sentence(why != DFS_REASON_NONE ? why : then);

	if (!sentence && *dfs_spared_text(spared, e->spared))
		return e->spared;
	return sentence;
}

static void add_note(struct encoding *e, const struct ctl_file *file, struct ctl_result *result)
{
	const char *note = result->lossy && result->outcome == CTL_CHANGED ? ctl_anew_note(file) : NULL;

	if (!note)
		return;
	snprintf(e->said, sizeof(e->said), "%s%s%s", result->why ? result->why : "", result->why ? "; " : "", note);
	result->why = e->said;
}

static const char *id_text(const struct dfs_model *base, char text[DFS_HASH_HEX])
{
	return base ? dfs_hash_hex(base->id, text) : NULL;
}

static int verify_output(struct encoding *e, struct ctl_outfile *out, const char *name, int plain_fd,
			 struct dfs_err *err)
{
	struct ctl_progress progress;
	struct dfs_verify_config verify = {
		.reader = e->session.reader, .progress = ctl_progress_tell, .progress_arg = &progress,
	};
	DFS_AUTO(fd) int fresh = ctl_outfile_reopen(out, err);
	int ret;

	if (fresh < 0)
		return fresh;
	ctl_progress_start(&progress, "verifying", name);
	ret = dfs_verify_same(fresh, name, plain_fd, &verify, err);
	ctl_progress_end(&progress);
	return ret;
}

/* The container came out larger than the file, so OUT becomes the file. */
static int copy_instead(int fd, const char *name, const struct ctl_outfile *out, uint64_t size, struct dfs_err *err)
{
	if (ftruncate(out->fd, 0) < 0)
		return dfs_fail_errno(err, "ftruncate %s", out->path);
	return ctl_copy_bytes(fd, name, size, out->fd, err);
}

static int encode_output(struct encoding *e, struct ctl_file *file, int fd,
			 const struct dfs_model *base, struct ctl_result *result, struct dfs_err *err)
{
	DFS_AUTO(mem) char *path = ctl_outfile_place(e->ctl->out, file, e->many, err);
	DFS_AUTO(mem) char *name = path ? ctl_outfile_name(e->ctl, file) : NULL;
	DFS_AUTO(outfile) struct ctl_outfile out = { .fd = -1 };
	struct ctl_progress progress;
	struct dfs_encode_config config = encode_config(e, base, &progress);
	struct dfs_encode_result encoded;
	enum dfs_reason_id why;
	int ret;

	ret = path ? ctl_outfile_open(&out, path, err) : -ENOENT;
	if (ret == 0 && !name)
		ret = dfs_fail(err, ENOMEM, "%s: its directory cannot be found", path);
	if (ret < 0)
		return ret;
	if (out.direct)
		return dfs_fail(err, EINVAL, "%s: a container can only be written to a regular file", path);
	ctl_progress_start(&progress, "encoding", file->path);
	ret = make_plan(e, file, name, fd, &config, &why, err);
	if (ret == 0)
		ret = dfs_encode(fd, file->path, out.fd, &config, &encoded, err);
	ctl_progress_end(&progress);
	if (ret == 0)
		ret = encoded.shrunk ? verify_output(e, &out, file->path, fd, err) :
				       copy_instead(fd, file->path, &out, encoded.original_bytes, err);
	if (ret == 0)
		ret = ctl_outfile_commit(&out, err);
	if (ret < 0)
		return ret;
	file->made = true;
	*result = (struct ctl_result){
		.outcome = encoded.shrunk ? CTL_CHANGED : CTL_LEFT,
		.what = encoded.shrunk ? "compressed" : "copied",
		.why = encoded.shrunk ? exact_sentence(e, why, encoded.why_exact, &encoded.spared) : "it does not shrink",
		.original_bytes = encoded.original_bytes, .lossy = encoded.shrunk && dfs_superblock_lossy(&encoded.sb),
		.stored_bytes = encoded.shrunk ? encoded.stored_bytes : encoded.original_bytes,
	};
	return 0;
}

static int encode_in_place(struct encoding *e, const char *rel, const struct ctl_file *file, int fd,
			   const struct dfs_model *base, struct ctl_result *result,
			   struct dfs_ingest_result *done, struct dfs_err *err)
{
	struct ctl_progress progress, verifying;
	struct dfs_ingest_config config = {
		.encode = encode_config(e, base, &progress), .reader = e->session.reader,
		.registry = &e->session.registry, .keeper = e->session.keeper,
		.verify_progress = ctl_progress_tell, .verify_arg = &verifying,
	};
	enum dfs_reason_id why;
	int ret;

	ctl_progress_start(&progress, "encoding", file->path);
	ctl_progress_start(&verifying, "verifying", file->path);
	ret = make_plan(e, file, rel, fd, &config.encode, &why, err);
	if (ret == 0)
		ret = dfs_ingest(e->session.store, rel, &config, done, err);
	ctl_progress_end(&progress);
	ctl_progress_end(&verifying);
	if (ret < 0)
		return ret;
	*result = (struct ctl_result){
		.outcome = done->compressed ? CTL_CHANGED : CTL_LEFT,
		.what = done->compressed ? "compressed" : "left",
		.why = done->compressed ? exact_sentence(e, why, done->why_exact, &done->spared) : done->why.text,
		.original_bytes = done->original_bytes, .stored_bytes = done->stored_bytes, .lossy = done->lossy,
	};
	return 0;
}

static int encode_open(struct encoding *e, struct ctl_file *file, const char *rel,
		       struct ctl_result *result, char base_id[DFS_HASH_HEX],
		       struct dfs_ingest_result *done, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	DFS_AUTO(header) struct dfs_header *header = NULL;
	const struct dfs_model *base;
	const char *why;
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "open");
	ret = ctl_left(e->ctl, file, fd, &st, &header, result, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = ctl_bases_pick(&e->bases, &e->session, fd, header, (uint64_t)st.st_size, &base, &why, err);
	if (ret < 0)
		return ret;
	if (e->ctl->out)
		ret = encode_output(e, file, fd, base, result, err);
	else
		ret = encode_in_place(e, rel, file, fd, base, result, done, err);
	if (ret == 0 && result->outcome == CTL_CHANGED) {
		result->base = id_text(base, base_id);
		if (!base && !result->why && e->session.registry.n)
			result->why = why;
	}
	return ret;
}

/* Between the two looks at it. */
static int removed_meanwhile(struct ctl_result *result)
{
	*result = (struct ctl_result){ .outcome = CTL_LEFT, .what = "left", .why = "it is not there any more" };
	return 0;
}

static void encode_file(struct encoding *e, struct ctl_file *file)
{
	DFS_AUTO(mem) char *rel = NULL;
	DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
	struct dfs_ingest_result done;
	struct ctl_result result = { .outcome = CTL_BROKEN };
	struct dfs_err err = { "" };
	char base_id[DFS_HASH_HEX];
	int ret = e->ctl->out ? 0 : ctl_daemon_writer(file->path, &daemon, &err);
	bool through = ret > 0, gone = ret == -ENOENT && file->queued;

	if (gone)
		ret = removed_meanwhile(&result);
	else if (through)
		ret = ctl_mounted_encode(e->ctl, file, &daemon, &e->wish, &result, &err);
	else if (ret == 0)
		ret = ctl_session_enter(&e->session, file->path, &rel, &err);
	if (ret == 0 && !through && !gone)
		ret = encode_open(e, file, rel, &result, base_id, &done, &err);
	if (ret == 0)
		add_note(e, file, &result);
	if (ret < 0) {
		ctl_anew_failed(file, &err);
		ctl_result_fail(e->ctl, file->path, &err, &e->totals);
	} else {
		ctl_result_add(e->ctl, file->path, &result, &e->totals);
	}
}

static int run(struct ctl *ctl)
{
	struct encoding e = { .ctl = ctl };
	DFS_AUTO(files) struct ctl_files files = { 0 };
	struct dfs_err err = { "" };
	struct dfs_spec spec;
	int ret;

	if (dfs_spec_parse(ctl->codec, &spec, &err) < 0)
		return ctl_usage_codec(ctl, "--codec", &err);
	if (ctl_outfile_streams(ctl->out))
		return ctl_usage(ctl, "-o -: a container is written to a file");
	if (ctl_walk(ctl, &e.totals, &files) < 0)
		return CTL_USAGE;
	ctl_patterns(ctl, &spec, &files);
	ctl_anew_mark(ctl, &spec, &files);
	ret = ctl_consent(ctl, &spec, &files);
	if (ret != CTL_DONE)
		return ret;
	e.many = ctl->n_args > 1 || ctl->recursive;
	ctl_session_init(&e.session, ctl, !ctl->out);
	if (!ctl->out && ctl->recursive && ctl->n_args == 1)
		e.session.new_store = realpath(ctl->args[0], NULL);
	if (!ctl->out && ctl->recursive && !ctl->base && ctl_found_bases(&e.bases, &e.session, &files, &err) < 0)
		ctl_fail(ctl, &err);
	ctl_anew_begin(ctl, &e.session, &files, &e.totals);
	if (!ctl->out)
		ctl_mounted_queue(ctl, &files, &e.wish);
	for (size_t i = 0; i < files.n && !ctl_interrupted(); i++)
		if (files.files[i].anew != CTL_ANEW_OVER)
			encode_file(&e, &files.files[i]);
	ctl_totals_say(ctl, &e.totals, "compressed");
	ctl_bases_release(&e.bases);
	dfs_planned_release(&e.planned);
	ctl_wish_release(&e.wish);
	ctl_session_release(&e.session);
	return ctl_interrupted() ? CTL_FAILED : CTL_DONE;
}

const struct ctl_command ctl_encode = {
	"encode", "[OPTION]... FILE...", "Compress files, in place or into OUT",
	options, sizeof(options) / sizeof(options[0]), 1, -1, run,
};
