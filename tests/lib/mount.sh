# SPDX-License-Identifier: GPL-2.0-or-later
# mount: a store with one coded fine-tune, and daemons to read it through.
# Sourced after test.sh.

# make_store [make_pair option]...: in the current directory: orig/base and
# orig/tune as made, store/base (registered) and store/tune (coded in place).
make_store() {
	"$DFS_BUILD/tests/tools/make_pair" "$@" orig >/dev/null || fail "make_pair $*"
	mkdir -p store mnt
	cp -r orig/base orig/tune store/
	deltafsctl base add store store/base >base.out 2>&1 || fail "base add: $(cat base.out)"
	deltafsctl encode -r store/tune >encode.out 2>&1 || fail "encode: $(cat encode.out)"
}

is_mounted() { mountpoint -q "$1"; }

# told NAME FILE: user.deltafs.NAME of a file, empty if it has none.
told() { getfattr --absolute-names --only-values -n "user.deltafs.$1" "$2" 2>/dev/null; }

# start_daemon STORE MOUNTPOINT [deltafs option]...: in the foreground mode, in
# the background; sets daemon (its pid) and log (what it says). Read-only unless
# an option says rw: most tests compare with a store that nobody changes.
# DFS_WRAP: words in front of the command (strace, prlimit, ...).
# DFS_MOUNT_OPTIONS: more options, by which run.sh has a test done once more on
# another kind of mount.
start_daemon() {
	local store=$1 mountpoint=$2
	shift 2
	[[ ",$*," =~ [\ ,]rw[\ ,] ]] || set -- -o ro "$@"
	log=$DFS_TMP/daemon.log
	: >"$log"
	# shellcheck disable=SC2086  # DFS_WRAP is words
	${DFS_WRAP:-} deltafs -f "$@" ${DFS_MOUNT_OPTIONS:+-o "$DFS_MOUNT_OPTIONS"} "$store" "$mountpoint" 2>>"$log" >/dev/null </dev/null &
	daemon=$!
	retry 30 daemon_settled "$mountpoint"
	is_mounted "$mountpoint" || fail "deltafs $* $store $mountpoint: $(cat "$log")"
}

daemon_settled() { is_mounted "$1" || ! kill -0 "$daemon" 2>/dev/null; }

# The daemon itself, where DFS_WRAP stands between.
daemon_pid() {
	if [ "$(cat "/proc/$daemon/comm")" = deltafs ]; then echo "$daemon"; else pgrep -P "$daemon" -x deltafs; fi
}

# attach STRACE_WORD...: to each thread of the daemon. Descriptor 9 is the test's, and not handed on.
attach() {
	local pid
	pid=$(daemon_pid)
	: >trace
	strace -f -qq -o trace -p "$pid" "$@" 2>strace.err 9>&- &
	tracer=$!
	retry 20 all_traced "$pid" || fail "strace does not attach: $(cat strace.err)"
}
all_traced() { ! grep -L 'TracerPid:.*[1-9]' /proc/"$1"/task/*/status 2>/dev/null | grep -q .; }

stop_daemon() {
	local status=0
	umount "$1" 2>/dev/null || fusermount3 -u "$1" || fail "umount $1"
	wait "$daemon" || status=$?
	[ "$status" = 0 ] || fail "the daemon ended with $status: $(tail -3 "$log")"
}

# evict FILE...: out of the page cache, nobody else's pages.
evict() { "$DFS_BUILD/tests/bench/readfile" evict "$@" >/dev/null; }

# pages FILE ORIGINAL: each 4 KiB page read alone through the mount; sets
# right, refused, wrong. /dev/fd/N is that very handle, not another of its file.
pages() {
	local counts
	counts=$(python3 - "$1" "$2" 2>/dev/null <<'PY'
import os, sys
path, original = sys.argv[1], open(sys.argv[2], "rb").read()
shown = int(path[8:]) if path.startswith("/dev/fd/") else os.open(path, os.O_RDONLY)
right = refused = wrong = 0
for at in range(0, len(original), 4096):
    try:
        got = os.pread(shown, 4096, at)
    except OSError:
        refused += 1
        continue
    if got == original[at:at + 4096]:
        right += 1
    else:
        wrong += 1
print(right, refused, wrong)
PY
	) || counts="0 $((($(stat -c %s "$2") + 4095) / 4096)) 0"
	read -r right refused wrong <<<"$counts"
}

# meta FIELD FILE: a number from the superblock of a container.
meta() {
	python3 -c '
import struct, sys
fields = {"size": 40, "container": 64, "off": 72, "len": 80}
with open(sys.argv[2], "rb") as f:
    print(struct.unpack_from("<Q", f.read(256), fields[sys.argv[1]])[0])' "$1" "$2"
}

# flip FILE OFFSET [BIT]: one bit.
flip() {
	python3 -c '
import os, sys
fd, at, bit = os.open(sys.argv[1], os.O_RDWR), int(sys.argv[2]), int(sys.argv[3])
os.pwrite(fd, bytes([os.pread(fd, 1, at)[0] ^ 1 << bit]), at)' "$1" "$2" "${3:-0}"
}

# pages_cached FILE WHICH: bytes of it in memory (0), or those of them that nothing has begun to
# write to the disk (1); status 77 if the kernel does not tell.
pages_cached() {
	python3 - "$@" <<'PY'
import ctypes, os, sys
CACHESTAT = 451
fd = os.open(sys.argv[1], os.O_RDONLY)
area, counts = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(CACHESTAT, fd, area, counts, 0) != 0:
    sys.exit(77)
print(counts[int(sys.argv[2])] * 4096)
PY
}
