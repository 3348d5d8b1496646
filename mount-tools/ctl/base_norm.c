/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_norm: see base_norm.h. */
#include "base_norm.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base_mounted.h"
#include "mounts.h"
#include "session.h"

/* @ret_norm: as of dfs_registry_set_norms(): 0 is below 0 there. */
static bool parse(const char *text, double *ret_norm)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0) || !isfinite(value))
		return false;
	*ret_norm = value > 0 ? value : -1;
	return true;
}

int ctl_base_norms_check(const struct ctl *ctl)
{
	double norm;

	if (!ctl->norm && !ctl->exact_norm)
		return ctl->n_args == 1 ? CTL_DONE : ctl_usage(ctl, "of all bases, or of one with --norm NUMBER");
	if (ctl->n_args != 2)
		return ctl_usage(ctl, "--norm and --exact-norm are of one base: STORE ID");
	if (ctl->norm && !parse(ctl->norm, &norm))
		return ctl_usage(ctl, "--norm: \"%s\" is no number from 0", ctl->norm);
	if (ctl->exact_norm && !parse(ctl->exact_norm, &norm))
		return ctl_usage(ctl, "--exact-norm: \"%s\" is no number from 0", ctl->exact_norm);
	return CTL_DONE;
}

static int set_here(struct ctl *ctl, const struct dfs_norms *norms, struct dfs_err *err)
{
	DFS_AUTO(session) struct ctl_session s = { 0 };
	DFS_AUTO(mem) char *own = NULL;
	const struct dfs_registered *model;
	int ret;

	ctl_session_init(&s, ctl, true);
	ret = ctl_session_open(&s, ctl->args[0], err);
	if (ret < 0)
		return ret;
	own = ctl_mount_own(ctl->args[1], dfs_store_path(s.store));
	if (!own)
		return dfs_fail(err, ENOMEM, "out of memory");
	model = dfs_registry_find(&s.registry, s.store, own, err);
	return model ? dfs_registry_set_norms(s.store, model->id, norms, true, err) : -ENOENT;
}

int ctl_base_norms_set(struct ctl *ctl, struct dfs_err *err)
{
	DFS_AUTO(based) struct ctl_based based = { .daemon.fd = -1 };
	struct dfs_norms norms = { { 0 } };
	int ret;

	if (!ctl->norm && !ctl->exact_norm)
		return 0;
	if (ctl->norm)
		parse(ctl->norm, &norms.of[DFS_NORM_ESTIMATE]);
	if (ctl->exact_norm)
		parse(ctl->exact_norm, &norms.of[DFS_NORM_EXACT]);
	ret = ctl_based_open(ctl->args[0], &based, err);
	if (ret < 0)
		return ret;
	return ret > 0 ? ctl_based_set_norms(&based, ctl->args[1], &norms, err) : set_here(ctl, &norms, err);
}
