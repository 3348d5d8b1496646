/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal: the metadata block as its packer and its reader share it.
 *
 * deltafs-format(5), "METADATA": a header that says where each section lies,
 * then the sections, each an array of records of one size.
 */
#ifndef DFS_FORMAT_INTERNAL_H
#define DFS_FORMAT_INTERNAL_H

#include "format/container.h"

enum section {
	SECTION_BASES,
	SECTION_SEGMENTS,
	SECTION_PIECES,
	SECTION_TABLES,
	SECTION_CHUNKS,
	SECTION_BLOB,
	SECTION_STRINGS,
	SECTIONS
};

#define BASE_RECORD 64
#define SEGMENT_RECORD 72
#define PIECE_RECORD 24
#define TABLE_RECORD 12
#define CHUNK_RECORD 32

#define META_HEADER 16		/* before the list of sections */
#define META_SECTION 16		/* one entry of that list */
#define META_ALIGN 8u		/* where sections begin */

/* Where a section lies in the metadata block. */
struct place {
	uint64_t off;
	uint64_t count; /* records */
};

static inline uint64_t align_up(uint64_t off)
{
	return (off + META_ALIGN - 1) & ~(uint64_t)(META_ALIGN - 1);
}

/* dfs_section_record() - bytes of one record of a section */
size_t dfs_section_record(enum section which);

/**
 * dfs_sections_read() - find the sections of a metadata block
 * @compatible: features of the superblock; an unknown one may add sections
 * Return: 0; -EUCLEAN unless each lies just behind the one before it, padding
 * is zero and the block is used up.
 */
int dfs_sections_read(struct dfs_span meta, uint64_t compatible, struct place places[SECTIONS],
		      struct dfs_err *err);

/**
 * dfs_relations_check() - everything about records that does not fit together is -EUCLEAN
 * Fills in piece_starts on the way.
 */
int dfs_relations_check(struct dfs_container *c, struct dfs_err *err);

#endif
