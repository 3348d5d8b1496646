/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode: what it promises of any file, and what it does when somebody interferes. */
#include "files.h"

#include "store/claim.h"
#include "write/decode.h"
#include "write/verify.h"

static int encode(int in_fd, int out_fd, const struct dfs_model *base, unsigned threads,
		  struct dfs_encode_result *result, struct dfs_err *err)
{
	struct dfs_encode_config config = { .base = base, .threads = threads };

	CHECK(ftruncate(out_fd, 0) == 0);
	return dfs_encode(in_fd, "file", out_fd, &config, result, err);
}

/* The container of @in_fd decodes to it; @base_fd < 0: alone. */
static void check_round_trip(int in_fd, int base_fd, struct dfs_encode_result *result)
{
	struct dfs_model *base = base_fd >= 0 ? files_open_model(base_fd) : NULL;
	struct files_reader r = files_reader_new(base_fd);
	struct dfs_decode_config decode = { .reader = r.reader };
	struct dfs_verify_config verify = { .reader = r.reader };
	struct dfs_err err = { "" };
	int out_fd = files_memory("container"), back_fd = files_memory("back");

	CHECK_OK(encode(in_fd, out_fd, base, 2, result, &err), err);
	CHECK_OK(dfs_verify_same(out_fd, "file", in_fd, &verify, &err), err);
	CHECK_OK(dfs_verify_full(out_fd, "file", &verify, &err), err);
	CHECK_OK(dfs_verify_fast(out_fd, "file", &verify, &err), err);
	CHECK_OK(dfs_decode(out_fd, "file", back_fd, &decode, &err), err);
	CHECK(files_same(in_fd, back_fd));
	close(out_fd);
	close(back_fd);
	files_reader_free(&r);
	dfs_model_free(base);
}

static void every_small_size_comes_back(void **state)
{
	uint64_t random = 1;
	(void)state;

	for (size_t size = 0; size < 300; size += size < 20 ? 1 : 37) {
		struct dfs_encode_result result;
		int fd = files_memory("bytes");

		for (size_t i = 0; i < size; i++) {
			uint8_t byte = (uint8_t)files_random(&random);

			files_append(fd, &byte, 1);
		}
		check_round_trip(fd, -1, &result);
		CHECK(result.original_bytes == size);
		CHECK(!result.shrunk);
		close(fd);
	}
}

static void a_fine_tune_shrinks_and_comes_back(void **state)
{
	int base_fd = files_model(700, 333, files_weight, 5), fd = files_model(700, 333, files_tuned, 5);
	struct dfs_encode_result result;
	(void)state;

	check_round_trip(fd, base_fd, &result);
	CHECK(result.shrunk);
	/* log2(3) = 1.585 bits of 16, and a frame. */
	CHECK(result.stored_bytes * 16 < result.original_bytes * 1.70 + 16 * 2048);
	check_round_trip(fd, -1, &result);
	CHECK(result.shrunk);
	close(fd);
	close(base_fd);
}

static void grown_rows_are_coded_alone(void **state)
{
	int base_fd = files_model(300, 256, files_weight, 5), fd = files_model(320, 256, files_tuned, 5);
	struct dfs_encode_result result;
	(void)state;

	check_round_trip(fd, base_fd, &result);
	CHECK(result.stored_bytes * 5 < result.original_bytes);
	close(fd);
	close(base_fd);
}

static void the_bytes_do_not_depend_on_threads(void **state)
{
	int base_fd = files_model(2000, 777, files_weight, 9), fd = files_model(2003, 777, files_tuned, 9);
	int want = files_memory("want"), got = files_memory("got");
	struct dfs_model *base = files_open_model(base_fd);
	struct dfs_encode_result result;
	struct dfs_err err = { "" };
	(void)state;

	CHECK_OK(encode(fd, want, base, 1, &result, &err), err);
	for (unsigned threads = 2; threads < 20; threads += 5) {
		CHECK_OK(encode(fd, got, base, threads, &result, &err), err);
		CHECK(files_same(want, got));
	}
	dfs_model_free(base);
	close(want);
	close(got);
	close(fd);
	close(base_fd);
}

static void the_result_is_what_the_superblocks_say(void **state)
{
	int fd = files_model(100, 100, files_weight, 3), out = files_memory("container");
	struct dfs_superblock head, tail;
	struct dfs_encode_result result;
	struct dfs_err err = { "" };
	uint8_t *bytes, *plain;
	size_t len, plain_len;
	(void)state;

	CHECK_OK(encode(fd, out, NULL, 1, &result, &err), err);
	len = files_read(out, &bytes);
	plain_len = files_read(fd, &plain);
	CHECK(len == result.stored_bytes);
	CHECK_OK(dfs_superblock_unpack(bytes, &head, &err), err);
	CHECK_OK(dfs_superblock_unpack(bytes + len - DFS_SUPERBLOCK_SIZE, &tail, &err), err);
	CHECK_BYTES(bytes, bytes + len - DFS_SUPERBLOCK_SIZE, DFS_SUPERBLOCK_SIZE);
	CHECK(head.original_size == plain_len && head.container_size == len);
	CHECK(dfs_hash_equal(head.shown_hash, dfs_hash128(plain, plain_len)));
	CHECK(dfs_hash_equal(head.source_hash, head.shown_hash));
	free(bytes);
	free(plain);
	close(fd);
	close(out);
}

/* Called from encode: interferes once. */
struct interference {
	void (*act)(int fd);
	int fd;
	bool done;
};

static bool interfere(void *arg, uint64_t done, uint64_t total)
{
	struct interference *i = arg;

	CHECK(done <= total);
	if (!i->done && i->act)
		i->act(i->fd);
	i->done = true;
	return i->act != NULL;
}

static void append_a_byte(int fd)
{
	CHECK(pwrite(fd, "x", 1, lseek(fd, 0, SEEK_END)) == 1);
}

static void cut_it_short(int fd)
{
	CHECK(ftruncate(fd, 1000) == 0);
}

static int encode_with(void (*act)(int fd))
{
	int fd = files_model(500, 500, files_weight, 3), out = files_memory("container");
	struct interference interference = { act, fd, false };
	struct dfs_encode_config config = {
		.threads = 2, .progress = interfere, .progress_arg = &interference,
	};
	struct dfs_encode_result result;
	struct dfs_err err = { "" };
	int ret;

	/* The times of a file that was just made could not tell a change within the same tick. */
	CHECK(futimens(fd, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }) == 0);
	ret = dfs_encode(fd, "file", out, &config, &result, &err);
	CHECK(interference.done);
	CHECK(ret == 0 || err.text[0]);
	close(fd);
	close(out);
	return ret;
}

static void a_file_that_changes_meanwhile_is_refused(void **state)
{
	(void)state;

	CHECK_RET(-ESTALE, encode_with(append_a_byte));
	CHECK_RET(-ESTALE, encode_with(cut_it_short));
}

static void progress_may_cancel(void **state)
{
	(void)state;

	CHECK_RET(-ECANCELED, encode_with(NULL));
}

static void a_base_that_cannot_be_read_is_named(void **state)
{
	int base_fd = files_model(500, 500, files_weight, 5), fd = files_model(500, 500, files_tuned, 5);
	int out = files_memory("container");
	struct dfs_model *base = files_open_model(base_fd);
	struct dfs_encode_result result;
	struct dfs_err err = { "" };
	(void)state;

	CHECK(ftruncate(base_fd, 1000) == 0);
	CHECK_RET(-EIO, encode(fd, out, base, 2, &result, &err));
	CHECK(strstr(err.text, base->files[0].path));
	dfs_model_free(base);
	close(fd);
	close(base_fd);
	close(out);
}

static void an_output_that_cannot_be_written_is_an_error(void **state)
{
	int fd = files_model(300, 300, files_weight, 3), out = files_memory("container");
	struct dfs_encode_config config = { .threads = 2 };
	struct dfs_encode_result result;
	struct dfs_err err = { "" };
	char path[64];
	int read_only;
	(void)state;

	/* A descriptor that cannot be written to: the first pwrite fails. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", out);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(read_only >= 0);
	CHECK_RET(-EBADF, dfs_encode(fd, "file", read_only, &config, &result, &err));
	close(read_only);
	close(fd);
	close(out);
}

static void what_is_no_file_and_what_is_no_codec_are_refused(void **state)
{
	struct dfs_encode_config config = { .codec = "exakt" };
	struct dfs_encode_result result;
	struct dfs_err err = { "" };
	int fd = files_memory("file"), pipes[2];
	(void)state;

	CHECK_RET(-EINVAL, dfs_encode(fd, "file", fd, &config, &result, &err));
	config.codec = NULL;
	CHECK(pipe(pipes) == 0);
	CHECK_RET(-EINVAL, dfs_encode(pipes[0], "pipe", fd, &config, &result, &err));
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(every_small_size_comes_back),
	cmocka_unit_test(a_fine_tune_shrinks_and_comes_back),
	cmocka_unit_test(grown_rows_are_coded_alone),
	cmocka_unit_test(the_bytes_do_not_depend_on_threads),
	cmocka_unit_test(the_result_is_what_the_superblocks_say),
	cmocka_unit_test(a_file_that_changes_meanwhile_is_refused),
	cmocka_unit_test(progress_may_cancel),
	cmocka_unit_test(a_base_that_cannot_be_read_is_named),
	cmocka_unit_test(an_output_that_cannot_be_written_is_an_error),
	cmocka_unit_test(what_is_no_file_and_what_is_no_codec_are_refused),
};

CHECK_MAIN(cases)
