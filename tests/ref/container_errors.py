# SPDX-License-Identifier: GPL-2.0-or-later
"""container_errors: the three ways in which a container cannot be read."""


class Wrong(Exception):
    """The bytes do not say what deltafs-format(5) allows."""


class Damaged(Wrong):
    """A hash does not match."""


class Unsupported(Exception):
    """Valid, as far as can be told, but not for this reader."""


def must(claim, what):
    if not claim:
        raise Wrong(what)
