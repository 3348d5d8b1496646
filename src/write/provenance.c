/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * provenance: paths of the hub cache read
 *
 *	.../models--ORG--NAME/snapshots/COMMIT/FILE
 *
 * and every other path gives its last two components.
 */
#include "write/provenance.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hub_place {
	const char *repo;	/* "ORG--NAME" */
	size_t repo_len;
	const char *commit;
	size_t commit_len;
	const char *file;
};

static int hub_place_find(const char *path, struct hub_place *place)
{
	static const char mark[] = "/models--", snapshots[] = "/snapshots/";
	const char *at = strstr(path, mark), *end, *slash;

	if (!at)
		return 0;
	place->repo = at + strlen(mark);
	end = strchr(place->repo, '/');
	if (!end || strncmp(end, snapshots, strlen(snapshots)))
		return 0;
	place->repo_len = (size_t)(end - place->repo);
	place->commit = end + strlen(snapshots);
	slash = strchr(place->commit, '/');
	if (!slash || !slash[1])
		return 0;
	place->commit_len = (size_t)(slash - place->commit);
	place->file = slash + 1;
	return 1;
}

/* "ORG--NAME" as "ORG/NAME", then @rest. */
static char *repo_text(const struct hub_place *place, const char *rest, size_t rest_len)
{
	char *text = malloc(place->repo_len + rest_len + 1), *dashes;

	if (!text)
		return NULL;
	memcpy(text, place->repo, place->repo_len);
	text[place->repo_len] = '\0';
	dashes = strstr(text, "--");
	if (dashes) {
		*dashes = '/';
		memmove(dashes + 1, dashes + 2, strlen(dashes + 2) + 1);
	}
	return strncat(text, rest, rest_len);
}

/* The path without "." and symlinks in its directories, but with its last component's own name. */
static char *absolute(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
	char *full = dir ? realpath(dir, NULL) : NULL, *text = NULL;

	if (full && asprintf(&text, "%s/%s", full, slash ? slash + 1 : path) < 0)
		text = NULL;
	free(dir);
	free(full);
	return text ? text : strdup(path);
}

char *dfs_provenance_name(const char *path)
{
	char *full = absolute(path), *name = NULL, *slash;
	struct hub_place place;

	if (!full)
		return NULL;
	if (hub_place_find(full, &place) && asprintf(&slash, "/%s", place.file) >= 0) {
		name = repo_text(&place, slash, strlen(slash));
		free(slash);
	} else {
		slash = strrchr(full, '/');
		while (slash && slash > full && slash[-1] != '/')
			slash--;
		name = strdup(slash ? slash : full);
	}
	free(full);
	return name;
}

char *dfs_provenance_origin(const char *path)
{
	char *full = absolute(path), *at, *origin = NULL;
	struct hub_place place;

	if (!full)
		return NULL;
	if (!hub_place_find(full, &place)) {
		origin = strdup("");
	} else if (asprintf(&at, "@%.*s", (int)place.commit_len, place.commit) >= 0) {
		origin = repo_text(&place, at, strlen(at));
		free(at);
	}
	free(full);
	return origin;
}
