#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# size_unknown: promises 1 and 3, a name looked up while the disk fails, or while the daemon may not read the file, is not read short of its size afterwards.
# test: nosan
. "$(dirname "$0")/common.sh"
need strace

given_pair 41
shown=mnt/tune/model.safetensors original=orig/tune/model.safetensors
size=$(stat -c %s "$original") stored=$(stat -c %s store/tune/model.safetensors)
[ "$stored" -lt "$size" ] || fail "$stored bytes stored of $size"
cp -a store/tune/model.safetensors container

# looked_up: its attributes while every pread of the daemon fails.
looked_up() {
	attach -e trace=pread64 -e inject=pread64:error=EIO
	seen=$(stat -c %s "$shown")
	kill -INT "$tracer"
	wait "$tracer" || true
	grep -q INJECTED trace || fail "nothing failed"
	[ "$seen" = "$stored" ] || fail "size $seen with a failing disk: not the case that is meant"
}

for option in ro rw,noingest rw,noingest,nowriteback; do
	for use in cat map link cut; do
		[[ $option = rw* || $use = cat || $use = map ]] || continue
		start_daemon store mnt -o "$option"
		looked_up
		case $use in
		cat) cmp "$shown" "$original" || fail "$option: read otherwise" ;;
		map) python3 -c '
import mmap, sys
with open(sys.argv[1], "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
    assert m[:] == open(sys.argv[2], "rb").read()' "$shown" "$original" || fail "$option: mapped otherwise" ;;
		link)
			ln "$shown" mnt/tune/linked || fail "$option: link"
			cmp mnt/tune/linked "$original" && cmp "$shown" "$original" || fail "$option: read otherwise by its new name"
			[ "$(stat -c %h "$shown")" = 2 ] || fail "$option: $(stat -c %h "$shown") links"
			rm mnt/tune/linked
			;;
		cut)
			truncate -s $((size - 5000)) "$shown" || fail "$option: truncate"
			cmp "$shown" <(head -c $((size - 5000)) "$original") || fail "$option: cut otherwise"
			tail -c 5000 "$original" >>"$shown"
			cmp "$shown" "$original" || fail "$option: grown otherwise"
			;;
		esac
		[ "$(stat -c %s "$shown")" = "$size" ] || fail "$option: $use: size $(stat -c %s "$shown")"
		stop_daemon mnt
		rm store/tune/model.safetensors
		cp -a container store/tune/model.safetensors
	done
done
