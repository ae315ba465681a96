"""Recomputes the two tables of this folder with mpmath (1.4 with gmpy2, 300 bits).

    python3 -m venv v && v/bin/pip install mpmath gmpy2 && v/bin/python generate.py

Each line is `function x y rest`: the bits of x (f32 or f64), the true value rounded to f64, and what
that rounding left, rounded to f64. Only the first two columns are read.

* mpmath_f32.txt: per function the sixty inputs whose value lies nearest to a boundary of rounding,
  relative to the spacing of f32 there. `prove_math`'s sweep over all 2^32 inputs found them: they are the
  worst of those for which the evaluation in f64 leaves the rounding open.
* mpmath_f64.txt: per function two hundred random inputs over the whole domain, small values and the
  neighbourhood of zeros included.
"""

import pathlib
import struct

import mpmath

mpmath.mp.prec = 300
FUNCTIONS = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "ln": mpmath.log,
    "ln1p": mpmath.log1p,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "log10": mpmath.log10,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
}


def value(digits):
    """The float whose bits are given in hexadecimal: 8 digits for f32, 16 for f64."""
    return struct.unpack(">f" if len(digits) == 8 else ">d", bytes.fromhex(digits))[0]


def bits(x):
    return struct.pack(">d", x).hex()


def line(name, x):
    true = FUNCTIONS[name](mpmath.mpf(value(x)))
    y = float(true)
    return f"{name} {x} {bits(y)} {bits(float(true - mpmath.mpf(y)))}\n"


if __name__ == "__main__":
    for table in ["mpmath_f32.txt", "mpmath_f64.txt"]:
        path = pathlib.Path(__file__).with_name(table)
        inputs = [entry.split()[:2] for entry in path.read_text().splitlines()]
        path.write_text("".join(line(name, x) for name, x in inputs))
