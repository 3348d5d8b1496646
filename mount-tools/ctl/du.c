/* SPDX-License-Identifier: GPL-2.0-or-later */
/* du: what each directory shows, what it takes, and what that saves. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl.h"
#include "listing.h"
#include "mounts.h"
#include "store/kept.h"
#include "store/pins.h"
#include "text.h"

static const struct ctl_option options[] = {
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

static void say(struct ctl *ctl, const char *path, uint64_t original, uint64_t stored)
{
	char a[CTL_BYTES_LEN], b[CTL_BYTES_LEN];

	ctl_say(ctl, "%10s  %10s  %6.2fx  %s", ctl_bytes(a, original), ctl_bytes(b, stored),
		ctl_ratio(original, stored), path);
	if (ctl->report)
		json_array_append_new(json_object_get(ctl->report, "directories"),
			json_pack("{s:o, s:I, s:I, s:f}", "path", ctl_string(path), "original_bytes", (json_int_t)original,
				  "stored_bytes", (json_int_t)stored, "ratio", ctl_ratio(original, stored)));
}

/* The first directory below the top that a path lies in; the whole path if it is right there. */
static size_t group_len(const char *path, size_t skip)
{
	const char *slash = strchr(path + skip, '/');

	return slash ? (size_t)(slash - path) : strlen(path);
}

/* The walk is in the order of names, so a directory's files follow each other. */
static void say_groups(struct ctl *ctl, const struct ctl_listing *l, size_t skip)
{
	for (size_t i = 0; i < l->n;) {
		size_t len = group_len(l->files[i].path, skip);
		uint64_t original = 0, stored = 0;
		DFS_AUTO(mem) char *name = strndup(l->files[i].path, len);
		size_t k = i;

		for (; k < l->n && group_len(l->files[k].path, skip) == len &&
		       !strncmp(l->files[k].path, l->files[i].path, len); k++) {
			original += l->files[k].original_bytes;
			stored += l->files[k].stored_bytes;
		}
		if (name)
			say(ctl, name, original, stored);
		i = k;
	}
}

static uint64_t pins_alone(const struct dfs_store *store)
{
	DFS_AUTO(mem) struct dfs_pin *pins = NULL;
	uint64_t alone = 0;
	size_t n = 0;

	if (dfs_pins_list(store, &pins, &n) == 0)
		for (size_t i = 0; i < n; i++)
			alone += pins[i].alone ? pins[i].stored : 0;
	return alone;
}

/* An original has no name but its own there, whatever it is an original of. */
static uint64_t originals(const struct dfs_store *store)
{
	DFS_AUTO(kept_list) struct dfs_kept_list list = { 0 };
	char path[DFS_KEPT_PATH_SIZE];
	uint64_t stored = 0;
	struct stat st;

	if (dfs_kept_list(store, &list) == 0)
		for (size_t i = 0; i < list.n; i++)
			if (fstatat(dfs_store_fd(store), dfs_kept_path(list.kept[i].id, path), &st, AT_SYMLINK_NOFOLLOW) == 0)
				stored += (uint64_t)st.st_blocks * 512;
	return stored;
}

/* Bytes that belong to no file, but are on the disk. Only for a whole store: below it nobody could say whose they are. */
static uint64_t say_hidden(struct ctl *ctl, const char *path)
{
	DFS_AUTO(mem) char *behind = ctl_mount_behind(path, NULL);
	DFS_AUTO(store) struct dfs_store *store = NULL;
	uint64_t alone, kept;

	if (!behind || dfs_store_open(behind, true, &store, NULL) < 0) {
		store = NULL;
		return 0;
	}
	alone = pins_alone(store);
	kept = originals(store);
	if (alone)
		say(ctl, "(bases that only their pins hold)", 0, alone);
	if (kept)
		say(ctl, "(originals of files that gave up bits)", 0, kept);
	return alone + kept;
}

static int run(struct ctl *ctl)
{
	DFS_AUTO(listing) struct ctl_listing l = { 0 };
	const char *path = ctl->n_args ? ctl->args[0] : ".";
	uint64_t original = 0, stored = 0;
	struct dfs_err err = { "" };

	if (ctl->report)
		json_object_set_new(ctl->report, "directories", json_array());
	if (ctl_listing_make(ctl, path, &l, &err) < 0)
		return ctl_fail(ctl, &err);
	ctl_say(ctl, "%10s  %10s  %7s  %s", "SIZE", "ON DISK", "RATIO", "NAME");
	if (!l.is_file)
		say_groups(ctl, &l, l.below);
	for (size_t i = 0; i < l.n; i++) {
		original += l.files[i].original_bytes;
		stored += l.files[i].stored_bytes;
	}
	stored += say_hidden(ctl, path);
	say(ctl, path, original, stored);
	return CTL_DONE;
}

const struct ctl_command ctl_du = {
	"du", "[OPTION]... [PATH]", "Sum up what directories show and what they take on disk",
	options, sizeof(options) / sizeof(options[0]), 0, 1, run,
};
