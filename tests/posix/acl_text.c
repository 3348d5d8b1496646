/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acl_text: u32le version 2, then for each entry u16le tag, u16le permissions,
 * u32le id (linux/posix_acl_xattr.h).
 */
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl_text.h"
#include "steps.h"

#define ACL_VERSION 2
#define NO_ID UINT32_MAX
#define HEAD 4
#define ENTRY 8

struct entry {
	uint16_t tag, permissions;
	uint32_t id;
};

/* The tag of an entry, by its first letter and whether it names an id. */
static const struct {
	char letter;
	uint16_t own, named;
} tags[] = {
	{ 'u', 0x01, 0x02 },
	{ 'g', 0x04, 0x08 },
	{ 'm', 0x10, 0 },
	{ 'o', 0x20, 0 },
};

#define N_TAGS (sizeof(tags) / sizeof(tags[0]))

static void put_entry(struct posix *p, char *text, unsigned char *bytes)
{
	char *id = strchr(text, ':'), *rights = strrchr(text, ':');
	struct entry entry = { .id = htole32(NO_ID) };
	uint16_t bits = 0;
	size_t i = 0;

	POSIX_WANT(p, id && rights > id && strlen(rights) == 4, "the case is written wrong: ACL entry %s", text);
	*rights++ = '\0';
	for (int bit = 0; bit < 3; bit++)
		bits |= (uint16_t)(rights[bit] != '-' ? 4 >> bit : 0);
	while (i < N_TAGS && tags[i].letter != text[0])
		i++;
	POSIX_WANT(p, i < N_TAGS, "the case is written wrong: ACL entry %s", text);
	entry.tag = htole16(tags[i].own);
	entry.permissions = htole16(bits);
	if (id[1]) {
		entry.tag = htole16(tags[i].named);
		entry.id = htole32((uint32_t)posix_number(p, id + 1));
	}
	memcpy(bytes, &entry, ENTRY);
}

size_t posix_acl_pack(struct posix *p, const char *text, unsigned char *bytes)
{
	uint32_t version = htole32(ACL_VERSION);
	char copy[256], *rest = NULL;
	size_t len = HEAD;

	snprintf(copy, sizeof(copy), "%s", text);
	memcpy(bytes, &version, HEAD);
	for (char *entry = strtok_r(copy, ",", &rest); entry; entry = strtok_r(NULL, ",", &rest)) {
		POSIX_WANT(p, len + ENTRY <= POSIX_ACL_BYTES, "the case is written wrong: a long ACL");
		put_entry(p, entry, bytes + len);
		len += ENTRY;
	}
	return len;
}

static int show_entry(const unsigned char *bytes, char *text, size_t size)
{
	struct entry entry;
	uint16_t bits;
	size_t i = 0;
	char id[16] = "";

	memcpy(&entry, bytes, ENTRY);
	bits = le16toh(entry.permissions);
	while (i < N_TAGS - 1 && le16toh(entry.tag) != tags[i].own && le16toh(entry.tag) != tags[i].named)
		i++;
	if (le32toh(entry.id) != NO_ID)
		snprintf(id, sizeof(id), "%u", le32toh(entry.id));
	return snprintf(text, size, "%c:%s:%c%c%c,", tags[i].letter, id, bits & 4 ? 'r' : '-',
			bits & 2 ? 'w' : '-', bits & 1 ? 'x' : '-');
}

void posix_acl_show(const unsigned char *bytes, size_t len, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t at = HEAD; at + ENTRY <= len && used < size; at += ENTRY)
		used += (size_t)show_entry(bytes + at, text + used, size - used);
}
