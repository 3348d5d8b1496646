/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: any bit that flips in a container is found; what is mended is what it was, and nothing that read right reads wrong. */
#include "../store/given.h"
#include "files.h"

#include "store/check.h"
#include "write/check_tree.h"

/* A store with a base and one container over it. */
struct fixture {
	struct dfs_store *store;
	struct dfs_bases *bases;
	struct dfs_reader *reader;
	uint8_t *bytes, *plain;		/* of the container; of what it shows */
	size_t len, plain_len;
	struct dfs_superblock sb;
	bool marked;
};

static void copy_out(int fd, const char *path)
{
	uint8_t *bytes;
	size_t len = files_read(fd, &bytes);

	put(path, bytes, len);
	free(bytes);
	close(fd);
}

static void encode(struct fixture *f)
{
	DFS_AUTO(fd) int plain = files_model(4, 16, files_tuned, 5);
	DFS_AUTO(fd) int base = open("base.safetensors", O_RDONLY), fd = open("tune", O_RDWR | O_CREAT, 0644);
	struct dfs_encode_config config = { .threads = 1, .base = files_open_model(base) };
	struct dfs_encode_result result;
	struct dfs_claim claim;
	struct dfs_err err = { "" };

	CHECK_OK(dfs_encode(plain, "tune", fd, &config, &result, &err), err);
	dfs_model_free((struct dfs_model *)config.base);
	f->plain_len = files_read(plain, &f->plain);
	f->len = files_read(fd, &f->bytes);
	CHECK_RET(0, dfs_claim_check(fd, f->len, &claim));
	CHECK(claim.kind == DFS_CONTAINER);
	f->sb = claim.sb;
	f->marked = dfs_claim_mark(fd, &claim.sb) == 0;
}

static void given_a_store(struct fixture *f)
{
	struct dfs_registry_add add = { .path = "base.safetensors" };
	struct dfs_reader_config config = { .threads = 1, .cache_bytes = 8 << 20 };
	struct dfs_registry_added added;
	struct dfs_err err = { "" };

	copy_out(files_model(4, 16, files_weight, 5), "base.safetensors");
	f->store = lock_store(".");
	CHECK_OK(dfs_registry_add(f->store, &add, &added, &err), err);
	encode(f);
	config.bases = f->bases = dfs_bases_new(f->store);
	CHECK(f->bases);
	CHECK_OK(dfs_reader_new(&config, &f->reader, &err), err);
}

static void done(struct fixture *f)
{
	dfs_reader_free(f->reader);
	dfs_bases_free(f->bases);
	dfs_store_close(f->store);
	free(f->bytes);
	free(f->plain);
}

static bool reads_right(struct fixture *f)
{
	DFS_AUTO(view) struct dfs_view *view = NULL;
	DFS_AUTO(mem) uint8_t *got = malloc(f->plain_len);
	DFS_AUTO(fd) int fd = open("tune", O_RDONLY);
	size_t len;

	CHECK(got && fd >= 0);
	if (dfs_view_open(f->reader, fd, "tune", &view, NULL) < 0)
		return false;
	dfs_steal_fd(&fd);
	return dfs_view_size(view) == f->plain_len && dfs_view_read(view, 0, f->plain_len, got, &len, NULL) == 0 &&
	       len == f->plain_len && !memcmp(got, f->plain, len);
}

static bool holds(const uint8_t *bytes, size_t len)
{
	DFS_AUTO(mem) uint8_t *got = NULL;
	DFS_AUTO(fd) int fd = open("tune", O_RDONLY);

	CHECK(fd >= 0);
	return files_read(fd, &got) == len && !memcmp(got, bytes, len);
}

struct counts {
	unsigned n, of[3];	/* by outcome */
};

static void count(void *arg, const struct dfs_finding *finding)
{
	struct counts *counts = arg;

	CHECK(*finding->path && *finding->what && *finding->then);
	counts->n++;
	counts->of[finding->outcome]++;
}

static struct counts check(struct fixture *f, enum dfs_check_repair repair, bool full)
{
	struct counts counts = { 0 };
	struct dfs_check check = {
		.store = f->store, .bases = f->bases, .repair = repair, .full = full, .found = count, .arg = &counts,
	};
	struct dfs_err err = { "" };

	CHECK_OK(dfs_check_state(&check, &err), err);
	CHECK_OK(dfs_check_models(&check, &err), err);
	CHECK_OK(dfs_check_tree(&check, full ? f->reader : NULL, NULL, &err), err);
	CHECK_OK(dfs_check_pins(&check, &err), err);
	dfs_check_end(&check);
	return counts;
}

/* The container with these bytes, whatever was done to it. */
static void damaged(struct fixture *f, const uint8_t *bytes, size_t len)
{
	bool right, mended;
	struct counts looked, repaired;

	put("tune", bytes, len);
	right = reads_right(f);
	looked = check(f, DFS_REPAIR_NONE, false);
	CHECK(looked.n > 0 && looked.of[DFS_CHECK_REPAIRED] == 0);
	CHECK(holds(bytes, len));
	repaired = check(f, DFS_REPAIR_ALL, false);
	CHECK(repaired.n == looked.n && repaired.of[DFS_CHECK_REPAIRED] == looked.of[DFS_CHECK_REPAIRABLE]);
	mended = repaired.of[DFS_CHECK_REPAIRED] > 0;
	CHECK(mended ? holds(f->bytes, f->len) : holds(bytes, len));
	CHECK(!right || reads_right(f));
	CHECK(check(f, DFS_REPAIR_ALL, false).n == (mended ? 0 : looked.n));
}

static void a_whole_store_has_no_finding(void **state)
{
	struct fixture f = { 0 };
	(void)state;

	given_a_store(&f);
	CHECK(reads_right(&f));
	CHECK_RET(0, check(&f, DFS_REPAIR_NONE, false).n);
	CHECK_RET(0, check(&f, DFS_REPAIR_ALL, true).n);
	CHECK(holds(f.bytes, f.len));
	done(&f);
}

static void any_flipped_bit_is_found_and_mended_or_left(void **state)
{
	struct fixture f = { 0 };
	/* each mended one is synced: every bit takes a disk a minute, and three does not divide the bits of a byte */
	size_t step = getenv("DFS_FULL") && *getenv("DFS_FULL") ? 1 : 3;
	uint8_t *bad;
	(void)state;

	given_a_store(&f);
	bad = malloc(f.len);
	CHECK(bad);
	memcpy(bad, f.bytes, f.len);
	for (size_t bit = 0; bit < 8 * f.len; bit += step) {
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		damaged(&f, bad, f.len);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(bad);
	put("tune", f.bytes, f.len);
	CHECK_RET(0, check(&f, DFS_REPAIR_NONE, true).n);
	done(&f);
}

static void any_truncation_is_found_and_mended_or_left(void **state)
{
	struct fixture f = { 0 };
	(void)state;

	given_a_store(&f);
	/* of a file without a mark nothing but its first bytes tells what it was */
	for (size_t len = f.marked ? 0 : DFS_MAGIC_SIZE; len < f.len; len++)
		damaged(&f, f.bytes, len);
	done(&f);
}

static const struct CMUnitTest cases[] = {
	CASE(a_whole_store_has_no_finding),
	CASE(any_flipped_bit_is_found_and_mended_or_left),
	CASE(any_truncation_is_found_and_mended_or_left),
};

CHECK_MAIN(cases)
