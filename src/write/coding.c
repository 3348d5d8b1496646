/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/coding.h"

#include <fcntl.h>
#include <string.h>

#include "store/registry.h"
#include "write/spec.h"

static int open_in_store(void *arg, const char *rel, bool original)
{
	const struct dfs_coding *c = arg;
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_openat(c->store, rel, O_RDONLY | O_NOATIME, &fd);

	if (ret < 0)
		return ret;
	return original ? dfs_keeper_open(c->keeper, fd) : dfs_steal_fd(&fd);
}

void dfs_coding_compare(const struct dfs_store *store, struct dfs_encode_config *encode)
{
	struct dfs_spec spec;
	enum dfs_norm kind;

	if (encode->base && dfs_spec_parse(encode->codec, &spec, NULL) == 0 && dfs_spec_compares(&spec, &kind))
		encode->norms = dfs_registry_norms(store, encode->base->id);
}

int dfs_coding_of(const struct dfs_coding *c, const char *rel, int fd, struct dfs_encode_config *encode,
		  enum dfs_reason_id *ret_why, struct dfs_err *err)
{
	int ret;

	*ret_why = DFS_REASON_NONE;
	encode->plan = NULL;
	encode->codec = NULL;
	if (c->wanted && !strcmp(c->wanted, "exact")) {
		if (dfs_permit_gives_up(c->policy, &c->mount))
			*ret_why = DFS_REASON_EXACT_ASKED;
		return 0;
	}
	encode->codec = c->wanted ? dfs_permit_wanted(rel, c->wanted, ret_why) :
				    dfs_permit_codec(c->policy, &c->mount, rel, fd, ret_why);
	if (!encode->codec)
		return 0;
	dfs_coding_compare(c->store, encode);
	ret = dfs_planned_get(c->planned, rel, fd, encode, open_in_store, (void *)c, &encode->plan, ret_why, err);
	if (ret == 0 && *ret_why != DFS_REASON_NONE)
		encode->codec = NULL;
	return ret;
}
