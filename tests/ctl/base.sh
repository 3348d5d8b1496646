#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# base: added, listed, chosen, kept and removed.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need xxh128sum
learn_magic

make_pair --params 500000 --hidden 128 --vocab 1024 --seed 101 p
make_pair --params 500000 --hidden 128 --vocab 1024 --seed 202 q
mkdir S outside
cp -r p/base S/p
cp -r q/base S/q
cp p/tune/model.safetensors S/tune.safetensors

run deltafsctl base list S
grep -q 'no bases' said || fail "a new store: $(cat said)"
run deltafsctl base add --json S S/p S/q
cp said added
[ "$(member added 'len(o["bases_added"])')" = 2 ] || fail "$(cat added)"
p_id=$(member added 'o["bases_added"][0]["id"]')
q_id=$(member added 'o["bases_added"][1]["id"]')
# The model ID is XXH3-128 of the sorted hashes of its files.
want=$(xxh128sum <S/p/model.safetensors | cut -c1-32 | python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' |
	xxh128sum | cut -c1-32)
[ "$want" = "$p_id" ] || fail "ID $p_id, not $want"
run deltafsctl base add S S/p
grep -q 'known already' said || fail "again: $(cat said)"

# The right one of two is chosen, though names and shapes are the same.
run deltafsctl encode S/tune.safetensors
grep -q "base ${p_id:0:8}" said || fail "chosen: $(cat said)"
run deltafsctl base list --json S
cp said list
[ "$(member list '[b["dependants"]["files"] for b in o["bases"] if b["id"] == "'$p_id'"]')" = '[1]' ] || fail "dependants: $(cat list)"
[ "$(member list '[b["dependants"]["files"] for b in o["bases"] if b["id"] == "'$q_id'"]')" = '[0]' ] || fail "dependants: $(cat list)"

# Losing a name does not lose the base.
rm -r S/p
run deltafsctl decode S/tune.safetensors -o back
same back p/tune/model.safetensors
run deltafsctl du S
grep -q 'only their pins hold' said || fail "du: $(cat said)"

expect_fail 1 "base ${p_id:0:8} stays.*1 file" deltafsctl base remove S $p_id
expect_fail 1 'at least 8|no base|digits' deltafsctl base remove S ${p_id:0:5}
expect_fail 1 '.' deltafsctl base remove --rebase $p_id S $p_id

# A base given by ID, though a poor one.
cp p/tune/model.safetensors S/second.safetensors
run deltafsctl encode --base ${q_id:0:8} S/second.safetensors
grep -q "base ${q_id:0:8}" said || fail "--base ID: $(cat said)"

# What is a base stays plain, though it could be coded over another.
run deltafsctl encode --base ${p_id:0:8} S/q/model.safetensors
grep -q 'a base, which stays plain' said || fail "encode of a base: $(cat said)"
same S/q/model.safetensors q/base/model.safetensors

run deltafsctl base remove --rebase $p_id S $q_id
run deltafsctl base list S
grep -q $q_id said && fail "still there: $(cat said)"
run deltafsctl info S/second.safetensors
grep -q ${p_id:0:8} said || fail "not coded anew: $(cat said)"
run deltafsctl base remove --thaw S $p_id
same S/second.safetensors p/tune/model.safetensors
same S/tune.safetensors p/tune/model.safetensors
[ -z "$(ls -A S/.deltafs/pins)" ] || fail "pins are left: $(ls S/.deltafs/pins)"

# By reference: nothing is held; what is lost is named, and heals when it returns.
cp -r p/base outside/p
run deltafsctl base add --by-reference S outside/p
grep -q 'only referred to' said || fail "no warning: $(cat said)"
[ -z "$(ls -A S/.deltafs/pins)" ] || fail "pinned all the same"
run deltafsctl encode S/tune.safetensors
mv outside/p outside/gone
expect_fail 1 'p/model.safetensors.*not found; give it back from anywhere: deltafsctl base add' deltafsctl decode S/tune.safetensors -o back
run deltafsctl base list S
grep -q "^$p_id.*(by reference)  MISSING$" said || fail "a lost base is listed as if it were there: $(cat said)"
run deltafsctl base list --json S
cp said list
[ "$(member list '[f["present"] for b in o["bases"] for f in b["files"]]')" = '[False]' ] || fail "present: $(cat list)"
mv outside/gone outside/p
run deltafsctl base list --json S
cp said list
[ "$(member list '[f["present"] for b in o["bases"] for f in b["files"]]')" = '[True]' ] || fail "present: $(cat list)"
run deltafsctl decode S/tune.safetensors -o back
same back p/tune/model.safetensors
# A base that lies in the store by reference must not be compressed against itself.
run deltafsctl decode S/tune.safetensors
cp -r q/base S/q2
run deltafsctl base add --by-reference S S/q2
run deltafsctl encode S/q2/model.safetensors
grep -q 'a base' said || fail "a base by reference was compressed: $(cat said)"

# What is no model is no base; what is compressed becomes plain first.
expect_fail 1 '.' deltafsctl base add S S/.deltafs/version
cp q/tune/model.safetensors S/alone.safetensors
run deltafsctl encode S/alone.safetensors
if is_container S/alone.safetensors; then
	run deltafsctl base add S S/alone.safetensors
	is_container S/alone.safetensors && fail "a base is compressed"
fi

# In place with --base PATH: the base joins the store, or the file could not be read without it.
mkdir T
touch T/x
cp p/tune/model.safetensors T/tune.safetensors
run deltafsctl base add T q/base
run deltafsctl encode --base p/base T/tune.safetensors
rm -rf p/base
run deltafsctl decode T/tune.safetensors
same T/tune.safetensors p/tune/model.safetensors
