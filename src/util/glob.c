/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/glob.h"

#include <stddef.h>
#include <string.h>

/* A component; what is left of it. */
struct part {
	const char *at;
	size_t len;
};

static struct part first_part(const char *path)
{
	return (struct part){ path, strcspn(path, "/") };
}

/* Bytes of the character that @text begins with. */
static size_t char_len(struct part text)
{
	size_t n = 1;

	while (n < text.len && ((unsigned char)text.at[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* A byte of a set, perhaps behind a backslash. Return: where the next is. */
static size_t set_byte(struct part pattern, size_t at, unsigned char *ret_byte)
{
	if (pattern.at[at] == '\\' && at + 1 < pattern.len)
		at++;
	*ret_byte = (unsigned char)pattern.at[at];
	return at + 1;
}

/* @pattern begins with '['. Return: bytes of the set; 0: it has no end, and is a bracket. */
static size_t match_set(struct part pattern, unsigned char byte, bool *ret_matches)
{
	bool negated = pattern.len > 1 && (pattern.at[1] == '!' || pattern.at[1] == '^'), found = false;
	size_t start = negated ? 2 : 1, at = start;

	while (at < pattern.len && (pattern.at[at] != ']' || at == start)) {
		unsigned char low, high;

		at = set_byte(pattern, at, &low);
		high = low;
		if (at + 1 < pattern.len && pattern.at[at] == '-' && pattern.at[at + 1] != ']')
			at = set_byte(pattern, at + 1, &high);
		found |= low <= byte && byte <= high;
	}
	*ret_matches = found != negated;
	return at < pattern.len ? at + 1 : 0;
}

static void advance(struct part *part, size_t n)
{
	part->at += n;
	part->len -= n;
}

/* One character of both, if they match; neither is empty, and the pattern's is no star. */
static bool match_one(struct part *pattern, struct part *text)
{
	size_t len = 1, eaten = 1;
	bool matches = false;

	if (pattern->at[0] == '[')
		len = match_set(*pattern, (unsigned char)text->at[0], &matches);
	if (pattern->at[0] == '?') {
		matches = true;
		eaten = char_len(*text);
	} else if (pattern->at[0] == '\\' && pattern->len > 1) {
		matches = pattern->at[1] == text->at[0];
		len = 2;
	} else if (pattern->at[0] != '[' || len == 0) {
		matches = pattern->at[0] == text->at[0];
		len = 1;
	}
	if (!matches)
		return false;
	advance(pattern, len);
	advance(text, eaten);
	return true;
}

static bool match(struct part pattern, struct part text)
{
	struct part star = { NULL, 0 }, mark = text; /* behind the last star; where what it stands for ends */

	while (text.len) {
		if (pattern.len && pattern.at[0] == '*') {
			advance(&pattern, 1);
			star = pattern;
			mark = text;
		} else if (!pattern.len || !match_one(&pattern, &text)) {
			if (!star.at)
				return false;
			advance(&mark, 1);
			pattern = star;
			text = mark;
		}
	}
	while (pattern.len && pattern.at[0] == '*')
		advance(&pattern, 1);
	return pattern.len == 0;
}

static const char *behind(struct part part)
{
	return part.at + part.len + strspn(part.at + part.len, "/");
}

static bool covers_any(const char *pattern, const char *path)
{
	for (; *path; path = behind(first_part(path)))
		if (match(first_part(pattern), first_part(path)))
			return true;
	return false;
}

bool dfs_glob_covers(const char *pattern, const char *path)
{
	const char *start = pattern + strspn(pattern, "/");

	if (!*start)
		return false;
	if (start == pattern && !*behind(first_part(pattern)))
		return covers_any(pattern, path);
	for (pattern = start; *pattern; pattern = behind(first_part(pattern))) {
		if (!*path || !match(first_part(pattern), first_part(path)))
			return false;
		path = behind(first_part(path));
	}
	return true;
}
