/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that frameworks wrapped, unwrapped and moved: which are told apart, and which had better not be. */
#include "matched.h"

static void wrapped_names_are_unwrapped(void **state)
{
	static const char *const pairs[][2] = {
		{ "model.language_model.layers.0.q.weight", "language_model.model.layers.0.q.weight" },
		{ "layers.1.q.weight", "model.layers.1.q.weight" },
		{ "bert.encoder.layer.0.k.bias", "encoder.layer.0.k.bias" },
		{ "base_model.model.model.norm.weight", "model.norm.weight" },
		{ "transformer.h.0.attn.weight", "h.0.attn.weight" },
		{ "module.0.auto_model.pooler.dense.weight", "pooler.dense.weight" },
	};
	struct spec file_spec = { "", "BF16", 2, { 4, 4 } }, base_spec = { "", "F32", 2, { 4, 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		for (int turned = 0; turned < 2; turned++) {
			struct dfs_header *file, *base;
			const struct dfs_header *bases;

			file_spec.name = pairs[i][turned];
			base_spec.name = pairs[i][!turned];
			file = make_header(&file_spec, 1, "");
			bases = base = make_header(&base_spec, 1, "");
			match(file, &bases, 1, NULL);
			expect(file, file_spec.name, DFS_MATCH_PREFIX, base_spec.name);
			dfs_header_free(file);
			dfs_header_free(base);
		}
	}
}

static void unlike_names_stay_apart(void **state)
{
	static const struct spec file_specs[] = {
		{ "a.weight", "F32", 2, { 4, 4 } },	/* only the last component in common */
		{ "x.norm.bias", "F32", 1, { 4 } },	/* another shape, and no matrix */
		{ "one.two.three.four.five.tail.weight", "F32", 2, { 4, 4 } }, /* too much in front */
	};
	static const struct spec base_specs[] = {
		{ "b.weight", "F32", 2, { 4, 4 } },
		{ "y.norm.bias", "F32", 1, { 5 } },
		{ "six.tail.weight", "F32", 2, { 4, 4 } },
	};
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, NULL);
	for (size_t i = 0; i < 3; i++)
		expect(file, file_specs[i].name, DFS_MATCH_NONE, "");
	dfs_header_free(file);
	dfs_header_free(base);
}

static void towers_of_like_layers_are_told_apart(void **state)
{
	static const struct spec base_specs[] = {
		{ "model.language_model.layers.0.q.weight", "F32", 2, { 4, 4 } },
		{ "model.visual.layers.0.q.weight", "F32", 2, { 4, 4 } },
		{ "audio.layers.0.k.weight", "F32", 2, { 4, 4 } },
		{ "visual.layers.0.k.weight", "F32", 2, { 4, 4 } },
		{ "audio.layers.0.v.weight", "F32", 2, { 4, 8 } },
		{ "visual.layers.0.v.weight", "F32", 2, { 4, 4 } },
		{ "text.layers.1.q.weight", "F32", 2, { 4, 4 } },
		{ "layers.2.q.weight", "F32", 2, { 4, 4 } },
	};
	static const struct spec file_specs[] = {
		{ "model.layers.0.q.weight", "F32", 2, { 4, 4 } },	/* text is what a model is by default */
		{ "layers.0.k.weight", "F32", 2, { 4, 4 } },		/* either: neither */
		{ "layers.0.v.weight", "F32", 2, { 4, 4 } },		/* the shape tells */
		{ "a.layers.1.q.weight", "F32", 2, { 4, 4 } },		/* two claim one: */
		{ "b.layers.1.q.weight", "F32", 2, { 4, 4 } },		/* neither */
		{ "model.layers.2.q.weight", "F32", 2, { 4, 4 } },	/* two claim one: the plain name */
		{ "visual.layers.2.q.weight", "F32", 2, { 4, 4 } },
	};
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, NULL);
	expect(file, "model.layers.0.q.weight", DFS_MATCH_PREFIX, base_specs[0].name);
	expect(file, "layers.0.k.weight", DFS_MATCH_NONE, "");
	expect(file, "layers.0.v.weight", DFS_MATCH_PREFIX, "visual.layers.0.v.weight");
	expect(file, "a.layers.1.q.weight", DFS_MATCH_NONE, "");
	expect(file, "b.layers.1.q.weight", DFS_MATCH_NONE, "");
	expect(file, "model.layers.2.q.weight", DFS_MATCH_PREFIX, "layers.2.q.weight");
	expect(file, "visual.layers.2.q.weight", DFS_MATCH_NONE, "");
	dfs_header_free(file);
	dfs_header_free(base);
}

static void a_taken_tensor_is_not_for_renaming(void **state)
{
	static const struct spec base_specs[] = { { "model.layers.0.q.weight", "F32", 2, { 4, 4 } } };
	static const struct spec file_specs[] = {
		{ "model.layers.0.q.weight", "F32", 2, { 4, 4 } },
		{ "draft.layers.0.q.weight", "F32", 2, { 4, 4 } },
	};
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, NULL);
	expect(file, "model.layers.0.q.weight", DFS_MATCH_NAME, "model.layers.0.q.weight");
	expect(file, "draft.layers.0.q.weight", DFS_MATCH_NONE, "");
	dfs_header_free(file);
	dfs_header_free(base);
}

/* A renamed embedding may have grown too; the whole one is better if there is a choice. */
static void renamed_and_grown(void **state)
{
	static const struct spec base_specs[] = {
		{ "model.embed.tokens.weight", "F32", 2, { 10, 4 } },
		{ "text.wide.tokens.weight", "F32", 2, { 10, 4 } },
		{ "image.wide.tokens.weight", "F32", 2, { 12, 4 } },
	};
	static const struct spec file_specs[] = {
		{ "embed.tokens.weight", "F32", 2, { 12, 4 } },
		{ "wide.tokens.weight", "F32", 2, { 12, 4 } },
	};
	struct dfs_header *file = MAKE(file_specs), *base = MAKE(base_specs);
	const struct dfs_header *bases = base;

	(void)state;
	match(file, &bases, 1, NULL);
	assert_int_equal(expect(file, "embed.tokens.weight", DFS_MATCH_PREFIX,
				"model.embed.tokens.weight")->len, 160);
	expect(file, "wide.tokens.weight", DFS_MATCH_PREFIX, "image.wide.tokens.weight");
	dfs_header_free(file);
	dfs_header_free(base);
}

/* Thousands of tensors, none of which keeps its name, stay a matter of milliseconds. */
static void many_renamed_tensors(void **state)
{
	enum { N = 10000 };
	struct spec *file_specs = calloc(N, sizeof(*file_specs));
	struct spec *base_specs = calloc(N, sizeof(*base_specs));
	char (*names)[64] = malloc(2 * N * sizeof(*names));
	struct dfs_header *file, *base;
	const struct dfs_header *bases;

	(void)state;
	CHECK(file_specs && base_specs && names);
	for (int i = 0; i < N; i++) {
		snprintf(names[2 * i], 64, "layers.%d.mlp.proj.weight", i);
		snprintf(names[2 * i + 1], 64, "model.layers.%d.mlp.proj.weight", N - 1 - i);
		file_specs[i] = (struct spec){ names[2 * i], "BF16", 2, { 2, 2 } };
		base_specs[i] = (struct spec){ names[2 * i + 1], "BF16", 2, { 2, 2 } };
	}
	file = make_header(file_specs, N, "");
	bases = base = make_header(base_specs, N, "");
	match(file, &bases, 1, NULL);
	for (int i = 0; i < N; i++)
		expect(file, names[2 * i], DFS_MATCH_PREFIX, names[2 * (N - 1 - i) + 1]);
	assert_int_equal(score.matched_bytes, score.total_bytes);
	dfs_header_free(file);
	dfs_header_free(base);
	free(names);
	free(file_specs);
	free(base_specs);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(wrapped_names_are_unwrapped),
	cmocka_unit_test(unlike_names_stay_apart),
	cmocka_unit_test(towers_of_like_layers_are_told_apart),
	cmocka_unit_test(a_taken_tensor_is_not_for_renaming),
	cmocka_unit_test(renamed_and_grown),
	cmocka_unit_test(many_renamed_tensors),
};

CHECK_MAIN(cases)
