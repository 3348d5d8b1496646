#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fio: its verify jobs, by mmap, pread, direct I/O, libaio and io_uring, on what fio itself wrote
# test: timeout=300
#
# fio lays its checksummed blocks out behind a safetensors header, so that the
# file is a BF16 tensor to deltafs; its base is the same with a few values
# moved. A second file is fio's blocks alone: opaque bytes, compressible.
. "$(dirname "$0")/common.sh"
need fio

SIZE=$((48 << 20)) HEADER=4096
pattern=(--verify=crc32c --verify_fatal=1 --bs=64k --randseed=11)
echo "client: $(fio --version)"

# header FILE: into its first 4096 bytes, one tensor of SIZE bytes. (fio has emptied the file before.)
header() {
	local json='{"w":{"dtype":"BF16","shape":['$((SIZE / 8192))',4096],"data_offsets":[0,'$SIZE']}}'
	{
		printf '\xf8\x0f\0\0\0\0\0\0'
		printf '%-*s' $((HEADER - 8)) "$json"
	} | dd of="$1" bs=$HEADER iflag=fullblock conv=notrunc status=none
}

# lay_out FILE OFFSET [OPTION...]: fio writes, and verifies there, what the mount must give back.
lay_out() {
	local file=$1 offset=$2
	shift 2
	fio --name=lay --filename="$file" --offset="$offset" --size="$SIZE" --rw=write --ioengine=psync \
		"${pattern[@]}" "$@" --do_verify=1 --output=lay.log || { cat lay.log >&2; fail "fio cannot lay out $file"; }
}

mkdir -p "$PLAIN/base" "$PLAIN/tuned"
lay_out "$PLAIN/tuned/fio.safetensors" $HEADER
header "$PLAIN/tuned/fio.safetensors"
lay_out "$PLAIN/tuned/opaque" 0 --verify_pattern=0x7f21d3a65b
"$DFS_PYTHON" - "$PLAIN/tuned/fio.safetensors" "$PLAIN/base/fio.safetensors" $HEADER <<-'END'
	import sys
	import numpy as np
	data = np.fromfile(sys.argv[1], np.uint8)
	values = data[int(sys.argv[3]):].view(np.uint16)
	values[np.random.default_rng(1).random(values.size) < 0.01] ^= 1
	data.tofile(sys.argv[2])
END
cp -a "$PLAIN" "$STORE"
compress
given_mount cache=16M

# verify NAME OPTION...: every block of both files, in order and at random.
# fio's mmap engine takes no offset (it fails on the plain file too), so it
# verifies the file that has no header.
verify() {
	local name=$1 files="fio.safetensors opaque" file offset rw
	shift
	[ "$name" != mmap ] || files=opaque
	for file in $files; do
		offset=0
		[ "$file" = opaque ] || offset=$HEADER
		for rw in read randread; do
			fio --name="$name" --readonly --filename="$VIEW/tuned/$file" --offset="$offset" --size="$SIZE" --rw=$rw \
				--invalidate=1 "${pattern[@]}" "$@" --output="$name.log" ||
				{ tail -n 20 "$name.log" >&2; fail "fio $name $rw $file"; }
			grep -Eq 'READ: .*io=(48\.0MiB|96\.0MiB)' "$name.log" || fail "fio $name $rw $file read something else: $(grep READ: "$name.log")"
		done
	done
	echo "fio: $name verified"
}

verify mmap --ioengine=mmap
verify pread --ioengine=psync
verify direct --ioengine=psync --direct=1
verify libaio --ioengine=libaio --direct=1 --iodepth=16
verify io_uring --ioengine=io_uring --iodepth=32
verify io_uring-direct --ioengine=io_uring --iodepth=32 --direct=1

# fio must be able to say no: one byte of a block that it wrote is changed.
cp "$PLAIN/tuned/opaque" wrong
printf '\x55' | dd of=wrong bs=1 seek=$((SIZE / 2 + 5000)) conv=notrunc status=none
expect_fail any 'verify' fio --name=wrong --readonly --filename=wrong --size="$SIZE" --rw=read --ioengine=psync "${pattern[@]}"
