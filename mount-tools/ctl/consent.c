/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consent: see consent.h. */
#include "consent.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "text.h"
#include "write/classify.h"

/* Of one file: bytes of the tensors that would be coded so; what cannot be read is told of later. */
static uint64_t bytes_of(const struct ctl_file *file, const struct dfs_spec *spec)
{
	DFS_AUTO(fd) int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	DFS_AUTO(header) struct dfs_header *header = NULL;
	uint64_t bytes = 0;

	if (fd < 0 || dfs_classify(fd, &header, NULL, NULL) < 0 || !header)
		return 0;
	for (size_t i = 0; i < header->n_tensors; i++)
		if (dfs_spec_takes(spec, &header->tensors[i]))
			bytes += header->tensors[i].len;
	return bytes;
}

static bool says_yes(void)
{
	int first = getchar(), c = first;

	while (c != '\n' && c != EOF)
		c = getchar();
	return tolower(first) == 'y';
}

int ctl_consent(const struct ctl *ctl, const struct dfs_spec *spec, const struct ctl_files *files)
{
	char text[CTL_BYTES_LEN];
	uint64_t bytes = 0;

	if (!spec->lossy || ctl->yes)
		return CTL_DONE;
	for (size_t i = 0; i < files->n; i++)
		bytes += bytes_of(&files->files[i], spec);
	if (!bytes)
		return CTL_DONE;
	ctl_bytes(text, bytes);
	if (isatty(STDIN_FILENO) != 1)
		return ctl_usage(ctl, "codec %s gives up bits, of %s in %zu file%s; --yes says that you want that",
				 spec->lossy->codec->name, text, files->n, files->n == 1 ? "" : "s");
	fprintf(stderr, "Codec %s gives up bits: %s in %zu file%s will be other bytes than now,%s for good.\nGo on? [y/N] ",
		spec->lossy->codec->name, text, files->n, files->n == 1 ? "" : "s", ctl->out ? " in OUT," : "");
	if (says_yes())
		return CTL_DONE;
	ctl_warn("nothing was changed");
	return CTL_FAILED;
}
