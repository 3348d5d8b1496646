/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text: numbers for people.
 */
#ifndef DELTAFSCTL_TEXT_H
#define DELTAFSCTL_TEXT_H

#include <stdint.h>

#define CTL_BYTES_LEN 16

/* ctl_bytes() - "1.6 GiB", "512 bytes". Return: @text. */
char *ctl_bytes(char text[CTL_BYTES_LEN], uint64_t bytes);

/* ctl_ratio() - original / stored; 0 if nothing is stored */
double ctl_ratio(uint64_t original, uint64_t stored);

#endif
