# SPDX-License-Identifier: GPL-2.0-or-later
# Add here: noinst_PROGRAMS += %D%/x
