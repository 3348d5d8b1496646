#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# packages: what the tests need, tests/lib/packages.txt brings. A command that
# only the machine of its author has makes a test that is skipped everywhere else.
#	packages.sh [ROOT]
cd "${1:-$(dirname "$0")/../..}" || exit 1
command -v dpkg-query >/dev/null || { echo "SKIP: no Debian here"; exit 77; }
PATH=/usr/sbin:/usr/bin:/sbin:/bin

# What every Debian has, and what is asked for.
have=" $(dpkg-query -W -f '${Package} ${Essential} ${Priority}\n' | awk '$2 == "yes" || $3 == "required" { print $1 }' | tr '\n' ' ')"
have+="$(sed 's/#.*//' tests/lib/packages.txt | tr '\n' ' ') "

# owners COMMAND: the packages it is from, also where /bin is a link to /usr/bin, or it an alternative.
owners() {
	local path
	path=$(command -v "$1") || return
	[ ! -L "/etc/alternatives/$1" ] || path=$(readlink -f "$path")
	dpkg-query -S "$path" "${path#/usr}" "/usr$path" 2>/dev/null | sed 's/: .*//; s/:[a-z0-9]*//g; s/,//g'
}

failed=0 seen=0
for command in $(sed -nE 's/^(.*[{;])?[[:space:]]*need ([^;}]*).*/\2/p' tests/*/*.sh | tr ' ' '\n' | sort -u); do
	seen=1 found=
	for package in $(owners "$command"); do
		[[ $have != *" $package "* ]] || found=1
	done
	# The interpreter is in a package that python3 pulls in.
	[ -n "$found" ] || [ "$command" = python3 ] ||
		{ grep -nHw "need .*$command" tests/*/*.sh | sed "s#\$#: no package of packages.txt has $command#"; failed=1; }
done
[ "$seen" = 1 ] || { echo "no test needs anything"; exit 1; }
exit "$failed"
