/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session: see session.h. */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lost_store.h"
#include "mounts.h"
#include "progress.h"
#include "text.h"

void ctl_session_init(struct ctl_session *s, struct ctl *ctl, bool writer)
{
	*s = (struct ctl_session){ .ctl = ctl, .writer = writer };
}

static void leave(struct ctl_session *s)
{
	dfs_model_free(s->base);
	dfs_reader_free(s->reader);
	dfs_bases_free(s->bases);
	dfs_registry_release(&s->registry);
	dfs_keeper_free(s->keeper);
	dfs_store_close(s->store);
	s->base = NULL;
	s->reader = NULL;
	s->bases = NULL;
	s->keeper = NULL;
	s->registry = (struct dfs_registry){ 0 };
	s->store = NULL;
}

void ctl_session_release(struct ctl_session *s)
{
	leave(s);
	free(s->new_store);
}

/* The directory that @path lies in: free() it. */
static char *parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* A store without .deltafs, by where the container at @path remembers its base. Only @path itself tells. */
static int find_lost(const char *path, struct dfs_store **ret_store, char **ret_rel)
{
	DFS_AUTO(mem) char *root = NULL;
	DFS_AUTO(mem) char *whole = realpath(path, NULL);
	const char *rel;
	int ret = whole ? ctl_lost_store(path, &root) : -errno;

	if (ret < 0)
		return ret;
	rel = whole + strlen(root);
	*ret_rel = strdup(rel + (*rel == '/'));
	return *ret_rel ? dfs_store_open(root, true, ret_store, NULL) : -ENOMEM;
}

static int find_store(struct ctl_session *s, const char *path, const char *there,
		      struct dfs_store **ret_store, char **ret_rel, struct dfs_err *err)
{
	struct dfs_err none = { "" };
	int ret = dfs_store_find(path, ret_store, ret_rel, &none);

	if (ret == 0)
		return 0;
	if (ret != -ENOENT || access(there, F_OK) < 0)
		return dfs_fail(err, -ret, "%s", none.text);
	if (find_lost(path, ret_store, ret_rel) == 0)
		return 0;
	if (!s->writer)
		return 0;
	if (!s->new_store)
		return dfs_fail(err, ENOENT, "%s is in no store. `deltafsctl base add DIR BASE` makes a directory above it one; "
				"-r DIR makes DIR one; -o OUT needs none", path);
	ret = dfs_store_open(s->new_store, false, ret_store, err);
	if (ret < 0)
		return ret;
	ret = dfs_store_prepare(*ret_store, err);
	dfs_store_close(*ret_store);
	*ret_store = NULL;
	return ret < 0 ? ret : dfs_store_find(path, ret_store, ret_rel, err);
}

static int open_reader(struct ctl_session *s, struct dfs_err *err)
{
	struct dfs_reader_config config = { .threads = s->ctl->threads, .metadata_bytes = DFS_METADATA_OF_TOOLS };

	s->bases = dfs_bases_new(s->store);
	if (!s->bases)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (s->ctl->base && access(s->ctl->base, F_OK) == 0) {
		int ret = dfs_bases_add(s->bases, s->ctl->base, err);

		if (ret < 0)
			return ret;
	}
	config.bases = s->bases;
	return dfs_reader_new(&config, &s->reader, err);
}

static int open_keeper(struct ctl_session *s, struct dfs_err *err)
{
	const struct dfs_keeper_config config = { .store = s->store };

	return dfs_keeper_new(&config, &s->keeper, err);
}

static int enter(struct ctl_session *s, struct dfs_err *err)
{
	int ret = 0;

	if (s->writer)
		ret = dfs_store_prepare(s->store, err);
	if (ret == 0 && s->writer)
		ret = dfs_store_lock(s->store, "", err);
	if (ret == 0 && s->writer)
		ret = open_keeper(s, err);
	if (ret == 0 && s->store)
		ret = ctl_session_reload(s, err);
	return ret < 0 ? ret : open_reader(s, err);
}

/* @there: @path itself, or the directory of a file that is to be made. */
static int enter_at(struct ctl_session *s, const char *path, const char *there, char **ret_rel,
		    struct dfs_err *err)
{
	struct dfs_store *store = NULL;
	int ret = 0;

	*ret_rel = NULL;
	if (s->writer)
		ret = ctl_mount_refuse(there, err);
	if (ret == 0)
		ret = find_store(s, path, there, &store, ret_rel, err);
	if (ret < 0)
		return ret;
	if (s->reader && (store == s->store ||
			  (store && s->store && !strcmp(dfs_store_path(store), dfs_store_path(s->store))))) {
		dfs_store_close(store);
		return 0;
	}
	leave(s);
	s->store = store;
	ret = enter(s, err);
	if (ret < 0) {
		leave(s);
		free(*ret_rel);
		*ret_rel = NULL;
	}
	return ret;
}

int ctl_session_enter(struct ctl_session *s, const char *path, char **ret_rel, struct dfs_err *err)
{
	return enter_at(s, path, path, ret_rel, err);
}

int ctl_session_enter_new(struct ctl_session *s, const char *path, char **ret_rel, struct dfs_err *err)
{
	DFS_AUTO(mem) char *dir = parent(path);

	if (!dir)
		return dfs_fail(err, ENOMEM, "out of memory");
	return enter_at(s, path, dir, ret_rel, err);
}

int ctl_session_open(struct ctl_session *s, const char *path, struct dfs_err *err)
{
	DFS_AUTO(mem) char *behind = ctl_mount_behind(path, err);
	int ret;

	if (!behind)
		return -ENOENT;
	leave(s);
	ret = dfs_store_open(behind, !s->writer, &s->store, err);
	if (ret == 0)
		ret = enter(s, err);
	if (ret < 0)
		leave(s);
	return ret;
}

int ctl_session_reload(struct ctl_session *s, struct dfs_err *err)
{
	struct dfs_registry registry = { 0 };
	struct dfs_err odd = { "" };
	int ret = dfs_registry_list(s->store, &registry, &odd);

	/* Somebody else's store: its bases are not for us to list, but its files may be for us to read. */
	s->hidden = ret == -EACCES;
	if (s->hidden)
		return 0;
	if (ret < 0)
		return dfs_fail(err, -ret, "list the bases of %s: %s", dfs_store_path(s->store), strerror(-ret));
	if (ret > 0)
		ctl_warn("%s", odd.text);
	dfs_registry_release(&s->registry);
	s->registry = registry;
	return 0;
}

bool ctl_session_is_base(const struct ctl_session *s, const struct stat *st)
{
	return s->store && dfs_registry_holds(&s->registry, s->store, st);
}

static json_t *added_json(const char *path, const struct dfs_registry_added *added)
{
	char id[DFS_HASH_HEX];

	return json_pack("{s:o, s:s, s:b, s:I, s:I, s:I, s:I, s:I}",
			 "path", ctl_string(path), "id", dfs_hash_hex(added->id, id), "known", added->known,
			 "files", (json_int_t)added->n_files, "bytes", (json_int_t)added->bytes,
			 "bytes_linked", (json_int_t)added->bytes_linked,
			 "bytes_cloned", (json_int_t)added->bytes_cloned,
			 "bytes_copied", (json_int_t)added->bytes_copied);
}

void ctl_say_added(struct ctl *ctl, const char *path, const struct dfs_registry_added *added)
{
	char id[DFS_HASH_HEX], text[CTL_BYTES_LEN], copied[CTL_BYTES_LEN];
	json_t *list = ctl->report ? json_object_get(ctl->report, "bases_added") : NULL;

	if (ctl->report && !list) {
		list = json_array();
		json_object_set_new(ctl->report, "bases_added", list);
	}
	if (list)
		json_array_append_new(list, added_json(path, added));

	dfs_hash_hex(added->id, id);
	if (added->bytes_copied)
		ctl_say(ctl, "%s: base %.8s, %s; %s of it had to be copied: %s", path, id,
			ctl_bytes(text, added->bytes), ctl_bytes(copied, added->bytes_copied), added->why_copied.text);
	else
		ctl_say(ctl, "%s: base %.8s, %s%s", path, id, ctl_bytes(text, added->bytes),
			added->known ? ", known already" : "");
}

int ctl_session_thaw(struct ctl_session *s, const char *path, const char *rel, struct dfs_ingest_result *ret_done,
		     struct dfs_err *err)
{
	struct ctl_progress progress;
	struct dfs_ingest_config config = {
		.reader = s->reader, .keeper = s->keeper, .verify_progress = ctl_progress_tell, .verify_arg = &progress,
	};
	int ret;

	ctl_progress_start(&progress, "decoding", path);
	ret = dfs_thaw(s->store, rel, &config, ret_done, err);
	ctl_progress_end(&progress);
	return ret;
}

int ctl_session_register(struct ctl_session *s, const char *path, struct dfs_err *err)
{
	struct ctl_progress progress;
	struct dfs_registry_add add = { .path = path, .progress = ctl_progress_tell, .arg = &progress };
	struct dfs_registry_added added;
	int ret;

	ctl_progress_start(&progress, "hashing", path);
	ret = dfs_registry_add(s->store, &add, &added, err);
	ctl_progress_end(&progress);
	if (ret < 0)
		return ret;
	ctl_say_added(s->ctl, path, &added);
	return ctl_session_reload(s, err);
}

static int open_named(struct ctl_session *s, const char *path, struct dfs_err *err)
{
	struct ctl_progress progress;
	int ret = dfs_model_open(path, &s->base, err);

	if (ret < 0)
		return ret;
	ctl_progress_start(&progress, "hashing", path);
	ret = dfs_model_identify(s->base, s->store, ctl_progress_tell, &progress, err);
	ctl_progress_end(&progress);
	return ret;
}

int ctl_session_base(struct ctl_session *s, struct dfs_err *err)
{
	DFS_AUTO(mem) char *own = s->store ? ctl_mount_own(s->ctl->base, dfs_store_path(s->store)) : NULL;
	const char *text = own ? own : s->ctl->base;
	const struct dfs_registered *known = NULL;
	bool is_path = access(text, F_OK) == 0;
	int ret;

	if (s->base)
		return 0;
	if (!s->store && !is_path)
		return dfs_fail(err, ENOENT, "--base %s: no such file or directory", text);
	if (s->store)
		known = dfs_registry_find(&s->registry, s->store, text, err);
	if (!known && !is_path)
		return dfs_err_at(err, -ENOENT, "--base");
	if (!known && !s->writer)
		return open_named(s, text, err);
	if (!known) {
		ret = ctl_session_register(s, text, err);
		if (ret < 0)
			return dfs_err_at(err, ret, "--base %s", text);
		known = dfs_registry_find(&s->registry, s->store, text, err);
	}
	return known ? dfs_model_open_registered(s->store, known, &s->base, err) : -ENOENT;
}
