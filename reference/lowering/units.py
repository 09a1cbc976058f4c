# SPDX-License-Identifier: Apache-2.0
"""Units of docs/spec/lowering.md: rationals whose odd parts have 62 bits at most. None: one that has more."""

from fractions import Fraction
from math import gcd, lcm

from program import MAX_TERM

ZERO, ONE, MINUS = Fraction(0), Fraction(1), Fraction(-1)


def reduced(value: Fraction | None) -> Fraction | None:
    """A fraction of the program, if both its terms have at most 62 bits."""
    if value is None or abs(value.numerator) > MAX_TERM or value.denominator > MAX_TERM:
        return None
    return value


def split(value: Fraction) -> tuple:
    """Odd numerator, odd denominator, exponent of 2; (0, 1, 0) of zero."""
    if not value:
        return 0, 1, 0
    up = (value.numerator & -value.numerator).bit_length() - 1
    down = (value.denominator & -value.denominator).bit_length() - 1
    return value.numerator >> up, value.denominator >> down, up - down


def unit(value: Fraction) -> Fraction | None:
    num, den, _ = split(value)
    return value if abs(num) <= MAX_TERM and den <= MAX_TERM else None


def power(exponent: int) -> Fraction:
    return Fraction(2) ** exponent


def times(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return None if a is None or b is None else unit(a * b)


def plus(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    if a is None or b is None:
        return None
    if not a or not b:
        return a or b
    (num_a, den_a, exponent_a), (num_b, den_b, exponent_b) = split(a), split(b)
    exponent = min(exponent_a, exponent_b)
    left, right = exponent_a - exponent, exponent_b - exponent
    if max(left, right) > 60:
        return None
    left, right = reduced(Fraction(num_a << left, den_a)), reduced(Fraction(num_b << right, den_b))
    total = None if left is None or right is None else reduced(left + right)
    return None if total is None else total * power(exponent)


def integer(value: Fraction | None) -> int | None:
    """The value, if it is an integer of at most 62 bits."""
    if value is None or value.denominator != 1 or abs(value) > MAX_TERM or split(value)[2] > 61:
        return None
    return int(value)


def common_divisor(units: list) -> int | None:
    """The least common multiple of odd denominators."""
    common = 1
    for one in units:
        if one is None:
            return None
        common = lcm(common, split(one)[1])
        if common > MAX_TERM:
            return None
    return common


def common_unit(units: list) -> Fraction | None:
    """The largest unit of which all of these are whole multiples."""
    divisor = common_divisor(units)
    if divisor is None:
        return None
    scaled = [times(one, Fraction(divisor)) for one in units]
    common = gcd(*(split(one)[0] if one is not None else 0 for one in scaled)) or 1
    exponent = min((split(one)[2] for one in units), default=0)
    return times(Fraction(common, divisor), power(exponent))
