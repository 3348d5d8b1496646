/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "found_bases.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "daemon.h"
#include "families.h"
#include "write/classify.h"

/* A daemon that writes to the store takes no new bases from here. */
static bool is_mounted(const struct ctl *ctl)
{
	bool mounted = false;

	for (int i = 0; i < ctl->n_args && !mounted; i++) {
		DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
		struct dfs_err none;

		mounted = ctl_daemon_writer(ctl->args[i], &daemon, &none) > 0;
	}
	return mounted;
}

/* Does a base that the store has already serve this model? Return: 1, 0, -errno. */
static int is_served(struct ctl_bases *bases, struct ctl_session *session, const struct ctl_planned_model *model,
		     struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = open(model->paths[0], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	DFS_AUTO(header) struct dfs_header *header = NULL;
	const struct dfs_model *base;
	const char *why;
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "%s", model->paths[0]);
	ret = dfs_classify(fd, &header, NULL, err);
	if (ret == 0)
		ret = ctl_bases_pick(bases, session, fd, header, (uint64_t)st.st_size, &base, &why, err);
	return ret < 0 ? ret : base != NULL;
}

/* One family's base, and how many models depend on it. */
static int found_base(struct ctl_bases *bases, struct ctl_session *session, const struct ctl_planned_model *model,
		      const struct ctl_planned_model *dependant, size_t n_dependants, struct dfs_err *err)
{
	DFS_AUTO(mem) char *path = ctl_families_path(model);
	DFS_AUTO(mem) char *rel = NULL;
	int ret = path ? ctl_session_enter(session, model->paths[0], &rel, err) :
			 dfs_fail(err, ENOMEM, "out of memory");

	if (ret < 0 || dfs_registry_find(&session->registry, session->store, path, NULL))
		return ret;
	ret = is_served(bases, session, dependant, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = ctl_session_register(session, path, err);
	ctl_bases_release(bases);
	if (ret == 0)
		ctl_say(session->ctl, "%s stays plain, as the base of %zu other%s found here", model->shown, n_dependants,
			n_dependants == 1 ? "" : "s");
	return ret;
}

int ctl_found_bases(struct ctl_bases *bases, struct ctl_session *session, const struct ctl_files *files,
		    struct dfs_err *err)
{
	DFS_AUTO(families) struct ctl_families families = { 0 };
	int ret = is_mounted(session->ctl) ? 0 : ctl_families_make(session->ctl, files, &families, err);

	for (size_t b = 0; b < families.n_models && ret == 0; b++) {
		size_t n = 0, last = 0;

		for (size_t i = 0; i < families.n_models; i++)
			if (i != b && families.models[i].base == b) {
				n++;
				last = i;
			}
		if (n)
			ret = found_base(bases, session, &families.models[b], &families.models[last], n, err);
	}
	return ret;
}
