/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reasons: see reasons.h. */
#include "write/reasons.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/journal.h"
#include "util/hash.h"

#define BUCKETS 8192
#define NUMBERS 6 /* of a "set" line, before the detail */

const struct dfs_journal_form dfs_reasons_form = {
	.path = DFS_STORE_DIR "/reasons", .word = "deltafs-reasons", .version = 1,
	.holds = "why files are plain",
};

/* What a reason is kept for. */
struct key {
	uint64_t device, inode;
};

struct entry {
	struct key key;
	uint64_t size;
	uint64_t mtime_ns;
	uint64_t number;
	unsigned id;
	char *detail;
	struct entry *chain;		/* in its bucket */
	struct entry *older, *newer;	/* NULL at the ends */
};

struct dfs_reasons {
	uint64_t root_device;
	struct dfs_journal *journal;

	pthread_mutex_t lock;
	struct entry *buckets[BUCKETS];	/* under lock, as all below */
	struct entry *oldest, *newest;
	size_t n, n_wanting;		/* and those of dfs_reason_wants_base() */
	struct dfs_hash *bases;
	size_t n_bases;
};

/* --- under the lock */

static struct entry **bucket(struct dfs_reasons *r, struct key key)
{
	return &r->buckets[dfs_hash64(&key, sizeof(key), 0) % BUCKETS];
}

static struct entry *find(struct dfs_reasons *r, struct key key)
{
	struct entry *entry = *bucket(r, key);

	while (entry && (entry->key.device != key.device || entry->key.inode != key.inode))
		entry = entry->chain;
	return entry;
}

static void entry_free(struct entry *entry)
{
	free(entry->detail);
	free(entry);
}

static void take_out(struct dfs_reasons *r, struct entry *entry)
{
	struct entry **p = bucket(r, entry->key);

	while (*p != entry)
		p = &(*p)->chain;
	*p = entry->chain;
	*(entry->older ? &entry->older->newer : &r->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &r->newest) = entry->older;
	r->n--;
	r->n_wanting -= dfs_reason_wants_base(entry->id);
	entry_free(entry);
}

/* In the place of what there is for its inode, as the newest. */
static void put(struct dfs_reasons *r, struct entry *entry)
{
	struct entry *old = find(r, entry->key), **p = bucket(r, entry->key);

	if (old)
		take_out(r, old);
	entry->chain = *p;
	*p = entry;
	entry->older = r->newest;
	*(r->newest ? &r->newest->newer : &r->oldest) = entry;
	r->newest = entry;
	r->n_wanting += dfs_reason_wants_base(entry->id);
	if (++r->n > DFS_REASONS_KEPT)
		take_out(r, r->oldest);
}

static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->size == b->size && a->mtime_ns == b->mtime_ns && a->id == b->id && a->number == b->number &&
	       strcmp(a->detail, b->detail) == 0;
}

static bool has(const struct dfs_hash *ids, size_t n, struct dfs_hash id)
{
	for (size_t i = 0; i < n; i++)
		if (dfs_hash_equal(ids[i], id))
			return true;
	return false;
}

static bool knows(const struct dfs_reasons *r, struct dfs_hash id)
{
	return has(r->bases, r->n_bases, id);
}

static void learn(struct dfs_reasons *r, struct dfs_hash id)
{
	struct dfs_hash *more = knows(r, id) ? NULL : reallocarray(r->bases, r->n_bases + 1, sizeof(*more));

	if (!more)
		return;
	r->bases = more;
	r->bases[r->n_bases++] = id;
}

static void unlearn(struct dfs_reasons *r, struct dfs_hash id)
{
	for (size_t i = 0; i < r->n_bases; i++)
		if (dfs_hash_equal(r->bases[i], id))
			r->bases[i--] = r->bases[--r->n_bases];
}

/* --- lines */

/* The fields of a line, and the bytes of their numbers. */
struct line {
	char text[NUMBERS][24];
	const char *fields[NUMBERS + 2];
};

static const char *const *line_set(const struct entry *entry, struct line *line)
{
	const uint64_t numbers[NUMBERS] = {
		entry->key.device, entry->key.inode, entry->size, entry->mtime_ns, entry->id, entry->number,
	};

	line->fields[0] = "set";
	for (size_t i = 0; i < NUMBERS; i++) {
		snprintf(line->text[i], sizeof(line->text[i]), "%" PRIu64, numbers[i]);
		line->fields[i + 1] = line->text[i];
	}
	line->fields[NUMBERS + 1] = entry->detail;
	return line->fields;
}

static bool numbers_parse(char **fields, size_t n, uint64_t *ret_numbers)
{
	for (size_t i = 0; i < n; i++) {
		int end = 0;

		if (sscanf(fields[i], "%" SCNu64 "%n", &ret_numbers[i], &end) != 1 || fields[i][end] ||
		    fields[i][0] < '0' || fields[i][0] > '9')
			return false;
	}
	return true;
}

static bool is_base(char **fields, size_t n, struct dfs_hash *ret_id)
{
	return n == 2 && (strcmp(fields[0], "base") == 0 || strcmp(fields[0], "no-base") == 0) &&
	       dfs_hash_parse(fields[1], ret_id) == 0;
}

static bool is_clear(char **fields, size_t n, uint64_t *ret_numbers)
{
	return n == 3 && strcmp(fields[0], "clear") == 0 && numbers_parse(fields + 1, 2, ret_numbers);
}

static bool is_set(char **fields, size_t n, uint64_t *ret_numbers)
{
	return n == NUMBERS + 2 && strcmp(fields[0], "set") == 0 && numbers_parse(fields + 1, NUMBERS, ret_numbers) &&
	       ret_numbers[4] != DFS_REASON_NONE && ret_numbers[4] <= INT32_MAX;
}

bool dfs_reasons_sense(void *unused, char **fields, size_t n)
{
	uint64_t numbers[NUMBERS];
	struct dfs_hash id;

	(void)unused;
	return is_clear(fields, n, numbers) || is_set(fields, n, numbers) || is_base(fields, n, &id);
}

/* dfs_journal_line_fn; nobody else is there yet */
static bool receive(void *arg, char **fields, size_t n)
{
	struct dfs_reasons *r = arg;
	uint64_t numbers[NUMBERS];
	struct dfs_hash id;
	struct entry *entry;

	if (is_clear(fields, n, numbers)) {
		entry = find(r, (struct key){ numbers[0], numbers[1] });
		if (entry)
			take_out(r, entry);
		return true;
	}
	if (is_base(fields, n, &id)) {
		(strcmp(fields[0], "base") == 0 ? learn : unlearn)(r, id);
		return true;
	}
	if (!is_set(fields, n, numbers))
		return false;
	entry = calloc(1, sizeof(*entry));
	if (entry)
		entry->detail = strdup(fields[NUMBERS + 1]);
	if (!entry || !entry->detail) {
		free(entry);
		return true; /* not the line's fault */
	}
	entry->key = (struct key){ numbers[0], numbers[1] };
	entry->size = numbers[2];
	entry->mtime_ns = numbers[3];
	entry->id = (unsigned)numbers[4];
	entry->number = numbers[5];
	put(r, entry);
	return true;
}

/* --- taking it */

int dfs_reasons_new(struct dfs_store *store, struct dfs_log *log, struct dfs_reasons **ret_reasons, struct dfs_err *err)
{
	struct dfs_reasons *r = calloc(1, sizeof(*r));
	struct stat st;
	int ret;

	if (!r)
		return dfs_fail(err, ENOMEM, "out of memory");
	pthread_mutex_init(&r->lock, NULL);
	if (fstat(dfs_store_fd(store), &st) == 0)
		r->root_device = st.st_dev;
	ret = dfs_journal_open(store, log, &dfs_reasons_form, receive, r, &r->journal, err);
	if (ret < 0) {
		dfs_reasons_free(r);
		return ret;
	}
	*ret_reasons = r;
	return 0;
}

void dfs_reasons_free(struct dfs_reasons *r)
{
	if (!r)
		return;
	dfs_journal_close(r->journal);
	while (r->oldest)
		take_out(r, r->oldest);
	free(r->bases);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct key key_of(const struct dfs_reasons *r, const struct stat *st)
{
	return (struct key){ st->st_dev == r->root_device ? 0 : st->st_dev, st->st_ino };
}

static uint64_t mtime_of(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

static struct entry *entry_new(const struct dfs_reasons *r, const struct stat *st, const struct dfs_reason *why)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->detail = strdup(why->detail);
	if (!entry->detail) {
		free(entry);
		return NULL;
	}
	entry->key = key_of(r, st);
	entry->size = (uint64_t)st->st_size;
	entry->mtime_ns = mtime_of(st);
	entry->id = why->id;
	entry->number = why->number;
	return entry;
}

void dfs_reasons_set(struct dfs_reasons *r, const struct stat *st, const struct dfs_reason *why)
{
	struct entry *entry, *known;
	struct line line;

	if (why->id == DFS_REASON_NONE) {
		dfs_reasons_clear(r, st);
		return;
	}
	entry = entry_new(r, st, why);
	if (!entry)
		return;
	pthread_mutex_lock(&r->lock);
	known = find(r, entry->key);
	if (known && is_same(known, entry)) {
		entry_free(entry);
	} else {
		put(r, entry);
		dfs_journal_note(r->journal, line_set(entry, &line), NUMBERS + 2);
	}
	pthread_mutex_unlock(&r->lock);
	dfs_journal_flush(r->journal);
}

void dfs_reasons_clear(struct dfs_reasons *r, const struct stat *st)
{
	struct key key = key_of(r, st);
	char device[24], inode[24];
	struct entry *known;

	pthread_mutex_lock(&r->lock);
	known = find(r, key);
	if (known) {
		take_out(r, known);
		snprintf(device, sizeof(device), "%" PRIu64, key.device);
		snprintf(inode, sizeof(inode), "%" PRIu64, key.inode);
		dfs_journal_note(r->journal, (const char *[]){ "clear", device, inode }, 3);
	}
	pthread_mutex_unlock(&r->lock);
	dfs_journal_flush(r->journal);
}

bool dfs_reasons_find(struct dfs_reasons *r, const struct stat *st, struct dfs_reason *ret_why)
{
	const struct entry *entry;
	bool found;

	pthread_mutex_lock(&r->lock);
	entry = find(r, key_of(r, st));
	found = entry && entry->size == (uint64_t)st->st_size && entry->mtime_ns == mtime_of(st);
	if (found)
		dfs_reason_set(ret_why, entry->id, entry->number, entry->detail);
	pthread_mutex_unlock(&r->lock);
	return found;
}

bool dfs_reasons_outdated(struct dfs_reasons *r, const struct dfs_hash *ids, size_t n)
{
	bool outdated = false;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < n && r->n_wanting; i++)
		outdated |= !knows(r, ids[i]);
	pthread_mutex_unlock(&r->lock);
	return outdated;
}

void dfs_reasons_bases(struct dfs_reasons *r, const struct dfs_hash *ids, size_t n)
{
	char hex[DFS_HASH_HEX];

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < n; i++)
		if (!knows(r, ids[i]))
			dfs_journal_note(r->journal, (const char *[]){ "base", dfs_hash_hex(ids[i], hex) }, 2);
	for (size_t i = 0; i < r->n_bases; i++)
		if (!has(ids, n, r->bases[i]))
			dfs_journal_note(r->journal, (const char *[]){ "no-base", dfs_hash_hex(r->bases[i], hex) }, 2);
	r->n_bases = 0;
	for (size_t i = 0; i < n; i++)
		learn(r, ids[i]);
	pthread_mutex_unlock(&r->lock);
	dfs_journal_flush(r->journal);
}

void dfs_reasons_tidy(struct dfs_reasons *r)
{
	char hex[DFS_HASH_HEX];
	struct line line;

	if (dfs_journal_compact_in_ms(r->journal) != 0)
		return;
	pthread_mutex_lock(&r->lock);
	dfs_journal_snapshot(r->journal);
	for (const struct entry *entry = r->oldest; entry; entry = entry->newer)
		dfs_journal_snapshot_add(r->journal, line_set(entry, &line), NUMBERS + 2);
	for (size_t i = 0; i < r->n_bases; i++)
		dfs_journal_snapshot_add(r->journal, (const char *[]){ "base", dfs_hash_hex(r->bases[i], hex) }, 2);
	pthread_mutex_unlock(&r->lock);
	dfs_journal_compact(r->journal);
}
