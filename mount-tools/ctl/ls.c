/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ls: each file, its size, what it takes on disk, and its base. */
#include <string.h>

#include "ctl.h"
#include "listing.h"
#include "text.h"

static const struct ctl_option options[] = {
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

static void list_file(struct ctl *ctl, const struct ctl_listed *f)
{
	char original[CTL_BYTES_LEN], stored[CTL_BYTES_LEN], ratio[16] = "-";
	json_t *files;

	if (!strcmp(f->state, "compressed") || !strcmp(f->state, "lossy"))
		snprintf(ratio, sizeof(ratio), "%.2fx", ctl_ratio(f->original_bytes, f->stored_bytes));
	ctl_say(ctl, "%-10s  %10s  %10s  %8s  %-8s  %s", f->state, ctl_bytes(original, f->original_bytes),
		ctl_bytes(stored, f->stored_bytes), ratio, *f->base ? f->base : "-", f->path);
	if (!ctl->report)
		return;
	files = json_object_get(ctl->report, "files");
	json_array_append_new(files, json_pack("{s:o, s:s, s:I, s:I, s:f, s:s?}", "path", ctl_string(f->path),
		"state", f->state, "original_bytes", (json_int_t)f->original_bytes,
		"stored_bytes", (json_int_t)f->stored_bytes,
		"ratio", ctl_ratio(f->original_bytes, f->stored_bytes), "base", *f->base ? f->base : NULL));
}

static int run(struct ctl *ctl)
{
	DFS_AUTO(listing) struct ctl_listing listing = { 0 };
	struct dfs_err err = { "" };

	if (ctl->report)
		json_object_set_new(ctl->report, "files", json_array());
	if (ctl_listing_make(ctl, ctl->n_args ? ctl->args[0] : ".", &listing, &err) < 0)
		return ctl_fail(ctl, &err);
	ctl_say(ctl, "%-10s  %10s  %10s  %8s  %-8s  %s", "STATE", "SIZE", "ON DISK", "RATIO", "BASE", "NAME");
	for (size_t i = 0; i < listing.n; i++)
		list_file(ctl, &listing.files[i]);
	return CTL_DONE;
}

const struct ctl_command ctl_ls = {
	"ls", "[OPTION]... [PATH]", "List files with their size, what they take on disk, and their base",
	options, sizeof(options) / sizeof(options[0]), 0, 1, run,
};
