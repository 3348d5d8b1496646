/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outfile: see outfile.h. */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fdpath.h"

/* The directory of @path: free() it. */
static char *directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static char *tmp_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash + 1 - path) : 0;
	char *name;

	return asprintf(&name, "%.*s.%s.deltafs-tmp", dir_len, path, path + dir_len) < 0 ? NULL : name;
}

static int open_named(struct ctl_outfile *out, struct dfs_err *err)
{
	unlink(out->tmp);
	out->fd = open(out->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (out->fd < 0)
		return dfs_fail_errno(err, "create %s", out->path);
	out->named = true;
	return 0;
}

int ctl_outfile_open(struct ctl_outfile *out, const char *path, struct dfs_err *err)
{
	DFS_AUTO(mem) char *dir = directory(path);
	struct stat st;

	*out = (struct ctl_outfile){ .fd = -1, .path = strdup(path), .tmp = tmp_name(path) };
	if (!dir || !out->path || !out->tmp)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		out->direct = true;
		out->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return out->fd < 0 ? dfs_fail_errno(err, "open %s", path) : 0;
	}
	out->fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);
	if (out->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return dfs_fail_errno(err, "create %s", path);
	return open_named(out, err);
}

int ctl_outfile_reopen(const struct ctl_outfile *out, struct dfs_err *err)
{
	char path[DFS_FD_PATH_SIZE];
	int fd = open(dfs_fd_path(out->fd, path), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? dfs_fail_errno(err, "open %s again", out->path) : fd;
}

static int sync_directory(const char *path)
{
	DFS_AUTO(mem) char *dir = directory(path);
	DFS_AUTO(fd) int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	/* A directory that may be written but not read: nothing more can be done. */
	if (fd < 0)
		return dir && errno == EACCES ? 0 : -errno;
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

/* Give a nameless file the name @to. Return: 0 or -errno. */
static int link_to(const struct ctl_outfile *out, const char *to)
{
	char path[DFS_FD_PATH_SIZE];

	return linkat(AT_FDCWD, dfs_fd_path(out->fd, path), AT_FDCWD, to, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int take_name(struct ctl_outfile *out)
{
	int ret;

	if (!out->named) {
		ret = link_to(out, out->path);
		if (ret != -EEXIST)
			return ret;
		unlink(out->tmp);
		ret = link_to(out, out->tmp);
		if (ret < 0)
			return ret;
		out->named = true;
	}
	if (rename(out->tmp, out->path) < 0)
		return -errno;
	out->named = false;
	return 0;
}

int ctl_outfile_commit(struct ctl_outfile *out, struct dfs_err *err)
{
	int ret;

	if (out->direct)
		return 0;
	if (fsync(out->fd) < 0)
		return dfs_fail_errno(err, "fsync %s", out->path);
	ret = take_name(out);
	if (ret == 0)
		ret = sync_directory(out->path);
	return ret < 0 ? dfs_fail(err, -ret, "create %s: %s", out->path, strerror(-ret)) : 0;
}

void ctl_outfile_release(struct ctl_outfile *out)
{
	if (out->named)
		unlink(out->tmp);
	if (out->fd >= 0)
		close(out->fd);
	free(out->path);
	free(out->tmp);
	*out = (struct ctl_outfile){ .fd = -1 };
}

/* mkdir -p for all that stands before the last slash from @from on. */
static int make_parents(char *path, size_t from)
{
	for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
		int ret;

		*slash = '\0';
		ret = *path && mkdir(path, 0777) < 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (ret < 0)
			return ret;
	}
	return 0;
}

bool ctl_outfile_streams(const char *out)
{
	return out && strcmp(out, "-") == 0;
}

/* OUT itself, or the file's place below it. */
static char *place(const char *out, const struct ctl_file *file, bool many, struct dfs_err *err)
{
	struct stat st;
	char *path;
	int ret;

	if (!many && (stat(out, &st) < 0 || !S_ISDIR(st.st_mode)))
		ret = asprintf(&path, "%s", out);
	else
		ret = asprintf(&path, "%s/%s", out, file->below);
	if (ret < 0) {
		dfs_fail(err, ENOMEM, "out of memory");
		return NULL;
	}
	return path;
}

/* With the directories on the way resolved, as far as they are there. */
static char *resolve(const char *path)
{
	DFS_AUTO(mem) char *dir = directory(path);
	DFS_AUTO(mem) char *real = dir ? realpath(dir, NULL) : NULL;
	const char *slash = strrchr(path, '/');
	char *all;

	if (dir && !real && strcmp(dir, path))
		real = resolve(dir);
	if (!real)
		return NULL;
	return asprintf(&all, "%s/%s", real, slash ? slash + 1 : path) < 0 ? NULL : all;
}

char *ctl_outfile_name(const struct ctl *ctl, const struct ctl_file *file)
{
	struct dfs_err none;
	DFS_AUTO(mem) char *path = place(ctl->out, file, ctl->n_args > 1 || ctl->recursive, &none);

	return path ? resolve(path) : NULL;
}

/* Models are all called model.safetensors: the second in one directory must not replace the first. */
static int refuse_taken(const char *path, const struct ctl_file *file, struct dfs_err *err)
{
	const struct ctl_file *maker = ctl_walk_maker(file);
	struct stat st;

	if (maker)
		return dfs_fail(err, EEXIST, "%s was made from %s just now; give it an OUT of its own", path, maker->path);
	if (stat(path, &st) == 0 && st.st_dev == file->dev && st.st_ino == file->ino)
		return dfs_fail(err, EINVAL, "%s is the file itself; without -o it is done in place", path);
	return 0;
}

char *ctl_outfile_place(const char *out, const struct ctl_file *file, bool many, struct dfs_err *err)
{
	DFS_AUTO(mem) char *path = place(out, file, many, err);
	int ret = path ? refuse_taken(path, file, err) : -ENOMEM;

	if (ret < 0)
		return NULL;
	ret = strcmp(path, out) ? make_parents(path, strlen(out)) : 0;
	if (ret < 0) {
		dfs_fail(err, -ret, "make directories for %s: %s", path, strerror(-ret));
		return NULL;
	}
	return dfs_steal(&path);
}
