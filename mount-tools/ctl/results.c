/* SPDX-License-Identifier: GPL-2.0-or-later */
/* results: see results.h. */
#include "results.h"

#include <inttypes.h>
#include <string.h>

#include "text.h"
#include "util/text.h"

/* "files" of the report; begun if it is not there. */
static json_t *files_of(struct ctl *ctl)
{
	json_t *files = json_object_get(ctl->report, "files");

	if (!files) {
		files = json_array();
		json_object_set_new(ctl->report, "files", files);
	}
	return files;
}

static void add_json(struct ctl *ctl, const char *path, const struct ctl_result *r)
{
	json_t *file = json_pack("{s:o, s:s, s:s?, s:o}", "path", ctl_string(path), "result",
			 r->outcome == CTL_BROKEN ? "failed" : r->what, "base", r->base,
			 "reason", r->why ? ctl_string(r->why) : json_null());
	if (file && r->outcome != CTL_BROKEN) {
		json_object_set_new(file, "original_bytes", json_integer((json_int_t)r->original_bytes));
		json_object_set_new(file, "stored_bytes", json_integer((json_int_t)r->stored_bytes));
		json_object_set_new(file, "exact", json_boolean(!r->lossy));
		json_object_set_new(file, "ratio", json_real(ctl_ratio(r->original_bytes, r->stored_bytes)));
	}
	json_array_append_new(files_of(ctl), file);
}

static void say(struct ctl *ctl, const char *path, const struct ctl_result *r)
{
	const char *lossy = r->lossy ? ", lossy" : "";
	char from[CTL_BYTES_LEN], to[CTL_BYTES_LEN];

	if (r->outcome == CTL_LEFT)
		ctl_say(ctl, "%s: %s as it is: %s", path, strcmp(r->what, "copied") ? "left" : "copied",
			r->why ? r->why : r->what);
	else if (strcmp(r->what, "compressed"))
		ctl_say(ctl, "%s: %s, %s%s", path, r->what, ctl_bytes(to, r->original_bytes), lossy);
	else
		ctl_say(ctl, "%s: %s -> %s (%.2fx)%s%.8s%s%s%s", path, ctl_bytes(from, r->original_bytes),
			ctl_bytes(to, r->stored_bytes), ctl_ratio(r->original_bytes, r->stored_bytes),
			r->base ? ", base " : ", alone", r->base ? r->base : "", lossy,
			r->why ? ": " : "", r->why ? r->why : "");
}

void ctl_result_add(struct ctl *ctl, const char *path, const struct ctl_result *result,
		    struct ctl_totals *totals)
{
	totals->n[result->outcome]++;
	totals->original_bytes += result->original_bytes;
	totals->stored_bytes += result->stored_bytes;
	if (ctl->report)
		add_json(ctl, path, result);
	else if (!result->quiet)
		say(ctl, path, result);
}

void ctl_result_fail(struct ctl *ctl, const char *path, const struct dfs_err *err,
		     struct ctl_totals *totals)
{
	struct ctl_result result = { .outcome = CTL_BROKEN, .why = err->text };

	/* Most sentences begin with the path already. */
	if (dfs_text_begins(err->text, path))
		ctl_warn("%s", err->text);
	else
		ctl_warn("%s: %s", path, err->text);
	ctl->failures++;
	totals->n[CTL_BROKEN]++;
	if (ctl->report)
		add_json(ctl, path, &result);
}

void ctl_totals_say(struct ctl *ctl, const struct ctl_totals *t, const char *done)
{
	uint64_t n = t->n[CTL_CHANGED] + t->n[CTL_LEFT] + t->n[CTL_BROKEN];
	char from[CTL_BYTES_LEN], to[CTL_BYTES_LEN];

	if (ctl->report)
		files_of(ctl);
	if (ctl->report)
		json_object_set_new(ctl->report, "total", json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}",
			"files", (json_int_t)n, done, (json_int_t)t->n[CTL_CHANGED],
			"left", (json_int_t)t->n[CTL_LEFT], "failed", (json_int_t)t->n[CTL_BROKEN],
			"original_bytes", (json_int_t)t->original_bytes,
			"stored_bytes", (json_int_t)t->stored_bytes));
	if (n < 2 && !ctl->recursive)
		return;
	ctl_say(ctl, "%" PRIu64 " file%s: %" PRIu64 " %s, %" PRIu64 " left, %" PRIu64 " failed; %s, on disk %s",
		n, n == 1 ? "" : "s", t->n[CTL_CHANGED], done, t->n[CTL_LEFT], t->n[CTL_BROKEN],
		ctl_bytes(from, t->original_bytes), ctl_bytes(to, t->stored_bytes));
}
