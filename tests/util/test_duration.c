/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_duration: a number and its unit, and nothing else. */
#include "../check.h"

#include <errno.h>

#include "util/duration.h"

static void each_unit_has_its_seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} durations[] = {
		{ "1s", 1 }, { "90s", 90 }, { "30m", 1800 }, { "12h", 43200 }, { "7d", 604800 }, { "2w", 1209600 },
		{ "007d", 604800 }, { "3650d", 315360000 }, { "315360000s", 315360000 }, { "521w", 315100800 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		int64_t seconds = -1;

		CHECK_RET(0, dfs_duration_parse(durations[i].text, &seconds));
		CHECK(seconds == durations[i].seconds);
	}
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "7", "d", "d7", "7 d", " 7d", "7d ", "7dd", "7D", "7y", "-7d", "+7d", "1.5h", "0x7d", "1d12h", "manual", "7\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t seconds = -1;

		CHECK_RET(-EINVAL, dfs_duration_parse(texts[i], &seconds));
		CHECK(seconds == -1);
	}
}

static void none_and_more_than_ten_years_are_out_of_range(void **state)
{
	static const char *const texts[] = {
		"0s", "0w", "315360001s", "3651d", "522w", "999999999999w", "99999999999999999999999d",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t seconds = -1;

		CHECK_RET(-ERANGE, dfs_duration_parse(texts[i], &seconds));
		CHECK(seconds == -1);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(each_unit_has_its_seconds),
	cmocka_unit_test(what_makes_no_sense_is_refused),
	cmocka_unit_test(none_and_more_than_ten_years_are_out_of_range),
};

CHECK_MAIN(cases)
