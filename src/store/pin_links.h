/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin_links: which inodes have a name among the pins.
 *
 * A pin is a hard link as a rule, and a user did not make it: st_nlink does
 * not count it. The list is read again when the directory of pins changed.
 */
#ifndef DFS_STORE_PIN_LINKS_H
#define DFS_STORE_PIN_LINKS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/store.h"

struct dfs_pin_links;

/* dfs_pin_links_new() - @store: borrowed. Return: NULL if out of memory. */
struct dfs_pin_links *dfs_pin_links_new(const struct dfs_store *store);
void dfs_pin_links_free(struct dfs_pin_links *links); /* NULL is fine */

/* dfs_pin_links_has() - is the file of @st pinned by a hard link? What cannot be looked up is not. */
bool dfs_pin_links_has(struct dfs_pin_links *links, const struct stat *st);

/* dfs_pin_links_only() - is a pin the one name that it has left? */
bool dfs_pin_links_only(struct dfs_pin_links *links, const struct stat *st);

#endif
