#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# selftest: each client test fails when one byte of what it reads is another
# test: root timeout=600
#
# No mount here: the view is a copy, first as it is and then with one byte
# flipped in the middle of every model file.
. "$(dirname "$0")/common.sh"

given_plain minilm minilm-bf16 sharded hub adapter vae odd.safetensors minilm.gguf
cp -a "$PLAIN" "$VIEW"
client numpy

find "$VIEW/tuned" -type f \( -name '*.safetensors' -o -name '*.gguf' -o -size +1M \) -print0 |
	while IFS= read -r -d '' file; do
		at=$(($(stat -c %s "$file") / 2 + 1))
		byte=$(dd if="$file" bs=1 skip=$at count=1 status=none | od -An -tu1)
		touch -r "$file" time
		# The upper byte of a value: a change that no rounding hides.
		printf "\\x$(printf %02x $((byte ^ 0x10)))" | dd of="$file" bs=1 seek=$at conv=notrunc status=none
		touch -r time "$file"
	done

for script in "$CLIENTS"/client_*.py; do
	script=$(basename "$script" .py)
	run_client "$DFS_PYTHON" "$script" "$PLAIN/tuned" "$VIEW/tuned" >said 2>&1 &&
		fail "$script passes with a byte flipped in every file"
	grep -Eq 'DIFFERS|verify: differences' said || { cat said >&2; fail "$script failed, but not on the byte"; }
	echo "selftest: $script: $(grep -m1 DIFFERS said | cut -c-200)"
done
