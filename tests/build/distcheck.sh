#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# distcheck: the tarball holds all that a build needs, builds without FUSE, runs
# its unit tests, installs below DESTDIR and uninstalls without a trace.
# test: timeout=1800
. "$(dirname "$0")/../lib/test.sh"

[ -x "$DFS_SRC/configure" ] || fail "no configure in $DFS_SRC"
mkdir build && cd build
"$DFS_SRC/configure" -q --without-fuse || fail "configure --without-fuse"
make -s distcheck DISTCHECK_CONFIGURE_FLAGS="--without-fuse --enable-werror CFLAGS=-O1" || fail "make distcheck"
