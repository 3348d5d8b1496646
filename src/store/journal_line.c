/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal_line: see journal_line.h. */
#include "store/journal_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/auto.h"
#include "util/hash.h"
#include "util/io.h"

#define CHECK_DIGITS 16

#define PIECE (64u << 10)
_Static_assert(PIECE > DFS_JOURNAL_LINE_MAX + 1, "a line fits a piece");

/* --- making one */

static int append_escaped(struct dfs_buf *out, const char *path)
{
	int ret = dfs_buf_append(out, "\t", 1);

	for (; *path && ret == 0; path++) {
		if (*path == '\\')
			ret = dfs_buf_append(out, "\\\\", 2);
		else if (*path == '\t')
			ret = dfs_buf_append(out, "\\t", 2);
		else if (*path == '\n')
			ret = dfs_buf_append(out, "\\n", 2);
		else
			ret = dfs_buf_append(out, path, 1);
	}
	return ret;
}

/* The check of what stands from @from, after its own place, and the newline. Takes all back on failure. */
static int finish(struct dfs_buf *out, size_t from, int ret)
{
	char check[CHECK_DIGITS + 1];
	size_t body = from + CHECK_DIGITS + 1;

	if (ret == 0 && out->len - from > DFS_JOURNAL_LINE_MAX)
		ret = -ENAMETOOLONG;
	if (ret == 0) {
		snprintf(check, sizeof(check), "%016" PRIx64, dfs_hash64(out->data + body, out->len - body, 0));
		memcpy(out->data + from, check, CHECK_DIGITS);
		ret = dfs_buf_append(out, "\n", 1);
	}
	if (ret < 0)
		out->len = from;
	return ret;
}

int dfs_journal_line(struct dfs_buf *out, const char *const *fields, size_t n)
{
	size_t from = out->len;
	int ret = dfs_buf_extend(out, CHECK_DIGITS) ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && ret == 0; i++)
		ret = append_escaped(out, fields[i]);
	return finish(out, from, ret);
}

int dfs_journal_line_first(struct dfs_buf *out, const struct dfs_journal_form *form)
{
	char version[16];

	snprintf(version, sizeof(version), "%u", form->version);
	return dfs_journal_line(out, (const char *[]){ form->word, version }, 2);
}

/* --- taking one apart */

static bool unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		char c = *text;

		if (c == '\\') {
			c = *++text;
			if (c == 't')
				c = '\t';
			else if (c == 'n')
				c = '\n';
			else if (c != '\\')
				return false;
		}
		*to++ = c;
	}
	*to = '\0';
	return true;
}

/* The next field, NUL-terminated in place; NULL at the end. */
static char *field(char **at)
{
	char *start = *at;

	if (!start)
		return NULL;
	*at = strchr(start, '\t');
	if (*at)
		*(*at)++ = '\0';
	return start;
}

/* Into unescaped fields, in place; there is room for a byte behind the line. Return: how many; 0: it is none. */
static size_t line_split(char *line, size_t len, char **ret_fields)
{
	char check[CHECK_DIGITS + 1];
	char *rest = line + CHECK_DIGITS + 1, *next;
	size_t n = 0;

	if (len < CHECK_DIGITS + 2 || len > DFS_JOURNAL_LINE_MAX || memchr(line, '\0', len))
		return 0;
	line[len] = '\0';
	snprintf(check, sizeof(check), "%016" PRIx64, dfs_hash64(rest, len - CHECK_DIGITS - 1, 0));
	if (memcmp(line, check, CHECK_DIGITS) != 0 || line[CHECK_DIGITS] != '\t')
		return 0;
	while ((next = field(&rest))) {
		if (n == DFS_JOURNAL_FIELDS_MAX || !unescape(next))
			return 0;
		ret_fields[n++] = next;
	}
	return n;
}

/* --- a file of them */

struct target {
	const struct dfs_journal_form *form;
	dfs_journal_line_fn *each;
	void *arg;
	struct dfs_journal_reading reading;
	bool skip;		/* in a line that is too long to be one */
};

static bool first_line(struct target *t, const char *number)
{
	unsigned version;
	int end = 0;

	if (sscanf(number, "%9u%n", &version, &end) != 1 || number[end] || !version)
		return false;
	if (version > t->reading.version)
		t->reading.version = version;
	return true;
}

static void read_line(struct target *t, char *line, size_t len)
{
	char *fields[DFS_JOURNAL_FIELDS_MAX];
	size_t n = line_split(line, len, fields);
	bool makes_sense = n > 0;

	if (n == 2 && strcmp(fields[0], t->form->word) == 0)
		makes_sense = first_line(t, fields[1]);
	else if (n && t->reading.version <= t->form->version)
		makes_sense = t->each(t->arg, fields, n);
	t->reading.damaged += !makes_sense;
}

/* The whole lines of @buf, and the start of one that is too long. Return: bytes of them. */
static size_t read_lines(struct target *t, char *buf, size_t len)
{
	size_t at = 0;
	char *end;

	while ((end = memchr(buf + at, '\n', len - at))) {
		size_t n = (size_t)(end - buf) - at;

		if (!t->skip)
			read_line(t, buf + at, n);
		t->skip = false;
		at += n + 1;
	}
	if (len - at <= DFS_JOURNAL_LINE_MAX)
		return at;
	t->reading.damaged += !t->skip;
	t->skip = true;
	return len;
}

int dfs_journal_read(int fd, const struct dfs_journal_form *form, dfs_journal_line_fn *each, void *arg,
		     struct dfs_journal_reading *ret_reading)
{
	struct target t = { .form = form, .each = each, .arg = arg };
	DFS_AUTO(mem) char *buf = malloc(PIECE);
	size_t have = 0;
	ssize_t n = 0;

	while (buf && (n = dfs_pread_some(fd, buf + have, PIECE - have, t.reading.size)) > 0) {
		size_t used;

		t.reading.size += (uint64_t)n;
		have += (size_t)n;
		used = read_lines(&t, buf, have);
		have -= used;
		memmove(buf, buf + used, have);
	}
	if (!buf)
		return -ENOMEM;
	t.reading.torn = have || t.skip;
	if (have && !t.skip) /* whole but for its newline, perhaps: it gets one, and counts then as well */
		read_line(&t, buf, have);
	*ret_reading = t.reading;
	return n < 0 ? (int)n : 0;
}
