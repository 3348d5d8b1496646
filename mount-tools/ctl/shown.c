/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shown.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read/reader.h"
#include "store/claim.h"
#include "util/auto.h"
#include "write/classify.h"

DFS_AUTO_KIND(reader, struct dfs_reader *, dfs_reader_free(*p));

int ctl_shown_header(struct dfs_view *view, struct dfs_header **ret_header, struct dfs_err *err)
{
	const struct dfs_container *c = dfs_view_container(view);
	DFS_AUTO(mem) uint8_t *bytes = NULL;
	size_t len;
	int ret;

	*ret_header = NULL;
	if (c->n_segments == 0 || c->segments[0].kind != DFS_SEGMENT_HEADER)
		return 0;
	bytes = malloc(c->segments[0].len);
	if (!bytes)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_view_read(view, 0, c->segments[0].len, bytes, &len, err);
	if (ret == 0)
		ret = dfs_header_parse(bytes, len, c->sb.original_size, ret_header, err);
	return ret;
}

int ctl_shown_header_at(int fd, const char *name, struct dfs_header **ret_header, struct dfs_err *err)
{
	const struct dfs_reader_config config = { .threads = 1, .metadata_bytes = DFS_METADATA_OF_TOOLS };
	DFS_AUTO(reader) struct dfs_reader *reader = NULL;
	DFS_AUTO(view) struct dfs_view *view = NULL;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int ret = own < 0 ? dfs_fail_errno(err, "%s", name) : dfs_reader_new(&config, &reader, err);

	*ret_header = NULL;
	if (ret == 0)
		ret = dfs_view_open(reader, own, name, &view, err);
	if (ret < 0 && own >= 0)
		close(own);
	if (ret < 0)
		return ret;
	return dfs_view_container(view) ? ctl_shown_header(view, ret_header, err) : dfs_classify(fd, ret_header, NULL, err);
}

struct dfs_header *ctl_shown_header_of(const char *path)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct dfs_header *header = NULL;
	struct dfs_claim claim;
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || dfs_claim_check(fd, (uint64_t)st.st_size, &claim) < 0)
		return NULL;
	ret = claim.kind == DFS_PLAIN ? dfs_classify(fd, &header, NULL, NULL) : ctl_shown_header_at(fd, path, &header, NULL);
	return ret < 0 ? NULL : header;
}
