/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal: what the operations share.
 *
 * An operation begins with a node number and ends with exactly one reply.
 * Locks: nodes->lock guards the node table and is never held over a system
 * call; mount->lock guards the counts and notes at the end of struct dfs_mount.
 */
#ifndef DFS_FUSE_INTERNAL_H
#define DFS_FUSE_INTERNAL_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "fuse/mount.h"
#include "fuse/node.h"
#include "fuse/open.h"
#include "fuse/replace.h"
#include "read/describe.h"
#include "read/view.h"

/* A sentence of the log, by its hash, and when it was said last. */
struct dfs_said {
	uint64_t hash;
	time_t when;
};
#define DFS_SAID 256

/* A file whose reads failed; see trouble.c. */
struct dfs_trouble {
	char *path;		/* NULL: a free place */
	uint64_t count;		/* requests that failed */
	int64_t last_ms;	/* when the last did; CLOCK_MONOTONIC */
	char text[256];		/* its sentence */
};
#define DFS_TROUBLES 16

struct dfs_mount {
	struct fuse_session *session;
	struct dfs_nodes nodes;
	struct dfs_store *store;
	struct dfs_pin_links *pin_links;
	struct dfs_reader *reader;
	struct dfs_log *log;
	struct dfs_pool *later;		/* see later.h; NULL if read-only */
	struct dfs_pool *thaws;		/* see settle.c; never waits for the former; NULL if read-only */
	struct dfs_pool *pushes;	/* see push.c; NULL if read-only */
	atomic_uint n_pushes;		/* of it, queued or running */
	struct dfs_direct direct;
	struct dfs_pool *mixed;		/* for reads and writes that wait for parts of a file that thaws; NULL if read-only */
	struct dfs_shown *shown;
	struct dfs_queue *queue;	/* of what is to be compressed; NULL: nothing is */
	struct dfs_ledger *ledger;	/* what became of it; may be NULL */
	struct dfs_survey *survey;	/* NULL if the queue is */
	struct dfs_permit_mount permit;	/* what new files are coded with */
	struct dfs_jobs *jobs;		/* NULL if read-only */
	struct dfs_turn *turn;		/* to change the bases; NULL if read-only */
	struct dfs_keeper *keeper;	/* of originals; NULL if read-only */
	atomic_bool ending;		/* nobody asks any more: what takes long is given up */
	struct dfs_replacement ingested;	/* of the thread that compresses; see notice.c */
	struct dfs_replacement linked;		/* the same, while a file gets another name that nobody sees */
	struct dfs_pin_watch links;		/* around that */
	char *mountpoint;
	size_t readahead_bytes;
	bool blocks_logical;
	bool read_only;
	bool writeback;			/* the kernel collects what is written, and has its own idea of sizes and times */
	bool single_thread;
	bool handles_signals;
	void (*ready)(void *arg);
	void *ready_arg;
	int unready;			/* errno of the mount's own root; the ready thread's, until it is joined */
	time_t since;			/* CLOCK_MONOTONIC, s */
	struct timespec began;		/* the same by the clock that files have their times from */
	dev_t below_dev;		/* of the directory that it is mounted on; 0: not known */
	_Atomic dev_t dev;		/* what it shows as; 0 until it answers */

	/* The mountpoint, if it lies inside the store: walking into ourselves would never end. */
	bool nested;
	dev_t nested_dev;		/* of the directory that holds it */
	ino_t nested_ino;
	char nested_name[NAME_MAX + 1];

	pthread_mutex_t lock;
	pthread_cond_t idle;		/* reads is 0 */
	size_t reads;			/* requests to be answered by other threads, under way; under lock */
	_Atomic uint64_t reads_total;	/* READ requests since the mount */
	struct dfs_listing *listings;	/* open directories; under lock */
	struct dfs_said said[DFS_SAID];	/* under lock; see reply.c */
	void *spare;			/* buffers, a list through their first bytes; under lock; see plain.c */
	unsigned n_spare;		/* under lock */
	struct dfs_trouble troubles[DFS_TROUBLES]; /* under lock */
	atomic_bool troubled;		/* there was one */
};

/*
 * How long the kernel may believe what it was told: changes behind the mount
 * show after this. Shorter: a stat() becomes a request each; longer: they
 * show later. Names that are not there are never remembered.
 */
#define DFS_BELIEVE_S 1.0

static inline struct dfs_mount *dfs_mount_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/*
 * reply.c
 */

/* dfs_reply_error() - @ret: a negative errno as this project uses them; mapped to what applications expect */
void dfs_reply_error(fuse_req_t req, int ret);
/* dfs_reply_result() - the same, or success */
void dfs_reply_result(fuse_req_t req, int ret);
/* dfs_reply_failure() - the same, and a line in the log unless it has just said so; none if @err is empty: the caller's business alone */
void dfs_reply_failure(fuse_req_t req, int ret, const struct dfs_err *err);

/*
 * attr.c
 */

/**
 * dfs_attr_number() - the inode number to show for a backing one
 *
 * A store may reach over several file systems (btrfs subvolumes, mounts below
 * it), whose numbers are the same for different files. The mount is one, where
 * cmp(1) and cp(1) take two names of one number for the same file unread. So
 * all but the root's are shown another number, the same at each look.
 */
uint64_t dfs_attr_number(const struct dfs_mount *mount, dev_t dev, uint64_t number);

/* dfs_attr_show() - turn the backing file's attributes into the shown ones */
void dfs_attr_show(const struct dfs_mount *mount, uint64_t shown_size, struct stat *st);

/**
 * dfs_attr_lookup() - the node and shown attributes of a name in an open directory
 * @fd: of the directory; O_PATH will do
 * @ret_node: referenced; dfs_node_put() it
 *
 * Return: 0; -ENOENT, also for names that are not shown; -errno.
 */
int dfs_attr_lookup(struct dfs_mount *mount, struct dfs_node *parent, int fd, const char *name,
		    struct dfs_node **ret_node, struct stat *ret_st);

/* dfs_attr_made() - the same of a name that was just made. @made: of the file, if it is a regular one; NULL. */
int dfs_attr_made(struct dfs_mount *mount, struct dfs_node *parent, int fd, const char *name,
		  const struct stat *made, struct dfs_node **ret_node, struct stat *ret_st);

/* dfs_attr_get() - shown attributes of a node. Return: 0; -ESTALE; -errno. */
int dfs_attr_get(struct dfs_mount *mount, struct dfs_node *node, struct stat *ret_st);

/* dfs_name_hidden() - is @name of directory @parent not to be seen? */
bool dfs_name_hidden(const struct dfs_mount *mount, const struct dfs_node *parent, const char *name);

/*
 * file.c
 */

/* Of a file's handle: may it write? In the last bit of its number, where no pointer has one: not every request brings the flags. */
#define DFS_HANDLE_WRITES ((uintptr_t)1)

static inline struct dfs_open *dfs_open_of(const struct fuse_file_info *fi)
{
	return (struct dfs_open *)((uintptr_t)fi->fh & ~DFS_HANDLE_WRITES);
}

/* dfs_handle_fill() - what the kernel is told of a new handle */
void dfs_handle_fill(fuse_req_t req, struct fuse_file_info *fi, struct dfs_open *open);

/* dfs_open_stat() - attributes of the file that is open under @node. Return: 0; -ENOENT: none is; -ESTALE: it was changed. */
int dfs_open_stat(struct dfs_mount *mount, struct dfs_node *node, struct dfs_node_look *ret_look);

/* dfs_reads_begin() - a request is handed to another thread, which ends it */
void dfs_reads_begin(struct dfs_mount *mount);
void dfs_reads_end(struct dfs_mount *mount);

/* dfs_reads_wait() - until every read has been answered, for @seconds at most. Return: how many have not. */
size_t dfs_reads_wait(struct dfs_mount *mount, unsigned seconds);

/*
 * messages.c
 */

/* dfs_messages_to() - libfuse's messages go to @log from now on; NULL: to standard error again */
void dfs_messages_to(struct dfs_log *log);
/* dfs_messages_catch() - the first one from now on becomes @caught's sentence, and none is logged; NULL: ends that */
void dfs_messages_catch(struct dfs_err *caught);

/*
 * plain.c
 */

/*
 * dfs_plain_read() - reply with bytes of @fd, which @node stands for, or -ESTALE.
 * A name can be taken away and rights be changed while a file is open; its
 * bytes are the same as long as size and mtime are.
 */
void dfs_plain_read(fuse_req_t req, struct dfs_node *node, int fd, size_t size, off_t off);
void dfs_plain_release(struct dfs_mount *mount);

/*
 * dir.c
 */

/* dfs_listings_end() - the same for directories */
void dfs_listings_end(struct dfs_mount *mount);

/*
 * status.c
 */

/* dfs_status_json() - of the whole mount, for the root's attribute. @names: of files, too. Return: text to free(), or NULL. */
char *dfs_status_json(struct dfs_mount *mount, bool names);

/* dfs_reason_tell() - put into @d why the plain file of @node, open as @fd, is plain, with the cure, if that is known */
void dfs_reason_tell(struct dfs_mount *mount, struct dfs_node *node, int fd, struct dfs_description *d);
/* dfs_exact_tell() - the same of a container that is exact, or partly: why, if bits were to be given up */
void dfs_exact_tell(struct dfs_mount *mount, struct dfs_node *node, int fd, struct dfs_description *d);

/* bdi.c: have the kernel read more at once from this mount, and hold more back; quiet where it may not. Once dev is known. */
void dfs_bdi_tune(const struct dfs_mount *mount);

/*
 * The operations, each where its name says.
 */
void dfs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void dfs_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n);
void dfs_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void dfs_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dfs_op_readlink(fuse_req_t req, fuse_ino_t ino);
void dfs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dfs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void dfs_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dfs_op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi);
void dfs_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dfs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void dfs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void dfs_op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dfs_op_statfs(fuse_req_t req, fuse_ino_t ino);
void dfs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void dfs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
/* control_base.c: dfs_control_of_bases() - Return: true: it was one of those that change the bases, and was answered */
bool dfs_control_of_bases(fuse_req_t req, unsigned cmd, const void *in, size_t in_len, size_t out_len);
void dfs_op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg, struct fuse_file_info *fi,
		  unsigned flags, const void *in, size_t in_len, size_t out_len);

/* --- those that change something, of a mount that is not read-only */

/* create.c: dfs_parent_open() - the directory in which @name is to change. Return: 0; -EPERM: not a user's name; -errno. */
int dfs_parent_open(struct dfs_mount *mount, struct dfs_node *parent, const char *name, int *ret_fd);
/* create.c: dfs_parent_close() - after dfs_parent_open() succeeded */
void dfs_parent_close(struct dfs_mount *mount, struct dfs_node *parent, int fd);

/* --- notice.c */

/* dfs_notice_opened() - @pid may write through a handle */
void dfs_notice_opened(struct dfs_mount *mount, struct dfs_open *open, pid_t pid);
/* dfs_notice_writing() - before something is changed through a handle */
void dfs_notice_writing(struct dfs_mount *mount, struct dfs_open *open);
/* dfs_notice_written() - the last handle that may write is gone */
void dfs_notice_written(struct dfs_mount *mount, struct dfs_open *open);
/* dfs_notice_removed() - @file: whose only name it was; NULL: nobody's, or not a regular file's */
void dfs_notice_removed(struct dfs_mount *mount, struct dfs_node *parent, const char *name, const struct stat *file);
/* dfs_notice_replaced() - @file, as above, lost its name to another */
void dfs_notice_replaced(struct dfs_mount *mount, const struct stat *file);
/* dfs_notice_copied() - another container came to be by a copy, before what it was copied from is let go of */
void dfs_notice_copied(struct dfs_mount *mount);
/* dfs_notice_asked() - somebody wants @node compressed: what was decided before is over, after a restart too */
void dfs_notice_asked(struct dfs_mount *mount, struct dfs_node *node);
/* dfs_notice_by_hand() - somebody wants @node plain, @done: and so it is: nothing waits there until it is written */
void dfs_notice_by_hand(struct dfs_mount *mount, struct dfs_node *node, bool done);
void dfs_notice_move_begin(struct dfs_mount *mount);	/* around a rename and dfs_notice_moved() */
void dfs_notice_move_end(struct dfs_mount *mount);
void dfs_notice_moved(struct dfs_mount *mount, struct dfs_node *parent, const char *name,
		      struct dfs_node *to, const char *to_name, bool exchanged);

/* --- policy.c */

/* dfs_policy_is_name() - is it the attribute that is a directory's policy? */
bool dfs_policy_is_name(const char *name);
/* dfs_policy_get_text() - free() it. Return: 0; -ENODATA: it has none; -errno. */
int dfs_policy_get_text(struct dfs_mount *mount, struct dfs_node *node, char **ret_text);
/* dfs_policy_may_set() - Return: 0; -EPERM: no directory, or somebody else's; -E2BIG; -errno. */
int dfs_policy_may_set(struct dfs_mount *mount, struct dfs_node *node, uid_t uid, size_t size);
/* dfs_policy_set() - @fd: of the directory, any; @value: NULL: it is removed. Return: 0; -errno of setxattr(2). */
int dfs_policy_set(int fd, const char *value, size_t size, int flags);
/* dfs_policy_changed() - have it in force for what waits, and for what was there before */
void dfs_policy_changed(struct dfs_mount *mount, struct dfs_node *node);
/* dfs_policy_reason() - make of the reason why a file is plain what it is by the policies of now */
void dfs_policy_reason(struct dfs_mount *mount, const char *path, struct dfs_reason *why);

/*
 * trouble.c
 */

/* dfs_trouble_note() - a read of @ino ended with @ret, and @text says why ("": nobody did); what is no EIO to the caller does not count */
void dfs_trouble_note(struct dfs_mount *mount, fuse_ino_t ino, int ret, const char *text);
/* dfs_trouble_forget() - @path, and all below it, is another file now */
void dfs_trouble_forget(struct dfs_mount *mount, const char *path);
/* dfs_trouble_each() - @each is called under the lock of the mount */
void dfs_trouble_each(struct dfs_mount *mount, void (*each)(void *arg, const struct dfs_trouble *trouble), void *arg);
void dfs_troubles_release(struct dfs_mount *mount);

/*
 * handshake.c
 */

/* dfs_handshake() - answer the first request. Before any thread takes one. Return: 0; -ENODEV: unmounted, or to end; -errno. */
int dfs_handshake(struct dfs_mount *mount);

/*
 * loop.c
 */

/* Bytes of a WRITE at most: what the kernel sends where a page has 4 KiB and nobody allowed it more. */
#define DFS_WRITE_MAX ((size_t)1 << 20)

/* dfs_signals_begin() - those that end the session are blocked, in the threads that follow too, but where dfs_loop() waits for its end */
void dfs_signals_begin(struct dfs_mount *mount);
void dfs_signals_end(struct dfs_mount *mount);

/* dfs_loop() - have the requests of the session answered until it ends. Return: 0; -ENOMEM, -EAGAIN: no threads; what read(2) failed with. */
int dfs_loop(struct dfs_mount *mount);

/*
 * push.c
 */

/* dfs_push_written() - @content, of a plain file, was written to up to @end */
void dfs_push_written(struct dfs_mount *mount, struct dfs_open *open, const struct dfs_content *content, off_t end);
/* dfs_push_cut() - the file has @size bytes now */
void dfs_push_cut(struct dfs_open *open, off_t size);

/*
 * set_id.c
 */

/* dfs_set_id_drop() - before the content of @node changes by @req. Return: 0; errors of dfs_attr_set(). */
int dfs_set_id_drop(fuse_req_t req, struct dfs_node *node);
/* dfs_set_id_drop_open() - the same of what is open; costs a stat if it need not do anything */
int dfs_set_id_drop_open(fuse_req_t req, struct dfs_open *open);

/*
 * setattr.c
 */

/* dfs_attr_set() - all but the size */
int dfs_attr_set(struct dfs_mount *mount, struct dfs_node *node, const struct stat *attr, int set);

/* A node whose attributes are being changed by us; see dfs_node_change(). */
struct dfs_hold {
	struct dfs_open *open;
	struct dfs_content *content;
	int fd;			/* of what is open under it, else one of O_PATH */
};

/* dfs_hold_begin() - Return: 0; -ESTALE, -EPERM: as of dfs_original_may_change(); other -errno. Then there is nothing to end. */
int dfs_hold_begin(struct dfs_mount *mount, struct dfs_node *node, struct dfs_hold *ret_hold);
/* dfs_hold_end() - @look: as of dfs_node_changed() */
void dfs_hold_end(struct dfs_mount *mount, struct dfs_node *node, struct dfs_hold *hold, const struct dfs_look *look);

/* file.c: dfs_open_truncate() - a file that need not be open becomes empty. Blocks; errors as dfs_open_empty(), dfs_open_resize(). */
int dfs_open_truncate(struct dfs_mount *mount, struct dfs_node *node, struct dfs_err *err);

/* write.c: dfs_open_resize() - of what is open for writing. Blocks as dfs_open_settle(), with its errors. */
int dfs_open_resize(struct dfs_mount *mount, struct dfs_open *open, off_t size, struct dfs_err *err);

void dfs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi);
void dfs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void dfs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void dfs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void dfs_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name);
void dfs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void dfs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void dfs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		   fuse_ino_t new_parent, const char *new_name, unsigned flags);
void dfs_op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int set, struct fuse_file_info *fi);
void dfs_op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags);
void dfs_op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);
void dfs_op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi);
void dfs_op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi);
void dfs_op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_off, struct fuse_file_info *from_fi,
			    fuse_ino_t to, off_t to_off, struct fuse_file_info *to_fi, size_t len, int flags);
void dfs_op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dfs_op_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi);
void dfs_op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi);

/* ops.c: all of them */
struct fuse_lowlevel_ops dfs_ops(bool read_only);

/* readonly.c: what would change something; all fields that dfs_ops_readonly() sets answer EROFS */
void dfs_ops_readonly(struct fuse_lowlevel_ops *ops);

#endif
