/* SPDX-License-Identifier: GPL-2.0-or-later */
/* common: the cases that every call which takes a path has, made from one list of each. */
#ifndef DFS_TESTS_POSIX_COMMON_H
#define DFS_TESTS_POSIX_COMMON_H

#include "posix.h"

/* posix_common_each() - @run for each case there is; what it is given is valid during the call only. */
void posix_common_each(void (*run)(const char *call, const struct posix_case *c, void *ctx), void *ctx);

#endif
