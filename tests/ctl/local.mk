# SPDX-License-Identifier: GPL-2.0-or-later
# Helper programs of the scripts here: noinst_PROGRAMS += %D%/x
