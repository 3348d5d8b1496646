/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept_record: a record's bytes.
 *
 *	deltafs kept 2	1: without a hash
 *	at 1796029200
 *	until 1796634000	or "manual"
 *	bytes 123456789
 *	mode 0644
 *	hash 0123456789abcdef0123456789abcdef	of the original's content
 *	original 1234 1796029100000000000
 *	file 1240 1796029199000000000	once or twice
 *	path a/b.safetensors	the rest but for the last line, whatever is in it
 *	0123456789abcdef	the hash of all before
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/internal.h"
#include "store/kept.h"
#include "util/hash.h"

#define CHECK_DIGITS 16
#define RECORD_VERSION 2

/* --- out */

static void put_until(FILE *out, int64_t until_s)
{
	if (until_s == DFS_KEPT_MANUAL)
		fputs("until manual\n", out);
	else
		fprintf(out, "until %" PRId64 "\n", until_s);
}

/* Return: the version that the rest is of. */
static int version_of(const struct dfs_kept *kept)
{
	return dfs_hash_is_zero(kept->hash) ? 1 : RECORD_VERSION;
}

static void put_hash(FILE *out, struct dfs_hash hash)
{
	char hex[DFS_HASH_HEX];

	if (!dfs_hash_is_zero(hash))
		fprintf(out, "hash %s\n", dfs_hash_hex(hash, hex));
}

static void put_file(FILE *out, const char *word, const struct dfs_file_id *id)
{
	if (id->ino)
		fprintf(out, "%s %" PRIu64 " %" PRId64 "\n", word, id->ino, id->born_ns);
}

int dfs_kept_pack(const struct dfs_kept *kept, struct dfs_buf *ret_text)
{
	DFS_AUTO(mem) char *text = NULL;
	char check[CHECK_DIGITS + 2];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	fprintf(out, "deltafs kept %d\nat %" PRId64 "\n", version_of(kept), kept->at_s);
	put_until(out, kept->until_s);
	fprintf(out, "bytes %" PRIu64 "\nmode %04o\n", kept->bytes, (unsigned)kept->mode);
	put_hash(out, kept->hash);
	put_file(out, "original", &kept->original);
	for (size_t i = 0; i < DFS_KEPT_FILES; i++)
		put_file(out, "file", &kept->files[i]);
	fprintf(out, "path %s\n", kept->path);
	if (fclose(out) != 0)
		return -ENOMEM;
	snprintf(check, sizeof(check), "%016" PRIx64 "\n", dfs_hash64(text, len, 0));
	if (dfs_buf_append(ret_text, text, len) < 0 || dfs_buf_append(ret_text, check, CHECK_DIGITS + 1) < 0)
		return -ENOMEM;
	return 0;
}

/* --- in */

static bool get_until(struct dfs_kept *kept, const char *value)
{
	if (strcmp(value, "manual") == 0) {
		kept->until_s = DFS_KEPT_MANUAL;
		return true;
	}
	return sscanf(value, "%" SCNd64, &kept->until_s) == 1;
}

static bool get_file(struct dfs_file_id *id, const char *value)
{
	return sscanf(value, "%" SCNu64 " %" SCNd64, &id->ino, &id->born_ns) == 2 && id->ino;
}

static bool get_line(struct dfs_kept *kept, const char *word, const char *value)
{
	unsigned mode;

	if (strcmp(word, "at") == 0)
		return sscanf(value, "%" SCNd64, &kept->at_s) == 1;
	if (strcmp(word, "until") == 0)
		return get_until(kept, value);
	if (strcmp(word, "bytes") == 0)
		return sscanf(value, "%" SCNu64, &kept->bytes) == 1;
	if (strcmp(word, "hash") == 0)
		return dfs_hash_parse(value, &kept->hash) == 0;
	if (strcmp(word, "original") == 0)
		return get_file(&kept->original, value);
	if (strcmp(word, "file") == 0)
		return get_file(&kept->files[kept->files[0].ino != 0], value);
	if (strcmp(word, "mode") != 0 || sscanf(value, "%o", &mode) != 1)
		return false;
	kept->mode = mode & 07777;
	return true;
}

/* Lines up to that of the path. @text: NUL-terminated. Return: where the path begins; NULL: they make no sense. */
static char *get_lines(struct dfs_kept *kept, char *text)
{
	while (strncmp(text, "path ", 5) != 0) {
		char *end = strchr(text, '\n'), *space = strchr(text, ' ');

		if (!end || !space || space > end)
			return NULL;
		*end = *space = '\0';
		if (!get_line(kept, text, space + 1))
			return NULL;
		text = end + 1;
	}
	return text + 5;
}

/* Return: where the lines begin; NULL: damaged. */
static char *get_head(char *text, size_t len, unsigned *ret_version)
{
	char check[CHECK_DIGITS + 2];
	int end = 0;

	if (len < CHECK_DIGITS + 2 || strlen(text) != len)
		return NULL;
	len -= CHECK_DIGITS + 1;
	snprintf(check, sizeof(check), "%016" PRIx64 "\n", dfs_hash64(text, len, 0));
	if (memcmp(text + len, check, CHECK_DIGITS + 1) != 0 || text[len - 1] != '\n')
		return NULL;
	text[len - 1] = '\0';
	if (sscanf(text, "deltafs kept %9u\n%n", ret_version, &end) != 1 || !end)
		return NULL;
	return text + end;
}

int dfs_kept_unpack(const char *id, const void *text, size_t len, struct dfs_kept *ret_kept)
{
	DFS_AUTO(mem) char *copy = malloc(len + 1);
	struct dfs_kept kept = { .until_s = INT64_MIN };
	char *lines, *path;
	unsigned version;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	lines = get_head(copy, len, &version);
	if (!lines)
		return -EUCLEAN;
	if (version > RECORD_VERSION)
		return -ENOTSUP;
	path = get_lines(&kept, lines);
	if (!path || !*path || kept.until_s == INT64_MIN || !kept.original.ino || !kept.files[0].ino)
		return -EUCLEAN;
	kept.path = strdup(path);
	if (!kept.path)
		return -ENOMEM;
	snprintf(kept.id, sizeof(kept.id), "%s", id);
	*ret_kept = kept;
	return 0;
}

char *dfs_kept_until_text(int64_t until_s, char ret_text[DFS_KEPT_UNTIL_LEN])
{
	time_t at = (time_t)until_s;
	struct tm tm;

	if (until_s == DFS_KEPT_MANUAL || !gmtime_r(&at, &tm) || !strftime(ret_text, DFS_KEPT_UNTIL_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(ret_text, DFS_KEPT_UNTIL_LEN, "manual");
	return ret_text;
}
