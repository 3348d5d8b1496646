/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * err: sentences of failures, built from the inside out.
 */
#include "util/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int dfs_fail(struct dfs_err *err, int code, const char *fmt, ...)
{
	va_list args;

	if (err) {
		va_start(args, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, args);
		va_end(args);
	}
	return -code;
}

/* Puts @subject and a colon before the text; what no longer fits is lost at its end. */
static void err_prefix(struct dfs_err *err, const char *subject)
{
	size_t room = sizeof(err->text);
	size_t before = strnlen(subject, room - 3);
	size_t text = strnlen(err->text, room - 1);

	if (text > room - before - 3)
		text = room - before - 3;
	memmove(err->text + before + 2, err->text, text);
	memcpy(err->text, subject, before);
	memcpy(err->text + before, ": ", 2);
	err->text[before + 2 + text] = '\0';
}

int dfs_err_at(struct dfs_err *err, int ret, const char *fmt, ...)
{
	char subject[sizeof(err->text)];
	va_list args;

	if (!err)
		return ret;
	va_start(args, fmt);
	vsnprintf(subject, sizeof(subject), fmt, args);
	va_end(args);
	err_prefix(err, subject);
	return ret;
}

int dfs_fail_errno(struct dfs_err *err, const char *fmt, ...)
{
	int code = errno ? errno : EIO;
	char what[sizeof(err->text)];
	va_list args;

	if (!err)
		return -code;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	snprintf(err->text, sizeof(err->text), "%s", strerror(code));
	err_prefix(err, what);
	errno = code;
	return -code;
}
