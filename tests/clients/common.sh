# SPDX-License-Identifier: GPL-2.0-or-later
# common: what the client tests share: a store of real fine-tunes, compressed
# and mounted, and a way to run a client script against it.
#
#	given_store NAME...	copies base/ and these of tuned/ into $DFS_TMP/store,
#				compresses them, and sees that they are containers
#	given_mount [OPTIONS]	mounts it on $DFS_TMP/view
#	client SCRIPT...	each runs with the plain files and the view
#
# A client that cannot be had is a failure here, never a skip.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/test.sh"

CLIENTS=$DFS_SRC/tests/clients
STORE=$DFS_TMP/store VIEW=$DFS_TMP/view PLAIN=$DFS_TMP/plain

if [ ! -x "$DFS_PYTHON" ] || [ ! -x "$DFS_PYTHON07" ] || [ ! -d "$DFS_MODELS" ]; then
	said=$("$CLIENTS/setup.sh") || fail "the clients cannot be installed"
	eval "$said"
	DFS_PYTHON=$PY DFS_PYTHON07=$PY07 DFS_MODELS=$MODELS
fi
export PYTHONDONTWRITEBYTECODE=1 HF_HOME=$DFS_TMP/hf HF_HUB_OFFLINE=1 OMP_NUM_THREADS=2

# given_plain NAME...: base/ and these of tuned/, as they were written.
given_plain() {
	local name
	mkdir -p "$PLAIN/tuned"
	cp -dR --preserve=mode,timestamps,links "$DFS_MODELS/base" "$PLAIN/" || fail "the models cannot be read"
	for name; do
		cp -dR --preserve=mode,timestamps,links "$DFS_MODELS/tuned/$name" "$PLAIN/tuned/" || fail "the models cannot be read"
	done
}

# is_container FILE PLAIN_FILE: the store holds something smaller than the file, and not its bytes.
is_container() {
	[ "$(stat -c %s "$1")" -lt "$(stat -c %s "$2")" ] && ! cmp -s -n 4096 "$1" "$2"
}

# ctl WORD...: deltafsctl, which must succeed.
ctl() {
	deltafsctl "$@" >>"$DFS_TMP/ctl.log" 2>&1 || { cat "$DFS_TMP/ctl.log" >&2; fail "deltafsctl $*"; }
}

# compress: the bases of the store are registered, all else in it encoded; what
# is not a model to encode -r, by name.
compress() {
	local base file name n=0
	for base in "$STORE"/base/*; do
		ctl base add "$STORE" "$base"
	done
	ctl encode -r "$STORE/tuned"
	while IFS= read -r -d '' file; do
		name=${file#"$PLAIN/"}
		[[ $name == *.safetensors || $name == */blobs/* ]] || ctl encode "$STORE/$name"
		is_container "$STORE/$name" "$file" || fail "$name is still plain in the store: this proves nothing"
		n=$((n + 1))
	done < <(find "$PLAIN/tuned" -type f -size +1M -print0)
	[ "$n" -gt 0 ] || fail "nothing was compressed"
}

given_store() {
	given_plain "$@"
	cp -a "$PLAIN" "$STORE"
	compress
}

given_mount() {
	mkdir -p "$VIEW"
	deltafs ${1:+-o "$1"} "$STORE" "$VIEW" || fail "the mount failed"
	at_end "unmount_below '$DFS_TMP'"
	mountpoint -q "$VIEW" || fail "deltafs returned, but $VIEW is no mountpoint"
}

# run_client PYTHON SCRIPT PLAIN VIEW: what it prints of progress stays in its log unless it fails.
run_client() {
	local log=$DFS_TMP/client.log status=0
	"$1" "$CLIENTS/$2.py" "$3" "$4" >"$log" 2>&1 || status=$?
	if [ "$status" != 0 ]; then
		tr '\r' '\n' <"$log" | grep -v '%|' | tail -n 25 >&2
		return "$status"
	fi
	sed -n "s/^\(client\|compared\): /$2: &/p" "$log"
	grep -q '^client: ' "$log" && grep -q '^compared: ' "$log"
}

client() {
	local script
	for script; do
		run_client "$DFS_PYTHON" "client_$script" "$PLAIN/tuned" "$VIEW/tuned" || fail "$script reads other bytes"
	done
}

client07() {
	local script
	for script; do
		run_client "$DFS_PYTHON07" "client_$script" "$PLAIN/tuned" "$VIEW/tuned" || fail "$script reads other bytes"
		grep -q '^client:.* safetensors 0\.7\.' "$DFS_TMP/client.log" || fail "$script ran with another safetensors than 0.7"
	done
}
