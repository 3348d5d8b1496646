/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: what a mount has done, does, and will do. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "daemon.h"
#include "kept.h"
#include "lines.h"
#include "survey.h"
#include "text.h"
#include "util/clock.h"

#define ROOM 65536
/* Names of each kind; the others are in numbers above. With --json there are all that the daemon tells. */
#define SHOWN 8
#define BAR 30
/*
 * For looking at all files of a mount: some ten thousand are seen in that time.
 * And so often, while it is watched: after ten seconds, and for a twentieth of
 * the time.
 */
#define SURVEY_MS 2000
#define SURVEY_AGAIN_MS 10000
#define SURVEY_SHARE 20

static const struct ctl_option options[] = {
	{ 0, "watch", NULL, offsetof(struct ctl, watch), "go on, once a second, until interrupted" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

/* --- asking */

static int ask_mount(const char *point, json_t **ret_status, struct dfs_err *err)
{
	DFS_AUTO(mem) char *text = malloc(ROOM);
	ssize_t n = text ? getxattr(point, "user.deltafs.status", text, ROOM) : -1;

	if (n < 0)
		return dfs_fail_errno(err, "%s: what the mount says of itself", point);
	*ret_status = json_loadb(text, (size_t)n, 0, NULL);
	return *ret_status ? 0 : dfs_fail(err, EINVAL, "%s: the mount says something odd of itself", point);
}

/* @ret_status: NULL: the store is not mounted, as far as is known. */
static int ask(const char *path, json_t **ret_status, char **ret_point, char **ret_store, struct dfs_err *err)
{
	int ret = ctl_daemon_mountpoint(path, ret_point, ret_store, err);

	*ret_status = NULL;
	if (ret == 0 && !*ret_point && !*ret_store)
		ret = dfs_fail(err, ENOENT, "%s is in no mount and in no store", path);
	return ret == 0 && *ret_point ? ask_mount(*ret_point, ret_status, err) : ret;
}

static uint64_t number(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (uint64_t)value : 0;
}

static const char *word(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* --- for people */

/* What is on it, and is looked for again now and then. */
struct screen {
	struct ctl_lines lines;
	struct ctl_survey survey;
	int64_t survey_ms;	/* when to make the next; CLOCK_MONOTONIC */
};

static void say_mount(struct screen *s, const json_t *status)
{
	char up[32];

	ctl_line(&s->lines, "%s shows %s, %s (process %" PRIu64 ", for %s)", word(status, "mountpoint"), word(status, "store"),
	     json_is_true(json_object_get(status, "read_only")) ? "read-only" : "read-write", number(status, "pid"),
	     ctl_duration(up, number(status, "uptime_s")));
	if (number(status, "failures"))
		ctl_line(&s->lines, "reads that failed: %" PRIu64 "; the log names file, tensor and base", number(status, "failures"));
}

/* Of @n files; none: nothing is said. */
static void say_gain(struct screen *s, const char *what, uint64_t n, uint64_t from, uint64_t to)
{
	char a[CTL_BYTES_LEN], b[CTL_BYTES_LEN], saved[CTL_BYTES_LEN];

	if (n)
		ctl_line(&s->lines, "%s: %" PRIu64 " file%s, %s -> %s (%.2fx): %s saved", what, n, n == 1 ? "" : "s",
			 ctl_bytes(a, from), ctl_bytes(b, to), ctl_ratio(from, to), ctl_bytes(saved, from > to ? from - to : 0));
}

static void say_saved(struct screen *s, const json_t *queue)
{
	uint64_t n = number(queue, "compressed_files");

	say_gain(s, "compressed since then", n, number(queue, "original_bytes"), number(queue, "stored_bytes"));
	if (!n)
		ctl_line(&s->lines, "compressed since then: nothing");
	say_gain(s, "lossy of these", number(queue, "lossy_files"), number(queue, "lossy_original_bytes"),
		 number(queue, "lossy_stored_bytes"));
}

/* From what this mount has compressed so far: nothing to go by at first. */
static void say_queue(struct screen *s, const json_t *queue)
{
	uint64_t ms = number(queue, "work_ms"), bytes = number(queue, "bytes");
	double rate = ms ? (double)number(queue, "original_bytes") / (double)ms * 1000 : 0;
	uint64_t n = number(queue, "open") + number(queue, "waiting") + number(queue, "working");
	char text[CTL_BYTES_LEN], speed[CTL_BYTES_LEN], left[32];

	if (!n) {
		ctl_line(&s->lines, "queue: empty");
		return;
	}
	ctl_bytes(text, bytes);
	if (rate > 0)
		ctl_line(&s->lines, "queue: %" PRIu64 " open, %" PRIu64 " waiting, %" PRIu64 " in work; %s at %s/s: about %s",
		     number(queue, "open"), number(queue, "waiting"), number(queue, "working"), text,
		     ctl_bytes(speed, (uint64_t)rate), ctl_duration(left, (uint64_t)((double)bytes / rate)));
	else
		ctl_line(&s->lines, "queue: %" PRIu64 " open, %" PRIu64 " waiting, %" PRIu64 " in work; %s", number(queue, "open"),
		     number(queue, "waiting"), number(queue, "working"), text);
}

static void say_work(struct screen *s, const json_t *work)
{
	uint64_t done = number(work, "done"), total = number(work, "total");
	double share = total ? (double)(done < total ? done : total) / (double)total : 0;
	int full = (int)(share * BAR);

	if (!json_is_object(work))
		return;
	ctl_line(&s->lines, "  [%.*s%.*s] %3d%% %s %s", full, "##############################", BAR - full,
	     "                              ", (int)(100 * share), word(work, "step"), word(work, "path"));
}

static void say_reason(struct screen *s, const json_t *file, const char *state)
{
	const char *cure = word(file, "cure");

	ctl_line(&s->lines, "  %s: %s%s%s%s", word(file, "path"), state, word(file, "why"), *cure ? "; " : "", cure);
}

static void say_waiting(struct screen *s, const json_t *file)
{
	const char *state = word(file, "state");
	char in[32];

	if (!strcmp(state, "working"))
		return;
	ctl_duration(in, (number(file, "left_ms") + 999) / 1000);
	if (*word(file, "why"))
		say_reason(s, file, "");
	else if (!strcmp(state, "open"))
		ctl_line(&s->lines, "  %s: open for writing", word(file, "path"));
	else if (number(file, "left_ms"))
		ctl_line(&s->lines, "  %s: in %s", word(file, "path"), in);
	else
		ctl_line(&s->lines, "  %s: its turn comes", word(file, "path"));
}

static void say_error(struct screen *s, const json_t *file)
{
	ctl_line(&s->lines, "  %s: %s (%" PRIu64 " time%s)", word(file, "path"), word(file, "why"), number(file, "count"),
	     number(file, "count") == 1 ? "" : "s");
}

static void say_kept(struct screen *s, const json_t *kept)
{
	uint64_t n = number(kept, "files"), manual = number(kept, "manual");
	char bytes[CTL_BYTES_LEN], to_decide[64] = "";

	if (manual)
		snprintf(to_decide, sizeof(to_decide), "; %" PRIu64 " until you decide (accept, revert)", manual);
	if (n)
		ctl_line(&s->lines, "originals kept: %" PRIu64 " file%s, %s%s", n, n == 1 ? "" : "s", ctl_bytes(bytes, number(kept, "bytes")), to_decide);
}

static void say_list(struct screen *s, const json_t *list, const char *title,
		     void (*say)(struct screen *s, const json_t *file))
{
	unsigned first = s->lines.n;

	for (size_t i = 0; i < json_array_size(list) && s->lines.n - first < SHOWN; i++) {
		if (title && s->lines.n == first)
			ctl_line(&s->lines, "%s", title);
		say(s, json_array_get(list, i));
	}
}

/* --- what is plain, and why */

static void say_unseen(struct screen *s, const char *point)
{
	char bytes[CTL_BYTES_LEN];

	if (s->survey.unseen)
		ctl_line(&s->lines, "never looked at: %s%" PRIu64 " model file%s, %s; deltafsctl encode -r %s",
		     s->survey.complete ? "" : "at least ", s->survey.unseen, s->survey.unseen == 1 ? "" : "s",
		     ctl_bytes(bytes, s->survey.unseen_bytes), point);
}

static void say_refused(struct screen *s, enum dfs_reason_id id, unsigned *room)
{
	const struct ctl_survey_reason *reason = &s->survey.refused[id];
	const struct dfs_reason why = { .id = id };
	char text[256];
	size_t i;

	for (i = 0; i < ctl_survey_named(reason) && *room; i++, --*room)
		ctl_line(&s->lines, "  %s: %s", reason->paths[i], reason->texts[i]);
	if (reason->n > i)
		ctl_line(&s->lines, "  %s%" PRIu64 "%s: %s", s->survey.complete ? "" : "at least ", reason->n - i, i ? " more" : "",
		     dfs_reason_text(&why, text, sizeof(text)));
}

/* What is no model comes last: there may be much of it, and nobody minds. */
static void say_survey(struct screen *s, const char *point)
{
	unsigned room = SHOWN;
	uint64_t n = 0;

	say_unseen(s, point);
	for (size_t id = 0; id <= DFS_REASONS; id++)
		n += s->survey.refused[id].n;
	if (n)
		ctl_line(&s->lines, "left as they are:");
	for (enum dfs_reason_id id = 0; id <= DFS_REASONS; id++)
		if (id != DFS_REASON_NOT_SAFETENSORS)
			say_refused(s, id, &room);
	say_refused(s, DFS_REASON_NOT_SAFETENSORS, &room);
}

static void say_all(struct screen *s, const json_t *status, const char *point)
{
	const json_t *queue = json_object_get(status, "queue");

	say_mount(s, status);
	say_kept(s, json_object_get(status, "kept"));
	say_list(s, json_object_get(status, "errors"), "could not be read:", say_error);
	if (!json_is_object(queue)) {
		ctl_line(&s->lines, "what is written is not compressed: %s", json_is_true(json_object_get(status, "read_only")) ?
		     "mount it with -o rw" : "mount it without -o noingest");
		return;
	}
	say_saved(s, queue);
	say_queue(s, queue);
	say_work(s, json_object_get(queue, "work"));
	say_list(s, json_object_get(queue, "files"), NULL, say_waiting);
	say_survey(s, point);
}

/* --- the command */

static void say_unmounted(struct ctl *ctl, const char *store)
{
	DFS_AUTO(json) json_t *kept = ctl_kept_json(store);
	struct screen s = { .lines.out = stdout };

	if (ctl->report)
		json_object_set_new(ctl->report, "store", ctl_string(store));
	if (ctl->report)
		json_object_set_new(ctl->report, "mounted", json_false());
	if (ctl->report && kept)
		json_object_set(ctl->report, "kept", kept);
	if (!ctl->report)
		say_kept(&s, kept);
	ctl_say(ctl, "%s is not mounted read-write: nothing is compressed of itself (deltafs -o rw %s MOUNTPOINT)", store, store);
}

/* Where nothing is compressed, nothing is refused. */
static int survey(struct screen *s, const json_t *status, const char *point, struct dfs_err *err)
{
	int64_t now = dfs_clock_ms(CLOCK_MONOTONIC);
	int64_t pause;
	int ret;

	if (!json_is_object(json_object_get(status, "queue")) || now < s->survey_ms)
		return 0;
	ctl_survey_release(&s->survey);
	ret = ctl_survey_make(point, SURVEY_MS, &s->survey, err);
	pause = (int64_t)s->survey.ms * SURVEY_SHARE;
	s->survey_ms = now + (pause > SURVEY_AGAIN_MS ? pause : SURVEY_AGAIN_MS);
	return ret;
}

/* A daemon that changes nothing keeps none, and does not know of those that are there. */
static void add_kept(json_t *status, const char *store)
{
	json_t *kept = store && !json_object_get(status, "kept") ? ctl_kept_json(store) : NULL;

	if (kept)
		json_object_set_new(status, "kept", kept);
}

static void report(struct ctl *ctl, const struct screen *s, const json_t *status)
{
	json_object_update(ctl->report, (json_t *)status);
	json_object_set_new(ctl->report, "version", json_integer(1));
	json_object_set_new(ctl->report, "mounted", json_true());
	if (json_is_object(json_object_get(status, "queue")))
		json_object_set_new(ctl->report, "survey", ctl_survey_json(&s->survey));
}

static int look(struct ctl *ctl, struct screen *s)
{
	const char *path = ctl->n_args ? ctl->args[0] : ".";
	DFS_AUTO(mem) char *point = NULL;
	DFS_AUTO(mem) char *store = NULL;
	DFS_AUTO(json) json_t *status = NULL;
	struct dfs_err err = { "" };
	int ret = ask(path, &status, &point, &store, &err);

	if (ret == 0 && status)
		ret = survey(s, status, point, &err);
	if (ret < 0)
		return ctl_fail(ctl, &err);
	if (status)
		add_kept(status, store);
	if (!status)
		say_unmounted(ctl, store);
	else if (!ctl->report)
		say_all(s, status, point);
	else
		report(ctl, s, status);
	return CTL_DONE;
}

static int columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col ? 80 : size.ws_col;
}

/* On a terminal each screen is written over the last; else one after the other. */
static int watch(struct ctl *ctl)
{
	struct screen s = { .lines.out = stdout };
	bool terminal = isatty(STDOUT_FILENO) == 1;
	int ret = CTL_DONE;

	while (ret == CTL_DONE && !ctl_interrupted()) {
		if (terminal && s.lines.n)
			printf("\033[%uA\033[J", s.lines.n);
		s.lines.n = 0;
		s.lines.width = terminal ? columns() : 0;
		ret = look(ctl, &s);
		if (fflush(stdout) || ferror(stdout))
			break;
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	ctl_survey_release(&s.survey);
	return ret;
}

static int run(struct ctl *ctl)
{
	struct screen s = { .lines.out = stdout };
	int ret;

	if (ctl->watch && ctl->json)
		return ctl_usage(ctl, "--watch shows lines; with --json ask again when you want to know");
	if (ctl->watch)
		return watch(ctl);
	ret = look(ctl, &s);
	ctl_survey_release(&s.survey);
	return ret;
}

const struct ctl_command ctl_status = {
	"status", "[OPTION]... [PATH]", "Show what a mount has compressed and what waits",
	options, sizeof(options) / sizeof(options[0]), 0, 1, run,
};
