/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consent: see consent.h. */
#include "consent.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store/claim.h"
#include "text.h"
#include "write/classify.h"
#include "write/layout.h"
#include "write/permit.h"

/* Through a mount a container looks plain. */
static bool is_container(int fd, const struct stat *st)
{
	static const char container[] = "container";
	char state[sizeof(container)];
	struct dfs_claim claim;

	if (fgetxattr(fd, "user.deltafs.state", state, sizeof(state)) == sizeof(container) - 1)
		return memcmp(state, container, sizeof(container) - 1) == 0;
	return dfs_claim_check(fd, (uint64_t)st->st_size, &claim) == 0 && claim.kind != DFS_PLAIN;
}

/*
 * Of one file: bytes of the tensors that would be coded so, if all differ from
 * the base's. What is compressed stays as it is, and what is a hash of its
 * content is coded exactly; what cannot be read is told of later.
 */
static uint64_t bytes_of(const struct ctl *ctl, const struct ctl_file *file, const struct dfs_spec *spec)
{
	DFS_AUTO(fd) int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	DFS_AUTO(header) struct dfs_header *header = NULL;
	const char *why = NULL;
	uint64_t bytes = 0;
	struct stat st;

	if (!ctl->out)
		dfs_permit_wanted(file->path, ctl->codec, &why);
	if (why || fd < 0 || fstat(fd, &st) < 0 || is_container(fd, &st) || dfs_classify(fd, &header, NULL, NULL) < 0 || !header)
		return 0;
	for (size_t i = 0; i < header->n_tensors; i++)
		if (dfs_spec_takes(spec, &header->tensors[i]) && header->tensors[i].len >= DFS_BUNDLE_SMALL)
			bytes += header->tensors[i].len;
	return bytes;
}

/* An interrupt that came before the question, or with the answer, is the answer. */
static bool says_yes(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[256] = "";
	sigset_t ours, before;
	int ret = 0;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &before);
	while (ret <= 0 && !ctl_interrupted()) {
		ret = ppoll(&input, 1, NULL, &before);
		if (ret < 0 && errno != EINTR)
			break;
	}
	if (ret > 0 && read(STDIN_FILENO, line, sizeof(line)) <= 0)
		line[0] = '\0';
	sigprocmask(SIG_SETMASK, &before, NULL);
	return tolower((unsigned char)line[0]) == 'y' && !ctl_interrupted();
}

int ctl_consent(const struct ctl *ctl, const struct dfs_spec *spec, const struct ctl_files *files)
{
	char text[CTL_BYTES_LEN];
	uint64_t bytes = 0;
	size_t n = 0;

	if (!spec->lossy || ctl->yes)
		return CTL_DONE;
	for (size_t i = 0; i < files->n && !ctl_interrupted(); i++) {
		uint64_t more = bytes_of(ctl, &files->files[i], spec);

		bytes += more;
		n += more != 0;
	}
	if (ctl_interrupted())
		return CTL_FAILED;
	if (!bytes)
		return CTL_DONE;
	ctl_bytes(text, bytes);
	if (isatty(STDIN_FILENO) != 1)
		return ctl_usage(ctl, "codec %s gives up bits, of up to %s in %zu file%s; --yes says that you want that",
				 spec->lossy->codec->name, text, n, n == 1 ? "" : "s");
	fprintf(stderr, "Codec %s gives up bits: up to %s in %zu file%s will be other bytes than now,%s for good.\nGo on? [y/N] ",
		spec->lossy->codec->name, text, n, n == 1 ? "" : "s", ctl->out ? " in OUT," : "");
	if (says_yes())
		return CTL_DONE;
	ctl_warn("nothing was changed");
	return CTL_FAILED;
}
