# SPDX-License-Identifier: GPL-2.0-or-later
# Scripts only; the distribution takes the folder whole.
