/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base list: the bases of a store, what depends on them, and what their fine-tunes are compared with. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base_norm.h"
#include "ctl.h"
#include "session.h"
#include "store/dependants.h"
#include "store/pins.h"
#include "text.h"

static const struct ctl_option options[] = {
	{ 0, "norm", "NUMBER", offsetof(struct ctl, norm), "set what ultradelta:gamma=auto compares fine-tunes of ID with; 0: the next one is it" },
	{ 0, "exact-norm", "NUMBER", offsetof(struct ctl, exact_norm), "the same with trace=exact" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

static struct dfs_dependants_sum dependants_of(const struct dfs_dependants *dependants,
					       const struct dfs_registered *model)
{
	struct dfs_hash hashes[64];
	DFS_AUTO(mem) struct dfs_hash *many = NULL;
	struct dfs_hash *all = hashes;

	if (model->n_files > 64)
		all = many = calloc(model->n_files, sizeof(*many));
	if (!all)
		return (struct dfs_dependants_sum){ 0 };
	for (size_t i = 0; i < model->n_files; i++)
		all[i] = model->files[i].hash;
	return dfs_dependants_of(dependants, all, model->n_files);
}

static bool is_present(const struct dfs_store *store, const struct dfs_registered_file *file)
{
	DFS_AUTO(fd) int fd = -1;

	return dfs_registered_open(store, file, &fd, NULL) == 0;
}

static bool all_present(const struct dfs_store *store, const struct dfs_registered *model)
{
	for (size_t i = 0; i < model->n_files; i++)
		if (!is_present(store, &model->files[i]))
			return false;
	return true;
}

static uint64_t model_bytes(const struct dfs_registered *model, bool *ret_pinned)
{
	uint64_t bytes = 0;

	*ret_pinned = true;
	for (size_t i = 0; i < model->n_files; i++) {
		bytes += model->files[i].size;
		*ret_pinned = *ret_pinned && model->files[i].pinned;
	}
	return bytes;
}

static json_t *paths_json(const struct dfs_paths *paths)
{
	json_t *array = json_array();

	for (size_t i = 0; i < paths->n; i++)
		json_array_append_new(array, ctl_string(paths->paths[i]));
	return array;
}

/* NULL: none. */
static json_t *norm_json(double norm)
{
	return norm > 0 ? json_real(norm) : NULL;
}

static json_t *model_json(const struct dfs_store *store, const struct dfs_registered *m,
			  const struct dfs_dependants_sum *sum)
{
	json_t *files = json_array();
	char hex[DFS_HASH_HEX];
	bool pinned;
	uint64_t bytes = model_bytes(m, &pinned);

	for (size_t i = 0; i < m->n_files; i++)
		json_array_append_new(files, json_pack("{s:s, s:I, s:o, s:b, s:b, s:o}",
			"hash", dfs_hash_hex(m->files[i].hash, hex), "bytes", (json_int_t)m->files[i].size,
			"name", ctl_string(m->files[i].name), "pinned", m->files[i].pinned,
			"present", is_present(store, &m->files[i]),
			"paths", paths_json(&m->files[i].paths)));
	return json_pack("{s:s, s:o, s:s?, s:s?, s:I, s:b, s:o, s:o*, s:o*, s:{s:I, s:I, s:I}}",
			 "id", dfs_hash_hex(m->id, hex), "names", paths_json(&m->names),
			 "repository", m->repository, "commit", m->commit, "bytes", (json_int_t)bytes,
			 "pinned", pinned, "files", files, "norm", norm_json(m->norms.of[DFS_NORM_ESTIMATE]),
			 "exact_norm", norm_json(m->norms.of[DFS_NORM_EXACT]), "dependants", "files", (json_int_t)sum->n,
			 "original_bytes", (json_int_t)sum->original_bytes,
			 "stored_bytes", (json_int_t)sum->stored_bytes);
}

static void say_model(const struct ctl *ctl, const struct dfs_store *store, const struct dfs_registered *m,
		      const struct dfs_dependants_sum *sum)
{
	char hex[DFS_HASH_HEX], size[CTL_BYTES_LEN], original[CTL_BYTES_LEN], stored[CTL_BYTES_LEN];
	char origin[336];
	bool pinned;
	uint64_t bytes = model_bytes(m, &pinned);

	dfs_registered_origin(m, origin, sizeof(origin));
	ctl_say(ctl, "%s  %9s  %s%s%s%s%s", dfs_hash_hex(m->id, hex), ctl_bytes(size, bytes),
		m->names.n ? m->names.paths[0] : "(no name)", *origin ? "  " : "", origin,
		pinned ? "" : "  (by reference)", all_present(store, m) ? "" : "  MISSING");
	if (sum->n)
		ctl_say(ctl, "  %" PRIu64 " file%s on it: %s, on disk %s", sum->n, sum->n == 1 ? " depends" : "s depend",
			ctl_bytes(original, sum->original_bytes), ctl_bytes(stored, sum->stored_bytes));
	else
		ctl_say(ctl, "  nothing depends on it");
	if (m->norms.of[DFS_NORM_ESTIMATE] > 0)
		ctl_say(ctl, "  norm that fine-tunes are compared with: %.6g", m->norms.of[DFS_NORM_ESTIMATE]);
	if (m->norms.of[DFS_NORM_EXACT] > 0)
		ctl_say(ctl, "  exact norm that fine-tunes are compared with: %.6g", m->norms.of[DFS_NORM_EXACT]);
}

static void say_pins(struct ctl *ctl, const struct dfs_store *store)
{
	DFS_AUTO(mem) struct dfs_pin *pins = NULL;
	char text[CTL_BYTES_LEN];
	uint64_t all = 0, alone = 0;
	size_t n = 0;

	if (dfs_pins_list(store, &pins, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		all += pins[i].stored;
		alone += pins[i].alone ? pins[i].stored : 0;
	}
	if (alone)
		ctl_say(ctl, "%s held by pins alone: no file of the store has these bytes", ctl_bytes(text, alone));
	if (ctl->report)
		json_object_set_new(ctl->report, "pins", json_pack("{s:I, s:I, s:I}", "files", (json_int_t)n,
			"stored_bytes", (json_int_t)all, "alone_bytes", (json_int_t)alone));
}

static int run(struct ctl *ctl)
{
	DFS_AUTO(dependants) struct dfs_dependants *dependants = NULL;
	DFS_AUTO(session) struct ctl_session s = { 0 };
	struct dfs_err err = { "" };
	struct dfs_norms norms;
	json_t *models;
	int ret = ctl_base_norms_read(ctl, &norms);

	if (ret != CTL_DONE)
		return ret;
	if (ctl->n_args == 2 && ctl_base_norms_set(ctl, &norms, &err) < 0)
		return ctl_fail(ctl, &err);
	models = json_array();
	ctl_session_init(&s, ctl, false);
	if (ctl->report)
		json_object_set(ctl->report, "bases", models);
	if (ctl_session_open(&s, ctl->args[0], &err) < 0 ||
	    dfs_dependants_count(s.store, &dependants, &err) < 0) {
		json_decref(models);
		return ctl_fail(ctl, &err);
	}
	if (s.hidden) {
		json_decref(models);
		dfs_fail(&err, EACCES, "list the bases of %s: %s", ctl->args[0], strerror(EACCES));
		return ctl_fail(ctl, &err);
	}
	for (size_t i = 0; i < s.registry.n; i++) {
		struct dfs_dependants_sum sum = dependants_of(dependants, &s.registry.models[i]);

		say_model(ctl, s.store, &s.registry.models[i], &sum);
		json_array_append_new(models, model_json(s.store, &s.registry.models[i], &sum));
	}
	if (s.registry.n == 0)
		ctl_say(ctl, "%s has no bases", ctl->args[0]);
	say_pins(ctl, s.store);
	json_decref(models);
	return CTL_DONE;
}

const struct ctl_command ctl_base_list = {
	"base list", "[OPTION]... STORE [ID]", "Show the bases of a store and what depends on them",
	options, sizeof(options) / sizeof(options[0]), 1, 2, run,
};
