/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/coding.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/claim.h"

static int open_plain(void *arg, const char *rel)
{
	const struct dfs_store *store = arg;
	struct dfs_claim claim;
	struct stat st;
	int fd, ret = dfs_store_openat(store, rel, O_RDONLY | O_NOATIME, &fd);

	if (ret < 0)
		return ret;
	ret = fstat(fd, &st) < 0 ? -errno : dfs_claim_check(fd, (uint64_t)st.st_size, &claim);
	if (ret == 0 && claim.kind != DFS_PLAIN)
		ret = -EEXIST;
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

int dfs_coding_of(const struct dfs_coding *c, const char *rel, int fd, struct dfs_encode_config *encode,
		  const char **ret_why, struct dfs_err *err)
{
	int ret;

	*ret_why = NULL;
	encode->plan = NULL;
	encode->codec = c->wanted ? dfs_permit_wanted(rel, c->wanted, ret_why) :
				    dfs_permit_codec(c->policy, &c->mount, rel, fd, ret_why);
	if (!encode->codec)
		return 0;
	ret = dfs_planned_get(c->planned, rel, fd, encode, open_plain, (void *)c->store, &encode->plan, ret_why, err);
	if (ret == 0 && *ret_why)
		encode->codec = NULL;
	return ret;
}
