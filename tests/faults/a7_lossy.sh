#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A7: in a small memory cgroup the daemon codes by each codec that gives up bits within its bound, or waits and says so; whatever it does the file is readable, and what comes of it is what deltafsctl makes.
# test: timeout=300 root nosan
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/faults/memory.sh"

CODECS="bitdelta delta-dct ultradelta delta-come"
memory_group 64
held() { awk '/RssAnon/ { print $2 }' "/proc/$(daemon_pid)/status"; }
told() { getfattr --absolute-names --only-values -n "user.deltafs.$1" "$2" 2>/dev/null; }
limit_to() { echo $(($1 << 20)) >"$limit_file" || fail "cannot limit memory"; }
limit_file=$group/memory.max
[ -e "$limit_file" ] || limit_file=$group/memory.limit_in_bytes

make_base --params 12000000 --hidden 1024 --vocab 1024 --seed 79
start_rw cache=32M,threads=2 ./join
for codec in $CODECS; do
	mkdir "mnt/$codec"
	deltafsctl policy set "mnt/$codec" "codec=$codec" >said 2>&1 || fail "policy set: $(cat said)"
	cp "$original" "mnt/$codec/f"
done

# Too little for any.
for codec in $CODECS; do
	waits() { deltafsctl status mnt | grep -q "$codec/f: waiting for memory; a larger cache= or memory limit"; }
	retry 30 waits || fail "$codec: it does not say that it waits: $(deltafsctl status mnt)"
	! is_coded "$codec/f" || fail "$codec: compressed in 64 MB"
	cmp "mnt/$codec/f" "$original" || fail "$codec: bytes while it waits"
done

# Enough.
limit_to 256
peak=0
at_rest() { for codec in $CODECS; do [ "$(told state "mnt/$codec/f")" = container ] || return 1; done; }
until at_rest; do
	now=$(held) || fail "the daemon is gone: $(memory_killed) killed"
	[ "$now" -le "$peak" ] || peak=$now
	[ "$SECONDS" -lt 200 ] || fail "not coded: $(deltafsctl status mnt)"
	sleep 0.05
done
[ "$peak" -le $((192 << 10)) ] || fail "$peak KiB were held, of 256 MB"
[ "$(memory_killed)" = 0 ] && kill -0 "$daemon" || fail "the daemon was killed"
for codec in $CODECS; do
	[ "$(told exact "mnt/$codec/f")" = 0 ] || fail "$codec: $(told reason "mnt/$codec/f")"
	deltafsctl encode --yes --codec "$codec" --base orig/base/model.safetensors "$original" -o want >said 2>&1 || fail "$codec: $(cat said)"
	deltafsctl decode --base orig/base/model.safetensors want -o "want.$codec" >said 2>&1 || fail "$codec: $(cat said)"
	cmp "mnt/$codec/f" "want.$codec" || fail "$codec: other bytes than by name"
done

# Whole matrices that do not fit, as delta-come wants them: it begins, gives up, and says why.
"$DFS_BUILD/tests/tools/make_pair" --params 1 --hidden 1792 --vocab 0 --seed 83 wide >/dev/null || fail "make_pair"
cp -r wide/base store/wide
deltafsctl base add mnt mnt/wide >said 2>&1 || fail "base add: $(cat said)"
wide=$PWD/wide/tune/model.safetensors
limit_to 192
cp "$wide" mnt/delta-come/wide
waits() { deltafsctl status mnt | grep -q "delta-come/wide: waiting for memory; "; }
retry 60 waits || fail "it does not say that it waits: $(deltafsctl status mnt)"
[ "$(memory_killed)" = 0 ] && kill -0 "$daemon" || fail "the daemon was killed by whole matrices"
cmp mnt/delta-come/wide "$wide" || fail "bytes of what waits"
for codec in $CODECS; do cmp "mnt/$codec/f" "want.$codec" || fail "$codec: other bytes after that"; done
stop_daemon mnt
every_container_verifies "in the end"
echo "held at most $peak KiB"
faults_fired 1
