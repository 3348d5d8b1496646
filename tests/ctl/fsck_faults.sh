#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fsck: a repair that is killed or fails at any call leaves what could be read readable, and the next one ends it.
# test: timeout=900 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
. "$DFS_SRC/tests/lib/mount.sh"
need strace

# The short form takes one of eight pairs of a damage and a failure, others each time.
stride=3 share=8
[ -z "$DFS_FULL" ] || stride=1 share=1
seed=${DFS_SEED:-$RANDOM}
echo "seed $seed"
make_store --params 60000 --hidden 64 --vocab 256 --seed 41
mv store clean
coded=tune/model.safetensors
container=$(meta container clean/$coded)
pin=$(find clean/.deltafs/pins -type f) pin=.deltafs/pins/${pin##*/}
record=$(find clean/.deltafs/bases -name '*.json') record=.deltafs/bases/${record##*/}

reads() { deltafsctl decode store/$coded -o - 2>decode.err | cmp - orig/tune/model.safetensors || fail "$what: not readable: $(cat decode.err said)"; }

# What each damage leaves readable.
damages=(
	'flip store/$coded 100 3'
	'flip store/$coded $((container - 9)) 5'
	'truncate -s -100 store/$coded'
	'truncate -s +5000 store/$coded'
	'rm store/$pin'
	'cp store/base/model.safetensors x && mv x store/base/model.safetensors && echo more >>store/$pin'
	'truncate -s 100 store/$record'
	'echo nonsense >store/.deltafs/pending'
	'echo x >store/.deltafs/tmp/x; head -c 5000 /dev/urandom >store/.deltafs/pins/00112233445566778899aabbccddeeff'
)

fired=0 pair=$seed
for damage in "${damages[@]}"; do
	for how in "pwrite64:error=EIO" "write:error=ENOSPC" "fsync:error=EIO" "utimensat:error=EROFS" "ftruncate:error=EIO" \
		"linkat:error=EPERM" "renameat:error=EIO" "unlinkat:error=EROFS" "openat2:error=EACCES" \
		"pwrite64:signal=SIGKILL" "write:signal=SIGKILL" "fsync:signal=SIGKILL" "linkat:signal=SIGKILL" \
		"renameat:signal=SIGKILL" "unlinkat:signal=SIGKILL" "openat2:signal=SIGKILL"; do
		pair=$((pair + 1))
		[ $((pair % share)) = 0 ] || continue
		for ((k = 1; ; k += stride)); do
			what="$damage, $how number $k"
			rm -rf store
			cp -a clean store
			eval "$damage" || fail "$what: this test is wrong"
			status=0
			(strace -f -o trace -e trace="${how%%:*}" -e inject="$how:when=$k" fsck.deltafs -y store) >said 2>/dev/null || status=$?
			grep -q 'INJECTED\|killed by SIGKILL' trace || break
			[ $status != 127 ] || continue	# the dynamic loader's own
			fired=$((fired + 1))
			[ $status = 137 ] || [ $((status & ~13)) = 0 ] || fail "$what: exit status $status: $(cat said)"
			if [ "${damage%% *}" != cp ] || [ $status != 137 ]; then reads; fi
			status=0
			fsck.deltafs -y store >said 2>&1 || status=$?
			[ $status -le 1 ] || fail "$what: the next repair: exit status $status: $(cat said)"
			fsck.deltafs -f store >said 2>&1 || fail "$what: after the next repair: $(cat said)"
			reads
		done
	done
done
[ $fired -ge $((share == 1 ? 200 : 3)) ] || fail "only $fired failures"
echo "$fired failures"
