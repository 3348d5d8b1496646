# SPDX-License-Identifier: GPL-2.0-or-later
# The scripts here need no helper program but tests/tools.
