/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elect: see elect.h. */
#include "write/elect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/access.h"
#include "store/expand.h"
#include "store/policy.h"
#include "store/registry.h"
#include "util/auto.h"
#include "util/io.h"
#include "write/classify.h"
#include "write/family.h"
#include "write/policy_of.h"
#include "write/room.h"
#include "write/sample.h"

/* Sisters that are looked into for one file; the first that pays is taken. */
#define SISTERS_MAX 8
/* Files of a model; more shards than that are each a model of their own. */
#define SHARDS_MAX 4096
/* A place of a sample begins at a whole value at most this far before where it is looked for. */
#define VALUE_MAX 16

/* --- shards */

/* What follows "NAME-" in the name of a shard. */
#define SHARD_SIZE sizeof("00001-of-00003.safetensors")

static void shard_name(unsigned i, unsigned n, char ret_name[SHARD_SIZE])
{
	snprintf(ret_name, SHARD_SIZE, "%05u-of-%05u.safetensors", i % 100000, n % 100000);
}

/* Return: how long "DIR/NAME-" is, with the count of shards; 0: it is no such name. */
static size_t shard_stem(const char *rel, unsigned *ret_n)
{
	size_t len = strlen(rel), stem = len - (SHARD_SIZE - 1);
	char name[SHARD_SIZE];
	unsigned i, n;

	if (len < SHARD_SIZE || rel[stem - 1] != '-' || sscanf(rel + stem, "%5u-of-%5u", &i, &n) != 2)
		return 0;
	shard_name(i, n, name);
	*ret_n = n;
	return strcmp(rel + stem, name) == 0 && i >= 1 && i <= n && n > 1 && n <= SHARDS_MAX ? stem : 0;
}

int dfs_elect_shards(const char *rel, struct dfs_paths *ret_rels)
{
	unsigned n;
	size_t stem = shard_stem(rel, &n);
	int ret = 0;

	*ret_rels = (struct dfs_paths){ 0 };
	if (!stem)
		return dfs_paths_add(ret_rels, rel);
	for (unsigned i = 1; ret == 0 && i <= n; i++) {
		DFS_AUTO(mem) char *shard = NULL;
		char name[SHARD_SIZE];

		shard_name(i, n, name);
		ret = asprintf(&shard, "%.*s%s", (int)stem, rel, name) < 0 ? -ENOMEM : dfs_paths_add(ret_rels, shard);
	}
	if (ret < 0)
		dfs_paths_release(ret_rels);
	return ret;
}

/* --- does it pay */

static int copy_part(struct dfs_view *view, uint64_t from, uint64_t to, int fd, struct dfs_err *err)
{
	DFS_AUTO(mem) uint8_t *bytes = NULL;
	size_t got;
	int ret;

	if (to > dfs_view_size(view))
		to = dfs_view_size(view);
	if (from >= to)
		return 0;
	bytes = malloc(to - from);
	if (!bytes)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_view_read(view, from, to - from, bytes, &got, err);
	if (ret == 0)
		ret = dfs_pwrite_all(fd, bytes, got, from);
	return ret;
}

/*
 * A file with holes that has of what @view shows just what a sample looks at:
 * decoding a model to find that it does not pay would take a thousand times as
 * long.
 */
static int sampled_file(const struct dfs_elect_config *config, struct dfs_view *view, const struct dfs_header *header,
			int *ret_fd, struct dfs_err *err)
{
	struct dfs_sample_size size = DFS_SAMPLE_CHOOSE;
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int fd = -1;
	uint64_t len = dfs_view_size(view), step = len / size.places + 1;
	int ret = dfs_store_tmp(config->store, &fd, &name, err);

	if (ret < 0)
		return ret;
	unlinkat(dfs_store_fd(config->store), name, 0);
	if (ftruncate(fd, (off_t)len) < 0)
		return dfs_fail_errno(err, "ftruncate");
	if (step < size.bytes)
		step = size.bytes;
	ret = copy_part(view, 0, header->data_off, fd, err);
	for (uint64_t off = step / 2; off < len && ret == 0; off += step)
		ret = copy_part(view, off > VALUE_MAX ? off - VALUE_MAX : 0, off + size.bytes, fd, err);
	if (ret == 0)
		*ret_fd = dfs_steal_fd(&fd);
	return ret;
}

/*
 * What would the file save over its sister? A difference costs the same from
 * either end, so it is the sister that is sampled, over the file.
 * Return: 1 if there is something to save; 0; -errno.
 */
static int saving(const struct dfs_elect_config *config, struct dfs_view *view, const struct dfs_header *header,
		  const struct dfs_work_input *input, uint64_t alone, uint64_t *ret_saving, struct dfs_err *err)
{
	struct dfs_model_file file = {
		.fd = input->fd, .size = input->len, .header = (struct dfs_header *)input->header,
		.path = (char *)"", .name = (char *)"", .origin = (char *)"",
	};
	const struct dfs_model model = { .files = &file, .n_files = 1 };
	DFS_AUTO(fd) int fd = -1;
	struct dfs_work_input sister = { .len = dfs_view_size(view), .header = header, .base = &model };
	struct dfs_sample sample;
	uint64_t over;
	int ret = sampled_file(config, view, header, &fd, err);

	sister.fd = fd;
	if (ret == 0)
		ret = dfs_sample(&sister, DFS_SAMPLE_CHOOSE, config->hand, &sample, err);
	if (ret < 0)
		return ret;
	over = dfs_sample_stored(input, &sample);
	*ret_saving = alone > over ? alone - over : 0;
	return alone > over;
}

static int is_alike(const struct dfs_header *a, const struct dfs_header *b, struct dfs_err *err)
{
	struct dfs_model_file one = { .header = (struct dfs_header *)a }, other = { .header = (struct dfs_header *)b };
	const struct dfs_model first = { .files = &one, .n_files = 1 }, second = { .files = &other, .n_files = 1 };

	return dfs_family_alike(&first, &second, err);
}

/* Of those coded alone, how many are of the family, @rel itself left out? */
static uint64_t members(const struct dfs_solos *solos, uint64_t names, const char *rel)
{
	const struct dfs_solo *solo;
	uint64_t n = 0;

	for (size_t at = 0; (at = dfs_solos_next(solos, names, at, &solo));)
		n += strcmp(solo->rel, rel) != 0;
	return n;
}

/* Return: 1: @solo should become a base; 0: not; -errno. */
static int pays(const struct dfs_elect_config *config, const struct dfs_solo *solo, const char *rel,
		const struct dfs_work_input *input, uint64_t alone, struct dfs_err *err)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	DFS_AUTO(view) struct dfs_view *view = NULL;
	uint64_t saved = 0, loss = solo->shown_bytes - solo->stored_bytes;
	struct stat st;
	int ret = dfs_solo_open(config->store, solo->rel, config->reader, &view, &header, err);

	if (ret < 0)
		return ret;
	if (fstat(input->fd, &st) < 0)
		return dfs_fail_errno(err, "fstat");
	ret = dfs_access_may_read(config->store, st.st_uid, solo->rel);
	if (ret < 0)
		return ret == -ENOMEM ? ret : 0;
	if (dfs_policy_keeps(config->store, solo->rel))
		return 0;
	ret = is_alike(header, input->header, err);
	if (ret == 1)
		ret = saving(config, view, header, input, alone, &saved, err);
	if (ret != 1)
		return ret;
	/* the one in hand, and the others: the sister itself is replaced by it in the count */
	return saved * members(config->solos, solo->names, rel) > loss;
}

/* --- making it one */

static uint64_t plain_bytes(const struct dfs_elect_config *config, const struct dfs_paths *rels)
{
	const struct dfs_solo *solo;
	uint64_t sum = 0;

	for (size_t i = 0; i < rels->n; i++)
		if ((solo = dfs_solos_find(config->solos, rels->paths[i])))
			sum += solo->shown_bytes;
	return sum;
}

/* All its shards, if all were coded alone; else the file by itself. */
static int model_of(const struct dfs_elect_config *config, const char *rel, struct dfs_paths *ret_rels)
{
	int ret = dfs_elect_shards(rel, ret_rels);

	for (size_t i = 0; ret == 0 && i < ret_rels->n; i++) {
		if (dfs_solos_find(config->solos, ret_rels->paths[i]))
			continue;
		dfs_paths_release(ret_rels);
		return dfs_paths_add(ret_rels, rel);
	}
	return ret;
}

/* Counts @ret_n up: what is plain and pinned is so, whatever happens to the rest. */
static int thaw_all(const struct dfs_elect_config *config, const struct dfs_paths *rels,
		    struct dfs_pinned_file *files, size_t *ret_n, struct dfs_err *err)
{
	const struct dfs_ingest_config thaw = {
		.reader = config->reader, .watch = config->watch, .pin = true,
		.verify_progress = config->progress, .verify_arg = config->progress_arg,
	};

	for (size_t i = 0; i < rels->n; i++) {
		struct dfs_ingest_result result;
		int ret;

		/* on disk first: a plain file that nobody has registered is compressed again */
		if (config->queue)
			dfs_queue_add(config->queue, rels->paths[i], 0);
		ret = dfs_thaw(config->store, rels->paths[i], &thaw, &result, err);
		if (ret < 0)
			return ret;
		if (dfs_hash_is_zero(result.hash))
			return dfs_fail(err, ESTALE, "%s became plain meanwhile", rels->paths[i]);
		files[(*ret_n)++] = (struct dfs_pinned_file){ rels->paths[i], result.hash, result.original_bytes };
		dfs_solos_drop(config->solos, rels->paths[i]);
	}
	return 0;
}

static int make_base(const struct dfs_elect_config *config, const struct dfs_paths *rels, struct dfs_hash *ret_id,
		     struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_pinned_file *files = calloc(rels->n, sizeof(*files));
	struct dfs_err why;
	size_t n = 0;
	int ret, added = 0;

	if (!files)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = thaw_all(config, rels, files, &n, err);
	if (n) /* even if it is not all of it: these are plain now, and had better be of use */
		added = dfs_registry_add_pinned(config->store, files, n, ret_id, ret < 0 ? &why : err);
	if (ret == 0)
		ret = added;
	if (ret == 0)
		dfs_log_line(config->log, DFS_LOG_INFO, "%s: is plain now: a base of its family", rels->paths[0]);
	return ret;
}

static bool until_the_end(void *arg, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	return !dfs_queue_stopping(arg);
}

/*
 * The others of the family that were coded alone: plain, and to be coded anew.
 * Whatever happens to the file in hand meanwhile: nobody calls them once there is a base.
 */
static void call_back(const struct dfs_elect_config *config, uint64_t names)
{
	const struct dfs_ingest_config thaw = {
		.reader = config->reader, .watch = config->watch,
		.verify_progress = until_the_end, .verify_arg = config->queue,
	};
	const struct dfs_solo *solo;

	while (config->queue && dfs_solos_next(config->solos, names, 0, &solo)) {
		DFS_AUTO(mem) char *rel = strdup(solo->rel);
		struct dfs_ingest_result result;
		struct dfs_err why;
		uint64_t needs;

		if (!rel || dfs_room_check(config->store, solo->shown_bytes, &needs) < 0)
			return;
		dfs_solos_drop(config->solos, rel);
		if (dfs_policy_keeps(config->store, rel))
			continue;
		dfs_queue_add(config->queue, rel, 0);
		if (dfs_thaw(config->store, rel, &thaw, &result, &why) == -ECANCELED)
			return;
	}
}

static int elect(const struct dfs_elect_config *config, const struct dfs_solo *solo, uint64_t stored,
		 struct dfs_hash *ret_id, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths rels = { 0 };
	uint64_t names = solo->names, needs;
	int ret = model_of(config, solo->rel, &rels);

	if (ret < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (dfs_room_check(config->store, plain_bytes(config, &rels) + stored, &needs) < 0)
		return dfs_fail(err, ENOSPC, "%llu bytes must be free for it", (unsigned long long)needs);
	ret = make_base(config, &rels, ret_id, err);
	if (ret < 0)
		return ret;
	call_back(config, names);
	return 1;
}

/* --- the flow */

/* Return: 1: it is a base; 0: it cannot be had, or does not pay; -ESTALE: it is gone; -ECANCELED, -ENOMEM. */
static int try_sister(const struct dfs_elect_config *config, const struct dfs_solo *sister, const char *rel,
		      const struct dfs_work_input *input, uint64_t alone, struct dfs_hash *ret_id, struct dfs_err *err)
{
	int ret = strcmp(sister->rel, rel) == 0 ? 0 : pays(config, sister, rel, input, alone, err);

	if (ret == 1)
		ret = elect(config, sister, alone, ret_id, err);
	if (ret == -ENOENT)
		return -ESTALE;
	if (ret >= 0 || ret == -ESTALE || ret == -ECANCELED || ret == -ENOMEM)
		return ret;
	dfs_log_line(config->log, DFS_LOG_INFO, "%s: cannot be a base: %s", sister->rel, err->text);
	return 0;
}

static int fill(const struct dfs_elect_config *config, struct dfs_err *err)
{
	return dfs_solos_fill(config->solos, config->store, config->reader, config->progress, config->progress_arg, err);
}

int dfs_elect(const struct dfs_elect_config *config, const char *rel, const struct dfs_work_input *input,
	      uint64_t alone, struct dfs_hash *ret_id, struct dfs_err *err)
{
	uint64_t names = dfs_solos_names(input->header);
	const struct dfs_solo *solo;
	size_t at = 0;
	int ret = fill(config, err);

	for (unsigned i = 0; ret == 0 && i < SISTERS_MAX && (at = dfs_solos_next(config->solos, names, at, &solo)); i++) {
		DFS_AUTO(mem) char *name = strdup(solo->rel);
		struct dfs_solo sister = *solo;

		sister.rel = name;
		ret = name ? try_sister(config, &sister, rel, input, alone, ret_id, err) :
			     dfs_fail(err, ENOMEM, "out of memory");
		if (ret == -ESTALE) { /* renamed, perhaps */
			dfs_solos_forget(config->solos, name);
			ret = fill(config, err);
			at = 0;
		}
	}
	return ret;
}
