/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_models: the records of models, and the pins that belong to none.
 *
 * A record that makes no sense is made anew where the ID itself proves it: it
 * is the hash of its files' hashes, and containers say which files they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/check_internal.h"
#include "store/internal.h"
#include "store/json.h"
#include "store/pins.h"
#include "store/registry_json.h"

static const char bases_path[] = DFS_STORE_DIR "/bases";
static const char pins_path[] = DFS_STORE_DIR "/pins";

#define SUFFIX ".json"

static int out_of_memory(struct dfs_err *err)
{
	return dfs_fail(err, ENOMEM, "out of memory");
}

/* --- records */

/* ".../ID.json" */
static bool id_of(const char *path, struct dfs_hash *ret_id)
{
	const char *name = strrchr(path, '/') + 1;
	char hex[DFS_HASH_HEX];

	if (strlen(name) != DFS_HASH_HEX - 1 + strlen(SUFFIX) || strcmp(name + DFS_HASH_HEX - 1, SUFFIX) != 0)
		return false;
	snprintf(hex, sizeof(hex), "%.32s", name);
	return dfs_hash_parse(hex, ret_id) == 0;
}

static int load(const struct dfs_check *check, const char *path, struct dfs_hash id, struct dfs_registered *ret_model,
		struct dfs_err *err)
{
	DFS_AUTO(json) json_t *root = NULL;
	int ret = dfs_json_load(check->store->fd, path, DFS_REGISTERED_MAX, &root, err);

	if (ret == 0)
		ret = dfs_registered_from_json(root, ret_model, err);
	if (ret == 0 && !dfs_hash_equal(ret_model->id, id))
		ret = dfs_fail(err, EUCLEAN, "it is the record of another model");
	return ret;
}

/* Beside a daemon: it may have let go of the model, and then of its pins, since the record was read. */
static bool was_forgotten(const struct dfs_check *check, const char *path)
{
	struct stat st;

	return check->live && fstatat(check->store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0;
}

static bool pin_is_there(struct dfs_check *check, const struct dfs_base_file *want)
{
	char path[DFS_PIN_PATH_SIZE];
	const struct dfs_place place = { DFS_PLACE_PIN, check->store->fd, dfs_pin_path(want->hash, path) };

	return dfs_check_place(check, &place, want, false, NULL) == DFS_PLACE_FITS;
}

static int check_files(struct dfs_check *check, const char *path, const struct dfs_registered *model, struct dfs_err *err)
{
	int ret = 0;

	for (size_t i = 0; i < model->n_files && ret == 0; i++) {
		const struct dfs_registered_file *file = &model->files[i];
		const struct dfs_base_file want = { file->hash, file->size, model->id, file->name, "" };

		if (pin_is_there(check, &want) || !was_forgotten(check, path))
			ret = dfs_check_pin(check, &want, file->pinned ? DFS_ASKER_MODEL : DFS_ASKER_REFERENCE, err);
	}
	check->n_models++;
	return ret;
}

static int check_model(struct dfs_check *check, const char *path, struct dfs_err *err)
{
	DFS_AUTO(registered) struct dfs_registered model = { 0 };
	struct dfs_check_lost lost;
	int ret;

	if (!id_of(path, &lost.id)) {
		dfs_check_found(check, DFS_CHECK_STATE, path, "no record of a model has this name", NULL, NULL);
		return 0;
	}
	ret = load(check, path, lost.id, &model, &lost.why);
	if (ret == 0)
		return check_files(check, path, &model, err);
	if (ret == -ENOMEM)
		return out_of_memory(err);
	if (ret == -ENOENT)
		return 0;
	if (ret == -ENOTSUP) {
		check->uncertain = true;
		dfs_check_found(check, DFS_CHECK_NEWER, path, lost.why.text, NULL, NULL);
	} else if (dfs_buf_append(&check->lost, &lost, sizeof(lost)) < 0) {
		return out_of_memory(err);
	}
	return 0;
}

int dfs_check_models(struct dfs_check *check, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths names = { 0 };
	int ret = dfs_check_names(check->store, bases_path, &names);

	if (ret < 0)
		return dfs_fail(err, -ret, "%s/%s: %s", check->store->path, bases_path, strerror(-ret));
	for (size_t i = 0; i < names.n && ret == 0; i++)
		ret = check_model(check, names.paths[i], err);
	return ret;
}

/* --- records made anew */

struct rebuild {
	struct dfs_check *check;
	struct dfs_registered model;
	bool done;
};

/* A name that still leads to the file, which the record had, too. */
static int add_path(struct dfs_check *check, struct dfs_registered_file *file)
{
	const struct dfs_base_file want = { .hash = file->hash, .size = file->size };
	const struct dfs_place place = { DFS_PLACE_HINT, check->store->fd, file->name };
	int ret = *file->name ? dfs_check_place(check, &place, &want, true, NULL) : DFS_PLACE_GONE;

	if (ret == DFS_PLACE_FITS)
		ret = dfs_paths_add(&file->paths, file->name);
	return ret < 0 ? ret : 0;
}

static int model_add(struct dfs_check *check, struct dfs_registered *model, struct dfs_hash hash, uint64_t size, const char *name)
{
	struct dfs_registered_file *files = realloc(model->files, (model->n_files + 1) * sizeof(*files));

	if (!files)
		return -ENOMEM;
	model->files = files;
	files[model->n_files] = (struct dfs_registered_file){ .hash = hash, .size = size, .pinned = true, .name = strdup(name) };
	return files[model->n_files++].name ? add_path(check, &files[model->n_files - 1]) : -ENOMEM;
}

static int by_hash(const void *a, const void *b)
{
	return dfs_hash_compare(((const struct dfs_registered_file *)a)->hash, ((const struct dfs_registered_file *)b)->hash);
}

/* Do these files give that ID? */
static bool is_proven(struct dfs_registered *model)
{
	DFS_AUTO(mem) struct dfs_hash *hashes = calloc(model->n_files + 1, sizeof(*hashes));

	if (!hashes || !model->n_files)
		return false;
	qsort(model->files, model->n_files, sizeof(*model->files), by_hash);
	for (size_t i = 0; i < model->n_files; i++)
		hashes[i] = model->files[i].hash;
	return dfs_hash_equal(dfs_model_id(hashes, model->n_files), model->id);
}

/* All of its files that containers name. */
static int gather(struct dfs_check *check, struct dfs_registered *model)
{
	const struct dfs_check_base *seen = (const struct dfs_check_base *)check->seen.data;
	int ret = 0;

	for (size_t i = 0; i < check->seen.len / sizeof(*seen) && ret == 0; i++)
		if (seen[i].pinned && dfs_hash_equal(seen[i].model, model->id))
			ret = model_add(check, model, seen[i].hash, seen[i].size, seen[i].name ? seen[i].name : "");
	return ret;
}

/* A model of one file, which no container needs now. */
static int gather_alone(struct dfs_check *check, struct dfs_registered *model, const struct dfs_pin *pins, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct dfs_hash hash = pins[i].hash;

		if (dfs_hash_equal(dfs_model_id(&hash, 1), model->id))
			return model_add(check, model, pins[i].hash, pins[i].size, "");
	}
	return 0;
}

static int write_model(void *arg, struct dfs_err *err)
{
	struct rebuild *rebuild = arg;
	bool known;
	int ret = dfs_registered_write(rebuild->check->store, &rebuild->model, &known, err);

	rebuild->done = ret >= 0;
	return ret < 0 ? ret : 0;
}

static int start_model(struct dfs_registered *model, struct dfs_hash id)
{
	*model = (struct dfs_registered){ .id = id, .repository = strdup(""), .commit = strdup("") };
	return model->repository && model->commit ? 0 : -ENOMEM;
}

static int check_lost(struct dfs_check *check, const struct dfs_check_lost *lost, const struct dfs_pin *pins, size_t n_pins,
		      bool *ret_certain)
{
	struct rebuild rebuild = { .check = check };
	char path[sizeof(bases_path) + DFS_HASH_HEX + sizeof(SUFFIX)], hex[DFS_HASH_HEX];
	const char *what = lost->why.text;
	int ret = start_model(&rebuild.model, lost->id);

	if (ret == 0)
		ret = gather(check, &rebuild.model);
	if (ret == 0 && !rebuild.model.n_files)
		ret = gather_alone(check, &rebuild.model, pins, n_pins);
	if (ret == 0) {
		snprintf(path, sizeof(path), "%s/%s" SUFFIX, bases_path, dfs_hash_hex(lost->id, hex));
		if (strncmp(what, path, strlen(path)) == 0 && strncmp(what + strlen(path), ": ", 2) == 0)
			what += strlen(path) + 2;
		dfs_check_found(check, DFS_CHECK_MODEL, path, what,
				is_proven(&rebuild.model) ? write_model : NULL, &rebuild);
		*ret_certain &= rebuild.done;
	}
	for (size_t i = 0; ret == 0 && rebuild.done && i < rebuild.model.n_files; i++) {
		const struct dfs_registered_file *file = &rebuild.model.files[i];
		const struct dfs_base_file want = { file->hash, file->size, lost->id, file->name, "" };

		ret = dfs_check_pin(check, &want, DFS_ASKER_MODEL, NULL);
	}
	check->n_models += rebuild.done;
	dfs_registered_release(&rebuild.model);
	return ret;
}

static int check_all_lost(struct dfs_check *check, const struct dfs_pin *pins, size_t n_pins)
{
	const struct dfs_check_lost *lost = (const struct dfs_check_lost *)check->lost.data;
	int ret = 0;

	for (size_t i = 0; i < check->lost.len / sizeof(*lost) && ret == 0; i++) {
		bool certain = true;

		ret = check_lost(check, &lost[i], pins, n_pins, &certain);
		check->uncertain |= !certain;
	}
	return ret;
}

/* --- pins */

/* What is not named by a hash, or no regular file, is no pin. */
static int check_names(struct dfs_check *check, const struct dfs_pin *pins, size_t n_pins)
{
	DFS_AUTO(paths) struct dfs_paths names = { 0 };
	int ret = dfs_check_names(check->store, pins_path, &names);

	for (size_t i = 0; i < names.n; i++) {
		const char *name = strrchr(names.paths[i], '/') + 1;
		struct dfs_hash hash;
		bool is_pin = false;

		if (dfs_hash_parse(name, &hash) == 0)
			for (size_t k = 0; k < n_pins && !is_pin; k++)
				is_pin = dfs_hash_equal(pins[k].hash, hash);
		if (!is_pin && !check->live)
			dfs_check_found(check, DFS_CHECK_STATE, names.paths[i], "no pin has this name, or is no regular file", NULL, NULL);
	}
	return ret;
}

static int check_stray(struct dfs_check *check, const struct dfs_pin *pin)
{
	char path[DFS_PIN_PATH_SIZE];
	struct dfs_check_removing removing = { check->store, dfs_pin_path(pin->hash, path) };
	const struct dfs_base_file want = { .hash = pin->hash, .size = pin->size };
	struct dfs_place place = { DFS_PLACE_PIN, check->store->fd, path };
	int ret;

	if (!check->uncertain && !check->live) {
		dfs_check_found(check, pin->alone ? DFS_CHECK_PIN_STRAY : DFS_CHECK_PIN_SPARE, path,
				pin->alone ? "no model and no container needs it" : "no model and no container needs it, and its file has another name",
				dfs_check_remove, &removing);
		return 0;
	}
	ret = check->full ? dfs_check_place(check, &place, &want, true, NULL) : DFS_PLACE_FITS;
	if (ret == DFS_PLACE_OTHER)
		dfs_check_found(check, DFS_CHECK_PIN_ALTERED, path, "its content is not what its name says", NULL, NULL);
	return ret < 0 ? ret : 0;
}

int dfs_check_pins(struct dfs_check *check, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_pin *pins = NULL;
	size_t n = 0;
	int ret = dfs_pins_list(check->store, &pins, &n);

	if (ret == -ENOTDIR || ret == -ELOOP) /* told by dfs_check_state() */
		ret = 0;
	if (ret == 0)
		ret = check_names(check, pins, n);
	if (ret == 0)
		ret = check_all_lost(check, pins, n);
	for (size_t i = 0; i < n && ret == 0; i++)
		if (!dfs_check_seen(check, pins[i].hash))
			ret = check_stray(check, &pins[i]);
	return ret < 0 ? dfs_fail(err, -ret, "%s/%s: %s", check->store->path, pins_path, strerror(-ret)) : 0;
}
