/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process: signals and limits of a program that works on a store by hand.
 */
#ifndef DELTAFSCTL_PROCESS_H
#define DELTAFSCTL_PROCESS_H

#include <stdbool.h>

/* ctl_process_prepare() - once, before the work begins */
void ctl_process_prepare(void);

/* ctl_interrupted() - has Ctrl-C, SIGTERM or SIGHUP come since */
bool ctl_interrupted(void);

#endif
