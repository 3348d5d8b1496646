#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# writers_git: a git repository with git-lfs in a mount that compresses at once: commits, checkouts and clones are right, and git sees nothing change when files are compressed
# test: timeout=900 asan nowriteback
. "$(dirname "$0")/writers_common.sh"
need git git-lfs

given_writable
export HOME=$DFS_TMP GIT_CONFIG_NOSYSTEM=1 GIT_OPTIONAL_LOCKS=0 GIT_LFS_SKIP_SMUDGE=
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
git config --global init.defaultBranch main && git lfs install --skip-repo >/dev/null || fail "git lfs install"
in_repo() { (cd "mnt/$1" && shift && "$@") >said 2>&1 || fail "$*: $(cat said)"; }
is_clean() {
	in_repo "$1" git status --porcelain
	[ ! -s said ] || fail "$2: git status: $(cat said)"
}
# unnoticed REPO: by what stat(2) says alone, nothing differs from the index.
unnoticed() {
	in_repo "$1" git diff-files
	[ ! -s said ] || fail "$2: git sees a change: $(cat said)"
}
# object FILE: where git-lfs keeps it.
object() { local sum; sum=$(sha256sum <"$1" | cut -d' ' -f1); echo "lfs/objects/${sum:0:2}/${sum:2:2}/$sum"; }

mkdir mnt/repo
in_repo repo git init -q
in_repo repo git lfs track '*.safetensors'
# Held open they stay plain until the index knows them.
exec 3>mnt/repo/model.safetensors 4>mnt/repo/raw.bin && cat $TUNE >&3 && cat $TUNE >&4 || fail cat
in_repo repo git add .
in_repo repo git commit -qm one
wrote repo/model.safetensors $TUNE; wrote repo/raw.bin $TUNE; wrote "repo/.git/$(object $TUNE)" $TUNE
is_clean repo "after the commit"
# What was modified after the index was written, git would compare by content anyhow.
retry 30 eval '[ "$(date +%s)" -gt "$(($(stat -c %Y mnt/repo/.git/index) + 1))" ]'
in_repo repo env GIT_OPTIONAL_LOCKS=1 git update-index -q --refresh
unnoticed repo "plain"
[ "$(told state mnt/repo/model.safetensors) $(told state mnt/repo/raw.bin)" = "plain plain" ] || fail "compressed while open for writing"
exec 3>&- 4>&-
all_small "git"
unnoticed repo "compressed"
is_clean repo "after compression"

cp $NEXT mnt/repo/model.safetensors && wrote repo/model.safetensors $NEXT || fail cp
in_repo repo git commit -qam two
wrote "repo/.git/$(object $NEXT)" $NEXT
in_repo repo git checkout -q HEAD~1
cmp $TUNE mnt/repo/model.safetensors || fail "git checkout of the first"
in_repo repo git checkout -q main
rm mnt/repo/model.safetensors mnt/repo/raw.bin
in_repo repo git checkout -q -- .
all_small "git checkout"
is_clean repo "after a checkout"

in_repo . git clone -q repo clone
wrote clone/model.safetensors $NEXT; wrote clone/raw.bin $TUNE
# git-lfs links what it has to the clone: a file of two names stays plain.
[ "mnt/repo/.git/$(object $NEXT)" -ef "mnt/clone/.git/$(object $NEXT)" ] || fail "the clone has no link: $(ls -lR mnt/clone/.git/lfs)"
keeps "repo/.git/$(object $NEXT)" $NEXT; keeps "clone/.git/$(object $NEXT)" $NEXT
all_small "git clone"
is_clean clone "the clone"
git clone -q mnt/repo outside >/dev/null 2>&1 && cmp $NEXT outside/model.safetensors || fail "a clone out of the mount"
in_repo repo git gc -q --aggressive
in_repo repo git fsck --full --strict
in_repo repo git lfs fsck
stop_daemon mnt
mount_writable
is_clean repo "after a remount"
is_clean clone "after a remount"
all_stays
