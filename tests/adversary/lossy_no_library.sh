#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_no_library: promises 1 and 3, OpenBLAS that is not there: what delta-come wrote is read as ever, by commands and through a mount; what it is to write stays what it was, and why is told; other codecs do not mind.
. "$(dirname "$0")/lossy_common.sh"

pair base tune layers=3
encode --codec delta-come --base base tune -o coded
decode --base base coded -o back
! cmp -s back tune || fail "nothing was given up"
for codec in bitdelta delta-dct ultradelta; do encode --codec $codec --base base tune -o coded.$codec; done

# What the loader finds first is no library.
mkdir lib && echo "no library" >lib/libopenblas.so.0
export LD_LIBRARY_PATH=$PWD/lib
decode --base base coded -o other
cmp back other || fail "decode: other bytes"
verify --base base coded
deltafsctl info --tensors coded >said 2>&1 || fail "info: $(cat said)"
for codec in bitdelta delta-dct ultradelta; do
	encode --codec $codec --base base tune -o other
	cmp coded.$codec other || fail "$codec: another container"
done
deltafsctl estimate --base base tune >said 2>&1 || fail "estimate: $(cat said)"
grep -q "not tried: .*OpenBLAS" said && grep -q "^  ultradelta " said || fail "estimate says: $(cat said)"
deltafsctl estimate --json --base base tune >said 2>&1 && of_json 'o' <said >/dev/null || fail "estimate --json: $(cat said)"

rm -f other
expect_fail 1 "OpenBLAS" deltafsctl encode --yes --codec delta-come --base base tune -o other
[ ! -e other ] || fail "a container of it was made"
store_of base
mkdir store/by && cp tune store/by/model.safetensors
expect_fail 1 "OpenBLAS" deltafsctl encode --yes --codec delta-come store/by/model.safetensors
cmp store/by/model.safetensors tune || fail "the file was changed"

# A daemon: it reads, and what it cannot code as it was told to is not lost, nor coded as nobody said.
deltafsctl import coded store/come.safetensors >said 2>&1 || fail "import: $(cat said)"
start_daemon store mnt -o rw,quiet=0
cmp mnt/come.safetensors back || fail "through a mount: other bytes"
mkdir mnt/new && policy set mnt/new codec=delta-come
cp tune mnt/new/model.safetensors
cp tune mnt/model.safetensors
told_of() { grep -q "new/model.safetensors.*OpenBLAS" "$log"; }
retry 120 told_of || fail "nothing is told of a file that cannot be coded: $(cat "$log")"
[ "$(told exact mnt/new/model.safetensors)" = 1 ] && cmp mnt/new/model.safetensors tune || fail "$(describe mnt/new/model.safetensors)"
[[ $(told reason mnt/new/model.safetensors) = *OpenBLAS* || $(told state mnt/new/model.safetensors) = container ]] || fail "no reason: $(describe mnt/new/model.safetensors)"
retry 120 eval '[ "$(told state mnt/model.safetensors)" = container ]' || fail "it keeps others waiting: $(describe mnt/model.safetensors)"
cmp mnt/model.safetensors tune || fail "a file beside it"
stop_daemon mnt

# It is there again: what waited for it is coded.
unset LD_LIBRARY_PATH
start_daemon store mnt -o rw,quiet=0
deltafsctl encode mnt/new/model.safetensors >said 2>&1 || fail "encode: $(cat said)"
is_lossy mnt/new/model.safetensors && cmp mnt/new/model.safetensors back || fail "with OpenBLAS: $(describe mnt/new/model.safetensors)"
stop_daemon mnt
