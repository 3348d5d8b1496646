/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_identity: settling finds out whether a base is the right one, and what is done if it is not. */
#include "given_bases.h"

static void settling_finds_out_and_goes_elsewhere(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(bases) struct dfs_bases *bases = NULL;
	struct dfs_base_file want;
	struct dfs_base *base;
	struct dfs_err err = { "" };

	(void)state;
	put_model("right.safetensors", 1, 100);
	put_model("wrong.safetensors", 2, 100);
	want = want_of("right.safetensors", "");
	store = open_store(".");
	bases = dfs_bases_new(store);
	CHECK_OK(dfs_bases_add(bases, "wrong.safetensors", &err), err);
	/* the size fits, so it is read; nothing was hashed yet */
	CHECK_OK(dfs_bases_get(bases, &want, &base, &err), err);
	dfs_base_put(bases, base);
	CHECK_RET(-EIO, dfs_bases_settle(bases, &want, go_on, NULL, &err));
	CHECK_SAYS(err, "other content");
	missed(bases, &want, "other content");
	CHECK_OK(dfs_bases_add(bases, "right.safetensors", &err), err);
	CHECK_OK(dfs_bases_settle(bases, &want, go_on, NULL, &err), err);
	found(bases, &want);
}

static enum dfs_identity identity(struct dfs_bases *bases, const struct dfs_base_file *want)
{
	struct dfs_base *base;
	struct dfs_err err = { "" };
	enum dfs_identity is;

	CHECK_OK(dfs_bases_get(bases, want, &base, &err), err);
	is = base->identity;
	dfs_base_put(bases, base);
	return is;
}

static void an_altered_pin_is_the_last_resort(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(bases) struct dfs_bases *bases = NULL;
	struct dfs_base_file want;
	struct dfs_err err = { "" };
	char path[DFS_PIN_PATH_SIZE];

	(void)state;
	put_model("m.safetensors", 1, 100);
	want = want_of("m.safetensors", "given/m.safetensors");
	store = lock_store(".");
	pin(store, "m.safetensors");
	CHECK(unlink("m.safetensors") == 0);
	put_model(dfs_pin_path(want.hash, path), 2, 100);
	bases = dfs_bases_new(store);
	CHECK(identity(bases, &want) == DFS_BASE_UNKNOWN);
	CHECK_RET(-EIO, dfs_bases_settle(bases, &want, go_on, NULL, &err));
	CHECK_SAYS(err, "base given/m.safetensors: its pin has that size, but other content");
	CHECK(identity(bases, &want) == DFS_BASE_ALTERED);
	CHECK_RET(-EALREADY, dfs_bases_settle(bases, &want, go_on, NULL, &err));
	/* the right one turns up where containers remember it */
	put_model("given/m.safetensors", 1, 100);
	wait_for_check();
	found(bases, &want);
	CHECK_OK(dfs_bases_settle(bases, &want, go_on, NULL, &err), err);
	CHECK(identity(bases, &want) == DFS_BASE_RIGHT);
}

static bool stop(void *arg, uint64_t done, uint64_t total)
{
	(void)total;
	*(uint64_t *)arg = done;
	return done < 100000;
}

static void settling_can_be_given_up(void **state)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(NULL);
	struct dfs_base_file want;
	static uint8_t big[2 << 20];
	struct dfs_err err = { "" };
	uint64_t done = 0;

	(void)state;
	put("big.safetensors", big, sizeof(big));
	want = (struct dfs_base_file){ .hash = dfs_hash128(big, sizeof(big)), .size = sizeof(big), .name = "", .origin = "" };
	CHECK_OK(dfs_bases_add(bases, "big.safetensors", &err), err);
	CHECK_RET(-ECANCELED, dfs_bases_settle(bases, &want, stop, &done, &err));
	CHECK(done >= 100000 && done <= 1 << 20); /* soon after */
	CHECK(identity(bases, &want) == DFS_BASE_UNKNOWN);
	CHECK_OK(dfs_bases_settle(bases, &want, go_on, NULL, &err), err);
}

static void one_reader_is_told_to_settle(void **state)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(NULL);
	struct dfs_base_file want;
	struct dfs_base *base;
	struct dfs_err err = { "" };

	(void)state;
	put_model("m.safetensors", 1, 100);
	want = want_of("m.safetensors", "");
	CHECK_OK(dfs_bases_add(bases, "m.safetensors", &err), err);
	CHECK_OK(dfs_bases_get(bases, &want, &base, &err), err);
	CHECK(dfs_base_claim(base));
	CHECK(!dfs_base_claim(base));
	CHECK_OK(dfs_bases_settle(bases, &want, go_on, NULL, &err), err);
	CHECK(!dfs_base_claim(base));
	dfs_base_hold(bases, base);
	dfs_base_put(bases, base);
	check_content(base, &want);
	dfs_base_put(bases, base);
}

static void a_base_changed_in_place_is_noticed(void **state)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(NULL);
	struct dfs_base_file want;
	struct dfs_err err = { "" };

	(void)state;
	put_model("m.safetensors", 1, 100);
	want = want_of("m.safetensors", "");
	CHECK_OK(dfs_bases_add(bases, "m.safetensors", &err), err);
	CHECK_OK(dfs_bases_settle(bases, &want, go_on, NULL, &err), err);
	put_model("m.safetensors", 2, 100);
	CHECK_RET(-EIO, dfs_bases_settle(bases, &want, go_on, NULL, &err));
	put_model("m.safetensors", 1, 100);
	CHECK_OK(dfs_bases_settle(bases, &want, go_on, NULL, &err), err);
	found(bases, &want);
}

static const struct CMUnitTest cases[] = {
	CASE(settling_finds_out_and_goes_elsewhere),
	CASE(an_altered_pin_is_the_last_resort),
	CASE(settling_can_be_given_up),
	CASE(one_reader_is_told_to_settle),
	CASE(a_base_changed_in_place_is_noticed),
};

CHECK_MAIN(cases)
