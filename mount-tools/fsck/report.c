/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: see report.h. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "../ctl/text.h"

void fsck_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ctl_put_line(stdout, fmt, args);
	va_end(args);
}

void fsck_warn(const char *fmt, ...)
{
	va_list args;

	fputs("fsck.deltafs: ", stderr);
	va_start(args, fmt);
	ctl_put_line(stderr, fmt, args);
	va_end(args);
}

static const char *const outcomes[] = {
	[DFS_CHECK_REPAIRED] = "repaired", [DFS_CHECK_REPAIRABLE] = "repairable", [DFS_CHECK_LEFT] = "left",
};

void fsck_report_add(struct fsck_report *r, const struct dfs_finding *f)
{
	static const size_t counts[] = {
		[DFS_CHECK_REPAIRED] = offsetof(struct fsck_report, repaired),
		[DFS_CHECK_REPAIRABLE] = offsetof(struct fsck_report, repairable),
		[DFS_CHECK_LEFT] = offsetof(struct fsck_report, left),
	};

	++*(unsigned long *)((char *)r + counts[f->outcome]);
	if (r->findings)
		json_array_append_new(r->findings, json_pack("{s:o, s:s, s:o, s:s, s:o}", "path", ctl_string(f->path),
							     "kind", dfs_check_word(f->kind), "what", ctl_string(f->what),
							     "outcome", outcomes[f->outcome], "then", ctl_string(f->then)));
	else
		fsck_say("%s/%s: %s; %s", r->options->store, f->path, f->what, f->then);
}

static void end_json(struct fsck_report *r, const struct dfs_check *check, bool whole)
{
	json_t *object = json_pack("{s:i, s:o, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "version", 1,
				   "store", ctl_string(r->options->store), "full", check->full, "complete", whole,
				   "containers", (json_int_t)check->n_containers, "bases", (json_int_t)check->n_models,
				   "repaired", (json_int_t)r->repaired, "repairable", (json_int_t)r->repairable,
				   "left", (json_int_t)r->left, "findings", r->findings);

	if (object) {
		json_dumpf(object, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(object);
	}
	r->findings = NULL;
}

static void end_lines(const struct fsck_report *r, const struct dfs_check *check, bool whole)
{
	unsigned long n = r->repaired + r->repairable + r->left;
	char seen[128], found[128] = "clean";

	snprintf(seen, sizeof(seen), "%llu %s, %llu %s", (unsigned long long)check->n_containers,
		 check->n_containers == 1 ? "container" : "containers", (unsigned long long)check->n_models,
		 check->n_models == 1 ? "base" : "bases");
	if (n)
		snprintf(found, sizeof(found), "%lu %s: %lu repaired, %lu repairable, %lu left", n, n == 1 ? "error" : "errors",
			 r->repaired, r->repairable, r->left);
	else if (!whole)
		snprintf(found, sizeof(found), "nothing found so far");
	fsck_say("%s: %s (%s, %s check%s)", r->options->store, found, seen, check->full ? "full" : "fast",
		 whole ? "" : ", not to the end");
}

int fsck_report_end(struct fsck_report *r, const struct dfs_check *check, bool whole)
{
	if (r->findings)
		end_json(r, check, whole);
	else
		end_lines(r, check, whole);
	return (r->repaired ? FSCK_REPAIRED : 0) | (r->repairable || r->left ? FSCK_LEFT : 0);
}
