/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: how deltafsctl asks the daemon of a mount, by ioctl(2) on an open
 * file or directory of it.
 *
 *	struct dfs_control c = { .version = DFS_CONTROL_VERSION };
 *
 *	ioctl(fd, DFS_CONTROL_STATE, &c)
 *
 * One struct goes both ways, whatever is asked; what a request does not use is
 * zero, and is refused if it is not (EINVAL). A failure has errno, and where
 * there is more to say a sentence in @text; EPROTO: the daemon speaks the
 * version that it left in @version. ENOTTY: no mount of deltafs, or one of a
 * version that knows nothing of this.
 *
 *	STATE	what waits at the file, or at the directory and below it
 *	ENCODE	queue the file at once; ask STATE how it goes
 *	DECODE	begin to make the file plain, also while it is open; returns @id
 *	POLL	how it goes with @id; an id is forgotten some time after its end
 *	ACCEPT	let go of the original that is kept of the file; returns @id
 *	REVERT	begin to give it its name back; returns @id
 *	BASE	which base of the store the file is, or which one's ID begins with the digits in @text
 *
 * STATE needs an open descriptor and nothing else. Who changes a file must be
 * its owner or root, or have it open for writing: EACCES. POLL is for who
 * began: ENOENT for everybody else. EROFS: the mount is read-only. ENOTSUP:
 * it compresses nothing (-o noingest). ENCODE with @base needs a base of that ID
 * that who asks may read; else the file stays as it is, and its reason says so.
 * A SPEC in @text: with this codec, which may give up bits of what the file
 * holds now; EINVAL: no such codec.
 * BASE: ENOENT: none. ACCEPT, REVERT: what nothing is kept of shows it by POLL: ENOENT;
 * EEXIST: somebody may have written to the file since, and REVERT has no @written.
 * Of both, POLL says in @total how many bytes that were.
 *
 * What changes the bases has a struct of its own, and any handle of the mount
 * will do:
 *
 *	BASE_ADD	make the model at @path a base; returns @id
 *	BASE_REMOVE	let go of the base that @path names; returns @id
 *	BASE_POLL	how it goes with @id
 *
 * EACCES: not root, nor the owner of .deltafs.
 */
#ifndef DFS_FUSE_CONTROL_H
#define DFS_FUSE_CONTROL_H

#include <stdint.h>
#include <sys/ioctl.h>

#define DFS_CONTROL_VERSION 1

/* What is done to a file, of STATE if it is one; and of POLL. */
enum dfs_control_state {
	DFS_CONTROL_SETTLED,	/* nothing; of POLL: it is done, and @result says how */
	DFS_CONTROL_OPEN,	/* it is open for writing, and was written to */
	DFS_CONTROL_WAITING,
	DFS_CONTROL_WORKING,
};

struct dfs_control {
	uint32_t version;
	uint32_t state;		/* enum dfs_control_state */
	uint64_t id;		/* out of DECODE, ACCEPT and REVERT, in of POLL */
	int32_t result;		/* of POLL: 0 or -errno */
	uint8_t writable;	/* of STATE: 1: files are changed through this mount; 0: it is read-only */
	uint8_t root;		/* of STATE: 1: this is the root of the mount */
	uint8_t queue;		/* of STATE: 1: what is written is compressed */
	uint8_t written;	/* in, of REVERT: 1: though somebody may have written to the file since */
	/* of STATE: files at this place and below it */
	uint64_t n_open, n_waiting, n_working;
	uint64_t bytes;		/* of those whose size is known */
	uint64_t left_ms;	/* of a file that waits: until its turn; 0: it has come */
	uint32_t tries;		/* how often it was tried in vain */
	uint32_t reserved2;
	uint64_t done, total;	/* bytes, of a file in work and of POLL; total 0: not known yet */
	char reason[32];	/* of STATE: a word of the list, if there is a reason why the file waits */
	char text[256];		/* the sentence: of the reason, or of a failure */
	char cure[128];		/* what to do about it */
	uint8_t base[16];	/* in of ENCODE: against this one; zeros: the daemon chooses. Out of BASE */
	uint64_t reserved3[2];
};

_Static_assert(sizeof(struct dfs_control) == 536, "the same on every machine");

/* _IOC_TYPE of all; no other file system's here. */
#define DFS_CONTROL_TYPE 0xdf
#define DFS_CONTROL_STATE _IOWR(DFS_CONTROL_TYPE, 1, struct dfs_control)
#define DFS_CONTROL_ENCODE _IOWR(DFS_CONTROL_TYPE, 2, struct dfs_control)
#define DFS_CONTROL_DECODE _IOWR(DFS_CONTROL_TYPE, 3, struct dfs_control)
#define DFS_CONTROL_POLL _IOWR(DFS_CONTROL_TYPE, 4, struct dfs_control)

#define DFS_CONTROL_BASE _IOWR(DFS_CONTROL_TYPE, 5, struct dfs_control)

struct dfs_control_base {
	uint32_t version;
	uint32_t state;		/* of POLL: SETTLED or WORKING */
	uint64_t id;		/* out of ADD and REMOVE, in of POLL */
	int32_t result;		/* of POLL: 0 or -errno, with a sentence in @text */
	uint8_t by_reference;	/* in of ADD */
	uint8_t known;		/* out, as all below: of what was added */
	uint8_t pins_kept;	/* of what was removed */
	uint8_t reserved1;
	uint64_t dev, ino;	/* in of ADD: of what is at @path: the daemon is to see the same */
	uint64_t done, total;	/* bytes */
	uint8_t base[16];	/* its ID */
	uint64_t n_files, bytes, bytes_linked, bytes_cloned, bytes_copied;	/* added */
	uint64_t bytes_freed, n_dependants;	/* removed; why it was not */
	double norms[2];	/* in of NORMS, as of dfs_registry_set_norms(): estimate, exact */
	uint64_t reserved2;
	char text[512];		/* the sentence; of what was added: why it was copied */
	char path[4096];	/* in of ADD: absolute; of REMOVE and NORMS: an ID, or as of ADD */
};

_Static_assert(sizeof(struct dfs_control_base) == 4760, "the same on every machine");

#define DFS_CONTROL_ACCEPT _IOWR(DFS_CONTROL_TYPE, 9, struct dfs_control)
#define DFS_CONTROL_REVERT _IOWR(DFS_CONTROL_TYPE, 10, struct dfs_control)

#define DFS_CONTROL_BASE_ADD _IOWR(DFS_CONTROL_TYPE, 6, struct dfs_control_base)
#define DFS_CONTROL_BASE_REMOVE _IOWR(DFS_CONTROL_TYPE, 7, struct dfs_control_base)
#define DFS_CONTROL_BASE_POLL _IOWR(DFS_CONTROL_TYPE, 8, struct dfs_control_base)
#define DFS_CONTROL_BASE_NORMS _IOWR(DFS_CONTROL_TYPE, 11, struct dfs_control_base)

#endif
