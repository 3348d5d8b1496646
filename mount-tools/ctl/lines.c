/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lines.h"

#include <inttypes.h>
#include <stdarg.h>

#include "util/log.h"

void ctl_line(struct ctl_lines *lines, const char *fmt, ...)
{
	char text[2048], shown[4 * sizeof(text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	dfs_log_escape(text, shown, sizeof(shown));
	/* Of bytes, which are no fewer than columns. */
	fprintf(lines->out, "%.*s\n", lines->width ? lines->width - 1 : (int)sizeof(shown), shown);
	lines->n++;
}

char *ctl_duration(char text[CTL_DURATION_LEN], uint64_t seconds)
{
	if (seconds >= 3600)
		snprintf(text, CTL_DURATION_LEN, "%" PRIu64 ":%02u:%02u", seconds / 3600, (unsigned)(seconds / 60 % 60),
			 (unsigned)(seconds % 60));
	else
		snprintf(text, CTL_DURATION_LEN, "%u:%02u", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
	return text;
}
