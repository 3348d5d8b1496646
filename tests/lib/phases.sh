# SPDX-License-Identifier: GPL-2.0-or-later
# phases: the parts of a whole run, one function each. Sourced by run.sh.

TEST_USER=nobody
TEST_GROUP=$(id -gn nobody 2>/dev/null)

# wanted NAME: whether --only lets it in. A build of its own (asan:, fuzz:) is
# made only for a pattern that names it.
wanted() {
	case $ONLY in
	"") return 0 ;;
	*) [[ $1 == *$ONLY* && (${1%%:*} == "$1" || ${ONLY%%:*} != "$ONLY") ]] ;;
	esac
}

# scripts_in DIR...: the tests there that are wanted, with prefix $PREFIX.
scripts_in() {
	local dir script
	for dir; do
		for script in "$DFS_SRC/tests/$dir"/*.sh; do
			[ -x "$script" ] || continue
			case ${script##*/} in setup.sh | common.sh | run.sh) continue ;; esac
			[ -n "$FULL" ] || ! runner_word "$script" full || continue
			wanted "${PREFIX:-}tests/$dir/${script##*/}${SUFFIX:-}" && echo "$script"
		done
	done
}

# Makefile.in is the last that autogen.sh makes; interrupted, it leaves a configure that cannot run.
configure_is_whole() {
	[ -e "$ROOT/Makefile.in" ] && [ -x "$ROOT/configure" ] && [ "$ROOT/configure" -nt "$ROOT/configure.ac" ]
}

# phase_build DIR CC OPTION...: out of tree, warnings fatal. A unit test that
# does not build fails by itself.
phase_build() {
	local dir=$ROOT/$1 cc=$2 log=$RUN/logs/$1.log
	shift 2
	echo "building ${dir##*/}"
	mkdir -p "$dir"
	{
		{ configure_is_whole || "$ROOT/autogen.sh"; } &&
		cd "$dir" && { [ -e Makefile ] || "$ROOT/configure" -q ${cc:+CC="$cc"} "$@"; } &&
		make -s -j"$JOBS" && { make -s -k -j"$JOBS" check TESTS= || true; }
	} </dev/null >"$log" 2>&1 && return 0
	runner_count fail "build:${dir##*/}" 0 "$log"
	return 1
}

# races NAME: whether a unit test could have any. Codecs, readers of headers and
# what fuzzes them have no threads, unless a test of theirs starts some.
races() {
	case $1 in
	tests/codec/* | tests/format/* | tests/fuzz/* | tests/predict/* | tests/tensor/*)
		grep -qs pthread "$DFS_SRC/$1.c" ;;
	esac
}

# phase_unit PREFIX: each program of make check is one test.
phase_unit() {
	local built=() name names
	names=$(make -s -C "$DFS_BUILD" print-tests | tail -1)
	# configure leaves them out where cmocka is missing: that is no pass.
	[ -n "$names" ] || runner_count fail "$1unit-tests" 0 <(echo "this build has no unit tests")
	for name in $names; do
		wanted "$1$name" || continue
		[ "$DFS_SAN" != thread ] || races "$name" || continue
		if [ -x "$DFS_BUILD/$name" ]; then
			built+=("$DFS_BUILD/$name")
		else
			runner_count fail "$1$name" 0 <(echo "did not build: see ${DFS_BUILD##*/}.log")
		fi
	done
	[ ${#built[@]} = 0 ] || runner_all "$1" "" -- "${built[@]}"
}

# As whoever started this; with the rights of root if they are there.
phase_scripts() {
	local scripts
	mapfile -t scripts < <(scripts_in lint build util format tensor predict codec store read write corpus ref ctl tools quality \
		mount clients posix exerciser faults adversary)
	[ ${#scripts[@]} = 0 ] || runner_all "" "" -- "${scripts[@]}"
}

# What writes, once more on a mount whose kernel keeps nothing back.
phase_nowriteback() {
	local scripts script SUFFIX=" (nowriteback)"
	mapfile -t scripts < <(for script in $(scripts_in mount clients); do
		if runner_word "$script" nowriteback || [[ $FULL && $script == */writers_* ]]; then echo "$script"; fi
	done)
	[ ${#scripts[@]} = 0 ] || DFS_MOUNT_OPTIONS=nowriteback runner_all "" "$SUFFIX" -- "${scripts[@]}"
}

# An ordinary user must be able to reach the sources and the programs; below
# /root he is not, and gets a copy.
phase_user_stage() {
	STAGE_SRC=$DFS_SRC STAGE_BUILD=$DFS_BUILD
	"${AS_USER[@]}" test -x "$DFS_BUILD/config.status" -a -r "$DFS_SRC/tests/run.sh" 2>/dev/null && return
	STAGE_SRC=$RUN/stage/src STAGE_BUILD=$RUN/stage/build
	mkdir -p "$STAGE_SRC" "$STAGE_BUILD"
	cp -a "$DFS_SRC/tests" "$DFS_SRC/examples" "$DFS_SRC/man" "$STAGE_SRC/"
	(cd "$DFS_BUILD" && find mount-tools tests config.status -type f -perm -u+x -print0 |
		tar -c --null -T - | tar -x -C "$STAGE_BUILD")
	chmod -R a+rX "$RUN/stage"
}

# Every user may open /dev/fuse where udev made it; in a bare container it may
# be root's alone. As long as the tests run it is as udev would have it.
open_dev_fuse() {
	[ -c /dev/fuse ] || return 0
	"${AS_USER[@]}" test -r /dev/fuse -a -w /dev/fuse && return 0
	at_end "chmod $(stat -c %a /dev/fuse) /dev/fuse"
	chmod 666 /dev/fuse
}

# Mount and client tests once more, as a user who has only fusermount3; then
# those marked userns in a user namespace of his, where he mounts by himself.
phase_user() {
	local scripts=() script SUFFIX=" (user)"
	[ "$(id -u)" = 0 ] || return 0
	AS_USER=(setpriv --reuid="$TEST_USER" --regid="$TEST_GROUP" --clear-groups)
	open_dev_fuse
	phase_user_stage
	mapfile -t scripts < <(DFS_SRC=$STAGE_SRC; for script in $(scripts_in mount clients); do
		runner_word "$script" root || echo "$script"
	done)
	(
		export DFS_SRC=$STAGE_SRC DFS_BUILD=$STAGE_BUILD DFS_AS_USER=1 PATH=$STAGE_BUILD/mount-tools:$PATH
		[ ${#scripts[@]} = 0 ] || runner_all "" " (user)" "${AS_USER[@]}" -- "${scripts[@]}"
		SUFFIX=" (userns)"
		mapfile -t scripts < <(for script in $(scripts_in mount clients); do
			runner_word "$script" userns && echo "$script"
		done)
		[ ${#scripts[@]} = 0 ] || DFS_USERNS=1 runner_all "" " (userns)" "${AS_USER[@]}" \
			unshare -Urmpf --mount-proc --kill-child -- "${scripts[@]}"
	)
}

# phase_sanitizer NAME DFS_SAN KINDS: unit and mount tests in a build of its own.
phase_sanitizer() {
	local PREFIX=$1: scripts=() script
	wanted "$PREFIX" || [[ $ONLY == $PREFIX* ]] || return 0
	phase_build "build-test-$1" "" --enable-werror --enable-sanitize="$3" CFLAGS="-O1 -g" || return 1
	export DFS_BUILD=$ROOT/build-test-$1 DFS_SAN=$2
	local saved_path=$PATH
	PATH=$DFS_BUILD/mount-tools:$PATH
	phase_unit "$PREFIX"
	mapfile -t scripts < <(for script in $(scripts_in mount clients); do
		runner_word "$script" nosan && continue
		if [[ $script == */clients/* ]]; then
			[ "$2" = address ] && runner_word "$script" asan && echo "$script"
			continue
		fi
		[ "$2" != thread ] || runner_word "$script" tsan && echo "$script"
	done)
	[ ${#scripts[@]} = 0 ] || runner_all "$PREFIX" "" -- "${scripts[@]}"
	PATH=$saved_path
	export DFS_BUILD=$ROOT/build-test DFS_SAN=
}

# fuzz_build: every target, with libFuzzer.
fuzz_build() {
	local log=$RUN/logs/build-test-fuzz.log
	phase_build build-test-fuzz clang --enable-werror --enable-fuzz --enable-sanitize=address,undefined CFLAGS="-O1 -g" || return 1
	make -s -j"$JOBS" -C "$ROOT/build-test-fuzz" fuzz >>"$log" 2>&1 && return 0
	runner_count fail fuzz:build 0 "$log"
	return 1
}

# fuzz_programs BUILD: the path of each target.
fuzz_programs() {
	local program
	for program in "$1"/tests/fuzz/fuzz_*; do
		[ -x "$program" ] && [ -f "$program" ] && echo "$program"
	done
}

# fuzz_target PROGRAM SECONDS NEW FOUND: from the seeds of tests/fuzz/corpus and from what is in NEW, which
# grows. Fails, and ends there, with the first input that crashes, hangs or takes too much memory: FOUND is
# what its name begins with.
fuzz_target() {
	local name=${1##*/} status=0
	local seeds=$ROOT/tests/fuzz/corpus/$name
	mkdir -p "$3" && [ -d "$seeds" ] || { echo "$name has no seeds"; return 1; }
	(
		echo "$BASHPID" >"$RUN/$name.pid"
		cd "$RUN" || exit 1
		exec timeout -k 20 $(($2 + 110)) "$1" -max_total_time="$2" -rss_limit_mb=2048 -timeout=10 \
			-print_final_stats=1 -artifact_prefix="$4" "$3" "$seeds"
	) || status=$?
	rm -f "$RUN/$name.pid"
	return "$status"
}

fuzz_one() {
	local name=${1##*/} log start=$SECONDS
	log=$RUN/logs/$name.log
	if fuzz_target "$1" "$2" "$RUN/corpus/$name" "$ROOT/build-test-fuzz/" >"$log" 2>&1; then
		runner_count pass "fuzz:tests/fuzz/$name" $((SECONDS - start))
	else
		runner_count fail "fuzz:tests/fuzz/$name" $((SECONDS - start)) "$log"
	fi
}

# Each fuzz target for a few seconds: enough to see that it still runs and that
# nothing shallow broke. tests/fuzz/run.sh is for longer.
phase_fuzz() {
	local seconds=10 target
	wanted fuzz: || [[ $ONLY == fuzz:* ]] || return 0
	[ -z "$FULL" ] || seconds=60
	fuzz_build || return 1
	for target in $(fuzz_programs "$ROOT/build-test-fuzz"); do
		wanted "fuzz:tests/fuzz/${target##*/}" || continue
		runner_room
		fuzz_one "$target" "$seconds" &
	done
	wait
}
