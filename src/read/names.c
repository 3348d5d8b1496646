/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: header segments decoded and parsed, for sentences only.
 */
#include "read/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/internal.h"
#include "tensor/safetensors.h"
#include "util/auto.h"

/*
 * A parsed header takes some ten times its bytes; beyond this an offset must
 * do for a name. Most models of today need less than 200 KiB.
 */
#define HEADER_MAX (1u << 20)

void dfs_names_init(struct dfs_names *names)
{
	*names = (struct dfs_names){ 0 };
	pthread_mutex_init(&names->lock, NULL);
}

void dfs_names_release(struct dfs_names *names)
{
	dfs_header_free(names->header);
	pthread_mutex_destroy(&names->lock);
}

/* How many bytes of the file, from its beginning, are header segments. */
static uint64_t header_len(const struct dfs_container *c)
{
	uint64_t len = 0;

	for (uint32_t i = 0; i < c->n_segments && c->segments[i].kind == DFS_SEGMENT_HEADER; i++)
		len = c->segments[i].off + c->segments[i].len;
	return len;
}

static struct dfs_header *header_decode(struct dfs_view *view, struct dfs_worker *worker)
{
	uint64_t len = header_len(view->container);
	struct dfs_header *header = NULL;
	DFS_AUTO(mem) uint8_t *bytes = NULL;
	struct dfs_extent extent;

	if (!len || len > HEADER_MAX || !worker)
		return NULL;
	bytes = aligned_alloc(64, (len + 2 * DFS_VALUES_PAD + 63) / 64 * 64);
	if (!bytes)
		return NULL;
	/* A header has no dtype, so its chunks are cut on the grid and each begins aligned. */
	extent = dfs_extent_at(view, 0);
	do {
		if (extent.off >= len)
			break;
		if (dfs_chunk_decode(view, &extent, worker, bytes + extent.off, NULL) < 0)
			return NULL;
	} while (dfs_extent_next(view, &extent));
	if (dfs_header_parse(bytes, len, view->size, &header, NULL) < 0)
		return NULL;
	return header;
}

/* Bytes of an extent in words; under names->lock if @header is from there. */
static void describe(const struct dfs_header *header, const struct dfs_view *view,
		     const struct dfs_extent *extent, char *text, size_t room)
{
	const struct dfs_segment *s = &view->container->segments[extent->segment];
	const struct dfs_tensor *tensor = header ? dfs_header_at(header, extent->off) : NULL;

	if (tensor && s->kind == DFS_SEGMENT_BUNDLE)
		snprintf(text, room, "tensor \"%.500s\" and those after it: chunk %" PRIu32, tensor->name, extent->index);
	else if (tensor)
		snprintf(text, room, "tensor \"%.500s\": chunk %" PRIu32, tensor->name, extent->index);
	else if (s->kind == DFS_SEGMENT_HEADER)
		snprintf(text, room, "header: chunk %" PRIu32, extent->index);
	else
		snprintf(text, room, "bytes %" PRIu64 " to %" PRIu64, extent->off, extent->off + extent->len - 1);
}

static bool describe_known(struct dfs_names *names, const struct dfs_view *view,
			   const struct dfs_extent *extent, char *text, size_t room)
{
	bool known;

	pthread_mutex_lock(&names->lock);
	known = names->view == view;
	if (known)
		describe(names->header, view, extent, text, room);
	pthread_mutex_unlock(&names->lock);
	return known;
}

/* Return: what was kept before, for the caller to free. */
static struct dfs_header *keep(struct dfs_names *names, const struct dfs_view *view, struct dfs_header *header)
{
	struct dfs_header *before;

	pthread_mutex_lock(&names->lock);
	before = names->header;
	names->header = header;
	names->view = view;
	pthread_mutex_unlock(&names->lock);
	return before;
}

void dfs_names_explain(struct dfs_view *view, const struct dfs_extent *extent,
		       struct dfs_worker *worker, struct dfs_err *err)
{
	struct dfs_names *names = &view->reader->names;
	char text[640];

	if (!describe_known(names, view, extent, text, sizeof(text))) {
		struct dfs_header *header = header_decode(view, worker);

		describe(header, view, extent, text, sizeof(text));
		dfs_header_free(keep(names, view, header));
	}
	dfs_err_at(err, 0, "%s", text);
}

void dfs_names_forget(struct dfs_names *names, const struct dfs_view *view)
{
	struct dfs_header *before = NULL;

	pthread_mutex_lock(&names->lock);
	if (names->view == view) {
		before = names->header;
		names->header = NULL;
		names->view = NULL;
	}
	pthread_mutex_unlock(&names->lock);
	dfs_header_free(before);
}
