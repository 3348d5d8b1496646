# SPDX-License-Identifier: GPL-2.0-or-later
# runner: runs test scripts and unit tests side by side, each with a directory, a log and a
# time limit of its own, and counts how they end. Sourced by run.sh after test.sh.
#
# Needs: RUN, a directory of this run; AT_ONCE, how many side by side.
# Keeps: $RUN/results, lines "STATUS NAME SECONDS" with STATUS pass, fail or skip;
# $RUN/reasons, lines "STATUS NAME: REASON" of what did not pass.

# runner_name PATH: of a script below the sources, or a program below the build.
runner_name() {
	local path=${1#"$DFS_BUILD/"}
	echo "${path#"$DFS_SRC/"}"
}

# runner_word SCRIPT WORD: whether its "# test:" line has it (WORD may be "timeout").
runner_word() { sed -n 's/^# test: *//p' "$1" | tr ' ' '\n' | grep -qxE "$2(=.*)?"; }

# runner_timeout SCRIPT: in seconds; sanitizers make everything slower.
runner_timeout() {
	local seconds
	seconds=$(sed -n 's/^# test:.*timeout=\([0-9]*\).*/\1/p' "$1" | head -1)
	seconds=${seconds:-300}
	[ -z "$DFS_SAN" ] || seconds=$((seconds * 4))
	echo "$seconds"
}

# runner_reason WORD TEXT: what it last said of itself, in a line; else its last line.
runner_reason() {
	{ sed -n "s/^$1: //p" <<<"$2" | grep . || grep . <<<"$2"; } | tail -1 | cut -c1-300
}

# runner_count STATUS NAME SECONDS [LOG]
runner_count() {
	local said reason
	echo "$1 $2 $3" >>"$RUN/results"
	[ "$1" != pass ] || { printf 'PASS %s (%s s)\n' "$2" "$3"; return; }
	said=$(tail -n 25 "$4" 2>/dev/null)
	reason=$(runner_reason "${1^^}" "$said")
	echo "$1 $2: $reason" >>"$RUN/reasons"
	case $1 in
	skip) printf 'SKIP %s: %s\n' "$2" "$reason" ;;
	fail) printf 'FAIL %s (%s s)\n%s\n' "$2" "$3" "$(sed 's/^/    | /' <<<"$said")" ;;
	esac
}

# runner_san_reports DIR: what a sanitizer had to say about a daemon that the
# test itself did not look at.
runner_san_reports() { find "$1" -maxdepth 1 -name 'san.*' -size +0 2>/dev/null; }

# runner_one SCRIPT NAME [COMMAND...]: COMMAND becomes the ordinary user.
runner_one() {
	local script=$1 name=$2 id dir log status=0 start=$SECONDS report
	shift 2
	id=$(tr / . <<<"$name" | tr -c 'A-Za-z0-9._\n' -)
	dir=$RUN/$id log=$RUN/logs/$id.log
	mkdir "$dir" && chmod 755 "$dir" || return 1
	[ $# = 0 ] || chown "$TEST_USER" "$dir"
	(
		export DFS_TMP=$dir HOME=$dir TMPDIR=$dir srcdir=$DFS_SRC
		export ASAN_OPTIONS="log_path=$dir/san:detect_leaks=1:$DFS_ASAN_MORE"
		export UBSAN_OPTIONS="print_stacktrace=1:log_path=$dir/san"
		export TSAN_OPTIONS="log_path=$dir/san:suppressions=$DFS_SRC/tests/lib/tsan.supp"
		echo "$BASHPID" >"$dir.pid"
		cd "$dir" || exit 1
		exec timeout -k 20 "$(runner_timeout "$script")" "$@" "$script"
	) </dev/null >"$log" 2>&1 || status=$?
	[ "$status" != 124 ] || echo "FAIL: out of time" >>"$log"
	report=$(runner_san_reports "$dir")
	if [ -n "$report" ]; then
		# shellcheck disable=SC2086
		cat $report >>"$log"
		status=1
	fi
	case $status in
	0) runner_count pass "$name" $((SECONDS - start)) ;;
	77) runner_count skip "$name" $((SECONDS - start)) "$log" ;;
	*) runner_count fail "$name" $((SECONDS - start)) "$log" ;;
	esac
	rm -f "$dir.pid"
	runner_clear "$dir"
}

# runner_stop: end what still runs (timeout leads each test's process group).
runner_stop() {
	local file pid
	for file in "$RUN"/*.pid; do
		pid=$(cat "$file" 2>/dev/null) || continue
		kill -TERM -- "-$pid" 2>/dev/null
	done
	wait
	for file in "$RUN"/*.pid; do
		pid=$(cat "$file" 2>/dev/null) || continue
		kill -KILL -- "-$pid" 2>/dev/null
	done
}

# runner_clear DIR: nothing of a test outlives it.
runner_clear() {
	unmount_below "$1"
	chmod -R u+rwX "$1" 2>/dev/null
	rm -rf "$1" 2>/dev/null || { unmount_below "$1"; rm -rf "$1"; }
}

# runner_finish LOGS: the end of a run, whose directory is RUN: its logs go to LOGS in the build tree.
runner_finish() {
	runner_stop 2>/dev/null
	local dir
	for dir in "$RUN"/*/; do
		[ "$dir" = "$RUN/logs/" ] || runner_clear "${dir%/}"
	done
	rm -rf "${DFS_BUILD:?}/$1"
	mv "$RUN/logs" "$DFS_BUILD/$1" 2>/dev/null
	cd / && rm -rf "$RUN"
}

# runner_room: until one more may run.
runner_room() {
	while [ "$(jobs -rp | wc -l)" -ge "$AT_ONCE" ]; do
		wait -n 2>/dev/null
	done
}

# runner_all PREFIX SUFFIX COMMAND -- SCRIPT...: all of them, AT_ONCE side by side; those
# marked serial after the others, one by one.
runner_all() {
	local prefix=$1 suffix=$2 command=() script serial=()
	shift 2
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	for script; do
		if runner_word "$script" serial; then
			serial+=("$script")
			continue
		fi
		runner_room
		runner_one "$script" "$prefix$(runner_name "$script")$suffix" "${command[@]}" &
	done
	wait
	for script in "${serial[@]}"; do
		runner_one "$script" "$prefix$(runner_name "$script")$suffix" "${command[@]}" &
		wait
	done
}
