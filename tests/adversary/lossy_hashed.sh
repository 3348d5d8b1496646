#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_hashed: promise 1, a file whose name is the hash of its content (of a hub cache, git-lfs, git-annex, DVC, Ollama), named by links of other names, by a directory, renamed while it is coded, with a store that is mounted or not: it keeps every bit, and that is told.
# test: timeout=300
. "$(dirname "$0")/lossy_common.sh"

pair base tune layers=1
sha256=$(sha256sum <tune | cut -d' ' -f1)
sha1=$(sha1sum <tune | cut -d' ' -f1)
md5=$(md5sum <tune | cut -d' ' -f1)
size=$(stat -c %s tune)
HASHED="blobs/$sha256
blobs/$sha1
lfs/objects/${sha256:0:2}/${sha256:2:2}/$sha256
annex/objects/Xj/9q/SHA256E-s$size--$sha256.safetensors
annex/objects/0k/zz/MD5E-s$size--$md5.safetensors
dvc/files/md5/${md5:0:2}/${md5:2}
cas/${sha256:0:2}/${sha256:2}
ollama/blobs/sha256-$sha256
by-hash/$sha256.safetensors
upper/${sha256^^}"
# Almost a hash, and none.
OTHERS="ff/model.safetensors
a/${sha256:1}
a/$sha256.d/model.safetensors
a/x$sha256
run/$md5"

fill() {
	local name
	for name in $HASHED $OTHERS; do
		mkdir -p "$1/$(dirname "$name")" && cp tune "$1/$name" || fail "cp $name"
	done
}

# Links by which programs know them.
link() {
	mkdir -p "$1/snapshots/abc" "$1/far"
	ln -s "../../blobs/$sha256" "$1/snapshots/abc/model.safetensors"
	ln -s model.safetensors "$1/snapshots/abc/again.safetensors"
	ln -s ../lfs "$1/far/link"
	ln -s ../cas "$1/snapshots/cas"
}

# Without a mount: by a link, by a link in the way, by a path that goes around, in its own directory, with all.
store_of base
fill store
link store
as_hash() { cmp -s "store/$1" tune || [ "$(deltafsctl info --json "store/$1" | of_json "o['exact']")" = True ] || fail "without a mount, $2: bits of $1 were given up"; }
encode --codec bitdelta store/snapshots/abc/again.safetensors
as_hash "blobs/$sha256" "by two links"
encode --codec bitdelta "store/far/link/objects/${sha256:0:2}/${sha256:2:2}/$sha256" "store/ff/../blobs/$sha1"
as_hash "lfs/objects/${sha256:0:2}/${sha256:2:2}/$sha256" "by a link in the way"
as_hash "blobs/$sha1" "by a path that goes around"
(cd "store/cas/${sha256:0:2}" && encode --codec bitdelta "./${sha256:2}") || exit 1
as_hash "cas/${sha256:0:2}/${sha256:2}" "in its own directory"
encode --codec bitdelta -r store
for name in $HASHED; do as_hash "$name" "with all others"; done
for name in $OTHERS; do
	[ "$(deltafsctl info --json "store/$name" | of_json "o['exact']")" = False ] || fail "without a mount: nothing was given up of $name"
done

# A name that has nothing of a hash, for a file that is a blob by another name: it stays, since it has two.
cp tune blob && mkdir -p store/two && mv blob "store/two/$sha256" && ln "store/two/$sha256" store/two/model.safetensors
encode --codec bitdelta store/two/model.safetensors
cmp "store/two/$sha256" tune || fail "a blob was given up by its second name"
[ "$(stat -c %h "store/two/$sha256")" = 2 ] || fail "its links"

# As OUT of -o the name there counts, by whatever way: of a directory, of one that is a link, in its own directory; nobody is asked either.
written() { [ "$(deltafsctl info --json "$1" | of_json "o['exact']")" = "$2" ] || fail "written to $1: exact is not $2: $(cat said)"; }
mkdir -p out in "out/cas/${sha256:0:2}"
for name in $HASHED; do
	mkdir -p "out/$(dirname "$name")"
	deltafsctl encode --codec bitdelta --base base tune -o "out/$name" >said 2>&1 </dev/null || fail "encode -o $name: $(cat said)"
	grep -q 'coded exactly, since its name is the hash of its content' said || fail "encode -o $name: $(cat said)"
	written "out/$name" True
done
for name in $OTHERS; do
	mkdir -p "out/$(dirname "$name")"
	encode --codec bitdelta --base base tune -o "out/$name"
	written "out/$name" False
done
cp tune "in/$sha256" && cp tune in/model.safetensors
ln -s out to
encode --codec bitdelta --base base "in/$sha256" -o to/
written "out/$sha256" True
(cd "out/cas/${sha256:0:2}" && encode --codec delta-dct --base ../../../base ../../../tune -o "./${sha256:2}") || exit 1
written "out/cas/${sha256:0:2}/${sha256:2}" True
encode --codec bitdelta --base base -r in -o made
written "made/$sha256" True
written made/model.safetensors False
encode --codec bitdelta --base base "in/$sha256" -o out/model.safetensors
written out/model.safetensors False

# The same through a mount, by a policy and by name.
rm -rf store mnt && store_of base
start_daemon store mnt -o rw,quiet=0
policy set mnt codec=bitdelta
fill mnt
link mnt
settle
for name in $HASHED; do
	is_exact "mnt/$name" tune || fail "by a policy: $(describe "mnt/$name")"
	grep -qF "$name: " "$log" && grep -F "$name: " "$log" | grep -q "exactly, since its name is the hash of its content" || fail "nothing is told of $name: $(grep -F "$name: " "$log")"
done
for name in $OTHERS; do is_lossy "mnt/$name" || fail "by a policy: $(describe "mnt/$name")"; done
decode mnt/snapshots/abc/model.safetensors
encode --codec bitdelta mnt/snapshots/abc/again.safetensors
is_exact "mnt/blobs/$sha256" tune || fail "by name, by a link: $(describe "mnt/blobs/$sha256")"
decode "mnt/blobs/$sha1"
encode --codec bitdelta "store/blobs/$sha1"
is_exact "mnt/blobs/$sha1" tune || fail "by name, by its path in the store: $(describe "mnt/blobs/$sha1")"

# What is published as hub clients do: written under another name, renamed when it is whole; at once, and while it is coded.
# Bits that had gone under the other name before it was renamed are gone.
gone() { tail -n +"$1" "$log" | grep -q "new/part.safetensors: compressed"; }
mkdir -p mnt/new/blobs
for name in new/blobs/$sha256 new/blobs/$sha1; do
	for try in 1 2 3 4 5 6; do
		seen=$(($(wc -l <"$log") + 1))
		cp tune mnt/new/part.safetensors && mv mnt/new/part.safetensors "mnt/$name"
		settle
		gone $seen || break
	done
	is_exact "mnt/$name" tune || fail "renamed at once: $(describe "mnt/$name")"
done
policy set mnt codec=delta-come
seen=$(($(wc -l <"$log") + 1))
cp tune mnt/new/part.safetensors
working() { getfattr --absolute-names --only-values -n user.deltafs.status mnt | grep -q '"encoding"'; }
retry 5 working || echo "it was not seen while it was coded"
mv -n mnt/new/part.safetensors "mnt/upper/$sha256"
settle
is_exact "mnt/upper/$sha256" tune || gone $seen || fail "renamed while it was coded: $(describe "mnt/upper/$sha256")"
stop_daemon mnt
