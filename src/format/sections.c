/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sections: where the parts of a metadata block lie.
 *
 * Places are given although they could be computed, and checked to be what
 * would be computed: a reader in any language need only follow them, and no
 * byte of the block is without a meaning.
 */
#include "format/internal.h"

#include <errno.h>
#include <inttypes.h>

static const struct {
	const char *name;
	uint8_t record;
} sections[SECTIONS] = {
	[SECTION_BASES] = { "bases", BASE_RECORD },
	[SECTION_SEGMENTS] = { "segments", SEGMENT_RECORD },
	[SECTION_PIECES] = { "pieces", PIECE_RECORD },
	[SECTION_TABLES] = { "tables", TABLE_RECORD },
	[SECTION_CHUNKS] = { "chunks", CHUNK_RECORD },
	[SECTION_BLOB] = { "blob", 1 },
	[SECTION_STRINGS] = { "strings", 1 },
};

size_t dfs_section_record(enum section which)
{
	return sections[which].record;
}

static bool padding_is_zero(struct dfs_span meta, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		if (meta.data[i])
			return false;
	return true;
}

/* Checks one section that has to begin at *@next; moves *@next behind it. */
static int section_read(struct dfs_span meta, enum section which, uint64_t *next,
			struct place *ret_place, struct dfs_err *err)
{
	const uint8_t *entry = meta.data + META_HEADER + META_SECTION * which;
	struct place place = { dfs_get_u64le(entry), dfs_get_u64le(entry + 8) };
	const char *name = sections[which].name;
	uint64_t max = which == SECTION_BLOB || which == SECTION_STRINGS ? meta.len : UINT32_MAX;
	uint64_t bytes, end;

	if (place.off != *next)
		return dfs_fail(err, EUCLEAN, "metadata: %s at %" PRIu64 ", not at %" PRIu64, name,
				place.off, *next);
	if (place.count > max || __builtin_mul_overflow(place.count, (uint64_t)sections[which].record, &bytes) ||
	    __builtin_add_overflow(place.off, bytes, &end) || end > meta.len || align_up(end) > meta.len)
		return dfs_fail(err, EUCLEAN, "metadata: %s: %" PRIu64 " of them do not fit", name,
				place.count);
	if (!padding_is_zero(meta, end, align_up(end)))
		return dfs_fail(err, EUCLEAN, "metadata: padding after %s is not zero", name);
	*next = align_up(end);
	*ret_place = place;
	return 0;
}

int dfs_sections_read(struct dfs_span meta, uint64_t compatible, struct place places[SECTIONS],
		      struct dfs_err *err)
{
	uint64_t n, next;

	if (meta.len % META_ALIGN || meta.len < META_HEADER + META_SECTION * SECTIONS)
		return dfs_fail(err, EUCLEAN, "metadata: %zu bytes", meta.len);
	n = dfs_get_u32le(meta.data);
	next = META_HEADER + META_SECTION * n;
	if (n < SECTIONS || (n > SECTIONS && !compatible) || next > meta.len)
		return dfs_fail(err, EUCLEAN, "metadata: %" PRIu64 " sections", n);
	if (dfs_get_u32le(meta.data + 4) || dfs_get_u64le(meta.data + 8))
		return dfs_fail(err, EUCLEAN, "metadata: a reserved field is not zero");
	for (unsigned which = 0; which < SECTIONS; which++) {
		int ret = section_read(meta, which, &next, &places[which], err);

		if (ret < 0)
			return ret;
	}
	if (n == SECTIONS && next != meta.len)
		return dfs_fail(err, EUCLEAN, "metadata: ends at %" PRIu64 " of %zu", next, meta.len);
	return 0;
}
