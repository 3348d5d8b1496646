/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rest: what is finished, what is not yet, what never will be; and the list of reasons. */
#include <sys/socket.h>
#include <sys/un.h>

#include "../store/given.h"
#include "write/classify.h"
#include "write/rest.h"

/* Of the last check. */
static struct dfs_reason why;
static struct dfs_err said;

static int check(const char *rel)
{
	DFS_AUTO(store) struct dfs_store *store = open_store(".");

	said.text[0] = '\0';
	return dfs_rest_check(store, rel, &why, &said);
}

#define CHECK_WHY(ret, reason, rel)					\
	do {								\
		CHECK_RET(ret, check(rel));				\
		assert_string_equal(dfs_reason_word(why.id), reason);	\
	} while (0)

static void a_whole_model_is_at_rest(void **state)
{
	(void)state;
	put_model("dir/model.safetensors", 1, 1000);
	put_model("0123abcd", 1, 0); /* a name of a hub's blob, and a tensor of nothing */
	CHECK_WHY(0, "none", "dir/model.safetensors");
	CHECK_WHY(0, "none", "0123abcd");
}

/* Cut anywhere it is not complete, and says by how much once its header is whole. */
static void a_model_that_is_cut_is_not_complete(void **state)
{
	uint8_t bytes[8192];
	size_t len = model_bytes(bytes, sizeof(bytes), 1, 200);

	(void)state;
	for (size_t cut = 1; cut < len; cut++) {
		put("m", bytes, cut);
		if (cut < 9) /* not even a brace */
			CHECK_WHY(-EINVAL, "not-safetensors", "m");
		else
			CHECK_WHY(-EAGAIN, "incomplete", "m");
		if (cut >= len - 200)
			CHECK(why.number == len - cut);
	}
	/* as "ftruncate first, data later" leaves it, header and all still to come */
	CHECK(truncate("m", 0) == 0 && truncate("m", (off_t)len) == 0);
	CHECK_WHY(-EINVAL, "not-safetensors", "m");
	/* one byte too many is no model either, and none to wait for */
	put("m", bytes, len + 1);
	CHECK_WHY(-EINVAL, "not-safetensors", "m");
	CHECK(strstr(why.detail, "200"));
}

static void partial_names_are_not_at_rest_whatever_they_hold(void **state)
{
	static const char *const names[] = {
		"d/x.incomplete", "x.part", "x.partial", "x.filepart", "x.crdownload", "x.download", "x.tmp",
		"x.safetensors.aria2", "d/.tmpAbC123", ".model.safetensors.x7Gh2K",
	};
	static const char *const others[] = { "d/tmp", "xtmp", ".tmpAbC12", "d.part/x", "d.incomplete/model.safetensors" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		put_model(names[i], 1, 10);
		CHECK_WHY(-EAGAIN, "partial-name", names[i]);
		CHECK(dfs_reason_again_ms(why.id, 0) == 0);
		unlink(names[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		put_model(others[i], 1, 10);
		CHECK_WHY(0, "none", others[i]);
	}
}

static void a_sibling_of_aria2_is_waited_for(void **state)
{
	char name[NAME_MAX + 1];

	(void)state;
	put_model("d/m.safetensors", 1, 10);
	put_text("d/m.safetensors.aria2", "");
	CHECK_WHY(-EAGAIN, "aria2", "d/m.safetensors");
	CHECK(dfs_reason_again_ms(why.id, 0) > 0);
	CHECK(unlink("d/m.safetensors.aria2") == 0 && symlink("nowhere", "d/m.safetensors.aria2") == 0);
	CHECK_WHY(-EAGAIN, "aria2", "d/m.safetensors");
	CHECK(unlink("d/m.safetensors.aria2") == 0);
	CHECK_WHY(0, "none", "d/m.safetensors");
	/* no room for a suffix: no sibling */
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	put_model(name, 1, 10);
	CHECK_WHY(0, "none", name);
}

static void what_is_no_model_is_left_alone(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	DFS_AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	uint8_t huge[16] = { 0 };

	(void)state;
	put_text("text", "Some text that is longer than a length and a brace.");
	put_text("empty", "");
	put_text("short", "abc");
	CHECK(mkdir("dir", 0755) == 0 && mkfifo("fifo", 0644) == 0 && symlink("text", "link") == 0);
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK_WHY(-EINVAL, "not-safetensors", "text");
	CHECK_WHY(-EINVAL, "not-safetensors", "short");
	CHECK_WHY(-EINVAL, "empty", "empty");
	CHECK_WHY(-EINVAL, "not-regular", "dir");
	CHECK_WHY(-EINVAL, "not-regular", "fifo");
	CHECK_WHY(-EINVAL, "not-regular", "link");
	CHECK_WHY(-EINVAL, "not-regular", "socket");
	/* a header of 40 MB, beyond what is read */
	dfs_put_u64le(huge, 40u << 20);
	huge[8] = '{';
	put("huge", huge, sizeof(huge));
	CHECK(truncate("huge", 50 << 20) == 0);
	CHECK_WHY(-EINVAL, "header-limits", "huge");
}

static void containers_are_compressed_already(void **state)
{
	(void)state;
	put_container("c", 1000, NULL, 0, NULL);
	CHECK_WHY(-EINVAL, "compressed", "c");
	CHECK(truncate("c", 100) == 0);
	CHECK_WHY(-EINVAL, "broken", "c");
	CHECK(why.detail[0]);
}

static void what_is_gone_or_unreadable_is_an_error(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = open_store(".");

	(void)state;
	CHECK_RET(-ENOENT, check("nothing"));
	CHECK_SAYS(said, "nothing");
	put_text("file", "x");
	CHECK_RET(-ENOTDIR, check("file/below"));
	CHECK_RET(-EXDEV, check("../outside"));
	/* nobody wants to know why */
	CHECK_RET(-EINVAL, dfs_rest_check(store, "file", NULL, NULL));
}

/* --- reasons */

static void sentences_hold_what_is_known(void **state)
{
	static const struct {
		enum dfs_reason_id id;
		uint64_t number;
		const char *detail, *text;
	} rows[] = {
		{ DFS_REASON_NO_BASE, 0, NULL, "no base with these names" },
		{ DFS_REASON_NO_GAIN, 97, NULL, "would not shrink: 97 %" },
		{ DFS_REASON_OPEN, 12, NULL, "still open by pid 12" },
		{ DFS_REASON_OPEN, 0, NULL, "still open" },
		{ DFS_REASON_SHARDS, 0, "3,4", "waiting for shards 3,4" },
		{ DFS_REASON_ROOM, 14000000000, NULL, "waiting for room: needs 14 GB" },
		{ DFS_REASON_ROOM, 1400000, NULL, "waiting for room: needs 1.4 MB" },
		{ DFS_REASON_ROOM, 999999, NULL, "waiting for room: needs 1.0 MB" },
		{ DFS_REASON_ROOM, 999, NULL, "waiting for room: needs 999 B" },
		{ DFS_REASON_ROOM, UINT64_MAX, NULL, "waiting for room: needs 18 EB" },
		{ DFS_REASON_NOT_SAFETENSORS, 0, NULL, "not safetensors" },
		{ DFS_REASON_BY_HAND, 0, NULL, "decoded by hand" },
		{ DFS_REASON_LINKS, 2, NULL, "several names (hard links): 2" },
		{ (enum dfs_reason_id)12345, 1, "x", "reason 12345 of a newer deltafs" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct dfs_reason reason;

		dfs_reason_set(&reason, rows[i].id, rows[i].number, rows[i].detail);
		assert_string_equal(dfs_reason_text(&reason, text, sizeof(text)), rows[i].text);
		for (size_t room = 1; room < 20; room++) {
			memset(text, 'X', sizeof(text));
			dfs_reason_text(&reason, text, room);
			CHECK(strlen(text) < room && strncmp(text, rows[i].text, strlen(text)) == 0 && text[room] == 'X');
		}
	}
}

static void every_reason_has_a_word_of_its_own_and_a_sentence(void **state)
{
	char text[256], long_detail[500];
	struct dfs_reason reason;

	(void)state;
	memset(long_detail, 'd', sizeof(long_detail) - 1);
	long_detail[sizeof(long_detail) - 1] = '\0';
	for (unsigned id = 1; id < DFS_REASONS; id++) {
		CHECK(strcmp(dfs_reason_word(id), "unknown") != 0);
		for (unsigned other = 0; other < id; other++)
			CHECK(strcmp(dfs_reason_word(id), dfs_reason_word(other)) != 0);
		dfs_reason_set(&reason, id, UINT64_MAX, long_detail);
		CHECK(strcmp(reason.detail + strlen(reason.detail) - 3, "...") == 0);
		CHECK(strlen(dfs_reason_text(&reason, text, sizeof(text))) > 4);
		CHECK(strlen(text) < 250);
	}
	assert_string_equal(dfs_reason_word(DFS_REASONS), "unknown");
	assert_string_equal(dfs_reason_cure(DFS_REASONS), "");
	dfs_reason_set(NULL, DFS_REASON_BASE, 0, NULL);
}

static void later_is_later_each_time(void **state)
{
	unsigned before = 0;

	(void)state;
	for (unsigned tries = 0; tries < 100; tries++) {
		unsigned ms = dfs_reason_again_ms(DFS_REASON_ROOM, tries);

		CHECK(ms >= before && ms >= 1000 && ms <= 600000);
		before = ms;
	}
	CHECK(before == 600000);
	CHECK(dfs_reason_again_ms(DFS_REASON_NO_BASE, 3) == 0);
	CHECK(dfs_reason_again_ms(DFS_REASON_ROOM, UINT32_MAX) == 600000);
}

static const struct CMUnitTest cases[] = {
	CASE(a_whole_model_is_at_rest),
	CASE(a_model_that_is_cut_is_not_complete),
	CASE(partial_names_are_not_at_rest_whatever_they_hold),
	CASE(a_sibling_of_aria2_is_waited_for),
	CASE(what_is_no_model_is_left_alone),
	CASE(containers_are_compressed_already),
	CASE(what_is_gone_or_unreadable_is_an_error),
	cmocka_unit_test(sentences_hold_what_is_known),
	cmocka_unit_test(every_reason_has_a_word_of_its_own_and_a_sentence),
	cmocka_unit_test(later_is_later_each_time),
};

CHECK_MAIN(cases)
