/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec: the words of --codec. */
#include "write/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "codec/add.h"
#include "tensor/linear.h"
#include "util/glob.h"
#include "util/nearest.h"

static int unknown(const char *word, struct dfs_err *err)
{
	const char *words[DFS_CODECS + 1] = { "exact" };
	char all[256] = "exact";
	const char *near;

	/* the others cannot be asked for */
	for (unsigned id = 0; id < DFS_CODECS; id++) {
		size_t len = strlen(all);

		if (!dfs_lossy_find(id))
			continue;
		words[id + 1] = dfs_codec_name(id);
		snprintf(all + len, sizeof(all) - len, ", %s", words[id + 1]);
	}
	near = dfs_nearest(word, words, DFS_CODECS + 1);
	if (near)
		return dfs_fail(err, EINVAL, "no codec \"%s\"; did you mean \"%s\"?", word, near);
	return dfs_fail(err, EINVAL, "no codec \"%s\": there are %s", word, all);
}

/* --- which tensors */

static const char *const scope_names[] = { "include", "exclude", "embeddings", "norms" };
#define SCOPES (sizeof(scope_names) / sizeof(*scope_names))

static int add_glob(const char **globs, const char *name, const char *value, struct dfs_err *err)
{
	if (!*value)
		return dfs_fail(err, EINVAL, "option %s is a pattern of names, and this one is empty", name);
	for (unsigned i = 0; i < DFS_SPEC_GLOBS - 1; i++) {
		if (globs[i])
			continue;
		globs[i] = value;
		return 0;
	}
	return dfs_fail(err, EINVAL, "more than %d patterns", DFS_SPEC_GLOBS - 1);
}

static int set_lossy(bool *lossy, const char *name, const char *value, struct dfs_err *err)
{
	if (strcmp(value, "lossy") && strcmp(value, "exact"))
		return dfs_fail(err, EINVAL, "option %s is one of exact, lossy, not \"%s\"", name, value);
	*lossy = !strcmp(value, "lossy");
	return 0;
}

/* Neither one of these nor the codec's, which will say so: unless one of these was meant. */
static int unknown_scope(const struct dfs_lossy *lossy, const char *option, size_t len, struct dfs_err *err)
{
	char name[32];
	const char *near;

	if (len >= sizeof(name))
		return 0;
	memcpy(name, option, len);
	name[len] = '\0';
	for (const struct dfs_option *o = lossy->options; o->name; o++)
		if (!strcmp(o->name, name))
			return 0;
	near = dfs_nearest(name, scope_names, SCOPES);
	return near ? dfs_fail(err, EINVAL, "no option \"%s\"; did you mean \"%s\"?", name, near) : 0;
}

/* Return: 1 if @option was one of these; 0; -EINVAL. */
static int set_scope(struct dfs_spec *spec, const char *option, struct dfs_err *err)
{
	size_t len = strcspn(option, "=");
	const char *value = option + len + 1;
	unsigned i = 0;
	int ret;

	while (i < SCOPES && (strlen(scope_names[i]) != len || memcmp(option, scope_names[i], len)))
		i++;
	if (i == SCOPES || !option[len])
		return unknown_scope(spec->lossy, option, len, err);
	if (i < 2)
		ret = add_glob(i == 0 ? spec->include : spec->exclude, scope_names[i], value, err);
	else
		ret = set_lossy(i == 2 ? &spec->embeddings : &spec->norms, scope_names[i], value, err);
	return ret < 0 ? ret : 1;
}

/* Takes the options that are ours out of @text, which becomes the codec's. */
static int split(struct dfs_spec *spec, char *text, char *rest, struct dfs_err *err)
{
	char *save, *option;
	size_t len = 0;

	*rest = '\0';
	for (option = strtok_r(text, ",", &save); option; option = strtok_r(NULL, ",", &save)) {
		int ret = set_scope(spec, option, err);

		if (ret < 0)
			return ret;
		if (ret)
			continue;
		len += (size_t)snprintf(rest + len, DFS_SPEC_MAX - len, "%s%s", len ? "," : "", option);
	}
	return 0;
}

static bool matches(const char *const *globs, const char *name)
{
	for (; *globs; globs++)
		if (dfs_glob_covers(*globs, name))
			return true;
	return false;
}

static bool names_any(const char *glob, const struct dfs_header *header)
{
	for (size_t i = 0; i < header->n_tensors; i++)
		if (dfs_glob_covers(glob, header->tensors[i].name))
			return true;
	return false;
}

const char *dfs_spec_unmatched(const struct dfs_spec *spec, const struct dfs_header *header, const char **ret_option)
{
	const char *const *globs[] = { spec->include, spec->exclude };

	for (unsigned i = 0; i < 2; i++) {
		*ret_option = scope_names[i];
		for (const char *const *glob = globs[i]; *glob; glob++)
			if (!names_any(*glob, header))
				return *glob;
	}
	return NULL;
}

enum dfs_scope dfs_spec_scope(const struct dfs_spec *spec, const struct dfs_tensor *tensor)
{
	enum dfs_role role = dfs_tensor_role(tensor);

	if (tensor->rank < 2)
		return DFS_SCOPE_ONE_DIMENSION;
	if (!dfs_add_takes(tensor->dtype))
		return DFS_SCOPE_DTYPE;
	if (!dfs_tensor_is_matrix(tensor))
		return DFS_SCOPE_SHAPE;
	if (matches(spec->exclude, tensor->name))
		return DFS_SCOPE_EXCLUDED;
	if (role == DFS_ROLE_LINEAR || (role == DFS_ROLE_EMBEDDING && spec->embeddings) ||
	    (role == DFS_ROLE_NORM && spec->norms) || matches(spec->include, tensor->name))
		return DFS_SCOPE_LOSSY;
	return role == DFS_ROLE_EMBEDDING ? DFS_SCOPE_EMBEDDING : role == DFS_ROLE_NORM ? DFS_SCOPE_NORM : DFS_SCOPE_NAME;
}

bool dfs_spec_takes(const struct dfs_spec *spec, const struct dfs_tensor *tensor)
{
	return spec->lossy && dfs_spec_scope(spec, tensor) == DFS_SCOPE_LOSSY;
}

/* --- the whole */

static int find_codec(const char *word, struct dfs_spec *spec, struct dfs_err *err)
{
	int id = dfs_codec_parse(word), code;

	if (id < 0)
		return unknown(word, err);
	if (!dfs_codec_find((unsigned)id, &code, NULL))
		return dfs_fail(err, ENOTSUP, "codec \"%s\" is not in this build; \"exact\" is", word);
	spec->lossy = dfs_lossy_find((unsigned)id);
	spec->codec = (unsigned)id;
	if (!spec->lossy)
		return dfs_fail(err, ENOTSUP, "codec \"%s\" cannot be asked for by itself: \"exact\" uses it where it is smallest", word);
	return 0;
}

int dfs_spec_parse(const char *text, struct dfs_spec *spec, struct dfs_err *err)
{
	char rest[DFS_SPEC_MAX];
	char *options;
	int ret;

	memset(spec, 0, sizeof(*spec));
	if (!text || !strcmp(text, "exact"))
		return 0;
	if (strlen(text) >= sizeof(spec->text))
		return dfs_fail(err, EINVAL, "a codec with %zu letters of options", strlen(text));
	memcpy(spec->text, text, strlen(text) + 1);
	options = strchr(spec->text, ':');
	if (options)
		*options++ = '\0';
	if (!strcmp(spec->text, "exact"))
		return dfs_fail(err, EINVAL, "codec \"exact\" has no options, but \"%s\" gives some", options);
	ret = find_codec(spec->text, spec, err);
	if (ret == 0)
		ret = split(spec, options ? options : spec->text + strlen(spec->text), rest, err);
	return ret < 0 ? ret : dfs_lossy_parse(spec->lossy, rest, spec->options, err);
}

int dfs_spec_check(const char *text, struct dfs_err *err)
{
	struct dfs_spec spec;

	return dfs_spec_parse(text, &spec, err);
}

bool dfs_spec_compares(const struct dfs_spec *spec, enum dfs_norm *ret_kind)
{
	return spec->lossy && spec->lossy->compares && spec->lossy->compares(spec->options, ret_kind);
}

void dfs_spec_compare(struct dfs_spec *spec, const struct dfs_norms *norms)
{
	enum dfs_norm kind;

	if (dfs_spec_compares(spec, &kind))
		spec->lossy->compare(spec->options, norms->of[kind]);
}
