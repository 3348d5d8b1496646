#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# install: make install DESTDIR= puts programs, mount helpers and pages where
# mount(8) and man(1) look, and what is there runs.
. "$(dirname "$0")/../lib/test.sh"

make -s -C "$DFS_BUILD" install DESTDIR="$DFS_TMP/root" prefix=/usr || fail "make install"
cd root/usr
for file in bin/deltafs bin/deltafsctl sbin/fsck.deltafs; do
	[ -x "$file" ] || fail "$file is not installed"
done
for helper in mount.deltafs mount.fuse.deltafs; do
	[ "$(readlink "sbin/$helper")" = /usr/bin/deltafs ] || fail "sbin/$helper is not /usr/bin/deltafs"
done
for page in man1/deltafs.1 man1/deltafsctl.1 man5/deltafs-format.5 man7/deltafs.7 man8/mount.deltafs.8 man8/fsck.deltafs.8; do
	[ -s "share/man/$page" ] || fail "$page is not installed"
done
for program in bin/deltafs bin/deltafsctl sbin/fsck.deltafs; do
	$program -V | grep -q "${program#*/}.* [0-9][0-9.]*" || fail "$program -V names no version"
done
