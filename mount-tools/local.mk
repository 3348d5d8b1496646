# SPDX-License-Identifier: GPL-2.0-or-later
# One main per program; each program has its own part.

include mount-tools/deltafs.mk
include mount-tools/deltafsctl.mk
include mount-tools/fsck.mk
