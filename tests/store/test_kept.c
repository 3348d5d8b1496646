/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_kept: records, and what is in .deltafs/kept after each step that a crash can follow. */
#include "given.h"

#include <inttypes.h>

#include "store/kept.h"

static struct dfs_store *given_store(void)
{
	struct dfs_store *store;
	struct dfs_err err;

	CHECK_OK(dfs_store_open(".", false, &store, &err), err);
	CHECK_OK(dfs_store_prepare(store, &err), err);
	return store;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static ino_t number_of(const char *path)
{
	struct stat st;

	CHECK(lstat(path, &st) == 0);
	return st.st_ino;
}

/* --- records */

static struct dfs_kept sample(const char *path)
{
	return (struct dfs_kept){
		.id = "0123456789abcdef", .path = (char *)path, .at_s = 1796029200, .until_s = 1796634000,
		.bytes = UINT64_MAX, .mode = 04755, .original = { 12, 34 }, .files = { { 56, 78 }, { 0 } },
	};
}

static void is_read_as_it_was_written(const struct dfs_kept *kept)
{
	DFS_AUTO(buf) struct dfs_buf text = { 0 };
	DFS_AUTO(kept) struct dfs_kept back = { 0 };

	CHECK_RET(0, dfs_kept_pack(kept, &text));
	CHECK_RET(0, dfs_kept_unpack(kept->id, text.data, text.len, &back));
	CHECK(strcmp(back.path, kept->path) == 0 && strcmp(back.id, kept->id) == 0);
	CHECK(back.at_s == kept->at_s && back.until_s == kept->until_s && back.bytes == kept->bytes && back.mode == kept->mode);
	CHECK(dfs_hash_equal(back.hash, kept->hash));
	CHECK_BYTES(&back.original, &kept->original, sizeof(back.original));
	CHECK_BYTES(back.files, kept->files, sizeof(back.files));
}

static void a_record_is_read_as_it_was_written(void **state)
{
	static const char *const paths[] = { "a", "a/b c.safetensors", "new\nline", "path path ", "\xff\xfe", "a\n0123456789abcdef\n" };
	struct dfs_kept kept;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		kept = sample(paths[i]);
		is_read_as_it_was_written(&kept);
	}
	kept.until_s = DFS_KEPT_MANUAL;
	kept.hash = dfs_hash128("original", 8);
	kept.files[1] = (struct dfs_file_id){ UINT64_MAX, 0 };
	is_read_as_it_was_written(&kept);
}

/* As they were written before records had a hash. */
static void a_record_of_version_1_is_read(void **state)
{
	static const char lines[] = "deltafs kept 1\nat 1796029200\nuntil manual\nbytes 5\nmode 0640\noriginal 12 34\nfile 56 78\npath a/b\n";
	char text[sizeof(lines) + 32];
	DFS_AUTO(kept) struct dfs_kept back = { 0 };

	(void)state;
	snprintf(text, sizeof(text), "%s%016" PRIx64 "\n", lines, dfs_hash64(lines, strlen(lines), 0));
	CHECK_RET(0, dfs_kept_unpack("0123456789abcdef", text, strlen(text), &back));
	CHECK(back.bytes == 5 && back.mode == 0640 && strcmp(back.path, "a/b") == 0 && dfs_hash_is_zero(back.hash));
}

static void an_original_is_what_was_kept_or_it_is_said(void **state)
{
	const struct dfs_hash none = { { 0 } }, hash = dfs_hash128("plain", 5);
	struct dfs_err err;
	int fd;

	(void)state;
	put_text("file", "plain");
	fd = open("file", O_RDONLY);
	CHECK(fd >= 0);
	CHECK_RET(0, dfs_kept_check(fd, 5, hash, NULL, NULL, &err));
	CHECK_RET(0, dfs_kept_check(fd, 5, none, NULL, NULL, &err));
	CHECK_RET(-EUCLEAN, dfs_kept_check(fd, 6, none, NULL, NULL, &err));
	CHECK(strstr(err.text, "5 bytes, not 6"));
	put_text("file", "plaim");
	CHECK_RET(0, dfs_kept_check(fd, 5, none, NULL, NULL, &err));
	CHECK_RET(-EUCLEAN, dfs_kept_check(fd, 5, hash, NULL, NULL, &err));
	CHECK(strstr(err.text, "not what was kept"));
	close(fd);
}

static void no_record_that_is_damaged_is_believed(void **state)
{
	DFS_AUTO(buf) struct dfs_buf text = { 0 };
	struct dfs_kept kept = sample("a/b"), back;

	(void)state;
	kept.hash = dfs_hash128("original", 8);
	CHECK_RET(0, dfs_kept_pack(&kept, &text));
	for (size_t len = 0; len < text.len; len++)
		CHECK_RET(-EUCLEAN, dfs_kept_unpack(kept.id, text.data, len, &back));
	for (size_t bit = 0; bit < text.len * 8; bit++) {
		text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(dfs_kept_unpack(kept.id, text.data, text.len, &back) < 0);
		text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void a_time_is_told_in_utc(void **state)
{
	char text[DFS_KEPT_UNTIL_LEN];

	(void)state;
	CHECK(strcmp(dfs_kept_until_text(1803902400, text), "2027-03-01T12:00:00Z") == 0);
	CHECK(strcmp(dfs_kept_until_text(DFS_KEPT_MANUAL, text), "manual") == 0);
}

/* --- one original, and what takes its name */

struct given {
	struct dfs_store *store;
	struct dfs_kept kept;
	struct stat st;
	int fd, new_fd;
	char original[DFS_KEPT_PATH_SIZE], record[DFS_KEPT_PATH_SIZE];
};

/* "file" is to be replaced by "new". */
static void begin(struct given *g)
{
	struct dfs_err err;

	*g = (struct given){ .store = given_store(), .kept = { .path = strdup("file"), .until_s = DFS_KEPT_MANUAL, .bytes = 5, .mode = 0644 } };
	put_text("file", "plain");
	put_text("new", "small");
	g->fd = open("file", O_RDONLY);
	g->new_fd = open("new", O_RDONLY);
	CHECK(g->fd >= 0 && g->new_fd >= 0 && fstat(g->fd, &g->st) == 0);
	CHECK_OK(dfs_kept_begin(&g->kept, g->fd, &err), err);
	CHECK_RET(0, dfs_file_id_of(g->new_fd, &g->kept.files[0]));
	dfs_kept_path(g->kept.id, g->original);
	dfs_kept_record_path(g->kept.id, g->record);
}

static void make(struct given *g)
{
	struct dfs_err err;

	CHECK_OK(dfs_kept_make(g->store, &g->kept, g->fd, &g->st, NULL, &err), err);
}

static void end(struct given *g)
{
	close(g->fd);
	close(g->new_fd);
	dfs_kept_release(&g->kept);
	dfs_store_close(g->store);
}

static void take_its_name(void)
{
	CHECK(rename("new", "file") == 0);
}

static void the_original_is_the_very_file(void **state)
{
	struct given g;
	ino_t before;

	(void)state;
	begin(&g);
	before = number_of("file");
	make(&g);
	CHECK(g.st.st_nlink == 2 && number_of(g.original) == before);
	take_its_name();
	CHECK(dfs_kept_look(g.store, &g.kept, NULL) == DFS_KEPT_THERE);
	CHECK(number_of(g.original) == before && exists(g.record));
	CHECK(dfs_kept_tidy(g.store) == 0 && exists(g.original) && exists(g.record));
	end(&g);
}

static void what_changed_meanwhile_is_not_kept(void **state)
{
	struct dfs_err err;
	struct given g;

	(void)state;
	begin(&g);
	put_text("file", "other");
	CHECK_RET(-ESTALE, dfs_kept_make(g.store, &g.kept, g.fd, &g.st, NULL, &err));
	CHECK(!exists(g.original) && !exists(g.record));
	end(&g);
}

static void a_crash_before_the_link_leaves_a_record_that_goes(void **state)
{
	struct dfs_err err;
	struct given g;

	(void)state;
	begin(&g);
	CHECK_OK(dfs_kept_write(g.store, &g.kept, &err), err);
	CHECK(dfs_kept_look(g.store, &g.kept, NULL) == DFS_KEPT_GONE);
	CHECK(dfs_kept_tidy(g.store) == 1 && !exists(g.record) && exists("file"));
	end(&g);
}

static void a_crash_before_the_rename_leaves_the_file_with_one_name(void **state)
{
	struct given g;
	struct stat st;

	(void)state;
	begin(&g);
	make(&g);
	CHECK(dfs_kept_look(g.store, &g.kept, NULL) == DFS_KEPT_NOT_YET);
	CHECK(dfs_kept_tidy(g.store) == 1 && !exists(g.original) && !exists(g.record));
	CHECK(stat("file", &st) == 0 && st.st_nlink == 1 && st.st_size == 5);
	end(&g);
}

/* What nobody may guess: neither the file nor the original is touched. */
static void what_was_moved_or_removed_is_left_to_who_looks_for_it(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	make(&g);
	take_its_name();
	CHECK(rename("file", "elsewhere") == 0);
	CHECK(dfs_kept_look(g.store, &g.kept, NULL) == DFS_KEPT_ASTRAY);
	CHECK(dfs_kept_tidy(g.store) == 0 && exists(g.original) && exists(g.record));
	put_text("file", "nobody's");
	CHECK(dfs_kept_look(g.store, &g.kept, NULL) == DFS_KEPT_ASTRAY && dfs_kept_tidy(g.store) == 0);
	end(&g);
}

static void a_crash_while_it_goes_leaves_a_record_that_goes(void **state)
{
	struct dfs_err err;
	struct given g;

	(void)state;
	begin(&g);
	make(&g);
	take_its_name();
	CHECK(unlink(g.original) == 0);
	CHECK(dfs_kept_tidy(g.store) == 1 && !exists(g.record) && exists("file"));
	CHECK_OK(dfs_kept_let_go(g.store, g.kept.id, &err), err);
	end(&g);
}

static void a_crash_while_it_comes_back_leaves_a_record_that_goes(void **state)
{
	struct given g;
	ino_t before;

	(void)state;
	begin(&g);
	before = number_of("file");
	make(&g);
	take_its_name();
	CHECK(rename(g.original, "file") == 0);
	CHECK(dfs_kept_tidy(g.store) == 1 && !exists(g.record) && number_of("file") == before);
	end(&g);
}

/* cp -al: the store's own files have other links then. */
static void a_snapshot_by_links_takes_nothing_from_the_store(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	make(&g);
	take_its_name();
	CHECK(link(g.original, "snapshot-of-the-original") == 0 && link("file", "snapshot") == 0);
	CHECK(dfs_kept_look(g.store, &g.kept, NULL) == DFS_KEPT_THERE && dfs_kept_tidy(g.store) == 0 && exists(g.original));
	end(&g);
}

/* --- whose it is */

static void copy(const char *from, const char *to)
{
	char command[2 * PATH_MAX + 16];

	snprintf(command, sizeof(command), "cp -a '%s' '%s'", from, to);
	CHECK(system(command) == 0);
}

static int find(struct given *g, const char *path)
{
	DFS_AUTO(kept) struct dfs_kept found = { 0 };
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);

	CHECK(fd >= 0);
	return dfs_kept_find(g->store, fd, path, &found);
}

static void it_follows_a_rename_and_not_a_copy(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	make(&g);
	take_its_name();
	CHECK_RET(1, find(&g, "file"));
	CHECK(rename("file", "moved") == 0);
	copy("moved", "file");
	CHECK_RET(1, find(&g, "moved"));
	CHECK_RET(0, find(&g, "file"));
	end(&g);
}

/* Every inode is another there: what lies at its path, plain and of its size, is what it is kept for. */
static void a_store_that_was_copied_goes_by_paths(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	make(&g);
	take_its_name();
	copy(g.original, "x");
	copy("file", "y");
	CHECK(rename("x", g.original) == 0 && rename("y", "file") == 0);
	CHECK(dfs_kept_look(g.store, &g.kept, NULL) == DFS_KEPT_MOVED);
	CHECK_RET(1, find(&g, "file"));
	CHECK(dfs_kept_tidy(g.store) == 0 && exists(g.original));
	put_text("file", "another size");
	CHECK(dfs_kept_look(g.store, &g.kept, NULL) == DFS_KEPT_ADRIFT);
	CHECK_RET(0, find(&g, "file"));
	CHECK(dfs_kept_tidy(g.store) == 0 && exists(g.original) && exists(g.record));
	end(&g);
}

static void the_list_passes_over_what_makes_no_sense(void **state)
{
	DFS_AUTO(kept_list) struct dfs_kept_list list = { 0 };
	struct given g;

	(void)state;
	begin(&g);
	make(&g);
	take_its_name();
	put_text(".deltafs/kept/0000000000000000.record", "deltafs kept 1\n");
	put_text(".deltafs/kept/hello", "");
	CHECK(symlink("/etc/passwd", ".deltafs/kept/1111111111111111.record") == 0);
	CHECK_RET(0, dfs_kept_list(g.store, &list));
	CHECK(list.n == 1 && list.n_odd == 2 && strcmp(list.kept[0].id, g.kept.id) == 0);
	CHECK(dfs_kept_tidy(g.store) == 0);
	end(&g);
}

static const struct CMUnitTest cases[] = {
	CASE(a_record_is_read_as_it_was_written),
	CASE(a_record_of_version_1_is_read),
	CASE(an_original_is_what_was_kept_or_it_is_said),
	CASE(no_record_that_is_damaged_is_believed),
	CASE(a_time_is_told_in_utc),
	CASE(the_original_is_the_very_file),
	CASE(what_changed_meanwhile_is_not_kept),
	CASE(a_crash_before_the_link_leaves_a_record_that_goes),
	CASE(a_crash_before_the_rename_leaves_the_file_with_one_name),
	CASE(what_was_moved_or_removed_is_left_to_who_looks_for_it),
	CASE(a_crash_while_it_goes_leaves_a_record_that_goes),
	CASE(a_crash_while_it_comes_back_leaves_a_record_that_goes),
	CASE(a_snapshot_by_links_takes_nothing_from_the_store),
	CASE(it_follows_a_rename_and_not_a_copy),
	CASE(a_store_that_was_copied_goes_by_paths),
	CASE(the_list_passes_over_what_makes_no_sense),
};

CHECK_MAIN(cases)
