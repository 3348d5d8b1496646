# SPDX-License-Identifier: GPL-2.0-or-later
# install: what the tests need and is not there: Debian packages by apt, Python
# clients by pip into environments of their own. Sourced by run.sh.

# install_list FILE: its packages, comments left out.
install_list() { sed 's/#.*//' "$1" | awk 'NF { print $1 }'; }

install_packages() {
	local missing="" package
	for package in $(install_list "$1"); do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
			missing="$missing $package"
	done
	[ -z "$missing" ] && return 0
	[ "$(id -u)" = 0 ] || { echo "not root, cannot install:$missing" >&2; return 1; }
	echo "installing:$missing"
	# shellcheck disable=SC2086
	apt-get -qq update >/dev/null &&
		DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >/dev/null
}

# install_venv NAME REQUIREMENTS: $DFS_CACHE/NAME becomes a link to an
# environment that is named after what it holds, so another list makes another.
install_venv() {
	local dir
	dir=$1-$({ /usr/bin/python3 -V; install_list "$2"; } | sha256sum | cut -c1-12)
	if [ ! -e "$DFS_CACHE/$dir/complete" ]; then
		echo "installing Python packages of ${2##*/} (a few minutes)"
		rm -rf "${DFS_CACHE:?}/$dir"
		/usr/bin/python3 -m venv "$DFS_CACHE/$dir" &&
			"$DFS_CACHE/$dir/bin/pip" -q --disable-pip-version-check install -r "$2" >"$DFS_CACHE/$dir/pip.log" 2>&1 ||
			{ tail -5 "$DFS_CACHE/$dir/pip.log" >&2; return 1; }
		touch "$DFS_CACHE/$dir/complete"
	fi
	ln -sfn "$dir" "$DFS_CACHE/$1"
}

# install_all LIB: everything. A client that cannot be had is not the end: its
# tests skip, and run.sh counts that as it should.
install_all() {
	install_packages "$1/packages.txt" || return 1
	mkdir -p "$DFS_CACHE" && chmod 755 "$DFS_CACHE" || return 1
	install_venv venv "$1/requirements.txt" || echo "without the Python clients" >&2
	install_venv venv07 "$1/requirements-07.txt" || echo "without safetensors 0.7" >&2
}
