/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: the ioctls of control.h. None blocks: what takes long is begun, and
 * asked for.
 */
#include "fuse/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/internal.h"
#include "fuse/jobs.h"
#include "store/registry.h"
#include "util/auto.h"
#include "write/ledger.h"
#include "write/spec.h"

struct asked {
	struct dfs_mount *mount;
	struct dfs_node *node;	/* referenced; NULL once taken */
	uid_t uid;
	bool writes;		/* the handle may */
};

/* --- what waits there */

static void put_reason(const struct dfs_reason *why, struct dfs_control *c)
{
	if (why->id == DFS_REASON_NONE)
		return;
	snprintf(c->reason, sizeof(c->reason), "%s", dfs_reason_word(why->id));
	dfs_reason_text(why, c->text, sizeof(c->text));
	snprintf(c->cure, sizeof(c->cure), "%s", dfs_reason_cure(why->id));
}

static bool put_entry(void *arg, const struct dfs_queue_view *view)
{
	static const enum dfs_control_state states[DFS_QUEUE_STATES] = {
		[DFS_QUEUE_OPEN] = DFS_CONTROL_OPEN,
		[DFS_QUEUE_WAITING] = DFS_CONTROL_WAITING,
		[DFS_QUEUE_IN_WORK] = DFS_CONTROL_WORKING,
	};
	struct dfs_control *c = arg;

	c->state = states[view->state];
	c->left_ms = (uint64_t)view->left_ms;
	c->tries = view->tries;
	put_reason(&view->why, c);
	return false;
}

/* How far the file at @path is, or the one below it that is in work. */
static void put_work(struct dfs_mount *mount, const char *path, struct dfs_control *c)
{
	struct dfs_ledger_work work;
	size_t len = strlen(path);

	if (!c->n_working || dfs_ledger_work(mount->ledger, &work) < 0 || !work.rel)
		return;
	if (!len || (!strncmp(work.rel, path, len) && (!work.rel[len] || work.rel[len] == '/'))) {
		c->done = work.done;
		c->total = work.total;
	}
	free(work.rel);
}

static int ask_state(struct asked *a, struct dfs_control *c)
{
	struct dfs_mount *mount = a->mount;
	struct dfs_queue_stats stats;
	char path[PATH_MAX];
	int ret = 0;

	c->writable = !mount->read_only;
	c->queue = mount->queue != NULL;
	c->root = a->node == mount->nodes.root;
	if (!mount->queue || dfs_node_is_gone(&mount->nodes, a->node))
		return 0;
	ret = dfs_node_path(&mount->nodes, a->node, path);
	if (ret < 0)
		return ret;
	dfs_queue_below(mount->queue, path, &stats);
	c->n_open = stats.n[DFS_QUEUE_OPEN];
	c->n_waiting = stats.n[DFS_QUEUE_WAITING];
	c->n_working = stats.n[DFS_QUEUE_IN_WORK];
	c->bytes = stats.bytes;
	put_work(mount, path, c);
	return S_ISREG(a->node->type) ? dfs_queue_each(mount->queue, path, put_entry, c) : 0;
}

/* --- changing a file */

/* Who could have it changed by opening and writing to it. */
static int may_change(struct asked *a)
{
	struct stat st;
	int ret;

	if (a->mount->read_only)
		return -EROFS;
	if (!S_ISREG(a->node->type))
		return -EISDIR;
	if (a->uid == 0 || a->writes)
		return 0;
	ret = dfs_attr_get(a->mount, a->node, &st);
	if (ret == 0 && st.st_uid != a->uid)
		ret = -EACCES;
	return ret;
}

/* It is in work, and somebody asked for it before. */
static bool is_asked(void *arg, const struct dfs_queue_view *view)
{
	*(bool *)arg = view->asked && view->state == DFS_QUEUE_IN_WORK;
	return false;
}

/* What is in work goes on: who asks for it as well would only have it begin anew. */
static void encode(struct dfs_mount *mount, struct dfs_node *node, const char *path, const struct dfs_queue_wish *wish)
{
	bool asked = false;
	struct stat st;

	if (!wish->given && !wish->codec && dfs_queue_each(mount->queue, path, is_asked, &asked) == 0 && asked)
		return;
	dfs_notice_asked(mount, node);
	dfs_queue_add_over(mount->queue, path, 0, wish);
	if (dfs_attr_get(mount, node, &st) == 0)
		dfs_queue_sized(mount->queue, path, (uint64_t)st.st_size);
}

static int check_spec(const char *spec, struct dfs_control *c)
{
	struct dfs_err err = { "" };
	int ret = dfs_spec_check(spec, &err);

	if (ret < 0)
		snprintf(c->text, sizeof(c->text), "%.255s", err.text);
	return ret;
}

static int ask_encode(struct asked *a, struct dfs_control *c)
{
	static const struct dfs_reason no_ingest = { .id = DFS_REASON_NO_INGEST };
	static const uint8_t none[sizeof(c->base)];
	struct dfs_queue_wish wish = { .given = memcmp(c->base, none, sizeof(none)) != 0, .uid = a->uid };
	struct dfs_mount *mount = a->mount;
	char path[PATH_MAX], spec[sizeof(c->text)];
	int ret = may_change(a);

	memcpy(wish.base.bytes, c->base, sizeof(c->base));
	if (!memchr(c->text, '\0', sizeof(c->text)))
		return -EINVAL;
	memcpy(spec, c->text, sizeof(spec));
	c->text[0] = '\0';
	wish.codec = *spec ? spec : NULL;
	if (ret == 0 && wish.codec)
		ret = check_spec(spec, c);
	if (ret == 0 && !mount->queue) {
		put_reason(&no_ingest, c);
		ret = -ENOTSUP;
	}
	if (ret == 0 && dfs_node_is_gone(&mount->nodes, a->node))
		ret = -ENOENT;
	if (ret == 0)
		ret = dfs_node_path(&mount->nodes, a->node, path);
	if (ret == 0 && !dfs_node_is_container(&mount->nodes, a->node))
		encode(mount, a->node, path, &wish);
	return ret;
}

static int begin(struct asked *a, struct dfs_control *c, enum dfs_job_kind kind)
{
	int ret = may_change(a);

	if (ret == 0)
		ret = dfs_job_begin(a->mount, kind, a->node, a->uid, &c->id);
	if (ret == 0)
		a->node = NULL;
	return ret;
}

static int ask_decode(struct asked *a, struct dfs_control *c)
{
	return begin(a, c, DFS_JOB_DECODE);
}

static int ask_accept(struct asked *a, struct dfs_control *c)
{
	return begin(a, c, DFS_JOB_ACCEPT);
}

static int ask_revert(struct asked *a, struct dfs_control *c)
{
	return begin(a, c, c->written ? DFS_JOB_REVERT_WRITTEN : DFS_JOB_REVERT);
}

static int ask_poll(struct asked *a, struct dfs_control *c)
{
	struct dfs_job_view view;
	int ret = a->mount->jobs ? dfs_job_ask(a->mount->jobs, c->id, a->uid, false, &view) : -ENOENT;

	if (ret < 0)
		return ret;
	c->state = view.over ? DFS_CONTROL_SETTLED : DFS_CONTROL_WORKING;
	c->result = view.result;
	c->done = view.done;
	c->total = view.total;
	if (view.over && view.result < 0)
		snprintf(c->text, sizeof(c->text), "%.*s", (int)sizeof(c->text) - 1, view.err.text);
	return 0;
}

/* --- bases */

static const struct dfs_registered *base_of(struct asked *a, const struct dfs_registry *registry, const char *digits,
					    struct dfs_err *err)
{
	const struct dfs_registered *found = NULL;
	DFS_AUTO(fd) int fd = -1;
	char path[PATH_MAX];
	struct stat st;

	if (*digits)
		return dfs_registry_id(registry, a->mount->store, digits, err);
	if (dfs_node_path(&a->mount->nodes, a->node, path) == 0 &&
	    dfs_node_open(&a->mount->nodes, a->mount->store, a->node, O_PATH, &fd, NULL) == 0 && fstat(fd, &st) == 0)
		found = dfs_registry_holder(registry, a->mount->store, path, &st);
	if (!found)
		dfs_fail(err, ENOENT, "no base of its store");
	return found;
}

static int ask_base(struct asked *a, struct dfs_control *c)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	const struct dfs_registered *model;
	char digits[sizeof(c->text)];
	struct dfs_err err = { "" };
	int ret;

	if (!memchr(c->text, '\0', sizeof(c->text)))
		return -EINVAL;
	memcpy(digits, c->text, sizeof(digits));
	memset(c->text, 0, sizeof(c->text));
	ret = dfs_registry_list(a->mount->store, &registry, NULL);
	if (ret < 0)
		return ret;
	model = base_of(a, &registry, digits, &err);
	if (model)
		memcpy(c->base, model->id.bytes, sizeof(c->base));
	else
		snprintf(c->text, sizeof(c->text), "%.*s", (int)sizeof(c->text) - 1, err.text);
	return model ? 0 : -ENOENT;
}

/* --- the operation */

static const struct request {
	unsigned cmd;
	bool takes_id, takes_base, takes_text, takes_written;
	int (*ask)(struct asked *a, struct dfs_control *c);
} requests[] = {
	{ DFS_CONTROL_STATE, .ask = ask_state },
	{ DFS_CONTROL_ENCODE, .takes_base = true, .takes_text = true, .ask = ask_encode },
	{ DFS_CONTROL_DECODE, .ask = ask_decode },
	{ DFS_CONTROL_ACCEPT, .ask = ask_accept },
	{ DFS_CONTROL_REVERT, .takes_written = true, .ask = ask_revert },
	{ DFS_CONTROL_POLL, .takes_id = true, .ask = ask_poll },
	{ DFS_CONTROL_BASE, .takes_text = true, .ask = ask_base },
};

static const struct request *request_of(unsigned cmd)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].cmd == cmd)
			return &requests[i];
	return NULL;
}

/* What is not used is zero: a later version may give it a meaning. */
static int check(const struct request *request, struct dfs_control *c)
{
	struct dfs_control used = {
		.version = c->version, .id = request->takes_id ? c->id : 0, .written = request->takes_written && c->written,
	};
	uint32_t version = c->version;

	if (request->takes_base)
		memcpy(used.base, c->base, sizeof(used.base));
	if (request->takes_text)
		memcpy(used.text, c->text, sizeof(used.text));
	c->version = DFS_CONTROL_VERSION;
	if (version != DFS_CONTROL_VERSION)
		return -EPROTO;
	return memcmp(c, &used, sizeof(used)) ? -EINVAL : 0;
}

void dfs_op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg, struct fuse_file_info *fi,
		  unsigned flags, const void *in, size_t in_len, size_t out_len)
{
	const struct request *request = request_of(cmd);
	struct asked a = { .mount = dfs_mount_of(req), .uid = fuse_req_ctx(req)->uid };
	struct dfs_control c;
	int ret;

	(void)arg;
	if (dfs_control_of_bases(req, cmd, in, in_len, out_len))
		return;
	if (!request || in_len != sizeof(c) || out_len < sizeof(c)) {
		dfs_reply_error(req, -ENOTTY);
		return;
	}
	memcpy(&c, in, sizeof(c));
	a.node = dfs_node_get(&a.mount->nodes, ino);
	a.writes = !(flags & FUSE_IOCTL_DIR) && fi->fh & DFS_HANDLE_WRITES;
	ret = a.node ? check(request, &c) : -ESTALE;
	if (ret == 0)
		ret = request->ask(&a, &c);
	dfs_node_put(&a.mount->nodes, a.node);
	/* The sentence goes with the error. */
	fuse_reply_ioctl(req, ret, &c, sizeof(c));
}
