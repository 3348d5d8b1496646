/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xattr: the store's attributes, without our marks, and user.deltafs.*, which
 * are answered and never listed: so no copy carries them away.
 *
 * `ls -l` asks two of each file: security.selinux and the ACL. security.* is
 * the store's own matter and not there, which takes no look at the disk; that
 * a file has no ACL is remembered with its node.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "fuse/original.h"
#include "read/describe.h"
#include "store/mark.h"
#include "util/auto.h"
#include "util/caps.h"
#include "util/fdpath.h"
#include "util/text.h"

static const char told[] = "user.deltafs.";
static const char ours[] = "trusted.deltafs.";
static const char trusted[] = "trusted.";
static const char security[] = "security.";
static const char acl[] = "system.posix_acl_access";

/* Of trusted.* only root is to know; a file system of the kernel's would see to that itself. */
static bool hidden(const char *name, bool root)
{
	return dfs_text_begins(name, told) || dfs_text_begins(name, ours) || dfs_text_begins(name, security) ||
	       (!root && dfs_text_begins(name, trusted));
}

/* --- what a file tells of itself */

#define TOLD_MAX 600

struct teller {
	const char *name;
	void (*tell)(const struct dfs_description *d, char *text);
};

static void tell_state(const struct dfs_description *d, char *text)
{
	snprintf(text, TOLD_MAX, "%s", d->state);
}

static void tell_codec(const struct dfs_description *d, char *text)
{
	snprintf(text, TOLD_MAX, "%s", d->codec);
}

static void tell_exact(const struct dfs_description *d, char *text)
{
	snprintf(text, TOLD_MAX, "%d", d->exact);
}

static void tell_base(const struct dfs_description *d, char *text)
{
	snprintf(text, TOLD_MAX, "%s", d->base);
}

static void tell_base_id(const struct dfs_description *d, char *text)
{
	snprintf(text, TOLD_MAX, "%s", d->base_id);
}

static void tell_stored_bytes(const struct dfs_description *d, char *text)
{
	snprintf(text, TOLD_MAX, "%" PRIu64, d->stored_bytes);
}

static void tell_ratio(const struct dfs_description *d, char *text)
{
	double stored = d->stored_bytes ? (double)d->stored_bytes : 1;

	snprintf(text, TOLD_MAX, "%.3f", (double)d->shown_bytes / stored);
}

static void tell_reason(const struct dfs_description *d, char *text)
{
	snprintf(text, TOLD_MAX, "%s", d->reason);
}

static void tell_word(const struct dfs_description *d, char *text)
{
	snprintf(text, TOLD_MAX, "%s", d->reason_word ? d->reason_word : "");
}

/* An attribute whose text is empty is not there. */
static const struct teller tellers[] = {
	{ "state", tell_state },
	{ "codec", tell_codec },
	{ "exact", tell_exact },
	{ "base", tell_base },
	{ "base_id", tell_base_id },
	{ "stored_bytes", tell_stored_bytes },
	{ "ratio", tell_ratio },
	{ "reason", tell_reason },
	{ "reason_word", tell_word },
};

static const struct teller *teller_find(const char *name)
{
	for (size_t i = 0; i < sizeof(tellers) / sizeof(tellers[0]); i++)
		if (strcmp(tellers[i].name, name) == 0)
			return &tellers[i];
	return NULL;
}

static int tell_before(struct dfs_mount *mount, struct dfs_node *node, char **ret_text)
{
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_node_open(&mount->nodes, mount->store, node, O_RDONLY | O_NOATIME, &fd, NULL);

	if (ret < 0)
		return ret;
	if (!dfs_mark_has(&dfs_mark_exact, fd))
		return -ENODATA;
	*ret_text = strdup("1");
	return *ret_text ? 0 : -ENOMEM;
}

static int tell(struct dfs_mount *mount, struct dfs_node *node, const char *name, bool names, char **ret_text)
{
	const struct teller *teller = teller_find(name);
	DFS_AUTO(fd) int fd = -1;
	DFS_AUTO(mem) char *text = NULL;
	struct dfs_description d;
	int ret;

	if (node == mount->nodes.root && strcmp(name, "status") == 0) {
		*ret_text = dfs_status_json(mount, names);
		return *ret_text ? 0 : -ENOMEM;
	}
	if (S_ISDIR(node->type) && strcmp(name, "policy") == 0)
		return dfs_policy_get_text(mount, node, ret_text);
	if (S_ISREG(node->type) && strcmp(name, "kept") == 0)
		return dfs_original_tell(mount, node, ret_text);
	if (S_ISREG(node->type) && strcmp(name, "compressed_before") == 0)
		return tell_before(mount, node, ret_text);
	if (!teller || !S_ISREG(node->type))
		return -ENODATA;
	if (teller->tell == tell_word && dfs_node_is_container(&mount->nodes, node))
		return -ENODATA; /* who asks for all files need not look into each */
	ret = dfs_node_open(&mount->nodes, mount->store, node, O_RDONLY, &fd, NULL);
	if (ret == 0)
		ret = dfs_file_describe(mount->reader, fd, &d);
	if (ret < 0)
		return ret;
	text = calloc(1, TOLD_MAX);
	if (!text)
		return -ENOMEM;
	if ((teller->tell == tell_reason || teller->tell == tell_word) && strcmp(d.state, "plain") == 0)
		dfs_reason_tell(mount, node, fd, &d);
	else if (teller->tell == tell_reason)
		dfs_exact_tell(mount, node, fd, &d);
	teller->tell(&d, text);
	if (!*text)
		return -ENODATA;
	*ret_text = dfs_steal(&text);
	return 0;
}

/* --- what the store holds */

typedef ssize_t get_fn(int fd, const char *path, const char *name, void *value, size_t room);

static ssize_t get_value(int fd, const char *path, const char *name, void *value, size_t room)
{
	return path ? getxattr(path, name, value, room) : fgetxattr(fd, name, value, room);
}

static ssize_t get_list(int fd, const char *path, const char *name, void *value, size_t room)
{
	(void)name;
	return path ? listxattr(path, value, room) : flistxattr(fd, value, room);
}

/* All of it, whatever it grows to meanwhile; the kernel allows 64 KiB. */
static ssize_t get_all(get_fn *get, int fd, const char *path, const char *name, char **ret_value)
{
	DFS_AUTO(mem) char *value = malloc(XATTR_SIZE_MAX);
	ssize_t len;

	if (!value)
		return -ENOMEM;
	len = get(fd, path, name, value, XATTR_SIZE_MAX);
	if (len < 0)
		return -errno;
	*ret_value = dfs_steal(&value);
	return len;
}

/* @name: "" for the list of all. Only root asks for, and is shown, what takes a right to see. */
static ssize_t from_store(struct dfs_mount *mount, struct dfs_node *node, get_fn *get,
			  const char *name, char **ret_value)
{
	bool guarded = !*name || dfs_text_begins(name, trusted);
	DFS_AUTO(raised) int raised = guarded ? dfs_caps_raise(CAP_SYS_ADMIN) : -1;
	bool readable = S_ISREG(node->type) || S_ISDIR(node->type);
	DFS_AUTO(fd) int fd = -1;
	char path[DFS_FD_PATH_SIZE];
	int ret = -EACCES;

	if (readable)
		ret = dfs_node_open(&mount->nodes, mount->store, node, O_RDONLY, &fd, NULL);
	if (ret == 0)
		return get_all(get, fd, NULL, name, ret_value);
	if (ret == -EACCES)
		ret = dfs_node_open(&mount->nodes, mount->store, node, O_PATH, &fd, NULL);
	if (ret < 0)
		return ret;
	/* What cannot or should not be opened for reading: devices, sockets, files that the daemon may not read. */
	return get_all(get, fd, dfs_fd_path(fd, path), name, ret_value);
}

/* --- the operations */

static void reply_value(fuse_req_t req, const char *value, size_t len, size_t room)
{
	if (room == 0)
		fuse_reply_xattr(req, len);
	else if (len > room)
		dfs_reply_error(req, -ERANGE);
	else
		fuse_reply_buf(req, value, len);
}

/* A store without ACLs has files without ACLs. A file whose ACL is changed behind the mount is another node. */
static ssize_t get_acl(struct dfs_mount *mount, struct dfs_node *node, const char *name, char **ret_value)
{
	bool access = S_ISREG(node->type) && strcmp(name, acl) == 0;
	uint64_t moment = dfs_nodes_moment(&mount->nodes);
	ssize_t len;

	if (access && atomic_load_explicit(&node->no_acl, memory_order_relaxed))
		return -ENODATA;
	len = from_store(mount, node, get_value, name, ret_value);
	if (len == -ENOTSUP)
		len = -ENODATA;
	if (access && len == -ENODATA)
		dfs_node_note_no_acl(&mount->nodes, node, moment);
	return len;
}

static ssize_t get(struct dfs_mount *mount, struct dfs_node *node, const char *name, bool names, char **ret_value)
{
	int ret;

	if (dfs_text_begins(name, told)) {
		ret = tell(mount, node, name + strlen(told), names, ret_value);
		return ret < 0 ? ret : (ssize_t)strlen(*ret_value);
	}
	if (dfs_text_begins(name, "system.posix_acl_"))
		return get_acl(mount, node, name, ret_value);
	return from_store(mount, node, get_value, name, ret_value);
}

void dfs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	uid_t caller = fuse_req_ctx(req)->uid;
	DFS_AUTO(mem) char *value = NULL;
	struct dfs_node *node;
	ssize_t len;

	if (dfs_text_begins(name, security) || dfs_text_begins(name, ours)) {
		dfs_reply_error(req, -ENODATA);
		return;
	}
	node = dfs_node_get(&mount->nodes, ino);
	len = node ? get(mount, node, name, caller == 0 || caller == geteuid(), &value) : -ESTALE;
	dfs_node_put(&mount->nodes, node);
	if (len < 0)
		dfs_reply_error(req, (int)len);
	else
		reply_value(req, value, (size_t)len, size);
}

/* Takes names that are not for the caller out of a list of NUL-terminated ones. Return: what is left of @len. */
static size_t take_out(char *list, size_t len, bool root)
{
	size_t kept = 0;

	for (size_t at = 0; at < len;) {
		size_t n = strnlen(list + at, len - at) + 1;

		if (n > len - at)
			break;
		if (!hidden(list + at, root)) {
			memmove(list + kept, list + at, n);
			kept += n;
		}
		at += n;
	}
	return kept;
}

void dfs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node = dfs_node_get(&mount->nodes, ino);
	DFS_AUTO(mem) char *list = NULL;
	ssize_t len = node ? from_store(mount, node, get_list, "", &list) : -ESTALE;

	dfs_node_put(&mount->nodes, node);
	if (len == -ENODATA || len == -ENOTSUP)
		reply_value(req, "", 0, size);
	else if (len < 0)
		dfs_reply_error(req, (int)len);
	else
		reply_value(req, list, take_out(list, (size_t)len, fuse_req_ctx(req)->uid == 0), size);
}
