/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acl_text: POSIX ACLs as the value of their xattr, from and to text.
 *
 * Text: entries in the order that the kernel wants, "u::rwx,u:other:r--,g::r-x,
 * g:team:rw-,m::rwx,o::---" or a part of that. Ids as steps.h has them.
 */
#ifndef DFS_TESTS_POSIX_ACL_TEXT_H
#define DFS_TESTS_POSIX_ACL_TEXT_H

#include "posix.h"

#define POSIX_ACL_BYTES 132

/* posix_acl_pack() - @bytes: room for POSIX_ACL_BYTES. Return: how many it takes. */
size_t posix_acl_pack(struct posix *p, const char *text, unsigned char *bytes);

/* posix_acl_show() - the text of a value; of one that is malformed as much as makes sense. */
void posix_acl_show(const unsigned char *bytes, size_t len, char *text, size_t size);

#endif
