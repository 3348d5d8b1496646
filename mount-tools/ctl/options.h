/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options: a command's table of options, as a parser and as its help.
 */
#ifndef DELTAFSCTL_OPTIONS_H
#define DELTAFSCTL_OPTIONS_H

#include "ctl.h"

/*
 * ctl_options_parse() - read argv[1..] into @ctl; options and arguments in any order
 * Return: CTL_DONE; CTL_USAGE with the reason said.
 */
int ctl_options_parse(struct ctl *ctl, int argc, char **argv);

/* ctl_options_help() - the help of a command, to stdout */
void ctl_options_help(const struct ctl_command *command);

#endif
