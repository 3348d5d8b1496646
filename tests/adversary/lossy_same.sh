#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_same: promise 3, one fine-tune coded again and again, with other threads, CPUs, locales, an order of tensors or shards of its own, after kill -9, by a command and by a daemon: one container, and from a container one file.
# test: timeout=300
. "$(dirname "$0")/lossy_common.sh"

pair base tune layers=5
pair base tune.other layers=5,order=[3,0,4,2,1]
CODECS="bitdelta:k=2 delta-dct delta-dct:levels=minmax ultradelta:s=0.97 ultradelta:mask=stored,levels=codebook delta-come"

# What surrounds the command is of no consequence.
again() { env "$@" deltafsctl encode --yes --codec "$codec" --base base tune -o again >said 2>&1 || fail "$*: $(cat said)"; cmp coded again || fail "$codec: another container with $*"; }
for codec in $CODECS; do
	encode --codec "$codec" --base base tune -o coded
	decode --base base coded -o back
	encode --codec "$codec" --threads 8 --base base tune -o again
	cmp coded again || fail "$codec: another container with 8 threads"
	evict base tune
	again DELTAFS_CPU=portable
	again DELTAFS_CPU=avx2 LC_ALL=de_DE.UTF-8 TZ=Pacific/Apia
	again OMP_NUM_THREADS=7 OPENBLAS_NUM_THREADS=7 MALLOC_PERTURB_=85
	OPENBLAS_CORETYPE=Prescott decode --base base coded -o again
	cmp back again || fail "$codec: other bytes with other kernels of OpenBLAS"

	# Where a tensor lies in the file is of no consequence to what it becomes, unless places are drawn by its number.
	[[ $codec != ultradelta* ]] || continue
	encode --codec "$codec" --base base tune.other -o again
	decode --base base again -o other
	python3 -c 'import lossy_pair; assert lossy_pair.load("back")[0] == lossy_pair.load("other")[0]' || fail "$codec: other bytes in another order of tensors"
done

# Killed at any moment, and begun again.
for codec in delta-dct delta-come; do
	encode --codec "$codec" --base base tune -o coded
	for ms in 5 20 40 80 120; do
		deltafsctl encode --yes --codec "$codec" --base base tune -o killed >said 2>&1 &
		sleep "0.$(printf %03d "$ms")"
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
	done
	encode --codec "$codec" --base base tune -o killed
	cmp coded killed || fail "$codec: another container after kill -9"
done

# Shards in any order, together or one at a time.
python3 - <<'PY' || fail "make shards"
from lossy_pair import COLS, ROWS, load, save
tensors, _ = load("tune")
names = list(tensors)
for i, part in enumerate((names[:2], names[2:3], names[3:])):
    save("model-%05d-of-00003.safetensors" % (i + 1), [(name, "BF16", [ROWS, COLS], tensors[name]) for name in part])
PY
shard() { echo "model-0000$1-of-00003.safetensors"; }
for codec in ultradelta ultradelta:mask=stored,levels=codebook; do
	encode --codec "$codec" --base base "$(shard 1)" "$(shard 2)" "$(shard 3)" -o forward
	encode --codec "$codec" --base base "$(shard 3)" "$(shard 1)" "$(shard 2)" -o backward
	for i in 1 2 3; do
		cmp "forward/$(shard $i)" "backward/$(shard $i)" || fail "$codec: shard $i is another in another order"
		encode --codec "$codec" --base base "$(shard $i)" -o alone
		cmp "forward/$(shard $i)" alone || fail "$codec: shard $i is another alone"
	done
done

# By commands in one store, by a daemon in another; killed while it works in a third.
store_of base
mkdir store/m store/s
cp tune store/m/model.safetensors && cp model-*-of-*.safetensors store/s/
cp -a store bare
for codec in bitdelta ultradelta delta-come; do
	rm -rf by_command && cp -a bare by_command
	(cd by_command && encode --codec "$codec" -r m s) || exit 1
	for how in quietly killed; do
		rm -rf store && cp -a bare store && rm -f store/m/* store/s/*
		start_daemon store mnt -o rw,quiet=0
		policy set mnt "codec=$codec"
		cp tune mnt/m/model.safetensors
		cp "$(shard 2)" "$(shard 3)" "$(shard 1)" mnt/s/
		if [ $how = killed ]; then
			kill -9 "$daemon"
			wait "$daemon" 2>/dev/null
			umount -l mnt 2>/dev/null || fusermount3 -uz mnt
			start_daemon store mnt -o rw,quiet=0
		fi
		settle
		for file in m/model.safetensors "s/$(shard 1)" "s/$(shard 2)" "s/$(shard 3)"; do
			is_lossy "mnt/$file" || fail "$codec, $how: $(describe "mnt/$file")"
			cmp "store/$file" "by_command/$file" || fail "$codec, $how: the daemon's $file is another container than the command's"
		done
		stop_daemon mnt
	done
done
