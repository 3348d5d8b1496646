/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text: lines and numbers for people, and paths for JSON.
 */
#ifndef DELTAFSCTL_TEXT_H
#define DELTAFSCTL_TEXT_H

#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#define CTL_BYTES_LEN 16

/* ctl_bytes() - "1.6 GiB", "512 bytes". Return: @text. */
char *ctl_bytes(char text[CTL_BYTES_LEN], uint64_t bytes);

/* ctl_put_line() - at once. Names of files are in most lines, and anybody's: they must not steer the terminal. */
void ctl_put_line(FILE *to, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

/* ctl_string() - a path as a JSON string; where it is no UTF-8, bytes beyond ASCII are shown as \xNN */
json_t *ctl_string(const char *text);

/* ctl_ratio() - original / stored; 0 if nothing is stored */
double ctl_ratio(uint64_t original, uint64_t stored);

#endif
