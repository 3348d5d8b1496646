/* SPDX-License-Identifier: GPL-2.0-or-later */
/* task: see task.h. */
#include "write/task.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read/limit.h"
#include "util/auto.h"
#include "write/classify.h"
#include "write/coding.h"
#include "write/elect.h"
#include "write/permit_again.h"
#include "write/policy_of.h"
#include "write/rest.h"
#include "write/room.h"
#include "write/shards.h"

/* A file in work. */
struct task {
	const struct dfs_task_shared *shared;
	struct dfs_queue_item *item;
	struct stat before;		/* of the file when its turn came; st_ino 0: not known */
	int fd;
	struct dfs_header *header;
	struct dfs_work_input input;
	struct dfs_candidate_choice choice;
	uint64_t memory_max;
	bool memory_low;	/* others took it meanwhile */
	enum dfs_reason_id why_exact;	/* though somebody wants bits given up; DFS_REASON_NONE: nobody, or they are */
};

static void task_release(struct task *t)
{
	dfs_header_free(t->header);
	if (t->fd >= 0)
		close(t->fd);
}

static bool go_on(struct task *t, const char *step, uint64_t done, uint64_t total)
{
	dfs_ledger_step(t->shared->config->ledger, step, done, total);
	t->memory_low |= dfs_memory_held() > t->memory_max;
	return !t->memory_low && !dfs_queue_cancelled(t->shared->config->queue, t->item);
}

static bool electing(void *arg, uint64_t done, uint64_t total)
{
	return go_on(arg, "making its base plain", done, total);
}

static bool encoding(void *arg, uint64_t done, uint64_t total)
{
	return go_on(arg, "encoding", done, total);
}

static bool verifying(void *arg, uint64_t done, uint64_t total)
{
	return go_on(arg, "verifying", done, total);
}

/* --- which base */

static int open_file(struct task *t, struct dfs_err *err)
{
	struct stat st;
	int ret = dfs_store_openat(t->shared->config->store, t->item->rel, O_RDONLY | O_NOATIME, &t->fd);

	if (ret < 0) {
		t->fd = -1;
		return dfs_fail(err, -ret, "open: %s", strerror(-ret));
	}
	if (fstat(t->fd, &st) < 0)
		return dfs_fail_errno(err, "fstat");
	ret = dfs_classify(t->fd, &t->header, NULL, err);
	t->input = (struct dfs_work_input){ .fd = t->fd, .len = (uint64_t)st.st_size, .header = t->header };
	return ret;
}

/* What it was chosen by is what it will be coded with: the model is borrowed from the candidates. */
static int choose_again(struct task *t, struct dfs_err *err)
{
	int ret = dfs_candidates_refresh(t->shared->candidates, err);

	return ret < 0 ? ret : dfs_candidates_choose(t->shared->candidates, &t->input, t->shared->hand, &t->choice, err);
}

/* Return: 0; -ENOENT: it stays as it is; -errno. */
static int take_wanted(struct task *t, struct dfs_reason *why, struct dfs_err *err)
{
	const struct dfs_queue_wish *wish = &t->item->wish;
	int ret = dfs_candidates_refresh(t->shared->candidates, err);

	if (ret == 0)
		ret = dfs_candidates_take(t->shared->candidates, wish->base, wish->uid, &t->input, t->shared->hand,
					  &t->choice, err);
	if (ret == -ENOENT)
		dfs_reason_set(why, DFS_REASON_WANTED_BASE, 0, err->text);
	if (ret < 0 || t->choice.model)
		return ret;
	dfs_reason_set(why, DFS_REASON_WANTED_BASE, 0, "who asked for it may not read it");
	return dfs_fail(err, ENOENT, "who asked for the base may not read it");
}

static int does_not_do(struct dfs_reason *why, const char *base, const char *what)
{
	char detail[sizeof(why->detail)];

	snprintf(detail, sizeof(detail), "%s: %s", what, base);
	dfs_reason_set(why, DFS_REASON_POLICY_BASE, 0, detail);
	return -EINVAL;
}

/* That of the policy, or none. Return: 0; -EINVAL: the file stays; -errno. */
static int take_base(struct task *t, const char *text, struct dfs_reason *why, struct dfs_err *err)
{
	const struct dfs_candidates *candidates = t->shared->candidates;
	const struct dfs_registered *base = dfs_policy_find_base(dfs_candidates_registry(candidates), text);
	int ret;

	if (!base || !dfs_candidates_model(candidates, base->id))
		return does_not_do(why, text, base ? "cannot be read" : "no base of this store is so called");
	ret = dfs_candidates_try(candidates, &t->input, base->id, t->shared->hand, &t->choice, err);
	if (ret < 0 || t->choice.model)
		return ret;
	if (!t->choice.is_private)
		return does_not_do(why, text, "it does not make the file smaller");
	dfs_reason_set(why, DFS_REASON_PRIVATE_BASE, 0, NULL);
	return -EINVAL;
}

static int choose_base(struct task *t, struct dfs_reason *why, struct dfs_err *err)
{
	const char *wanted = dfs_policy_base(t->shared->policy);
	const struct dfs_task_shared *shared = t->shared;
	const struct dfs_elect_config elect = {
		.store = shared->config->store, .solos = shared->solos, .reader = shared->reader,
		.queue = shared->config->queue, .log = shared->config->log, .watch = shared->config->watch,
		.hand = shared->hand, .progress = electing, .progress_arg = t,
	};
	struct dfs_hash id;
	int ret;

	if (wanted && t->header)
		return take_base(t, wanted, why, err);
	ret = choose_again(t, err);
	if (ret < 0 || t->choice.model || !t->header)
		return ret;
	ret = dfs_elect(&elect, t->item->rel, &t->input, dfs_sample_stored(&t->input, &t->choice.choice.alone), &id, err);
	return ret == 1 ? choose_again(t, err) : ret;
}

/* --- the flow */

/* Before anything is read at length. Return: 0: go on; -EINVAL: it stays; -errno. */
static int ask(struct task *t, struct dfs_reason *why, struct dfs_err *err)
{
	const struct dfs_background_config *config = t->shared->config;
	int ret = dfs_candidates_refresh(t->shared->candidates, err);

	if (ret == 0)
		ret = dfs_ingest_ask(config->store, t->item->rel, dfs_candidates_registry(t->shared->candidates), why, err);
	return ret == 0 && why->id != DFS_REASON_NONE ? -EINVAL : ret;
}

/* Estimated. */
static uint64_t container_bytes(const struct task *t)
{
	return dfs_sample_stored(&t->input, &t->choice.choice.best);
}

static int compress(struct task *t, struct dfs_reason *why, struct dfs_ingest_result *result, struct dfs_err *err)
{
	const struct dfs_background_config *config = t->shared->config;
	const struct dfs_coding coding = {
		.store = config->store, .policy = t->shared->policy, .mount = { config->codec, config->since },
		.wanted = t->item->wish.codec, .planned = t->shared->planned,
		.keeper = config->watch ? config->watch->keeper : NULL,
	};
	struct dfs_ingest_config ingest = {
		.encode = {
			.base = t->choice.model,
			.threads = config->threads, .idle = true,
			.progress = encoding, .progress_arg = t,
		},
		.reader = t->shared->reader, .registry = dfs_candidates_registry(t->shared->candidates),
		.verify_progress = verifying, .verify_arg = t,
		.watch = config->watch,
	};
	struct dfs_permit_again again = {
		.store = config->store, .mount = coding.mount, .rel = t->item->rel, .fd = t->fd, .next = config->watch,
	};
	uint64_t needs;
	int ret;

	if (dfs_room_memory_check(t->memory_max, config->threads) < 0) {
		t->memory_low = true;
		return dfs_fail(err, ENOMEM, "no memory to encode it");
	}
	if (dfs_room_check(config->store, container_bytes(t), &needs) < 0) {
		dfs_reason_set(why, DFS_REASON_ROOM, needs, NULL);
		return dfs_fail(err, ENOSPC, "no room for its container");
	}
	ret = dfs_coding_of(&coding, t->item->rel, t->fd, &ingest.encode, &t->why_exact, err);
	if (ret == -ENOENT) {
		dfs_reason_set(why, DFS_REASON_WHOLE, 0, err->text);
		return -EAGAIN;
	}
	again.codec = ingest.encode.codec;
	if (again.codec && !coding.wanted)
		ingest.watch = dfs_permit_again(&again);
	if (ret == 0)
		ret = dfs_ingest(config->store, t->item->rel, &ingest, result, err);
	if (ret == 0 && t->why_exact == DFS_REASON_NONE)
		t->why_exact = result->why_exact;
	return ret;
}

/* Return: false: it is not there, or cannot be told. */
static bool look(const struct task *t, struct stat *ret_st)
{
	DFS_AUTO(fd) int fd = -1;

	return dfs_store_openat(t->shared->config->store, t->item->rel, O_PATH, &fd) == 0 && fstat(fd, ret_st) == 0;
}

/* What is compressed; and why it is exact, though it was not to be. */
static void note(struct task *t, const struct dfs_ingest_result *result)
{
	const struct dfs_model *base = t->choice.model;
	struct dfs_reason why = { .id = t->why_exact };
	char text[256];
	struct stat st;

	dfs_ledger_compressed(t->shared->config->ledger, result->original_bytes, result->stored_bytes, result->lossy);
	/* Asked after the look: who writes says so before he does. */
	if (result->lossy)
		dfs_spared_reason(&result->spared, &why);
	if (why.id != DFS_REASON_NONE && look(t, &st) && !dfs_queue_cancelled(t->shared->config->queue, t->item))
		dfs_ledger_exact(t->shared->config->ledger, &st, &why);
	if (!base && t->header)
		dfs_solos_add(t->shared->solos, &(struct dfs_solo){
			.rel = (char *)t->item->rel, .names = dfs_solos_names(t->header),
			.shown_bytes = result->original_bytes, .stored_bytes = result->stored_bytes,
		});
	snprintf(text, sizeof(text), "%s", result->lossy ? "bits were given up" : "");
	if (why.id != DFS_REASON_NONE)
		dfs_reason_text(&why, text, sizeof(text));
	dfs_log_line(t->shared->config->log, DFS_LOG_INFO, "%s: compressed to %llu of %llu bytes, %s%s%s%s%s%s", t->item->rel,
		     (unsigned long long)result->stored_bytes, (unsigned long long)result->original_bytes,
		     base ? "over " : "alone", base ? base->files[0].name : "",
		     *text ? "; " : "", text,
		     *result->spared.unmatched ? "; no tensor of it is called by " : "", result->spared.unmatched);
}

/* It was coded, and is not smaller; or it became something else meanwhile. */
static void why_plain(const struct task *t, const struct dfs_ingest_result *result, struct dfs_reason *why)
{
	*why = result->reason;
	if (why->id != DFS_REASON_NO_GAIN)
		return;
	if (t->choice.is_private)
		dfs_reason_set(why, DFS_REASON_PRIVATE_BASE, 0, NULL);
	else if (t->header && !t->choice.choice.n_near)
		dfs_reason_set(why, DFS_REASON_NO_BASE, 0, NULL);
}

/* Once for each decision, not for each time that it is looked at in vain. */
static void tell(const struct task *t, enum dfs_queue_end end, const struct dfs_reason *why)
{
	enum dfs_log_level level = why->id == DFS_REASON_FAILED || why->id == DFS_REASON_DISK ? DFS_LOG_WARNING : DFS_LOG_INFO;
	char text[256];

	if (end == DFS_QUEUE_DONE || (end == DFS_QUEUE_LATER && t->item->tries) ||
	    dfs_queue_cancelled(t->shared->config->queue, t->item))
		return;
	if (why->id == DFS_REASON_COMPRESSED || why->id == DFS_REASON_NONE)
		return;
	dfs_log_line(t->shared->config->log, level, "%s: %s: %s", t->item->rel,
		     end == DFS_QUEUE_STAYS ? "stays as it is" : "later", dfs_reason_text(why, text, sizeof(text)));
}

/* Return: how it ended; @why is set unless it is compressed. */
static enum dfs_queue_end end_of(struct task *t, int ret, const struct dfs_ingest_result *result, const struct dfs_err *err,
				 struct dfs_reason *why)
{
	if (ret == 0 && result->compressed) {
		note(t, result);
		return DFS_QUEUE_DONE;
	}
	if (ret == 0) {
		why_plain(t, result, why);
		return DFS_QUEUE_STAYS;
	}
	if (ret == -ENOENT)
		return DFS_QUEUE_STAYS;
	if (t->memory_low)
		dfs_reason_set(why, DFS_REASON_MEMORY, 0, NULL);
	else if (why->id == DFS_REASON_NONE && ret == -EBUSY)
		dfs_reason_set(why, DFS_REASON_OPEN, 0, NULL);
	else if (why->id == DFS_REASON_NONE && ret == -ESTALE) /* a link, a mode: no write */
		dfs_reason_set(why, DFS_REASON_QUIET, 0, NULL);
	else if (why->id == DFS_REASON_NONE && (ret == -ENOSPC || ret == -EDQUOT))
		dfs_reason_set(why, DFS_REASON_ROOM, container_bytes(t), NULL);
	else if (why->id == DFS_REASON_NONE)
		dfs_reason_set(why, DFS_REASON_FAILED, 0, err->text);
	return DFS_QUEUE_LATER;
}

/* Who asks for a file by name gets it compressed as it is, as deltafsctl(1) does without a mount. */
static bool never_mind(const struct task *t, enum dfs_reason_id id)
{
	return t->item->asked && (id == DFS_REASON_NOT_SAFETENSORS || id == DFS_REASON_HEADER_LIMITS ||
				  id == DFS_REASON_PARTIAL_NAME || id == DFS_REASON_INCOMPLETE);
}

/*
 * It was decided, the file is what it was, and nobody asks again: a daemon was
 * killed before it could take it off the queue.
 */
static bool is_decided(const struct task *t, struct dfs_reason *why)
{
	return !t->item->asked && t->before.st_ino && dfs_ledger_find(t->shared->config->ledger, &t->before, why) &&
	       (dfs_reason_wants_base(why->id) || why->id == DFS_REASON_BY_HAND);
}

static enum dfs_queue_end work(struct task *t, struct dfs_reason *why)
{
	const struct dfs_background_config *config = t->shared->config;
	struct dfs_ingest_result result = { 0 };
	struct dfs_err err = { "" };
	int ret;

	if (!t->item->asked && dfs_policy_refuses(t->shared->policy, t->item->rel, why))
		return DFS_QUEUE_STAYS;
	if (is_decided(t, why))
		return DFS_QUEUE_STAYS;
	ret = dfs_rest_check(config->store, t->item->rel, why, &err);
	if ((ret == -EINVAL || ret == -EAGAIN) && never_mind(t, why->id)) {
		dfs_reason_set(why, DFS_REASON_NONE, 0, NULL);
		ret = 0;
	}
	if (ret == 0)
		ret = ask(t, why, &err);
	if (ret == 0 && !t->item->asked && t->item->tries < DFS_SHARDS_TRIES)
		ret = dfs_shards_check(config->store, config->queue, config->ledger, t->item->rel, why);
	if (ret == -EINVAL)
		return DFS_QUEUE_STAYS;
	if (ret == -EAGAIN)
		return dfs_reason_again_ms(why->id, t->item->tries) ? DFS_QUEUE_LATER : DFS_QUEUE_STAYS;
	if (ret == 0)
		ret = open_file(t, &err);
	if (ret == 0)
		ret = t->item->wish.given ? take_wanted(t, why, &err) : choose_base(t, why, &err);
	if (ret == -EINVAL && why->id != DFS_REASON_NONE)
		return DFS_QUEUE_STAYS;
	if (ret == 0)
		ret = compress(t, why, &result, &err);
	return end_of(t, ret, &result, &err, why);
}

/* For who asks why. What was changed meanwhile is not what was looked at; a container (a copy of one) needs no reason. */
static void note_reason(const struct task *t, enum dfs_queue_end end, const struct dfs_reason *why)
{
	const struct dfs_background_config *config = t->shared->config;
	struct stat st;

	if (end == DFS_QUEUE_DONE && t->before.st_ino) /* another file may get its number */
		dfs_ledger_gone(config->ledger, &t->before);
	if (end == DFS_QUEUE_DONE || why->id == DFS_REASON_NONE || why->id == DFS_REASON_COMPRESSED)
		return;
	if (end != DFS_QUEUE_LATER && !look(t, &st))
		return;
	/* After the look: who writes says so before he does. */
	if (!dfs_queue_cancelled(config->queue, t->item))
		dfs_ledger_note(config->ledger, t->item->rel, end == DFS_QUEUE_LATER ? NULL : &st, why);
}

enum dfs_queue_end dfs_task_run(const struct dfs_task_shared *shared, struct dfs_queue_item *item,
				struct dfs_reason *ret_why)
{
	struct task t = { .shared = shared, .item = item, .fd = -1, .memory_max = dfs_room_memory() };
	enum dfs_queue_end end;

	dfs_reason_set(ret_why, DFS_REASON_NONE, 0, NULL);
	if (!look(&t, &t.before))
		t.before = (struct stat){ 0 };
	end = work(&t, ret_why);
	if (end == DFS_QUEUE_LATER && !dfs_reason_again_ms(ret_why->id, item->tries))
		end = DFS_QUEUE_STAYS; /* until something happens to it */
	note_reason(&t, end, ret_why);
	tell(&t, end, ret_why);
	task_release(&t);
	return end;
}
