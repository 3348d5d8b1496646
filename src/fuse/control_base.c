/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control_base: the ioctls of control.h that change the bases of the store.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/base_work.h"
#include "fuse/control.h"
#include "fuse/internal.h"
#include "fuse/jobs.h"
#include "util/auto.h"

static void put_text(struct dfs_control_base *c, const struct dfs_err *err)
{
	snprintf(c->text, sizeof(c->text), "%.*s", (int)sizeof(c->text) - 1, err->text);
}

/* What is not used is zero, and what is text ends. */
static int check(const struct dfs_control_base *c, const struct dfs_control_base *used)
{
	struct dfs_control_base rest = *used;

	memcpy(rest.path, c->path, sizeof(rest.path));
	if (!memchr(c->path, '\0', sizeof(c->path)))
		return -EINVAL;
	return memcmp(&rest, c, sizeof(rest)) ? -EINVAL : 0;
}

static int begin(struct dfs_mount *mount, const struct fuse_ctx *ctx, struct dfs_control_base *c, enum dfs_base_what what)
{
	DFS_AUTO(mem) struct dfs_base_work *work = NULL;
	int ret = dfs_base_may(mount, ctx->uid);

	if (ret < 0)
		return ret;
	work = calloc(1, sizeof(*work));
	if (!work)
		return -ENOMEM;
	*work = (struct dfs_base_work){
		.what = what, .norms = { { c->norms[0], c->norms[1] } }, .by_reference = c->by_reference, .uid = ctx->uid, .gid = ctx->gid,
		.dev = (dev_t)c->dev, .ino = (ino_t)c->ino,
	};
	memcpy(work->path, c->path, sizeof(work->path));
	ret = dfs_job_base(mount, work, &c->id);
	if (ret == 0)
		work = NULL;
	return ret;
}

static int ask_add(struct dfs_mount *mount, const struct fuse_ctx *ctx, struct dfs_control_base *c)
{
	const struct dfs_control_base used = {
		.version = c->version, .by_reference = c->by_reference == 1, .dev = c->dev, .ino = c->ino,
	};
	int ret = check(c, &used);

	return ret < 0 ? ret : begin(mount, ctx, c, DFS_BASE_ADD);
}

static int ask_remove(struct dfs_mount *mount, const struct fuse_ctx *ctx, struct dfs_control_base *c)
{
	const struct dfs_control_base used = { .version = c->version };
	int ret = check(c, &used);

	return ret < 0 ? ret : begin(mount, ctx, c, DFS_BASE_REMOVE);
}

static int ask_norms(struct dfs_mount *mount, const struct fuse_ctx *ctx, struct dfs_control_base *c)
{
	const struct dfs_control_base used = { .version = c->version, .norms = { c->norms[0], c->norms[1] } };
	int ret = check(c, &used);

	if (ret < 0 || !isfinite(c->norms[0]) || !isfinite(c->norms[1]))
		return -EINVAL;
	return begin(mount, ctx, c, DFS_BASE_SET_NORMS);
}

static void put_added(struct dfs_control_base *c, const struct dfs_registry_added *added)
{
	memcpy(c->base, added->id.bytes, sizeof(c->base));
	c->known = added->known;
	c->n_files = added->n_files;
	c->bytes = added->bytes;
	c->bytes_linked = added->bytes_linked;
	c->bytes_cloned = added->bytes_cloned;
	c->bytes_copied = added->bytes_copied;
	if (added->bytes_copied)
		put_text(c, &added->why_copied);
}

static void put_removed(struct dfs_control_base *c, const struct dfs_registry_removed *removed)
{
	memcpy(c->base, removed->id.bytes, sizeof(c->base));
	c->pins_kept = removed->pins_kept;
	c->bytes_freed = removed->bytes_freed;
	c->n_dependants = removed->dependants;
}

static int ask_poll(struct dfs_mount *mount, const struct fuse_ctx *ctx, struct dfs_control_base *c)
{
	const struct dfs_control_base used = { .version = c->version, .id = c->id };
	struct dfs_job_view view;
	int ret = *c->path ? -EINVAL : check(c, &used);

	if (ret == 0)
		ret = mount->jobs ? dfs_job_ask(mount->jobs, c->id, ctx->uid, true, &view) : -ENOENT;
	if (ret < 0)
		return ret;
	c->state = view.over ? DFS_CONTROL_SETTLED : DFS_CONTROL_WORKING;
	c->result = view.result;
	c->done = view.done;
	c->total = view.total;
	if (view.base && view.base->what == DFS_BASE_REMOVE)
		put_removed(c, &view.base->removed);
	else if (view.base && view.base->what == DFS_BASE_ADD)
		put_added(c, &view.base->added);
	else if (view.base)
		memcpy(c->base, view.base->changed.bytes, sizeof(c->base));
	if (view.over && view.result < 0)
		put_text(c, &view.err);
	free(view.base);
	return 0;
}

static const struct request {
	unsigned cmd;
	int (*ask)(struct dfs_mount *mount, const struct fuse_ctx *ctx, struct dfs_control_base *c);
} requests[] = {
	{ DFS_CONTROL_BASE_ADD, ask_add },
	{ DFS_CONTROL_BASE_REMOVE, ask_remove },
	{ DFS_CONTROL_BASE_POLL, ask_poll },
	{ DFS_CONTROL_BASE_NORMS, ask_norms },
};

static const struct request *request_of(unsigned cmd)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].cmd == cmd)
			return &requests[i];
	return NULL;
}

bool dfs_control_of_bases(fuse_req_t req, unsigned cmd, const void *in, size_t in_len, size_t out_len)
{
	const struct request *request = request_of(cmd);
	struct dfs_control_base c;
	uint32_t version;
	int ret;

	if (!request || in_len != sizeof(c) || out_len < sizeof(c))
		return false;
	memcpy(&c, in, sizeof(c));
	version = c.version;
	c.version = DFS_CONTROL_VERSION;
	ret = version == DFS_CONTROL_VERSION ? request->ask(dfs_mount_of(req), fuse_req_ctx(req), &c) : -EPROTO;
	fuse_reply_ioctl(req, ret, &c, sizeof(c));
	return true;
}
