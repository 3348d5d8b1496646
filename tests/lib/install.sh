# SPDX-License-Identifier: GPL-2.0-or-later
# install: what the tests need and is not there: Debian packages by apt, Python
# clients by tests/clients/setup.sh. Sourced by run.sh.

# install_list FILE: its packages, comments left out.
install_list() { sed 's/#.*//' "$1" | awk 'NF { print $1 }'; }

install_packages() {
	local missing="" package sudo=""
	for package in $(install_list "$1"); do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
			missing="$missing $package"
	done
	[ -z "$missing" ] && return 0
	[ "$(id -u)" = 0 ] || sudo=sudo
	[ -z "$sudo" ] || command -v sudo >/dev/null || { echo "neither root nor sudo: cannot install$missing" >&2; return 1; }
	echo "installing:$missing"
	# shellcheck disable=SC2086
	$sudo apt-get -qq update >/dev/null &&
		$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >/dev/null
}

# install_clients SETUP: Python environments and models; SETUP says where. A
# client that cannot be had is not the end: its tests skip, and run.sh counts
# that as it should.
install_clients() {
	local said
	if said=$("$1"); then
		eval "$said"
		export DFS_PYTHON=$PY DFS_PYTHON07=$PY07 DFS_MODELS=$MODELS
	else
		echo "without the Python clients" >&2
	fi
}
