#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# told_true: promise 1, lossy is said wherever a file is named: at each moment of its life, written, waiting, coded, thawed, exact, decoded, reverted, accepted, moved, linked, copied elsewhere, on another mount and after fsck, by every name and handle; and what is plain says that it is.
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$ADVERSARY/honest_common.sh"

small_pair
start_daemon store mnt -o rw,quiet=0
mkdir mnt/d mnt/e mnt/watched
policy mnt/d codec=bitdelta keep=manual quiet=600
policy mnt/watched codec=bitdelta keep=manual

# says FILE STATE EXACT: all that can be asked agrees.
says() {
	local file=$1 state=$2 exact=$3 line
	[ "$(told state "$file")" = "$state" ] && [ "$(told exact "$file")" = "$exact" ] ||
		fail "$file: state=$(told state "$file") exact=$(told exact "$file"), not $state, $exact: $(told reason "$file")"
	case $state$exact in
	container0) line="compressed, lossy" && [[ $(told codec "$file") = *bitdelta* ]] ;;
	container1) line="compressed, exact" && [[ $(told codec "$file") != *bitdelta* ]] && [ -n "$(told codec "$file")" ] ;;
	*) line=plain && [ -z "$(told codec "$file")" ] ;;
	esac || fail "$file is $state, exact=$exact, and of codec '$(told codec "$file")'"
	case $state$exact:$(told reason "$file") in
	plain* | container?: | "container1:coded exactly, since "*) ;;
	*) fail "$file is $state, exact=$exact, and has a reason to be something else: $(told reason "$file")" ;;
	esac
	deltafsctl info "$file" | grep -q "^state *$line" || fail "$file: info: $(deltafsctl info "$file")"
	deltafsctl info --json "$file" | python3 -c 'import json, sys
o = json.load(sys.stdin)
assert o["exact"] == (sys.argv[1] == "1") and ("bitdelta" in o["codecs"]) == (sys.argv[1] == "0"), o' "$exact" || fail "$file: info --json"
	case $state$exact in container0) line=lossy ;; container1) line=compressed ;; *) line=plain ;; esac
	[ -L "$file" ] || deltafsctl ls "$file" | grep -q "^$line " || fail "$file: ls: $(deltafsctl ls "$file")"
}
# member FILE EXACT RESULT: of the one file of a JSON object.
member() {
	python3 -c 'import json, sys
[f] = json.load(open(sys.argv[1]))["files"]
assert (f["exact"], f["result"]) == (sys.argv[2] == "1", sys.argv[3]), f
assert f["result"] != "compressed" or f["stored_bytes"] < f["original_bytes"], f' "$@" || fail "$2, $3: $(cat "$1")"
}
kept() { told status mnt | python3 -c 'import json, sys; print(json.load(sys.stdin)["kept"]["files"])'; }

exec 5>mnt/d/f && head -c 60000 "$tune" >&5
says mnt/d/f plain 1
tail -c +60001 "$tune" >&5 && exec 5>&-
says mnt/d/f plain 1
exec 5<mnt/d/f
policy mnt/d quiet=0
settle
says mnt/d/f container 0
[ "$(told exact /dev/fd/5)" = 1 ] && [ "$(told state /dev/fd/5)" = plain ] && cmp -s /dev/fd/5 "$tune" || fail "the old handle: $(told state /dev/fd/5) $(told exact /dev/fd/5)"
exec 5<&-
ln -s d/f mnt/link && says mnt/link container 0 && ln -s mnt/d/f outside && says outside container 0
mv mnt/d/f mnt/e/f && says mnt/e/f container 0
for dir in mnt store; do deltafsctl ls $dir/e | grep -q '^lossy ' || fail "ls $dir/e: $(deltafsctl ls $dir/e)"; done
stop_daemon mnt
fsck.deltafs -f store >said 2>&1 || fail "fsck: $(cat said)"
deltafsctl info store/e/f | grep -q 'compressed, lossy' || fail "info in the store"
start_daemon store mnt
says mnt/e/f container 0
stop_daemon mnt

# In another store, with all attributes and with none.
cp -a store copied && cp -r store bare
for store in copied bare; do
	start_daemon $store mnt -o rw,quiet=0
	says mnt/e/f container 0
	stop_daemon mnt
done

start_daemon store mnt -o rw,quiet=0
[ "$(kept)" = 1 ] && says mnt/e/f container 0
deltafsctl decode mnt/e/f >said 2>&1 || fail "decode: $(cat said)"
says mnt/e/f plain 1
[ -n "$(told reason mnt/e/f)" ] || fail "plain by hand, and no reason"
deltafsctl revert --yes mnt/e/f >said 2>&1 || fail "revert: $(cat said)"
cmp mnt/e/f "$tune" || fail "reverted to other bytes"
settle
says mnt/e/f container 1
cp "$tune" mnt/d/g && settle && says mnt/d/g container 0
deltafsctl accept mnt/d/g >said 2>&1 || fail "accept: $(cat said)"
says mnt/d/g container 0
[ "$(kept)" = 0 ] && [ -z "$(told kept mnt/d/g)" ] || fail "accepted, and kept"
printf x | dd of=mnt/d/g bs=1 seek=90000 conv=notrunc status=none
[ "$(told exact mnt/d/g)" = 1 ] || fail "while it is thawed: exact=$(told exact mnt/d/g)"
settle
says mnt/d/g container 1
cp "$tune" mnt/d/h && settle && says mnt/d/h container 0
ln mnt/d/h mnt/d/h2 || fail "link"
settle
says mnt/d/h plain 1 && says mnt/d/h2 plain 1
[[ $(told reason mnt/d/h2) = *name* ]] || fail "the reason of a linked file: $(told reason mnt/d/h2)"
echo text >mnt/d/text && settle && says mnt/d/text plain 1

# What each command says became of it, in a line and as JSON; who waits for the one file hears of the one that took its place.
for how in lossy:0 exact:1; do
	exact=${how#*:}
	mkdir "mnt/$how" && policy "mnt/$how" codec=$([ $exact = 1 ] && echo exact || echo bitdelta) quiet=1
	for i in 1 2 3; do cp "$tune" "mnt/$how/$i"; done
	deltafsctl wait "mnt/$how/1" >line 2>&1 && deltafsctl wait --json "mnt/$how/2" >json 2>&1 || fail "wait: $(cat line json)"
	grep -q "^mnt/$how/1: .* -> .*x), base [0-9a-f]*$([ $exact = 1 ] || echo , lossy)\$" line || fail "wait: $(cat line)"
	member json $exact compressed
	settle
	deltafsctl encode --json "mnt/$how/3" >json || fail "encode: $(cat json)"
	member json $exact left
	deltafsctl verify "mnt/$how/3" >line 2>&1 && deltafsctl verify --json "mnt/$how/3" >json || fail "verify: $(cat line json)"
	[ "$(grep -c ': right, .*, lossy$' line)" = $((1 - exact)) ] || fail "verify: $(cat line)"
	member json $exact right
	rm -f out && deltafsctl decode "store/$how/3" -o out >line 2>&1 && deltafsctl decode --json "mnt/$how/3" >json || fail "decode: $(cat line json)"
	[ "$(grep -c ': decoded, .*, lossy$' line)" = $((1 - exact)) ] || fail "decode: $(cat line)"
	member json $exact decoded
	rm -f out && deltafsctl export "mnt/$how/1" -o out >line 2>&1 || fail "export: $(cat line)"
	[ "$(grep -c ': lossy, bits were given up$' line)" = $((1 - exact)) ] || fail "export: $(cat line)"
done

# And while all of that goes on: what is told by a handle is what is read by it.
mkfifo stop
python3 "$ADVERSARY/told_true.py" mnt/watched/f "$tune" <stop >looked 2>&1 &
looker=$!
exec 6>stop
for round in 1 2 3; do
	cp "$tune" mnt/watched/f && settle && says mnt/watched/f container 0
	deltafsctl revert mnt/watched/f >said 2>&1 || fail "revert: $(cat said)"
	settle && says mnt/watched/f container 1
	mv mnt/watched/f mnt/watched/old && cp "$tune" mnt/watched/f && settle
	deltafsctl revert mnt/watched/f >said 2>&1 && deltafsctl decode mnt/watched/f >said 2>&1 || fail "revert and decode: $(cat said)"
	says mnt/watched/f plain 1 && rm mnt/watched/f
	kill -0 $looker 2>/dev/null || fail "round $round: $(cat looked)"
done
exec 6>&-
wait $looker || fail "what is told is not what is read: $(cat looked)"
cat looked
still_alive
stop_daemon mnt
