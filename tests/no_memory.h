/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * no_memory: the n-th allocation fails, or it and all after it. For one file
 * of a program that is linked with NO_MEMORY_LDFLAGS (tests/local.mk): the
 * linker wraps the allocator, for our own calls.
 */
#ifndef DFS_TESTS_NO_MEMORY_H
#define DFS_TESTS_NO_MEMORY_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static struct {
	unsigned calls, at;	/* at 0: none fails */
	bool for_ever, fired;
} fault;

static bool fails(void)
{
	bool now;

	fault.calls++;
	now = fault.at && (fault.calls == fault.at || (fault.for_ever && fault.calls > fault.at));
	fault.fired |= now;
	errno = ENOMEM;
	return now;
}

#define WRAP(name, parameters, arguments)				\
	void *__real_##name parameters;					\
	void *__wrap_##name parameters;					\
	void *__wrap_##name parameters					\
	{								\
		return fails() ? NULL : __real_##name arguments;	\
	}

WRAP(malloc, (size_t size), (size))
WRAP(calloc, (size_t n, size_t size), (n, size))
WRAP(realloc, (void *p, size_t size), (p, size))
WRAP(reallocarray, (void *p, size_t n, size_t size), (p, n, size))
WRAP(strdup, (const char *text), (text))
WRAP(strndup, (const char *text, size_t n), (text, n))

#endif
