#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# layers: who may include whom, and which header of others lives where. The
# table is ARCHITECTURE.md's; breaking it needs a better reason than haste.
#	layers.sh [ROOT]
cd "${1:-$(dirname "$0")/../..}" || exit 1

# folder: those it may include besides itself
may="util:
format: util
tensor: util
predict: util tensor
codec: util tensor
store: util format tensor
read: util format tensor predict codec store
write: util format tensor predict codec store read
fuse: util store read write"

# header: the paths that may include it
where="fftw3.h: src/codec/dct_forward.c
cblas.h: src/codec/svd.c
lapacke.h: src/codec/svd.c
zstd.h: src/codec/zstd.c
xxhash.h: src/util/hash.c
jansson.h: src/tensor/ src/store/ src/fuse/ mount-tools/
fuse_lowlevel.h: src/fuse/ mount-tools/
fuse.h: none
linux/fuse.h: src/fuse/handshake.c src/fuse/loop.c
cmocka.h: tests/
immintrin.h: src/codec/ src/tensor/ src/util/ src/predict/"

{ echo "$may"; echo ==; echo "$where"; echo ==
grep -rEno --include='*.[ch]' '^ *# *include *[<"][^">]+[>"]' src mount-tools; } | awk '
/^==$/ { part++; next }
part == 0 { split($0, a, ": *"); may[a[1]] = " " a[1] " " a[2] " "; next }
part == 1 { split($0, a, ": *"); where[a[1]] = a[2]; next }
{
	n = split($0, at, ":"); path = at[1]; split(path, dir, "/")
	name = $0; sub(/^[^<"]*[<"]/, "", name); sub(/[>"]$/, "", name)
	lines++
	base = name; sub(/^.*\//, "", base)
	if (name in where) base = name
	if (base in where) {
		ok = 0
		m = split(where[base], places, " ")
		for (i = 1; i <= m; i++) if (index(path, places[i]) == 1) ok = 1
		if (!ok) bad(path ":" at[2] ": " name " belongs in " where[base])
	} else if ($0 ~ /"[^"]*"$/ && dir[1] == "src") {
		split(name, to, "/")
		if (!(dir[2] in may)) bad(path ": no such folder in the table")
		else if (name !~ /\// || !index(may[dir[2]], " " to[1] " "))
			bad(path ":" at[2] ": " dir[2] " may not include " name)
		else if (to[1] != dir[2] && name ~ /\/internal\.h$/)
			bad(path ":" at[2] ": " name " is for its own folder")
	}
}
function bad(text) { print text; failed = 1 }
END { if (!lines) { print "nothing to look at"; exit 1 } exit failed }'
