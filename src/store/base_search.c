/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_search: which file of all places is the base.
 *
 * A place whose file has the right size and the right (remembered) hash wins.
 * Else the first of the right size whose hash is not known; but if the user
 * named several of those, they are hashed until one fits. What is known to be
 * another file is passed over, but for a pin: under that name there was the
 * base once, and what is still as it was in it can be read. It is the last
 * resort.
 */
#include "store/base_search.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "store/hashes.h"
#include "store/internal.h"

/* How much a failure at a place tells; the most telling one is in the sentence. */
enum telling { NOTHING, MISSING, OTHER_SIZE, NO_FILE, UNREADABLE, ALTERED };

struct attempt {
	struct dfs_search *search;
	const struct dfs_base_file *want;
	struct dfs_found best;		/* right or unknown hash */
	int fd;				/* of best; -1: none */
	bool certain;			/* best has the right hash */
	bool altered;			/* best is a pin, with another one */
	unsigned n_named;		/* named files of the right size and unknown hash */
	enum telling telling;
	struct dfs_err why;
	int fatal;			/* -EMFILE, -ENOMEM: not the base's fault */
};

void dfs_search_init(struct dfs_search *search, struct dfs_store *store)
{
	memset(search, 0, sizeof(*search));
	search->store = store;
	pthread_mutex_init(&search->lock, NULL);
}

void dfs_search_release(struct dfs_search *search)
{
	dfs_paths_release(&search->named);
	pthread_mutex_destroy(&search->lock);
}

int dfs_search_add(struct dfs_search *search, const char *path, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths files = { 0 };
	DFS_AUTO(mem) char *whole = NULL;
	int ret = dfs_paths_expand(path, &files, err);

	if (ret < 0)
		return ret;
	/* absolute, since a daemon changes its directory; not resolved, since a link may change */
	whole = dfs_absolute(path);
	if (!whole || dfs_paths_add(&search->named, whole) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	return 0;
}

void dfs_found_release(struct dfs_found *found)
{
	free((char *)found->place.path);
	found->place.path = NULL;
}

/* The hash of a file that looks like @st, if this process or the store knows it. */
static bool hash_known(struct dfs_search *search, const struct stat *st, struct dfs_hash *ret_hash)
{
	bool known = false;

	pthread_mutex_lock(&search->lock);
	for (unsigned i = 0; i < DFS_KNOWN && !known; i++) {
		known = search->known[i].st.st_ino && dfs_stat_unchanged(&search->known[i].st, st);
		if (known)
			*ret_hash = search->known[i].hash;
	}
	pthread_mutex_unlock(&search->lock);
	return known || dfs_hashes_find(search->store, st, ret_hash);
}

static void hash_note(struct dfs_search *search, const struct stat *st, struct dfs_hash hash)
{
	pthread_mutex_lock(&search->lock);
	search->known[search->next_known] = (struct dfs_known){ *st, hash };
	search->next_known = (search->next_known + 1) % DFS_KNOWN;
	pthread_mutex_unlock(&search->lock);
}

/* @st: of the file as it was hashed, if its hash may be remembered. */
static void hash_remember(struct dfs_search *search, const struct stat *st, struct dfs_hash hash)
{
	if (!st->st_ino)
		return;
	hash_note(search, st, hash);
	if (search->store)
		dfs_hashes_remember(search->store, st, hash);
}

static void tell(struct attempt *a, enum telling telling, const struct dfs_place *place,
		 const char *what)
{
	if (telling <= a->telling)
		return;
	a->telling = telling;
	dfs_fail(&a->why, EIO, "%s %s", dfs_place_describe(place), what);
}

static void tell_unreadable(struct attempt *a, const struct dfs_place *place, int ret)
{
	char what[96];

	snprintf(what, sizeof(what), "cannot be opened: %s", strerror(-ret));
	tell(a, UNREADABLE, place, what);
}

static bool failed(struct attempt *a, const struct dfs_place *place, int ret)
{
	if (ret == -EMFILE || ret == -ENFILE || ret == -ENOMEM) {
		a->fatal = ret;
		return false;
	}
	if (ret == -EDEADLK)
		tell(a, NO_FILE, place, "leads into this very mount, to a container; a base is a plain file of the store");
	else if (ret == -ENOENT || ret == -ENOTDIR)
		tell(a, MISSING, place, "is missing");
	else if (ret == -EINVAL || ret == -ELOOP)
		tell(a, NO_FILE, place, "is not a regular file");
	else if (ret == -EXDEV)
		return true; /* a hint that leads out of the store is no place at all */
	else
		tell_unreadable(a, place, ret);
	return true;
}

static void choose(struct attempt *a, const struct dfs_place *place, int *fd, const struct stat *st)
{
	char *path = strdup(place->path);

	if (!path) {
		a->fatal = -ENOMEM;
		return;
	}
	if (a->fd >= 0)
		close(a->fd);
	dfs_found_release(&a->best);
	a->best.place = *place;
	a->best.place.path = path;
	a->best.st = *st;
	a->fd = dfs_steal_fd(fd);
}

/* Of the right size, and known to be another file. Return: whether to look on. */
static bool altered(struct attempt *a, const struct dfs_place *place, int *fd, const struct stat *st)
{
	tell(a, ALTERED, place, "has that size, but other content");
	if (place->kind == DFS_PLACE_PIN && a->fd < 0) {
		choose(a, place, fd, st);
		a->altered = a->fd >= 0;
	}
	return !a->fatal;
}

/* A file of another size: the sentence says which. */
static void tell_size(struct attempt *a, const struct dfs_place *place, const struct stat *st)
{
	char what[64];

	snprintf(what, sizeof(what), "has %lld bytes", (long long)st->st_size);
	tell(a, OTHER_SIZE, place, what);
}

/* Bytes of a container of our own mount are decoded by threads that would wait for them here. */
static bool waits_for_itself(const struct dfs_search *search, int fd, const struct stat *st)
{
	static const char container[] = "container";
	char state[sizeof(container)];

	return st->st_dev == atomic_load(&search->own_dev) &&
	       fgetxattr(fd, "user.deltafs.state", state, sizeof(state)) == sizeof(container) - 1 &&
	       memcmp(state, container, sizeof(container) - 1) == 0;
}

static int place_open(const struct dfs_search *search, const struct dfs_place *place, int *ret_fd, struct stat *ret_st)
{
	int ret = dfs_place_open(place, O_RDONLY, ret_fd, ret_st);

	return ret == 0 && waits_for_itself(search, *ret_fd, ret_st) ? -EDEADLK : ret;
}

/* dfs_place_fn: weigh one place. */
static bool weigh(void *arg, const struct dfs_place *place)
{
	struct attempt *a = arg;
	DFS_AUTO(fd) int fd = -1;
	struct dfs_hash hash;
	struct stat st;
	bool known;
	int ret;

	ret = place_open(a->search, place, &fd, &st);
	if (ret < 0)
		return failed(a, place, ret);
	if ((uint64_t)st.st_size != a->want->size) {
		tell_size(a, place, &st);
		return true;
	}
	known = hash_known(a->search, &st, &hash);
	if (known && !dfs_hash_equal(hash, a->want->hash))
		return altered(a, place, &fd, &st);
	a->certain = known;
	if (!known && place->kind == DFS_PLACE_NAMED)
		a->n_named++;
	if (known || a->fd < 0 || a->altered) {
		choose(a, place, &fd, &st);
		a->altered = false;
	}
	/* of the user's files one may still be surely right; of the other places the first will do */
	return !a->certain && !a->fatal && (a->fd < 0 || place->kind == DFS_PLACE_NAMED);
}

/* dfs_place_fn: hash the named files of the right size, until one is the one. */
static bool settle_named(void *arg, const struct dfs_place *place)
{
	struct attempt *a = arg;
	DFS_AUTO(fd) int fd = -1;
	struct dfs_hash hash;
	struct stat st;

	if (place->kind != DFS_PLACE_NAMED)
		return false;
	if (place_open(a->search, place, &fd, &st) < 0 ||
	    (uint64_t)st.st_size != a->want->size || hash_known(a->search, &st, &hash) ||
	    dfs_hash_file(fd, NULL, NULL, &hash, &st) < 0)
		return true;
	hash_remember(a->search, &st, hash);
	return !dfs_hash_equal(hash, a->want->hash);
}

static void attempt_reset(struct attempt *a)
{
	if (a->fd >= 0)
		close(a->fd);
	dfs_found_release(&a->best);
	a->fd = -1;
	a->certain = a->altered = false;
	a->n_named = 0;
	a->telling = NOTHING;
}

/* All that is known of a base, for whoever must find it again. */
static int not_found(const struct attempt *a, struct dfs_err *err)
{
	const struct dfs_base_file *want = a->want;
	bool named = want->name && *want->name;
	bool from = want->origin && *want->origin;
	char hash[DFS_HASH_HEX], model[DFS_HASH_HEX];

	dfs_fail(err, EIO, "%s",
		 a->telling == NOTHING || a->telling == MISSING ?
			 "not found; give it back from anywhere: deltafsctl base add STORE PATH" :
			 a->why.text);
	return dfs_err_at(
		err, -EIO, "base %s%s%s (model %s, %llu bytes, XXH3-128 %s)",
		named ? want->name : "without a name", from ? " of " : "", from ? want->origin : "",
		dfs_hash_is_zero(want->model) ? "unknown" : dfs_hash_hex(want->model, model),
		(unsigned long long)want->size, dfs_hash_hex(want->hash, hash));
}

int dfs_search_open(struct dfs_search *search, const struct dfs_base_file *want,
		    struct dfs_found *ret_found, int *ret_fd, struct dfs_err *err)
{
	struct attempt a = { .search = search, .want = want, .fd = -1 };

	dfs_places_each(search->store, &search->named, want, weigh, &a);
	if (!a.fatal && !a.certain && a.n_named > 1) {
		dfs_places_each(search->store, &search->named, want, settle_named, &a);
		attempt_reset(&a);
		dfs_places_each(search->store, &search->named, want, weigh, &a);
	}
	if (a.fatal) {
		attempt_reset(&a);
		return dfs_fail(err, -a.fatal, "open a base: %s", strerror(-a.fatal));
	}
	if (a.fd < 0)
		return not_found(&a, err);
	*ret_found = a.best;
	ret_found->identity = a.certain ? DFS_BASE_RIGHT : a.altered ? DFS_BASE_ALTERED : DFS_BASE_UNKNOWN;
	*ret_fd = a.fd;
	return 0;
}

bool dfs_search_still(struct dfs_search *search, const struct dfs_found *found,
		      const struct dfs_base_file *want)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_hash hash;
	struct stat st;

	if (dfs_place_open(&found->place, O_PATH, &fd, &st) < 0 ||
	    !dfs_stat_unchanged(&st, &found->st))
		return false;
	return !hash_known(search, &st, &hash) || dfs_hash_equal(hash, want->hash);
}

int dfs_search_settle(struct dfs_search *search, const struct dfs_found *found, int fd,
		      const struct dfs_base_file *want, dfs_hash_progress_fn *progress, void *arg,
		      struct dfs_err *err)
{
	struct dfs_hash hash;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "%s", dfs_place_describe(&found->place));
	if (!hash_known(search, &st, &hash)) {
		ret = dfs_hash_file_gently(fd, progress, arg, &hash, &st);
		if (ret < 0)
			return dfs_fail(err, -ret, "%s: %s", dfs_place_describe(&found->place),
					strerror(-ret));
		hash_remember(search, &st, hash);
	}
	if (!dfs_hash_equal(hash, want->hash))
		return dfs_fail(err, EUCLEAN, "%s: other content",
				dfs_place_describe(&found->place));
	return 0;
}
