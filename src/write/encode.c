/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode: set up the work, run it, finish the output; and nothing changed meanwhile. */
#include "write/encode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/clock.h"
#include "write/classify.h"
#include "write/give_up.h"
#include "write/output.h"
#include "write/schedule.h"
#include "write/spec.h"
#include "write/work.h"

static int check_unchanged(int fd, const char *name, const struct stat *before, struct dfs_err *err)
{
	struct stat now;

	if (fstat(fd, &now) < 0)
		return dfs_fail_errno(err, "stat %s", name);
	if (now.st_size != before->st_size || !dfs_time_same(now.st_mtim, before->st_mtim) ||
	    !dfs_time_same(now.st_ctim, before->st_ctim))
		return dfs_fail(err, ESTALE, "%s changed while it was read", name);
	return 0;
}

static int run(struct dfs_work *w, int out_fd, const struct dfs_encode_config *config,
	       struct dfs_err *err)
{
	struct dfs_output out;
	int ret = dfs_output_init(&out, out_fd);

	if (ret < 0)
		return dfs_fail(err, -ret, "out of memory");
	if (w->n_lossy)
		ret = dfs_give_up_prepare(w, config, err);
	if (ret == 0)
		ret = dfs_schedule_run(w, &out, config, err);
	if (ret == 0)
		ret = dfs_output_finish(&out, w, err);
	dfs_output_release(&out);
	return ret;
}

/* @marked: segments that the codec was to have */
static enum dfs_reason_id why_exact(const struct dfs_work *w, uint32_t marked)
{
	if (!w->spec->lossy || dfs_superblock_lossy(&w->c.sb))
		return DFS_REASON_NONE;
	if (!w->base)
		return DFS_REASON_EXACT_NO_BASE;
	if (!marked)
		return DFS_REASON_EXACT_TENSORS;
	if (dfs_spared_mostly_smaller(&w->spared))
		return DFS_REASON_EXACT_SMALLER;
	return dfs_spared_tried(&w->spared) ? DFS_REASON_EXACT_DECLINED : DFS_REASON_EXACT_SAME;
}

static void settle(const struct dfs_work *w, uint32_t marked, struct dfs_encode_result *ret_result)
{
	const struct dfs_superblock *sb = &w->c.sb;

	*ret_result = (struct dfs_encode_result){
		.sb = *sb,
		.norms = w->norms,
		.original_bytes = sb->original_size,
		.stored_bytes = sb->container_size,
		.why_exact = why_exact(w, marked),
		.spared = w->spared,
		.shrunk = sb->container_size < sb->original_size,
	};
}

static int encode_unchanging(int in_fd, const char *in_name, const struct stat *st, int out_fd,
			     const struct dfs_encode_config *config, const struct dfs_spec *spec,
			     struct dfs_encode_result *ret_result, struct dfs_err *err)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	struct dfs_work w;
	uint32_t marked;
	int ret = dfs_classify(in_fd, &header, NULL, err);

	if (ret == 0)
		ret = dfs_work_init(&w, &(struct dfs_work_input){
			.fd = in_fd, .len = (uint64_t)st->st_size, .header = header,
			.base = config->base, .by_content = true, .spec = spec,
		}, err);
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", in_name);
	marked = w.n_lossy;
	ret = run(&w, out_fd, config, err);
	if (ret == 0)
		settle(&w, marked, ret_result);
	dfs_work_release(&w);
	return ret < 0 ? dfs_err_at(err, ret, "%s", in_name) : 0;
}

int dfs_encode(int in_fd, const char *in_name, int out_fd, const struct dfs_encode_config *config,
	       struct dfs_encode_result *ret_result, struct dfs_err *err)
{
	struct dfs_spec spec;
	struct stat before;
	int ret = dfs_spec_parse(config->codec, &spec, err);

	if (ret < 0)
		return ret;
	dfs_spec_compare(&spec, &config->norms);
	if (fstat(in_fd, &before) < 0)
		return dfs_fail_errno(err, "stat %s", in_name);
	if (!S_ISREG(before.st_mode))
		return dfs_fail(err, EINVAL, "%s is no regular file", in_name);
	if ((uint64_t)before.st_size > DFS_ORIGINAL_SIZE_MAX)
		return dfs_fail(err, EFBIG, "%s is larger than a container can stand for", in_name);
	posix_fadvise(in_fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	ret = encode_unchanging(in_fd, in_name, &before, out_fd, config, &spec, ret_result, err);
	if (ret == 0)
		return check_unchanged(in_fd, in_name, &before, err);
	/* A file that was cut short meanwhile could not be read: say what happened to it. */
	if (ret == -EIO && check_unchanged(in_fd, in_name, &before, NULL) == -ESTALE)
		return check_unchanged(in_fd, in_name, &before, err);
	return ret;
}
