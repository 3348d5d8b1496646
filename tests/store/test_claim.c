/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_claim: what is a container, what is broken, what is plain; and whom a mark makes trusted. */
#include <sys/resource.h>
#include <sys/xattr.h>

#include "given.h"

static struct dfs_claim check(const char *path)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);
	struct dfs_claim claim;

	CHECK(fd >= 0);
	CHECK_RET(0, dfs_claim_check(fd, size_of(path), &claim));
	return claim;
}

static void flip(const char *path, uint64_t off)
{
	DFS_AUTO(fd) int fd = open(path, O_RDWR);
	uint8_t byte;

	CHECK_RET(0, dfs_pread_all(fd, &byte, 1, off));
	byte ^= 0x40;
	CHECK_RET(0, dfs_pwrite_all(fd, &byte, 1, off));
}

static void any_other_file_is_plain(void **state)
{
	(void)state;
	put("empty", "", 0);
	put_text("short", "x");
	put_model("model", 1, 900);
	CHECK(check("empty").kind == DFS_PLAIN && check("empty").original_size == 0);
	CHECK(check("short").kind == DFS_PLAIN && check("short").original_size == 1);
	CHECK(check("model").kind == DFS_PLAIN && check("model").original_size == size_of("model"));
}

static void a_container_is_known_by_its_content(void **state)
{
	struct dfs_claim claim;

	(void)state;
	put_container("c", 1000, NULL, 0, NULL);
	claim = check("c");
	CHECK(claim.kind == DFS_CONTAINER);
	CHECK(claim.original_size == 1000 && claim.sb.original_size == 1000);
	CHECK(!claim.marked && !claim.trusted);
}

static void a_damaged_head_is_healed_by_the_tail(void **state)
{
	(void)state;
	put_container("c", 1000, NULL, 0, NULL);
	/* 20: in the checked part, behind the magic; 250: near the end */
	flip("c", 20);
	CHECK(check("c").kind == DFS_CONTAINER);
	flip("c", 20);
	flip("c", 250);
	CHECK(check("c").kind == DFS_CONTAINER && check("c").original_size == 1000);
}

static void up_to_four_bad_magic_bytes_still_claim(void **state)
{
	(void)state;
	put_container("c", 1000, NULL, 0, NULL);
	for (unsigned i = 0; i < 4; i++)
		flip("c", i);
	CHECK(check("c").kind == DFS_CONTAINER);
	flip("c", 4);
	CHECK(check("c").kind == DFS_PLAIN);
}

static void without_a_superblock_it_is_broken_and_never_plain(void **state)
{
	struct dfs_claim claim;

	(void)state;
	put_container("c", 1000, NULL, 0, NULL);
	flip("c", 20);
	flip("c", size_of("c") - 236);
	claim = check("c");
	CHECK(claim.kind == DFS_CONTAINER_BROKEN);
	CHECK(claim.original_size == size_of("c")); /* no mark: nothing better is known */
	CHECK(claim.why.text[0]);
	CHECK(truncate("c", 16) == 0);
	CHECK(check("c").kind == DFS_CONTAINER_BROKEN);
}

static void mark(const char *path, const struct dfs_superblock *sb)
{
	DFS_AUTO(fd) int fd = open(path, O_RDWR);

	CHECK_RET(0, dfs_claim_mark(fd, sb));
}

static void a_mark_gives_a_broken_container_its_size(void **state)
{
	struct dfs_superblock sb;
	struct dfs_claim claim;

	(void)state;
	put_container("c", 1000, NULL, 0, &sb);
	mark("c", &sb);
	put("c", "overwritten by somebody", 23);
	claim = check("c");
	CHECK(claim.kind == DFS_CONTAINER_BROKEN);
	CHECK(claim.original_size == 1000);
	CHECK_SAYS(claim.why, "overwritten");
	CHECK_SAYS(claim.why, dfs_claim_xattr());
}

static void the_mark_is_hash_and_size(void **state)
{
	struct dfs_superblock sb;
	uint8_t value[64], expected[24];

	(void)state;
	put_container("c", 1000, NULL, 0, &sb);
	mark("c", &sb);
	memcpy(expected, sb.meta_hash.bytes, 16);
	memcpy(expected + 16, "\xe8\x03\0\0\0\0\0\0", 8);
	CHECK(getxattr("c", dfs_claim_xattr(), value, sizeof(value)) == 24);
	CHECK_BYTES(value, expected, 24);
	CHECK(check("c").marked);
	CHECK(check("c").trusted == (strncmp(dfs_claim_xattr(), "trusted.", 8) == 0));
}

static void a_mark_of_other_metadata_is_no_trust(void **state)
{
	struct dfs_superblock sb;

	(void)state;
	put_container("c", 1000, NULL, 0, &sb);
	sb.meta_hash.bytes[3] ^= 1;
	mark("c", &sb);
	CHECK(check("c").kind == DFS_CONTAINER);
	CHECK(!check("c").marked && !check("c").trusted);
}

static void a_users_own_mark_is_no_trust(void **state)
{
	struct dfs_superblock sb;
	uint8_t value[24];

	(void)state;
	put_container("c", 1000, NULL, 0, &sb);
	memcpy(value, sb.meta_hash.bytes, 16);
	dfs_put_u64le(value + 16, 1000);
	CHECK(setxattr("c", "user.deltafs.container", value, sizeof(value), 0) == 0);
	CHECK(check("c").marked && !check("c").trusted);
}

static void a_mark_of_nonsense_is_survived(void **state)
{
	(void)state;
	put_text("f", "plain");
	CHECK(setxattr("f", "user.deltafs.container", "short", 5, 0) == 0);
	CHECK(check("f").kind == DFS_CONTAINER_BROKEN && check("f").original_size == 5);
	CHECK(setxattr("f", "user.deltafs.container",
		       "\1\2\3\4\5\6\7\10\1\2\3\4\5\6\7\10\377\377\377\377\377\377\377\377", 24,
		       0) == 0);
	CHECK(check("f").kind == DFS_CONTAINER_BROKEN && check("f").original_size == 5);
	CHECK(setxattr("f", "user.deltafs.container",
		       "far longer than any mark that was ever written", 46, 0) == 0);
	CHECK(check("f").kind == DFS_CONTAINER_BROKEN && check("f").original_size == 5);
}

static void unmarking_takes_both_away(void **state)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_superblock sb;

	(void)state;
	put_container("c", 1000, NULL, 0, &sb);
	mark("c", &sb);
	CHECK(setxattr("c", "user.deltafs.container", "x", 1, 0) == 0);
	fd = open("c", O_RDWR);
	CHECK_RET(0, dfs_claim_unmark(fd));
	CHECK_RET(0, dfs_claim_unmark(fd));
	CHECK(getxattr("c", "user.deltafs.container", NULL, 0) < 0);
	CHECK(!check("c").marked);
}

static int load(const char *path, const struct dfs_superblock *sb, struct dfs_err *err)
{
	DFS_AUTO(container) struct dfs_container *c = NULL;
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);

	return dfs_container_load(fd, sb, &c, err);
}

static void metadata_are_loaded(void **state)
{
	struct dfs_base_file base = { .size = 77,
				      .name = "models/base.safetensors",
				      .origin = "org/name@1" };
	DFS_AUTO(container) struct dfs_container *c = NULL;
	DFS_AUTO(fd) int fd = -1;
	struct dfs_superblock sb;
	struct dfs_err err = { "" };

	(void)state;
	memset(base.hash.bytes, 0xab, 16);
	put_container("c", 1000, &base, 1, &sb);
	fd = open("c", O_RDONLY);
	CHECK_OK(dfs_container_load(fd, &sb, &c, &err), err);
	CHECK(c->n_bases == 1 && c->bases[0].size == 77);
	CHECK(strcmp(c->bases[0].name, base.name) == 0);
}

static void metadata_cut_short_or_changed_are_refused(void **state)
{
	struct dfs_superblock sb;
	struct dfs_err err = { "" };

	(void)state;
	put_container("c", 1000, NULL, 0, &sb);
	flip("c", sb.meta_off);
	CHECK_RET(-EBADMSG, load("c", &sb, &err));
	CHECK(truncate("c", (off_t)(sb.meta_off + sb.meta_len - 1)) == 0);
	CHECK_RET(-EUCLEAN, load("c", &sb, &err));
	CHECK_SAYS(err, "cut short");
}

/* A terabyte of nothing costs a hostile user nothing, and must cost us no memory. */
static void huge_sparse_metadata_are_refused_in_little_memory(void **state)
{
	struct dfs_superblock sb = { .meta_off = 256, .meta_len = 64u << 20 };
	struct rusage before, after;
	struct dfs_err err = { "" };

	(void)state;
	put("c", "", 0);
	CHECK(truncate("c", 256 + (64 << 20)) == 0);
	getrusage(RUSAGE_SELF, &before);
	CHECK_RET(-EBADMSG, load("c", &sb, &err));
	getrusage(RUSAGE_SELF, &after);
	CHECK(after.ru_maxrss - before.ru_maxrss < 16 << 10); /* KiB */
}

static const struct CMUnitTest cases[] = {
	CASE(any_other_file_is_plain),
	CASE(a_container_is_known_by_its_content),
	CASE(a_damaged_head_is_healed_by_the_tail),
	CASE(up_to_four_bad_magic_bytes_still_claim),
	CASE(without_a_superblock_it_is_broken_and_never_plain),
	CASE(a_mark_gives_a_broken_container_its_size),
	CASE(the_mark_is_hash_and_size),
	CASE(a_mark_of_other_metadata_is_no_trust),
	CASE(a_users_own_mark_is_no_trust),
	CASE(a_mark_of_nonsense_is_survived),
	CASE(unmarking_takes_both_away),
	CASE(metadata_are_loaded),
	CASE(metadata_cut_short_or_changed_are_refused),
	CASE(huge_sparse_metadata_are_refused_in_little_memory),
};

CHECK_MAIN(cases)
