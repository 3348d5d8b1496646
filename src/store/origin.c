/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * origin: where a model seems to come from, by its path and its papers.
 */
#include "store/origin.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/internal.h"
#include "store/json.h"
#include "util/text.h"

#define PAPER_MAX (4u << 20)

/* A word without control characters, or nothing. */
static void keep(char *to, size_t size, const char *from, size_t len)
{
	if (len == 0 || len >= size)
		return;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)from[i] < 0x20 || from[i] == 0x7f)
			return;
	}
	memcpy(to, from, len);
	to[len] = '\0';
}

/* models--ORG--NAME/snapshots/COMMIT; a repository without ORG is models--NAME. */
static void from_path(const char *path, struct dfs_origin *origin)
{
	const char *repo = strstr(path, "models--");
	char name[sizeof(origin->repository)] = "";
	const char *commit;
	char *dashes;
	size_t len;

	if (!repo || (repo > path && repo[-1] != '/'))
		return;
	repo += strlen("models--");
	len = strcspn(repo, "/");
	commit = repo + len;
	keep(name, sizeof(name), repo, len);
	if (!*name || strncmp(commit, "/snapshots/", 11) != 0)
		return;
	dashes = strstr(name, "--");
	if (dashes) {
		*dashes = '/';
		memmove(dashes + 1, dashes + 2, strlen(dashes + 2) + 1);
	}
	snprintf(origin->repository, sizeof(origin->repository), "%s", name);
	commit += 11;
	keep(origin->commit, sizeof(origin->commit), commit, strcspn(commit, "/"));
}

/* The word after "key:" of a line, or the first item of the list below it. Quotes are dropped. */
static void word_after(const char *at, char *to, size_t size)
{
	size_t len;

	at += strspn(at, " \t\r");
	if (*at == '\n') {
		at += strspn(at, " \t\r\n");
		if (at[0] != '-' || at[1] != ' ')
			return;
		at++;
	} else if (*at == '[') {
		at++;
	}
	at += strspn(at, " \t\"'");
	len = strcspn(at, "\r\n\"',]# ");
	keep(to, size, at, len);
}

/* Front matter: between two lines of three dashes. */
static void from_model_card(int dir, struct dfs_origin *origin)
{
	static const char key[] = "base_model:";
	struct dfs_buf text = { 0 };
	const char *line, *end;

	if (dfs_read_small(dir, "README.md", PAPER_MAX, &text) < 0)
		return;
	line = (const char *)text.data;
	end = strncmp(line, "---", 3) == 0 ? strstr(line + 3, "\n---") : NULL;
	while (end && (line = strchr(line, '\n')) && line < end) {
		line++;
		if (dfs_text_begins(line, key)) {
			word_after(line + strlen(key), origin->made_from,
				   sizeof(origin->made_from));
			break;
		}
	}
	dfs_buf_release(&text);
}

static void from_config(int dir, const char *name, const char *key, struct dfs_origin *origin)
{
	DFS_AUTO(json) json_t *root = NULL;
	const char *value;

	if (*origin->made_from || dfs_json_load(dir, name, PAPER_MAX, &root, NULL) < 0)
		return;
	value = dfs_json_text(root, key);
	if (value)
		keep(origin->made_from, sizeof(origin->made_from), value, strlen(value));
}

void dfs_origin_find(const char *path, struct dfs_origin *ret_origin)
{
	DFS_AUTO(mem) char *parent = NULL;
	DFS_AUTO(fd) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *slash = strrchr(path, '/');

	memset(ret_origin, 0, sizeof(*ret_origin));
	from_path(path, ret_origin);
	if (dir < 0) {
		parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
		dir = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	}
	if (dir < 0)
		return;
	from_model_card(dir, ret_origin);
	from_config(dir, "adapter_config.json", "base_model_name_or_path", ret_origin);
	from_config(dir, "config.json", "_name_or_path", ret_origin);
}
