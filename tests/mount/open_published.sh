#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# open_published: who opens a file for writing in the very moment in which it is compressed waits for that, and is not refused
# test: root timeout=300 nosan
. "$(dirname "$0")/common.sh"
command -v cc >/dev/null || skip "no C compiler"

# Who keeps others from writing to it has the time for that, and who is kept from it too.
cat >lease.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int slow(const char *name, int fd, int command, void *arg)
{
	int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
	int ret = real(fd, command, arg);

	if (command == F_SETLEASE && (long)arg == F_RDLCK && ret == 0) {
		fprintf(stderr, "leased\n");
		usleep(700000);
	}
	return ret;
}

#define FCNTL(name)						\
	int name(int fd, int command, ...)			\
	{							\
		va_list more;					\
		void *arg;					\
								\
		va_start(more, command);			\
		arg = va_arg(more, void *);			\
		va_end(more);					\
		return slow(#name, fd, command, arg);		\
	}
FCNTL(fcntl)
FCNTL(fcntl64)
C
cc -shared -fPIC -O -o lease.so lease.c -ldl || fail "cc"

make_store --params 300000 --seed 29
DFS_WRAP="env LD_PRELOAD=$PWD/lease.so" start_daemon store mnt -o rw,quiet=600
mkdir mnt/dir
cp orig/tune/model.safetensors mnt/dir/f
exec 5<mnt/dir/f
python3 - mnt/dir/f orig/tune/model.safetensors <<'PY' || fail "$(tail -3 "$log")"
import os, subprocess, sys, time
path, want = sys.argv[1], open(sys.argv[2], "rb").read()
subprocess.run(["deltafsctl", "policy", "set", os.path.dirname(path), "quiet=0"], check=True, stdout=subprocess.DEVNULL)
end, n, longest = time.monotonic() + 120, 0, 0
while os.getxattr(path, "user.deltafs.state") != b"container":
    if time.monotonic() > end:
        sys.exit("it is not compressed: " + os.getxattr(path, "user.deltafs.reason").decode())
    before = time.monotonic()
    os.close(os.open(path, os.O_RDWR))
    longest = max(longest, time.monotonic() - before)
    n += 1
    time.sleep(0.05)
if open(path, "rb").read() != want or os.pread(5, len(want) + 1, 0) != want:
    sys.exit("other bytes")
print(f"opened {n} times, for {longest:.1f} s at most")
if longest < 0.4:
    sys.exit("nobody had to wait: this shows nothing")
PY
grep -q '^leased' "$log" || fail "nobody was kept from it: this shows nothing: $(tail -3 "$log")"
exec 5<&-
stop_daemon mnt
