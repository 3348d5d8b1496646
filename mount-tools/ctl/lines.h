/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lines: text for people, a line at a time, with what names hold made harmless.
 */
#ifndef DELTAFSCTL_LINES_H
#define DELTAFSCTL_LINES_H

#include <stdint.h>
#include <stdio.h>

struct ctl_lines {
	FILE *out;
	unsigned n;	/* lines so far */
	int width;	/* columns; 0: as long as they get */
};

/* ctl_line() - one more */
void ctl_line(struct ctl_lines *lines, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define CTL_DURATION_LEN 32

/* ctl_duration() - "2:05:09", "0:12". Return: @text. */
char *ctl_duration(char text[CTL_DURATION_LEN], uint64_t seconds);

#endif
