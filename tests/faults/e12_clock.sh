#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E12: the clock jumps by ten years, both ways, while files come to rest and are compressed: nothing is stuck, no time rewritten.
# test: timeout=300 nosan
. "$(dirname "$0")/common.sh"
command -v cc >/dev/null || skip "no C compiler"

# Only the wall clock jumps: by the seconds that ./clock holds. (libfaketime
# also changes what the kernel says of files.)
cat >clock.c <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long jump(void)
{
	char text[32] = "";
	int fd = syscall(SYS_openat, AT_FDCWD, CLOCK, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && syscall(SYS_read, fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	if (fd >= 0)
		syscall(SYS_close, fd);
	return atol(text);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int ret = syscall(SYS_clock_gettime, id, now);

	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		now->tv_sec += jump();
	return ret;
}

time_t time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*tv = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}
C
cc -shared -fPIC -DCLOCK="\"$PWD/clock\"" -o clock.so clock.c || fail "cc"

make_base --params 60000 --hidden 64 --vocab 256 --seed 351
clock() { echo "$1" >clock.new && mv clock.new clock; }
clock 0
DFS_WRAP="./own_share env LD_PRELOAD=$PWD/clock.so" start_daemon store mnt -o rw,quiet=1
grep -q clock.so "/proc/$(daemon_pid)/maps" || fail "the clock is not faked"
year=$((365 * 86400))
n=0
for jump in -$((10 * year)) $((10 * year)) 0 -86400 $((74 * year)) -10 0; do
	name=f$n
	touch -d "2100-01-01 00:00:00.123456789" reference
	put "$original" "$name"
	if [ $((n % 2)) = 0 ]; then touch "mnt/$name"; else touch -r reference "mnt/$name"; fi
	before=$(stat -c '%y' "mnt/$name")
	clock "$jump"
	becomes_coded "$name" 20
	[ "$(stat -c '%y' "mnt/$name")" = "$before" ] || fail "$jump: the time of the file was rewritten: $before, now $(stat -c %y "mnt/$name")"
	[ "$(stat -c '%y' "store/$name")" = "$before" ] || fail "$jump: the time in the store: $(stat -c %y "store/$name"), not $before"
	n=$((n + 1))
done
# Written in the far future, read in the past: read all the same, and changed.
clock -$((10 * year))
promises_hold "in the past"
printf new | dd of=mnt/f1 bs=1 seek=100000 conv=notrunc status=none && becomes_coded f1 20
is_tidy "in the end"
stop_daemon mnt
cp "$original" want && printf new | dd of=want bs=1 seek=100000 conv=notrunc status=none
start_rw
cmp mnt/f1 want || fail "other bytes"
stop_daemon mnt
every_container_verifies "in the end"
faults_fired "$n" 7
