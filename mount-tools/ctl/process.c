/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process: see process.h. */
#include "process.h"

#include <signal.h>
#include <sys/resource.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

bool ctl_interrupted(void)
{
	return interrupted;
}

/* A second Ctrl-C ends at once: what is left is cleared by the next run. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGXFSZ, SIG_IGN);	/* EFBIG has a sentence */
}

/* Families of sharded models are compared with all their files open. */
static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void ctl_process_prepare(void)
{
	catch_signals();
	raise_files();
}
