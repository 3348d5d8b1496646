/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps: takes lines of steps apart, runs them, compares what came with what was expected. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

static const char *const who_names[POSIX_WHO_MAX] = { "root", "owner", "member", "other" };

static const struct posix_verb *const tables[] = {
	posix_name_verbs, posix_attribute_verbs, posix_byte_verbs, posix_check_verbs,
};

const char *posix_errno_name(int number)
{
	const char *name = strerrorname_np(number);

	return name ? name : "an unknown errno";
}

/* Whether @list, as in "EPERM|EACCES", has this errno. */
static bool names_errno(const char *list, int number)
{
	const char *name = posix_errno_name(number);
	size_t len = strlen(name);

	while (list && *list) {
		if (strncmp(list, name, len) == 0 && (list[len] == '|' || list[len] == '\0'))
			return true;
		list = strchr(list, '|');
		list += list != NULL;
	}
	return false;
}

static bool names_value(const char *list, long long value)
{
	char *end = (char *)list;

	do {
		if (strtoll(end + (end != list), &end, 0) == value)
			return true;
	} while (*end == '|');
	return false;
}

struct step {
	const char *expected, *tolerated;
	char *word[POSIX_WORDS + 1];	/* the verb first */
	int n;
};

static bool is_errno_list(const char *word)
{
	return word[0] == 'E' && (isupper((unsigned char)word[1]) || isdigit((unsigned char)word[1]));
}

static void take_who(struct posix *p, char *word)
{
	word[strlen(word) - 1] = '\0';
	for (int who = 0; who < POSIX_WHO_MAX; who++) {
		if (strcmp(word, who_names[who]) == 0) {
			posix_become(p, (enum posix_who)who);
			return;
		}
	}
	posix_fail(p, "the case is written wrong: who is %s", word);
}

static void take_apart(struct posix *p, char *text, struct step *step)
{
	char *rest = NULL;

	for (char *word = strtok_r(text, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest)) {
		if (step->n == 0 && word[strlen(word) - 1] == ':')
			take_who(p, word);
		else if (step->n == 0 && is_errno_list(word))
			step->expected = word;
		else if (step->n == 0 && word[0] == '=')
			step->expected = word + 1;
		else if (step->n == 0 && word[0] == '?')
			step->tolerated = word + 1;
		else if (step->n < POSIX_WORDS)
			step->word[step->n++] = word;
		else
			posix_fail(p, "the case is written wrong: too many words");
	}
}

static const struct posix_verb *find_verb(struct posix *p, const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct posix_verb *verb = tables[i]; verb->name; verb++)
			if (strcmp(verb->name, name) == 0)
				return verb;
	posix_fail(p, "the case is written wrong: no verb %s", name);
}

static void compare(struct posix *p, const struct step *step, long long got)
{
	bool wants_errno = step->expected && is_errno_list(step->expected);

	if (wants_errno && got < 0 && names_errno(step->expected, (int)-got))
		return;
	if (!wants_errno && got >= 0 && (!step->expected || names_value(step->expected, got)))
		return;
	if (got == -EOPNOTSUPP || got == -ENOSYS || (got < 0 && names_errno(step->tolerated, (int)-got)))
		posix_unsupported(p, posix_errno_name((int)-got));
	if (got < 0)
		posix_fail(p, "expected %s, got %s", step->expected ? step->expected : "0",
			   posix_errno_name((int)-got));
	posix_fail(p, "expected %s, got %lld", step->expected ? step->expected : "0", wants_errno ? 0 : got);
}

static void run_step(struct posix *p, char *text)
{
	char shown[512];
	struct step step = { 0 };
	const struct posix_verb *verb;

	while (isspace((unsigned char)*text))
		text++;
	snprintf(shown, sizeof(shown), "%s", text);
	p->step = shown;
	take_apart(p, text, &step);
	if (step.n > 0) {
		verb = find_verb(p, step.word[0]);
		if (step.n <= verb->n_words)
			posix_fail(p, "the case is written wrong: too few words");
		compare(p, &step, verb->run(p, step.word + 1));
	}
	p->step = NULL;
}

void posix_steps(struct posix *p, const char *steps)
{
	char *copy = strdup(steps), *rest = NULL;

	POSIX_WANT(p, copy, "no memory");
	for (char *text = strtok_r(copy, ";", &rest); text; text = strtok_r(NULL, ";", &rest))
		run_step(p, text);
	free(copy);
}
