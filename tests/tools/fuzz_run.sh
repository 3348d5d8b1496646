#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fuzz_run: tests/fuzz/run.sh tells of each target what it did, keeps what it found, fails if that is anything, and leaves nothing running.
. "$(dirname "$0")/../lib/test.sh"

# fake NAME: what stands for a target, from standard input; $new and $found are where it is to write.
mkdir -p build/tests/fuzz
fake() {
	{
		echo '#!/bin/bash'
		echo 'for arg; do case $arg in -artifact_prefix=*) found=${arg#*=} ;; */new) new=$arg ;; */corpus/fuzz_*) seeds=$arg ;; esac; done'
		echo '[ -d "$seeds" ] || exit 1'
		cat
	} >"build/tests/fuzz/$1"
	chmod +x "build/tests/fuzz/$1"
}

printf '#!/bin/sh\necho "--enable-fuzz CC=clang"\n' >build/config.status
chmod +x build/config.status
fake fuzz_header <<<'echo a >"$new/$RANDOM"; echo "stat::number_of_executed_units: 1234"'
export DFS_BUILD=$PWD/build
fuzz() { "$DFS_SRC/tests/fuzz/run.sh" --seconds 1 "$@"; }

for n in 1 2; do
	fuzz >said || fail "a run without findings fails: $(cat said)"
	grep -q '^pass fuzz_header: .* CPU s, 1234 executions, 0 crashes, 1 new inputs$' said || fail "$(cat said)"
	grep -qx "1 targets, . CPU s, 1234 executions, 0 crashes" said || fail "$(cat said)"
	[ "$(find build/found/fuzz_header/new -type f | wc -l)" = "$n" ] || fail "new inputs are not kept"
done

fake fuzz_policy <<-'END'
	echo bad >"${found}crash-1"
	echo "artifact_prefix='$found'; Test unit written to ${found}crash-1"
	exit 77
END
expect_fail 1 '^fail fuzz_policy: .* 1 crashes' fuzz
expect_fail 1 '^pass fuzz_header: ' fuzz
[ "$(cat build/found/fuzz_policy/crash-1)" = bad ] || fail "the finding is not kept"
fuzz header >said || fail "a target that was not asked for was run: $(cat said)"
expect_fail 1 'no target fuzz_nothing' fuzz nothing
expect_fail 2 usage fuzz --seconds 0

# What does not end by itself, and says nothing, when the run is stopped.
fake fuzz_policy <<<'echo $$ >"$new/pid"; exec sleep 1000'
"$DFS_SRC/tests/fuzz/run.sh" policy >said &
retry 20 test -s build/found/fuzz_policy/new/pid || fail "it does not start"
kill -TERM $!
wait $! && fail "a run that was stopped says that all is well"
retry 20 eval '! kill -0 "$(cat build/found/fuzz_policy/new/pid)" 2>/dev/null' || fail "a target outlives its run"
