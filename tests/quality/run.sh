#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh: what is left of real fine-tunes by the codecs that give bits up, read through the mount by transformers.
#
#	tests/quality/run.sh [--work DIR] [--build DIR] [--out DIR] [--tasks A,B] [--seeds 0,1,2]
#		[--kinds "full bf16,full f32,lora bf16"] [--steps N] [--parts DIR] [--main] [--quick]
#
# Trains on the spot, stores all on one base in one store, scores it through the
# mount, and checks what is promised: "pass" or "FAIL" a line, and exit status 1.
# DIR (default /var/tmp/deltafs-quality) keeps trained models, which are used
# again, answers of models byte by byte the same, and results.json, .svg and .md.
# Some hours on two processors, 8 GB of DIR; --main: the defaults and baselines
# alone; --quick: a minute and a small task. --parts DIR: what was measured of a
# fine-tune is there, a file each, and is not measured again: a run of several
# sittings, or none: tests/quality/measured has those of README.md, from which
# table, picture and musts are made without training anything. Needs no root; to
# measure, /dev/fuse and apt's lists (apt-get update): a task's texts are
# Debian's, and parts of other texts are not taken together. Python is that of
# tests/clients; torch takes $DFS_THREADS (2) threads, and training waits while
# the file named by DFS_PAUSE_FILE exists.
set -eu

src=$(cd "$(dirname "$0")/../.." && pwd)
work=/var/tmp/deltafs-quality build='' words=()
while [ $# -gt 0 ]; do
	case $1 in
	--work) work=${2?--work needs a directory}; shift ;;
	--build) build=${2?--build needs a directory}; shift ;;
	-h | --help) sed -n 's/^#\t\{0,1\} \{0,1\}//p; /^set/q' "$0" | sed 1,2d; exit 0 ;;
	*) words+=("$1") ;;
	esac
	shift
done
mkdir -p "$work"
work=$(realpath "$work")

unmount() {
	! mountpoint -q "$work/mnt" || fusermount3 -u "$work/mnt" || umount -l "$work/mnt"
}
trap unmount EXIT
trap 'exit 130' INT TERM HUP

if [ -z "$build" ]; then
	build=$work/build
	mkdir -p "$build"
	{
		( cd "$src" && { [ -x configure ] || ./autogen.sh; } ) && cd "$build" &&
			{ [ -e Makefile ] || "$src/configure" CFLAGS="-O2 -g"; } && make -j"$(nproc)"
	} >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; exit 1; }
fi

if [ ! -x "${DFS_PYTHON:-}" ] || [ ! -d "${DFS_MODELS:-}" ]; then
	said=$("$src/tests/clients/setup.sh") || { echo "run.sh: no Python with the clients" >&2; exit 1; }
	eval "$said"
	DFS_PYTHON=$PY DFS_MODELS=$MODELS
fi
# Without what it depends on beyond this list: that is there, and pip would bring other versions of it.
plotting="$work/plot-$(sha256sum <"$src/tests/quality/requirements.txt" | cut -c1-12)"
if [[ " ${words[*]} " != *" --quick "* && ! -e $plotting ]]; then
	"$DFS_PYTHON" -m pip --disable-pip-version-check install -q --no-deps --target "$plotting.new" \
		-r "$src/tests/quality/requirements.txt"
	mv "$plotting.new" "$plotting"
fi

export PYTHONPATH=$plotting PYTHONDONTWRITEBYTECODE=1 HF_HOME=$work/hf OMP_NUM_THREADS=${DFS_THREADS:-2} \
	OMP_WAIT_POLICY=passive PYTHONWARNINGS=ignore
"$DFS_PYTHON" "$src/tests/quality/quality.py" --tools "$build/mount-tools" --base "$DFS_MODELS/base/minilm" \
	--work "$work" --threads "${DFS_THREADS:-2}" "${words[@]}"
