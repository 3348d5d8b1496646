/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bases: see bases.h. */
#include "bases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ctl_bases_release(struct ctl_bases *bases)
{
	for (size_t i = 0; i < bases->n; i++)
		dfs_model_free(bases->models[i]);
	free(bases->models);
	free(bases->store);
	dfs_hand_free(bases->hand);
	*bases = (struct ctl_bases){ 0 };
}

static int open_all(struct ctl_bases *bases, struct ctl_session *s, struct dfs_err *err)
{
	bases->models = calloc(s->registry.n + 1, sizeof(*bases->models));
	bases->store = strdup(dfs_store_path(s->store));
	bases->hand = dfs_hand_new();
	if (!bases->models || !bases->store || !bases->hand)
		return dfs_fail(err, ENOMEM, "out of memory");
	bases->n = s->registry.n;
	for (size_t i = 0; i < bases->n; i++) {
		struct dfs_err why;

		if (dfs_model_open_registered(s->store, &s->registry.models[i], &bases->models[i], &why) < 0)
			ctl_warn("%s (so it is no candidate)", why.text);
	}
	return 0;
}

int ctl_bases_choose(struct ctl_bases *bases, struct ctl_session *session,
		     const struct dfs_work_input *input, const struct dfs_model **ret_base,
		     const char **ret_why, struct dfs_err *err)
{
	struct dfs_choice choice;
	int ret = 0;

	*ret_base = NULL;
	*ret_why = input->header ? "there is none" : "no safetensors file";
	if (!session->store || session->registry.n == 0 || !input->header)
		return 0;
	if (bases->store && strcmp(bases->store, dfs_store_path(session->store)))
		ctl_bases_release(bases);
	if (!bases->store)
		ret = open_all(bases, session, err);
	if (ret == 0)
		ret = dfs_choose(input, bases->models, bases->n, DFS_SAMPLE_CHOOSE, bases->hand, &choice, err);
	if (ret < 0)
		return ret;
	if (choice.model != DFS_CHOSE_NONE)
		*ret_base = bases->models[choice.model];
	*ret_why = choice.why_none;
	return 0;
}

int ctl_bases_pick(struct ctl_bases *bases, struct ctl_session *session, int fd, const struct dfs_header *header,
		   uint64_t len, const struct dfs_model **ret_base, const char **ret_why, struct dfs_err *err)
{
	struct dfs_work_input input = { .fd = fd, .len = len, .header = header };
	int ret;

	*ret_base = NULL;
	*ret_why = NULL;
	if (session->ctl->base) {
		ret = ctl_session_base(session, err);
		*ret_base = session->base;
		return ret;
	}
	return ctl_bases_choose(bases, session, &input, ret_base, ret_why, err);
}
