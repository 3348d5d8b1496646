/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ingest: see ingest.h. */
#include "write/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/claim.h"
#include "store/pins.h"
#include "store/plain_mark.h"
#include "store/publish.h"
#include "util/auto.h"
#include "write/decode.h"
#include "write/model.h"
#include "write/policy_of.h"
#include "write/verify.h"

/* One file on its way. */
struct passage {
	struct dfs_store *store;
	const char *rel;
	const struct dfs_ingest_config *config;
	int fd;			/* the file as it is */
	struct stat st;
	struct dfs_claim claim;
	bool thawing;
	bool anew;		/* a codec that gives up bits made it */
	bool must;		/* only a mark keeps it from being taken for a container: it becomes one, shrunk or not */
	int tmp_fd;
	char *tmp_name;		/* NULL: none, or taken by publish */
	char kept_id[DFS_KEPT_ID];	/* of the original that comes to be kept; "": none does */
};

static void passage_release(struct passage *p)
{
	if (p->tmp_name)
		unlinkat(dfs_store_fd(p->store), p->tmp_name, 0);
	free(p->tmp_name);
	if (p->tmp_fd >= 0)
		close(p->tmp_fd);
	if (p->fd >= 0)
		close(p->fd);
}

static int passage_open(struct passage *p, struct dfs_err *err)
{
	int ret = dfs_store_openat(p->store, p->rel, O_RDONLY | O_NOATIME, &p->fd);

	if (ret < 0)
		return dfs_fail(err, -ret, "open %s: %s", p->rel, strerror(-ret));
	if (fstat(p->fd, &p->st) < 0)
		return dfs_fail_errno(err, "stat %s", p->rel);
	if (!S_ISREG(p->st.st_mode))
		return dfs_fail(err, EINVAL, "%s is no regular file", p->rel);
	ret = dfs_claim_check(p->fd, (uint64_t)p->st.st_size, &p->claim);
	if (ret == 0 && p->claim.kind == DFS_PLAIN)
		ret = dfs_plain_mark_keeps(p->fd);
	if (ret < 0)
		return dfs_fail(err, -ret, "read %s: %s", p->rel, strerror(-ret));
	p->must = ret;
	return 0;
}

static bool is_base(const struct passage *p)
{
	const struct dfs_model *base = p->config->encode.base;
	struct stat st;

	if (p->config->registry && dfs_registry_holds(p->config->registry, p->store, &p->st))
		return true;
	for (size_t i = 0; base && i < base->n_files; i++)
		if (fstat(base->files[i].fd, &st) == 0 && st.st_dev == p->st.st_dev && st.st_ino == p->st.st_ino)
			return true;
	return false;
}

/* Is there a reason to leave the file alone? It and its sentence are put into @result. */
static bool stays(const struct passage *p, struct dfs_ingest_result *result)
{
	struct dfs_err *why = &result->why;

	if (p->claim.kind != DFS_PLAIN) {
		dfs_reason_set(&result->reason, DFS_REASON_COMPRESSED, 0, NULL);
		dfs_fail(why, EEXIST, "compressed already");
	} else if (is_base(p)) {
		dfs_reason_set(&result->reason, DFS_REASON_BASE, 0, NULL);
		dfs_fail(why, EBUSY, "a base, which stays plain");
	} else if (p->st.st_nlink > 1) {
		dfs_reason_set(&result->reason, DFS_REASON_LINKS, p->st.st_nlink, NULL);
		dfs_fail(why, EMLINK, "has %u names (hard links), and a compressed file has one", (unsigned)p->st.st_nlink);
	}
	return result->reason.id != DFS_REASON_NONE;
}

static int make_tmp(struct passage *p, struct dfs_err *err)
{
	int ret = dfs_store_tmp(p->store, &p->tmp_fd, &p->tmp_name, err);

	if (ret < 0)
		p->tmp_fd = -1;
	return ret;
}

/*
 * Nothing is written to it any more. Whoever has it open for writing keeps
 * others from having it for themselves once it has its name: who reads it
 * through the same description does as well.
 */
static int reopen_tmp(struct passage *p, struct dfs_err *err)
{
	int fd, ret = dfs_store_openat(p->store, p->tmp_name, O_RDONLY | O_NOATIME, &fd);

	if (ret < 0)
		return dfs_fail(err, -ret, "open what is to be %s again: %s", p->rel, strerror(-ret));
	close(p->tmp_fd);
	p->tmp_fd = fd;
	return 0;
}

/* On disk first, and out of the cache, so that what is verified is what a later reader gets. */
static int verify_tmp(struct passage *p, struct dfs_err *err)
{
	struct dfs_verify_config verify = {
		.reader = p->config->reader,
		.progress = p->config->verify_progress, .progress_arg = p->config->verify_arg,
	};
	int ret;

	if (fdatasync(p->tmp_fd) < 0)
		return dfs_fail_errno(err, "fsync of the container of %s", p->rel);
	ret = reopen_tmp(p, err);
	if (ret < 0)
		return ret;
	posix_fadvise(p->tmp_fd, 0, 0, POSIX_FADV_DONTNEED);
	return dfs_verify_same(p->tmp_fd, p->rel, p->fd, &verify, err);
}

static int enter(void *arg)
{
	struct passage *p = arg;
	const struct dfs_ingest_change change = {
		.old_fd = p->fd, .new_fd = p->tmp_fd, .old = p->st, .plain = p->thawing, .anew = p->anew,
	};

	return p->config->watch->enter(p->config->watch->arg, &change);
}

static struct dfs_keeper *keeper_of(const struct passage *p)
{
	return p->config->watch && !p->config->keeper ? p->config->watch->keeper : p->config->keeper;
}

static void leave(void *arg, const struct dfs_published *now)
{
	struct passage *p = arg;

	/* First: who sees the name elsewhere is to see the old file without one. */
	if (now)
		dfs_keeper_placed(keeper_of(p), p->kept_id);
	p->config->watch->leave(p->config->watch->arg, now);
}

static int publish_file(struct passage *p, const struct dfs_superblock *sb, struct dfs_err *err)
{
	bool watched = p->config->watch;
	struct dfs_publish publish = {
		.tmp_name = p->tmp_name, .tmp_fd = p->tmp_fd, .target = p->rel,
		.old_fd = p->fd, .expect = p->st, .sb = sb, .anew = p->anew,
		.enter = watched ? enter : NULL, .leave = watched ? leave : NULL, .arg = p,
	};
	int ret = dfs_publish(p->store, &publish, err);

	free(p->tmp_name);	/* in place or gone */
	p->tmp_name = NULL;
	return ret;
}

/* What an original is kept for goes on being that, whatever it is stored as. */
static int publish(struct passage *p, const struct dfs_superblock *sb, struct dfs_err *err)
{
	int ret = p->anew ? 0 : dfs_keeper_follow(keeper_of(p), p->fd, p->tmp_fd, err);

	return ret < 0 ? dfs_err_at(err, ret, "%s", p->rel) : publish_file(p, sb, err);
}

/* --- the original of what gives up bits */

/* Without a copy, or not at all. */
static int publish_kept(struct passage *p, const struct dfs_superblock *sb, int64_t until_s, struct dfs_ingest_result *result,
			struct dfs_err *err)
{
	const struct dfs_ingest_config *config = p->config;
	const struct dfs_keep keep = {
		.rel = p->rel, .fd = p->fd, .new_fd = p->tmp_fd, .until_s = until_s, .hash = sb->source_hash,
		.watch = config->watch ? config->watch->links : NULL,
	};
	struct dfs_keeper *keeper = keeper_of(p);
	int ret = dfs_keeper_keep(keeper, &keep, &p->st, p->kept_id, err);

	if (dfs_keeper_refused(ret)) {
		dfs_reason_set(&result->reason, DFS_REASON_KEEP, 0, err->text);
		dfs_fail(&result->why, -ret, "its original cannot be kept: %s", err->text);
		return 0;
	}
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", p->rel);
	ret = publish_file(p, sb, err);
	dfs_keeper_kept(keeper, &keep, p->kept_id, ret == 0);
	result->compressed = ret == 0;
	return ret;
}

static int publish_anew(struct passage *p, const struct dfs_superblock *sb, struct dfs_ingest_result *result, struct dfs_err *err)
{
	int64_t until_s;
	struct dfs_keeper *keeper = keeper_of(p);
	int ret = keeper ? dfs_policy_keep(p->store, p->rel, &until_s, err) : 0;

	if (ret > 0)
		return publish_kept(p, sb, until_s, result, err);
	if (ret == 0)
		ret = dfs_keeper_follow(keeper, p->fd, p->tmp_fd, err);
	if (ret == 0)
		ret = publish_file(p, sb, err);
	result->compressed = ret == 0;
	return ret;
}

/*
 * What is read of a base that changes meanwhile, or had changed before, is not
 * what the base is known by, and the verification reads the same.
 */
static int encode(struct passage *p, struct dfs_encode_result *ret_encoded, struct dfs_err *err)
{
	const struct dfs_ingest_config *config = p->config;
	const struct dfs_model *base = config->encode.base;
	DFS_AUTO(mem) struct stat *stats = calloc(base ? base->n_files : 1, sizeof(*stats));
	int ret = stats ? 0 : dfs_fail(err, ENOMEM, "out of memory");

	if (ret == 0 && base)
		ret = dfs_model_stat(base, stats, err);
	if (ret == 0)
		ret = dfs_encode(p->fd, p->rel, p->tmp_fd, &config->encode, ret_encoded, err);
	if (ret < 0 || !(ret_encoded->shrunk || p->must))
		return ret;
	ret = verify_tmp(p, err);
	if (ret == 0 && base)
		ret = dfs_model_check(base, stats, p->store, config->verify_progress, config->verify_arg, err);
	return ret == 0 && base ? dfs_registry_set_norms(p->store, base->id, &ret_encoded->norms, false, err) : ret;
}

static uint64_t percent(uint64_t part, uint64_t whole)
{
	return whole ? part * 100 / whole : 0;
}

static int ingest(struct passage *p, struct dfs_ingest_result *result, struct dfs_err *err)
{
	struct dfs_encode_result encoded;
	int ret = passage_open(p, err);

	if (ret < 0)
		return ret;
	*result = (struct dfs_ingest_result){ .original_bytes = (uint64_t)p->st.st_size, .stored_bytes = (uint64_t)p->st.st_size };
	if (p->claim.kind != DFS_PLAIN)
		result->original_bytes = p->claim.original_size;
	if (p->claim.kind == DFS_CONTAINER_BROKEN)
		return dfs_fail(err, EUCLEAN, "%s: %s", p->rel, p->claim.why.text);
	if (stays(p, result))
		return 0;
	ret = make_tmp(p, err);
	if (ret == 0)
		ret = encode(p, &encoded, err);
	if (ret < 0)
		return ret;
	if (!encoded.shrunk && !p->must) {
		result->would_be_bytes = encoded.stored_bytes;
		dfs_fail(&result->why, ERANGE, "does not shrink");
		dfs_reason_set(&result->reason, DFS_REASON_NO_GAIN, percent(encoded.stored_bytes, encoded.original_bytes), NULL);
		return 0;
	}
	p->anew = dfs_superblock_lossy(&encoded.sb);
	ret = p->anew ? publish_anew(p, &encoded.sb, result, err) : publish(p, &encoded.sb, err);
	if (ret < 0)
		return ret;
	result->compressed |= !p->anew;
	result->lossy = p->anew && result->compressed;
	result->why_exact = encoded.why_exact;
	result->spared = encoded.spared;
	if (result->compressed)
		result->stored_bytes = encoded.stored_bytes;
	return 0;
}

int dfs_ingest(struct dfs_store *store, const char *rel, const struct dfs_ingest_config *config,
	       struct dfs_ingest_result *ret_result, struct dfs_err *err)
{
	struct passage p = { .store = store, .rel = rel, .config = config, .fd = -1, .tmp_fd = -1 };
	int ret = ingest(&p, ret_result, err);

	passage_release(&p);
	return ret;
}

/* What was decoded may begin like a container. */
static int mark_plain(const struct passage *p, struct dfs_err *err)
{
	int ret = dfs_plain_mark_guard_all(p->tmp_fd);

	return ret < 0 ? dfs_fail(err, -ret, "%s cannot be marked plain, and begins like a container: %s", p->rel, strerror(-ret)) : 0;
}

/* The pin comes first: a link changes the ctime, which nobody can see yet. */
static int publish_pinned(struct passage *p, struct dfs_hash hash, struct dfs_err *err)
{
	const struct dfs_pin_add add = { .fd = p->tmp_fd, .hash = hash };
	char pin[DFS_PIN_PATH_SIZE];
	enum dfs_pin_how how;
	struct stat st;
	int ret = dfs_pin_add(p->store, &add, &how, NULL, err);

	if (ret < 0)
		return ret;
	ret = publish(p, NULL, err);
	if (ret < 0 && how != DFS_PIN_THERE)
		unlinkat(dfs_store_fd(p->store), dfs_pin_path(hash, pin), 0);
	if (ret == 0 && dfs_hash_times_settle(p->tmp_fd, &st))
		dfs_hashes_remember(p->store, &st, hash);
	return ret;
}

int dfs_ingest_ask(struct dfs_store *store, const char *rel, const struct dfs_registry *registry,
		   struct dfs_reason *ret_reason, struct dfs_err *err)
{
	const struct dfs_ingest_config config = { .registry = registry };
	struct passage p = { .store = store, .rel = rel, .config = &config, .fd = -1, .tmp_fd = -1 };
	struct dfs_ingest_result result = { 0 };
	int ret = passage_open(&p, err);

	if (ret == 0)
		stays(&p, &result);
	*ret_reason = result.reason;
	passage_release(&p);
	return ret;
}

static int thaw(struct passage *p, struct dfs_ingest_result *result, struct dfs_err *err)
{
	struct dfs_decode_config decode = {
		.reader = p->config->reader,
		.progress = p->config->verify_progress, .progress_arg = p->config->verify_arg,
	};
	int ret = passage_open(p, err);

	if (ret < 0)
		return ret;
	*result = (struct dfs_ingest_result){ .original_bytes = (uint64_t)p->st.st_size, .stored_bytes = (uint64_t)p->st.st_size };
	if (p->claim.kind == DFS_PLAIN) {
		dfs_fail(&result->why, EEXIST, "plain already");
		return 0;
	}
	if (p->claim.kind != DFS_CONTAINER)
		return dfs_fail(err, p->claim.kind == DFS_CONTAINER_NEWER ? ENOTSUP : EUCLEAN, "%s: %s", p->rel, p->claim.why.text);
	ret = make_tmp(p, err);
	if (ret == 0)
		ret = dfs_decode(p->fd, p->rel, p->tmp_fd, &decode, err);
	if (ret == 0)
		ret = mark_plain(p, err);
	if (ret == 0)
		ret = reopen_tmp(p, err);
	if (ret == 0)
		ret = p->config->pin ? publish_pinned(p, p->claim.sb.shown_hash, err) : publish(p, NULL, err);
	if (ret < 0)
		return ret;
	*result = (struct dfs_ingest_result){ .hash = p->claim.sb.shown_hash, .lossy = dfs_claim_lossy(&p->claim),
					      .original_bytes = p->claim.original_size, .stored_bytes = p->claim.original_size };
	return 0;
}

int dfs_thaw(struct dfs_store *store, const char *rel, const struct dfs_ingest_config *config,
	     struct dfs_ingest_result *ret_result, struct dfs_err *err)
{
	struct passage p = { .store = store, .rel = rel, .config = config, .thawing = true, .fd = -1, .tmp_fd = -1 };
	int ret = thaw(&p, ret_result, err);

	passage_release(&p);
	return ret;
}
