/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changes through the mount: no surprise to the node table, whoever looks when. */
#include "table.h"

/* The table, and in it the node of the file "a" as @st; end() it. */
static struct dfs_node *given_a_node(struct stat st)
{
	given_a_table();
	return dfs_node_get(&nodes, looked_up(1, "a", st));
}

static void end(struct dfs_node *node)
{
	dfs_node_put(&nodes, node);
	dfs_nodes_release(&nodes);
}

static void what_changed_through_the_mount_is_the_same_node(void **state)
{
	struct stat before = file(10, 100), after = file(10, 200), other = file(10, 300);
	struct dfs_node *node = given_a_node(before);
	struct dfs_look early = look_now(before);
	uint64_t number = node->number;

	(void)state;
	dfs_node_change(&nodes, node);
	CHECK(looked_up(1, "a", before) == number); /* either may be seen meanwhile */
	CHECK(looked_up(1, "a", after) == number);
	dfs_node_changed(&nodes, node, &(struct dfs_look){ dfs_nodes_moment(&nodes), after });
	CHECK(looked_up_by(1, "a", early) == number); /* one that began before it ended */
	CHECK(looked_up(1, "a", after) == number);
	CHECK(looked_up(1, "a", before) != number); /* somebody else put it back */
	CHECK(looked_up(1, "a", other) != number);
	end(node);
}

static void a_writer_and_a_change_at_once_leave_it_to_the_next_look(void **state)
{
	struct stat first = file(10, 100), second = file(10, 200), third = file(10, 300);
	struct dfs_node *node = given_a_node(first);
	uint64_t number = node->number;

	(void)state;
	dfs_node_writing(&nodes, node);
	dfs_node_change(&nodes, node);
	CHECK(dfs_node_same(&nodes, node, &(struct dfs_look){ 99, second }));
	dfs_node_changed(&nodes, node, &(struct dfs_look){ dfs_nodes_moment(&nodes), second });
	CHECK(looked_up(1, "a", third) == number); /* the writer writes on */
	CHECK(dfs_node_written(&nodes, node, NULL)); /* what it left could not be seen */
	CHECK(looked_up(1, "a", third) == number);
	CHECK(looked_up(1, "a", second) != number);
	end(node);
}

/* Of two writers the one that looked first ends last. */
static void a_look_from_before_another_writer_ended_tells_nothing(void **state)
{
	struct stat first = file(10, 100), second = file(10, 200);
	struct dfs_look early, late;
	struct dfs_node *node = given_a_node(first);
	uint64_t number = node->number;

	(void)state;
	dfs_node_writing(&nodes, node);
	dfs_node_writing(&nodes, node);
	early = look_now(first);
	late = look_now(second);
	CHECK(!dfs_node_written(&nodes, node, &late));
	CHECK(dfs_node_written(&nodes, node, &early));
	CHECK(dfs_node_same(&nodes, node, &(struct dfs_look){ dfs_nodes_moment(&nodes), second }));
	CHECK(looked_up(1, "a", second) == number);
	CHECK(looked_up(1, "a", first) != number);	/* known again */
	end(node);
}

static void a_number_of_a_file_that_is_gone_is_a_new_file_s(void **state)
{
	struct dfs_node *node = given_a_node(file(10, 100));
	uint64_t number = node->number;

	(void)state;
	dfs_node_change(&nodes, node);
	dfs_node_gone(&nodes, node, -1);
	dfs_node_changed(&nodes, node, NULL);
	CHECK(looked_up(1, "b", file(10, 100)) != number);
	end(node);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(what_changed_through_the_mount_is_the_same_node),
	cmocka_unit_test(a_writer_and_a_change_at_once_leave_it_to_the_next_look),
	cmocka_unit_test(a_look_from_before_another_writer_ended_tells_nothing),
	cmocka_unit_test(a_number_of_a_file_that_is_gone_is_a_new_file_s),
};

CHECK_MAIN(cases)
