#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# unfinished: after an autogen.sh that was interrupted, both commands of the README begin it anew.
. "$(dirname "$0")/../lib/test.sh"

mkdir -p tree/tests tree/examples && cd tree || exit 1
cp -r "$DFS_SRC/tests/lib" "$DFS_SRC/tests/run.sh" tests/ && cp "$DFS_SRC/examples/quickstart.sh" examples/
touch configure.ac
# What autoreconf leaves if it is stopped between autoconf and automake.
printf '#!/bin/sh\necho "cannot find required auxiliary files"\nexit 1\n' >configure
printf '#!/bin/sh\necho begun anew\nexit 1\n' >autogen.sh
chmod +x configure autogen.sh && touch -d '+1 minute' configure
expect_fail 1 'begun anew' examples/quickstart.sh
expect_fail 1 'begun anew' env -u DFS_TMP tests/run.sh --no-install --no-san

# Left alone when it is whole.
touch Makefile.in
expect_fail 1 'cannot find required' examples/quickstart.sh
expect_fail 1 'cannot find required' env -u DFS_TMP tests/run.sh --no-install --no-san
