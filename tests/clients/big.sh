#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# big: every loader on a sharded BF16 model of 2 GiB through a cache of 32 MiB
# test: serial root timeout=900 nosan
#
# Sixty-four times the cache: nothing passes by decoding a whole file into memory.
# Once, as root: the clients are shown to an ordinary user by their own scripts.
. "$(dirname "$0")/common.sh"
need getfattr

need_room() {
	local free
	free=$(df --output=avail -B1M "$DFS_TMP" | tail -1)
	[ "$free" -gt 12000 ] || fail "$DFS_TMP has $free MiB free; 12000 are needed"
}

need_room
"$DFS_PYTHON" "$CLIENTS/models.py" big "$PLAIN" >models.log 2>&1 || { tail models.log >&2; fail "the model cannot be made"; }
mkdir -p "$STORE"
# The base is the same file in both trees; only the fine-tune is there twice.
cp -al "$PLAIN/base" "$STORE/base"
cp -a "$PLAIN/tuned" "$STORE/tuned"
compress
given_mount cache=32M
client safetensors transformers diffusers torch numpy mmap mlx runai fastsafetensors gguf vllm_replica ollama_replica
client07 safetensors

# 64 MiB beside the cache is what the daemon may take.
daemon=$(getfattr --absolute-names --only-values -n user.deltafs.status "$VIEW" |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])') || fail "the root does not tell its daemon"
peak=$(awk '/^VmHWM:/ { print $2 }' "/proc/$daemon/status")
[ "$peak" -lt $(((32 + 64) << 10)) ] || fail "the daemon grew to $peak KiB with cache=32M"
echo "daemon: at most $((peak >> 10)) MiB resident"
