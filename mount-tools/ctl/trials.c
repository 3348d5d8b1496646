/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trials: see trials.h. */
#include "trials.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec/lossy.h"
#include "text.h"
#include "write/spec.h"

struct trying {
	const struct dfs_work_input *input;
	struct dfs_hand *hand;
	struct dfs_seen seen;
	struct ctl_trials *trials;
};

static int try(struct trying *t, const char *text, struct dfs_err *err)
{
	struct ctl_trial *trial = &t->trials->of[t->trials->n];
	enum dfs_scope *scopes = t->trials->n_scoped ? NULL : t->trials->scopes;
	struct dfs_work_input with = *t->input;
	struct dfs_spec spec;
	int ret = dfs_spec_parse(text, &spec, err);

	if (ret < 0 || !spec.lossy)
		return ret;
	with.spec = &spec;
	trial->codec = spec.codec;
	ret = dfs_trial(&with, &t->seen, t->hand, t->trials->n == 0, &trial->trial, scopes, err);
	if (ret == -ENOTSUP) {
		t->trials->missing = *err;
		return 0;
	}
	if (ret < 0)
		return ret;
	if (scopes)
		t->trials->n_scoped = t->seen.header->n_tensors;
	t->trials->n += trial->trial.values > 0;
	return 0;
}

static int try_all(struct trying *t, struct dfs_err *err)
{
	int ret = 0;

	for (unsigned id = 0; id < DFS_CODECS && ret == 0; id++)
		if (dfs_lossy_find(id) && dfs_spec_check(dfs_codec_name(id), NULL) == 0)
			ret = try(t, dfs_codec_name(id), err);
	return ret;
}

int ctl_trials_make(const struct dfs_work_input *input, const char *codec, bool tensors, struct dfs_hand *hand,
		    struct ctl_trials *trials, struct dfs_err *err)
{
	struct trying t = { .input = input, .hand = hand, .trials = trials };
	int ret;

	*trials = (struct ctl_trials){ .spec = codec };
	if (!input->header)
		return 0;
	if (tensors)
		trials->scopes = calloc(input->header->n_tensors + 1, sizeof(*trials->scopes));
	if (tensors && !trials->scopes)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_seen_init(&t.seen, input->header, tensors ? UINT64_MAX : DFS_SEEN_BUDGET, err);
	if (ret == 0)
		ret = codec ? try(&t, codec, err) : try_all(&t, err);
	dfs_seen_release(&t.seen);
	return ret;
}

void ctl_trials_release(struct ctl_trials *trials)
{
	free(trials->scopes);
	*trials = (struct ctl_trials){ 0 };
}

uint64_t ctl_trials_exact(const struct ctl_trials *trials)
{
	const struct dfs_trial *first = &trials->of[0].trial;

	return trials->n ? first->exact_stored + first->rest_stored : 0;
}

static void say_row(const struct ctl *ctl, const char *codec, bool exact, uint64_t linear, const struct dfs_trial *trial,
		    double seconds, uint64_t now)
{
	uint64_t stored = linear + trial->rest_stored;

	ctl_say(ctl, "  %-12s %8.2fx %8.2fx  %-5s %8.2f s", codec, ctl_ratio(trial->bytes, linear), ctl_ratio(now, stored),
		exact ? "yes" : "no", seconds);
}

void ctl_trials_say(const struct ctl *ctl, const struct ctl_trials *trials, uint64_t now)
{
	const struct dfs_trial *first = &trials->of[0].trial;

	if (trials->n) {
		ctl_say(ctl, "  %-12s %9s %9s  %-5s %10s", "CODEC", "LINEAR", "FILE", "EXACT", "ONE THREAD");
		say_row(ctl, "exact", true, first->exact_stored, first, first->exact_seconds, now);
	}
	for (unsigned i = 0; i < trials->n; i++) {
		const struct dfs_trial *t = &trials->of[i].trial;

		say_row(ctl, trials->spec ? trials->spec : dfs_codec_name(trials->of[i].codec), false, t->stored, t, t->seconds, now);
	}
	if (trials->missing.text[0])
		ctl_say(ctl, "  not tried: %s", trials->missing.text);
}

static json_t *row(const char *codec, bool exact, uint64_t linear, const struct dfs_trial *t, double seconds, uint64_t now)
{
	uint64_t stored = linear + t->rest_stored;

	return json_pack("{s:s, s:b, s:{s:I, s:I, s:I, s:f}, s:{s:I, s:f}, s:f}", "codec", codec, "exact", exact,
		"linear", "params", (json_int_t)t->values, "original_bytes", (json_int_t)t->bytes,
		"stored_bytes", (json_int_t)linear, "ratio", ctl_ratio(t->bytes, linear),
		"all", "stored_bytes", (json_int_t)stored, "ratio", ctl_ratio(now, stored), "seconds", seconds);
}

json_t *ctl_trials_json(const struct ctl_trials *trials, uint64_t now)
{
	const struct dfs_trial *first = &trials->of[0].trial;
	json_t *rows = json_array();

	if (trials->n)
		json_array_append_new(rows, row("exact", true, first->exact_stored, first, first->exact_seconds, now));
	for (unsigned i = 0; i < trials->n; i++) {
		const struct dfs_trial *t = &trials->of[i].trial;
		json_t *one = row(dfs_codec_name(trials->of[i].codec), false, t->stored, t, t->seconds, now);

		if (trials->spec)
			json_object_set_new(one, "spec", ctl_string(trials->spec));
		json_array_append_new(rows, one);
	}
	return rows;
}

/* --- each tensor */

static enum dfs_scope scope_of(const struct ctl_trials *trials, size_t i)
{
	return i < trials->n_scoped ? trials->scopes[i] : DFS_SCOPE_NO_BASE;
}

static bool is_exact_asked(const struct ctl_trials *trials)
{
	return trials->spec && !strcmp(trials->spec, "exact");
}

void ctl_scopes_say(const struct ctl *ctl, const struct ctl_trials *trials, const struct dfs_header *header)
{
	for (size_t i = 0; header && i < header->n_tensors; i++) {
		const struct dfs_tensor *t = &header->tensors[i];
		enum dfs_scope scope = scope_of(trials, i);
		bool exact = scope != DFS_SCOPE_LOSSY || is_exact_asked(trials);

		ctl_say(ctl, "  %-5s %-21s %12" PRIu64 " %s", exact ? "exact" : "lossy",
			is_exact_asked(trials) ? "asked for" : dfs_scope_text(scope), t->len, t->name);
	}
}

json_t *ctl_scopes_json(const struct ctl_trials *trials, const struct dfs_header *header)
{
	json_t *list = json_array();

	for (size_t i = 0; header && i < header->n_tensors; i++) {
		enum dfs_scope scope = scope_of(trials, i);
		bool exact = scope != DFS_SCOPE_LOSSY || is_exact_asked(trials);
		const char *why = is_exact_asked(trials) ? "asked for" : dfs_scope_text(scope);

		json_array_append_new(list, json_pack("{s:o, s:I, s:b, s:o}", "name", ctl_string(header->tensors[i].name),
			"original_bytes", (json_int_t)header->tensors[i].len, "lossy", !exact,
			"why", exact ? json_string(why) : json_null()));
	}
	return list;
}
