/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/permit_again.h"

#include <errno.h>
#include <string.h>

static bool is_same(const struct dfs_permit_again *again)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	enum dfs_reason_id why;
	const char *codec;

	if (dfs_policy_load(again->store, again->rel, &policy) < 0)
		return false;
	codec = dfs_permit_codec(&policy, &again->mount, again->rel, again->fd, &why);
	return codec && !strcmp(codec, again->codec);
}

/* Asked last: behind it nobody changes the file's directory, nor a policy there. */
static int enter(void *arg, const struct dfs_ingest_change *change)
{
	const struct dfs_permit_again *again = arg;
	int ret = again->next ? again->next->enter(again->next->arg, change) : 0;

	if (ret < 0 || !change->anew || is_same(again))
		return ret;
	if (again->next)
		again->next->leave(again->next->arg, NULL);
	return -ESTALE;
}

static void leave(void *arg, const struct dfs_published *now)
{
	const struct dfs_permit_again *again = arg;

	if (again->next)
		again->next->leave(again->next->arg, now);
}

const struct dfs_ingest_watch *dfs_permit_again(struct dfs_permit_again *again)
{
	if (again->next)
		again->watch = *again->next;
	again->watch.enter = enter;
	again->watch.leave = leave;
	again->watch.arg = again;
	return &again->watch;
}
