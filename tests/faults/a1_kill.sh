#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A1, A2: kill -9 at every step of writing, of ingest and of the recovery: all that was synced is there, ingest goes on and ends.
# test: timeout=3600 root nosan
. "$(dirname "$0")/common.sh"
need strace

make_base --params "$(full 1300000 300000)" --hidden 256 --vocab 512 --seed 201
calls="openat openat2 pwrite64 write ftruncate fallocate fsync fdatasync renameat renameat2 linkat unlinkat fsetxattr
	fremovexattr fchmod fchown utimensat flock copy_file_range"
n=0 fired=0 tried=0

# The file is there, all but its last close; then that. phase "write": the tracer sees all of it.
write_in() {
	exec 9>"mnt/$name" && cat "$original" >&9 && sync "mnt/$name" mnt && promise "$original" "$name" || return 1
	[ "$phase" != ingest ] || attach "$@"
	exec 9>&-
}

is_over() { is_coded "$name" || is_dead; }

# under WORDS: one file goes in, as deep as it comes.
under() {
	name=f$((n++))
	[ "$phase" != write ] || attach "$@"
	write_in "$@" 2>/dev/null
	exec 9>&-
	retry 60 is_over || fail "$*: neither compressed nor dead: $(tail -3 "$log")"
	is_dead || umount mnt
	wait "$daemon" 2>/dev/null
	wait "$tracer" 2>/dev/null
}

recovers() {
	start_rw
	promises_hold "$1"
	grep -q " $name\$" manifest && becomes_coded "$name" || rm -f "mnt/$name"
	is_tidy "$1"
	forget_old
}

# Else each round takes longer than the one before.
forget_old() {
	local old
	[ "$(wc -l <manifest)" -gt 8 ] || return 0
	old=$(head -n -4 manifest | cut -d' ' -f2)
	tail -n 4 manifest >newest && mv newest manifest
	for old in $old; do rm "mnt/$old" || fail "rm $old"; done
}

# kill_at CALL K: fails if nothing was killed.
kill_at() {
	tried=$((tried + 1))
	under -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2"
	hit=
	! grep -q 'killed by SIGKILL' trace || hit=1
	recovers "$phase, $1 number $2"
	[ -n "$hit" ] && fired=$((fired + 1))
}

# What a thread does most of each, untouched.
count_calls() {
	under -e trace="$(tr -s '\n\t ' ',' <<<"$calls" | sed 's/,$//')"
	awk '{ split($2, c, "("); if (c[1] ~ /^[a-z0-9_]+$/) n[$1 " " c[1]]++ }
		END { for (k in n) { split(k, a, " "); if (n[k] > m[a[2]]) m[a[2]] = n[k] } for (call in m) print call, m[call] }' trace |
		sort >counts
	recovers "untouched"
}

some_of() {
	local any=$((RANDOM % $1 + 1))
	if [ "$phase" = ingest ]; then printf '%s\n' "$any" "$1" | sort -nu; else echo "$any"; fi
}

# Every one in the full form, as long as it fires; else some of each.
all_of() {
	local k
	if [ -n "$DFS_FULL" ]; then
		for ((k = 1; ; k++)); do kill_at "$1" "$k" || break; done
		return
	fi
	for k in $(some_of "$2"); do kill_at "$1" "$k"; done
}

start_rw
for phase in ingest write; do
	count_calls
	[ "$(wc -l <counts)" -ge 3 ] || fail "$phase: only these calls: $(cat counts)"
	echo "$phase: $(tr '\n' ' ' <counts)"
	while read -r call most <&3; do all_of "$call" "$most"; done 3<counts
done

# Killed in the middle of ingest, and again while it starts.
phase=ingest
for call in openat pwrite64 flock unlinkat renameat fsync; do
	for ((k = 1; k <= $(full 60 1) ; k++)); do
		under -e trace=fsync -e inject=fsync:signal=SIGKILL:when=1
		log=$DFS_TMP/daemon.log
		timeout 60 strace -f -qq -o trace -e trace="$call" -e inject="$call:signal=SIGKILL:when=$((k + $(full 0 4)))" \
			deltafs -f -o rw,quiet=0 store mnt >"$log" 2>&1 &
		daemon=$!
		retry 60 is_over || fail "again at $call $k: neither compressed nor dead"
		is_dead || umount mnt
		wait "$daemon" 2>/dev/null
		hit=
		tried=$((tried + 1))
		! grep -q 'killed by SIGKILL' trace || hit=1 fired=$((fired + 1))
		recovers "again, $call number $k"
		[ -n "$hit" ] || break
	done
done
stop_daemon mnt
every_container_verifies "in the end"
echo "kills $tried, files $n"
faults_fired "$fired" $((tried / 2))
