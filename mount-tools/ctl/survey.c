/* SPDX-License-Identifier: GPL-2.0-or-later */
/* survey: see survey.h. */
#include "survey.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include "ctl.h"
#include "text.h"
#include "store/store.h"
#include "util/clock.h"
#include "write/classify.h"

#define WORD_MAX 64
#define TEXT_MAX 1024

void ctl_survey_release(struct ctl_survey *survey)
{
	for (size_t id = 0; id <= DFS_REASONS; id++)
		for (size_t i = 0; i < CTL_SURVEY_NAMES; i++) {
			free(survey->refused[id].paths[i]);
			free(survey->refused[id].texts[i]);
		}
	*survey = (struct ctl_survey){ 0 };
}

/* Return: false: it has none. */
static bool ask(const char *path, const char *name, char *text, size_t room)
{
	ssize_t n = getxattr(path, name, text, room - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Would "deltafsctl encode -r" take it? */
static bool is_model(const char *path, const char *name)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	DFS_AUTO(fd) int fd = -1;
	struct dfs_err err;

	if (dfs_classify_name(name))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd >= 0 && dfs_classify(fd, &header, NULL, &err) == 0 && header;
}

static int note_refused(struct ctl_survey *s, enum dfs_reason_id id, const char *point, const FTSENT *e)
{
	struct ctl_survey_reason *reason = &s->refused[id];
	char text[TEXT_MAX];
	uint64_t i = reason->n++;

	reason->bytes += (uint64_t)e->fts_statp->st_size;
	if (i >= CTL_SURVEY_NAMES)
		return 0;
	ask(e->fts_accpath, "user.deltafs.reason", text, sizeof(text));
	reason->paths[i] = strdup(e->fts_path + strlen(point) + (point[1] != '\0'));
	reason->texts[i] = strdup(text);
	return reason->paths[i] && reason->texts[i] ? 0 : -ENOMEM;
}

/* What is in the queue is told by the queue, and bases and empty files are as they should be. */
static int note_file(struct ctl_survey *s, const char *point, const FTSENT *e)
{
	enum dfs_reason_id id;
	char word[WORD_MAX];

	if (!ask(e->fts_accpath, "user.deltafs.reason_word", word, sizeof(word)))
		return 0;
	id = dfs_reason_of_word(word);
	if (id == DFS_REASON_EXISTING || id == DFS_REASON_UNSEEN) {
		if (!is_model(e->fts_accpath, e->fts_name))
			return 0;
		s->unseen++;
		s->unseen_bytes += (uint64_t)e->fts_statp->st_size;
		return 0;
	}
	if (dfs_reason_again_ms(id, 0) || id == DFS_REASON_NONE || id == DFS_REASON_BASE || id == DFS_REASON_EMPTY)
		return 0;
	return note_refused(s, id, point, e);
}

static int note(struct ctl_survey *s, const char *point, FTS *fts, FTSENT *e)
{
	switch (e->fts_info) {
	case FTS_D:
		if (!strcmp(e->fts_name, DFS_STORE_DIR))
			fts_set(fts, e, FTS_SKIP);
		return 0;
	case FTS_F:
		return note_file(s, point, e);
	case FTS_DNR:
	case FTS_ERR:
		s->complete = false;
		return 0;
	default:
		return 0;
	}
}

json_t *ctl_survey_json(const struct ctl_survey *survey)
{
	json_t *refused = json_object(), *files = json_array();

	for (enum dfs_reason_id id = 0; id <= DFS_REASONS; id++) {
		const struct ctl_survey_reason *reason = &survey->refused[id];

		if (reason->n)
			json_object_set_new(refused, dfs_reason_word(id), json_integer((json_int_t)reason->n));
		for (size_t i = 0; i < ctl_survey_named(reason); i++)
			json_array_append_new(files, json_pack("{s:o, s:s, s:o}", "path", ctl_string(reason->paths[i]),
				"reason", dfs_reason_word(id), "why", ctl_string(reason->texts[i])));
	}
	return json_pack("{s:b, s:I, s:I, s:o, s:o}", "complete", survey->complete,
			 "unseen_files", (json_int_t)survey->unseen, "unseen_bytes", (json_int_t)survey->unseen_bytes,
			 "refused", refused, "refused_files", files);
}

int ctl_survey_make(const char *point, unsigned ms, struct ctl_survey *ret_survey, struct dfs_err *err)
{
	char *roots[] = { (char *)point, NULL };
	int64_t start = dfs_clock_ms(CLOCK_MONOTONIC);
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	bool late = false;
	FTSENT *e;
	int ret = 0;

	*ret_survey = (struct ctl_survey){ .complete = true };
	if (!fts)
		return dfs_fail_errno(err, "%s", point);
	while (ret == 0 && !late && !ctl_interrupted() && (e = fts_read(fts))) {
		ret = note(ret_survey, point, fts, e);
		late = dfs_clock_ms(CLOCK_MONOTONIC) - start > ms;
	}
	fts_close(fts);
	ret_survey->complete &= !late;
	ret_survey->ms = (uint64_t)(dfs_clock_ms(CLOCK_MONOTONIC) - start);
	return ret < 0 ? dfs_fail(err, -ret, "out of memory") : 0;
}
