# SPDX-License-Identifier: GPL-2.0-or-later
# The reader that deltafs-format(5) names, among the examples.
exampledir = $(docdir)/examples
dist_example_SCRIPTS = %D%/read_container.py
dist_example_DATA = \
	%D%/container_bits.py \
	%D%/container_codecs.py \
	%D%/container_errors.py \
	%D%/container_lossy.py \
	%D%/container_values.py
