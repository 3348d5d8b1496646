/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "patterns.h"

#include "shown.h"
#include "text.h"
#include "util/glob.h"
#include "write/classify.h"

#define PATTERNS (2 * DFS_SPEC_GLOBS)

struct pattern {
	const char *option, *glob;
	bool matched;
};

static size_t add(struct pattern *all, size_t n, const char *option, const char *const *globs)
{
	for (; *globs; globs++)
		all[n++] = (struct pattern){ .option = option, .glob = *globs };
	return n;
}

/* Return: whether it is a file with tensors. */
static bool look(const struct ctl_file *file, struct pattern *all, size_t n)
{
	DFS_AUTO(header) struct dfs_header *header = ctl_shown_header_of(file->path);

	for (size_t t = 0; header && t < header->n_tensors; t++)
		for (size_t i = 0; i < n; i++)
			all[i].matched = all[i].matched || dfs_glob_covers(all[i].glob, header->tensors[t].name);
	return header != NULL;
}

static void tell(const struct ctl *ctl, const struct pattern *pattern)
{
	char text[DFS_SPEC_MAX + 16];

	snprintf(text, sizeof(text), "%s=%s", pattern->option, pattern->glob);
	ctl_warn("--codec: no tensor of what is to be compressed is called by %s", text);
	if (!ctl->report)
		return;
	if (!json_object_get(ctl->report, "unmatched"))
		json_object_set_new(ctl->report, "unmatched", json_array());
	json_array_append_new(json_object_get(ctl->report, "unmatched"), ctl_string(text));
}

void ctl_patterns(const struct ctl *ctl, const struct dfs_spec *spec, const struct ctl_files *files)
{
	struct pattern all[PATTERNS];
	size_t n = add(all, add(all, 0, "include", spec->include), "exclude", spec->exclude);
	bool any = false;

	for (size_t i = 0; n && i < files->n && !ctl_interrupted(); i++)
		any |= look(&files->files[i], all, n);
	for (size_t i = 0; i < n && any; i++)
		if (!all[i].matched)
			tell(ctl, &all[i]);
}
