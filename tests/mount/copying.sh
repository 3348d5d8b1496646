#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# copying: a container that is copied within the mount is a container at once, and whatever else is done to the copy meanwhile sees the bytes that were copied
# test: timeout=300 userns tsan
. "$(dirname "$0")/common.sh"

make_store --params 700000 --seed 5
cat >copies.py <<'PY'
import ctypes, errno, mmap, os, sys, threading, time
threading.excepthook = lambda lost: (threading.__excepthook__(lost), os._exit(1))  # the others would go on
A = open("orig/tune/model.safetensors", "rb").read()
n, SOURCE = len(A), "mnt/tune/model.safetensors"
stored = os.stat("store/tune/model.safetensors").st_size
made = 0
def check(what, right):
    if not right:
        sys.exit(what)
def state(path):
    return os.getxattr(path, "user.deltafs.state")
def new(flags=os.O_RDWR):
    global made
    made += 1
    path = f"mnt/{made}"
    return path, os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o640)
def copy(src, dst, len, at, to=None):
    return os.copy_file_range(src, dst, len, at, at if to is None else to)
def pieces(src, dst, size, end=n, at=0):
    while at < end:
        got = copy(src, dst, min(size, end - at), at)
        check(f"a piece of {got} at {at}", got > 0)
        at += got
def read(path):
    with open(path, "rb") as f:
        return f.read()
def is_copy(what, path, container=True, want=A):
    st = os.stat(path)
    check(f"{what}: size {st.st_size}", st.st_size == len(want))
    check(f"{what}: is {state(path)}", (state(path) != b"plain") == container)
    if container:
        check(f"{what}: takes {st.st_blocks}", st.st_blocks * 512 <= stored + 65536)
        check(f"{what}: stored", os.stat("store" + path[3:]).st_size == stored)
    check(f"{what}: bytes", read(path) == want)
src = os.open(SOURCE, os.O_RDONLY)
def whole():
    path, fd = new()
    number = os.fstat(fd).st_ino
    before = time.time()
    os.fchmod(fd, 0o604)
    os.setxattr(path, "user.mine", b"kept")
    check("whole", copy(src, fd, 1 << 40, 0) == n)
    st = os.fstat(fd)
    check("whole: number", st.st_ino == number)
    check("whole: mode", st.st_mode & 0o7777 == 0o604)
    check("whole: time", abs(st.st_mtime - before) < 2)
    check("whole: attribute", os.getxattr(path, "user.mine") == b"kept")
    check("whole: nothing is left", copy(src, fd, 10, n) == 0)
    check("whole: by the writer", os.pread(fd, n + 1, 0) == A)
    is_copy("whole, open", path)
    os.close(fd)
    is_copy("whole", path)
    check("whole: a number of its own", os.stat(path).st_ino == number != os.stat(SOURCE).st_ino)
def in_pieces():
    for size in (1 << 20, 100001, 4096 * 7):
        path, fd = new(os.O_WRONLY)
        pieces(src, fd, size)
        os.close(fd)
        is_copy(f"pieces of {size}", path)
def two_at_once():
    fds = [new() for _ in range(4)]
    threads = [threading.Thread(target=pieces, args=(src, fd, 65536)) for _, fd in fds]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for path, fd in fds:
        os.close(fd)
        is_copy("at once", path)
def not_in_order():
    path, fd = new()
    copy(src, fd, 5000, 100000)
    pieces(src, fd, 1 << 20)
    os.close(fd)
    is_copy("a piece ahead", path, False)
    path, fd = new()
    pieces(src, fd, 1 << 20, 300000)
    pieces(src, fd, 1 << 20, n, 200000)
    os.close(fd)
    is_copy("a piece twice", path, False)
    path, fd = new()
    pieces(src, fd, 1 << 20, 300000)
    check("moved", copy(src, fd, 1000, 300000, 300500) == 1000)
    os.close(fd)
    is_copy("a piece elsewhere", path, False, A[:300000] + bytes(500) + A[300000:301000])
    path, fd = new()
    os.write(fd, b"something")
    pieces(src, fd, 1 << 20)
    os.close(fd)
    is_copy("not empty", path, False)
def too_short():
    for end in (1, 4096, n - 1):
        path, fd = new()
        pieces(src, fd, 1 << 20, end)
        check(f"size while open: {os.stat(path).st_size}", os.stat(path).st_size == os.fstat(fd).st_size == end)
        os.close(fd)
        check("in the store", read("store" + path[3:]) == A[:end])
        is_copy(f"{end} bytes", path, False, A[:end])
def interrupted(what, do, want, whole=False, container=False):
    path, fd = new()
    pieces(src, fd, 200000, n if whole else 500001)
    path = do(path, fd) or path
    check(f"{what}: open", os.pread(fd, n * 2, 0) == want)
    os.close(fd)
    if os.path.exists(path):
        is_copy(what, path, container, want)
def patched(at, bytes, end=500001):
    want = bytearray(A[:end].ljust(at, b"\0"))
    want[at:at + len(bytes)] = bytes
    return want
def mapped(path, fd):
    with mmap.mmap(fd, 0) as m:
        check("mapped", m[:] == A[:len(m)])
        m[70000:70005] = b"mmap!"
def renamed(path, fd):
    os.rename(path, path + "-moved")
    pieces(src, fd, 200000, n, 500001)
    return path + "-moved"
def linked(path, fd):
    os.link(path, path + "-too")
    pieces(src, fd, 200000, n, os.fstat(fd).st_size)
    check("linked", os.stat(path).st_nlink == 2 and read(path + "-too") == A)
def others_open(path, fd):
    with open(path, "rb") as f:
        check("opened by another", f.read() == A[:os.fstat(fd).st_size])
def emptied(path, fd):
    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
    check("emptied", os.fstat(fd).st_size == 0)
    os.pwrite(fd, b"after", 3)
def copied_from(path, fd):
    other, out = new()
    size = os.fstat(fd).st_size
    check("of a copy", os.copy_file_range(fd, out, size, 0, 0) == size)
    os.close(out)
    check("of a copy: bytes", read(other) == A[:size])
def sought(path, fd):
    check("SEEK_DATA", os.lseek(fd, 1000, os.SEEK_DATA) == 1000)
    check("SEEK_HOLE", os.lseek(fd, 0, os.SEEK_HOLE) == os.fstat(fd).st_size)
def unnamed(path, fd):
    os.unlink(path)
    pieces(src, fd, 1 << 20, n, os.fstat(fd).st_size)
    check("unlinked", os.fstat(fd).st_nlink == 0)
def unnamed_and_read(path, fd):
    reader = os.open(path, os.O_RDONLY)
    os.unlink(path)
    again = os.dup(fd)
    os.close(again)
    writer = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
    os.close(writer)
    check("unlinked: by another", os.pread(reader, n, 0) == A[:500001])
def read_later():
    """By who has it open still when its only writer has left, and its name has gone."""
    path, fd = new()
    pieces(src, fd, 200000, 500001)
    reader = os.open(path, os.O_RDONLY)
    os.unlink(path)
    os.close(fd)
    time.sleep(0.1)
    check("read later", os.pread(reader, n, 0) == A[:500001])
    os.close(reader)
def in_between():
    half = A[:500001]
    interrupted("written", lambda p, fd: os.pwrite(fd, b"W" * 9, 1000) and None, patched(1000, b"W" * 9))
    interrupted("written behind", lambda p, fd: os.pwrite(fd, b"W", 600000) and None, patched(600000, b"W"))
    interrupted("cut", lambda p, fd: os.ftruncate(fd, 70001), A[:70001])
    interrupted("grown", lambda p, fd: os.ftruncate(fd, 600001), half + bytes(100000))
    interrupted("allocated", lambda p, fd: os.posix_fallocate(fd, 0, 510000), half + bytes(9999))
    interrupted("synced", lambda p, fd: os.fsync(fd), half)
    interrupted("mapped", mapped, patched(70000, b"mmap!"))
    interrupted("renamed", renamed, A, container=True)
    interrupted("linked", linked, A)
    interrupted("opened", others_open, half)
    interrupted("emptied", emptied, bytes(3) + b"after")
    interrupted("copied from", copied_from, half)
    interrupted("sought", sought, half)
    interrupted("changed", lambda p, fd: (os.chmod(p, 0o600), os.utime(p, (5, 5)))[0], half)
    interrupted("unlinked", unnamed, A)
    interrupted("unlinked and read", unnamed_and_read, half)
    read_later()
def afterwards():
    """The whole is a container, and its writer has it open."""
    interrupted("then written", lambda p, fd: os.pwrite(fd, b"W" * 9, 1000) and None, patched(1000, b"W" * 9, n), True)
    interrupted("then at 0", lambda p, fd: os.pwrite(fd, b"W" * 3, 0) and None, patched(0, b"W" * 3, n), True)
    interrupted("then appended to", lambda p, fd: os.pwrite(fd, b"W", n + 10) and None, patched(n + 10, b"W", n), True)
    interrupted("then cut", lambda p, fd: os.ftruncate(fd, 70001), A[:70001], True)
    interrupted("then emptied", emptied, bytes(3) + b"after", True)
    interrupted("then mapped", mapped, patched(70000, b"mmap!", n), True)
    interrupted("then synced", lambda p, fd: os.fsync(fd), A, True, True)
    interrupted("then linked", linked, A, True)
    interrupted("then copied from", copied_from, A, True, True)
    interrupted("then unlinked", lambda p, fd: os.unlink(p), A, True)
    def written_without_a_name(path, fd):
        os.unlink(path)
        os.pwrite(fd, b"W" * 9, 1000)
    interrupted("then unlinked and written", written_without_a_name, patched(1000, b"W" * 9, n), True)
def source(flags=os.O_RDWR):
    path, fd = new()
    pieces(src, fd, 1 << 30)
    os.close(fd)
    return path, os.open(path, flags)
def source_changes():
    changes = {
        "written": lambda p, s: (os.pwrite(s, b"N" * 100, 450000), os.fdatasync(s)),
        "emptied": lambda p, s: os.truncate(p, 0),
        "unlinked": lambda p, s: os.unlink(p),
        "replaced": lambda p, s: os.rename(source()[0], p),
        "made plain": lambda p, s: (os.pwrite(s, A[:1], 0), os.fsync(s)),
    }
    for what, change in changes.items():
        path, s = source()
        copied, fd = new()
        pieces(s, fd, 200000, 500001)
        change(path, s)
        check(f"source {what}: size", os.stat(copied).st_size == 500001)
        at = 500001
        while at < n:
            got = copy(s, fd, n - at, at)
            if got == 0:
                break
            at += got
        check(f"source {what}: copied to {at}", at == (500001 if what == "emptied" else n))
        os.close(fd)
        is_copy(f"source {what}", copied, what in ("unlinked", "replaced"), A[:at])
        os.close(s)
def of_a_copy():
    path, s = source(os.O_RDONLY)
    os.unlink(path)
    copied, fd = new()
    check("of a removed copy", copy(s, fd, n, 0) == n)
    os.close(fd)
    os.close(s)
    is_copy("of a removed copy", copied)
for part in sys.argv[1:]:
    globals()[part]()
PY
parts="whole in_pieces two_at_once not_in_order too_short in_between afterwards source_changes of_a_copy"
for mode in writeback nowriteback; do
	options=rw,noingest
	[ $mode = writeback ] || options=$options,nowriteback
	start_daemon store mnt -o $options
	for part in $parts; do
		python3 copies.py "$part" 2>python.err || fail "$mode, $part: $(tail -3 python.err)"
		rm -f mnt/[0-9]*
	done
	stop_daemon mnt
	[ -z "$(ls store/.deltafs/tmp)" ] || fail "left behind: $(ls store/.deltafs/tmp)"
done

# What cannot be decoded is an error of close(2), or of who reads first; zeros are nobody's bytes.
damaged() {
	python3 - <<'PY' || fail "$1: a copy of a damaged file"
import errno, os, sys, time
def fails(call):
    try:
        call()
    except OSError as e:
        return e.errno in (errno.EIO, errno.ESTALE)
n = os.stat("mnt/damaged").st_size
src = os.open("mnt/damaged", os.O_RDONLY)
dst = os.open("mnt/lost", os.O_RDWR | os.O_CREAT, 0o644)
assert os.copy_file_range(src, dst, n - 1, 0, 0) == n - 1
assert fails(lambda: os.pread(dst, 4096, 0)), "read by the writer"
assert fails(lambda: open("mnt/lost", "rb").read()), "read by another"
reader = os.open("mnt/lost", os.O_RDONLY)
assert fails(lambda: os.close(dst)), "closed"
assert fails(lambda: os.pread(reader, 4096, 0)), "read afterwards"
os.close(reader)
# close(2) does not wait for the daemon, which cuts the file then.
end = time.monotonic() + 20
while fails(lambda: open("mnt/lost", "rb").read()) and time.monotonic() < end:
    time.sleep(.01)
assert open("mnt/lost", "rb").read() == b"" and os.stat("mnt/lost").st_size == 0, "afterwards"
dst = os.open("mnt/whole", os.O_RDWR | os.O_CREAT, 0o644)
try:
    at = 0
    while at < n:
        at += os.copy_file_range(src, dst, n - at, at, at)
    sys.exit("what is damaged was copied")
except OSError as e:
    assert e.errno == errno.EIO, e
PY
	rm -f mnt/lost mnt/whole
}
cp store/tune/model.safetensors store/damaged
flip store/damaged "$(($(meta off store/damaged) / 3))"
for mode in writeback nowriteback; do
	start_daemon store mnt -o "rw,noingest$([ $mode = writeback ] || echo ,nowriteback)"
	damaged $mode
	retry 20 grep -q 'lost: what was copied to it could not be written' "$log" || fail "$mode: it says: $(cat "$log")"
	stop_daemon mnt
done
rm store/damaged

# cp(1), without a byte decoded; what it copied is a file like any other, also after a remount.
start_daemon store mnt -o rw,noingest,blocks=logical
cp mnt/tune/model.safetensors mnt/cp1
cp --sparse=never mnt/tune/model.safetensors mnt/cp2
cp -a mnt/tune mnt/again
: >mnt/cp3 && cp mnt/again/model.safetensors mnt/cp3
[ "$(status bytes_decoded)" = 0 ] || fail "decoded to copy: $(status bytes_decoded)"
for copy in cp1 cp2 cp3 again/model.safetensors; do
	[ "$(stat -c %s "store/$copy")" = "$(stat -c %s store/tune/model.safetensors)" ] || fail "$copy is no container"
	cmp orig/tune/model.safetensors "mnt/$copy" || fail "$copy"
done
same mnt/tune/model.safetensors mnt/again/model.safetensors %y%U%a
stop_daemon mnt
deltafsctl verify -r store >verify.out 2>&1 || fail "verify: $(cat verify.out)"
start_daemon store mnt -o rw,noingest
cp mnt/tune/model.safetensors mnt/cp4
for copy in cp1 cp4 again/model.safetensors; do cmp orig/tune/model.safetensors "mnt/$copy" || fail "$copy after a remount"; done

# The queue has nothing to say of it.
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
python3 copies.py whole in_pieces || fail "with a queue"
deltafsctl wait mnt >wait.out 2>&1 || fail "wait: $(cat wait.out)"
deltafsctl status mnt >status.out || fail "status"
grep -q 'compressed already' status.out && fail "status: $(cat status.out)"

# The daemon dies between two pieces.
python3 - "$daemon" <<'PY' || fail "python"
import os, signal, sys
src, dst = os.open("mnt/tune/model.safetensors", os.O_RDONLY), os.open("mnt/died", os.O_RDWR | os.O_CREAT)
os.copy_file_range(src, dst, 500000, 0, 0)
os.kill(int(sys.argv[1]), signal.SIGKILL)
PY
wait "$daemon"
umount -l mnt 2>/dev/null || fusermount3 -uz mnt
start_daemon store mnt -o rw,noingest
cmp -n "$(stat -c %s mnt/died)" mnt/died orig/tune/model.safetensors || fail "other bytes after a crash"
stop_daemon mnt
deltafsctl verify -r store >verify.out 2>&1 || fail "verify: $(cat verify.out)"
