/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output: payloads from byte 256 on, then metadata, then the superblock twice. */
#include "write/output.h"

#include <stdlib.h>

#include "util/io.h"
#include "write/give_up.h"

int dfs_output_init(struct dfs_output *out, int fd)
{
	*out = (struct dfs_output){
		.fd = fd, .end = DFS_SUPERBLOCK_SIZE, .hasher = dfs_hasher_new(), .source = dfs_hasher_new(),
	};
	return out->hasher && out->source ? 0 : -ENOMEM;
}

void dfs_output_release(struct dfs_output *out)
{
	if (out->hasher)
		dfs_hasher_free(out->hasher);
	if (out->source)
		dfs_hasher_free(out->source);
	dfs_buf_release(&out->blob);
	dfs_buf_release(&out->tables);
	*out = (struct dfs_output){ .fd = -1 };
}

static int output_bytes(int fd, const void *bytes, size_t len, uint64_t off, struct dfs_err *err)
{
	int ret = dfs_pwrite_all(fd, bytes, len, off);

	return ret < 0 ? dfs_fail(err, -ret, "write: %s", strerror(-ret)) : 0;
}

static bool codec_used(const struct dfs_work *w, const struct dfs_segment *seg, unsigned codec)
{
	for (uint32_t i = 0; i < seg->n_chunks; i++)
		if (w->c.chunks[seg->first_chunk + i].codec == codec)
			return true;
	return false;
}

static int output_table(struct dfs_output *out, struct dfs_segment *seg, unsigned id, struct dfs_span bytes,
			struct dfs_err *err)
{
	struct dfs_table_record record = {
		.off = (uint32_t)out->blob.len, .len = (uint32_t)bytes.len, .codec = (uint8_t)id,
	};

	if (out->blob.len + bytes.len > UINT32_MAX)
		return dfs_fail(err, E2BIG, "more than 4 GiB of tables");
	if (dfs_buf_append(&out->blob, bytes.data, bytes.len) < 0 ||
	    dfs_buf_append(&out->tables, &record, sizeof(record)) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	seg->n_tables++;
	return 0;
}

static struct dfs_span table_bytes(const struct dfs_work *w, const struct dfs_work_segment *ws, unsigned id)
{
	if (!ws->lossy)
		return dfs_exact_table_bytes(ws->tables, id);
	return id == w->spec->codec ? (struct dfs_span){ ws->lossy->table_bytes.data, ws->lossy->table_bytes.len } :
				      (struct dfs_span){ NULL, 0 };
}

/* Once all chunks of a segment are encoded: its tables, but those that no chunk came to use. */
static int output_tables(struct dfs_output *out, struct dfs_work *w, uint32_t segment,
			 struct dfs_err *err)
{
	struct dfs_segment *seg = &w->c.segments[segment];
	struct dfs_work_segment *ws = &w->segments[segment];
	int ret = 0;

	seg->first_table = (uint32_t)(out->tables.len / sizeof(struct dfs_table_record));
	for (unsigned id = 0; id < DFS_CODECS && ret == 0; id++) {
		struct dfs_span bytes = table_bytes(w, ws, id);

		if (bytes.len && codec_used(w, seg, id))
			ret = output_table(out, seg, id, bytes, err);
	}
	dfs_exact_tables_free(ws->tables);
	ws->tables = NULL;
	dfs_give_up_done(ws->lossy);
	return ret;
}

int dfs_output_span(struct dfs_output *out, struct dfs_work *w, const struct dfs_coded *coded,
		    struct dfs_err *err)
{
	const struct dfs_span_place *place = &coded->place;
	const struct dfs_segment *seg = &w->c.segments[place->segment];
	const uint8_t *payload = coded->payload;
	int ret;

	dfs_hasher_add(out->hasher, coded->shown, place->len);
	if (w->n_lossy)
		dfs_hasher_add(out->source, coded->bytes->input, place->len);
	for (uint32_t i = 0; i < place->n; i++) {
		struct dfs_chunk_ref *ref = &w->c.chunks[seg->first_chunk + place->first + i];

		ref->off = out->end + (uint64_t)(payload - coded->payload);
		if (ref->len > 0)
			ref->payload_hash = dfs_hash64(payload, ref->len, ref->off);
		payload += ref->len;
	}
	ret = output_bytes(out->fd, coded->payload, coded->payload_len, out->end, err);
	out->end += coded->payload_len;
	if (ret == 0 && place->first + place->n == seg->n_chunks)
		ret = output_tables(out, w, place->segment, err);
	return ret;
}

static int output_meta(struct dfs_output *out, struct dfs_work *w, struct dfs_buf *meta,
		       struct dfs_err *err)
{
	struct dfs_superblock *sb = &w->c.sb;
	int ret;

	sb->version = DFS_FORMAT_VERSION;
	sb->shown_hash = dfs_hasher_end(out->hasher);
	sb->source_hash = w->n_lossy ? dfs_hasher_end(out->source) : sb->shown_hash;
	sb->incompatible = dfs_hash_equal(sb->source_hash, sb->shown_hash) ? 0 : DFS_FEATURE_LOSSY;
	w->c.tables = (struct dfs_table_record *)out->tables.data;
	w->c.n_tables = (uint32_t)(out->tables.len / sizeof(struct dfs_table_record));
	w->c.blob = out->blob.data;
	w->c.blob_len = out->blob.len;
	sb->meta_off = out->end;
	ret = dfs_container_pack(&w->c, meta, err);
	w->c.tables = NULL;
	w->c.blob = NULL;
	if (ret < 0)
		return ret;
	sb->meta_len = meta->len;
	sb->meta_hash = dfs_hash128(meta->data, meta->len);
	sb->container_size = sb->meta_off + sb->meta_len + DFS_SUPERBLOCK_SIZE;
	return output_bytes(out->fd, meta->data, meta->len, sb->meta_off, err);
}

int dfs_output_finish(struct dfs_output *out, struct dfs_work *w, struct dfs_err *err)
{
	uint8_t block[DFS_SUPERBLOCK_SIZE];
	struct dfs_buf meta = { 0 };
	int ret = output_meta(out, w, &meta, err);

	dfs_buf_release(&meta);
	if (ret < 0)
		return ret;
	dfs_superblock_pack(&w->c.sb, block);
	ret = output_bytes(out->fd, block, sizeof(block), w->c.sb.container_size - sizeof(block), err);
	return ret < 0 ? ret : output_bytes(out->fd, block, sizeof(block), 0, err);
}
