/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount: a FUSE session from its beginning to its end.
 */
#include "fuse/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "fuse/jobs.h"
#include "fuse/later.h"
#include "fuse/shown.h"
#include "store/pin_links.h"
#include "util/auto.h"
#include "util/caps.h"

/*
 * Seconds that reads under way get at the end. Shorter: a slow disk turns them
 * into errors; longer: a base that hangs holds up a shutdown, and whoever
 * looks at the mount meanwhile.
 */
#define LINGER_S 2

/* Twenty a second. Fewer: a moment without descriptors ends the mount; more: who started it waits longer to be told. */
#define READY_TRIES 100

/* --- making a session */

static int add_options(struct fuse_args *args, const struct dfs_mount_config *config)
{
	DFS_AUTO(mem) char *options = NULL;
	DFS_AUTO(mem) char *source = NULL;
	int ret = 0;

	if (asprintf(&source, "fsname=%s", dfs_store_path(config->store)) < 0) {
		source = NULL;
		return -ENOMEM;
	}
	/* A comma in the store's path is not an end of the option. */
	ret |= fuse_opt_add_opt(&options, "default_permissions,subtype=deltafs");
	if (config->read_only)
		ret |= fuse_opt_add_opt(&options, "ro");
	ret |= fuse_opt_add_opt_escaped(&options, source);
	if (*config->options)
		ret |= fuse_opt_add_opt(&options, config->options);
	if (config->allow_other)
		ret |= fuse_opt_add_opt(&options, "allow_other");
	if (config->debug)
		ret |= fuse_opt_add_opt(&options, "debug");
	ret |= fuse_opt_add_arg(args, "deltafs");
	ret |= fuse_opt_add_arg(args, "-o");
	ret |= ret ? 0 : fuse_opt_add_arg(args, options);
	return ret ? -ENOMEM : 0;
}

static int session_new(struct dfs_mount *mount, const struct dfs_mount_config *config, struct dfs_err *err)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_lowlevel_ops ops = dfs_ops(config->read_only);
	struct dfs_err caught = { "" };
	int ret = add_options(&args, config);

	if (ret == 0) {
		dfs_messages_catch(&caught);
		mount->session = fuse_session_new(&args, &ops, sizeof(ops), mount);
		dfs_messages_catch(NULL);
		if (!mount->session)
			ret = dfs_fail(err, EINVAL, "libfuse refuses the options: %s", caught.text);
	}
	fuse_opt_free_args(&args);
	return ret == -ENOMEM ? dfs_fail(err, ENOMEM, "out of memory") : ret;
}

/* If the mountpoint lies inside the store, remember its place there: it is not shown. */
static void note_nested(struct dfs_mount *mount)
{
	const char *store = dfs_store_path(mount->store);
	const char *slash = strrchr(mount->mountpoint, '/');
	size_t len = store[1] ? strlen(store) : 0; /* "/" ends where the next name begins */
	DFS_AUTO(mem) char *parent = NULL;
	struct stat st;

	if (strncmp(mount->mountpoint, store, len) != 0 || mount->mountpoint[len] != '/' ||
	    strlen(slash + 1) > NAME_MAX)
		return;
	parent = strndup(mount->mountpoint, (size_t)(slash - mount->mountpoint));
	if (!parent || stat(parent, &st) < 0)
		return;
	mount->nested = true;
	mount->nested_dev = st.st_dev;
	mount->nested_ino = st.st_ino;
	memcpy(mount->nested_name, slash + 1, strlen(slash + 1) + 1);
}

static int writable_init(struct dfs_mount *mount, struct dfs_err *err)
{
	const struct dfs_pool_config pushes = { .threads = 1, .name = "push" };

	mount->shown = mount->nodes.shown = dfs_shown_new();
	mount->jobs = dfs_jobs_new();
	if (!mount->shown || !mount->jobs)
		return dfs_fail(err, ENOMEM, "out of memory");
	mount->later = dfs_later_pool_new("later");
	mount->thaws = mount->later ? dfs_later_pool_new("thaw") : NULL;
	mount->mixed = mount->thaws ? dfs_later_pool_new("mixed") : NULL;
	mount->pushes = mount->mixed ? dfs_pool_new(&pushes) : NULL;
	return mount->pushes ? 0 : dfs_fail_errno(err, "cannot start threads");
}

static int mount_init(struct dfs_mount *mount, const struct dfs_mount_config *config, struct dfs_err *err)
{
	struct timespec now;
	struct stat root;

	clock_gettime(CLOCK_MONOTONIC, &now);
	mount->since = now.tv_sec;
	clock_gettime(CLOCK_REALTIME, &mount->began);
	mount->store = config->store;
	mount->reader = config->reader;
	mount->log = config->log;
	mount->readahead_bytes = config->readahead_bytes;
	mount->blocks_logical = config->blocks_logical;
	mount->read_only = config->read_only;
	mount->queue = config->queue;
	mount->ledger = config->ledger;
	mount->survey = config->survey;
	mount->permit = config->permit;
	mount->turn = config->turn;
	mount->keeper = config->keeper;
	mount->writeback = !config->read_only && !config->nowriteback;
	mount->single_thread = config->single_thread;
	mount->ready = config->ready;
	mount->ready_arg = config->ready_arg;
	pthread_mutex_init(&mount->lock, NULL);
	pthread_cond_init(&mount->idle, NULL);
	dfs_direct_init(&mount->direct);
	dfs_messages_to(mount->log);
	mount->mountpoint = strdup(config->mountpoint);
	if (fstat(dfs_store_fd(mount->store), &root) < 0)
		return dfs_fail_errno(err, "%s: fstat", dfs_store_path(mount->store));
	mount->pin_links = dfs_pin_links_new(mount->store);
	if (!mount->mountpoint || !mount->pin_links || dfs_nodes_init(&mount->nodes, &root) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	note_nested(mount);
	return mount->read_only ? 0 : writable_init(mount, err);
}

static int session_mount(struct dfs_mount *mount, struct dfs_err *err)
{
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);
	struct dfs_err caught = { "" };
	struct stat below;
	int ret;

	if (stat(mount->mountpoint, &below) == 0)
		mount->below_dev = below.st_dev;
	dfs_messages_catch(&caught);
	ret = fuse_session_mount(mount->session, mount->mountpoint);
	dfs_messages_catch(NULL);
	if (ret == 0)
		return 0;
	/* fusermount3 is a program of its own and has said on standard error what it did not like. */
	return dfs_fail(err, EIO, "cannot mount at %s%s%s", mount->mountpoint, *caught.text ? ": " : "", caught.text);
}

/* libfuse finds out by itself, and is called to let go of what it has. */
static bool is_unmounted(const struct dfs_mount *mount)
{
	struct pollfd device = { .fd = fuse_session_fd(mount->session) };

	return poll(&device, 1, 0) == 1 && device.revents & POLLERR;
}

/*
 * After umount -l, while files were open still, the next daemon may have
 * mounted there. Nobody is asked for this answer: not us, who serve no more.
 */
static bool somebody_elses(const struct dfs_mount *mount)
{
	dev_t ours = atomic_load(&mount->dev);
	struct statx now;

	if (!ours || is_unmounted(mount) ||
	    statx(AT_FDCWD, mount->mountpoint, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &now) < 0)
		return false;
	return now.stx_attributes & STATX_ATTR_MOUNT_ROOT &&
	       makedev(now.stx_dev_major, now.stx_dev_minor) != ours;
}

/* If it is not unmounted here, its descriptor is closed with the session, which ends it as well. */
static void session_unmount(struct dfs_mount *mount)
{
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);

	if (!somebody_elses(mount))
		fuse_session_unmount(mount->session);
}

static void *pause_main(void *arg)
{
	pause();
	return arg;
}

/*
 * libfuse ends its threads by pthread_cancel(3), for which glibc loads a library
 * at the first call, and aborts if it cannot: so not when descriptors have run out.
 */
static int load_cancellation(struct dfs_err *err)
{
	int spare = open("/", O_PATH | O_CLOEXEC);
	pthread_t thread;

	if (spare < 0)
		return dfs_fail_errno(err, "no descriptor is left to mount with");
	close(spare);
	if (pthread_create(&thread, NULL, pause_main, NULL) != 0)
		return dfs_fail(err, EAGAIN, "cannot start a thread");
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	return 0;
}

int dfs_mount_new(const struct dfs_mount_config *config, struct dfs_mount **ret_mount, struct dfs_err *err)
{
	struct dfs_mount *mount;
	int ret = load_cancellation(err);

	if (ret < 0)
		return ret;
	mount = calloc(1, sizeof(*mount));
	if (!mount)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = mount_init(mount, config, err);
	if (ret == 0)
		ret = session_new(mount, config, err);
	if (ret == 0) {
		dfs_signals_begin(mount);
		ret = session_mount(mount, err);
	}
	if (ret < 0) {
		dfs_mount_free(mount);
		return ret;
	}
	*ret_mount = mount;
	return 0;
}

/* --- serving */

/*
 * The kernel answers a stat() of the mount only when it is set up. Answering it
 * takes a descriptor: where there are few, another request may have the last.
 */
static int root_answers(const struct dfs_mount *mount, struct stat *st)
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	for (int tries = READY_TRIES; stat(mount->mountpoint, st) < 0; tries--) {
		if (tries == 0 || (errno != EMFILE && errno != ENFILE && errno != ENOMEM))
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Else whoever started it would wait for it for ever. One more request, for a worker to see it. */
static void give_up(struct dfs_mount *mount)
{
	struct stat st;

	fuse_session_exit(mount->session);
	stat(mount->mountpoint, &st);
}

static void *ready_main(void *arg)
{
	struct dfs_mount *mount = arg;
	struct stat st;

	mount->unready = -root_answers(mount, &st);
	if (mount->unready) {
		give_up(mount);
		return NULL;
	}
	/* Unmounted already: what answered is what lies below, and not ours to tune. */
	if (st.st_dev == mount->below_dev)
		return NULL;
	atomic_store(&mount->dev, st.st_dev);
	dfs_reader_shown_at(mount->reader, st.st_dev);
	dfs_bdi_tune(mount);
	if (mount->ready)
		mount->ready(mount->ready_arg);
	return NULL;
}

static int serve(struct dfs_mount *mount)
{
	int ret = mount->read_only ? 0 : dfs_handshake(mount);

	if (ret < 0)
		return ret == -ENODEV ? 0 : ret;
	return dfs_loop(mount);
}

/* Return: as serve(). */
static int serve_to_the_end(struct dfs_mount *mount)
{
	int ret = serve(mount);

	/* Unmounted while a request was on its way here; at any other time the kernel says ENODEV, and libfuse nothing. */
	return ret == -ECONNABORTED ? 0 : ret;
}

int dfs_mount_run(struct dfs_mount *mount, struct dfs_err *err)
{
	pthread_t ready;
	size_t stuck;
	int ret;

	if (pthread_create(&ready, NULL, ready_main, mount) != 0)
		return dfs_fail(err, EAGAIN, "cannot start a thread");
	ret = serve_to_the_end(mount);
	atomic_store(&mount->ending, true);
	/* Answers go through the session's descriptor: all should be out before it is closed. */
	stuck = dfs_reads_wait(mount, LINGER_S);
	session_unmount(mount);
	if (stuck)
		return dfs_fail(err, EBUSY, "%zu reads wait for a disk or a base that does not answer: ended without them", stuck);
	pthread_join(ready, NULL);
	if (ret == -EAGAIN)
		return dfs_fail(err, EAGAIN, "no thread for requests: %s", strerror(EAGAIN));
	if (ret < 0)
		return dfs_fail(err, EIO, "the session ended: %s", strerror(-ret));
	return mount->unready ? dfs_fail(err, mount->unready, "its root does not answer: %s", strerror(mount->unready)) : 0;
}

void dfs_mount_free(struct dfs_mount *mount)
{
	if (!mount)
		return;
	dfs_signals_end(mount);
	if (mount->session)
		fuse_session_destroy(mount->session);
	dfs_messages_to(NULL);
	dfs_pool_free(mount->later);
	dfs_pool_free(mount->thaws);
	dfs_jobs_free(mount->jobs);
	dfs_pool_free(mount->mixed);
	dfs_pool_free(mount->pushes);
	dfs_listings_end(mount);
	dfs_opens_end(mount);
	dfs_nodes_release(&mount->nodes);
	dfs_shown_free(mount->shown);
	dfs_plain_release(mount);
	pthread_cond_destroy(&mount->idle);
	dfs_troubles_release(mount);
	dfs_direct_release(&mount->direct);
	pthread_mutex_destroy(&mount->lock);
	dfs_pin_links_free(mount->pin_links);
	free(mount->mountpoint);
	free(mount);
}

const char *dfs_mount_library_version(void)
{
	return fuse_pkgversion();
}
