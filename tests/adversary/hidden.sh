#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hidden: promise 10, section 3: .deltafs is not visible in the mount: every way to say its name leads nowhere.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
pin=$(cd store && find .deltafs/pins -type f)
ln -s .deltafs store/link
ln -s ../.deltafs/pins store/tune/link
ln -s "../$pin" store/tune/pin
ln -s ../store/.deltafs store/around
mkdir store/sub store/sub/.deltafs && echo mine >store/sub/.deltafs/file
printf 'x' >store/.deltafsx
start_daemon store mnt
for path in .deltafs .deltafs/ .deltafs/. ./.deltafs .//.deltafs//pins tune/../.deltafs sub/../.deltafs/version .deltafs/lock "$pin" \
	link/pins link/version tune/link tune/link/. tune/pin .deltafs/../tune .deltafs/tmp; do
	expect_fail any 'No such file|Not a directory' ls -d "mnt/$path/."
	expect_fail any 'No such file|Not a directory' cat "mnt/$path"
	expect_fail any 'No such file|Not a directory|Read-only|File exists' mkdir "mnt/$path"
done
expect_fail any 'Read-only|No such file|not permitted' mv mnt/tune mnt/.deltafs
expect_fail any 'Read-only|No such file|not permitted' ln -s x mnt/.deltafs
expect_fail any 'Read-only|No such file|not permitted' ln mnt/tune/model.safetensors mnt/.deltafs
[ "$(ls -A mnt | tr '\n' ' ')" = "$(ls -A store | grep -vx .deltafs | tr '\n' ' ')" ] || fail "the listing: $(ls -A mnt)"
# The name is the root's alone: elsewhere it is a user's own, and what only resembles it as well.
[ "$(cat mnt/sub/.deltafs/file)" = mine ] && [ "$(cat mnt/.deltafsx)" = x ] || fail "another's name is hidden"
python3 - mnt store "$pin" <<'PY' || fail "there is a way in"
import ctypes, errno, os, struct, sys
mnt, store, pin = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
root = os.open(mnt, os.O_RDONLY | os.O_DIRECTORY)
def refused(what, result):
    assert result < 0, what
for resolve in (0, 0x01, 0x02, 0x04, 0x08, 0x10):
    for flags in (os.O_RDONLY, 0o10000000):
        how = struct.pack("<QQQ", flags, 0, resolve)
        for name in (b".deltafs", b"./.deltafs/", b"tune/../.deltafs", b"link", b"link/version", pin.encode()):
            fd = libc.syscall(437, root, name, how, len(how))
            assert fd < 0, (name, resolve)
# By handle: what the backing file system would give for the pin must not work here.
handle = ctypes.create_string_buffer(struct.pack("<Ii", 128, 0) + bytes(128))
mount_id = ctypes.c_int()
if libc.name_to_handle_at(-100, os.path.join(store, pin).encode(), handle, ctypes.byref(mount_id), 0) == 0:
    refused("open_by_handle_at", libc.open_by_handle_at(root, handle, os.O_RDONLY))
# By inode, in a listing.
inodes = {os.stat(os.path.join(store, ".deltafs")).st_ino}
assert not inodes & {entry.inode() for entry in os.scandir(root)}
for entry in os.scandir(root):
    assert entry.name != ".deltafs"
PY
alive
stop_daemon mnt
