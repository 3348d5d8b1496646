/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec: the words of --codec. */
#include "write/spec.h"

#include <errno.h>
#include <string.h>

#include "codec/codec.h"
#include "util/nearest.h"

static int unknown(const char *word, struct dfs_err *err)
{
	const char *words[DFS_CODECS + 1] = { "exact" };
	const char *near;

	for (unsigned id = 0; id < DFS_CODECS; id++)
		words[id + 1] = strcmp(dfs_codec_name(id), "?") ? dfs_codec_name(id) : NULL;
	near = dfs_nearest(word, words, DFS_CODECS + 1);
	if (near)
		return dfs_fail(err, EINVAL, "no codec \"%s\"; did you mean \"%s\"?", word, near);
	return dfs_fail(err, EINVAL, "no codec \"%s\"; \"exact\" is one", word);
}

int dfs_spec_check(const char *spec, struct dfs_err *err)
{
	size_t len = spec ? strcspn(spec, ":") : 0;
	char word[32];
	int id, code;

	if (!spec || !strcmp(spec, "exact"))
		return 0;
	if (len == 0 || len >= sizeof(word))
		return unknown(spec, err);
	memcpy(word, spec, len);
	word[len] = '\0';
	if (!strcmp(word, "exact"))
		return dfs_fail(err, EINVAL, "codec \"exact\" has no options, but \"%s\" gives some", spec + len + 1);
	id = dfs_codec_parse(word);
	if (id < 0)
		return unknown(word, err);
	if (!dfs_codec_find((unsigned)id, &code, NULL))
		return dfs_fail(err, ENOTSUP, "codec \"%s\" is not in this build; \"exact\" is", word);
	return dfs_fail(err, ENOTSUP, "codec \"%s\" cannot be asked for by itself: \"exact\" uses it where it is smallest", word);
}
