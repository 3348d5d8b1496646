/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text: see text.h. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/auto.h"
#include "util/log.h"

char *ctl_bytes(char text[CTL_BYTES_LEN], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	while (value >= 999.5 && unit < 5) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(text, CTL_BYTES_LEN, "%u bytes", (unsigned)bytes);
	else
		snprintf(text, CTL_BYTES_LEN, "%.*f %ciB", value < 99.95 ? 1 : 0, value, units[unit]);
	return text;
}

double ctl_ratio(uint64_t original, uint64_t stored)
{
	return stored ? (double)original / (double)stored : 0;
}

json_t *ctl_string(const char *text)
{
	json_t *json = json_string(text);
	char *shown, *to;

	if (json)
		return json;
	shown = to = malloc(4 * strlen(text) + 1);
	if (!shown)
		return NULL;
	for (; *text; text++)
		if (*text & 0x80)
			to += snprintf(to, 5, "\\x%02X", (unsigned char)*text);
		else
			*to++ = *text;
	*to = '\0';
	json = json_string(shown);
	free(shown);
	return json;
}

void ctl_put_line(FILE *to, const char *fmt, va_list args)
{
	DFS_AUTO(mem) char *text = NULL;
	DFS_AUTO(mem) char *shown = NULL;
	size_t room;

	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		return;
	}
	room = 4 * strlen(text) + 6;
	shown = malloc(room);
	if (!shown)
		return;
	dfs_log_escape(text, shown, room);
	fprintf(to, "%s\n", shown);
	fflush(to);
}
