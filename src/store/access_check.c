/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * access_check: the facts for the rule of access.h, from the file system.
 *
 * The part of a path inside the store is looked up from the store's own
 * descriptor: by path it may lie under our own mount, and asking there would
 * be asking ourselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "store/access.h"
#include "store/hashes.h"
#include "store/internal.h"
#include "store/registry.h"
#include "util/fdpath.h"

/* Directories on the way to a base; PATH_MAX allows more, people do not. */
#define NODES_MAX 256

struct way {
	struct dfs_access_node nodes[NODES_MAX];
	size_t n;
};

/*
 * An ACL as its attribute: a u32 version, then entries of u16 tag, u16 bits,
 * u32 id, all little endian; linux/posix_acl_xattr.h.
 */
#define ACL_HEAD 4
#define ACL_ENTRY 8
#define ACL_MOST (ACL_HEAD + 128 * ACL_ENTRY)
enum { ACL_USER = 2, ACL_GROUP = 8, ACL_MASK = 16 };

/* What every user and group that the ACL names may do, whatever else they are. */
static uint8_t acl_least(const uint8_t *acl, size_t len)
{
	unsigned least = 7, mask = 7;

	for (size_t at = ACL_HEAD; at + ACL_ENTRY <= len; at += ACL_ENTRY) {
		unsigned tag = dfs_get_u16le(acl + at);

		if (tag == ACL_USER || tag == ACL_GROUP)
			least &= dfs_get_u16le(acl + at + 2);
		else if (tag == ACL_MASK)
			mask = dfs_get_u16le(acl + at + 2);
	}
	return (uint8_t)(least & mask);
}

/* An ACL longer than we look at grants nothing. */
static void acl_look(int fd, struct dfs_access_node *node)
{
	uint8_t acl[ACL_MOST];
	char path[DFS_FD_PATH_SIZE];
	ssize_t len;

	len = getxattr(dfs_fd_path(fd, path), "system.posix_acl_access", acl, sizeof(acl));
	node->has_acl = len > 0 || (len < 0 && errno == ERANGE);
	if (len > 0)
		node->acl_least = acl_least(acl, (size_t)len);
}

static bool way_add(struct way *way, int fd, struct stat *ret_st)
{
	struct dfs_access_node *node = &way->nodes[way->n];

	if (way->n == NODES_MAX || fstat(fd, ret_st) < 0)
		return false;
	*node = (struct dfs_access_node){
		.mode = ret_st->st_mode,
		.uid = ret_st->st_uid,
		.gid = ret_st->st_gid,
	};
	acl_look(fd, node);
	way->n++;
	return true;
}

/* Each component of @path below @dir; @dir itself is added by the caller. Ends at a symlink. */
static bool way_down(struct way *way, int dir, const char *path, struct stat *ret_st)
{
	DFS_AUTO(fd) int at = -1;

	while (*path) {
		DFS_AUTO(mem) char *name = strndup(path, strcspn(path, "/"));
		int fd;

		path += strcspn(path, "/");
		path += strspn(path, "/");
		if (!name || strcmp(name, "..") == 0)
			return false;
		fd = openat(at < 0 ? dir : at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return false;
		if (at >= 0)
			close(at);
		at = fd;
		if (!way_add(way, fd, ret_st))
			return false;
	}
	return true;
}

/* From "/" to @path, which may be relative to the store. */
static bool way_to(struct way *way, const struct dfs_store *store, const char *path,
		   struct stat *ret_st)
{
	DFS_AUTO(fd) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	DFS_AUTO(mem) char *above = strdup(store->path);
	char *slash = above ? strrchr(above, '/') : NULL;

	way->n = 0;
	if (root < 0 || !slash)
		return false;
	if (path[0] == '/')
		return way_add(way, root, ret_st) && way_down(way, root, path + 1, ret_st);
	*slash = '\0'; /* the store itself is added by its descriptor */
	if (strcmp(store->path, "/") != 0 &&
	    (!way_add(way, root, ret_st) || !way_down(way, root, above + (*above == '/'), ret_st)))
		return false;
	return way_add(way, store->fd, ret_st) && way_down(way, store->fd, path, ret_st);
}

struct facts {
	struct dfs_access access;
	struct way *ways;
	struct dfs_access_name *names;
};

/* Does what lies at the end of the way hold the base's content? */
static bool leads_to(const struct dfs_store *store, const struct stat *st, const struct stat *base,
		     const struct dfs_base_file *want)
{
	struct dfs_hash hash;

	if (st->st_dev == base->st_dev && st->st_ino == base->st_ino)
		return true;
	return dfs_hashes_find(store, st, &hash) && dfs_hash_equal(hash, want->hash);
}

static int gather_names(const struct dfs_store *store, const struct dfs_paths *paths,
			const struct stat *base, const struct dfs_base_file *want,
			struct facts *facts)
{
	struct stat st;

	facts->ways = calloc(paths->n ? paths->n : 1, sizeof(*facts->ways));
	facts->names = calloc(paths->n ? paths->n : 1, sizeof(*facts->names));
	if (!facts->ways || !facts->names)
		return -ENOMEM;
	for (size_t i = 0; i < paths->n; i++) {
		size_t n = facts->access.n_names;

		if (!way_to(&facts->ways[n], store, paths->paths[i], &st) ||
		    !leads_to(store, &st, base, want))
			continue;
		facts->names[n] =
			(struct dfs_access_name){ facts->ways[n].nodes, facts->ways[n].n };
		facts->access.n_names++;
	}
	facts->access.names = facts->names;
	return 0;
}

/* A user whom the name service does not know has no groups: the "others" bits decide. */
static size_t groups_of(void *arg, uid_t uid, gid_t *ret_groups, size_t max)
{
	char text[4096];
	struct passwd entry, *found = NULL;
	int n = (int)max;

	(void)arg;
	if (getpwuid_r(uid, &entry, text, sizeof(text), &found) != 0 || !found)
		return 0;
	if (getgrouplist(entry.pw_name, entry.pw_gid, ret_groups, &n) < 0)
		n = (int)max; /* more than that: those that fitted */
	return (size_t)n;
}

/* Where the base was opened just now, and where the registry says that it is. */
static int gather_paths(const struct dfs_store *store, const struct dfs_base_file *want,
			const struct dfs_base *base, struct dfs_paths *paths)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	DFS_AUTO(mem) char *opened = dfs_base_path(base);
	const struct dfs_registered_file *file;
	int ret = opened ? dfs_paths_add(paths, opened) : 0;

	if (ret < 0 || dfs_registry_list(store, &registry, NULL) < 0 ||
	    !dfs_registry_file(&registry, want->hash, &file))
		return ret;
	for (size_t i = 0; ret == 0 && i < file->paths.n; i++)
		ret = dfs_paths_add(paths, file->paths.paths[i]);
	return ret;
}

static int gather(const struct dfs_store *store, const struct dfs_base_file *want,
		  const struct dfs_base *base, const struct stat *st, struct facts *facts)
{
	DFS_AUTO(paths) struct dfs_paths paths = { 0 };
	int ret = gather_paths(store, want, base, &paths);

	return ret < 0 ? ret : gather_names(store, &paths, st, want, facts);
}

int dfs_access_refuse(const struct stat *container, const struct dfs_base_file *want, int ret,
		      struct dfs_err *err)
{
	if (ret != -EACCES)
		return dfs_fail(err, -ret, "may it be decoded against %s: %s",
				want->name && *want->name ? want->name : "the base it names", strerror(-ret));
	return dfs_fail(
		err, EACCES,
		"not published by deltafs, and its owner (user %u) may not read the base %s",
		(unsigned)container->st_uid, want->name && *want->name ? want->name : "it names");
}

int dfs_access_may_read(const struct dfs_store *store, uid_t user, const char *rel)
{
	static const struct dfs_base_file nothing = { .size = 0 };
	struct facts facts = { .access = { .owner = user, .self = geteuid(), .groups = groups_of } };
	struct dfs_paths paths = { (char *[]){ (char *)rel }, 1 };
	struct stat root, st;
	int ret;

	if (fstat(store->fd, &root) < 0 || fstatat(store->fd, rel, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	facts.access.store_owner = root.st_uid;
	facts.access.base_owner = (uid_t)-1; /* without a name it is nobody's */
	ret = gather_names(store, &paths, &st, &nothing, &facts);
	if (ret == 0 && !dfs_access_allows(&facts.access))
		ret = -EACCES;
	free(facts.ways);
	free(facts.names);
	return ret;
}

int dfs_access_check(const struct dfs_store *store, const struct stat *container, bool trusted,
		     const struct dfs_base_file *want, const struct dfs_base *base,
		     struct dfs_err *err)
{
	struct facts facts = {
		.access = { .owner = container->st_uid, .trusted = trusted, .groups = groups_of }
	};
	struct stat root, st;
	bool allowed;
	int ret = 0;

	if (trusted || container->st_uid == 0 || container->st_uid == geteuid())
		return 0;
	if (fstat(store->fd, &root) < 0 || fstat(base->fd, &st) < 0)
		return dfs_fail_errno(err, "fstat");
	facts.access.self = geteuid();
	facts.access.store_owner = root.st_uid;
	facts.access.base_owner = st.st_uid;
	if (container->st_uid != root.st_uid)
		ret = gather(store, want, base, &st, &facts);
	allowed = ret == 0 && dfs_access_allows(&facts.access);
	free(facts.ways);
	free(facts.names);
	if (ret == 0 && allowed)
		return 0;
	return dfs_access_refuse(container, want, ret < 0 ? ret : -EACCES, err);
}
