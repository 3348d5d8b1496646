/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bases: bytes of the base files that a view's predictions need.
 *
 * READ: chunk.c -> this -> gate.c, allow.c, settle.c, store/bases
 *
 * Always pread, never a mapping: a base that was cut short is an error here
 * and not a SIGBUS.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/internal.h"
#include "store/bases.h"
#include "util/io.h"

static void base_name(const struct dfs_base_file *file, char *text, size_t len)
{
	char hex[DFS_HASH_HEX];

	if (*file->name)
		snprintf(text, len, "%s", file->name);
	else
		snprintf(text, len, "%s", dfs_hash_hex(file->hash, hex));
}

/*
 * All files of a model hang together, if they do. What a container of somebody
 * else says of models is not believed: it would share the gate of others.
 */
static struct dfs_gate_key gate_key(const struct dfs_view *view, const struct dfs_base_file *want)
{
	bool model = dfs_allow_is_given(view) && !dfs_hash_is_zero(want->model);

	return (struct dfs_gate_key){ .hash = model ? want->model : want->hash };
}

static int base_open(struct dfs_view *view, uint32_t file, struct dfs_base **ret_base,
		     struct dfs_gate_key *ret_blocked, struct dfs_err *err)
{
	const struct dfs_base_file *want = &view->container->bases[file];
	struct dfs_bases *bases = view->reader->bases;
	struct dfs_base *base;
	int ret = dfs_bases_get(bases, want, &base, err);

	if (ret < 0)
		return ret;
	ret = dfs_allow(view, file, base, ret_blocked, err);
	if (ret < 0) {
		dfs_base_put(bases, base);
		return ret;
	}
	dfs_settler_first_use(&view->reader->settler, want, base);
	*ret_base = base;
	return 0;
}

/*
 * Whatever may hang with the base's file system: finding it, opening it,
 * reading. Twice: what is open may have been cut short just now, and its pin
 * have the bytes.
 */
static int read_inside(struct dfs_view *view, uint32_t file, uint64_t off, size_t len, void *buf,
		       struct dfs_gate_key *ret_blocked, struct dfs_err *err)
{
	const struct dfs_base_file *want = &view->container->bases[file];
	struct dfs_bases *bases = view->reader->bases;
	char name[256];
	int ret = -EIO;

	for (int i = 0; i < 2; i++) {
		struct dfs_base *base;
		int opened = base_open(view, file, &base, ret_blocked, err);

		if (opened < 0)
			return opened;
		ret = dfs_pread_all(base->fd, buf, len, off);
		dfs_base_put(bases, base);
		if (ret == 0)
			return 0;
		dfs_bases_look_again(bases, want);
	}
	base_name(want, name, sizeof(name));
	return dfs_fail(err, EIO, "base %s: read %zu bytes at %" PRIu64 ": %s", name, len, off, strerror(-ret));
}

int dfs_view_base_read(struct dfs_view *view, uint32_t file, uint64_t off, size_t len,
		       void *buf, struct dfs_gate_key *ret_blocked, struct dfs_err *err)
{
	struct dfs_gate_key key = gate_key(view, &view->container->bases[file]);
	struct dfs_gates *gates = &view->reader->gates;
	struct dfs_gate *gate;
	int ret;

	if (!view->reader->bases)
		return dfs_fail(err, EIO, "no bases are known to this process");
	if (!dfs_gate_enter(gates, &key, &gate)) {
		*ret_blocked = key;
		return -EAGAIN;
	}
	ret = read_inside(view, file, off, len, buf, ret_blocked, err);
	dfs_gate_leave(gates, gate);
	return ret;
}

void dfs_view_base_hint(struct dfs_view *view, uint32_t file, uint64_t off, uint64_t len)
{
	const struct dfs_base_file *want = &view->container->bases[file];
	struct dfs_gate_key key = gate_key(view, want);
	struct dfs_gates *gates = &view->reader->gates;
	struct dfs_bases *bases = view->reader->bases;
	struct dfs_gate *gate;
	struct dfs_base *base;
	struct dfs_err err;

	if (!bases || !dfs_gate_enter(gates, &key, &gate))
		return;
	if (dfs_bases_get(bases, want, &base, &err) == 0) {
		dfs_hint_fetch(base->fd, off, len);
		dfs_base_put(bases, base);
	}
	dfs_gate_leave(gates, gate);
}

/* The base file that predicts the first byte of a chunk that is predicted at all. */
static uint32_t file_of(const struct dfs_view *view, const struct dfs_extent *extent)
{
	const struct dfs_container *c = view->container;
	const struct dfs_segment *s = &c->segments[extent->segment];
	uint64_t off = extent->off - s->off;

	for (uint32_t i = s->first_piece; i < s->first_piece + s->n_pieces; i++) {
		const struct dfs_piece *piece = &view->pieces[i];

		if (piece->file != DFS_NO_FILE && c->piece_starts[i] + piece->len > off)
			return piece->file;
	}
	return DFS_NO_FILE;
}

void dfs_view_bases_look_again(struct dfs_view *view)
{
	for (uint32_t i = 0; i < view->container->n_bases; i++)
		dfs_bases_look_again(view->reader->bases, &view->container->bases[i]);
}

bool dfs_view_bases_suspect(struct dfs_view *view, const struct dfs_extent *extent, char *text, size_t len)
{
	uint32_t file = file_of(view, extent);

	if (file == DFS_NO_FILE)
		return false;
	base_name(&view->container->bases[file], text, len);
	dfs_settler_suspect(&view->reader->settler, &view->container->bases[file]);
	return true;
}
