/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info: what a file is, what it takes, and what made it so small. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "codec/codec.h"
#include "ctl.h"
#include "daemon.h"
#include "gamma.h"
#include "kept.h"
#include "mounts.h"
#include "read/view.h"
#include "session.h"
#include "shown.h"
#include "tensor/linear.h"
#include "text.h"
#include "write/classify.h"

static const struct ctl_option options[] = {
	{ 0, "tensors", NULL, offsetof(struct ctl, tensors), "also each tensor" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

static json_t *sum_json(const struct ctl_account_sum *sum)
{
	return json_pack("{s:I, s:I, s:I, s:f, s:f}", "params", (json_int_t)sum->params,
			 "original_bytes", (json_int_t)sum->original_bytes,
			 "stored_bytes", (json_int_t)sum->stored_bytes,
			 "ratio", ctl_ratio(sum->original_bytes, sum->stored_bytes),
			 "bits_per_param", sum->params ? 8.0 * (double)sum->stored_bytes / (double)sum->params : 0.0);
}

static json_t *codecs_json(const struct ctl_account *account)
{
	json_t *codecs = json_object();

	for (unsigned id = 0; id < CTL_CODECS; id++) {
		const struct ctl_account_codec *codec = &account->codecs[id];

		if (codec->chunks)
			json_object_set_new(codecs, dfs_codec_name(id), json_pack("{s:I, s:I, s:I, s:I}",
				"chunks", (json_int_t)codec->chunks,
				"original_bytes", (json_int_t)codec->original_bytes,
				"stored_bytes", (json_int_t)codec->stored_bytes,
				"table_bytes", (json_int_t)codec->table_bytes));
	}
	return codecs;
}

/* Is a base file to be had now, without hashing anything? */
static bool base_present(struct ctl_session *s, const struct dfs_base_file *want)
{
	struct dfs_base *base;

	if (dfs_bases_get(s->bases, want, &base, NULL) < 0)
		return false;
	dfs_base_put(s->bases, base);
	return true;
}

static json_t *base_json(struct ctl_session *s, const struct dfs_container *c)
{
	json_t *files = json_array();
	char hex[DFS_HASH_HEX];

	if (c->n_bases == 0) {
		json_decref(files);
		return json_null();
	}
	for (uint32_t i = 0; i < c->n_bases; i++)
		json_array_append_new(files, json_pack("{s:s, s:I, s:o, s:o, s:b}",
			"hash", dfs_hash_hex(c->bases[i].hash, hex), "bytes", (json_int_t)c->bases[i].size,
			"name", ctl_string(c->bases[i].name), "origin", ctl_string(c->bases[i].origin),
			"present", base_present(s, &c->bases[i])));
	return json_pack("{s:s, s:o}", "id", dfs_hash_hex(c->bases[0].model, hex), "files", files);
}

static void say_sum(const struct ctl *ctl, const char *what, const struct ctl_account_sum *sum)
{
	char a[CTL_BYTES_LEN], b[CTL_BYTES_LEN];

	if (sum->params)
		ctl_say(ctl, "%-10s %s -> %s (%.2fx), %.3f bits a parameter", what, ctl_bytes(a, sum->original_bytes),
			ctl_bytes(b, sum->stored_bytes), ctl_ratio(sum->original_bytes, sum->stored_bytes),
			8.0 * (double)sum->stored_bytes / (double)sum->params);
	else if (sum->original_bytes)
		ctl_say(ctl, "%-10s %s -> %s (%.2fx)", what, ctl_bytes(a, sum->original_bytes),
			ctl_bytes(b, sum->stored_bytes), ctl_ratio(sum->original_bytes, sum->stored_bytes));
}

static void say_container(struct ctl_session *s, const struct dfs_container *c,
			  const struct ctl_account *account)
{
	const struct ctl *ctl = s->ctl;
	char hex[DFS_HASH_HEX], a[CTL_BYTES_LEN], b[CTL_BYTES_LEN], t[CTL_BYTES_LEN];

	ctl_say(ctl, "%-10s compressed, %s", "state", dfs_superblock_lossy(&c->sb) ? "lossy" : "exact");
	say_sum(ctl, "all", &account->all);
	say_sum(ctl, "linear", &account->linear);
	say_sum(ctl, "given up", &account->given_up);
	if (c->n_bases == 0)
		ctl_say(ctl, "%-10s none, coded alone", "base");
	for (uint32_t i = 0; i < c->n_bases; i++)
		ctl_say(ctl, "%-10s %.8s %s%s%s%s", i ? "" : "base", dfs_hash_hex(c->bases[i].model, hex),
			c->bases[i].name, *c->bases[i].origin ? " from " : "", c->bases[i].origin,
			base_present(s, &c->bases[i]) ? "" : "  MISSING");
	for (unsigned id = 0; id < CTL_CODECS; id++) {
		const struct ctl_account_codec *codec = &account->codecs[id];

		if (codec->chunks)
			ctl_say(ctl, "%-10s %" PRIu64 " chunks, %s -> %s%s%s", dfs_codec_name(id), codec->chunks,
				ctl_bytes(a, codec->original_bytes), ctl_bytes(b, codec->stored_bytes),
				codec->table_bytes ? " and tables of " : "", codec->table_bytes ? ctl_bytes(t, codec->table_bytes) : "");
	}
}

static json_t *shape_json(const struct dfs_tensor *tensor)
{
	json_t *shape = json_array();

	for (unsigned i = 0; i < tensor->rank && i < DFS_RANK_MAX; i++)
		json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
	return shape;
}

static void show_tensor(struct ctl *ctl, const struct dfs_container *c, const struct dfs_tensor *t,
			json_t *list)
{
	struct ctl_account_tensor one = { .stored_bytes = (double)t->len, .predictor = "none" };
	const char *codec = "plain";
	uint64_t params = ctl_account_params(t);
	double bits;

	if (c) {
		ctl_account_tensor(c, t, &one);
		codec = t->len ? dfs_codec_name(one.codec) : "none";
	}
	bits = params ? 8 * one.stored_bytes / (double)params : 0;
	ctl_say(ctl, "%-8s %12" PRIu64 " %12.0f  %6.3f bits  %-6s %-6s %s", dfs_dtype_info(t->dtype)->name,
		t->len, one.stored_bytes, bits, one.predictor, codec, t->name);
	if (list)
		json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:I, s:f, s:f, s:s, s:s, s:b, s:b}",
			"name", ctl_string(t->name), "dtype", dfs_dtype_info(t->dtype)->name, "shape", shape_json(t),
			"original_bytes", (json_int_t)t->len, "stored_bytes", one.stored_bytes,
			"bits_per_param", bits, "predictor", one.predictor, "codec", codec,
			"linear", dfs_tensor_role(t) == DFS_ROLE_LINEAR,
			"exact", !one.lossy));
}

static void show_tensors(struct ctl *ctl, const struct dfs_container *c, const struct dfs_header *header)
{
	json_t *list = NULL;

	if (!header || !ctl->tensors) {
		if (ctl->report)
			json_object_set_new(ctl->report, "tensors", json_integer(header ? (json_int_t)header->n_tensors : 0));
		return;
	}
	if (ctl->report) {
		list = json_array();
		json_object_set_new(ctl->report, "tensors", list);
	}
	for (size_t i = 0; i < header->n_tensors; i++)
		show_tensor(ctl, c, &header->tensors[i], list);
}

static int info_container(struct ctl_session *s, struct dfs_view *view, struct dfs_err *err)
{
	const struct dfs_container *c = dfs_view_container(view);
	DFS_AUTO(header) struct dfs_header *header = NULL;
	struct ctl_account account;
	int ret = ctl_shown_header(view, &header, err);

	if (ret < 0)
		return ret;
	ctl_account_make(c, header, &account);
	say_container(s, c, &account);
	ctl_say_gamma(s->ctl, c);
	if (s->ctl->report)
		json_object_update_new(s->ctl->report, json_pack(
			"{s:s, s:I, s:I, s:f, s:b, s:o, s:o, s:o, s:o, s:o}", "state", "compressed",
			"original_bytes", (json_int_t)account.all.original_bytes,
			"stored_bytes", (json_int_t)account.all.stored_bytes,
			"ratio", ctl_ratio(account.all.original_bytes, account.all.stored_bytes),
			"exact", !dfs_superblock_lossy(&c->sb), "base", base_json(s, c),
			"linear", sum_json(&account.linear), "given_up", sum_json(&account.given_up),
			"all", sum_json(&account.all), "codecs", codecs_json(&account)));
	show_tensors(s->ctl, c, header);
	return 0;
}

/* Why is it plain? The daemon that writes there may have tried; else what can be told without. */
static const char *plain_reason(struct ctl_session *s, const char *path, const struct stat *st,
				const struct dfs_header *header, struct ctl_daemon *daemon)
{
	struct dfs_err none;
	struct ctl_result told;

	if (ctl_daemon_writer(path, daemon, &none) > 0) {
		ctl_daemon_result(daemon, &told);
		if (told.outcome == CTL_LEFT && *told.why)
			return told.why;
	}
	if (ctl_session_is_base(s, st))
		return "a base";
	if (st->st_nlink > 1)
		return "has several names (hard links)";
	return header ? "not compressed" : "no safetensors file, and not compressed";
}

static int info_plain(struct ctl_session *s, const char *path, int fd, const struct stat *st, struct dfs_err *err)
{
	DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
	DFS_AUTO(header) struct dfs_header *header = NULL;
	struct ctl_account_sum all = { 0, (uint64_t)st->st_size, (uint64_t)st->st_size };
	struct ctl_account_sum linear = { 0 };
	char text[CTL_BYTES_LEN];
	const char *reason;
	int ret = dfs_classify(fd, &header, NULL, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; header && i < header->n_tensors; i++) {
		all.params += ctl_account_params(&header->tensors[i]);
		if (dfs_tensor_role(&header->tensors[i]) != DFS_ROLE_LINEAR)
			continue;
		linear.params += ctl_account_params(&header->tensors[i]);
		linear.original_bytes += header->tensors[i].len;
	}
	linear.stored_bytes = linear.original_bytes;
	reason = plain_reason(s, path, st, header, &daemon);
	ctl_say(s->ctl, "%-10s plain, %s: %s", "state", ctl_bytes(text, all.original_bytes), reason);
	if (s->ctl->report)
		json_object_update_new(s->ctl->report, json_pack(
			"{s:s, s:I, s:I, s:f, s:b, s:n, s:o, s:o, s:{}, s:o}", "state", "plain",
			"original_bytes", (json_int_t)all.original_bytes, "stored_bytes", (json_int_t)all.stored_bytes,
			"ratio", 1.0, "exact", true, "base", "linear", sum_json(&linear), "all", sum_json(&all),
			"codecs", "reason", ctl_string(reason)));
	show_tensors(s->ctl, NULL, header);
	return 0;
}

/* A user who may not look into the store is told until when. */
static void info_kept(struct ctl_session *s, const char *path, const char *rel, int fd)
{
	char text[CTL_BYTES_LEN];
	struct ctl_kept kept;
	json_t *json;

	if (!ctl_kept_find(s->store, path, rel, fd, &kept))
		return;
	ctl_say(s->ctl, "%-10s its original%s%s, until %s, unless the file is removed or replaced; deltafsctl accept or revert decides%s",
		"kept", kept.bytes ? ", " : "", kept.bytes ? ctl_bytes(text, kept.bytes) : "",
		strcmp(kept.until, "manual") ? kept.until : "you say",
		kept.changed ? "; the file was decoded, written to or coded anew since" : "");
	if (!s->ctl->report)
		return;
	json = json_pack("{s:s}", "until", kept.until);
	if (kept.bytes)
		json_object_update_new(json, json_pack("{s:I, s:b}", "bytes", (json_int_t)kept.bytes, "changed", kept.changed));
	json_object_set_new(s->ctl->report, "kept", json);
}

/* What the daemon knows of a container that is exact, though its policy has it otherwise. */
static void info_exact(struct ctl_session *s, const char *path)
{
	DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
	struct dfs_err none;
	struct ctl_result told;

	if (ctl_daemon_writer(path, &daemon, &none) <= 0)
		return;
	ctl_daemon_result(&daemon, &told);
	if (told.outcome != CTL_CHANGED || !told.why)
		return;
	ctl_say(s->ctl, "%-10s %s", "exact", told.why);
	if (s->ctl->report)
		json_object_set_new(s->ctl->report, "reason", ctl_string(told.why));
}

static int info(struct ctl_session *s, const char *path, struct dfs_err *err)
{
	DFS_AUTO(mem) char *behind = ctl_mount_behind(path, err);
	DFS_AUTO(mem) char *rel = NULL;
	DFS_AUTO(view) struct dfs_view *view = NULL;
	DFS_AUTO(fd) int fd = behind ? open(behind, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	struct stat st;
	int own, ret;

	if (!behind)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return dfs_fail(err, EINVAL, "%s is no regular file", path);
	ret = ctl_session_enter(s, behind, &rel, err);
	if (ret < 0)
		return ret;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	ret = own < 0 ? -errno : dfs_view_open(s->reader, own, path, &view, err);
	if (ret < 0) {
		if (own >= 0)
			close(own);
		return ret;
	}
	ctl_say(s->ctl, "%-10s %s", "file", path);
	if (s->ctl->report)
		json_object_set_new(s->ctl->report, "path", ctl_string(path));
	ret = dfs_view_container(view) ? info_container(s, view, err) : info_plain(s, path, fd, &st, err);
	if (ret == 0 && dfs_view_container(view))
		info_exact(s, path);
	if (ret == 0)
		info_kept(s, path, rel, fd);
	return ret;
}

static int run(struct ctl *ctl)
{
	struct ctl_session s;
	struct dfs_err err = { "" };
	int code = CTL_DONE;

	ctl_session_init(&s, ctl, false);
	if (info(&s, ctl->args[0], &err) < 0)
		code = ctl_fail(ctl, &err);
	ctl_session_release(&s);
	return code;
}

const struct ctl_command ctl_info = {
	"info", "[OPTION]... FILE", "Show what a file takes, its base, and how it is coded",
	options, sizeof(options) / sizeof(options[0]), 1, 1, run,
};
