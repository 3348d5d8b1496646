/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tree: paths that come, go and are renamed, against a list of strings. */
#include "util/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../check.h"

#define MAX 128

/* The paths that have a value; the value is the path's number, which stays with it. */
struct list {
	char *paths[MAX];
	uintptr_t numbers[MAX];
	size_t n;
};

static unsigned next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(*state >> 33);
}

/* One of a few hundred, of one to four names, many of them below others. */
static void random_path(uint64_t *random, char *ret_path, size_t room)
{
	unsigned depth = 1 + next_random(random) % 4;
	size_t len = 0;

	for (unsigned i = 0; i < depth; i++)
		len += (size_t)snprintf(ret_path + len, room - len, "%s%c%s", i ? "/" : "",
					'a' + (int)(next_random(random) % 4), next_random(random) % 5 ? "" : "-long");
}

static bool is_at(const char *path, const char *top)
{
	size_t n = strlen(top);

	return !n || (strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/'));
}

static size_t list_find(const struct list *list, const char *path)
{
	size_t i = 0;

	while (i < list->n && strcmp(list->paths[i], path) != 0)
		i++;
	return i;
}

static size_t list_count(const struct list *list, const char *top)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += is_at(list->paths[i], top);
	return n;
}

static void list_exchange(struct list *list, const char *a, const char *b)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *from = is_at(list->paths[i], a) ? a : b, *to = from == a ? b : a;
		char *path;

		if (!is_at(list->paths[i], from))
			continue;
		CHECK(asprintf(&path, "%s%s", to, list->paths[i] + strlen(from)) > 0);
		free(list->paths[i]);
		list->paths[i] = path;
	}
}

static void set(struct dfs_tree *tree, struct list *list, const char *path, uintptr_t number)
{
	struct dfs_tree_node *node = dfs_tree_make(tree, path);

	CHECK(node);
	if (list->n == MAX || list_find(list, path) < list->n) {
		dfs_tree_prune(tree, node); /* made for nothing, or not made */
		return;
	}
	CHECK(!node->value);
	node->value = (void *)number;
	list->paths[list->n] = strdup(path);
	list->numbers[list->n++] = number;
}

static void unset(struct dfs_tree *tree, struct list *list, const char *path)
{
	struct dfs_tree_node *node = dfs_tree_find(tree, path);
	size_t i = list_find(list, path);

	if (i == list->n)
		return;
	CHECK(node && node->value == (void *)list->numbers[i]);
	node->value = NULL;
	dfs_tree_prune(tree, node);
	free(list->paths[i]);
	list->n--;
	list->paths[i] = list->paths[list->n];
	list->numbers[i] = list->numbers[list->n];
}

static void swap(struct dfs_tree *tree, struct list *list, const char *a, const char *b)
{
	struct dfs_tree_node *at_a, *at_b;

	if (dfs_tree_covers(a, b) || dfs_tree_covers(b, a))
		return;
	at_a = dfs_tree_make(tree, a);
	at_b = dfs_tree_make(tree, b);
	CHECK(at_a && at_b);
	dfs_tree_exchange(tree, at_a, at_b);
	dfs_tree_prune(tree, at_a);
	dfs_tree_prune(tree, at_b);
	list_exchange(list, a, b);
}

/* A walk of @top sees each path of the list that is there, once, and no other. */
static void check_walk(struct dfs_tree *tree, const struct list *list, const char *top)
{
	struct dfs_tree_node *from = dfs_tree_find(tree, top);
	size_t seen = 0;

	CHECK((from != NULL) == (list_count(list, top) > 0 || !*top));
	for (struct dfs_tree_node *node = from; node; node = dfs_tree_next(from, node)) {
		char *path = dfs_tree_text(node);
		size_t i = list_find(list, path);

		CHECK(is_at(path, top));
		CHECK((node->value != NULL) == (i < list->n));
		CHECK(!node->value || node->value == (void *)list->numbers[i]);
		CHECK(node->value || list_count(list, path) || !*path);
		seen += node->value != NULL;
		free(path);
	}
	CHECK(seen == list_count(list, top));
}

static void a_tree_is_what_its_paths_are(void **state)
{
	static struct list list;
	struct dfs_tree tree;
	uint64_t random = 7;
	uintptr_t numbers = 0;
	char a[64], b[64];

	(void)state;
	CHECK_RET(0, dfs_tree_init(&tree));
	for (int round = 0; round < 6000; round++) {
		unsigned what = next_random(&random) % 10;

		random_path(&random, a, sizeof(a));
		random_path(&random, b, sizeof(b));
		if (what < (round / 1000 % 2 ? 3u : 6u))
			set(&tree, &list, a, ++numbers);
		else if (what < 8)
			unset(&tree, &list, a);
		else
			swap(&tree, &list, a, b);
		check_walk(&tree, &list, b);
		if (round % 10 == 0)
			check_walk(&tree, &list, "");
	}
	CHECK(list.n > 20);
	while (list.n)
		unset(&tree, &list, list.paths[0]);
	CHECK(tree.n == 0 && !tree.root.child);
	dfs_tree_release(&tree);
}

static void many_names_in_one_directory_are_found_at_once(void **state)
{
	struct dfs_tree tree;
	char path[64];

	(void)state;
	CHECK_RET(0, dfs_tree_init(&tree));
	for (int i = 0; i < 100000; i++) {
		snprintf(path, sizeof(path), "directory/with/many/%d", i);
		dfs_tree_make(&tree, path)->value = &tree;
	}
	CHECK(tree.n == 100003 && tree.n_buckets >= 65536);
	CHECK(dfs_tree_find(&tree, "directory/with/many/99999"));
	CHECK(!dfs_tree_find(&tree, "directory/with/many/100000"));
	CHECK(!dfs_tree_find(&tree, "directory/with/man"));
	CHECK(dfs_tree_find(&tree, "") == &tree.root);
	dfs_tree_release(&tree); /* full */
	dfs_tree_release(&tree);
}

static void below_is_by_whole_names(void **state)
{
	(void)state;
	CHECK(dfs_tree_covers("a", "a") && dfs_tree_covers("a", "a/b") && dfs_tree_covers("", "a") && dfs_tree_covers("", ""));
	CHECK(!dfs_tree_covers("a", "ab") && !dfs_tree_covers("a/b", "a") && !dfs_tree_covers("a", ""));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(a_tree_is_what_its_paths_are),
	cmocka_unit_test(many_names_in_one_directory_are_found_at_once),
	cmocka_unit_test(below_is_by_whole_names),
};

CHECK_MAIN(cases)
