# SPDX-License-Identifier: GPL-2.0-or-later
"""crafted: good containers that no encoder of ours writes, but every reader must read.

Each row is a name, a line for the README, the base (or None), and a function.
It gets read(name), which gives a container that the encoder made and the file
it stands for, and gives (container, shown file).
"""

import random

from container_values import pack_values
from models import to_bits
from surgery import Container, flip, stored


def bits(number, n):
    """n bits of a bit stream, as text, the first one first."""
    return format(number, "0%db" % n)[::-1] if n else ""


def golomb(number, order):
    total = number + (1 << order)
    low = total.bit_length() - 1
    return "0" * (low - order) + "1" + bits(total - (1 << low), low)


def to_bytes(text):
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i:i + 8][::-1], 2) for i in range(0, len(text), 8))


def head_damaged(read):
    container, shown = read("few")
    return flip(container, 100), shown


def magic_damaged(read):
    """Twelve bytes of the magic are left, and the superblock at the tail."""
    container, shown = read("few")
    return b"rope" + container[4:], shown


def with_feature(read):
    container, shown = read("few")
    changed = Container(container)
    changed.compatible = 1 << 63
    changed.further_sections = [b"a later version may put anything here"]
    return changed.pack(), shown


def lossy(read):
    container, shown = read("few")
    changed = Container(container)
    changed.incompatible = 1
    changed.source_hash = bytes(range(16))
    return changed.pack(), shown


def nested(read):
    shown, _ = read("noise")
    return stored(shown, [dict(len=len(shown), chunks=[(shown, 1, len(shown))])]).pack(), shown


def no_base(_):
    one = to_bits(1.0, "F32")
    shown = pack_values([one if i == 77 else 0 for i in range(300)], 4) + bytes(400)
    # one change, 77 values on; from 0 to 1.0 it is as many steps as 1.0 has bits
    payload = to_bytes(bits(0, 5) + "0" + bits(32, 6) + golomb(1, 10) + "0" * 77 + "1" +
                       golomb(2 * one - 1, 32))
    piece = dict(base_off=0, base=0xffffffff)
    return stored(shown, [
        dict(len=1200, kind=1, dtype=18, predictor=1, chunks=[(payload, 4, 1200)],
             pieces=[dict(piece, dtype=18, len=400), dict(piece, dtype=15, len=800)]),
        dict(len=400, kind=2, dtype=14, predictor=1, chunks=[(b"", 0, 400)],
             pieces=[dict(piece, dtype=14, len=400)])]).pack(), shown


def chunk_rows(_):
    shown = random.Random(20).randbytes(7 * 10 * 2)
    cuts = [shown[at:at + 60] for at in range(0, len(shown), 60)]
    return stored(shown, [dict(len=len(shown), kind=1, dtype=14, cols=10, chunk_rows=3,
                               chunks=[(part, 1, len(part)) for part in cuts])]).pack(), shown


def empty_segments(_):
    shown = b"between two empty segments"
    nothing = dict(len=0, kind=1, dtype=15, cols=3, chunk_rows=2, chunks=[])
    return stored(shown, [nothing, nothing,
                          dict(len=len(shown), chunks=[(shown, 1, len(shown))]),
                          nothing]).pack(), shown


CRAFTED = [
    ("head-damaged", "the superblock at the head is damaged, the one at the tail is not", "every",
     head_damaged),
    ("magic-damaged", "so are four bytes of the magic", "every", magic_damaged),
    ("feature", "an unknown compatible feature and its section", "every", with_feature),
    ("lossy", "marked lossy: made from another file than it shows", "every", lossy),
    ("nested", "the shown file is a container itself", None, nested),
    ("no-base", "pieces without a base predict zero", None, no_base),
    ("chunk-rows", "chunks of whole rows", None, chunk_rows),
    ("empty-segments", "segments without bytes, in front, next to one another, at the end", None,
     empty_segments),
]
