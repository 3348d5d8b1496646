/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account: see account.h. */
#include "account.h"

#include <stdlib.h>

#include "codec/lossy.h"
#include "predict/predict.h"
#include "tensor/dtype.h"
#include "tensor/linear.h"
#include "util/auto.h"

/* Records of the metadata: deltafs-format(5). */
#define CHUNK_RECORD 32
#define SEGMENT_RECORD 72
#define PIECE_RECORD 24
#define TABLE_RECORD 12

/* But for its chunks. */
static uint64_t segment_bytes(const struct dfs_container *c, const struct dfs_segment *seg)
{
	uint64_t bytes = SEGMENT_RECORD + seg->params_len + (uint64_t)seg->n_pieces * PIECE_RECORD;

	for (uint32_t i = 0; i < seg->n_tables; i++)
		bytes += TABLE_RECORD + c->tables[seg->first_table + i].len;
	return bytes;
}

/* What the bytes [off, end) of a segment take, and how many bytes each codec made. */
static double part_bytes(const struct dfs_container *c, const struct dfs_segment *seg, uint64_t off,
			 uint64_t end, uint64_t by_codec[CTL_CODECS])
{
	double stored = (double)segment_bytes(c, seg) * (double)(end - off) / (double)seg->len;
	uint32_t last = dfs_segment_chunk_at(seg, end - 1);

	for (uint32_t i = dfs_segment_chunk_at(seg, off); i <= last; i++) {
		const struct dfs_chunk_ref *chunk = &c->chunks[seg->first_chunk + i];
		uint64_t at, len, from, to;

		dfs_segment_chunk(seg, i, &at, &len);
		from = at > off ? at : off;
		to = at + len < end ? at + len : end;
		stored += (double)(chunk->len + CHUNK_RECORD) * (double)(to - from) / (double)len;
		by_codec[chunk->codec % CTL_CODECS] += to - from;
	}
	return stored;
}

void ctl_account_tensor(const struct dfs_container *c, const struct dfs_tensor *tensor,
			struct ctl_account_tensor *ret_account)
{
	uint64_t by_codec[CTL_CODECS] = { 0 }, off = tensor->off, end = tensor->off + tensor->len;
	struct ctl_account_tensor account = { .predictor = dfs_predictor_name(DFS_PREDICT_NONE) };

	while (off < end) {
		const struct dfs_segment *seg = &c->segments[dfs_container_find(c, off)];
		uint64_t stop = seg->off + seg->len < end ? seg->off + seg->len : end;

		account.stored_bytes += part_bytes(c, seg, off, stop, by_codec);
		if (seg->predictor != DFS_PREDICT_NONE)
			account.predictor = dfs_predictor_name(seg->predictor);
		off = stop;
	}
	for (unsigned id = 1; id < CTL_CODECS; id++)
		if (by_codec[id] > by_codec[account.codec])
			account.codec = id;
	for (unsigned id = 0; id < CTL_CODECS; id++)
		account.lossy |= by_codec[id] && dfs_lossy_find(id);
	*ret_account = account;
}

uint64_t ctl_account_params(const struct dfs_tensor *tensor)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(tensor->dtype);

	return info && info->bits ? tensor->len * 8 / info->bits : 0;
}

static void add_tensor(struct ctl_account_sum *sum, const struct dfs_tensor *tensor)
{
	sum->params += ctl_account_params(tensor);
	sum->original_bytes += tensor->len;
}

static void add_tensors(const struct dfs_container *c, const struct dfs_header *header,
			struct ctl_account *account)
{
	double linear = 0, given_up = 0;

	for (size_t i = 0; i < header->n_tensors; i++) {
		const struct dfs_tensor *tensor = &header->tensors[i];
		struct ctl_account_tensor one;

		account->all.params += ctl_account_params(tensor);
		ctl_account_tensor(c, tensor, &one);
		if (dfs_tensor_role(tensor) == DFS_ROLE_LINEAR) {
			add_tensor(&account->linear, tensor);
			linear += one.stored_bytes;
		}
		if (one.lossy) {
			add_tensor(&account->given_up, tensor);
			given_up += one.stored_bytes;
		}
	}
	account->linear.stored_bytes = (uint64_t)(linear + 0.5);
	account->given_up.stored_bytes = (uint64_t)(given_up + 0.5);
}

void ctl_account_make(const struct dfs_container *c, const struct dfs_header *header,
		      struct ctl_account *ret_account)
{
	struct ctl_account account = { 0 };

	account.all.original_bytes = c->sb.original_size;
	account.all.stored_bytes = c->sb.container_size;
	for (uint32_t s = 0; s < c->n_segments; s++)
		for (uint32_t i = 0; i < c->segments[s].n_chunks; i++) {
			const struct dfs_chunk_ref *chunk = &c->chunks[c->segments[s].first_chunk + i];
			struct ctl_account_codec *codec = &account.codecs[chunk->codec % CTL_CODECS];
			uint64_t off, len;

			dfs_segment_chunk(&c->segments[s], i, &off, &len);
			codec->chunks++;
			codec->original_bytes += len;
			codec->stored_bytes += chunk->len;
		}
	for (uint32_t i = 0; i < c->n_tables; i++)
		account.codecs[c->tables[i].codec % CTL_CODECS].table_bytes += c->tables[i].len;
	if (header)
		add_tensors(c, header, &account);
	*ret_account = account;
}
