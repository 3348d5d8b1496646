#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# autogen: make configure from configure.ac, in a fresh clone.
cd "$(dirname "$0")" && exec autoreconf -i
