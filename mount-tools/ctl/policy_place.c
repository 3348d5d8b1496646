/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_place: see policy_place.h. */
#include "policy_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemon.h"
#include "mounts.h"
#include "store/registry.h"
#include "store/store.h"
#include "util/bytes.h"

DFS_AUTO_KIND(mount, struct ctl_mount, ctl_mount_release(p));

/* --- finding it */

/* Where the tree that it inherits from begins. */
static int find_root(struct ctl_place *p, struct dfs_err *err)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mount) struct ctl_mount mount = { 0 };
	struct dfs_err none;
	int ret = ctl_mount_find(p->path, &mount);

	if (ret < 0)
		return dfs_fail(err, -ret, "%s: %s", p->path, strerror(-ret));
	if (ret == 1) {
		p->root = dfs_steal(&mount.point);
		p->store = dfs_steal(&mount.store);
	} else if (dfs_store_find(p->path, &store, NULL, &none) == 0) {
		p->root = strdup(dfs_store_path(store));
		p->store = strdup(dfs_store_path(store));
	} else {
		p->root = strdup(p->path);
	}
	return p->root ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

int ctl_place_open(const char *path, bool changes, struct ctl_place *p, struct dfs_err *err)
{
	DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
	int ret = ctl_daemon_writer(path, &daemon, err);

	*p = (struct ctl_place){ .fd = -1 };
	if (ret == 0 && changes)
		ret = ctl_mount_refuse(path, err);
	if (ret < 0)
		return ret;
	p->path = realpath(ret > 0 ? daemon.path : path, NULL);
	if (p->path)
		p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd < 0)
		return dfs_fail_errno(err, "%s", path);
	return find_root(p, err);
}

void ctl_place_release(struct ctl_place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	free(p->path);
	free(p->root);
	free(p->store);
	*p = (struct ctl_place){ .fd = -1 };
}

/* --- its record */

int ctl_place_read(const struct ctl_place *p, struct dfs_paths *ret_lines, struct dfs_err *err)
{
	int ret = dfs_policy_read(p->fd, ret_lines);

	return ret < 0 ? dfs_fail(err, -ret, "%s: read its policy: %s", p->path, strerror(-ret)) : 0;
}

/* Of root's, where the file system has no attributes of users. Return: 0; -1 with errno. */
static int set(int fd, const struct dfs_buf *text)
{
	if (text->len == 0) {
		int user = fremovexattr(fd, DFS_POLICY_XATTR), user_errno = errno;

		if (user == 0 || fremovexattr(fd, DFS_POLICY_XATTR_TRUSTED) == 0)
			return 0;
		errno = user_errno;
		return errno == ENODATA ? 0 : -1;
	}
	if (fsetxattr(fd, DFS_POLICY_XATTR, text->data, text->len, 0) == 0)
		return 0;
	return errno == ENOTSUP ? fsetxattr(fd, DFS_POLICY_XATTR_TRUSTED, text->data, text->len, 0) : -1;
}

static int failed(const struct ctl_place *p, struct dfs_err *err)
{
	if (errno == ENOTSUP)
		return dfs_fail(err, ENOTSUP, "%s: its file system keeps no extended attributes, and a policy is one", p->path);
	if (errno == EPERM)
		return dfs_fail(err, EPERM, "%s: its file system keeps root's extended attributes only, and a policy is one", p->path);
	return dfs_fail_errno(err, "%s: write its policy", p->path);
}

int ctl_place_write(const struct ctl_place *p, struct dfs_paths *lines, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths old = { 0 };
	DFS_AUTO(buf) struct dfs_buf text = { 0 };
	struct stat st;
	int ret = ctl_place_read(p, &old, err);

	if (ret < 0)
		return ret;
	ret = dfs_policy_stamp(&old, lines);
	if (ret == 0)
		ret = dfs_policy_join(lines, &text, err);
	else
		ret = dfs_fail(err, ENOMEM, "out of memory");
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", p->path);
	if (fstat(p->fd, &st) < 0)
		return dfs_fail_errno(err, "%s", p->path);
	if (geteuid() != 0 && geteuid() != st.st_uid)
		return dfs_fail(err, EACCES, "%s: not yours: its owner and root may set its policy", p->path);
	if (set(p->fd, &text) < 0)
		return failed(p, err);
	return fsync(p->fd) < 0 ? dfs_fail_errno(err, "%s: fsync", p->path) : 0;
}

static int add_record(const char *path, struct dfs_policy *policy, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : dfs_policy_read(fd, &lines);

	if (ret == -EACCES) {
		ctl_warn("%s: its policy is not yours to read; what it says is not shown", path);
		return 0;
	}
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: read its policy: %s", path, strerror(-ret));
	return dfs_policy_add(policy, path, &lines) < 0 ? dfs_fail(err, ENOMEM, "out of memory") : 0;
}

int ctl_place_policy(const struct ctl_place *p, struct dfs_policy *ret_policy, struct dfs_err *err)
{
	DFS_AUTO(mem) char *at = strdup(p->path);
	size_t root = strlen(p->root);
	int ret = at ? 0 : dfs_fail(err, ENOMEM, "out of memory");

	while (ret == 0) {
		char *slash = strrchr(at, '/');

		ret = add_record(at, ret_policy, err);
		if (strlen(at) <= root || !slash || !at[1])
			break;
		slash[slash == at] = '\0';
	}
	return ret;
}

/* --- a base */

/* Without a look at the bases: an ID as it is, or the path in the store. */
static int base_unseen(const struct ctl_place *p, const char *text, const char *own, char **ret_text, struct dfs_err *err)
{
	DFS_AUTO(mem) char *full = realpath(own, NULL);
	size_t len = strlen(p->store);

	if (!full && strlen(text) >= DFS_ID_PREFIX_MIN && !text[strspn(text, "0123456789abcdefABCDEF")])
		*ret_text = strdup(text);
	else if (!full)
		return dfs_fail(err, ENOENT, "base=%s: neither a file, a directory nor an ID", text);
	else if (!strncmp(full, p->store, len) && full[len] == '/')
		*ret_text = strdup(full + len + 1);
	else
		*ret_text = dfs_steal(&full);
	return *ret_text ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

int ctl_place_base(const struct ctl_place *p, const char *text, char **ret_text, struct dfs_err *err)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	DFS_AUTO(mem) char *own = p->store ? ctl_mount_own(text, p->store) : NULL;
	const struct dfs_registered *model;
	char hex[DFS_HASH_HEX];
	int ret;

	if (!p->store)
		return dfs_fail(err, ENOENT, "%s is in no store, so there is no base: deltafsctl base add makes one", p->path);
	if (!own)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_store_open(p->store, true, &store, err);
	if (ret == 0)
		ret = dfs_registry_list(store, &registry, err);
	/* a mount over the store itself hides them as well */
	if (ret == -EACCES || (ret >= 0 && registry.n == 0 && !strcmp(p->root, p->store)))
		return base_unseen(p, text, own, ret_text, err);
	if (ret < 0)
		return ret;
	model = dfs_registry_find(&registry, store, own, err);
	if (!model)
		return -ENOENT;
	*ret_text = strdup(dfs_hash_hex(model->id, hex));
	return *ret_text ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}
