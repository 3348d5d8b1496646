/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "anew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "codec/lossy.h"
#include "daemon.h"
#include "kept.h"
#include "outfile.h"
#include "store/claim.h"
#include "store/mark.h"
#include "util/text.h"
#include "write/permit.h"

/* What a file is now. */
struct now {
	bool container, lossy;
	bool before;		/* it was another container before */
	const char *codec;	/* that gave up bits; NULL: not known */
	struct ctl_kept kept;
};

static bool ask(const char *path, const char *name, char *text, size_t room)
{
	ssize_t n = getxattr(path, name, text, room - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Of names with commas. */
static const char *lossy_name(const char *names)
{
	for (unsigned id = 0; id < DFS_CODECS; id++)
		if (dfs_lossy_find(id) && strstr(names, dfs_codec_name(id)))
			return dfs_codec_name(id);
	return NULL;
}

static const char *lossy_chunk(const struct dfs_container *c)
{
	for (uint32_t i = 0; i < c->n_chunks; i++)
		if (dfs_lossy_find(c->chunks[i].codec))
			return dfs_codec_name(c->chunks[i].codec);
	return NULL;
}

/* What became plain is marked; what was coded exactly since is known to its daemon. */
static bool was_before(const char *path, int fd)
{
	const char *sentence = dfs_reason_sentence(DFS_REASON_EXACT_BEFORE);
	char text[640];

	return dfs_mark_has(&dfs_mark_exact, fd) || ask(path, "user.deltafs.compressed_before", text, sizeof(text)) ||
	       (ask(path, "user.deltafs.reason", text, sizeof(text)) && dfs_text_begins(text, sentence));
}

/* A mount tells; without one the file itself does. */
static void look(const char *path, struct now *now)
{
	DFS_AUTO(container) struct dfs_container *c = NULL;
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char text[256];
	struct dfs_claim claim;
	struct stat st;

	*now = (struct now){ 0 };
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (ask(path, "user.deltafs.state", text, sizeof(text))) {
		now->container = !strcmp(text, "container");
		now->lossy = ask(path, "user.deltafs.exact", text, sizeof(text)) && !strcmp(text, "0");
		now->codec = ask(path, "user.deltafs.codec", text, sizeof(text)) ? lossy_name(text) : NULL;
	} else if (dfs_claim_check(fd, (uint64_t)st.st_size, &claim) == 0 && claim.kind == DFS_CONTAINER) {
		now->container = true;
		now->lossy = dfs_claim_lossy(&claim);
		if (now->lossy && dfs_container_load(fd, &claim.sb, &c, NULL) == 0)
			now->codec = lossy_chunk(c);
	}
	ctl_kept_of(path, &now->kept);
	now->before = was_before(path, fd);
}

bool ctl_may_be_lossy(const struct ctl *ctl, const struct ctl_file *file)
{
	DFS_AUTO(mem) char *real = ctl->out ? ctl_outfile_name(ctl, file) : realpath(file->path, NULL);
	enum dfs_reason_id why;

	return real && dfs_permit_wanted(real, ctl->codec, &why);
}

/* An original is kept of what gave up bits alone. */
static enum ctl_anew anew_of(const struct ctl *ctl, const struct ctl_file *file, const struct now *now)
{
	if (!ctl_may_be_lossy(ctl, file))
		return now->container ? CTL_ANEW_NEVER : CTL_ANEW_NONE;
	if ((now->lossy || *now->kept.until) && !ctl->again)
		return CTL_ANEW_REFUSED;
	return now->container ? CTL_ANEW_PLAIN : CTL_ANEW_NONE;
}

void ctl_anew_mark(const struct ctl *ctl, const struct dfs_spec *spec, struct ctl_files *files)
{
	for (size_t i = 0; i < files->n && spec->lossy; i++) {
		struct ctl_file *file = &files->files[i];
		struct now now;

		look(file->path, &now);
		file->before = now.lossy || *now.kept.until || now.before;
		if (!ctl->out)
			file->anew = anew_of(ctl, file, &now);
	}
}

const char *ctl_anew_note(const struct ctl_file *file)
{
	return file->before ? "it was compressed before, and what it gave up then, if anything, was lost already" : NULL;
}

const char *ctl_anew_why_left(const struct ctl_file *file)
{
	return file->anew == CTL_ANEW_NEVER ? dfs_reason_sentence(DFS_REASON_EXACT_HASH) : "compressed already";
}

/* --- refused */

static void refuse(struct ctl *ctl, const struct ctl_file *file, struct ctl_totals *totals)
{
	struct ctl_result left = { .outcome = CTL_LEFT, .what = "left", .why = "it gave up bits before", .lossy = true, .quiet = true };
	struct dfs_err err;
	struct now now;
	const char *until;

	if (!file->named) {
		ctl_result_add(ctl, file->path, &left, totals);
		return;
	}
	look(file->path, &now);
	until = strcmp(now.kept.until, "manual") ? now.kept.until : "you say";
	dfs_fail(&err, EEXIST, "%s%s, and a second pass would be over weights that have lost bits; %s%s; --again does it all the same",
		 now.lossy ? "lossy already, by " : "it gave up bits before it became what it is",
		 !now.lossy ? "" : now.codec ? now.codec : "a codec", *now.kept.until ? "deltafsctl revert brings the original back, which is kept until " :
		 "its original is not kept", *now.kept.until ? until : "");
	ctl_result_fail(ctl, file->path, &err, totals);
}

/* --- made plain */

static int thaw(struct ctl_session *s, const char *path, struct dfs_err *err)
{
	DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
	DFS_AUTO(mem) char *rel = NULL;
	struct dfs_ingest_result done;
	struct ctl_result result;
	int ret = ctl_daemon_writer(path, &daemon, err);

	if (ret > 0)
		return ctl_daemon_decode(&daemon, &result, err);
	if (ret == 0)
		ret = ctl_session_enter(s, path, &rel, err);
	return ret < 0 ? ret : ctl_session_thaw(s, path, rel, &done, err);
}

void ctl_anew_begin(struct ctl *ctl, struct ctl_session *session, struct ctl_files *files, struct ctl_totals *totals)
{
	for (size_t i = 0; i < files->n && !ctl_interrupted(); i++) {
		struct ctl_file *file = &files->files[i];
		struct dfs_err err;

		if (file->anew == CTL_ANEW_REFUSED)
			refuse(ctl, file, totals);
		else if (file->anew != CTL_ANEW_PLAIN || thaw(session, file->path, &err) == 0)
			continue;
		else
			ctl_result_fail(ctl, file->path, &err, totals);
		file->anew = CTL_ANEW_OVER;
	}
}

void ctl_anew_failed(const struct ctl_file *file, struct dfs_err *err)
{
	size_t len = strlen(err->text);

	if (file->anew == CTL_ANEW_PLAIN)
		snprintf(err->text + len, sizeof(err->text) - len, "; it is plain now, with the bytes that it showed");
}
