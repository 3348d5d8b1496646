/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_tree: a directory's record, and what holds at a place. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "store/policy.h"
#include "util/caps.h"
#include "util/glob.h"

/* What is longer than a record may be was made by somebody else; its beginning is as good as any. */
static ssize_t get(int fd, const char *name, char **ret_text)
{
	ssize_t len = fgetxattr(fd, name, NULL, 0);
	DFS_AUTO(mem) char *text = len > 0 ? malloc((size_t)len) : NULL;

	if (len <= 0)
		return len < 0 ? -errno : 0;
	if (!text)
		return -ENOMEM;
	len = fgetxattr(fd, name, text, (size_t)len);
	if (len < 0)
		return -errno;
	*ret_text = dfs_steal(&text);
	return len < DFS_POLICY_MAX ? len : DFS_POLICY_MAX;
}

static bool is_none(ssize_t ret)
{
	return ret == -ENODATA || ret == -EOPNOTSUPP || ret == -ERANGE;
}

int dfs_policy_read(int fd, struct dfs_paths *ret_lines)
{
	DFS_AUTO(mem) char *text = NULL;
	ssize_t len = get(fd, DFS_POLICY_XATTR, &text);

	*ret_lines = (struct dfs_paths){ 0 };
	if (is_none(len)) {
		DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN); /* trusted.* */

		len = get(fd, DFS_POLICY_XATTR_TRUSTED, &text);
	}
	if (is_none(len))
		return 0;
	return len < 0 ? (int)len : dfs_policy_split(text, (size_t)len, ret_lines);
}

/* --- of many directories */

int dfs_policy_add(struct dfs_policy *policy, const char *from, const struct dfs_paths *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		struct dfs_policy_setting setting, *grown;
		const char *value;

		if (dfs_policy_check(lines->paths[i], &setting.key, &value, NULL) < 0)
			continue;
		grown = reallocarray(policy->settings, policy->n + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		policy->settings = grown;
		setting.value = strdup(value);
		setting.from = strdup(from);
		policy->settings[policy->n++] = setting;
		if (!setting.value || !setting.from)
			return -ENOMEM;
	}
	return 0;
}

void dfs_policy_release(struct dfs_policy *policy)
{
	for (size_t i = 0; i < policy->n; i++) {
		free(policy->settings[i].value);
		free(policy->settings[i].from);
	}
	free(policy->settings);
	*policy = (struct dfs_policy){ 0 };
}

/* What is no directory has none; nor does what has gone meanwhile. */
static int load_one(const struct dfs_store *store, const char *rel, struct dfs_policy *policy)
{
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_openat(store, rel, O_RDONLY | O_DIRECTORY, &fd);

	if (ret == 0)
		ret = dfs_policy_read(fd, &lines);
	if (ret == -ENOENT || ret == -ENOTDIR || ret == -EACCES || ret == -ELOOP)
		return 0;
	return ret < 0 ? ret : dfs_policy_add(policy, rel, &lines);
}

int dfs_policy_load(const struct dfs_store *store, const char *rel, struct dfs_policy *ret_policy)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	DFS_AUTO(mem) char *at = strdup(rel);
	int ret = at ? 0 : -ENOMEM;

	while (ret == 0) {
		char *slash;

		ret = load_one(store, at, &policy);
		if (!*at)
			break;
		slash = strrchr(at, '/');
		*(slash ? slash : at) = '\0';
	}
	if (ret < 0)
		return ret;
	*ret_policy = policy;
	policy = (struct dfs_policy){ 0 };
	return 0;
}

/* --- asking */

const struct dfs_policy_setting *dfs_policy_get(const struct dfs_policy *policy, enum dfs_policy_key key)
{
	for (size_t i = 0; i < policy->n; i++)
		if (policy->settings[i].key == key)
			return &policy->settings[i];
	return NULL;
}

bool dfs_policy_is(const struct dfs_policy *policy, enum dfs_policy_key key, bool otherwise)
{
	const struct dfs_policy_setting *setting = dfs_policy_get(policy, key);

	return setting ? strcmp(setting->value, "on") == 0 : otherwise;
}

unsigned dfs_policy_quiet_ms(const struct dfs_policy *policy, unsigned otherwise)
{
	const struct dfs_policy_setting *setting = dfs_policy_get(policy, DFS_POLICY_QUIET);

	return setting ? (unsigned)atol(setting->value) * 1000 : otherwise;
}

const struct dfs_policy_setting *dfs_policy_excludes(const struct dfs_policy *policy, const char *rel)
{
	for (size_t i = 0; i < policy->n; i++) {
		const struct dfs_policy_setting *setting = &policy->settings[i];
		size_t len = strlen(setting->from);

		if (setting->key != DFS_POLICY_EXCLUDE || strncmp(rel, setting->from, len))
			continue;
		if (dfs_glob_covers(setting->value, rel + len + strspn(rel + len, "/")))
			return setting;
	}
	return NULL;
}
