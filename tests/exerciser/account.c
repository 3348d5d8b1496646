/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account: see account.h. */
#include "account.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void account_next(struct account *a)
{
	a->operation++;
	account_again(a);
}

void account_again(struct account *a)
{
	a->lines[a->operation % ACCOUNT_LINES][0] = '\0';
}

void account_note(struct account *a, const char *format, ...)
{
	char *line = a->lines[a->operation % ACCOUNT_LINES];
	size_t len = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + len, ACCOUNT_LINE - len, format, args);
	va_end(args);
}

void account_refused(struct account *a, const char *operation, int error)
{
	for (struct account_refusal *r = a->refusals; r < a->refusals + ACCOUNT_REFUSALS; r++) {
		if (!r->times)
			*r = (struct account_refusal){ .operation = operation, .error = error };
		if (strcmp(r->operation, operation) || r->error != error)
			continue;
		r->times++;
		account_note(a, " refused: %s", strerror(error));
		return;
	}
	account_fail(a, "%s: more kinds of refusal than there is room for", operation);
}

void account_print_refusals(const struct account *a)
{
	for (const struct account_refusal *r = a->refusals; r < a->refusals + ACCOUNT_REFUSALS; r++)
		if (r->times)
			printf("refused: %s: %s, %" PRIu64 " times\n", r->operation,
			       strerror(r->error), r->times);
}

static void print_lines(const struct account *a, FILE *to)
{
	uint64_t first = a->operation < ACCOUNT_LINES ? 1 : a->operation - ACCOUNT_LINES + 1;

	for (uint64_t i = first; i <= a->operation; i++)
		fprintf(to, "  %" PRIu64 ": %s\n", i, a->lines[i % ACCOUNT_LINES]);
}

_Noreturn void account_fail(const struct account *a, const char *format, ...)
{
	char *report = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&report, &len);
	va_list args;

	if (!to)
		exit(1);
	fprintf(to, "%s: seed %" PRIu64 ": wrong at operation %" PRIu64 "; the last ones:\n",
		a->who, a->seed, a->operation);
	print_lines(a, to);
	fprintf(to, "%s: seed %" PRIu64 ": operation %" PRIu64 ": ", a->who, a->seed, a->operation);
	va_start(args, format);
	vfprintf(to, format, args);
	va_end(args);
	fprintf(to, "\n");
	fclose(to);
	if (write(STDERR_FILENO, report, len) < 0)
		perror(a->who);
	exit(1);
}
