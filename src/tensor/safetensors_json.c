/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * safetensors_json: from the JSON of a header to its tensors.
 *
 *	{ "name": { "dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12] },
 *	  "__metadata__": { "key": "value" } }
 *
 * Only types are judged here. Keys of an entry that the format does not know
 * are ignored, as the reference reader does. The parser's objects are given up
 * as soon as they are read: names are kept in one block of their own.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "tensor/internal.h"
#include "util/auto.h"

DFS_AUTO_KIND(json, json_t *, json_decref(*p));

static int bad_entry(struct dfs_err *err, const char *name, const char *what)
{
	return dfs_fail(err, EINVAL, "tensor \"%.200s\": %s", name, what);
}

/* Integers only: 1.0 is not one, and what does not fit 63 bits fails to parse. */
static int read_count(const json_t *value, uint64_t *ret_count)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return -EINVAL;
	*ret_count = (uint64_t)json_integer_value(value);
	return 0;
}

/*
 * The shape as it is, and the product of all its dimensions but the last in
 * *ret_rows, multiplied in order as the reference does: a wrap is refused even
 * if a later dimension is 0.
 */
static int read_shape(const json_t *shape, struct dfs_tensor *t, const char *name,
		      struct dfs_err *err)
{
	size_t rank = json_array_size(shape);
	uint64_t rows = 1, n = 1, dim = 0;

	if (!json_is_array(shape))
		return bad_entry(err, name, "shape is no array");
	for (size_t i = 0; i < rank; i++) {
		rows = n;
		if (read_count(json_array_get(shape, i), &dim) < 0)
			return bad_entry(err, name, "a dimension is no natural number");
		if (__builtin_mul_overflow(n, dim, &n))
			return bad_entry(err, name, "product of the shape overflows");
		if (i < DFS_RANK_MAX)
			t->shape[i] = dim;
	}
	t->rank = (uint8_t)rank;
	if (rank > DFS_RANK_MAX) {
		memset(t->shape, 0, sizeof(t->shape));
		t->rank = 2;
		t->shape[0] = rows;
		t->shape[1] = dim;
	}
	return 0;
}

static int read_extent(const json_t *offsets, struct dfs_tensor *t, const char *name,
		       struct dfs_err *err)
{
	uint64_t begin, end;

	if (!json_is_array(offsets) || json_array_size(offsets) != 2 ||
	    read_count(json_array_get(offsets, 0), &begin) < 0 ||
	    read_count(json_array_get(offsets, 1), &end) < 0)
		return bad_entry(err, name, "data_offsets are not two natural numbers");
	if (end < begin)
		return bad_entry(err, name, "ends before it begins");
	t->off = begin;
	t->len = end - begin;
	return 0;
}

static int read_tensor(const json_t *entry, struct dfs_tensor *t, const char *name,
		       struct dfs_err *err)
{
	const json_t *word = json_object_get(entry, "dtype");
	int dtype, ret;

	if (!json_is_object(entry))
		return bad_entry(err, name, "entry is no object");
	if (!json_is_string(word))
		return bad_entry(err, name, "dtype is no string");
	dtype = dfs_dtype_parse(json_string_value(word), json_string_length(word));
	if (dtype < 0)
		return bad_entry(err, name, "unknown dtype");
	t->dtype = (enum dfs_dtype)dtype;
	ret = read_shape(json_object_get(entry, "shape"), t, name, err);
	if (ret < 0)
		return ret;
	return read_extent(json_object_get(entry, "data_offsets"), t, name, err);
}

static int keep_metadata(json_t *metadata, struct dfs_header *header, struct dfs_err *err)
{
	const char *key;
	json_t *value;

	if (!metadata || json_is_null(metadata))
		return 0;
	if (!json_is_object(metadata))
		return dfs_fail(err, EINVAL, "__metadata__ is no object");
	json_object_foreach(metadata, key, value) {
		if (!json_is_string(value))
			return dfs_fail(err, EINVAL, "__metadata__ \"%.200s\" is no string", key);
	}
	header->json = json_incref(metadata);
	return 0;
}

static int is_metadata(const char *key)
{
	return strcmp(key, "__metadata__") == 0;
}

static int make_room(json_t *root, struct dfs_header *header, struct dfs_err *err)
{
	size_t n = 0, names_len = 0;
	const char *key;
	json_t *value;

	json_object_foreach(root, key, value) {
		if (!is_metadata(key)) {
			n++;
			names_len += strlen(key) + 1;
		}
	}
	if (n > DFS_HEADER_TENSORS_MAX)
		return dfs_fail(err, E2BIG, "header has %zu tensors", n);
	header->tensors = calloc(n + 1, sizeof(*header->tensors));
	header->names = malloc(names_len + 1);
	if (!header->tensors || !header->names)
		return dfs_fail(err, ENOMEM, "out of memory");
	return 0;
}

static int parse(const char *text, size_t len, json_t **ret_root, struct dfs_err *err)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (!root)
		return dfs_fail(err, EINVAL, "header is no JSON object: %s", error.text);
	*ret_root = root;
	return 0;
}

int dfs_header_read_json(const char *text, size_t len, struct dfs_header *header,
			 struct dfs_err *err)
{
	DFS_AUTO(json) json_t *root = NULL;
	const char *key;
	json_t *value;
	char *name;
	int ret;

	ret = parse(text, len, &root, err);
	if (ret < 0)
		return ret;
	if (!json_is_object(root))
		return dfs_fail(err, EINVAL, "header is no JSON object");
	ret = make_room(root, header, err);
	if (ret < 0)
		return ret;

	name = header->names;
	json_object_foreach(root, key, value) {
		struct dfs_tensor *t = &header->tensors[header->n_tensors];

		if (is_metadata(key))
			continue;
		ret = read_tensor(value, t, key, err);
		if (ret < 0)
			return ret;
		t->name = name;
		name = stpcpy(name, key) + 1;
		header->n_tensors++;
	}
	return keep_metadata(json_object_get(root, "__metadata__"), header, err);
}
