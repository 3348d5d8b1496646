/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text: see text.h. */
#include "text.h"

#include <stdio.h>

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
