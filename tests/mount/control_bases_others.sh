#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# control_bases_others: who may have a daemon change the bases of its store, and name one: root and the store's owner, with their own rights and no others
# test: timeout=200 root
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"
[ -z "${DFS_USERNS:-}" ] || skip "one user alone in this namespace"
owner=4001 user=4002
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }
state() { told state "mnt/$1"; }
# raw USER NUMBER PATH [BY]: BASE_ADD or BASE_REMOVE by hand: its errno's name, or "done".
raw() {
	as "$1" /usr/bin/python3 - "${@:2}" <<'PY'
import errno, fcntl, os, struct, sys
number, path = int(sys.argv[1]), sys.argv[2].encode()
c = bytearray(4760)
struct.pack_into("<I", c, 0, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
c[4760 - 4096:4760 - 4096 + len(path)] = path
if number == 6 and os.path.exists(path):
    st = os.stat(path)
    struct.pack_into("<QQ", c, 24, st.st_dev, st.st_ino)
fd = os.open("mnt", os.O_RDONLY)
try:
    fcntl.ioctl(fd, 3 << 30 | 4760 << 16 | 0xdf << 8 | number, c, True)
    print("done", struct.unpack_from("<Q", c, 8)[0])
except OSError as error:
    print(errno.errorcode[error.errno])
PY
}

make_store --params 300000 --hidden 64 --seed 93
make_pair --params 300000 --hidden 128 --seed 94 other
make_pair --params 300000 --hidden 96 --seed 95 secret
chmod 755 . store orig orig/tune other other/base secret
# The store is its owner's, its daemon is root's.
chown -R $owner:$owner store
cp other/base/model.safetensors theirs.safetensors && chown $owner theirs.safetensors && chmod 600 theirs.safetensors
chmod 600 secret/base/model.safetensors secret/tune/model.safetensors
for name in mine twice; do cp orig/tune/model.safetensors store/$name.safetensors && chown $user store/$name.safetensors; done
start_daemon store mnt -o rw,allow_other,quiet=1

# --- a stranger
expect_fail 1 'only root and the owner of its .deltafs add and remove bases' as $user deltafsctl base add mnt other/base
expect_fail 1 'only root and the owner' as $user deltafsctl base remove mnt "$(deltafsctl base list --json store | python3 -c 'import json,sys; print(json.load(sys.stdin)["bases"][0]["id"])')"
[ "$(raw $user 6 "$PWD/other/base") $(raw $user 7 deadbeef00)" = "EACCES EACCES" ] || fail "by hand: $(raw $user 6 "$PWD/other/base")"
as $user deltafsctl encode --base mnt/base mnt/mine.safetensors >said 2>&1 || fail "encode --base by who may read it: $(cat said)"
[ "$(state mine.safetensors)" = container ] || fail "encode --base: $(cat said)"
expect_fail 1 'only root and the owner' as $user deltafsctl encode --base other/base mnt/twice.safetensors
expect_fail 1 'not yours to change' as $user deltafsctl encode --base mnt/base mnt/tune/model.safetensors mnt/base/model.safetensors

# --- the store's owner, as himself: root's files are not his because the daemon could read them
as $owner deltafsctl base add mnt theirs.safetensors >said 2>&1 || fail "base add by the store's owner: $(cat said)"
expect_fail 1 'Permission denied' as $owner deltafsctl base add mnt secret/base/model.safetensors
expect_fail 1 'Permission denied' as $owner deltafsctl base add --by-reference mnt secret/base
[ "$(raw $owner 6 "$PWD/secret/base/model.safetensors" | cut -d ' ' -f 1)" = "done" ] || fail "the store's owner is refused by hand"
sleep 0.5
[ "$(deltafsctl base list --json store | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["bases"]))')" = 2 ] ||
	fail "root's file became a base for another: $(deltafsctl base list store)"
[ -z "$(find store/.deltafs -type f -uid 0 -size +100k)" ] || fail "root's files in a store of $owner: $(find store/.deltafs -uid 0)"

# --- root's base: it serves root; its bytes and what is over it are not for others to ask for
run deltafsctl base add mnt secret/base
secret=$(deltafsctl base list --json store | python3 -c 'import json,sys; print([b["id"] for b in json.load(sys.stdin)["bases"] if any("secret" in n for n in b["names"])][0])')
as $user deltafsctl encode --base "$secret" mnt/twice.safetensors >said 2>&1 || true
grep -q 'left as it is: .*may not read' said || fail "a private base by its ID: $(cat said)"
[ "$(state twice.safetensors)" = plain ] || fail "coded against a base that its owner may not read"
expect_fail 1 'only root and the owner' as $user deltafsctl encode --base secret/base/model.safetensors mnt/twice.safetensors
cp secret/tune/model.safetensors mnt/roots.safetensors && chown $user mnt/roots.safetensors
run deltafsctl encode --base secret/base mnt/roots.safetensors
[ "$(told base_id mnt/roots.safetensors)" = "$secret" ] || fail "root's encode --base: $(cat said)"
cmp mnt/roots.safetensors secret/tune/model.safetensors || fail "wrong bytes"

# --- what the daemon is asked by hand: another version, no path, a relative one, another file than is there
[ "$(raw 0 6 /x 2)" = EPROTO ] || fail "another version: $(raw 0 6 /x 2)"
for path in "" other/base /nothing; do
	case $(raw 0 6 "$path") in done*) ;; *) fail "path '$path': $(raw 0 6 "$path")" ;; esac
done
sleep 0.5
[ "$(deltafsctl base list --json store | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["bases"]))')" = 3 ] || fail "bases out of nothing"
as $owner deltafsctl base remove mnt theirs.safetensors >said 2>&1 || fail "base remove by the store's owner: $(cat said)"
kill -0 "$daemon" || fail "the daemon is gone"
stop_daemon mnt
run deltafsctl verify -r store
