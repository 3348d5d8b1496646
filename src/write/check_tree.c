/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_tree: see check_tree.h. */
#include "write/check_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "store/mark.h"
#include "store/walk.h"
#include "util/auto.h"
#include "write/classify.h"
#include "write/verify.h"

struct tree {
	struct dfs_check *check;
	struct dfs_reader *reader;
	void (*name)(void *arg, const char *path);
	const struct dfs_walk_file *file;	/* that is looked at */
	bool damaged;				/* its content is */
	struct dfs_err *err;
};

/* Failures that are not the file's. */
static bool ends_all(int ret)
{
	return ret == -ENOMEM || ret == -ECANCELED || ret == -EMFILE || ret == -ENFILE;
}

static void tell(const struct tree *t, enum dfs_check_kind kind, const char *what)
{
	dfs_check_found(t->check, kind, t->file->path, what, NULL, NULL);
}

/* A sentence of the verification names the file first; a finding has it already. */
static void damaged(void *arg, const struct dfs_err *what)
{
	struct tree *t = arg;
	size_t n = strlen(t->file->path);
	bool named = strncmp(what->text, t->file->path, n) == 0 && strncmp(what->text + n, ": ", 2) == 0;

	t->damaged = true;
	tell(t, DFS_CHECK_CONTENT, named ? what->text + n + 2 : what->text);
}

/* Beside a daemon: what was a container may be plain by now, and its base be gone. */
static bool was_replaced(const struct tree *t)
{
	struct stat st;

	if (!t->check->live)
		return false;
	return fstatat(dfs_store_fd(t->check->store), t->file->path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	       st.st_ino != t->file->st.st_ino;
}

/* Each base, and whether all are there. Return: 0; -EIO: one is missing, and was told; failures that end all. */
static int check_bases(struct tree *t, const struct dfs_container *c)
{
	int result = 0;

	for (uint32_t i = 0; i < c->n_bases; i++) {
		struct dfs_err err = { "" };
		int ret = dfs_check_base(t->check, t->file, &c->bases[i], &err);

		if (ends_all(ret))
			return dfs_fail(t->err, -ret, "%s: %s", t->file->path, err.text);
		if (ret < 0)
			result = -EIO;
		if (ret < 0 && !was_replaced(t))
			tell(t, DFS_CHECK_BASE, err.text);
	}
	return result;
}

/* Return: 0, whatever was found; failures that end all. */
static int check_content(struct tree *t, bool decode)
{
	const struct dfs_verify_config config = {
		.reader = t->reader, .inside = true,
		.progress = t->check->progress, .progress_arg = t->check->arg,
		.damaged = damaged, .damaged_arg = t,
	};
	struct dfs_err err = { "" };
	int ret;

	if (decode)
		ret = dfs_verify_full(t->file->fd, t->file->path, &config, &err);
	else
		ret = dfs_verify_fast(t->file->fd, t->file->path, &config, &err);
	if (ends_all(ret))
		return dfs_fail(t->err, -ret, "%s", err.text);
	if (ret < 0 && !t->damaged)
		damaged(t, &err);
	return 0;
}

static int check_container(struct tree *t)
{
	DFS_AUTO(container) struct dfs_container *c = NULL;
	struct dfs_err err = { "" };
	int ret = dfs_container_load(t->file->fd, &t->file->claim.sb, &c, &err);

	if (ends_all(ret))
		return dfs_fail(t->err, -ret, "%s: %s", t->file->path, err.text);
	if (ret < 0) {
		t->check->uncertain = true;
		tell(t, DFS_CHECK_METADATA, err.text);
		return 0;
	}
	ret = check_bases(t, c);
	if (ends_all(ret))
		return ret;
	ret = check_content(t, t->check->full && ret == 0);
	if (ret == 0)
		dfs_check_outside(t->check, t->file, !t->damaged);
	return ret;
}

static int unmark(void *arg, struct dfs_err *err)
{
	const struct tree *t = arg;
	struct dfs_claim claim;
	int ret = dfs_claim_unmark(t->file->fd);

	if (ret == 0)
		ret = dfs_mark_clear(&dfs_mark_exact, t->file->fd);	/* of what was there before */
	if (ret == 0)
		ret = dfs_claim_check(t->file->fd, (uint64_t)t->file->st.st_size, &claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "remove the attribute: %s", strerror(-ret));
	return claim.kind == DFS_PLAIN ? 0 : dfs_fail(err, EPERM, "the attribute cannot be removed by this user");
}

/*
 * Who writes over a container behind the mount keeps its attributes. What is
 * damaged is no safetensors file that fills its extents to the last byte.
 */
static int check_broken(struct tree *t)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	struct dfs_err err = { "" };
	int ret = dfs_classify(t->file->fd, &header, NULL, &err);

	if (ends_all(ret))
		return dfs_fail(t->err, -ret, "%s: %s", t->file->path, err.text);
	if (header) {
		dfs_check_found(t->check, DFS_CHECK_OVERWRITTEN, t->file->path,
				"marked as a container, but overwritten by a model file behind the mount", unmark, t);
		return 0;
	}
	t->check->uncertain = true;
	tell(t, DFS_CHECK_BROKEN, t->file->claim.why.text);
	return 0;
}

static int check_newer(struct tree *t)
{
	t->check->uncertain = true;
	tell(t, DFS_CHECK_NEWER, t->file->claim.why.text);
	return 0;
}

static int check_file(void *arg, const struct dfs_walk_file *file)
{
	static int (*const checks[])(struct tree *t) = {
		[DFS_CONTAINER] = check_container, [DFS_CONTAINER_NEWER] = check_newer, [DFS_CONTAINER_BROKEN] = check_broken,
	};
	struct tree *t = arg;

	t->file = file;
	t->damaged = false;
	if (file->claim.kind == DFS_PLAIN)
		return 0;
	t->check->n_containers++;
	if (t->name)
		t->name(t->check->arg, file->path);
	return checks[file->claim.kind](t);
}

static void fail(void *arg, const char *path, int ret, const char *why)
{
	struct tree *t = arg;

	(void)ret;
	t->check->uncertain = true;
	dfs_check_found(t->check, DFS_CHECK_UNREADABLE, *path ? path : ".", why, NULL, NULL);
}

int dfs_check_tree(struct dfs_check *check, struct dfs_reader *reader, void (*name)(void *arg, const char *path),
		   struct dfs_err *err)
{
	static const struct dfs_walk_ops ops = { check_file, fail };
	struct tree t = { .check = check, .reader = reader, .name = name, .err = err };

	return dfs_walk(dfs_store_fd(check->store), "", &ops, &t, err);
}
