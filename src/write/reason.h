/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reason: why a file is plain, or exact though bits were to be given up, from a
 * fixed list, and what to do about it.
 *
 * Each has a word for scripts, a sentence for people, a cure, and says what
 * may end it:
 *
 *	an event	nobody looks again until the file is written or renamed,
 *			or somebody does what the cure says
 *	time		somebody looks again, later each time (dfs_reason_again_ms())
 *
 * The list is the table in reason.c. Ids are kept on disk, so they never
 * change their meaning; new ones go to the end.
 */
#ifndef DFS_WRITE_REASON_H
#define DFS_WRITE_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dfs_reason_id {
	DFS_REASON_NONE,
	/* what it is */
	DFS_REASON_NOT_REGULAR,
	DFS_REASON_EMPTY,
	DFS_REASON_NOT_SAFETENSORS,	/* detail: the rule it breaks */
	DFS_REASON_HEADER_LIMITS,	/* detail: which */
	DFS_REASON_COMPRESSED,
	DFS_REASON_BASE,
	DFS_REASON_LINKS,		/* number: of names */
	DFS_REASON_BROKEN,		/* detail: why it is no container */
	/* what was tried */
	DFS_REASON_NO_BASE,
	DFS_REASON_PRIVATE_BASE,
	DFS_REASON_NO_GAIN,		/* number: percent of its size that would remain */
	DFS_REASON_FAILED,		/* detail: the error's sentence */
	/* what somebody wanted */
	DFS_REASON_BY_HAND,
	DFS_REASON_EXISTING,
	DFS_REASON_INGEST_OFF,		/* detail: the directory whose policy says so */
	DFS_REASON_EXCLUDED,		/* detail: the pattern */
	DFS_REASON_NO_INGEST,
	/* not yet */
	DFS_REASON_PARTIAL_NAME,
	DFS_REASON_ARIA2,
	DFS_REASON_INCOMPLETE,		/* number: bytes that are missing; 0: unknown */
	DFS_REASON_OPEN,		/* number: a pid; 0: unknown */
	DFS_REASON_QUIET,
	DFS_REASON_SHARDS,		/* detail: which */
	DFS_REASON_ROOM,		/* number: bytes needed */
	DFS_REASON_MEMORY,
	DFS_REASON_DISK,		/* detail: the error */
	DFS_REASON_STATE,		/* detail: the error */
	DFS_REASON_UNSEEN,
	/* a policy, again */
	DFS_REASON_POLICY_BASE,		/* detail: what is wrong with it */
	DFS_REASON_POLICY_CHANGED,
	DFS_REASON_WANTED_BASE,		/* detail: what is wrong with it */
	DFS_REASON_KEEP,		/* detail: why its original cannot be kept */
	DFS_REASON_WHOLE,		/* detail: what of its model is not there */
	/* of a container: exact, though a codec that gives up bits was asked for */
	DFS_REASON_EXACT_HASH,
	DFS_REASON_EXACT_BEFORE,
	DFS_REASON_EXACT_OLD,
	DFS_REASON_EXACT_UNDATED,
	DFS_REASON_EXACT_SHARDS,
	DFS_REASON_EXACT_NO_BASE,
	DFS_REASON_EXACT_TENSORS,
	DFS_REASON_EXACT_DECLINED,
	DFS_REASON_EXACT_SAME,
	DFS_REASON_EXACT_UNKNOWN,
	DFS_REASON_EXACT_SMALLER,
	DFS_REASON_EXACT_ASKED,
	/* of a container that gave up bits */
	DFS_REASON_EXACT_PARTLY,	/* detail: how many of its matrices did not, and why */
	DFS_REASONS
};

/* One file's reason. Owns nothing; copied freely. */
struct dfs_reason {
	enum dfs_reason_id id;
	uint64_t number;
	char detail[112];
};

/**
 * dfs_reason_set() - fill in a reason
 * @reason: may be NULL: nobody wants to know
 * @number: as the list above says; 0 where it says nothing, or unknown
 * @detail: as the list above says; cut to fit; NULL: none
 */
void dfs_reason_set(struct dfs_reason *reason, enum dfs_reason_id id, uint64_t number, const char *detail);

/* dfs_reason_word() - for scripts: "no-gain"; "unknown" for an id that is not in the list (a newer deltafs kept it) */
const char *dfs_reason_word(enum dfs_reason_id id);

/* dfs_reason_of_word() - the other way; DFS_REASONS: no word of the list */
enum dfs_reason_id dfs_reason_of_word(const char *word);

/* dfs_reason_cure() - what to do, in a sentence; "" where there is nothing to do */
const char *dfs_reason_cure(enum dfs_reason_id id);

/**
 * dfs_reason_text() - the sentence: "would not shrink: 97 %", "still open by pid 12"
 * @room: 256 are always enough
 *
 * What a file's name or content put into the detail may hold control
 * characters: dfs_log_escape() before a terminal sees it. Return: @ret_text.
 */
char *dfs_reason_text(const struct dfs_reason *reason, char *ret_text, size_t room);

/* dfs_reason_sentence() - the same without number and detail, for all time; NULL: DFS_REASON_NONE */
const char *dfs_reason_sentence(enum dfs_reason_id id);

/* dfs_reason_is_exact() - is it why a container is exact? */
bool dfs_reason_is_exact(enum dfs_reason_id id);

/* dfs_reason_wants_base() - may a base that is added be the end of it? */
bool dfs_reason_wants_base(enum dfs_reason_id id);

/**
 * dfs_reason_again_ms() - when to look at the file again
 * @tries: how often it was looked at in vain since it was last written
 *
 * Return: milliseconds from now, doubling with each try to ten minutes at most;
 * 0: not before an event.
 */
unsigned dfs_reason_again_ms(enum dfs_reason_id id, unsigned tries);

#endif
