#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# short: a fine-tune made here and now, by every codec, is read through the mount and better than its base's linears
# test: serial timeout=600 nosan
. "$(dirname "$0")/../lib/test.sh"

PYTHONPATH= "$DFS_SRC/tests/quality/run.sh" --quick --build "$DFS_BUILD" --work "$DFS_TMP/quality" >said 2>&1 ||
	{ cat said >&2; fail "quality"; }
grep -E '^(pass|not in)' said
