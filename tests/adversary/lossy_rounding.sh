#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_rounding: promise 3, a library that is loaded before main() and has floats rounded upwards, or subnormal ones flushed to zero, as some do: containers and what they decode to are the same bytes, by the commands and by a daemon.
# test: nosan
. "$(dirname "$0")/lossy_common.sh"
command -v cc >/dev/null || skip "no C compiler"

cat >modes.c <<'C'
#include <fenv.h>
#include <stdint.h>
#include <stdlib.h>

static void flush_to_zero(void)
{
#if defined(__x86_64__)
	__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#elif defined(__aarch64__)
	uint64_t fpcr;

	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	__asm__ volatile("msr fpcr, %0" : : "r"(fpcr | 1ull << 24));
#endif
}

__attribute__((constructor)) static void set_mode(void)
{
	const char *mode = getenv("FLOAT_MODE");

	if (mode && mode[0] == 'u')
		fesetround(FE_UPWARD);
	else if (mode && mode[0] == 'z')
		flush_to_zero();
}
C
cc -shared -fPIC -o modes.so modes.c -lm || fail "cc"
with() { FLOAT_MODE=$1 LD_PRELOAD=$PWD/modes.so "${@:2}" >said 2>&1 || fail "$*: $(cat said)"; }

# A program that does not mind shows that the modes are set.
cat >sum.c <<'C'
#include <stdio.h>

int main(void)
{
	volatile float one = 1, bit = 0x1p-30f, least = 0x1p-140f, half = 0.5f;

	printf("%d %d\n", one + bit != 1, least * half == 0);
}
C
cc -o sum sum.c || fail "cc"
modes() { FLOAT_MODE=$1 LD_PRELOAD=$PWD/modes.so ./sum; }
[ "$(modes no) $(modes up) $(modes zero)" = "0 0 1 0 0 1" ] || skip "no such modes here: $(modes no), $(modes up), $(modes zero)"

# Usual weights, and ones of which most are subnormal, with differences of the last bits.
pair usual.base usual.tune
python3 - <<'PY' || fail "make the subnormal pair"
import random
from lossy_pair import COLS, ROWS, f32, layer, save
rng, n = random.Random(4), ROWS * COLS
for name in ("small.base", "small.tune"):
    save(name, [(layer(0), "F32", [ROWS, COLS], f32([rng.randrange(-60, 61) * 2.0 ** -140 for _ in range(n)])),
                (layer(1), "F32", [ROWS, COLS], f32([rng.gauss(0, 2.0 ** -125) for _ in range(n)]))])
PY
for kind in usual small; do
	for codec in exact bitdelta:k=3 delta-dct delta-dct:levels=minmax ultradelta ultradelta:levels=codebook delta-come; do
		encode --codec "$codec" --base $kind.base $kind.tune -o coded
		decode --base $kind.base coded -o back
		for mode in up zero; do
			with $mode deltafsctl encode --yes --codec "$codec" --base $kind.base $kind.tune -o other
			cmp coded other || fail "$kind, $codec: another container, $mode"
			with $mode deltafsctl decode --base $kind.base coded -o other
			cmp back other || fail "$kind, $codec: other bytes, $mode"
		done
	done
done

# A daemon in such a place codes what a usual one reads, and the other way round.
store_of usual.base
encode --codec delta-dct --base usual.base usual.tune -o coded
decode --base usual.base coded -o back
for modes in "up no" "no up"; do
	read -r writing reading <<<"$modes"
	DFS_WRAP="env FLOAT_MODE=$writing LD_PRELOAD=$PWD/modes.so" start_daemon store mnt -o rw,quiet=0
	rm -rf mnt/lossy && mkdir mnt/lossy && policy set mnt/lossy codec=delta-dct
	cp usual.tune mnt/lossy/model.safetensors
	settle
	is_lossy mnt/lossy/model.safetensors || fail "$(describe mnt/lossy/model.safetensors)"
	stop_daemon mnt
	DFS_WRAP="env FLOAT_MODE=$reading LD_PRELOAD=$PWD/modes.so" start_daemon store mnt
	cmp mnt/lossy/model.safetensors back || fail "written $writing, read $reading"
	stop_daemon mnt
done
