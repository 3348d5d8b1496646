#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tools: cp, rsync, tar, sha256sum, cmp, dd and cat see the files that were written
# test: timeout=300
. "$(dirname "$0")/common.sh"
need rsync tar sha256sum cmp dd

# sums DIR: a hash of every file below it, by relative name.
sums() { (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum); }

# listing DIR: type, mode, owner, size, time, link target of all files below it; of
# directories type, mode and owner, since encoding in place renames within them.
listing() {
	(cd "$1" && find . -type d -printf '%P %y %m %u %g\n' -o -printf '%P %y %m %u %g %s %T@ %l\n' | sort)
}

equal() {
	echo "client: $1"
	diff <(sums "$PLAIN/tuned") <(sums "$2") >&2 || fail "$1 gives other bytes"
	compared=$((compared + 1))
}
compared=0

# evict: have the next reader ask the mount again.
evict() {
	find "$VIEW" -type f -print0 | while IFS= read -r -d '' file; do
		dd if="$file" iflag=nocache count=0 status=none
	done
}

given_store minilm-bf16 sharded hub vae odd.safetensors minilm.gguf
given_mount

equal "$(sha256sum --version | head -1), in place" "$VIEW/tuned"
diff <(listing "$PLAIN/tuned") <(listing "$VIEW/tuned") >&2 || fail "names, types, modes, owners, sizes or times differ"

evict
cp -a "$VIEW/tuned" copy
equal "$(cp --version | head -1), cp -a" copy
diff <(listing "$PLAIN/tuned") <(listing copy) >&2 || fail "cp -a: modes, owners, sizes or times differ"

evict
rm -r copy
cp -r --sparse=always "$VIEW/tuned" copy
cp -r --sparse=always "$PLAIN/tuned" sparse-plain
diff <(sums sparse-plain) <(sums copy) >&2 || fail "cp --sparse=always gives other bytes"

evict
rm -r copy
rsync -a "$VIEW/tuned/" copy/ || fail "rsync"
equal "$(rsync --version | head -1), rsync -a" copy
[ -z "$(rsync -aOcni "$VIEW/tuned/" "$PLAIN/tuned/")" ] || fail "rsync -c sees a difference"

evict
rm -r copy
mkdir copy
tar -C "$VIEW/tuned" -cf - . | tar -C copy -xf - || fail "tar"
equal "$(tar --version | head -1), c and x" copy

evict
rm -r copy
mkdir copy
tar -C "$VIEW/tuned" -cSf - --xattrs --xattrs-include='*' . | tar -C copy -xf - || fail "tar -S"
equal "tar -S --xattrs" copy

# dd by direct I/O, a piece that ends inside the file and the odd tail.
for name in minilm-bf16/model.safetensors odd.safetensors minilm.gguf; do
	for size in 4k 128k 7M; do
		# one request a block: of the small file only
		[ "$size" != 4k ] || [ "$name" = odd.safetensors ] || continue
		cmp "$PLAIN/tuned/$name" <(dd if="$VIEW/tuned/$name" bs=$size iflag=direct status=none) >&2 ||
			fail "dd iflag=direct bs=$size: $name"
	done
	evict
	cmp "$PLAIN/tuned/$name" <(dd if="$VIEW/tuned/$name" bs=4k skip=777 status=none) -i 3182592:0 >&2 ||
		fail "dd skip: $name"
	cmp "$PLAIN/tuned/$name" "$VIEW/tuned/$name" >&2 || fail "cmp: $name"
	cmp "$PLAIN/tuned/$name" <(cat "$VIEW/tuned/$name") >&2 || fail "cat: $name"
	cmp <(tail -c 4097 "$PLAIN/tuned/$name") <(tail -c 4097 "$VIEW/tuned/$name") >&2 || fail "tail: $name"
done
echo "client: $(dd --version | head -1), iflag=direct; $(cmp --version | head -1)"
[ "$compared" = 5 ] || fail "$compared comparisons, not 5"
