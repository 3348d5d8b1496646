/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify: read it all, a window at a time; after damage, chunk by chunk. */
#include "write/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "read/view.h"
#include "util/auto.h"
#include "util/hash.h"
#include "util/io.h"
#include "write/ticker.h"

/* Read at once: a few chunks, so that several threads decode. */
#define WINDOW (1u << 20)

DFS_AUTO_KIND(hasher, struct dfs_hasher *, if (*p) dfs_hasher_free(*p));

static int view_of(struct dfs_reader *reader, int fd, const char *name, struct dfs_view **ret_view,
		   struct dfs_err *err)
{
	DFS_AUTO(view) struct dfs_view *view = NULL;
	DFS_AUTO(fd) int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int ret;

	if (own < 0)
		return dfs_fail_errno(err, "%s", name);
	ret = dfs_view_open(reader, own, name, &view, err);
	if (ret < 0)
		return ret;
	own = -1;	/* the view's now */
	if (!dfs_view_container(view))
		return dfs_fail(err, EUCLEAN, "%s: not a container", name);
	*ret_view = dfs_steal(&view);
	return 0;
}

static int check_hash(const struct dfs_hasher *hasher, const struct dfs_container *c,
		      const char *name, struct dfs_err *err)
{
	if (dfs_hash_equal(dfs_hasher_end(hasher), c->sb.shown_hash))
		return 0;
	return dfs_fail(err, EUCLEAN, "%s: every chunk is right, but the hash of the whole file is not", name);
}

static int is_another(const char *name, struct dfs_err *err)
{
	return dfs_fail(err, EUCLEAN, "%s: the container does not give back what the file holds now", name);
}

/*
 * Is a window the plain file's, but for what a lossy codec changed? For that
 * the hash of the whole file vouches, which is of the encoder's own
 * reconstruction; and the hash of what the container was made from, that this
 * is still what the plain file holds.
 */
static bool is_same(const struct dfs_container *c, uint64_t off, const uint8_t *got, const uint8_t *want, size_t len)
{
	uint64_t end = off + len, at = off;

	if (!dfs_superblock_lossy(&c->sb))
		return !memcmp(got, want, len);
	while (at < end) {
		const struct dfs_segment *seg = &c->segments[dfs_container_find(c, at)];
		const struct dfs_chunk_ref *ref;
		uint64_t chunk_off, chunk_len, stop;
		uint32_t i = dfs_segment_chunk_at(seg, at);
		int code;

		ref = &c->chunks[seg->first_chunk + i];
		dfs_segment_chunk(seg, i, &chunk_off, &chunk_len);
		stop = chunk_off + chunk_len < end ? chunk_off + chunk_len : end;
		if (dfs_codec_find(ref->codec, &code, NULL)->exact && memcmp(got + (at - off), want + (at - off), stop - at))
			return false;
		at = stop;
	}
	return true;
}

int dfs_verify_same(int fd, const char *name, int plain_fd, const struct dfs_verify_config *config,
		    struct dfs_err *err)
{
	DFS_AUTO(view) struct dfs_view *view = NULL;
	DFS_AUTO(hasher) struct dfs_hasher *hasher = dfs_hasher_new();
	DFS_AUTO(hasher) struct dfs_hasher *source = dfs_hasher_new();
	DFS_AUTO(mem) uint8_t *got = malloc(WINDOW);
	DFS_AUTO(mem) uint8_t *want = malloc(WINDOW);
	struct dfs_ticker ticker = { config->progress, config->progress_arg, 0, { 0 } };
	size_t len;
	int ret = view_of(config->reader, fd, name, &view, err);

	if (ret < 0)
		return ret;
	if (!hasher || !source || !got || !want)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (dfs_verify_superblocks(fd, name, &dfs_view_container(view)->sb, config))
		return dfs_fail(err, EUCLEAN, "%s: the container has one good superblock of two", name);
	ticker.total = dfs_view_size(view);
	for (uint64_t off = 0; off < ticker.total; off += len) {
		ret = dfs_view_read(view, off, WINDOW, got, &len, err);
		if (ret < 0)
			return ret;
		ret = len ? dfs_pread_all(plain_fd, want, len, off) : -EIO;
		if (ret < 0)
			return dfs_fail(err, -ret, "%s: read the plain file: %s", name, strerror(-ret));
		if (!is_same(dfs_view_container(view), off, got, want, len))
			return is_another(name, err);
		dfs_hasher_add(hasher, got, len);
		if (dfs_superblock_lossy(&dfs_view_container(view)->sb))
			dfs_hasher_add(source, want, len);
		ret = dfs_ticker_tell(&ticker, off + len, err);
		if (ret < 0)
			return ret;
	}
	if (dfs_superblock_lossy(&dfs_view_container(view)->sb) &&
	    !dfs_hash_equal(dfs_hasher_end(source), dfs_view_container(view)->sb.source_hash))
		return is_another(name, err);
	return check_hash(hasher, dfs_view_container(view), name, err);
}

/* How far a verification has come, and what it found. */
struct survey {
	const struct dfs_verify_config *config;
	const char *name;
	uint64_t n_damaged;
	struct dfs_ticker ticker;
};

static void survey_damage(struct survey *s, const struct dfs_err *what)
{
	s->n_damaged++;
	if (s->config->damaged)
		s->config->damaged(s->config->damaged_arg, what);
}

static int survey_end(const struct survey *s, struct dfs_err *err)
{
	if (s->n_damaged == 0)
		return 0;
	return dfs_fail(err, EUCLEAN, "%s: %llu damaged %s", s->name, (unsigned long long)s->n_damaged,
			s->n_damaged == 1 ? "place" : "places");
}

/* A window that could not be read whole: which of its chunks cannot. Return: 0; -ENOMEM, -ECANCELED. */
static int survey_window(struct survey *s, struct dfs_view *view, uint64_t off, uint64_t end,
			 uint8_t *buf)
{
	const struct dfs_container *c = dfs_view_container(view);

	while (off < end) {
		const struct dfs_segment *seg = &c->segments[dfs_container_find(c, off)];
		struct dfs_err what = { "" };
		uint64_t chunk_off, chunk_len, stop;
		size_t len;
		int ret;

		dfs_segment_chunk(seg, dfs_segment_chunk_at(seg, off), &chunk_off, &chunk_len);
		stop = chunk_off + chunk_len;
		/* A byte is enough: a chunk is decoded whole or not at all. */
		ret = dfs_view_read(view, off, 1, buf, &len, &what);
		if (ret == -ENOMEM)
			return ret;
		if (ret < 0)
			survey_damage(s, &what);
		off = stop;
	}
	return 0;
}

int dfs_verify_full(int fd, const char *name, const struct dfs_verify_config *config,
		    struct dfs_err *err)
{
	DFS_AUTO(view) struct dfs_view *view = NULL;
	DFS_AUTO(hasher) struct dfs_hasher *hasher = dfs_hasher_new();
	DFS_AUTO(mem) uint8_t *buf = malloc(WINDOW);
	struct survey s = { config, name, 0, { config->progress, config->progress_arg, 0, { 0 } } };
	int ret = view_of(config->reader, fd, name, &view, err);

	if (ret < 0)
		return ret;
	if (!hasher || !buf)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (!config->inside)
		s.n_damaged = dfs_verify_superblocks(fd, name, &dfs_view_container(view)->sb, config);
	s.ticker.total = dfs_view_size(view);
	for (uint64_t off = 0; off < s.ticker.total; off += WINDOW) {
		uint64_t end = s.ticker.total - off < WINDOW ? s.ticker.total : off + WINDOW;
		size_t len = 0;

		ret = dfs_view_read(view, off, end - off, buf, &len, NULL);
		dfs_hasher_add(hasher, buf, len);
		if (ret < 0)
			ret = survey_window(&s, view, off, end, buf);
		if (ret < 0)
			return dfs_fail(err, -ret, "%s: %s", name, strerror(-ret));
		ret = dfs_ticker_tell(&s.ticker, end, err);
		if (ret < 0)
			return ret;
	}
	if (s.n_damaged)
		return survey_end(&s, err);
	return check_hash(hasher, dfs_view_container(view), name, err);
}
