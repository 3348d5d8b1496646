/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * access: the rule for untrusted containers, on facts alone.
 */
#include "store/access.h"

#define GROUPS_MAX 1024

struct person {
	uid_t uid;
	gid_t groups[GROUPS_MAX];
	size_t n_groups;
};

static bool in_group(const struct person *person, gid_t gid)
{
	for (size_t i = 0; i < person->n_groups; i++) {
		if (person->groups[i] == gid)
			return true;
	}
	return false;
}

/* As the kernel does it: the first class that fits decides alone. @bit: 4 read, 1 search. */
static bool may(const struct person *person, const struct dfs_access_node *node, unsigned bit)
{
	if (node->uid == person->uid)
		return node->mode & bit << 6;
	if (in_group(person, node->gid))
		return !node->has_acl && node->mode & bit << 3;
	/* whom the ACL names it may deny what others are granted */
	return node->mode & bit & (node->has_acl ? node->acl_least : 7u);
}

static bool may_open(const struct person *person, const struct dfs_access_name *name)
{
	if (!name->n)
		return false;
	for (size_t i = 0; i + 1 < name->n; i++) {
		if (!S_ISDIR(name->nodes[i].mode) || !may(person, &name->nodes[i], 1))
			return false;
	}
	return S_ISREG(name->nodes[name->n - 1].mode) && may(person, &name->nodes[name->n - 1], 4);
}

bool dfs_access_allows(const struct dfs_access *access)
{
	struct person person = { .uid = access->owner };

	if (access->trusted || access->owner == 0 || access->owner == access->store_owner ||
	    access->owner == access->self)
		return true;
	if (!access->n_names)
		return access->owner == access->base_owner;
	person.n_groups = access->groups(access->arg, access->owner, person.groups, GROUPS_MAX);
	for (size_t i = 0; i < access->n_names; i++) {
		if (may_open(&person, &access->names[i]))
			return true;
	}
	return false;
}
