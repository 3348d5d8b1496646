/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * consent: a codec that gives up bits is never used without a yes.
 *
 * How long the originals are kept is said as well, so that nobody takes for
 * good what can be taken back, nor the other way round.
 */
#ifndef DELTAFSCTL_CONSENT_H
#define DELTAFSCTL_CONSENT_H

#include "walk.h"
#include "write/spec.h"

/**
 * ctl_consent() - say how many bytes of @files come back as others, and ask
 *
 * With --yes, or if there are none, nothing is asked. Return: CTL_DONE: go on; CTL_USAGE: nobody can
 * be asked, said; CTL_FAILED: the answer was no.
 */
int ctl_consent(const struct ctl *ctl, const struct dfs_spec *spec, const struct ctl_files *files);

#endif
