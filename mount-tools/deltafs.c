/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deltafs: mounts a store. Also mount.deltafs and mount.fuse.deltafs, by the
 * name it is called.
 *
 * Everything that can fail for a reason that a user can mend is tried before
 * the mount, in the order in which he would mend it; what fails says so in one
 * sentence.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/background.h"
#include "daemon/harden.h"
#include "daemon/mountpoint.h"
#include "daemon/settings.h"
#include "fuse/mount.h"
#include "read/reader.h"
#include "store/bases.h"
#include "store/limits.h"
#include "store/store.h"
#include "util/auto.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/rounding.h"
#include "write/background.h"
#include "write/keeper.h"
#include "write/ledger.h"
#include "write/queue.h"
#include "write/reasons.h"
#include "write/turn.h"
#include "version.h"

/*
 * Arenas of malloc: each thread would get one of its own, and each keeps what
 * it once needed. Two are enough for threads that mostly use large buffers.
 */
#define ARENAS 2
/* Larger blocks come from mmap and go back when freed; fixed, since glibc would raise it as it goes. */
#define MMAP_FROM (256 << 10)

/*
 * Bases whose content is unknown are hashed once nothing was read for so long.
 * Sooner: between two layers of a loader that computes meanwhile; later: they
 * stay unknown on a machine that is never quiet.
 */
#define SETTLE_AFTER_MS 5000

/* For decoding what was encoded, to compare: a few windows of the threads that do it. */
#define INGEST_CACHE ((size_t)32 << 20)

/* Seconds for the threads to end once nothing is mounted: far more than a chunk takes. */
#define GIVE_UP_S 5

struct daemon {
	struct settings settings;
	struct background background;
	bool read_only;
	char *mountpoint;
	struct dfs_store *store;
	struct dfs_bases *bases;
	struct dfs_log *log;
	struct dfs_reader *reader;
	struct dfs_mount *mount;
	struct dfs_queue *queue;
	struct dfs_reasons *reasons;
	struct dfs_ledger *ledger;
	struct dfs_survey *survey;
	struct dfs_turn *turn;
	struct dfs_keeper *keeper;
	struct dfs_permit_mount permit;
	struct dfs_ingest_watch watch;
	struct dfs_background *ingest;
};

static void daemon_release(struct daemon *d)
{
	if (d->queue)
		dfs_queue_stop(d->queue);
	dfs_background_free(d->ingest);
	dfs_survey_free(d->survey);
	dfs_mount_free(d->mount);
	dfs_keeper_free(d->keeper);
	dfs_queue_free(d->queue);
	dfs_ledger_free(d->ledger);
	dfs_reasons_free(d->reasons);
	dfs_turn_free(d->turn);
	dfs_reader_free(d->reader);
	dfs_bases_free(d->bases);
	dfs_log_free(d->log);
	dfs_store_close(d->store);
	free(d->mountpoint);
	settings_release(&d->settings);
}

static void say(const char *text)
{
	fprintf(stderr, "deltafs: %s\n", text);
}

static void version(void)
{
	version_print("deltafs");
	printf("libfuse: %s\n", dfs_mount_library_version());
}

/* --- before the mount */

static int open_store(struct daemon *d, struct dfs_err *err)
{
	const char *path = d->settings.store;
	int ret = dfs_store_open(path, true, &d->store, err);

	if (ret == -ENOENT)
		return dfs_fail(err, ENOENT, "%s: no such directory; any directory of models is a store: mkdir -p %s", path, path);
	return ret;
}

static int open_bases(struct daemon *d, struct dfs_err *err)
{
	const struct dfs_paths *named = &d->settings.bases;

	d->bases = dfs_bases_new(d->store);
	if (!d->bases)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < named->n; i++) {
		int ret = dfs_bases_add(d->bases, named->paths[i], err);

		if (ret < 0)
			return dfs_err_at(err, ret, "option base");
	}
	return 0;
}

static int open_log(struct daemon *d, struct dfs_err *err)
{
	const struct settings *s = &d->settings;
	enum dfs_log_level level = s->debug ? DFS_LOG_DEBUG : DFS_LOG_INFO;
	enum dfs_log_sink sink = s->log ? DFS_LOG_TO_FILE : s->foreground ? DFS_LOG_TO_STDERR : DFS_LOG_TO_SYSLOG;

	d->log = dfs_log_new(sink, s->log, level);
	return d->log ? 0 : dfs_fail_errno(err, "option log: %s", s->log ? s->log : "");
}

static int prepare(struct daemon *d, struct dfs_err *err)
{
	int ret = mountpoint_able(d->settings.allow_other, err);

	if (ret == 0)
		ret = mountpoint_check(d->settings.mountpoint, &d->mountpoint, err);
	if (ret == 0)
		ret = open_store(d, err);
	if (ret == 0)
		ret = open_bases(d, err);
	return ret;
}

/* --- the mount */

/* What the store's file system lacks, while there is a terminal to read it. */
static void say_limits(struct dfs_store *store)
{
	struct dfs_err sentences[DFS_LIMITS_MAX];
	size_t n = dfs_store_limits(store, sentences);

	for (size_t i = 0; i < n; i++)
		say(sentences[i].text);
}

static void on_ready(void *arg)
{
	struct daemon *d = arg;

	fprintf(stderr, "deltafs: %s is shown at %s%s\n",
		dfs_store_path(d->store), d->mountpoint, d->read_only ? ", read-only" : "");
	say_limits(d->store);
	background_ready(&d->background);
}

/* Is a mount that only reads what is meant, where the lock cannot be had for this reason? */
static bool can_only_read(const struct settings *s, int ret)
{
	/* mount(8) says rw whatever the user says. */
	return ret == -EROFS || ((ret == -EACCES || ret == -EPERM) && (!s->rw || s->helper));
}

/* One writer a store, and none where nothing can be written. */
static int lock_store(struct daemon *d, struct dfs_err *err)
{
	struct dfs_err why = { "" };
	int ret;

	d->read_only = d->settings.ro;
	if (d->read_only)
		return 0;
	ret = dfs_store_lock(d->store, d->mountpoint, &why);
	if (ret == 0)
		return 0;
	if (!can_only_read(&d->settings, ret))
		return dfs_fail(err, -ret, "%s; -o ro mounts it read-only", why.text);
	say(why.text);
	d->read_only = true;
	return 0;
}

static int queue_new(struct daemon *d, struct dfs_err *err)
{
	const struct dfs_queue_config config = {
		.store = d->store, .log = d->log, .quiet_ms = d->settings.quiet * 1000,
	};
	int ret;

	if (d->read_only || d->settings.noingest)
		return 0;
	ret = dfs_reasons_new(d->store, d->log, &d->reasons, err);
	if (ret < 0)
		return ret;
	d->ledger = dfs_ledger_new(d->reasons);
	return d->ledger ? dfs_queue_new(&config, &d->queue, err) : dfs_fail(err, ENOMEM, "out of memory");
}

static int keeper_new(struct daemon *d, struct dfs_err *err)
{
	const struct dfs_keeper_config config = { .store = d->store, .log = d->log, .search_ms = DFS_KEEPER_SEARCH_MS };

	return d->read_only ? 0 : dfs_keeper_new(&config, &d->keeper, err);
}

static int survey_new(struct daemon *d, struct dfs_err *err)
{
	const struct dfs_survey_config config = {
		.store = d->store, .queue = d->queue, .ledger = d->ledger, .log = d->log,
	};

	return d->queue ? dfs_survey_new(&config, &d->survey, err) : 0;
}

static int ingest_new(struct daemon *d, struct dfs_err *err)
{
	const struct dfs_background_config config = {
		.store = d->store, .bases = d->bases, .queue = d->queue, .ledger = d->ledger,
		.reasons = d->reasons, .log = d->log,
		.codec = d->permit.codec, .since = d->permit.since,
		.quiet_ms = d->settings.quiet * 1000, .threads = d->settings.threads, .cache_bytes = INGEST_CACHE, .watch = &d->watch,
		.shown = d->reader, .turn = d->turn,
	};

	if (!d->queue)
		return 0;
	d->watch = dfs_mount_watch(d->mount);
	return dfs_background_new(&config, &d->ingest, err);
}

static int start(struct daemon *d, struct dfs_err *err)
{
	const struct settings *s = &d->settings;
	struct dfs_reader_config reader = {
		.cache_bytes = s->cache,
		.threads = s->threads,
		.readahead_bytes = s->readahead,
		.settle_after_ms = SETTLE_AFTER_MS,
		.bases = d->bases,
		.store = d->store,
	};
	struct dfs_mount_config mount = {
		.mountpoint = d->mountpoint,
		.options = s->passed.len ? (const char *)s->passed.data : "",
		.store = d->store,
		.readahead_bytes = s->readahead,
		.nowriteback = s->nowriteback,
		.allow_other = s->allow_other,
		.blocks_logical = s->blocks == BLOCKS_LOGICAL,
		.single_thread = s->single_thread,
		.debug = s->debug,
		.ready = on_ready,
		.ready_arg = d,
	};
	int ret = open_log(d, err);

	if (ret == 0)
		ret = lock_store(d, err);
	if (ret == 0)
		ret = harden(err);
	if (ret < 0)
		return ret;
	d->permit = (struct dfs_permit_mount){ s->codec, dfs_clock_past_files() };
	mount.permit = d->permit;
	mount.read_only = d->read_only;
	reader.log = mount.log = d->log;
	ret = dfs_reader_new(&reader, &d->reader, err);
	if (ret < 0)
		return ret;
	d->turn = dfs_turn_new();
	ret = d->turn ? queue_new(d, err) : dfs_fail(err, ENOMEM, "out of memory");
	if (ret == 0)
		ret = survey_new(d, err);
	if (ret == 0)
		ret = keeper_new(d, err);
	if (ret < 0)
		return ret;
	mount.reader = d->reader;
	mount.queue = d->queue;
	mount.ledger = d->ledger;
	mount.survey = d->survey;
	mount.turn = d->turn;
	mount.keeper = d->keeper;
	ret = dfs_mount_new(&mount, &d->mount, err);
	if (ret == 0 && d->keeper)
		ret = dfs_keeper_start(d->keeper, err);
	return ret < 0 ? ret : ingest_new(d, err);
}

static int fail(const struct daemon *d, enum deltafs_failure failure, const struct dfs_err *err)
{
	say(err->text);
	return settings_status(&d->settings, failure);
}

static void give_up(int signal)
{
	(void)signal;
	_exit(0);
}

/*
 * Nothing is mounted any more. A thread that hangs in a disk or a base cannot
 * be joined, and nobody needs what it does.
 */
static int serve(struct daemon *d, struct dfs_err *err)
{
	int ret = dfs_mount_run(d->mount, err);

	if (ret < 0)
		dfs_log_line(d->log, ret == -EBUSY ? DFS_LOG_WARNING : DFS_LOG_ERROR, "%s", err->text);
	if (ret == -EBUSY)
		_exit(0);
	signal(SIGALRM, give_up);
	alarm(GIVE_UP_S);
	return ret;
}

static int run(struct daemon *d)
{
	struct dfs_err err = { "" };

	if (prepare(d, &err) < 0)
		return fail(d, FAILED_MOUNT, &err);
	if (d->settings.fake)
		return 0;
	if (!d->settings.foreground &&
	    background_start(&d->background, settings_status(&d->settings, FAILED_SYSTEM), &err) < 0)
		return fail(d, FAILED_SYSTEM, &err);
	if (start(d, &err) < 0)
		return fail(d, FAILED_MOUNT, &err);
	return serve(d, &err) < 0 ? fail(d, FAILED_SYSTEM, &err) : 0;
}

int main(int argc, char **argv)
{
	struct daemon d = { .background.ready_fd = -1 };
	struct dfs_err err = { "" };
	int status = 0;

	dfs_rounding_default();
	mallopt(M_ARENA_MAX, ARENAS);
	mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	umask(0077); /* the log; nothing else is ever created here */
	if (settings_parse(&d.settings, argc, argv, &err) < 0)
		status = fail(&d, FAILED_USAGE, &err);
	else if (d.settings.help)
		settings_help("deltafs");
	else if (d.settings.version)
		version();
	else
		status = run(&d);
	daemon_release(&d);
	return status;
}
