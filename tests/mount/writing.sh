#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# writing: what is written to a mount is in the store, as it was written, and both agree on what there is
# test: timeout=300
. "$(dirname "$0")/common.sh"
need setfacl rsync

make_store --params 300000 --seed 11
cp orig/tune/model.safetensors before
start_daemon store mnt -o rw,noingest
grep -q 'is shown at' "$log" && ! grep -q read-only "$log" || fail "it says: $(cat "$log")"
[ "$(status read_only)" = False ] || fail "status says read_only $(status read_only)"

# A tree, by the tools that people use, is the same on both sides and as it was.
mkdir tree tree/d tree/d/e
seq 10000 >tree/numbers
head -c 3000000 /dev/urandom >tree/d/random
truncate -s 5M tree/d/sparse && printf x | dd of=tree/d/sparse bs=1 seek=3000000 conv=notrunc 2>/dev/null
ln -s ../numbers tree/d/link
ln tree/numbers tree/d/e/again
chmod 640 tree/numbers && touch -d '2001-02-03 04:05:06.123456789' tree/d/random
setfacl -m u:12345:r tree/numbers || skip "no ACLs here"
mkfifo tree/fifo
cp -a tree mnt/by-cp
rsync -aHAX tree/ mnt/by-rsync
mkdir mnt/by-tar && tar -C tree --acls -cf - . | tar -C mnt/by-tar --acls -xf -
for copy in by-cp by-rsync by-tar; do
	for side in mnt store; do
		[ -z "$(rsync -aHAX --no-devices -n -i --delete tree/ $side/$copy/ | grep -v '^\.d..t')" ] ||
			fail "$side/$copy: $(rsync -aHAX -n -i --delete tree/ $side/$copy/)"
		diff -r --exclude=fifo tree "$side/$copy" || fail "$side/$copy"
	done
	[ "$(stat -c %i mnt/$copy/numbers)" = "$(stat -c %i mnt/$copy/d/e/again)" ] || fail "$copy: a hard link became a file"
done

# Names move, and what is open stays open.
exec 3<mnt/by-cp/numbers
mv mnt/by-cp mnt/moved && rm mnt/moved/numbers
cmp tree/numbers /dev/fd/3 || fail "an open file that lost its name"
[ "$(stat -L -c %h /dev/fd/3)" = 1 ] || fail "links: $(stat -L -c %h /dev/fd/3)" # d/e/again
rm mnt/moved/d/e/again
[ "$(stat -L -c %h /dev/fd/3)" = 0 ] || fail "links: $(stat -L -c %h /dev/fd/3)"
exec 3<&-
echo new >mnt/moved/numbers && [ "$(cat store/moved/numbers)" = new ] || fail "a name used again"
mv -n mnt/moved/numbers mnt/moved/d/random 2>/dev/null
cmp -s tree/d/random mnt/moved/d/random || fail "mv -n replaced a file"
python3 - <<'PY' || fail "exchange"
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
a, b = b"mnt/moved/numbers", b"mnt/moved/d"
assert libc.renameat2(-100, a, -100, b, 2) == 0, os.strerror(ctypes.get_errno())
assert open("mnt/moved/d").read() == "new\n" and os.path.isdir("mnt/moved/numbers/e")
assert libc.renameat2(-100, a, -100, b, 1) < 0 and ctypes.get_errno() == 17
PY

# A compressed file that is written to in the middle, appended to, cut, and mapped.
model=mnt/tune/model.safetensors
number=$(stat -c %i $model)
python3 - $model before <<'PY' || fail "writes to a compressed file"
import mmap, os, random, sys
random.seed(7)
shown, model = os.open(sys.argv[1], os.O_RDWR), bytearray(open(sys.argv[2], "rb").read())
for i in range(100):
    at, n = random.randrange(len(model)), random.randrange(1, 9000)
    piece = os.urandom(n)[:len(model) - at]
    os.pwrite(shown, piece, at)
    model[at:at + len(piece)] = piece
    at = random.randrange(len(model))
    assert os.pread(shown, 50000, at) == model[at:at + 50000], (i, at)
view = mmap.mmap(shown, 0)
view[12345:12350] = model[12345:12350] = b"mmap!"
view.flush()
os.close(shown)
open(sys.argv[2], "wb").write(model)
PY
cmp $model before || fail "after close"
cmp store/tune/model.safetensors before || fail "in the store"
[ "$(stat -c %i $model)" = "$number" ] || fail "another inode number: $(stat -c %i $model), was $number"
[ -z "$(ls store/.deltafs/tmp)" ] || fail "left behind: $(ls store/.deltafs/tmp)"
echo appended >>$model && echo appended >>before && truncate -s -3 $model && truncate -s -3 before
cmp $model before || fail "appended and cut"

# What claims to be a container is what it was, also after a remount.
cp orig/tune/model.safetensors whole && deltafsctl encode --base orig/base whole -o coded >/dev/null || fail "encode -o"
cp coded mnt/copied
cmp coded mnt/copied || fail "a container that was copied in is not its own bytes"
head -c 16 coded >mnt/beginning && tail -c +17 coded >>mnt/beginning
cmp coded mnt/beginning || fail "a container in two pieces"

# .deltafs is nobody's name.
expect_fail any 'Operation not permitted' mkdir mnt/.deltafs
expect_fail any 'Operation not permitted' mv mnt/copied mnt/.deltafs
expect_fail any 'Operation not permitted' ln -s x mnt/.deltafs
expect_fail any 'Operation not permitted' setfattr -n user.deltafs.state -v x mnt/copied
expect_fail any 'Operation not permitted' setfattr -n user.deltafs.container -v x mnt/copied

stop_daemon mnt
start_daemon store mnt -o rw,noingest
cmp coded mnt/copied && cmp coded mnt/beginning || fail "after a remount"
cmp $model before || fail "the model after a remount"
stop_daemon mnt
start_daemon store mnt
cmp coded mnt/copied || fail "read-only"
stop_daemon mnt
