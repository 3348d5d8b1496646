/* SPDX-License-Identifier: GPL-2.0-or-later */
/* candidates: the bases of a store are opened once, seen when they change, and chosen from quickly. */
#include "../store/given.h"

#include <time.h>

#include "store/registry.h"
#include "write/candidates.h"
#include "write/classify.h"

/* Tensors of a model of the usual size: 32 layers of 9. */
#define TENSORS 290
#define BASES 20

static uint32_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 32);
}

/* TENSORS rows of 64 BF16 each; @seed says what is in them, @moved how many of 100 values differ a little. */
static void put_weights(const char *path, uint64_t seed, unsigned moved)
{
	struct dfs_buf file = { 0 };
	char json[128];
	uint64_t state = seed, noise = moved + 1;
	uint8_t length[8] = { 0 };
	uint16_t value;

	CHECK(dfs_buf_append(&file, length, 8) == 0);
	for (unsigned i = 0; i < TENSORS; i++) {
		int n = snprintf(json, sizeof(json), "%c\"model.layers.%u.weight\":{\"dtype\":\"BF16\",\"shape\":[64,64],\"data_offsets\":[%u,%u]}",
				 i ? ',' : '{', i, i * 8192, (i + 1) * 8192);

		CHECK(dfs_buf_append(&file, json, (size_t)n) == 0);
	}
	CHECK(dfs_buf_append(&file, "}", 1) == 0);
	dfs_put_u64le(file.data, file.len - 8);
	for (unsigned i = 0; i < TENSORS * 4096; i++) {
		value = (uint16_t)(0x3c00 | (random_next(&state) & 0x83ff));
		if (random_next(&noise) % 100 < moved)
			value ^= 1;
		CHECK(dfs_buf_append(&file, &value, 2) == 0);
	}
	make_dirs(path);
	put(path, file.data, file.len);
	dfs_buf_release(&file);
}

static void add_base(struct dfs_store *store, const char *path)
{
	struct dfs_registry_added added;
	struct dfs_err err = { "" };

	CHECK_OK(dfs_registry_add(store, &(struct dfs_registry_add){ .path = path }, &added, &err), err);
}

struct choosing {
	struct dfs_store *store;
	struct dfs_bases *bases;
	struct dfs_candidates *candidates;
	struct dfs_hand *hand;
};

static void begin(struct choosing *c)
{
	c->store = lock_store(".");
	c->bases = dfs_bases_new(c->store);
	c->candidates = dfs_candidates_new(c->store, c->bases);
	c->hand = dfs_hand_new();
	CHECK(c->bases && c->candidates && c->hand);
}

static void end(struct choosing *c)
{
	dfs_candidates_free(c->candidates);
	dfs_hand_free(c->hand);
	dfs_bases_free(c->bases);
	dfs_store_close(c->store);
}

/* Return: milliseconds that it took. */
static double choose(struct choosing *c, const char *path, struct dfs_candidate_choice *ret_choice)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);
	struct dfs_err err = { "" };
	struct timespec from, to;
	struct dfs_work_input input;

	CHECK(fd >= 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	CHECK_OK(dfs_classify(fd, &header, NULL, &err), err);
	CHECK_OK(dfs_candidates_refresh(c->candidates, &err), err);
	input = (struct dfs_work_input){ .fd = fd, .len = size_of(path), .header = header };
	CHECK_OK(dfs_candidates_choose(c->candidates, &input, c->hand, ret_choice, &err), err);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
}

/* The directories look as if nothing had happened to them for long. */
static void age(void)
{
	CHECK(system("touch -d '1 hour ago' .deltafs/bases .deltafs/pins") == 0);
}

static void a_choice_among_twenty_is_no_matter_of_seconds(void **state)
{
	struct dfs_candidate_choice choice;
	struct choosing c;
	double best = 1e9;
	char path[32];

	(void)state;
	begin(&c);
	for (unsigned i = 0; i < BASES; i++) {
		snprintf(path, sizeof(path), "base-%02u.safetensors", i);
		put_weights(path, i + 1, 0);
		add_base(c.store, path);
	}
	put_weights("tune.safetensors", 8, 20);
	age();
	for (int i = 0; i < 5; i++) {
		double ms = choose(&c, "tune.safetensors", &choice);

		CHECK(choice.model && strcmp(choice.model->files[0].name, "base-07.safetensors") == 0);
		best = ms < best ? ms : best;
	}
	printf("a choice among %d bases: %.1f ms\n", BASES, best);
	CHECK(best < 1000); /* ten times what is promised: a busy machine, a sanitizer */
	end(&c);
}

static void bases_that_come_and_go_are_seen(void **state)
{
	struct dfs_candidate_choice choice;
	struct choosing c;
	const struct dfs_model *first;
	struct dfs_registry_removed removed;
	struct dfs_err err = { "" };

	(void)state;
	begin(&c);
	put_weights("tune.safetensors", 1, 20);
	choose(&c, "tune.safetensors", &choice);
	CHECK(!choice.model && choice.choice.model == DFS_CHOSE_NONE);
	put_weights("base.safetensors", 1, 0);
	add_base(c.store, "base.safetensors");
	age();
	choose(&c, "tune.safetensors", &choice);
	CHECK(choice.model);
	first = choice.model;
	choose(&c, "tune.safetensors", &choice);
	CHECK(choice.model == first); /* kept */
	CHECK_OK(dfs_registry_remove(c.store, "base.safetensors", NULL, &removed, &err), err);
	choose(&c, "tune.safetensors", &choice);
	CHECK(!choice.model);
	end(&c);
}

/* tune, and two bases for it, of which base-1 is the better one; others may look in. */
static void begin_with_two(struct choosing *c)
{
	begin(c);
	CHECK(chmod(".", 0755) == 0);
	put_weights("tune.safetensors", 1, 20);
	put_weights("base-1.safetensors", 1, 0);
	put_weights("base-2.safetensors", 1, 60);
	add_base(c->store, "base-1.safetensors");
	add_base(c->store, "base-2.safetensors");
}

/* Owners as open(2) sees them; base-1 would be best, and is another's. */
static void a_base_that_the_owner_may_not_read_is_none(void **state)
{
	struct dfs_candidate_choice choice;
	struct choosing c;

	(void)state;
	if (!can_chown())
		skip();
	begin_with_two(&c);
	CHECK(chmod("base-1.safetensors", 0600) == 0 && chmod("base-2.safetensors", 0604) == 0);
	choose(&c, "tune.safetensors", &choice);
	CHECK(choice.model && !choice.is_private);
	assert_string_equal(choice.model->files[0].name, "base-1.safetensors");
	CHECK(chown("tune.safetensors", 1234, 1234) == 0);
	choose(&c, "tune.safetensors", &choice);
	CHECK(choice.model && choice.is_private);
	assert_string_equal(choice.model->files[0].name, "base-2.safetensors");
	CHECK(chmod("base-2.safetensors", 0600) == 0);
	choose(&c, "tune.safetensors", &choice);
	CHECK(!choice.model && choice.is_private);
	end(&c);
}

static int take(struct choosing *c, const char *path, struct dfs_hash id, uid_t user, struct dfs_candidate_choice *ret_choice)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);
	struct dfs_err err = { "" };
	struct dfs_work_input input;

	CHECK(fd >= 0);
	CHECK_OK(dfs_classify(fd, &header, NULL, &err), err);
	CHECK_OK(dfs_candidates_refresh(c->candidates, &err), err);
	input = (struct dfs_work_input){ .fd = fd, .len = size_of(path), .header = header };
	return dfs_candidates_take(c->candidates, id, user, &input, c->hand, ret_choice, &err);
}

static struct dfs_hash id_of(const struct dfs_candidates *candidates, const char *name)
{
	const struct dfs_registry *registry = dfs_candidates_registry(candidates);

	for (size_t i = 0; i < registry->n; i++)
		if (strcmp(registry->models[i].files[0].name, name) == 0)
			return registry->models[i].id;
	fail();
	return (struct dfs_hash){ { 0 } };
}

/* base-2 is worse for the file, and what somebody wants. */
static void a_base_that_is_wanted_is_taken_by_who_may_read_it(void **state)
{
	const struct dfs_hash nobodys = { { 9 } };
	struct dfs_candidate_choice choice;
	struct choosing c;
	struct dfs_hash id;

	(void)state;
	begin_with_two(&c);
	choose(&c, "tune.safetensors", &choice);
	CHECK(choice.model && strcmp(choice.model->files[0].name, "base-1.safetensors") == 0);
	id = id_of(c.candidates, "base-2.safetensors");
	CHECK_RET(0, take(&c, "tune.safetensors", id, geteuid(), &choice));
	CHECK(choice.model && dfs_hash_equal(choice.model->id, id) && !choice.is_private);
	CHECK_RET(-ENOENT, take(&c, "tune.safetensors", nobodys, geteuid(), &choice));
	CHECK(chmod("base-2.safetensors", 0600) == 0);
	CHECK_RET(0, take(&c, "tune.safetensors", id, geteuid() + 4242, &choice));
	CHECK(!choice.model && choice.is_private);
	end(&c);
}

static const struct CMUnitTest cases[] = {
	CASE(a_base_that_is_wanted_is_taken_by_who_may_read_it),
	CASE(a_choice_among_twenty_is_no_matter_of_seconds),
	CASE(bases_that_come_and_go_are_seen),
	CASE(a_base_that_the_owner_may_not_read_is_none),
};

CHECK_MAIN(cases)
