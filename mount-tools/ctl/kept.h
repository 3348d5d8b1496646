/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept: what is kept of a store's files that gave up bits, in numbers.
 */
#ifndef DELTAFSCTL_KEPT_H
#define DELTAFSCTL_KEPT_H

#include <jansson.h>

/* ctl_kept_json() - files, bytes, manual, as the daemon tells it. Return: NULL: not for this user to know. */
json_t *ctl_kept_json(const char *store);

#endif
