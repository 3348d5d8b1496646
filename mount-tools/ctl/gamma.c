/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gamma: see gamma.h. */
#include "gamma.h"

#include "codec/ultradelta.h"

static bool find_facts(const struct dfs_container *c, struct dfs_ultradelta_facts *ret_facts)
{
	for (uint32_t i = 0; i < c->n_tables; i++) {
		const struct dfs_table_record *table = &c->tables[i];

		if (table->codec == DFS_CODEC_ULTRADELTA &&
		    dfs_ultradelta_facts((struct dfs_span){ c->blob + table->off, table->len }, ret_facts))
			return true;
	}
	return false;
}

void ctl_say_gamma(struct ctl *ctl, const struct dfs_container *c)
{
	struct dfs_ultradelta_facts facts;

	if (!find_facts(c, &facts))
		return;
	/* Of a base, given by nref=, or its own for want of another: the container does not know. */
	if (facts.reference > 0 && facts.reference != facts.norm)
		ctl_say(ctl, "%-10s %.4g: norm %.6g of a reference over its own %.6g, from 0.5 to 1", "gamma",
			facts.gamma, facts.reference, facts.norm);
	else if (facts.reference > 0)
		ctl_say(ctl, "%-10s %.4g: its norm of %.6g is the reference itself", "gamma", facts.gamma, facts.norm);
	else
		ctl_say(ctl, "%-10s %.4g, whatever the norm of its differences, which is %.6g", "gamma", facts.gamma, facts.norm);
	if (ctl->report)
		json_object_set_new(ctl->report, "gamma", json_pack("{s:f, s:f, s:f}", "value", facts.gamma,
			"norm", facts.norm, "reference", facts.reference));
}
