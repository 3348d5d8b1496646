/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schedule: which thread does what when, in an encode.
 *
 * Each segment is read twice: measured, then, with the tables that gave,
 * encoded. Jobs are spans. Encoding goes through the file in order, in a ring
 * of a few spans that the calling thread empties in order into the output;
 * measuring runs a bounded distance ahead, so that threads have work while a
 * segment's last spans are being measured. Which thread did a span shows
 * nowhere: records add up in any order, and places are given in file order.
 */
#ifndef DFS_WRITE_SCHEDULE_H
#define DFS_WRITE_SCHEDULE_H

#include "write/encode.h"
#include "write/output.h"
#include "write/work.h"

/* dfs_schedule_run() - measure, encode and output all of @w. Return: 0; -ECANCELED; errors of the steps. */
int dfs_schedule_run(struct dfs_work *w, struct dfs_output *out,
		     const struct dfs_encode_config *config, struct dfs_err *err);

#endif
