/* SPDX-License-Identifier: GPL-2.0-or-later */
/* solos: a flat list; a store has at most some thousand. */
#include "write/solos.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/walk.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/hash.h"
#include "write/classify.h"

#define PREFIX 8 /* bytes of a header's length */

struct dfs_solos {
	struct dfs_solo *rows;
	size_t n, room;
	bool filled;
};

struct dfs_solos *dfs_solos_new(void)
{
	return calloc(1, sizeof(struct dfs_solos));
}

void dfs_solos_free(struct dfs_solos *solos)
{
	if (!solos)
		return;
	for (size_t i = 0; i < solos->n; i++)
		free(solos->rows[i].rel);
	free(solos->rows);
	free(solos);
}

uint64_t dfs_solos_names(const struct dfs_header *header)
{
	uint64_t sum = header->n_tensors;

	/* a sum, so that the order does not count */
	for (size_t i = 0; i < header->n_tensors; i++)
		sum += dfs_hash64(header->tensors[i].name, strlen(header->tensors[i].name), 0);
	return sum;
}

static struct dfs_solo *find(const struct dfs_solos *solos, const char *rel)
{
	for (size_t i = 0; i < solos->n; i++)
		if (strcmp(solos->rows[i].rel, rel) == 0)
			return &solos->rows[i];
	return NULL;
}

static int make_room(struct dfs_solos *solos)
{
	size_t room = solos->room ? 2 * solos->room : 64;
	struct dfs_solo *rows;

	if (solos->n < solos->room)
		return 0;
	rows = realloc(solos->rows, room * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	solos->rows = rows;
	solos->room = room;
	return 0;
}

void dfs_solos_add(struct dfs_solos *solos, const struct dfs_solo *solo)
{
	struct dfs_solo *row = find(solos, solo->rel);
	char *rel = row ? row->rel : strdup(solo->rel);

	if (!rel)
		return;
	if (!row && make_room(solos) < 0) {
		free(rel);
		return;
	}
	if (!row)
		row = &solos->rows[solos->n++];
	*row = *solo;
	row->rel = rel;
}

const struct dfs_solo *dfs_solos_find(const struct dfs_solos *solos, const char *rel)
{
	return find(solos, rel);
}

void dfs_solos_drop(struct dfs_solos *solos, const char *rel)
{
	struct dfs_solo *row = find(solos, rel);

	if (!row)
		return;
	free(row->rel);
	memmove(row, row + 1, (size_t)(solos->rows + --solos->n - row) * sizeof(*row));
}

void dfs_solos_forget(struct dfs_solos *solos, const char *rel)
{
	dfs_solos_drop(solos, rel);
	solos->filled = false;
}

size_t dfs_solos_next(const struct dfs_solos *solos, uint64_t names, size_t from, const struct dfs_solo **ret_solo)
{
	for (size_t i = from; i < solos->n; i++)
		if (solos->rows[i].names == names) {
			*ret_solo = &solos->rows[i];
			return i + 1;
		}
	return 0;
}

/* --- looking into containers */

static int read_header(struct dfs_view *view, struct dfs_header **ret_header, struct dfs_err *err)
{
	DFS_AUTO(mem) uint8_t *bytes = NULL;
	uint8_t start[PREFIX];
	uint64_t n;
	size_t got;
	int ret = dfs_view_read(view, 0, PREFIX, start, &got, err);

	if (ret < 0)
		return ret;
	n = got == PREFIX ? dfs_get_u64le(start) : UINT64_MAX;
	if (n > DFS_HEADER_MAX || n > dfs_view_size(view) - PREFIX)
		return dfs_fail(err, ESTALE, "no safetensors file");
	bytes = malloc(PREFIX + n);
	if (!bytes)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_view_read(view, 0, PREFIX + n, bytes, &got, err);
	if (ret == 0)
		ret = dfs_header_parse(bytes, got, dfs_view_size(view), ret_header, err);
	return ret == -EINVAL || ret == -E2BIG ? -ESTALE : ret;
}

/* Takes @fd. */
static int open_fd(int fd, const char *rel, struct dfs_reader *reader, struct dfs_view **ret_view,
		   struct dfs_header **ret_header, struct dfs_err *err)
{
	DFS_AUTO(view) struct dfs_view *view = NULL;
	const struct dfs_container *c;
	int ret = dfs_view_open(reader, fd, rel, &view, err);

	if (ret < 0) {
		close(fd);
		return ret;
	}
	c = dfs_view_container(view);
	if (!c || c->n_bases || dfs_superblock_lossy(&c->sb))
		return dfs_fail(err, ESTALE, "%s: not coded alone", rel);
	ret = read_header(view, ret_header, err);
	if (ret == 0)
		*ret_view = dfs_steal(&view);
	return ret;
}

int dfs_solo_open(const struct dfs_store *store, const char *rel, struct dfs_reader *reader,
		  struct dfs_view **ret_view, struct dfs_header **ret_header, struct dfs_err *err)
{
	int fd, ret = dfs_store_openat(store, rel, O_RDONLY | O_NOATIME, &fd);

	if (ret < 0)
		return dfs_fail(err, -ret, "open %s: %s", rel, strerror(-ret));
	return open_fd(fd, rel, reader, ret_view, ret_header, err);
}

/* --- the walk */

struct filling {
	struct dfs_solos *solos;
	struct dfs_reader *reader;
	dfs_progress_fn *progress;
	void *arg;
};

static int note_file(void *arg, const struct dfs_walk_file *file)
{
	const struct filling *f = arg;
	DFS_AUTO(header) struct dfs_header *header = NULL;
	DFS_AUTO(view) struct dfs_view *view = NULL;
	struct dfs_err err;
	int fd;

	if (f->progress && !f->progress(f->arg, 0, 0))
		return -ECANCELED;
	if (file->claim.kind != DFS_CONTAINER || find(f->solos, file->path))
		return 0;
	fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || open_fd(fd, file->path, f->reader, &view, &header, &err) < 0)
		return 0; /* what cannot be read is nobody's sister */
	dfs_solos_add(f->solos, &(struct dfs_solo){
		.rel = (char *)file->path, .names = dfs_solos_names(header),
		.shown_bytes = file->claim.original_size, .stored_bytes = (uint64_t)file->st.st_size,
	});
	return 0;
}

int dfs_solos_fill(struct dfs_solos *solos, const struct dfs_store *store, struct dfs_reader *reader,
		   dfs_progress_fn *progress, void *arg, struct dfs_err *err)
{
	static const struct dfs_walk_ops ops = { note_file, NULL };
	struct filling filling = { solos, reader, progress, arg };
	int ret;

	if (solos->filled)
		return 0;
	ret = dfs_walk(dfs_store_fd(store), "", &ops, &filling, err);
	if (ret == -ECANCELED)
		return dfs_fail(err, ECANCELED, "cancelled");
	solos->filled = ret == 0;
	return ret;
}
