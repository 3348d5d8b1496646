/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transfer: see transfer.h. */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "progress.h"
#include "store/bases.h"
#include "store/publish.h"
#include "text.h"
#include "util/io.h"
#include "write/verify.h"

#define WINDOW (1u << 20)

void ctl_parcel_release(struct ctl_parcel *parcel)
{
	if (parcel->fd >= 0)
		close(parcel->fd);
	dfs_container_free(parcel->c);
	*parcel = (struct ctl_parcel){ .fd = -1 };
}

static int check(const struct ctl_parcel *parcel, const char *path, struct dfs_err *err)
{
	struct ctl_progress progress;
	struct dfs_verify_config config = { .progress = ctl_progress_tell, .progress_arg = &progress };
	int ret;

	ctl_progress_start(&progress, "verifying", path);
	ret = dfs_verify_fast(parcel->fd, path, &config, err);
	ctl_progress_end(&progress);
	return ret;
}

int ctl_parcel_open(struct ctl_parcel *parcel, const char *path, struct dfs_err *err)
{
	struct stat st;
	int ret;

	*parcel = (struct ctl_parcel){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) };
	if (parcel->fd < 0 || fstat(parcel->fd, &st) < 0)
		return dfs_fail_errno(err, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return dfs_fail(err, EINVAL, "%s is no regular file", path);
	ret = dfs_claim_check(parcel->fd, (uint64_t)st.st_size, &parcel->claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "read %s: %s", path, strerror(-ret));
	if (parcel->claim.kind == DFS_PLAIN)
		return dfs_fail(err, EINVAL, "%s is plain: copy it as it is", path);
	if (parcel->claim.kind != DFS_CONTAINER)
		return dfs_fail(err, EUCLEAN, "%s: %s", path, parcel->claim.why.text);
	ret = dfs_container_load(parcel->fd, &parcel->claim.sb, &parcel->c, err);
	return ret < 0 ? dfs_err_at(err, ret, "%s", path) : check(parcel, path, err);
}

int ctl_copy_bytes(int fd, const char *name, uint64_t size, int out_fd, struct dfs_err *err)
{
	DFS_AUTO(mem) uint8_t *buf = malloc(WINDOW);
	struct ctl_progress progress;
	uint64_t len;
	int ret = 0;

	if (!buf)
		return dfs_fail(err, ENOMEM, "out of memory");
	ctl_progress_start(&progress, "copying", name);
	for (uint64_t off = 0; off < size && ret == 0; off += len) {
		len = size - off < WINDOW ? size - off : WINDOW;
		ret = dfs_pread_all(fd, buf, len, off);
		if (ret == 0)
			ret = dfs_pwrite_all(out_fd, buf, len, off);
		if (ret == 0 && !ctl_progress_tell(&progress, off + len, size))
			ret = -ECANCELED;
	}
	ctl_progress_end(&progress);
	if (ret < 0)
		return dfs_fail(err, -ret, "copy %s: %s", name, ret == -ECANCELED ? "interrupted" : strerror(-ret));
	return 0;
}

int ctl_parcel_copy(const struct ctl_parcel *parcel, const char *name, int out_fd, struct dfs_err *err)
{
	int ret = ctl_copy_bytes(parcel->fd, name, parcel->claim.sb.container_size, out_fd, err);
	struct stat st;

	if (ret < 0)
		return ret;
	/* As far as this user may: a copy whose owner differs is still the same model. */
	if (fstat(parcel->fd, &st) == 0)
		dfs_attributes_offer(parcel->fd, &st, out_fd);
	return 0;
}

static json_t *base_json(const struct dfs_base_file *base, bool looked, bool present)
{
	char hash[DFS_HASH_HEX], model[DFS_HASH_HEX];
	json_t *json = json_pack("{s:s, s:s, s:I, s:o, s:o}", "id", dfs_hash_hex(base->model, model),
				 "hash", dfs_hash_hex(base->hash, hash), "bytes", (json_int_t)base->size,
				 "name", ctl_string(base->name), "origin", ctl_string(base->origin));

	if (json && looked)
		json_object_set_new(json, "present", json_boolean(present));
	return json;
}

unsigned ctl_parcel_say(struct ctl *ctl, const char *path, const struct ctl_parcel *parcel,
			struct ctl_session *s)
{
	json_t *bases = json_array(), *files = ctl->report ? json_object_get(ctl->report, "files") : NULL;
	char hex[DFS_HASH_HEX], size[CTL_BYTES_LEN];
	unsigned missing = 0;

	for (uint32_t i = 0; i < parcel->c->n_bases; i++) {
		const struct dfs_base_file *want = &parcel->c->bases[i];
		struct dfs_base *base = NULL;
		bool present = s && dfs_bases_get(s->bases, want, &base, NULL) == 0;

		if (present)
			dfs_base_put(s->bases, base);
		missing += s && !present;
		ctl_say(ctl, "%s: needs %s%s%s (%s) of model %.8s%s", path, want->name,
			*want->origin ? " from " : "", want->origin, ctl_bytes(size, want->size),
			dfs_hash_hex(want->model, hex), !s ? "" : present ? ", which is here" : ", which is MISSING here");
		json_array_append_new(bases, base_json(want, s != NULL, present));
	}
	if (parcel->c->n_bases == 0)
		ctl_say(ctl, "%s: needs no base", path);
	if (dfs_claim_lossy(&parcel->claim))
		ctl_say(ctl, "%s: lossy, bits were given up", path);
	if (files)
		json_array_append_new(files, json_pack("{s:o, s:b, s:I, s:I, s:O}", "path", ctl_string(path), "exact", !dfs_claim_lossy(&parcel->claim),
			"original_bytes", (json_int_t)parcel->claim.sb.original_size,
			"stored_bytes", (json_int_t)parcel->claim.sb.container_size, "bases", bases));
	json_decref(bases);
	return missing;
}
