/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify: a container that is not what it should be is found out, byte by byte. */
#include "files.h"

#include "write/verify.h"

/* A container of a small fine-tune, as bytes, and how to verify changed copies of it. */
struct fixture {
	int base_fd, plain_fd, fd;
	struct files_reader reader;
	struct dfs_encode_result result;
	uint8_t *bytes;
	size_t len;
};

static void given_a_container(struct fixture *f)
{
	struct dfs_encode_config config = { .threads = 1 };
	struct dfs_err err = { "" };
	struct dfs_model *base;

	f->base_fd = files_model(60, 101, files_weight, 5);
	f->plain_fd = files_model(62, 101, files_tuned, 5);
	f->fd = files_memory("container");
	f->reader = files_reader_new(f->base_fd);
	config.base = base = files_open_model(f->base_fd);
	CHECK_OK(dfs_encode(f->plain_fd, "file", f->fd, &config, &f->result, &err), err);
	f->len = files_read(f->fd, &f->bytes);
	dfs_model_free(base);
}

static void done(struct fixture *f)
{
	files_reader_free(&f->reader);
	close(f->base_fd);
	close(f->plain_fd);
	close(f->fd);
	free(f->bytes);
}

static void count_one(void *arg, const struct dfs_err *what)
{
	CHECK(what->text[0]);
	(*(unsigned *)arg)++;
}

static int verify(struct fixture *f, bool fast, unsigned *ret_told)
{
	struct dfs_verify_config config = { .reader = f->reader.reader, .damaged = count_one, .damaged_arg = ret_told };
	struct dfs_err err = { "" };
	int ret;

	*ret_told = 0;
	ret = fast ? dfs_verify_fast(f->fd, "file", &config, &err) : dfs_verify_full(f->fd, "file", &config, &err);
	CHECK(ret == 0 || err.text[0]);
	return ret;
}

static void any_changed_byte_is_found(void **state)
{
	struct fixture f;
	unsigned told;
	(void)state;

	given_a_container(&f);
	CHECK_RET(0, verify(&f, true, &told));
	CHECK_RET(0, verify(&f, false, &told));
	for (size_t at = 0; at < f.len; at++) {
		uint8_t bad = f.bytes[at] ^ 0x10;

		CHECK(pwrite(f.fd, &bad, 1, (off_t)at) == 1);
		CHECK(verify(&f, true, &told) < 0);
		CHECK(verify(&f, false, &told) < 0);
		CHECK(pwrite(f.fd, &f.bytes[at], 1, (off_t)at) == 1);
	}
	CHECK_RET(0, verify(&f, true, &told));
	done(&f);
}

static void any_truncation_is_found(void **state)
{
	struct fixture f;
	unsigned told;
	(void)state;

	given_a_container(&f);
	for (size_t len = 0; len < f.len; len += len < 600 ? 1 : 61) {
		CHECK(ftruncate(f.fd, (off_t)len) == 0);
		CHECK(verify(&f, true, &told) < 0);
		CHECK(verify(&f, false, &told) < 0);
		CHECK(ftruncate(f.fd, 0) == 0);
		CHECK(dfs_pwrite_all(f.fd, f.bytes, f.len, 0) == 0);
	}
	done(&f);
}

static void a_byte_behind_the_end_is_found(void **state)
{
	struct fixture f;
	unsigned told;
	(void)state;

	given_a_container(&f);
	CHECK(ftruncate(f.fd, (off_t)f.len + 1) == 0);
	CHECK(verify(&f, true, &told) < 0 && told == 1);
	CHECK(verify(&f, false, &told) < 0 && told == 1);
	done(&f);
}

static void another_content_is_not_the_same(void **state)
{
	struct fixture f;
	struct dfs_verify_config config;
	struct dfs_err err = { "" };
	uint8_t *plain;
	size_t len;
	(void)state;

	given_a_container(&f);
	config = (struct dfs_verify_config){ .reader = f.reader.reader };
	CHECK_OK(dfs_verify_same(f.fd, "file", f.plain_fd, &config, &err), err);
	len = files_read(f.plain_fd, &plain);
	plain[len - 1] ^= 1;
	CHECK(dfs_pwrite_all(f.plain_fd, plain + len - 1, 1, len - 1) == 0);
	CHECK_RET(-EUCLEAN, dfs_verify_same(f.fd, "file", f.plain_fd, &config, &err));
	CHECK(ftruncate(f.plain_fd, (off_t)len - 1) == 0);
	CHECK(dfs_verify_same(f.fd, "file", f.plain_fd, &config, &err) < 0);
	free(plain);
	done(&f);
}

static void a_plain_file_is_no_container(void **state)
{
	struct fixture f;
	struct dfs_verify_config config;
	struct dfs_err err = { "" };
	(void)state;

	given_a_container(&f);
	config = (struct dfs_verify_config){ .reader = f.reader.reader };
	CHECK_RET(-EUCLEAN, dfs_verify_full(f.plain_fd, "file", &config, &err));
	CHECK_RET(-EUCLEAN, dfs_verify_fast(f.plain_fd, "file", &config, &err));
	CHECK_RET(-EUCLEAN, dfs_verify_same(f.plain_fd, "file", f.plain_fd, &config, &err));
	done(&f);
}

static void damaged_payloads_are_told_one_by_one(void **state)
{
	struct fixture f;
	uint8_t bad;
	unsigned told;
	(void)state;

	given_a_container(&f);
	/* The first payload, which is the header's, and the last one's last byte. */
	bad = f.bytes[DFS_SUPERBLOCK_SIZE] ^ 1;
	CHECK(pwrite(f.fd, &bad, 1, DFS_SUPERBLOCK_SIZE) == 1);
	bad = f.bytes[f.result.sb.meta_off - 1] ^ 1;
	CHECK(pwrite(f.fd, &bad, 1, (off_t)f.result.sb.meta_off - 1) == 1);
	CHECK_RET(-EUCLEAN, verify(&f, true, &told));
	CHECK(told == 2);
	CHECK_RET(-EUCLEAN, verify(&f, false, &told));
	CHECK(told == 2);
	done(&f);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(any_changed_byte_is_found),
	cmocka_unit_test(any_truncation_is_found),
	cmocka_unit_test(a_byte_behind_the_end_is_found),
	cmocka_unit_test(another_content_is_not_the_same),
	cmocka_unit_test(a_plain_file_is_no_container),
	cmocka_unit_test(damaged_payloads_are_told_one_by_one),
};

CHECK_MAIN(cases)
