/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caps: capset(2) and its words of 32 bits.
 */
#include "util/caps.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int dfs_caps_save(struct dfs_caps *ret_caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	ret_caps->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	ret_caps->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

/* Nothing is ever left to programs that are started. */
int dfs_caps_restore(const struct dfs_caps *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)caps->effective, .permitted = (uint32_t)caps->permitted },
		{ .effective = (uint32_t)(caps->effective >> 32), .permitted = (uint32_t)(caps->permitted >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int dfs_caps_limit(uint64_t effective, uint64_t permitted)
{
	struct dfs_caps caps;
	int ret = dfs_caps_save(&caps);

	if (ret < 0)
		return ret;
	permitted |= effective;
	/* Ends at the first that the kernel does not know. */
	for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(permitted & DFS_CAP(cap)))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	caps.effective &= effective;
	caps.permitted &= permitted;
	return dfs_caps_restore(&caps);
}

int dfs_caps_raise(int cap)
{
	struct dfs_caps caps;

	if (dfs_caps_save(&caps) < 0 || caps.effective & DFS_CAP(cap) || !(caps.permitted & DFS_CAP(cap)))
		return -1;
	caps.effective |= DFS_CAP(cap);
	return dfs_caps_restore(&caps) < 0 ? -1 : cap;
}

void dfs_caps_lower(int cap)
{
	struct dfs_caps caps;

	if (cap < 0 || dfs_caps_save(&caps) < 0)
		return;
	caps.effective &= ~DFS_CAP(cap);
	dfs_caps_restore(&caps);
}

bool dfs_caps_permitted(int cap)
{
	struct dfs_caps caps;

	return dfs_caps_save(&caps) == 0 && caps.permitted & DFS_CAP(cap);
}
