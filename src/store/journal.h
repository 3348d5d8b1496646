/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: a file of .deltafs that tells what happened, one line a change, so
 * that a set in memory is known again after a restart.
 *
 * A line that is torn, damaged or makes no sense is skipped, with one line in
 * the log for all; every other counts. The form of a line is in journal_line.h.
 *
 * Writing is in two halves, so that the owner of the set can keep records in
 * the order of its changes without holding its lock over I/O: note() under
 * its lock, flush() without. A record that is flushed survives kill -9 at any
 * instant; a power cut may lose what came since the last sync(). When much
 * more was appended than is alive, or the file is damaged, the set is
 * written anew: snapshot() and snapshot_add() under the owner's lock,
 * compact() without, in a temporary file that is synced and renamed.
 *
 * Where the file cannot be written (no lock, read-only, no room, .deltafs
 * removed) all goes on in memory, and the log says so once. compact() then
 * tries again every half minute, and brings everything to disk when it can.
 */
#ifndef DFS_STORE_JOURNAL_H
#define DFS_STORE_JOURNAL_H

#include "store/journal_line.h"
#include "store/store.h"
#include "util/err.h"
#include "util/log.h"

struct dfs_journal;

/**
 * dfs_journal_open() - read what is there, and be ready to write
 * @store: nothing is written unless its lock is held; borrowed
 * @log: borrowed; may be NULL
 * @form: borrowed
 * @each: called with each line, in order
 *
 * Makes the file, if the lock is held. What cannot be read or written is told
 * by the log (a lock that is not held by who did not get it) and is no failure.
 * Return: 0; -ENOMEM.
 */
int dfs_journal_open(struct dfs_store *store, struct dfs_log *log, const struct dfs_journal_form *form,
		     dfs_journal_line_fn *each, void *arg, struct dfs_journal **ret_journal, struct dfs_err *err);

/* dfs_journal_close() - flush and free; NULL is fine. Nobody else uses it any more. */
void dfs_journal_close(struct dfs_journal *journal);

/* dfs_journal_note() - take a line down; in memory, so call it under your lock */
void dfs_journal_note(struct dfs_journal *journal, const char *const *fields, size_t n);

/**
 * dfs_journal_flush() - append what was noted to the file
 *
 * While another thread is at it, that one takes ours along, and this returns
 * at once: what a disk keeps waiting is one thread.
 */
void dfs_journal_flush(struct dfs_journal *journal);

/**
 * dfs_journal_sync() - what was flushed survives a power cut from now on
 *
 * Waits for the disk; nobody else does meanwhile. Costs a lock if nothing came
 * since. If it fails the file is written anew, as after any failure.
 */
void dfs_journal_sync(struct dfs_journal *journal);

/**
 * dfs_journal_compact_in_ms() - is the file to be written anew?
 * Return: -1: no; 0: now; else try in so many milliseconds.
 */
int dfs_journal_compact_in_ms(struct dfs_journal *journal);

/**
 * dfs_journal_snapshot() - begin to write anew
 *
 * Under your lock, and before you let go of it, dfs_journal_snapshot_add() with
 * a line for each thing of the set (NULL: there was no memory for it, and
 * compact() fails); then, without it, dfs_journal_compact(). One thread at a time.
 */
void dfs_journal_snapshot(struct dfs_journal *journal);
void dfs_journal_snapshot_add(struct dfs_journal *journal, const char *const *fields, size_t n);

/* dfs_journal_compact() - Return: 0: the file is new; -errno: it is as it was (the log has been told). May wait for the disk. */
int dfs_journal_compact(struct dfs_journal *journal);

#endif
