/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_state: what lies in .deltafs beside bases. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/check_internal.h"
#include "store/expand.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/kept.h"
#include "util/hash.h"

/* Longer than any line that is remembered; see hashes.c. */
#define HASH_LINE_MAX 160
#define CHECK_DIGITS 16

/* --- tmp */

int dfs_check_rubbish(const struct dfs_store *store, struct dfs_paths *ret_names)
{
	int ret = dfs_check_names(store, DFS_STORE_DIR "/tmp", ret_names);

	return ret < 0 ? ret : dfs_check_kept_left(store, ret_names);
}

/* Nothing, if the lock was taken since: that did it. */
static int remove_left(void *arg, struct dfs_err *err)
{
	const struct dfs_check_removing *r = arg;

	if (strncmp(r->path, DFS_KEPT_DIR "/", strlen(DFS_KEPT_DIR "/")) != 0)
		return dfs_check_remove(arg, err);
	dfs_kept_tidy(r->store);
	return 0;
}

void dfs_check_rubbish_tell(struct dfs_check *check, const struct dfs_paths *names)
{
	for (size_t i = 0; i < names->n && !check->live; i++) {
		struct dfs_check_removing removing = { check->store, names->paths[i] };

		dfs_check_found(check, DFS_CHECK_TMP, names->paths[i], "left by a crash", remove_left, &removing);
	}
}

/* --- remembered hashes: "hash size mtime ctime check" */

/* Never synced, since losing one costs a reading: a power cut leaves nothing in it, or zeros. */
static bool is_blank(const struct dfs_buf *text)
{
	size_t n = 0;

	while (n < text->len && !text->data[n])
		n++;
	return n == text->len;
}

static bool is_hash_line(const struct dfs_buf *text)
{
	char check[CHECK_DIGITS + 2];
	size_t n;

	if (text->len < CHECK_DIGITS + 1)
		return false;
	n = text->len - CHECK_DIGITS - 1;
	snprintf(check, sizeof(check), "%016" PRIx64 "\n", dfs_hash64(text->data, n, 0));
	return memcmp(text->data + n, check, CHECK_DIGITS + 1) == 0;
}

static int check_hashes(struct dfs_check *check)
{
	DFS_AUTO(paths) struct dfs_paths names = { 0 };
	int ret = dfs_check_names(check->store, DFS_STORE_DIR "/hashes", &names);

	for (size_t i = 0; i < names.n; i++) {
		DFS_AUTO(buf) struct dfs_buf text = { 0 };
		struct dfs_check_removing removing = { check->store, names.paths[i] };

		ret = dfs_read_small(check->store->fd, names.paths[i], HASH_LINE_MAX, &text);
		if (ret == -ENOMEM)
			return ret;
		if (ret == -EINVAL || ret == -ELOOP)
			dfs_check_found(check, DFS_CHECK_STATE, names.paths[i], "no regular file", NULL, NULL);
		else if (ret == -EFBIG || (ret == 0 && !is_blank(&text) && !is_hash_line(&text)))
			dfs_check_found(check, DFS_CHECK_HASH, names.paths[i], "a remembered hash is damaged", dfs_check_remove, &removing);
		else if (ret < 0 && ret != -ENOENT)
			dfs_check_found(check, DFS_CHECK_UNREADABLE, names.paths[i], strerror(-ret), NULL, NULL);
		ret = 0;
	}
	return ret;
}

/* --- kinds of files */

static void check_kinds(struct dfs_check *check)
{
	static const struct {
		const char *path;
		mode_t kind;
	} parts[] = {
		{ DFS_STORE_DIR, S_IFDIR }, { DFS_STORE_DIR "/pins", S_IFDIR }, { DFS_STORE_DIR "/bases", S_IFDIR },
		{ DFS_STORE_DIR "/hashes", S_IFDIR }, { DFS_STORE_DIR "/tmp", S_IFDIR }, { DFS_KEPT_DIR, S_IFDIR },
		{ DFS_STORE_DIR "/version", S_IFREG }, { DFS_STORE_DIR "/lock", S_IFREG },
	};
	struct stat st;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (fstatat(check->store->fd, parts[i].path, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) != parts[i].kind)
			dfs_check_found(check, DFS_CHECK_STATE, parts[i].path,
					parts[i].kind == S_IFDIR ? "no directory" : "no regular file", NULL, NULL);
}

/* --- version */

static int check_version(struct dfs_check *check, struct dfs_err *err)
{
	if (dfs_store_is_newer(check->store))
		return dfs_fail(err, ENOTSUP, "%s: this store is of version %u, this fsck.deltafs knows %u",
				check->store->path, check->store->version, DFS_STORE_VERSION);
	if (check->store->version_damaged)
		dfs_check_found(check, DFS_CHECK_VERSION, DFS_STORE_DIR "/version", "damaged", NULL, NULL);
	return 0;
}

/* --- journals */

struct mending {
	struct dfs_check *check;
	const struct dfs_journal_form *form;
	dfs_journal_line_fn *sense;
	struct dfs_buf lines;	/* those that make sense, as the fields' texts with their NULs, and an empty one */
	bool lost;		/* no memory for one */
};

static bool keep_line(void *arg, char **fields, size_t n)
{
	struct mending *m = arg;
	uint8_t count = (uint8_t)n;

	if (!m->sense(NULL, fields, n))
		return false;
	m->lost |= dfs_buf_append(&m->lines, &count, 1) < 0;
	for (size_t i = 0; i < n; i++)
		m->lost |= dfs_buf_append(&m->lines, fields[i], strlen(fields[i]) + 1) < 0;
	return true;
}

static void put_lines(const struct mending *m, struct dfs_journal *journal)
{
	const uint8_t *at = m->lines.data, *end = at + m->lines.len;

	dfs_journal_snapshot(journal);
	while (at < end) {
		const char *fields[DFS_JOURNAL_FIELDS_MAX];
		size_t n = *at++;

		for (size_t i = 0; i < n; i++) {
			fields[i] = (const char *)at;
			at += strlen(fields[i]) + 1;
		}
		dfs_journal_snapshot_add(journal, fields, n);
	}
	if (m->lost)
		dfs_journal_snapshot_add(journal, NULL, 0);
}

/* The lines that a mount would go by, in their order, and no others. */
static int write_anew(void *arg, struct dfs_err *err)
{
	struct mending *m = arg;
	struct dfs_journal *journal = NULL;
	int ret = dfs_journal_open(m->check->store, NULL, m->form, keep_line, m, &journal, err);

	if (ret == 0) {
		put_lines(m, journal);
		ret = dfs_journal_compact(journal);
		if (ret < 0)
			dfs_fail(err, -ret, "write anew: %s", strerror(-ret));
		dfs_journal_close(journal);
	}
	dfs_buf_release(&m->lines);
	return ret;
}

static void judge(struct mending *m, const struct dfs_journal_reading *r, int ret)
{
	char what[96];

	if (ret < 0) {
		dfs_check_found(m->check, DFS_CHECK_UNREADABLE, m->form->path, strerror(-ret), NULL, NULL);
	} else if (r->version > m->form->version) {
		dfs_check_found(m->check, DFS_CHECK_NEWER, m->form->path, "of a later version", NULL, NULL);
	} else if (r->damaged) {
		snprintf(what, sizeof(what), "%lu damaged %s", r->damaged, r->damaged == 1 ? "line" : "lines");
		dfs_check_found(m->check, DFS_CHECK_JOURNAL, m->form->path, what, write_anew, m);
	}
}

int dfs_check_journal(struct dfs_check *check, const struct dfs_journal_form *form, dfs_journal_line_fn *sense,
		      struct dfs_err *err)
{
	struct mending mending = { .check = check, .form = form, .sense = sense };
	struct dfs_journal_reading reading;
	DFS_AUTO(fd) int fd = -1;
	struct stat st;
	int ret = dfs_store_openat(check->store, form->path, O_RDONLY, &fd);

	/* who writes to the store knows what is in it, and writes it anew by himself */
	if (ret == -ENOENT || check->live)
		return 0;
	if (ret == -ELOOP || (ret == 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))) {
		dfs_check_found(check, DFS_CHECK_STATE, form->path, "no regular file", NULL, NULL);
		return 0;
	}
	if (ret == 0)
		ret = dfs_journal_read(fd, form, sense, NULL, &reading);
	if (ret == -ENOMEM)
		return dfs_fail(err, ENOMEM, "out of memory");
	judge(&mending, &reading, ret);
	return 0;
}

int dfs_check_state(struct dfs_check *check, struct dfs_err *err)
{
	int ret = check_version(check, err);

	if (ret < 0)
		return ret;
	check_kinds(check);
	ret = check_hashes(check);
	return ret < 0 ? dfs_fail(err, -ret, "%s/" DFS_STORE_DIR ": %s", check->store->path, strerror(-ret)) : 0;
}
