/* SPDX-License-Identifier: GPL-2.0-or-later */
/* left: see left.h. */
#include "left.h"

#include <errno.h>
#include <string.h>

#include "anew.h"
#include "store/claim.h"
#include "write/classify.h"

int ctl_left(const struct ctl *ctl, const struct ctl_file *file, int fd, const struct stat *st,
	     struct dfs_header **ret_header, struct ctl_result *ret_result, struct dfs_err *err)
{
	struct dfs_claim claim;
	int ret = dfs_claim_check(fd, (uint64_t)st->st_size, &claim);

	if (ret < 0)
		return dfs_fail(err, -ret, "read: %s", strerror(-ret));
	*ret_result = (struct ctl_result){
		.outcome = CTL_LEFT, .what = "left", .quiet = !file->named,
		.original_bytes = claim.original_size, .stored_bytes = (uint64_t)st->st_size,
		.lossy = dfs_claim_lossy(&claim),
	};
	if (claim.kind == DFS_CONTAINER_NEWER || claim.kind == DFS_CONTAINER_BROKEN)
		return dfs_fail(err, claim.kind == DFS_CONTAINER_NEWER ? ENOTSUP : EUCLEAN, "%s", claim.why.text);
	if (claim.kind == DFS_CONTAINER && ctl->out && file->named)
		return dfs_fail(err, EINVAL, "compressed already; \"deltafsctl export\" copies it, \"deltafsctl decode -o\" gives what it stands for");
	if (claim.kind == DFS_CONTAINER) {
		ret_result->why = ctl_anew_why_left(file);
		return 1;
	}
	if (!file->named && dfs_classify_name(basename(file->path))) {
		ret_result->why = "not finished, by its name";
		return 1;
	}
	ret = dfs_classify(fd, ret_header, NULL, err);
	if (ret < 0 || *ret_header || file->named)
		return ret;
	ret_result->why = "no safetensors file";
	return 1;
}
