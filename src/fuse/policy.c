/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy: the record of a directory (store/policy.h), as an attribute that its
 * owner and root may set, and what follows from a change.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fuse/internal.h"
#include "store/policy.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/caps.h"
#include "util/fdpath.h"
#include "write/policy_of.h"

bool dfs_policy_is_name(const char *name)
{
	return strcmp(name, DFS_POLICY_XATTR) == 0;
}

int dfs_policy_get_text(struct dfs_mount *mount, struct dfs_node *node, char **ret_text)
{
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	DFS_AUTO(fd) int fd = -1;
	struct dfs_buf text = { 0 };
	int ret = dfs_node_open(&mount->nodes, mount->store, node, O_RDONLY | O_DIRECTORY, &fd, NULL);

	if (ret == 0)
		ret = dfs_policy_read(fd, &lines);
	if (ret == 0 && !lines.n)
		ret = -ENODATA;
	if (ret == 0)
		ret = dfs_policy_join(&lines, &text, NULL);
	/* whole all the same: one that was as long as it may be had no newline at its end */
	if (ret == 0 || ret == -E2BIG)
		ret = dfs_buf_append(&text, "", 1);
	if (ret == 0)
		*ret_text = (char *)text.data;
	else
		dfs_buf_release(&text);
	return ret;
}

/* The kernel has seen to it that the caller may write to the directory. */
int dfs_policy_may_set(struct dfs_mount *mount, struct dfs_node *node, uid_t uid, size_t size)
{
	struct stat st;
	int ret;

	if (!S_ISDIR(node->type))
		return -EPERM;
	if (size > DFS_POLICY_MAX)
		return -E2BIG;
	ret = uid ? dfs_attr_get(mount, node, &st) : 0;
	return ret == 0 && uid && st.st_uid != uid ? -EPERM : ret;
}

/* @fd need not be open for reading. */
static int read_by_path(int fd, struct dfs_paths *ret_lines)
{
	char self[DFS_FD_PATH_SIZE];
	DFS_AUTO(fd) int dir = open(dfs_fd_path(fd, self), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? -errno : dfs_policy_read(dir, ret_lines);
}

static int apply(int fd, const char *value, size_t size, int flags)
{
	char self[DFS_FD_PATH_SIZE];
	int ret;

	dfs_fd_path(fd, self);
	ret = value ? setxattr(self, DFS_POLICY_XATTR, value, size, flags) : removexattr(self, DFS_POLICY_XATTR);
	if (ret < 0 && (errno == ENOTSUP || (!value && errno == ENODATA))) {
		DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN); /* trusted.* */

		ret = value ? setxattr(self, DFS_POLICY_XATTR_TRUSTED, value, size, flags) :
			      removexattr(self, DFS_POLICY_XATTR_TRUSTED);
	}
	return ret < 0 ? -errno : 0;
}

static bool tells_of_codecs(const struct dfs_paths *lines)
{
	return dfs_policy_line(lines, DFS_POLICY_CODEC) || dfs_policy_line(lines, DFS_POLICY_SINCE);
}

/*
 * Whoever sets it, setfattr(1) or rsync -X: a codec holds from now on only.
 * What does not tell of one stays as it was given, byte by byte.
 */
int dfs_policy_set(int fd, const char *value, size_t size, int flags)
{
	DFS_AUTO(paths) struct dfs_paths old = { 0 };
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	DFS_AUTO(buf) struct dfs_buf text = { 0 };
	int ret = read_by_path(fd, &old);

	if (ret == 0 && value)
		ret = dfs_policy_split(value, size, &lines);
	if (ret < 0)
		return ret;
	if (!tells_of_codecs(&old) && !tells_of_codecs(&lines))
		return apply(fd, value, size, flags);
	ret = dfs_policy_stamp(&old, &lines);
	if (ret == 0)
		ret = dfs_policy_join(&lines, &text, NULL);
	return ret < 0 ? ret : apply(fd, text.len ? (const char *)text.data : "", text.len, flags);
}

void dfs_policy_changed(struct dfs_mount *mount, struct dfs_node *node)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	char path[PATH_MAX];

	if (!mount->queue || dfs_node_path(&mount->nodes, node, path) < 0)
		return;
	if (dfs_policy_load(mount->store, path, &policy) == 0)
		dfs_queue_quiet(mount->queue, dfs_policy_quiet_ms(&policy, UINT_MAX));
	dfs_queue_look(mount->queue, path);
	dfs_survey_look(mount->survey, path);
}

static bool is_of_policy(enum dfs_reason_id id)
{
	return id == DFS_REASON_INGEST_OFF || id == DFS_REASON_EXCLUDED || id == DFS_REASON_POLICY_BASE;
}

void dfs_policy_reason(struct dfs_mount *mount, const char *path, struct dfs_reason *why)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	struct dfs_reason now;

	if ((why->id != DFS_REASON_EXISTING && why->id != DFS_REASON_UNSEEN && !is_of_policy(why->id)) ||
	    dfs_policy_load(mount->store, path, &policy) < 0)
		return;
	if (dfs_policy_refuses(&policy, path, &now))
		*why = now;
	else if (is_of_policy(why->id) && !(why->id == DFS_REASON_POLICY_BASE && dfs_policy_base(&policy)))
		dfs_reason_set(why, DFS_REASON_POLICY_CHANGED, 0, NULL);
}
