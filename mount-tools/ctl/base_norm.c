/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_norm: see base_norm.h. */
#include "base_norm.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base_mounted.h"
#include "mounts.h"
#include "session.h"

/* @text: NULL: not asked for. Below 0 stands for the 0 of a user: see dfs_registry_set_norms(). */
static bool read_norm(const char *text, double *ret_norm)
{
	char *end;

	if (!text)
		return true;
	*ret_norm = strtod(text, &end);
	if (end == text || *end || !(*ret_norm >= 0) || !isfinite(*ret_norm))
		return false;
	*ret_norm = *ret_norm > 0 ? *ret_norm : -1;
	return true;
}

int ctl_base_norms_read(const struct ctl *ctl, struct dfs_norms *ret_norms)
{
	bool wanted = ctl->norm || ctl->exact_norm;

	*ret_norms = (struct dfs_norms){ { 0 } };
	if (!wanted && ctl->n_args != 1)
		return ctl_usage(ctl, "of all bases, or of one with --norm NUMBER");
	if (wanted && ctl->n_args != 2)
		return ctl_usage(ctl, "--norm and --exact-norm are of one base: STORE ID");
	if (!read_norm(ctl->norm, &ret_norms->of[DFS_NORM_ESTIMATE]))
		return ctl_usage(ctl, "--norm: \"%s\" is no number from 0", ctl->norm);
	if (!read_norm(ctl->exact_norm, &ret_norms->of[DFS_NORM_EXACT]))
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

int ctl_base_norms_set(struct ctl *ctl, const struct dfs_norms *norms, struct dfs_err *err)
{
	DFS_AUTO(based) struct ctl_based based = { .daemon.fd = -1 };
	int ret = ctl_based_open(ctl->args[0], &based, err);

	if (ret < 0)
		return ret;
	return ret > 0 ? ctl_based_set_norms(&based, ctl->args[1], norms, err) : set_here(ctl, norms, err);
}
