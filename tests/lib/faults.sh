# SPDX-License-Identifier: GPL-2.0-or-later
# faults: what each script of tests/faults says of itself: the seed of what is
# random in it, and how many faults there were. Sourced after test.sh.

# DFS_SEED=N to see the same again.
seed=${DFS_SEED:-$RANDOM}
RANDOM=$seed
echo "seed $seed"

# full FULL SHORT: a number for either form.
full() { if [ -n "$DFS_FULL" ]; then echo "$1"; else echo "$2"; fi; }

# faults_fired N [LEAST]: said once, by who got to the end. Without a fault nothing was shown.
faults_fired() {
	echo "faults $1"
	[ "$1" -gt 0 ] && [ "$1" -ge "${2:-1}" ] || fail "only $1 faults fired, ${2:-1} were to"
}
