/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status: the mount in numbers, as JSON (deltafs(1) "EXTENDED ATTRIBUTES"),
 * and why a file is plain, or exact.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "read/describe.h"
#include "store/mark.h"
#include "store/pin_links.h"
#include "util/clock.h"
#include "util/log.h"
#include "write/ledger.h"
#include "write/permit.h"

/* An attribute has 64 KiB at most; a path may have 4. */
#define ROOM 60000
#define FILES_MAX 32

static json_t *reader_json(struct dfs_mount *mount)
{
	struct dfs_reader_stats stats;

	dfs_reader_stats(mount->reader, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "chunks_decoded", (json_int_t)stats.chunks_decoded,
			 "chunks_hit", (json_int_t)stats.chunks_hit,
			 "bytes_decoded", (json_int_t)stats.bytes_decoded,
			 "bytes_delivered", (json_int_t)stats.bytes_delivered,
			 "failures", (json_int_t)stats.failures,
			 "cache_bytes", (json_int_t)stats.cache_bytes_now,
			 "cache_bytes_peak", (json_int_t)stats.cache_bytes_peak);
}

static json_t *mount_json(struct dfs_mount *mount)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	/* Paths are bytes; JSON is text: what is no UTF-8 is left out. */
	return json_pack("{s:i, s:I, s:s*, s:s*, s:b, s:I, s:I, s:I}",
			 "version", 1,
			 "pid", (json_int_t)getpid(),
			 "store", dfs_store_path(mount->store),
			 "mountpoint", mount->mountpoint,
			 "read_only", mount->read_only,
			 "uptime_s", (json_int_t)(now.tv_sec - mount->since),
			 "nodes", (json_int_t)dfs_nodes_count(&mount->nodes),
			 "read_requests", (json_int_t)atomic_load_explicit(&mount->reads_total, memory_order_relaxed));
}

/* --- the queue */

/* What JSON cannot hold is escaped as the log does it. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	char *escaped = json ? NULL : malloc(4 * strlen(text) + 6);

	if (escaped) {
		dfs_log_escape(text, escaped, 4 * strlen(text) + 6);
		json = json_string(escaped);
	}
	free(escaped);
	return json;
}

static void put_reason(json_t *file, const struct dfs_reason *why)
{
	char text[256];

	if (why->id == DFS_REASON_NONE)
		return;
	json_object_set_new(file, "reason", json_string(dfs_reason_word(why->id)));
	json_object_set_new(file, "why", text_json(dfs_reason_text(why, text, sizeof(text))));
	json_object_set_new(file, "cure", json_string(dfs_reason_cure(why->id)));
}

static bool add_waiting(void *arg, const struct dfs_queue_view *view)
{
	static const char *const states[DFS_QUEUE_STATES] = {
		[DFS_QUEUE_OPEN] = "open", [DFS_QUEUE_WAITING] = "waiting", [DFS_QUEUE_IN_WORK] = "working",
	};
	json_t *list = arg;
	json_t *file = json_pack("{s:o, s:s, s:I, s:I, s:I}", "path", text_json(view->rel),
				 "state", states[view->state], "left_ms", (json_int_t)view->left_ms,
				 "tries", (json_int_t)view->tries, "bytes", (json_int_t)view->bytes);

	if (file)
		put_reason(file, &view->why);
	json_array_append_new(list, file);
	return json_array_size(list) < FILES_MAX;
}

static bool add_last(void *arg, const struct dfs_ledger_view *view)
{
	json_t *list = arg;
	json_t *file = json_pack("{s:o, s:b, s:I}", "path", text_json(view->rel), "stays", view->stays,
				 "ago_s", (json_int_t)(view->age_ms / 1000));

	if (file)
		put_reason(file, &view->why);
	json_array_append_new(list, file);
	return true;
}

static json_t *work_json(struct dfs_mount *mount, bool names)
{
	struct dfs_ledger_work work;
	json_t *json;

	if (dfs_ledger_work(mount->ledger, &work) < 0 || !work.rel)
		return json_null();
	json = json_pack("{s:s, s:I, s:I}", "step", work.step, "done", (json_int_t)work.done,
			 "total", (json_int_t)work.total);
	if (json && names)
		json_object_set_new(json, "path", text_json(work.rel));
	free(work.rel);
	return json;
}

static json_t *totals_json(struct dfs_mount *mount)
{
	struct dfs_ledger_totals t;
	struct dfs_queue_stats stats;

	dfs_ledger_totals(mount->ledger, &t);
	dfs_queue_stats(mount->queue, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "open", (json_int_t)stats.n[DFS_QUEUE_OPEN],
			 "waiting", (json_int_t)stats.n[DFS_QUEUE_WAITING],
			 "working", (json_int_t)stats.n[DFS_QUEUE_IN_WORK],
			 "bytes", (json_int_t)stats.bytes,
			 "compressed_files", (json_int_t)t.files,
			 "original_bytes", (json_int_t)t.original_bytes,
			 "stored_bytes", (json_int_t)t.stored_bytes,
			 "lossy_files", (json_int_t)t.lossy_files,
			 "lossy_original_bytes", (json_int_t)t.lossy_original_bytes,
			 "lossy_stored_bytes", (json_int_t)t.lossy_stored_bytes,
			 "work_ms", (json_int_t)t.work_ms,
			 "left_files", (json_int_t)t.left,
			 "put_off", (json_int_t)t.put_off);
}

static json_t *queue_json(struct dfs_mount *mount, bool names)
{
	json_t *queue, *files, *last;

	if (!mount->queue)
		return json_null();
	queue = totals_json(mount);
	json_object_set_new(queue, "work", work_json(mount, names));
	if (!names)
		return queue;
	files = json_array();
	last = json_array();
	dfs_queue_each(mount->queue, "", add_waiting, files);
	dfs_ledger_last(mount->ledger, add_last, last);
	json_object_set_new(queue, "files", files);
	json_object_set_new(queue, "last", last);
	return queue;
}

static json_t *kept_json(struct dfs_mount *mount)
{
	struct dfs_keeper_stats stats;

	dfs_keeper_stats(mount->keeper, &stats);
	return json_pack("{s:I, s:I, s:I}", "files", (json_int_t)stats.n, "bytes", (json_int_t)stats.bytes,
			 "manual", (json_int_t)stats.n_manual);
}

/* The longest list loses its last. Return: false: all are empty. */
static bool shorten(json_t *root)
{
	json_t *queue = json_object_get(root, "queue");
	json_t *lists[] = {
		json_object_get(queue, "files"), json_object_get(queue, "last"), json_object_get(root, "errors"),
	};
	json_t *longest = lists[0];

	for (size_t i = 1; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (json_array_size(lists[i]) > json_array_size(longest))
			longest = lists[i];
	return json_array_remove(longest, json_array_size(longest) - 1) == 0;
}

static void add_trouble(void *arg, const struct dfs_trouble *trouble)
{
	int64_t now = dfs_clock_ms(CLOCK_MONOTONIC);

	json_array_append_new(arg, json_pack("{s:o, s:I, s:I, s:o}", "path", text_json(trouble->path),
					     "count", (json_int_t)trouble->count,
					     "ago_s", (json_int_t)((now - trouble->last_ms) / 1000),
					     "why", text_json(trouble->text)));
}

static json_t *errors_json(struct dfs_mount *mount)
{
	json_t *errors = json_array();

	dfs_trouble_each(mount, add_trouble, errors);
	return errors;
}

char *dfs_status_json(struct dfs_mount *mount, bool names)
{
	json_t *root = mount_json(mount);
	json_t *reader = reader_json(mount);
	char *text = NULL;

	if (root && names)
		json_object_set_new(root, "errors", errors_json(mount));
	if (root && mount->keeper)
		json_object_set_new(root, "kept", kept_json(mount));
	if (root && reader && json_object_update(root, reader) == 0 &&
	    json_object_set_new(root, "queue", queue_json(mount, names)) == 0)
		text = json_dumps(root, JSON_COMPACT);
	while (text && strlen(text) > ROOM && shorten(root)) {
		free(text);
		text = json_dumps(root, JSON_COMPACT);
	}
	json_decref(reader);
	json_decref(root);
	return text;
}

/* --- one file */

struct found {
	bool any;
	struct dfs_reason why;
};

static bool look_at(void *arg, const struct dfs_queue_view *view)
{
	static const enum dfs_reason_id ids[DFS_QUEUE_STATES] = {
		[DFS_QUEUE_OPEN] = DFS_REASON_OPEN, [DFS_QUEUE_WAITING] = DFS_REASON_QUIET, [DFS_QUEUE_IN_WORK] = DFS_REASON_QUIET,
	};
	struct found *found = arg;

	found->any = true;
	found->why = view->why;
	if (found->why.id == DFS_REASON_NONE)
		found->why.id = ids[view->state];
	return false;
}

static bool is_older(const struct dfs_mount *mount, const struct stat *st)
{
	const struct timespec *changed = &st->st_ctim, *began = &mount->began;

	return changed->tv_sec < began->tv_sec || (changed->tv_sec == began->tv_sec && changed->tv_nsec < began->tv_nsec);
}

/* It is not in the queue. */
static void find_state(struct dfs_mount *mount, int fd, const struct stat *st, struct dfs_reason *why)
{
	/* First: what was noted of it may be of a time when it was none. */
	if (dfs_pin_links_has(mount->pin_links, st)) {
		why->id = DFS_REASON_BASE;
		return;
	}
	if (dfs_ledger_find(mount->ledger, st, why))
		return;
	if (st->st_size == 0)
		why->id = DFS_REASON_EMPTY;
	else if (is_older(mount, st))
		why->id = DFS_REASON_EXISTING;
	else if (st->st_nlink > 1 + dfs_keeper_links(mount->keeper, st) && dfs_mark_has(&dfs_mark_exact, fd))
		dfs_reason_set(why, DFS_REASON_LINKS, st->st_nlink, NULL);
	else
		why->id = DFS_REASON_UNSEEN;
}

/* Return: false: nobody knows. */
static bool find_reason(struct dfs_mount *mount, struct dfs_node *node, int fd, struct dfs_reason *ret_why)
{
	struct found found = { 0 };
	char path[PATH_MAX];
	struct stat st;

	if (!mount->queue || dfs_node_path(&mount->nodes, node, path) < 0 ||
	    dfs_queue_each(mount->queue, path, look_at, &found) < 0)
		return false;
	if (!found.any && fstat(fd, &st) == 0) {
		find_state(mount, fd, &st, &found.why);
		found.any = true;
	}
	if (found.any)
		dfs_policy_reason(mount, path, &found.why);
	*ret_why = found.why;
	return found.any;
}

static void put_text(const struct dfs_reason *why, struct dfs_description *d)
{
	const char *cure = dfs_reason_cure(why->id);
	char text[256];

	d->reason_word = dfs_reason_word(why->id);
	snprintf(d->reason, sizeof(d->reason), "%s%s%s", dfs_reason_text(why, text, sizeof(text)), *cure ? "; " : "", cure);
}

void dfs_reason_tell(struct dfs_mount *mount, struct dfs_node *node, int fd, struct dfs_description *d)
{
	struct dfs_reason why;

	if (find_reason(mount, node, fd, &why))
		put_text(&why, d);
}

/* What nobody noted the policy may tell. */
static enum dfs_reason_id why_exact(struct dfs_mount *mount, struct dfs_node *node, int fd)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	char path[PATH_MAX];

	if (dfs_node_path(&mount->nodes, node, path) < 0 || dfs_policy_load(mount->store, path, &policy) < 0)
		return DFS_REASON_NONE;
	return dfs_permit_why_exact(&policy, &mount->permit, path, fd);
}

void dfs_exact_tell(struct dfs_mount *mount, struct dfs_node *node, int fd, struct dfs_description *d)
{
	struct dfs_reason why;
	struct stat st;
	bool found;

	if (!mount->queue || fstat(fd, &st) < 0)
		return;
	found = dfs_ledger_find(mount->ledger, &st, &why);
	if (!d->exact && !(found && why.id == DFS_REASON_EXACT_PARTLY))
		return;
	if (d->exact && !(found && dfs_reason_is_exact(why.id)))
		dfs_reason_set(&why, why_exact(mount, node, fd), 0, NULL);
	if (why.id != DFS_REASON_NONE)
		put_text(&why, d);
}
