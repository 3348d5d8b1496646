/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "fuse/node_table.h"
#include "fuse/shown.h"
#include "store/publish.h"
#include "write/keeper.h"

/* How often it is tried while somebody changes the file's attributes or names. */
#define TRIES 64

static bool is_busy(const struct dfs_node *node)
{
	return node && (node->changing || node->replacing);
}

/* Under the lock. A file without a name has no directory. One that was moved behind the mount may get another meanwhile. */
static void hold(struct dfs_replacement *r)
{
	r->mount->nodes.replacing++;
	r->parent = r->node && !r->node->gone ? r->node->parent : NULL;
	if (r->node)
		r->node->replacing = true;
	if (!r->parent)
		return;
	r->parent->replacing = true;
	r->parent->refs++;
}

/* Under the lock, which dfs_nodes_unlock() ends. */
static void hold_no_more(struct dfs_replacement *r)
{
	r->mount->nodes.replacing--;
	if (r->node) {
		r->node->replacing = false;
		r->node->replaced = r->mount->nodes.moment;
	}
	if (!r->parent)
		return;
	r->parent->replacing = false;
	r->parent->replaced = r->mount->nodes.moment;
	dfs_table_unref(&r->mount->nodes, r->parent);
}

/*
 * From here to dfs_replace_leave() nobody changes the file or its directory,
 * opens it for writing, or makes a node of a file that is not known yet: a lease, a
 * look at the store and a rename long.
 */
int dfs_replace_enter(void *arg)
{
	struct dfs_replacement *r = arg;
	struct dfs_nodes *nodes = &r->mount->nodes;
	struct dfs_node *node = r->node;
	int ret = 0;

	pthread_mutex_lock(&nodes->lock);
	while (is_busy(node) || (node && is_busy(node->parent)))
		pthread_cond_wait(&nodes->settled, &nodes->lock);
	if (node && node->gone)
		ret = -ESTALE;
	else if (node && r->still && node->writing)
		ret = -EBUSY;
	if (ret == 0)
		hold(r);
	pthread_mutex_unlock(&nodes->lock);
	return ret;
}

static off_t shown_size_of(const struct dfs_replacement *r, const struct stat *now)
{
	return r->shown_size == DFS_SIZE_STORED ? now->st_size : (off_t)r->shown_size;
}

/* Under the lock. */
static void take_over(struct dfs_replacement *r, const struct stat *now)
{
	struct dfs_nodes *nodes = &r->mount->nodes;
	struct dfs_node *node = r->node;
	struct dfs_content *before;
	/* The kernel was told the size of what was stored; see size_found(). Nobody has such a container open. */
	bool told_another = node->shown_size == DFS_SIZE_UNKNOWN && node->st.st_size != shown_size_of(r, now);

	dfs_table_remove_file(nodes, node);
	node->st = *now;
	node->shown_size = r->shown_size;
	node->loose = false;
	if (!node->gone)
		dfs_table_insert_file(nodes, node);
	if (told_another)
		dfs_table_disown(node);
	before = r->content ? dfs_open_swap(node, r->content) : NULL;
	if (before)
		r->content = before; /* to be put by who made it */
}

/* Under the lock. The node's last name leads to another file now. */
static void leave_behind(struct dfs_replacement *r)
{
	dfs_table_gone(&r->mount->nodes, r->node, r->old_fd);
	r->node->left_ms = dfs_clock_ms(CLOCK_MONOTONIC_COARSE);
	r->old_fd = -1;
}

/* @now: NULL: nothing was replaced */
static void let_go(struct dfs_replacement *r, const struct stat *now)
{
	struct dfs_nodes *nodes = &r->mount->nodes;

	pthread_mutex_lock(&nodes->lock);
	dfs_table_move_on(nodes);
	hold_no_more(r);
	if (now)
		nodes->replaced = nodes->moment;
	if (r->node)
		r->node->changed = nodes->moment;
	if (r->node && now && r->anew)
		leave_behind(r);
	else if (r->node && now)
		take_over(r, now);
	dfs_nodes_unlock(nodes);
}

/* The name that the kernel is to look up anew; in a thread that no request waits for. Return: its directory's number. */
static uint64_t name_of(struct dfs_replacement *r, char name[NAME_MAX + 1])
{
	uint64_t parent = 0;

	pthread_mutex_lock(&r->mount->nodes.lock);
	if (r->parent && r->node->name) {
		parent = r->parent->number;
		snprintf(name, NAME_MAX + 1, "%s", r->node->name);
	}
	pthread_mutex_unlock(&r->mount->nodes.lock);
	return parent;
}

void dfs_replace_leave(void *arg, const struct dfs_published *now)
{
	struct dfs_replacement *r = arg;

	bool renewed = now && r->anew;
	uint64_t parent = 0;
	char name[NAME_MAX + 1] = "";

	if (renewed && r->node)
		parent = name_of(r, name);
	else if (renewed)
		dfs_shown_removed(r->mount->shown, &r->before);	/* else the node does it, once nobody has it open */
	if (now && !renewed) {
		dfs_shown_replaced(r->mount->shown, &r->before, &now->file, r->keep_ctime);
		dfs_shown_replaced(r->mount->shown, &now->dir_before, &now->dir, true);
	}
	let_go(r, now ? &now->file : NULL);
	if (!*name)
		return;
	fuse_lowlevel_notify_inval_entry(r->mount->session, parent, name, strlen(name));
	fuse_lowlevel_notify_inval_inode(r->mount->session, r->node->number, -1, 0);	/* its st_nlink */
}

/* --- a second name */

/* Was it looked up just before nobody could any more? */
static bool has_come(struct dfs_replacement *r, const struct dfs_look *look)
{
	struct dfs_node *node = r->node ? NULL : dfs_node_find(&r->mount->nodes, look);

	dfs_node_put(&r->mount->nodes, node);
	return node != NULL;
}

static int hold_once(struct dfs_mount *mount, int fd, struct dfs_replacement *r)
{
	struct dfs_look look;
	int ret;

	if (!dfs_look_take(&mount->nodes, fd, &look))
		return -errno;
	*r = (struct dfs_replacement){
		.mount = mount, .node = dfs_node_find(&mount->nodes, &look), .still = true, .keep_ctime = true,
		.shown_size = DFS_SIZE_STORED, .before = look.st,
	};
	ret = dfs_replace_enter(r);
	if (ret == 0 && has_come(r, &look)) {
		let_go(r, NULL);
		ret = -EAGAIN;
	}
	if (ret < 0)
		dfs_node_put(&mount->nodes, r->node);
	return ret;
}

int dfs_replace_hold(struct dfs_mount *mount, int fd, struct dfs_replacement *ret_r)
{
	int ret = -EAGAIN;

	for (int i = 0; ret == -EAGAIN && i < TRIES; i++)
		ret = hold_once(mount, fd, ret_r);
	return ret;
}

/* What is open for writing, and has no writer just now, did not see the pin when it was opened. */
static void tell_open(struct dfs_replacement *r)
{
	pthread_mutex_lock(&r->mount->nodes.lock);
	if (r->node->open && r->node->open->content->writable)
		atomic_store(&r->node->open->content->pinned, true);
	pthread_mutex_unlock(&r->mount->nodes.lock);
}

void dfs_replace_linked(struct dfs_replacement *r, const struct stat *now)
{
	if (now)
		dfs_shown_replaced(r->mount->shown, &r->before, now, true);
	if (now && r->node)
		tell_open(r);
	let_go(r, now);
	dfs_node_put(&r->mount->nodes, r->node);
}

/* --- a plain file */

static int publish_once(struct dfs_replacement *r, struct dfs_publish *p, struct dfs_err *err)
{
	char path[PATH_MAX];
	int ret = dfs_node_path(&r->mount->nodes, r->node, path);

	if (ret < 0)
		return ret;
	if (fstat(p->old_fd, &p->expect) < 0)
		return dfs_fail_errno(err, "%s: fstat", path);
	if (p->sb && p->expect.st_nlink != 1)
		return -EMLINK;
	p->target = path;
	r->before = p->expect;
	ret = dfs_publish(r->mount->store, p, err);
	return ret == -ENOENT ? -ESTALE : ret;
}

static int publish(struct dfs_replacement *r, struct dfs_publish *p, struct dfs_err *err)
{
	struct stat now;
	int ret = -ESTALE;

	for (int i = 0; ret == -ESTALE && i < TRIES && !dfs_node_is_gone(&r->mount->nodes, r->node); i++)
		ret = publish_once(r, p, err);
	if (ret < 0)
		unlinkat(dfs_store_fd(r->mount->store), p->tmp_name, 0);
	if (ret != -ESTALE || p->sb || !dfs_node_is_gone(&r->mount->nodes, r->node) ||
	    dfs_node_was_left(&r->mount->nodes, r->node))
		return ret;
	if (fstat(p->old_fd, &r->before) < 0 || fstat(p->tmp_fd, &now) < 0)
		return dfs_fail_errno(err, "fstat");
	dfs_attributes_copy(p->old_fd, &r->before, p->tmp_fd, err);
	dfs_shown_replaced(r->mount->shown, &r->before, &now, false);
	pthread_mutex_lock(&r->mount->nodes.lock);
	hold(r);
	pthread_mutex_unlock(&r->mount->nodes.lock);
	let_go(r, &now);
	return 0;
}

/* @fd: of the temporary, for those who have the file open; taken */
static int replace(struct dfs_replacement *r, struct dfs_publish *p, int fd, struct dfs_err *err)
{
	bool plain = !p->sb;
	int ret = dfs_content_new(r->mount, r->node, fd, plain, plain, &r->content, err);

	p->old_is_still = p->keep = true;
	p->enter = dfs_replace_enter;
	p->leave = dfs_replace_leave;
	p->arg = r;
	if (ret == 0)
		ret = publish(r, p, err);
	else
		unlinkat(dfs_store_fd(r->mount->store), p->tmp_name, 0);
	dfs_content_put(r->mount, r->content);
	return ret;
}

int dfs_replace_plain(struct dfs_mount *mount, struct dfs_node *node, int old_fd, int tmp_fd, const char *tmp_name,
		      enum dfs_replaces what, struct dfs_err *err)
{
	struct dfs_replacement r = {
		.mount = mount, .node = node, .shown_size = DFS_SIZE_STORED, .keep_ctime = what == DFS_REPLACES_SAME,
	};
	struct dfs_publish p = { .tmp_name = tmp_name, .tmp_fd = tmp_fd, .old_fd = old_fd };
	int ret = 0, fd = fcntl(tmp_fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		ret = dfs_fail_errno(err, "dup");
	/* Somebody may be writing by now, whatever was to be replaced. */
	if (ret == 0 && what != DFS_REPLACES_EMPTIED)
		dfs_keeper_follow_written(mount->keeper, old_fd, tmp_fd);
	if (ret == 0)
		ret = replace(&r, &p, fd, err);
	else
		unlinkat(dfs_store_fd(mount->store), tmp_name, 0);
	if (ret == 0 && what == DFS_REPLACES_EMPTIED)
		dfs_keeper_emptied(mount->keeper, old_fd);
	return ret;
}

/* Opened anew: a container that somebody has open for writing would keep others from having it for themselves. */
int dfs_replace_container(struct dfs_mount *mount, struct dfs_node *node, int old_fd, int tmp_fd, const char *tmp_name,
			  const struct dfs_superblock *sb, struct dfs_err *err)
{
	struct dfs_replacement r = { .mount = mount, .node = node, .shown_size = sb->original_size };
	struct dfs_publish p = { .tmp_name = tmp_name, .tmp_fd = tmp_fd, .old_fd = old_fd, .sb = sb };
	int fd = -1, ret = dfs_store_openat(mount->store, tmp_name, O_RDONLY | O_NOATIME, &fd);

	if (ret == 0)
		ret = replace(&r, &p, fd, err);
	if (ret == 0)
		dfs_keeper_emptied(mount->keeper, old_fd);
	if (fd >= 0)
		return ret;
	unlinkat(dfs_store_fd(mount->store), tmp_name, 0);
	return dfs_fail(err, -ret, "open what is to take its place: %s", strerror(-ret));
}
