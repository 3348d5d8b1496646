/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_bases: has each base that somebody needs its pin, and is it that base. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/access.h"
#include "store/check_internal.h"
#include "store/internal.h"
#include "store/pins.h"

struct dfs_check_base *dfs_check_seen(struct dfs_check *check, struct dfs_hash hash)
{
	struct dfs_check_base *seen = (struct dfs_check_base *)check->seen.data;

	for (size_t i = 0; i < check->seen.len / sizeof(*seen); i++)
		if (dfs_hash_equal(seen[i].hash, hash))
			return &seen[i];
	return NULL;
}

/* What the disk holds counts, not what is remembered of it; and what is remembered wrongly is remembered anew. */
static int hash_now(struct dfs_check *check, int fd, struct dfs_hash *ret_hash)
{
	struct dfs_hash known;
	struct stat st;
	int ret = dfs_hash_file(fd, check->progress, check->arg, ret_hash, &st);

	if (ret == 0 && st.st_ino && dfs_hashes_find(check->store, &st, &known) && !dfs_hash_equal(known, *ret_hash))
		dfs_hashes_remember(check->store, &st, *ret_hash);
	return ret;
}

int dfs_check_place(struct dfs_check *check, const struct dfs_place *place, const struct dfs_base_file *want,
		    bool certain, int *ret_fd)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_hash hash;
	struct stat st;
	bool known;
	int ret = dfs_place_open(place, O_RDONLY, &fd, &st);

	if (ret == -ENOENT || ret == -ENOTDIR || ret == -EXDEV)
		return DFS_PLACE_GONE;
	if (ret < 0)
		return ret == -ENOMEM ? ret : DFS_PLACE_OTHER;
	if ((uint64_t)st.st_size != want->size)
		return DFS_PLACE_OTHER;
	ret = certain ? hash_now(check, fd, &hash) : 0;
	if (ret < 0)
		return ret == -ENOMEM || ret == -ECANCELED ? ret : DFS_PLACE_OTHER;
	known = certain || dfs_hashes_find(check->store, &st, &hash);
	if (known && !dfs_hash_equal(hash, want->hash))
		return DFS_PLACE_OTHER;
	if (ret_fd)
		*ret_fd = dfs_steal_fd(&fd);
	return DFS_PLACE_FITS;
}

/* --- the same content elsewhere */

struct copy {
	struct dfs_check *check;
	const struct dfs_base_file *want;
	bool certain;
	int fd;		/* -1: there is none */
	int ret;	/* -ENOMEM, -ECANCELED */
};

/* dfs_place_fn */
static bool try_place(void *arg, const struct dfs_place *place)
{
	struct copy *copy = arg;
	int ret;

	if (place->kind == DFS_PLACE_PIN)
		return true;
	ret = dfs_check_place(copy->check, place, copy->want, copy->certain, &copy->fd);
	if (ret < 0)
		copy->ret = ret;
	return ret >= 0 && ret != DFS_PLACE_FITS;
}

static int pin_it(void *arg, struct dfs_err *err)
{
	const struct copy *copy = arg;
	const struct dfs_pin_add add = {
		.fd = copy->fd, .hash = copy->want->hash, .progress = copy->check->progress, .arg = copy->check->arg,
	};
	enum dfs_pin_how how;

	return dfs_pin_add(copy->check->store, &add, &how, NULL, err);
}

/* --- a base */

/* Its entry. NULL: out of memory. */
static struct dfs_check_base *entry_of(struct dfs_check *check, const struct dfs_base_file *want)
{
	struct dfs_check_base *base = dfs_check_seen(check, want->hash);
	const struct dfs_check_base fresh = { .hash = want->hash, .size = want->size };

	if (!base && dfs_buf_append(&check->seen, &fresh, sizeof(fresh)) == 0)
		base = dfs_check_seen(check, want->hash);
	return base;
}

/* A model's record may lack what a container knows. */
static int learn(struct dfs_check_base *base, const struct dfs_base_file *want)
{
	if (dfs_hash_is_zero(base->model))
		base->model = want->model;
	if (!base->name && want->name && *want->name) {
		base->name = strdup(want->name);
		if (!base->name)
			return -ENOMEM;
	}
	return 0;
}

/* There is no pin, or another file under its name. */
static void tell(struct copy *copy, int at_pin, enum dfs_check_asker asker)
{
	const struct dfs_base_file *want = copy->want;
	char path[DFS_PIN_PATH_SIZE];
	struct dfs_err what;
	const char *name = want->name && *want->name ? want->name : "without a name";

	dfs_pin_path(want->hash, path);
	if (at_pin == DFS_PLACE_OTHER) {
		dfs_fail(&what, EIO, "not the content of base %s any more", name);
		dfs_check_found(copy->check, DFS_CHECK_PIN_ALTERED, path, what.text, copy->fd >= 0 ? pin_it : NULL, copy);
	} else if (asker == DFS_ASKER_REFERENCE && copy->fd < 0) {
		dfs_fail(&what, EIO, "base %s is not where it was, or has other content", name);
		dfs_check_found(copy->check, DFS_CHECK_REFERENCE, path, what.text, NULL, NULL);
	} else if (asker == DFS_ASKER_MODEL || (asker == DFS_ASKER_CONTAINER && copy->fd >= 0)) {
		dfs_fail(&what, EIO, "no pin keeps base %s%s", name, copy->fd >= 0 ? "" : ", and it is not where it was");
		dfs_check_found(copy->check, DFS_CHECK_PIN_LOST, path, what.text, copy->fd >= 0 ? pin_it : NULL, copy);
	}
}

/* Return: 0; -ENOMEM, -ECANCELED. */
static int look(struct dfs_check *check, const struct dfs_base_file *want, enum dfs_check_asker asker, bool *ret_pinned)
{
	struct copy copy = { check, want, check->full || check->repair, -1, 0 };
	char path[DFS_PIN_PATH_SIZE];
	struct dfs_place place = { DFS_PLACE_PIN, check->store->fd, dfs_pin_path(want->hash, path) };
	int at_pin = dfs_check_place(check, &place, want, check->full, NULL);

	if (at_pin >= 0 && at_pin != DFS_PLACE_FITS) {
		copy.certain &= asker != DFS_ASKER_REFERENCE || check->full || at_pin == DFS_PLACE_OTHER;
		dfs_places_each(check->store, &(struct dfs_paths){ 0 }, want, try_place, &copy);
		if (copy.ret == 0)
			tell(&copy, at_pin, asker);
		if (copy.fd >= 0)
			close(copy.fd);
	}
	*ret_pinned = dfs_check_place(check, &place, want, false, NULL) == DFS_PLACE_FITS;
	return at_pin < 0 ? at_pin : copy.ret;
}

int dfs_check_pin(struct dfs_check *check, const struct dfs_base_file *want, enum dfs_check_asker asker,
		  struct dfs_err *err)
{
	struct dfs_check_base *base = entry_of(check, want);
	int ret = base ? learn(base, want) : -ENOMEM;

	if (ret == 0 && asker != DFS_ASKER_STRANGER && !base->looked) {
		ret = look(check, want, asker, &base->pinned);
		base->looked = true;
	}
	return ret < 0 ? dfs_fail(err, -ret, "base %s: %s", want->name ? want->name : "", strerror(-ret)) : 0;
}

/* A container that may not be decoded against a base is no reason to pin it. */
static int asker_of(struct dfs_check *check, const struct dfs_walk_file *file, const struct dfs_base_file *want,
		    enum dfs_check_asker *ret_asker)
{
	struct dfs_base *base;
	int ret = dfs_bases_get(check->bases, want, &base, NULL);

	*ret_asker = DFS_ASKER_CONTAINER;
	if (ret < 0)
		return ret == -EIO ? 0 : ret;
	ret = dfs_access_check(check->store, &file->st, file->claim.trusted, want, base, NULL);
	dfs_base_put(check->bases, base);
	if (ret < 0 && ret != -ENOMEM)
		*ret_asker = DFS_ASKER_STRANGER;
	return ret == -ENOMEM ? ret : 0;
}

int dfs_check_base(struct dfs_check *check, const struct dfs_walk_file *file, const struct dfs_base_file *want,
		   struct dfs_err *err)
{
	enum dfs_check_asker asker;
	struct dfs_base *base;
	int ret = asker_of(check, file, want, &asker);

	if (ret < 0)
		return dfs_fail(err, -ret, "open a base: %s", strerror(-ret));
	ret = dfs_check_pin(check, want, asker, err);
	if (ret < 0)
		return ret;
	dfs_bases_look_again(check->bases, want);
	ret = dfs_bases_get(check->bases, want, &base, err);
	if (ret == 0)
		dfs_base_put(check->bases, base);
	return ret;
}
