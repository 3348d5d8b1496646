/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec: what --codec may say, and which tensors that means. */
#include <errno.h>
#include <stdlib.h>

#include "../check.h"
#include "write/spec.h"

/* The value that a codec's option has got. */
static double option(const struct dfs_spec *spec, const char *name)
{
	const struct dfs_option *o = spec->lossy->options;
	double value;

	while (o->name && strcmp(o->name, name))
		o++;
	CHECK(o->name);
	memcpy(&value, spec->options + o->offset, sizeof(value));
	return value;
}

static void exact_is_the_default(void **state)
{
	struct dfs_err err = { "" };
	struct dfs_spec spec;
	(void)state;

	CHECK_OK(dfs_spec_parse(NULL, &spec, &err), err);
	CHECK(!spec.lossy);
	CHECK_OK(dfs_spec_parse("exact", &spec, &err), err);
	CHECK(!spec.lossy);
	CHECK_OK(dfs_spec_check("bitdelta:scale=column", &err), err);
}

static void options_and_scope_in_any_order(void **state)
{
	struct dfs_err err = { "" };
	struct dfs_spec spec;
	(void)state;

	CHECK_OK(dfs_spec_parse("bitdelta", &spec, &err), err);
	CHECK(spec.codec == DFS_CODEC_BITDELTA && spec.lossy == dfs_lossy_find(DFS_CODEC_BITDELTA));
	CHECK(option(&spec, "scale") == 1 && option(&spec, "k") == 1);
	CHECK(!spec.embeddings && !spec.norms && !spec.include[0] && !spec.exclude[0]);
	CHECK_OK(dfs_spec_parse("bitdelta:", &spec, &err), err);
	CHECK(option(&spec, "scale") == 1);
	CHECK_OK(dfs_spec_parse("bitdelta:k=8,include=a:b*,scale=scalar,exclude=c,embeddings=lossy,exclude=d,norms=lossy",
				&spec, &err), err);
	CHECK(option(&spec, "scale") == 0 && option(&spec, "k") == 8);
	CHECK(!strcmp(spec.include[0], "a:b*") && !spec.include[1]);
	CHECK(!strcmp(spec.exclude[0], "c") && !strcmp(spec.exclude[1], "d") && !spec.exclude[2]);
	CHECK(spec.embeddings && spec.norms);
	CHECK_OK(dfs_spec_parse("bitdelta:embeddings=lossy,embeddings=exact,scale=column", &spec, &err), err);
	CHECK(!spec.embeddings && option(&spec, "scale") == 2);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text;
		int ret;
		const char *says, *says_too;
	} wrong[] = {
		{ "", -EINVAL, "no codec \"\"", "" },
		{ "bitdetla", -EINVAL, "did you mean \"bitdelta\"", "" },
		{ "exakt", -EINVAL, "did you mean \"exact\"", "" },
		{ "zebra", -EINVAL, "no codec \"zebra\"", "" },
		{ "nope", -EINVAL, "no codec \"nope\": there are exact, bitdelta, ", "delta-come" },
		{ "exact:k=1", -EINVAL, "no options", "k=1" },
		{ "zstd", -ENOTSUP, "by itself", "" },
		{ "bitdelta:scal=row", -EINVAL, "did you mean \"scale\"", "bitdelta" },
		{ "bitdelta:temperature=1", -EINVAL, "no option \"temperature\"", "" },
		{ "bitdelta:includ=x", -EINVAL, "did you mean \"include\"", "" },
		{ "bitdelta:scale=rows", -EINVAL, "scalar, row, column", "\"rows\"" },
		{ "bitdelta:scale", -EINVAL, "name=value", "\"scale\"" },
		{ "bitdelta:scale=", -EINVAL, "scalar, row, column", "" },
		{ "bitdelta:k=0", -EINVAL, "whole number from 1 to 8", "\"0\"" },
		{ "bitdelta:k=9", -EINVAL, "1 to 8", "\"9\"" },
		{ "bitdelta:k=1.5", -EINVAL, "whole", "" },
		{ "bitdelta:k=nan", -EINVAL, "1 to 8", "" },
		{ "bitdelta:k=inf", -EINVAL, "1 to 8", "" },
		{ "bitdelta:k=1e99999", -EINVAL, "1 to 8", "" },
		{ "bitdelta:k=2x", -EINVAL, "1 to 8", "" },
		{ "bitdelta:k=", -EINVAL, "1 to 8", "" },
		{ "bitdelta:=1", -EINVAL, "no option \"\"", "" },
		{ "bitdelta:embeddings=yes", -EINVAL, "exact, lossy", "embeddings" },
		{ "bitdelta:norms=", -EINVAL, "exact, lossy", "norms" },
		{ "bitdelta:include=", -EINVAL, "include", "pattern" },
		{ "bitdelta:k=1,exclude=", -EINVAL, "exclude", "pattern" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct dfs_err err = { "" };
		struct dfs_spec spec;

		if (dfs_spec_parse(wrong[i].text, &spec, &err) != wrong[i].ret ||
		    !strstr(err.text, wrong[i].says) || !strstr(err.text, wrong[i].says_too))
			fail_msg("\"%s\": %s", wrong[i].text, err.text);
	}
}

static void long_ones_are_refused(void **state)
{
	char text[4096] = "bitdelta:include=";
	struct dfs_err err = { "" };
	struct dfs_spec spec;
	size_t len = strlen(text);
	(void)state;

	memset(text + len, '*', DFS_SPEC_MAX - 1 - len);
	CHECK_OK(dfs_spec_parse(text, &spec, &err), err);
	text[DFS_SPEC_MAX - 1] = '*';
	CHECK_RET(-EINVAL, dfs_spec_parse(text, &spec, &err));
	strncpy(text, "bitdelta:", sizeof(text));
	memset(text + 9, 'k', 300);
	CHECK_RET(-EINVAL, dfs_spec_parse(text, &spec, &err));
	text[0] = '\0';
	for (unsigned i = 0; i < DFS_SPEC_GLOBS; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%sexclude=%u", i ? "," : "bitdelta:", i);
	CHECK_RET(-EINVAL, dfs_spec_parse(text, &spec, &err));
	CHECK(strstr(err.text, "15 patterns"));
	*strrchr(text, ',') = '\0';
	CHECK_OK(dfs_spec_parse(text, &spec, &err), err);
}

static bool takes_shape(const char *text, const char *name, enum dfs_dtype dtype, uint64_t rows, uint64_t cols)
{
	struct dfs_tensor tensor = { .name = name, .dtype = dtype, .rank = rows ? 2 : 1, .shape = { rows, cols } };
	struct dfs_err err = { "" };
	struct dfs_spec spec;

	if (!rows)
		tensor.shape[0] = cols;
	CHECK_OK(dfs_spec_parse(text, &spec, &err), err);
	return dfs_spec_takes(&spec, &tensor);
}

static bool takes(const char *text, const char *name)
{
	return takes_shape(text, name, DFS_BF16, 256, 128);
}

static void linear_layers_are_taken(void **state)
{
	(void)state;

	CHECK(takes("bitdelta", "model.layers.0.self_attn.q_proj.weight"));
	CHECK(!takes("exact", "model.layers.0.self_attn.q_proj.weight"));
	CHECK(!takes("bitdelta", "model.embed_tokens.weight"));
	CHECK(!takes("bitdelta", "lm_head.weight"));
	CHECK(!takes("bitdelta", "model.layers.0.mlp.gate.weight"));
	CHECK(!takes("bitdelta", "model.layers.0.self_attn.q_norm.weight"));
	CHECK(takes_shape("bitdelta", "w", DFS_F32, 64, 64) && takes_shape("bitdelta", "w", DFS_F16, 64, 64));
	CHECK(!takes_shape("bitdelta", "w", DFS_F32, 63, 64) && !takes_shape("bitdelta", "w", DFS_F32, 64, 63));
	CHECK(!takes_shape("bitdelta", "w", DFS_F64, 64, 64) && !takes_shape("bitdelta", "w", DFS_I32, 64, 64));
	CHECK(!takes_shape("bitdelta", "w", DFS_F8_E4M3, 64, 64) && !takes_shape("bitdelta", "w", DFS_BF16, 0, 4096));
}

static void more_or_less_where_it_is_said(void **state)
{
	(void)state;

	CHECK(takes("bitdelta:embeddings=lossy", "model.embed_tokens.weight"));
	CHECK(takes("bitdelta:embeddings=lossy", "lm_head.weight"));
	CHECK(!takes("bitdelta:embeddings=lossy", "model.layers.0.self_attn.q_norm.weight"));
	CHECK(takes("bitdelta:norms=lossy", "model.layers.0.self_attn.q_norm.weight"));
	CHECK(!takes("bitdelta:norms=lossy", "lm_head.weight"));
	CHECK(!takes_shape("bitdelta:norms=lossy,include=*", "model.norm.weight", DFS_BF16, 0, 4096));
	CHECK(takes("bitdelta:include=*.mlp.gate.weight", "model.layers.0.mlp.gate.weight"));
	CHECK(takes("bitdelta:include=lm_head.*", "lm_head.weight"));
	CHECK(!takes("bitdelta:include=lm_head.*", "model.embed_tokens.weight"));
	CHECK(!takes_shape("bitdelta:include=*", "w", DFS_I32, 64, 64));
	CHECK(!takes("bitdelta:exclude=*q_proj*", "model.layers.0.self_attn.q_proj.weight"));
	CHECK(takes("bitdelta:exclude=*q_proj*", "model.layers.0.self_attn.k_proj.weight"));
	CHECK(!takes("bitdelta:exclude=lm_head.weight,include=*,embeddings=lossy", "lm_head.weight"));
}

static void patterns_mean_what_they_mean_in_a_shell(void **state)
{
	static const char layer_0[] = "model.layers.0.mlp.up_proj.weight", layer_10[] = "model.layers.10.mlp.up_proj.weight";
	(void)state;

	CHECK(!takes("bitdelta:exclude=*.layers.0.*", layer_0));
	CHECK(takes("bitdelta:exclude=*.layers.0.*", layer_10));
	CHECK(!takes("bitdelta:exclude=*.layers.?.*", layer_0) && takes("bitdelta:exclude=*.layers.?.*", layer_10));
	CHECK(!takes("bitdelta:exclude=*.layers.[0-3].*", layer_0) && takes("bitdelta:exclude=*.layers.[!0-3].*", layer_0));
	CHECK(!takes("bitdelta:exclude=*.layers.1[0-9].*", layer_10));
	/* all of the name, no part of it, and letters as they are */
	CHECK(takes("bitdelta:exclude=layers.0", layer_0) && takes("bitdelta:exclude=model", layer_0));
	CHECK(takes("bitdelta:exclude=model.layers.0.", layer_0) && takes("bitdelta:exclude=MODEL.*", layer_0));
	CHECK(!takes("bitdelta:exclude=model.layers.0.mlp.up_proj.weight", layer_0));
	CHECK(!takes("bitdelta:exclude=*", layer_0));
	/* names with slashes are paths, of which a pattern without a slash may match any part */
	CHECK(!takes("bitdelta:exclude=*.kernel", "encoder/layer_0.kernel"));
	CHECK(!takes("bitdelta:exclude=encoder/*", "encoder/layer_0.kernel"));
	CHECK(!takes("bitdelta:exclude=encoder", "encoder/layer_0.kernel"));
	CHECK(takes("bitdelta:exclude=decoder/*", "encoder/layer_0.kernel"));
	CHECK(takes("bitdelta:exclude=x", "/") && takes("bitdelta:exclude=x", "//") && takes("bitdelta:exclude=x/y", "/x/"));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(exact_is_the_default),
	cmocka_unit_test(options_and_scope_in_any_order),
	cmocka_unit_test(what_is_wrong_is_named),
	cmocka_unit_test(long_ones_are_refused),
	cmocka_unit_test(linear_layers_are_taken),
	cmocka_unit_test(more_or_less_where_it_is_said),
	cmocka_unit_test(patterns_mean_what_they_mean_in_a_shell),
};

CHECK_MAIN(cases)
