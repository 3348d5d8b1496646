#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cli: what is said to whom, and the exit status.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
learn_magic

expect_fail 2 'no command' deltafsctl
expect_fail 2 'did you mean "encode"' deltafsctl encod x
expect_fail 2 'did you mean "base add"' deltafsctl base ad x
expect_fail 2 'no command "quiesce"' deltafsctl quiesce
expect_fail 2 '--watch shows lines' deltafsctl status --watch --json
expect_fail 2 'no number' deltafsctl wait --timeout soon .
expect_fail 2 'no number' deltafsctl wait --timeout -1 .
expect_fail 1 'in no mount and in no store' deltafsctl status
expect_fail 1 'in no mount that compresses' deltafsctl wait .
expect_fail 2 'did you mean --base\?' deltafsctl encode --bsae x y
expect_fail 2 'no option -q' deltafsctl encode -q x
expect_fail 2 'needs a value' deltafsctl encode x --base
expect_fail 2 'missing' deltafsctl encode
expect_fail 2 'one argument too many' deltafsctl info a b
expect_fail 2 'no number' deltafsctl encode --threads many x
expect_fail 2 'no number' deltafsctl encode --threads 0 x
expect_fail 2 'did you mean "exact"' deltafsctl encode --codec exat x
expect_fail 2 'did you mean "ultradelta"' deltafsctl encode --codec ultra-delta:s=0.9 x
expect_fail 2 'did you mean "scale"' deltafsctl encode --codec bitdelta:scales=row x
expect_fail 2 'from 0.* not "2"' deltafsctl encode --codec ultradelta:s=2 x
expect_fail 2 'by itself' deltafsctl encode --codec diff x
expect_fail 2 'no options' deltafsctl encode --codec exact:level=9 x
expect_fail 2 'is missing' deltafsctl export x
expect_fail 2 'not both' deltafsctl base remove --thaw --rebase 12345678 . 12345678
expect_fail 1 'No such file' deltafsctl info nowhere
expect_fail 1 'No such file' deltafsctl encode nowhere -o x
expect_fail 1 'No such file' deltafsctl decode nowhere
expect_fail 1 'no such file' deltafsctl encode --base nowhere magic x -o y
for command in '' encode decode verify info estimate 'base add' 'base list' 'base remove' import export ls du status wait; do
	# shellcheck disable=SC2086
	run deltafsctl $command --help
	grep -q '^Usage: deltafsctl' said || fail "$command --help"
	# shellcheck disable=SC2086
	run deltafsctl $command -h
done
run deltafsctl -V
grep -q 'container format: reads 1' said && grep -q 'codecs: copy stored zstd diff sparse solo' said &&
	grep -q 'kernels: portable' said || fail "-V: $(cat said)"

# Every object is JSON of version 1, also of what failed.
make_pair --params 300000 --hidden 64 --seed 5 p
mkdir S
cp -r p/base p/tune S/
json() {
	local want=$1 status=0
	shift
	"$@" >json 2>messages || status=$?
	[ $status = "$want" ] || fail "exit status $status: $*: $(cat messages)"
	[ "$(member json 'o["version"]')" = 1 ] || fail "no version: $*: $(cat json)"
}
has() { member json "[$1 for m in [o]] and all(k in $1 for k in '$2'.split())" | grep -qx True || fail "$1 lacks one of: $2: $(cat json)"; }
json 0 deltafsctl base add --json S S/base
has 'o["bases_added"][0]' 'path id known files bytes bytes_linked bytes_cloned bytes_copied'
json 0 deltafsctl status --json S/base
has 'o' 'command store mounted'
json 1 deltafsctl wait --json S
has 'o' 'command error'
json 0 deltafsctl estimate --json -r S
has 'o["files"][0]' 'path now_bytes after_bytes codecs ratio base reason'
has 'o["total"]' 'files now_bytes after_bytes saved_bytes ratio'
json 0 deltafsctl encode --json -r S
has 'o["files"][0]' 'path result base reason original_bytes stored_bytes ratio'
has 'o["total"]' 'files compressed left failed original_bytes stored_bytes'
json 0 deltafsctl verify --json -r S
has 'o["total"]' 'files right left failed original_bytes stored_bytes'
json 0 deltafsctl info --json S/tune/model.safetensors
has 'o' 'path state original_bytes stored_bytes ratio exact base linear all codecs tensors'
has 'o["all"]' 'params original_bytes stored_bytes ratio bits_per_param'
has 'o["linear"]' 'params original_bytes stored_bytes ratio bits_per_param'
has 'o["base"]["files"][0]' 'hash bytes name origin present'
has 'o["codecs"]["diff"]' 'chunks original_bytes stored_bytes'
[ "$(member json 'o["exact"], o["all"]["original_bytes"]')" = "(True, $(size p/tune/model.safetensors))" ] || fail "info: $(cat json)"
json 0 deltafsctl info --json --tensors S/tune/model.safetensors
has 'o["tensors"][0]' 'name dtype shape original_bytes stored_bytes bits_per_param predictor codec linear'
# The tensors' shares and the header add up to no more than the container.
at_most "$(member json 'sum(t["stored_bytes"] for t in o["tensors"])')" "$(size S/tune/model.safetensors)" || fail "shares"
json 0 deltafsctl info --json S/base/model.safetensors
[ "$(member json 'o["state"], o["reason"]')" = "('plain', 'a base')" ] || fail "a base: $(cat json)"
json 0 deltafsctl base list --json S
has 'o["bases"][0]' 'id names repository commit bytes pinned files dependants'
has 'o["pins"]' 'files stored_bytes alone_bytes'
json 0 deltafsctl ls --json S
has 'o["files"][0]' 'path state original_bytes stored_bytes ratio base'
json 0 deltafsctl du --json S
has 'o["directories"][-1]' 'path original_bytes stored_bytes ratio'
json 0 deltafsctl export --json S/tune/model.safetensors -o out.dfs
has 'o["files"][0]["bases"][0]' 'id hash bytes name origin'
json 0 deltafsctl import --json out.dfs S/imported
has 'o["files"][0]["bases"][0]' 'id hash bytes name origin present'
json 0 deltafsctl decode --json -r S
has 'o["total"]' 'files decoded left failed original_bytes stored_bytes'
# What is not there is a file that failed, beside those that did not.
for command in encode decode verify; do
	json 1 deltafsctl $command --json nowhere S/base/model.safetensors
	[ "$(member json '[(f["path"], f["result"], f["base"]) for f in o["files"]][0]')" = "('nowhere', 'failed', None)" ] || fail "$command: $(cat json)"
	[ "$(member json 'o["files"][0]["reason"], o["total"]["files"], o["total"]["failed"]')" = "('No such file or directory', 2, 1)" ] ||
		fail "$command: $(cat json)"
done
json 1 deltafsctl encode --json nowhere
[ "$(member json 'len(o["files"]), o["total"]["failed"]')" = '(1, 1)' ] || fail "$(cat json)"
mkdir empty
json 0 deltafsctl verify --json -r empty
[ "$(member json 'o["files"]')" = '[]' ] || fail "$(cat json)"
# Called wrongly, the object says so too.
json 2 deltafsctl encode --json S
[ "$(member json 'o["error"]')" = 'S is a directory; -r goes into it' ] || fail "$(cat json)"
json 2 deltafsctl export --json S/base/model.safetensors
has 'o' 'error'
json 1 deltafsctl info --json nowhere
has 'o' 'error'

# A bar on a terminal, and nowhere else.
deltafsctl encode p/tune/model.safetensors -o out.dfs >out 2>err
[ ! -s err ] || fail "on standard error: $(cat err)"
# Results that nobody can read are a failure.
[ ! -e /dev/full ] || { deltafsctl ls S >/dev/full 2>err && fail "a full standard output is no failure"; }
[ ! -e /dev/full ] || expect_fail 1 'No space' deltafsctl decode out.dfs -o /dev/full
expect_fail 1 'regular file' deltafsctl encode p/tune/model.safetensors -o /dev/null
expect_fail 2 'no --json' deltafsctl decode --json out.dfs -o -
# A reader that has enough ends it without ado.
deltafsctl decode out.dfs -o - | head -c 100 | cmp - <(head -c 100 p/tune/model.safetensors) || fail "-o - | head"

# One writer a store: the holder is named.
run deltafsctl encode S/tune/model.safetensors
exec 9<>S/.deltafs/lock
flock -x 9
expect_fail 1 'writes to this store' deltafsctl decode S/tune/model.safetensors
run deltafsctl verify S/tune/model.safetensors
run deltafsctl decode S/tune/model.safetensors -o back
same back p/tune/model.safetensors
exec 9>&-
run deltafsctl decode S/tune/model.safetensors
