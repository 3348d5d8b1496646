/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bases: from a base file's content hash to an open descriptor.
 *
 * A table of open files by hash and a list of the idle ones. The lock guards
 * the table alone: files are looked for, opened and hashed without it, and who
 * comes second with the same file closes his.
 */
#include "store/bases.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/base_search.h"
#include "store/internal.h"

#define BUCKETS 64
#define CHECK_EVERY_S 1

struct entry {
	struct dfs_base base;		/* first: what users hold */
	struct dfs_found found; /* where it was opened, and what it looked like; immutable */
	/* under bases->lock: */
	struct entry *next;		/* of its bucket */
	struct entry *newer, *older;	/* of the idle list, while refs is 0 */
	unsigned refs;
	bool stale;			/* no longer in the table; closed by the last put */
	time_t checked_s;		/* CLOCK_MONOTONIC */
};

struct dfs_bases {
	struct dfs_search search;	/* its own lock */
	pthread_mutex_t lock;
	struct entry *buckets[BUCKETS];	/* under lock, like all below */
	struct entry *newest, *oldest;	/* idle */
	unsigned n_idle;
	uint64_t opens;
};

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

struct dfs_bases *dfs_bases_new(struct dfs_store *store)
{
	struct dfs_bases *bases = calloc(1, sizeof(*bases));

	if (!bases)
		return NULL;
	pthread_mutex_init(&bases->lock, NULL);
	dfs_search_init(&bases->search, store);
	return bases;
}

int dfs_bases_add(struct dfs_bases *bases, const char *path, struct dfs_err *err)
{
	return dfs_search_add(&bases->search, path, err);
}

void dfs_bases_shown_at(struct dfs_bases *bases, dev_t dev)
{
	atomic_store(&bases->search.own_dev, dev);
}

static void entry_free(struct entry *entry)
{
	dfs_found_release(&entry->found);
	if (entry->base.fd >= 0)
		close(entry->base.fd);
	free(entry);
}

static struct entry **bucket_of(struct dfs_bases *bases, const struct dfs_hash *hash)
{
	return &bases->buckets[hash->bytes[0] % BUCKETS];
}

static void unlink_entry(struct dfs_bases *bases, struct entry *entry)
{
	struct entry **p = bucket_of(bases, &entry->base.hash);

	while (*p != entry)
		p = &(*p)->next;
	*p = entry->next;
	entry->stale = true;
}

static void idle_remove(struct dfs_bases *bases, struct entry *entry)
{
	*(entry->newer ? &entry->newer->older : &bases->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &bases->oldest) = entry->newer;
	entry->newer = entry->older = NULL;
	bases->n_idle--;
}

static void idle_add(struct dfs_bases *bases, struct entry *entry)
{
	entry->older = bases->newest;
	*(bases->newest ? &bases->newest->newer : &bases->oldest) = entry;
	bases->newest = entry;
	bases->n_idle++;
}

/* Close idle files until @keep are left. Closing a file that is read-only does no I/O. */
static void idle_trim(struct dfs_bases *bases, unsigned keep)
{
	while (bases->n_idle > keep) {
		struct entry *entry = bases->oldest;

		idle_remove(bases, entry);
		unlink_entry(bases, entry);
		entry_free(entry);
	}
}

void dfs_bases_free(struct dfs_bases *bases)
{
	if (!bases)
		return;
	idle_trim(bases, 0);
	dfs_search_release(&bases->search);
	pthread_mutex_destroy(&bases->lock);
	free(bases);
}

static void put_locked(struct dfs_bases *bases, struct entry *entry)
{
	if (--entry->refs)
		return;
	if (entry->stale) {
		entry_free(entry);
		return;
	}
	idle_add(bases, entry);
	idle_trim(bases, DFS_BASES_IDLE);
}

void dfs_base_put(struct dfs_bases *bases, struct dfs_base *base)
{
	if (!base)
		return;
	pthread_mutex_lock(&bases->lock);
	put_locked(bases, (struct entry *)base);
	pthread_mutex_unlock(&bases->lock);
}

void dfs_base_hold(struct dfs_bases *bases, struct dfs_base *base)
{
	pthread_mutex_lock(&bases->lock);
	((struct entry *)base)->refs++;
	pthread_mutex_unlock(&bases->lock);
}

char *dfs_base_path(const struct dfs_base *base)
{
	const struct dfs_place *place = &((const struct entry *)base)->found.place;

	if (place->kind == DFS_PLACE_PIN)
		return NULL;
	return place->dir == AT_FDCWD ? realpath(place->path, NULL) : strdup(place->path);
}

/* The open file for @want, or NULL. */
static struct entry *find(struct dfs_bases *bases, const struct dfs_base_file *want)
{
	struct entry *entry = *bucket_of(bases, &want->hash);

	while (entry && (entry->base.size != want->size || !dfs_hash_equal(entry->base.hash, want->hash)))
		entry = entry->next;
	return entry;
}

/* The same, referenced. @ret_check: look whether it is still at its place. */
static struct entry *take(struct dfs_bases *bases, const struct dfs_base_file *want,
			  bool *ret_check)
{
	struct entry *entry = find(bases, want);
	time_t now = now_s();

	if (!entry)
		return NULL;
	if (entry->refs++ == 0)
		idle_remove(bases, entry);
	*ret_check = now - entry->checked_s >= CHECK_EVERY_S;
	if (*ret_check)
		entry->checked_s = now;
	return entry;
}

/* Out of the table, unless somebody was faster; its users keep their descriptor. */
static void drop(struct dfs_bases *bases, struct entry *entry)
{
	pthread_mutex_lock(&bases->lock);
	if (!entry->stale)
		unlink_entry(bases, entry);
	put_locked(bases, entry);
	pthread_mutex_unlock(&bases->lock);
}

static struct entry *lookup(struct dfs_bases *bases, const struct dfs_base_file *want)
{
	struct entry *entry;
	bool check = false;

	pthread_mutex_lock(&bases->lock);
	entry = take(bases, want, &check);
	pthread_mutex_unlock(&bases->lock);
	if (!entry || !check || dfs_search_still(&bases->search, &entry->found, want))
		return entry;
	drop(bases, entry);
	return NULL;
}

/* Put a newly opened file into the table, or take the one that another thread put there. */
static struct entry *insert(struct dfs_bases *bases, struct entry *entry,
			    const struct dfs_base_file *want)
{
	struct entry **bucket = bucket_of(bases, &want->hash);
	struct entry *there;
	bool check;

	pthread_mutex_lock(&bases->lock);
	there = take(bases, want, &check);
	if (!there) {
		entry->base.serial = ++bases->opens;
		atomic_init(&entry->base.identity, entry->found.identity);
		entry->next = *bucket;
		*bucket = entry;
	}
	pthread_mutex_unlock(&bases->lock);
	if (!there)
		return entry;
	entry_free(entry);
	return there;
}

static int search(struct dfs_bases *bases, const struct dfs_base_file *want, struct entry *entry,
		  struct dfs_err *err)
{
	int ret = dfs_search_open(&bases->search, want, &entry->found, &entry->base.fd, err);

	if (ret != -EMFILE && ret != -ENFILE)
		return ret;
	pthread_mutex_lock(&bases->lock);
	idle_trim(bases, 0);
	pthread_mutex_unlock(&bases->lock);
	return dfs_search_open(&bases->search, want, &entry->found, &entry->base.fd, err);
}

int dfs_bases_get(struct dfs_bases *bases, const struct dfs_base_file *want,
		  struct dfs_base **ret_base, struct dfs_err *err)
{
	struct entry *entry = lookup(bases, want);
	int ret;

	if (entry) {
		*ret_base = &entry->base;
		return 0;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return dfs_fail(err, ENOMEM, "out of memory");
	entry->base = (struct dfs_base){ .fd = -1, .size = want->size, .hash = want->hash };
	entry->refs = 1;
	entry->checked_s = now_s();
	ret = search(bases, want, entry, err);
	if (ret < 0) {
		entry_free(entry);
		return ret;
	}
	*ret_base = &insert(bases, entry, want)->base;
	return 0;
}

void dfs_bases_look_again(struct dfs_bases *bases, const struct dfs_base_file *want)
{
	struct entry *entry;

	pthread_mutex_lock(&bases->lock);
	entry = find(bases, want);
	if (entry)
		entry->checked_s -= CHECK_EVERY_S;
	pthread_mutex_unlock(&bases->lock);
}

/* The first one was another file: is there a right one elsewhere? */
static int settle_elsewhere(struct dfs_bases *bases, const struct dfs_base_file *want, struct dfs_err *err)
{
	struct dfs_base *base;
	int ret = dfs_bases_get(bases, want, &base, err);

	if (ret < 0)
		return ret;
	if (atomic_load(&base->identity) == DFS_BASE_ALTERED)
		ret = dfs_fail(err, EIO, "base %s: %s has that size, but other content; only what is intact in it can be read",
			       want->name && *want->name ? want->name : "without a name",
			       dfs_place_describe(&((struct entry *)base)->found.place));
	dfs_base_put(bases, base);
	return ret;
}

int dfs_bases_settle(struct dfs_bases *bases, const struct dfs_base_file *want,
		     dfs_hash_progress_fn *progress, void *arg, struct dfs_err *err)
{
	struct dfs_base *base;
	struct entry *entry;
	int ret;

	ret = dfs_bases_get(bases, want, &base, err);
	if (ret < 0)
		return ret;
	entry = (struct entry *)base;
	if (atomic_load(&base->identity) == DFS_BASE_ALTERED)
		ret = dfs_fail(err, EALREADY, "%s: other content", dfs_place_describe(&entry->found.place));
	else
		ret = dfs_search_settle(&bases->search, &entry->found, base->fd, want, progress, arg, err);
	if (ret == -EUCLEAN) {
		drop(bases, entry);
		return settle_elsewhere(bases, want, err);
	}
	if (ret == 0)
		atomic_store(&base->identity, DFS_BASE_RIGHT);
	dfs_base_put(bases, base);
	return ret;
}
