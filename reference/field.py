# SPDX-License-Identifier: Apache-2.0
"""F and K of docs/spec/field.md: integers modulo p, and pairs (a, b) for a + b phi with phi^2 = 7."""

P = 2**64 - 2**32 + 1
NON_RESIDUE = 7
TWO_ADICITY = 32
ROOT_32 = pow(7, (P - 1) >> TWO_ADICITY, P)


def root_of_unity(log_n: int) -> int:
    """Of order exactly 2^log_n."""
    return pow(ROOT_32, 1 << (TWO_ADICITY - log_n), P)


def add(x: tuple, y: tuple) -> tuple:
    return (x[0] + y[0]) % P, (x[1] + y[1]) % P


def sub(x: tuple, y: tuple) -> tuple:
    return (x[0] - y[0]) % P, (x[1] - y[1]) % P


def mul(x: tuple, y: tuple) -> tuple:
    return (x[0] * y[0] + NON_RESIDUE * x[1] * y[1]) % P, (x[0] * y[1] + x[1] * y[0]) % P


def inverse(x: tuple) -> tuple:
    norm = pow(x[0] * x[0] - NON_RESIDUE * x[1] * x[1], P - 2, P)
    return x[0] * norm % P, -x[1] * norm % P
