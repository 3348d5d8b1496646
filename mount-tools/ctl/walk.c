/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk: fts(3) in the order of names, links in a second round. */
#include "walk.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/store.h"

void ctl_files_release(struct ctl_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->files[i].path);
	free(files->files);
	*files = (struct ctl_files){ 0 };
}

static int files_add(struct ctl_files *files, const char *path, size_t below, bool named,
		     bool link, const struct stat *st)
{
	struct ctl_file *more = files->files;
	char *copy = strdup(path);

	/* Grows by doubling: a power of two is full. */
	if ((files->n & (files->n - 1)) == 0)
		more = reallocarray(files->files, files->n ? 2 * files->n : 1, sizeof(*more));
	if (more)
		files->files = more;
	if (!more || !copy) {
		free(copy);
		return -ENOMEM;
	}
	more[files->n++] = (struct ctl_file){
		.path = copy, .below = copy + below, .named = named, .link = link,
		.dev = st->st_dev, .ino = st->st_ino,
	};
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void cannot(struct ctl *ctl, struct ctl_totals *totals, const char *path, const char *why)
{
	struct dfs_err err;

	dfs_fail(&err, EIO, "%s", why);
	if (totals) {
		ctl_result_fail(ctl, path, &err, totals);
		return;
	}
	ctl_warn("%s: %s", path, err.text);
	ctl->failures++;
}

/* Return: 0; -ENOMEM. @links: on the second round, when real files are known. */
static int walk_entry(struct ctl *ctl, FTS *fts, FTSENT *e, size_t below, bool links,
		      struct ctl_files *files)
{
	struct stat st;

	switch (e->fts_info) {
	case FTS_D:
		if (!strcmp(e->fts_name, DFS_STORE_DIR))
			fts_set(fts, e, FTS_SKIP);
		return 0;
	case FTS_F:
		return links ? 0 : files_add(files, e->fts_path, below, false, false, e->fts_statp);
	case FTS_SL:
		if (!links || stat(e->fts_accpath, &st) < 0 || !S_ISREG(st.st_mode))
			return 0;
		return files_add(files, e->fts_path, below, false, true, &st);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		if (!links)
			cannot(ctl, files->totals, e->fts_path, strerror(e->fts_errno));
		return 0;
	default:
		return 0;
	}
}

static int walk_tree(struct ctl *ctl, const char *dir, bool links, struct ctl_files *files)
{
	char *roots[] = { (char *)dir, NULL };
	size_t below = strlen(dir);
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	FTSENT *e;
	int ret = 0;

	if (!fts)
		return -errno;
	while (below > 0 && dir[below - 1] == '/')
		below--;
	while (ret == 0 && (e = fts_read(fts)))
		ret = walk_entry(ctl, fts, e, below + 1, links, files);
	fts_close(fts);
	return ret;
}

static int walk_arg(struct ctl *ctl, const char *path, struct ctl_files *files)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	int ret;

	if (stat(path, &st) < 0) {
		cannot(ctl, files->totals, path, strerror(errno));
		return 0;
	}
	if (S_ISREG(st.st_mode))
		return files_add(files, path, slash ? (size_t)(slash + 1 - path) : 0, true, false, &st);
	if (!S_ISDIR(st.st_mode)) {
		cannot(ctl, files->totals, path, "no regular file");
		return 0;
	}
	if (!ctl->recursive) {
		ctl_usage(ctl, "%s is a directory; -r goes into it", path);
		return -EINVAL;
	}
	ret = walk_tree(ctl, path, false, files);
	return ret < 0 ? ret : walk_tree(ctl, path, true, files);
}

static int by_inode_and_place(const void *a, const void *b)
{
	const struct ctl_file *x = *(struct ctl_file *const *)a, *y = *(struct ctl_file *const *)b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	if (x->named != y->named)
		return x->named ? -1 : 1;
	if (x->link != y->link)
		return x->link ? -1 : 1;
	return (x > y) - (x < y);
}

/* Each inode once: what was named goes before what was found, a link's name before a blob's. */
static int drop_doubles(struct ctl_files *files)
{
	DFS_AUTO(mem) struct ctl_file **order = calloc(files->n + 1, sizeof(*order));
	size_t kept = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < files->n; i++)
		order[i] = &files->files[i];
	qsort(order, files->n, sizeof(*order), by_inode_and_place);
	for (size_t i = 1; i < files->n; i++)
		if (order[i]->dev == order[i - 1]->dev && order[i]->ino == order[i - 1]->ino) {
			free(order[i]->path);
			order[i]->path = NULL;
		}
	for (size_t i = 0; i < files->n; i++)
		if (files->files[i].path)
			files->files[kept++] = files->files[i];
	files->n = kept;
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct ctl_file *x = *(struct ctl_file *const *)a, *y = *(struct ctl_file *const *)b;
	int order = strcmp(x->below, y->below);

	return order ? order : (x > y) - (x < y);
}

static int find_twins(struct ctl_files *files)
{
	DFS_AUTO(mem) struct ctl_file **order = calloc(files->n + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < files->n; i++)
		order[i] = &files->files[i];
	qsort(order, files->n, sizeof(*order), by_place);
	for (size_t i = 1; i < files->n; i++)
		if (!strcmp(order[i]->below, order[i - 1]->below))
			order[i]->twin = order[i - 1];
	return 0;
}

const struct ctl_file *ctl_walk_maker(const struct ctl_file *file)
{
	const struct ctl_file *twin = file->twin;

	while (twin && !twin->made)
		twin = twin->twin;
	return twin;
}

int ctl_walk(struct ctl *ctl, struct ctl_totals *totals, struct ctl_files *ret_files)
{
	struct ctl_files files = { .totals = totals };
	int ret = 0;

	for (int i = 0; i < ctl->n_args && ret == 0; i++)
		ret = walk_arg(ctl, ctl->args[i], &files);
	if (ret == 0)
		ret = drop_doubles(&files);
	if (ret == 0 && ctl->out)
		ret = find_twins(&files);
	if (ret == -ENOMEM)
		ctl_warn("out of memory");
	if (ret < 0) {
		ctl_files_release(&files);
		return ret;
	}
	*ret_files = files;
	return 0;
}
