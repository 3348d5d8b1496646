/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trials: see trials.h. */
#include "trials.h"

#include <errno.h>

#include "codec/lossy.h"
#include "text.h"
#include "write/spec.h"

int ctl_trials_make(const struct dfs_work_input *input, struct dfs_hand *hand, struct ctl_trials *ret_trials,
		    struct dfs_err *err)
{
	int ret = 0;

	ret_trials->n = 0;
	ret_trials->missing = (struct dfs_err){ "" };
	for (unsigned id = 0; id < DFS_CODECS && ret == 0; id++) {
		struct dfs_work_input with = *input;
		struct dfs_spec spec;

		if (!dfs_lossy_find(id) || dfs_spec_parse(dfs_codec_name(id), &spec, NULL) < 0)
			continue;
		with.spec = &spec;
		ret_trials->of[ret_trials->n].codec = id;
		ret = dfs_trial(&with, hand, ret_trials->n == 0, &ret_trials->of[ret_trials->n].trial, err);
		if (ret == -ENOTSUP) {
			ret_trials->missing = *err;
			ret = 0;
		} else if (ret == 0 && ret_trials->of[ret_trials->n].trial.values) {
			ret_trials->n++;
		}
	}
	return ret;
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

	if (!trials->n)
		return;
	ctl_say(ctl, "  %-12s %9s %9s  %-5s %10s", "CODEC", "LINEAR", "FILE", "EXACT", "ONE THREAD");
	say_row(ctl, "exact", true, first->exact_stored, first,
		first->exact_seconds, now);
	for (unsigned i = 0; i < trials->n; i++) {
		const struct dfs_trial *t = &trials->of[i].trial;

		say_row(ctl, dfs_codec_name(trials->of[i].codec), false, t->stored, t, t->seconds, now);
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

		json_array_append_new(rows, row(dfs_codec_name(trials->of[i].codec), false, t->stored, t, t->seconds, now));
	}
	return rows;
}
