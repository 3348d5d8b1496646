/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estimate: what would be saved, from a sample; writes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bases.h"
#include "ctl.h"
#include "families.h"
#include "mounts.h"
#include "session.h"
#include "text.h"
#include "trials.h"
#include "walk.h"
#include "write/classify.h"
#include "write/spec.h"

static const struct ctl_option options[] = {
	{ 'r', "recursive", NULL, offsetof(struct ctl, recursive), "go into directories, and find the families there" },
	{ 0, "base", "PATH", offsetof(struct ctl, base), "estimate over this base only" },
	{ 0, "codec", "SPEC", offsetof(struct ctl, codec), "compare exact coding with this codec only" },
	{ 0, "tensors", NULL, offsetof(struct ctl, tensors), "also each tensor: lossy or exact, and why" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

struct estimating {
	struct ctl *ctl;
	struct ctl_session session;
	struct ctl_bases registered;
	struct ctl_families families;
	struct dfs_hand *hand;
	struct dfs_model *base;		/* the planned base opened last */
	size_t base_index;		/* which model that is */
	uint64_t now, after;
};

struct estimate {
	uint64_t stored, alone;
	const char *base;	/* as shown; NULL: none */
	const char *why;	/* why none */
	char id[DFS_HASH_HEX];
	struct ctl_trials trials;
	struct dfs_header *header;	/* of a file that was looked at; NULL: no tensors */
};

static int sample(struct estimating *e, struct dfs_work_input *input, const struct dfs_model *base,
		  uint64_t *ret_stored, struct dfs_err *err)
{
	struct dfs_sample sample;
	int ret;

	input->base = base;
	input->by_content = true;
	ret = dfs_sample(input, DFS_SAMPLE_ESTIMATE, e->hand, &sample, err);
	if (ret < 0)
		return ret;
	*ret_stored = dfs_sample_stored(input, &sample);
	if (*ret_stored > input->len)
		*ret_stored = input->len;
	return 0;
}

static void estimate_release(struct estimate *est)
{
	ctl_trials_release(&est->trials);
	dfs_header_free(est->header);
}

/* The planned base of a model, kept open for the next of its dependants. */
static int planned_base(struct estimating *e, size_t index, const struct dfs_model **ret_base, struct dfs_err *err)
{
	const struct ctl_planned_model *model = &e->families.models[index];
	int ret = 0;

	if (!e->base || e->base_index != index) {
		dfs_model_free(e->base);
		e->base = NULL;
		ret = dfs_model_open_files(model->paths, model->n_paths, "", &e->base, err);
		e->base_index = index;
	}
	*ret_base = e->base;
	return ret;
}

/* --base, a base of the store, a planned one, or none; in this order. */
static int find_base(struct estimating *e, const struct ctl_planned_file *file, struct dfs_work_input *input,
		     const struct dfs_model **ret_base, struct estimate *est, struct dfs_err *err)
{
	const struct ctl_planned_model *model = &e->families.models[file->model];
	int ret;

	if (e->ctl->base) {
		est->base = e->ctl->base;
		*ret_base = e->session.base;
		return 0;
	}
	ret = ctl_bases_choose(&e->registered, &e->session, input, ret_base, &est->why, err);
	if (ret == 0 && *ret_base)
		est->base = dfs_hash_hex((*ret_base)->id, est->id);
	if (ret < 0 || *ret_base)
		return ret;
	est->why = model->lonely ? "no other model here has its tensors" : "no other model here makes it smaller";
	if (model->base == CTL_NO_MODEL || model->base == file->model)
		return 0;
	est->base = e->families.models[model->base].shown;
	return planned_base(e, model->base, ret_base, err);
}

/* The table is by more samples than the file alone, so that it has the last word of it as well. */
static int estimate_over(struct estimating *e, struct dfs_work_input *input, const struct dfs_model *base, struct estimate *est,
			 struct dfs_err *err)
{
	uint64_t exact;
	int ret = sample(e, input, base, &est->stored, err);

	if (ret == 0)
		ret = ctl_trials_make(input, e->ctl->codec, e->ctl->tensors, e->hand, &est->trials, err);
	exact = ctl_trials_exact(&est->trials);
	if (ret == 0 && exact)
		est->stored = exact < input->len ? exact : input->len;
	return ret;
}

static int estimate_file(struct estimating *e, const char *path, const struct ctl_planned_file *file,
			 struct estimate *est, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct dfs_work_input input = { .fd = fd, .len = file->bytes };
	const struct dfs_model *base = NULL;
	struct stat st;
	int ret;

	*est = (struct estimate){ .stored = file->stored, .alone = file->stored, .why = file->why };
	if (file->model == CTL_NO_MODEL)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "open");
	if (ctl_session_is_base(&e->session, &st)) {
		est->why = "a base, which stays plain";
		return 0;
	}
	ret = dfs_classify(fd, &est->header, NULL, err);
	if (ret < 0)
		return ret;
	input.header = est->header;
	ret = find_base(e, file, &input, &base, est, err);
	if (ret == 0)
		ret = sample(e, &input, NULL, &est->alone, err);
	if (ret < 0)
		return ret;
	if (base)
		return estimate_over(e, &input, base, est, err);
	if (!e->ctl->base && e->families.models[file->model].base == file->model) {
		est->stored = file->bytes;
		est->why = "stays plain, as the base of others";
	} else {
		est->stored = est->alone;
	}
	return 0;
}

static void say_estimate(struct estimating *e, const char *path, const struct ctl_planned_file *file,
			 const struct estimate *est)
{
	char now[CTL_BYTES_LEN], after[CTL_BYTES_LEN];

	e->now += file->stored;
	e->after += est->stored;
	if (file->model != CTL_NO_MODEL)
		ctl_say(e->ctl, "%s: %s -> %s (%.2fx)%s%s%s", path, ctl_bytes(now, file->stored),
			ctl_bytes(after, est->stored), ctl_ratio(file->stored, est->stored),
			est->base ? ", base " : ": ", est->base ? est->base : est->why ? est->why : "alone",
			est->base || est->stored == file->bytes ? "" : ", so alone");
	else if (!e->ctl->recursive)
		ctl_say(e->ctl, "%s: %s: %s", path, ctl_bytes(now, file->stored), est->why);
	if (!e->ctl->recursive)
		ctl_trials_say(e->ctl, &est->trials, file->stored);
	if (e->ctl->tensors)
		ctl_scopes_say(e->ctl, &est->trials, est->header);
	if (e->ctl->report)
		json_array_append_new(json_object_get(e->ctl->report, "files"), json_pack(
			"{s:o, s:I, s:I, s:{s:I, s:I}, s:o, s:f, s:o, s:s?, s:o*}", "path", ctl_string(path),
			"now_bytes", (json_int_t)file->stored, "after_bytes", (json_int_t)est->stored,
			"codecs", "exact", (json_int_t)est->stored, "exact_alone", (json_int_t)est->alone,
			"trials", ctl_trials_json(&est->trials, file->stored),
			"ratio", ctl_ratio(file->stored, est->stored),
			"base", est->base ? ctl_string(est->base) : json_null(),
			"reason", est->base ? NULL : est->why,
			"tensors", e->ctl->tensors ? ctl_scopes_json(&est->trials, est->header) : NULL));
}

static void say_total(struct estimating *e)
{
	char now[CTL_BYTES_LEN], after[CTL_BYTES_LEN], saved[CTL_BYTES_LEN];
	uint64_t gain = e->now > e->after ? e->now - e->after : 0;

	ctl_say(e->ctl, "now %s, after about %s: %s (%.0f%%) saved", ctl_bytes(now, e->now),
		ctl_bytes(after, e->after), ctl_bytes(saved, gain), e->now ? 100.0 * (double)gain / (double)e->now : 0.0);
	if (e->ctl->report)
		json_object_set_new(e->ctl->report, "total", json_pack("{s:i, s:I, s:I, s:I, s:f}",
			"files", (int)e->families.n_files, "now_bytes", (json_int_t)e->now,
			"after_bytes", (json_int_t)e->after, "saved_bytes", (json_int_t)gain,
			"ratio", ctl_ratio(e->now, e->after)));
}

static int prepare(struct estimating *e, const struct ctl_files *files, struct dfs_err *err)
{
	DFS_AUTO(mem) char *rel = NULL;
	int ret = 0;

	/* Through a mount all would look plain. */
	for (int i = 0; i < e->ctl->n_args && ret == 0; i++)
		if (access(e->ctl->args[i], F_OK) == 0)
			ret = ctl_mount_refuse(e->ctl->args[i], err);
	if (ret < 0)
		return ret;
	e->hand = dfs_hand_new();
	if (!e->hand)
		return dfs_fail(err, ENOMEM, "out of memory");
	/* One store's bases serve; a run over several is estimated as if they were none. */
	if (files->n)
		ret = ctl_session_enter(&e->session, files->files[0].path, &rel, err);
	if (ret == 0 && e->ctl->base)
		ret = dfs_model_open(e->ctl->base, &e->session.base, err);
	return ret < 0 ? ret : ctl_families_make(e->ctl, files, &e->families, err);
}

static int run(struct ctl *ctl)
{
	struct estimating e = { .ctl = ctl };
	DFS_AUTO(files) struct ctl_files files = { 0 };
	struct dfs_err err = { "" };
	int code = CTL_DONE;

	if (ctl->codec && dfs_spec_check(ctl->codec, &err) < 0)
		return ctl_usage_codec(ctl, "--codec", &err);
	if (ctl_walk(ctl, NULL, &files) < 0)
		return CTL_USAGE;
	ctl_session_init(&e.session, ctl, false);
	if (ctl->report)
		json_object_set_new(ctl->report, "files", json_array());
	if (prepare(&e, &files, &err) < 0)
		code = ctl_fail(ctl, &err);
	for (size_t i = 0; i < e.families.n_files && !ctl_interrupted(); i++) {
		const char *path = files.files[i].path;
		struct estimate est;

		if (estimate_file(&e, path, &e.families.files[i], &est, &err) < 0) {
			ctl_warn("%s: %s", path, err.text);
			ctl->failures++;
		} else {
			say_estimate(&e, path, &e.families.files[i], &est);
		}
		estimate_release(&est);
	}
	if (code == CTL_DONE)
		say_total(&e);
	dfs_model_free(e.base);
	dfs_hand_free(e.hand);
	ctl_families_release(&e.families);
	ctl_bases_release(&e.registered);
	ctl_session_release(&e.session);
	return ctl_interrupted() ? CTL_FAILED : code;
}

const struct ctl_command ctl_estimate = {
	"estimate", "[OPTION]... FILE...", "Say what compressing would save; writes nothing",
	options, sizeof(options) / sizeof(options[0]), 1, -1, run,
};
