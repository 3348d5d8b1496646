#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_values: promises 1 and 3, weights that arithmetic stumbles over: a tensor with one NaN, infinity or number too large to add to, in the fine-tune or its base, keeps every bit; of all others no codec makes an infinity; portable kernels agree.
# test: timeout=300
. "$(dirname "$0")/lossy_common.sh"

cat >values.py <<'PY'
import os, random, subprocess, sys
from lossy_pair import COLS, PACK, ROWS, UNIT, gauss, layer, load, moved, numbers, save

N = ROWS * COLS
SPECS = ["bitdelta", "bitdelta:k=4,scale=column", "delta-dct", "delta-dct:levels=minmax,p=8,bits=8:0.1/0:0.9",
         "ultradelta:s=0.99", "ultradelta:mask=stored,levels=codebook", "delta-come"]
# bits of a NaN with a payload, of infinity; the largest and the smallest number; one that nothing may be added to
SPECIAL = {"BF16": (0x7fa1, 0x7f80, 3.3e38, 2.0 ** -133, 2.0 ** 121), "F16": (0x7d23, 0x7c00, 65504.0, 2.0 ** -24, 4096.0),
           "F32": (0x7fa12345, 0x7f800000, 3.4e38, 2.0 ** -149, 2.0 ** 121)}

def run(*words, **env):
    ran = subprocess.run(["deltafsctl", *words], capture_output=True, text=True, env=dict(os.environ, **env))
    if ran.returncode:
        sys.exit(f"{words}: {ran.stderr}")

def check(dtype):
    rng, size = random.Random(3), UNIT[dtype]
    nan, inf, most, least, large = SPECIAL[dtype]
    top, pack = 1 << 8 * size - 1, PACK[dtype]
    w = gauss(rng, N, 0.02)
    t = moved(rng, w, 0.001)
    W, T = pack(w), pack(t)
    def put(bits, at, data):
        return data[:at * size] + bits.to_bytes(size, "little") + data[(at + 1) * size:]
    exact = {
        "nan in the fine-tune": (W, put(nan, 77, T)),
        "negative nan, last": (W, put(nan | top, N - 1, T)),
        "infinity, first": (W, put(inf, 0, T)),
        "nan in the base": (put(nan, 5, W), T),
        "nan in both": (put(nan, 5, W), put(nan | 1, 5, T)),
        "infinity in both": (put(inf | top, 5, W), put(inf, 5, T)),
        "largest, negated": (pack([most] + w[1:]), pack([-most] + t[1:])),
        "largest in the base, last": (pack(w[:-1] + [most]), T),
        "large": (pack([large] * N), pack([-large if i % 3 else large for i in range(N)])),
    }
    small = [least * rng.randrange(-40, 41) for _ in range(N)]
    finite = {
        "ordinary": (W, T),
        "smallest of all": (pack(small), pack([s + least * rng.randrange(-1, 2) for s in small])),
        "at the limit, negated": (pack([large / 2 * (1 if i % 2 else -1) for i in range(N)]), pack([large / 2 * (-1 if i % 2 else 1) for i in range(N)])),
        "one at the limit": (pack([large / 2] + w[1:]), pack([-large / 2] + t[1:])),
        "zeros of other signs": (pack([0.0] * N), pack([-0.0] * N)),
        "one element": (W, put(0x1234, 1000, W)),
        "equal rows": (pack(w[:COLS] * ROWS), pack(t[:COLS] * ROWS)),
        "one constant": (pack([1.0] * N), pack([2.0] * N)),
    }
    both = [(f"{layer(i)}.{what}", *data) for i, (what, data) in enumerate({**exact, **finite}.items())]
    save("base", [(name, dtype, [ROWS, COLS], a) for name, a, _ in both])
    save("tune", [(name, dtype, [ROWS, COLS], b) for name, _, b in both])
    for spec in SPECS:
        run("encode", "--yes", "--codec", spec, "--base", "base", "tune", "-o", "coded")
        run("decode", "--base", "base", "coded", "-o", "back")
        run("decode", "--base", "base", "coded", "-o", "portable", DELTAFS_CPU="portable")
        assert open("back", "rb").read() == open("portable", "rb").read(), f"{dtype} {spec}: other bytes with other kernels"
        got, head = load("back")
        want, same = load("tune")
        assert head == same, f"{dtype} {spec}: the header"
        for name in want:
            what = name.split(".")[-1]
            if what in exact:
                assert got[name] == want[name], f"{dtype} {spec}: {what} is not exact"
            assert what in exact or all(abs(v) <= most * 1.1 for v in numbers(dtype, got[name])), f"{dtype} {spec}: {what}: an infinity or NaN"
            assert what != "ordinary" or got[name] != want[name], f"{dtype} {spec}: nothing was given up"
    return len(SPECS) * len(both)

print(sum(check(dtype) for dtype in SPECIAL), "tensors")
PY
timeout -s KILL 200 python3 values.py || fail "see above"
