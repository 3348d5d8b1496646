#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# determinism: the same bytes at any number of threads, with any kernels, and twice.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"

make_pair --params 6000000 --hidden 512 --vocab 6000 --grow 3 --r 0.008 --rows-moved 0.7 --base-shards 2 --seed 21 p
file=p/tune/model.safetensors
run deltafsctl encode --threads 1 --base p/base $file -o want
for threads in 1 2 3 7 16; do
	run deltafsctl encode --threads $threads --base p/base $file -o got
	same want got
done
for kernels in portable avx2 avx512; do
	DELTAFS_CPU=$kernels run deltafsctl encode --base p/base $file -o got
	same want got
	DELTAFS_CPU=$kernels run deltafsctl decode --base p/base got -o back
	same $file back
done
# A machine that is slow elsewhere: threads end in another order.
if command -v strace >/dev/null && [ -z "$DFS_SAN" ]; then
	strace -f -o /dev/null -e inject=pread64:delay_enter=3000:when=5+7 \
		deltafsctl encode --threads 4 --base p/base $file -o got >said 2>&1 || fail "$(cat said)"
	same want got
fi
