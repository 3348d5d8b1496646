/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pins: links where possible, copies where not, and what pins alone hold.
 *
 * linkat(), ioctl() and fstatvfs() are wrapped by the linker (--wrap, local.mk),
 * to play a file system without hard links, without clones, without room.
 */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "given.h"
#include "store/pins.h"
#include "store/registry.h"

static int link_errno;		/* 0: as the file system does */
static bool clones;		/* where the file system can */
static bool no_room;

int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
	if (!link_errno)
		return __real_linkat(a, from, b, to, flags);
	errno = link_errno;
	return -1;
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	long from;

	va_start(args, request);
	from = va_arg(args, long);
	va_end(args);
	if (!link_errno || clones)
		return __real_ioctl(fd, request, from);
	errno = EOPNOTSUPP;
	return -1;
}

int __real_fstatvfs(int fd, struct statvfs *fs);
int __wrap_fstatvfs(int fd, struct statvfs *fs);
int __wrap_fstatvfs(int fd, struct statvfs *fs)
{
	int ret = __real_fstatvfs(fd, fs);

	if (no_room)
		fs->f_bavail = 0;
	return ret;
}

static int pin(struct dfs_store *store, const char *path, struct dfs_hash hash,
	       enum dfs_pin_how *how, struct dfs_err *why, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);
	const struct dfs_pin_add add = { .fd = fd, .hash = hash };

	why->text[0] = '\0';
	return dfs_pin_add(store, &add, how, why, err);
}

static void a_link_costs_nothing_and_is_made_once(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err why, err = { "" };
	char path[DFS_PIN_PATH_SIZE];
	enum dfs_pin_how how;
	struct stat st;

	(void)state;
	put_model("m", 1, 1000);
	store = lock_store(".");
	CHECK_OK(pin(store, "m", hash_of("m"), &how, &why, &err), err);
	CHECK(how == DFS_PIN_LINKED && !*why.text);
	CHECK(stat(dfs_pin_path(hash_of("m"), path), &st) == 0 && st.st_nlink == 2);
	CHECK_OK(pin(store, "m", hash_of("m"), &how, &why, &err), err);
	CHECK(how == DFS_PIN_THERE);
	CHECK(system("cp m twin") == 0);
	CHECK_OK(pin(store, "twin", hash_of("m"), &how, &why, &err), err);
	CHECK(how == DFS_PIN_THERE);
}

static void without_links_it_is_copied_and_says_why(void **state)
{
	static const struct {
		int code;
		const char *says;
	} reasons[] = { { EXDEV, "another file system" },
			{ EPERM, "not allowed" },
			{ ENOSYS, "no hard links" },
			{ EMLINK, "as many" } };

	(void)state;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		DFS_AUTO(store) struct dfs_store *store = NULL;
		struct dfs_err why, err = { "" };
		char path[DFS_PIN_PATH_SIZE];
		enum dfs_pin_how how;
		struct stat st;

		put_model("m", (unsigned)i, 1000);
		CHECK(chmod("m", 0640) == 0);
		if (can_chown())
			CHECK(chown("m", 1234, 2345) == 0);
		store = lock_store(".");
		link_errno = reasons[i].code;
		CHECK_OK(pin(store, "m", hash_of("m"), &how, &why, &err), err);
		link_errno = 0;
		CHECK(how == DFS_PIN_COPIED);
		CHECK_SAYS(why, reasons[i].says);
		dfs_pin_path(hash_of("m"), path);
		CHECK(dfs_hash_equal(hash_of(path), hash_of("m")));
		CHECK(stat(path, &st) == 0 && st.st_nlink == 1 && (st.st_mode & 0777) == 0640);
		if (can_chown())
			CHECK(st.st_uid == 1234 && st.st_gid == 2345);
		CHECK(system("test -z \"$(ls -A .deltafs/tmp)\"") == 0);
		CHECK(unlink("m") == 0);
	}
}

static void a_clone_goes_before_a_copy(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err why, err = { "" };
	char path[DFS_PIN_PATH_SIZE];
	enum dfs_pin_how how;
	DFS_AUTO(fd) int from = -1;
	DFS_AUTO(fd) int to = -1;

	(void)state;
	put_model("m", 1, 1000);
	from = open("m", O_RDONLY);
	to = open("probe", O_WRONLY | O_CREAT, 0600);
	if (ioctl(to, FICLONE, from) < 0)
		skip(); /* not here: xfs and btrfs can */
	store = lock_store(".");
	link_errno = EXDEV;
	clones = true;
	CHECK_OK(pin(store, "m", hash_of("m"), &how, &why, &err), err);
	link_errno = 0;
	clones = false;
	CHECK(how == DFS_PIN_CLONED && !*why.text);
	CHECK(dfs_hash_equal(hash_of(dfs_pin_path(hash_of("m"), path)), hash_of("m")));
}

static void no_room_for_a_copy_is_told_before_copying(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err why, err = { "" };
	enum dfs_pin_how how;

	(void)state;
	put_model("m", 1, 1000);
	store = lock_store(".");
	link_errno = EXDEV;
	no_room = true;
	CHECK_RET(-ENOSPC, pin(store, "m", hash_of("m"), &how, &why, &err));
	link_errno = 0;
	no_room = false;
	CHECK_SAYS(err, "bytes");
	CHECK(system("test -z \"$(ls -A .deltafs/tmp .deltafs/pins | grep -v :)\"") == 0);
}

static void a_copy_of_other_content_is_thrown_away(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err why, err = { "" };
	struct dfs_hash hash;
	enum dfs_pin_how how;

	(void)state;
	put_model("m", 1, 1000);
	hash = hash_of("m");
	hash.bytes[0] ^= 1; /* as if it had changed since it was hashed */
	store = lock_store(".");
	link_errno = EXDEV;
	CHECK_RET(-EBADMSG, pin(store, "m", hash, &how, &why, &err));
	link_errno = 0;
	CHECK(system("test -z \"$(ls -A .deltafs/tmp .deltafs/pins | grep -v :)\"") == 0);
}

static void what_only_pins_hold_is_known(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mem) struct dfs_pin *pins = NULL;
	struct dfs_err why, err = { "" };
	struct dfs_hash gone;
	enum dfs_pin_how how;
	size_t n;

	(void)state;
	put_model("kept", 1, 1000);
	put_model("gone", 2, 2000);
	gone = hash_of("gone");
	store = lock_store(".");
	CHECK_OK(pin(store, "kept", hash_of("kept"), &how, &why, &err), err);
	CHECK_OK(pin(store, "gone", gone, &how, &why, &err), err);
	put_text(".deltafs/pins/no-hash", "x");
	CHECK(unlink("gone") == 0);
	CHECK_RET(0, dfs_pins_list(store, &pins, &n));
	CHECK(n == 2 && dfs_hash_compare(pins[0].hash, pins[1].hash) < 0);
	for (size_t i = 0; i < 2; i++)
		CHECK(pins[i].alone == dfs_hash_equal(pins[i].hash, gone) && pins[i].stored > 0);
}

static void a_sweep_frees_what_belongs_to_nobody(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(dependants) struct dfs_dependants *dependants = NULL;
	struct dfs_err why, err = { "" };
	char path[3][DFS_PIN_PATH_SIZE];
	const char *names[] = { "needed", "registered", "nobodys" };
	struct dfs_base_file want;
	struct dfs_registry_added added;
	const struct dfs_registry_add request = { .path = "registered.safetensors" };
	enum dfs_pin_how how;
	uint64_t freed;
	struct stat st;

	(void)state;
	store = lock_store(".");
	for (unsigned i = 0; i < 3; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s.safetensors", names[i]);
		put_model(name, i, 1000);
		dfs_pin_path(hash_of(name), path[i]);
		CHECK_OK(pin(store, name, hash_of(name), &how, &why, &err), err);
	}
	want = want_of("needed.safetensors", "");
	put_container("c", 10, &want, 1, NULL);
	CHECK_OK(dfs_registry_add(store, &request, &added, &err), err);
	CHECK(unlink("nobodys.safetensors") == 0);
	CHECK(stat(path[2], &st) == 0);
	CHECK_OK(dfs_dependants_count(store, &dependants, &err), err);
	CHECK_OK(dfs_pins_sweep(store, dependants, &freed, &err), err);
	CHECK(freed == (uint64_t)st.st_blocks * 512);
	CHECK(access(path[0], F_OK) == 0 && access(path[1], F_OK) == 0 &&
	      access(path[2], F_OK) < 0);
}

static bool has_content_of(const char *path, const char *other)
{
	return dfs_hash_equal(hash_of(path), hash_of(other));
}

static void a_pin_lets_go_of_a_file_that_is_to_change(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err why, err = { "" };
	char path[DFS_PIN_PATH_SIZE];
	enum dfs_pin_how how;
	struct stat pinned, user;

	(void)state;
	put_model("m", 1, 1000);
	CHECK(system("cp m original") == 0);
	store = lock_store(".");
	CHECK_OK(pin(store, "m", hash_of("m"), &how, &why, &err), err);
	dfs_pin_path(hash_of("m"), path);
	for (int i = 0; i < 2; i++) { /* the second time there is nothing to do */
		DFS_AUTO(fd) int fd = open("m", O_RDWR);

		CHECK_OK(dfs_pin_detach(store, fd, &err), err);
		CHECK(stat(path, &pinned) == 0 && stat("m", &user) == 0);
		CHECK(pinned.st_ino != user.st_ino && user.st_nlink == 1 && pinned.st_nlink == 1);
		CHECK(pwrite(fd, "changed", 7, 100) == 7);
	}
	CHECK(has_content_of(path, "original") && !has_content_of("m", "original"));
}

static void without_room_a_pin_stays_and_the_file_is_not_to_change(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err why, err = { "" };
	char path[DFS_PIN_PATH_SIZE];
	enum dfs_pin_how how;
	struct stat st;
	DFS_AUTO(fd) int fd = -1;

	(void)state;
	put_model("m", 1, 1000);
	store = lock_store(".");
	CHECK_OK(pin(store, "m", hash_of("m"), &how, &why, &err), err);
	fd = open("m", O_RDWR);
	no_room = true;
	link_errno = EXDEV; /* and no clones */
	CHECK_RET(-ENOSPC, dfs_pin_detach(store, fd, &err));
	no_room = false;
	link_errno = 0;
	CHECK(stat(dfs_pin_path(hash_of("m"), path), &st) == 0 && st.st_nlink == 2);
}

struct watching {
	int answer;
	unsigned entered, left, linked;
};

static nlink_t nlink_of(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return st.st_nlink;
}

static int enter(void *arg, int fd)
{
	struct watching *w = arg;

	CHECK(fd >= 0);
	w->entered++;
	return w->answer;
}

static void leave(void *arg, const struct stat *linked)
{
	struct watching *w = arg;

	w->left++;
	w->linked += linked && linked->st_nlink == 2;
}

static void who_shows_a_file_is_asked_before_it_is_linked(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(fd) int fd = -1;
	struct watching w = { .answer = -EBUSY };
	const struct dfs_pin_watch watch = { enter, leave, &w };
	struct dfs_pin_add add = { .watch = &watch };
	struct dfs_err why, err = { "" };
	enum dfs_pin_how how;

	(void)state;
	put_model("m", 1, 1000);
	store = lock_store(".");
	add.fd = fd = open("m", O_RDONLY);
	add.hash = hash_of("m");
	CHECK_RET(-EBUSY, dfs_pin_add(store, &add, &how, &why, &err));
	CHECK_SAYS(err, "open for writing");
	CHECK(w.entered == 1 && w.left == 0 && nlink_of("m") == 1);
	w.answer = 0;
	CHECK_OK(dfs_pin_add(store, &add, &how, &why, &err), err);
	CHECK(how == DFS_PIN_LINKED && w.entered == 2 && w.left == 1 && w.linked == 1);
	CHECK_OK(dfs_pin_add(store, &add, &how, &why, &err), err); /* nothing is linked */
	CHECK(how == DFS_PIN_THERE && w.entered == 2);
}

static const struct CMUnitTest cases[] = {
	CASE(who_shows_a_file_is_asked_before_it_is_linked),
	CASE(a_link_costs_nothing_and_is_made_once),
	CASE(without_links_it_is_copied_and_says_why),
	CASE(a_clone_goes_before_a_copy),
	CASE(no_room_for_a_copy_is_told_before_copying),
	CASE(a_copy_of_other_content_is_thrown_away),
	CASE(what_only_pins_hold_is_known),
	CASE(a_sweep_frees_what_belongs_to_nobody),
	CASE(a_pin_lets_go_of_a_file_that_is_to_change),
	CASE(without_room_a_pin_stays_and_the_file_is_not_to_change),
};

CHECK_MAIN(cases)
