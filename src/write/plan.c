/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "write/give_up.h"

int dfs_plan_add(struct dfs_plan *plan, const char *name, const struct dfs_lossy_tensor *tensor, struct dfs_err *err)
{
	struct dfs_plan_entry entry = { .name = strdup(name), .number = tensor ? tensor->number : 0, .smaller = !tensor };
	size_t room = plan->room ? 2 * plan->room : 64;
	size_t size = plan->lossy->planned_size;
	struct dfs_plan_entry *more = plan->entries;

	if (plan->n == plan->room) {
		more = reallocarray(plan->entries, room, sizeof(*more));
		if (more) {
			plan->entries = more;
			plan->room = room;
		}
	}
	entry.planned = malloc(size + 1);
	if (!more || !entry.name || !entry.planned) {
		free(entry.name);
		free(entry.planned);
		return dfs_fail(err, ENOMEM, "out of memory");
	}
	if (tensor && size)
		memcpy(entry.planned, plan->lossy->planned(tensor), size);
	plan->entries[plan->n++] = entry;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct dfs_plan_entry *)a)->name, ((const struct dfs_plan_entry *)b)->name);
}

const struct dfs_plan_entry *dfs_plan_find(const struct dfs_plan *plan, const char *name)
{
	const struct dfs_plan_entry key = { .name = (char *)name };

	return plan->n ? bsearch(&key, plan->entries, plan->n, sizeof(key), by_name) : NULL;
}

static int make(const struct dfs_plan_file *files, size_t n_files, const struct dfs_encode_config *config, const struct dfs_spec *spec,
		struct dfs_work *works, struct dfs_plan *plan, struct dfs_err *err)
{
	size_t n = 0;
	int ret = 0;

	for (; n < n_files && ret == 0; n++) {
		ret = dfs_work_init(&works[n], &(struct dfs_work_input){
			.fd = files[n].fd, .len = files[n].len, .header = files[n].header,
			.base = config->base, .by_content = true, .spec = spec,
		}, err);
		if (ret < 0)
			break;
	}
	if (ret == 0 && n > 0)
		ret = dfs_give_up_plan(works, n, config, plan, err);
	for (size_t i = 0; i < n; i++)
		dfs_work_release(&works[i]);
	return ret;
}

int dfs_plan_make(const struct dfs_plan_file *files, size_t n, const struct dfs_encode_config *config, struct dfs_plan *ret_plan,
		  struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_work *works = calloc(n + 1, sizeof(*works));
	DFS_AUTO(plan) struct dfs_plan plan = { 0 };
	struct dfs_spec spec;
	int ret = dfs_spec_parse(config->codec, &spec, err);

	if (ret < 0)
		return ret;
	if (!works)
		return dfs_fail(err, ENOMEM, "out of memory");
	dfs_spec_compare(&spec, &config->norms);
	plan.lossy = spec.lossy;
	if (spec.lossy)
		ret = make(files, n, config, &spec, works, &plan, err);
	if (ret < 0)
		return ret;
	if (plan.n)
		qsort(plan.entries, plan.n, sizeof(*plan.entries), by_name);
	*ret_plan = plan;
	plan = (struct dfs_plan){ 0 };
	return 0;
}

void dfs_plan_release(struct dfs_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->entries[i].name);
		free(plan->entries[i].planned);
	}
	free(plan->entries);
	*plan = (struct dfs_plan){ 0 };
}
