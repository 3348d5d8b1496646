/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classify: by content; only unfinished files are known by their names. */
#include "write/classify.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "util/text.h"

int dfs_classify(int fd, struct dfs_header **ret_header, struct dfs_err *ret_why,
		 struct dfs_err *err)
{
	struct dfs_err why = { "" };
	int ret = dfs_header_load(fd, ret_header, &why);

	if (ret == 0)
		return 0;
	*ret_header = NULL;
	if (ret != -EINVAL && ret != -E2BIG)
		return dfs_fail(err, -ret, "%s", why.text);
	if (ret_why)
		*ret_why = why;
	return 0;
}

/* ".tmpXXXXXX" (tempfile), ".name.XXXXXX" (rsync): a dot in front and six characters at the end. */
static bool has_random_end(const char *name)
{
	size_t len = strlen(name);

	if (name[0] != '.' || len < 10)
		return false;
	for (size_t i = len - 6; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return name[len - 7] == '.' || (len == 10 && !strncmp(name, ".tmp", 4));
}

bool dfs_classify_name(const char *name)
{
	static const char *const ends[] = {
		".incomplete", ".part", ".partial", ".filepart", ".crdownload", ".download", ".aria2", ".tmp",
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (dfs_text_ends(name, ends[i]))
			return true;
	return has_random_end(name);
}
