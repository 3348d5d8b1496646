/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/background.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/registry.h"
#include "util/auto.h"
#include "write/choose.h"
#include "write/classify.h"
#include "write/rest.h"

struct dfs_background {
	struct dfs_background_config config;
	struct dfs_reader *reader;
	struct dfs_hand *hand;
	pthread_t thread;
};

/* A file in work. */
struct task {
	struct dfs_background *b;
	struct dfs_queue_item *item;
	struct dfs_registry registry;
	struct dfs_model **models;	/* registry.n; NULL: cannot be opened */
	const struct dfs_model *base;	/* one of them, or NULL */
};

static void task_release(struct task *t)
{
	for (size_t i = 0; t->models && i < t->registry.n; i++)
		dfs_model_free(t->models[i]);
	free(t->models);
	dfs_registry_release(&t->registry);
}

static bool encoding(void *arg, uint64_t done, uint64_t total)
{
	const struct task *t = arg;

	dfs_ledger_step(t->b->config.ledger, "encoding", done, total);
	return !dfs_queue_cancelled(t->b->config.queue, t->item);
}

static bool verifying(void *arg, uint64_t done, uint64_t total)
{
	const struct task *t = arg;

	dfs_ledger_step(t->b->config.ledger, "verifying", done, total);
	return !dfs_queue_cancelled(t->b->config.queue, t->item);
}

/* --- which base */

static int open_bases(struct task *t, struct dfs_err *err)
{
	int ret = dfs_registry_list(t->b->config.store, &t->registry, NULL);
	struct dfs_err why;

	if (ret < 0)
		return dfs_fail(err, -ret, "the bases cannot be listed: %s", strerror(-ret));
	t->models = calloc(t->registry.n + 1, sizeof(struct dfs_model *));
	if (!t->models)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < t->registry.n; i++)
		dfs_model_open_registered(t->b->config.store, &t->registry.models[i], &t->models[i], &why);
	return 0;
}

static int choose_base(struct task *t, struct dfs_err *err)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	DFS_AUTO(fd) int fd = -1;
	struct dfs_work_input input = { 0 };
	struct dfs_choice choice;
	struct stat st;
	int ret = dfs_store_openat(t->b->config.store, t->item->rel, O_RDONLY, &fd);

	if (ret < 0)
		return dfs_fail(err, -ret, "open: %s", strerror(-ret));
	if (fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "fstat");
	ret = dfs_classify(fd, &header, NULL, err);
	if (ret < 0 || !header)
		return ret;
	input = (struct dfs_work_input){ .fd = fd, .len = (uint64_t)st.st_size, .header = header };
	ret = dfs_choose(&input, t->models, t->registry.n, DFS_SAMPLE_CHOOSE, t->b->hand, &choice, err);
	if (ret == 0 && choice.model != DFS_CHOSE_NONE)
		t->base = t->models[choice.model];
	return ret;
}

/* --- the flow */

static int compress(struct task *t, struct dfs_ingest_result *result, struct dfs_err *err)
{
	const struct dfs_background_config *config = &t->b->config;
	const struct dfs_ingest_config ingest = {
		.encode = {
			.base = t->base, .codec = config->codec, .threads = config->threads, .idle = true,
			.progress = encoding, .progress_arg = t,
		},
		.reader = t->b->reader, .registry = &t->registry,
		.verify_progress = verifying, .verify_arg = t,
		.watch = config->watch,
	};

	return dfs_ingest(config->store, t->item->rel, &ingest, result, err);
}

static void note(struct dfs_background *b, const char *rel, const struct dfs_ingest_result *result)
{
	dfs_ledger_compressed(b->config.ledger, result->original_bytes, result->stored_bytes);
	dfs_log_line(b->config.log, DFS_LOG_INFO, "%s: compressed to %llu of %llu bytes", rel,
		     (unsigned long long)result->stored_bytes, (unsigned long long)result->original_bytes);
}

/* Return: how it ended; @why is set unless it is compressed. */
static enum dfs_queue_end end_of(struct task *t, int ret, const struct dfs_ingest_result *result, const struct dfs_err *err,
				 struct dfs_reason *why)
{
	if (ret == 0 && result->compressed) {
		note(t->b, t->item->rel, result);
		return DFS_QUEUE_DONE;
	}
	if (ret == 0) {
		*why = result->reason;
		return DFS_QUEUE_STAYS;
	}
	if (ret == -ENOENT)
		return DFS_QUEUE_STAYS;
	dfs_reason_set(why, ret == -EBUSY ? DFS_REASON_OPEN : ret == -ENOSPC ? DFS_REASON_ROOM : DFS_REASON_FAILED, 0, err->text);
	/* A file that was changed meanwhile fails in many ways, and is looked at again. */
	if (!dfs_queue_cancelled(t->b->config.queue, t->item))
		dfs_log_line(t->b->config.log, DFS_LOG_WARNING, "%s: stays as it is: %s", t->item->rel, err->text);
	return DFS_QUEUE_LATER;
}

/* Who asks for a file by name gets it compressed as it is, as deltafsctl(1) does without a mount. */
static bool never_mind(const struct task *t, enum dfs_reason_id id)
{
	return t->item->asked && (id == DFS_REASON_NOT_SAFETENSORS || id == DFS_REASON_HEADER_LIMITS ||
				  id == DFS_REASON_PARTIAL_NAME || id == DFS_REASON_INCOMPLETE);
}

static enum dfs_queue_end work(struct task *t, struct dfs_reason *why)
{
	struct dfs_ingest_result result = { 0 };
	struct dfs_err err = { "" };
	int ret = dfs_rest_check(t->b->config.store, t->item->rel, why, &err);

	if ((ret == -EINVAL || ret == -EAGAIN) && never_mind(t, why->id))
		ret = 0;
	if (ret == -EINVAL)
		return DFS_QUEUE_STAYS;
	if (ret == -EAGAIN)
		return dfs_reason_again_ms(why->id, t->item->tries) ? DFS_QUEUE_LATER : DFS_QUEUE_STAYS;
	if (ret == 0)
		ret = open_bases(t, &err);
	if (ret == 0)
		ret = choose_base(t, &err);
	if (ret == 0)
		ret = compress(t, &result, &err);
	return end_of(t, ret, &result, &err, why);
}

/* For who asks why. What was changed meanwhile is not what was looked at. */
static void note_reason(const struct task *t, enum dfs_queue_end end, const struct dfs_reason *why)
{
	const struct dfs_background_config *config = &t->b->config;
	DFS_AUTO(fd) int fd = -1;
	struct stat st;

	if (end == DFS_QUEUE_DONE || why->id == DFS_REASON_NONE || dfs_queue_cancelled(config->queue, t->item))
		return;
	if (end == DFS_QUEUE_LATER)
		dfs_ledger_note(config->ledger, t->item->rel, NULL, why);
	else if (dfs_store_openat(config->store, t->item->rel, O_PATH, &fd) == 0 && fstat(fd, &st) == 0)
		dfs_ledger_note(config->ledger, t->item->rel, &st, why);
}

static void *background_main(void *arg)
{
	struct dfs_background *b = arg;
	struct dfs_queue_item *item;

	while (dfs_queue_take(b->config.queue, &item) == 0) {
		struct task t = { .b = b, .item = item };
		struct dfs_reason why = { 0 };
		enum dfs_queue_end end;
		unsigned again_ms;

		dfs_ledger_begin(b->config.ledger, item->rel);
		end = work(&t, &why);
		again_ms = dfs_reason_again_ms(why.id, item->tries);
		if (end == DFS_QUEUE_LATER && !again_ms)
			end = DFS_QUEUE_STAYS; /* until something happens to it */
		note_reason(&t, end, &why);
		dfs_ledger_end(b->config.ledger);
		task_release(&t);
		dfs_queue_done(b->config.queue, item, end, again_ms, &why);
	}
	return NULL;
}

int dfs_background_new(const struct dfs_background_config *config, struct dfs_background **ret_background,
		       struct dfs_err *err)
{
	struct dfs_background *b = calloc(1, sizeof(*b));
	const struct dfs_reader_config reader = {
		.cache_bytes = config->cache_bytes, .threads = config->threads, .idle = true,
		.bases = config->bases, .log = config->log,
	};
	int ret = 0;

	if (!b)
		return dfs_fail(err, ENOMEM, "out of memory");
	b->config = *config;
	b->hand = dfs_hand_new();
	if (!b->hand)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	if (ret == 0)
		ret = dfs_reader_new(&reader, &b->reader, err);
	if (ret == 0 && pthread_create(&b->thread, NULL, background_main, b) != 0)
		ret = dfs_fail(err, EAGAIN, "cannot start a thread");
	if (ret == 0) {
		*ret_background = b;
		return 0;
	}
	dfs_reader_free(b->reader);
	dfs_hand_free(b->hand);
	free(b);
	return ret;
}

void dfs_background_free(struct dfs_background *b)
{
	if (!b)
		return;
	pthread_join(b->thread, NULL);
	dfs_reader_free(b->reader);
	dfs_hand_free(b->hand);
	free(b);
}
