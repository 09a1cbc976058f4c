# SPDX-License-Identifier: Apache-2.0
"""Clipping by the norm of all gradients together: docs/spec/step.md, "Optimisers"."""

from fractions import Fraction
from math import floor, prod

from program import CLIPS, Refused, attributes_of

from . import descent, gadgets, units
from .builder import signable, signed, term, unsigned
from .expression import Expression, Piece

NORM_BITS, SUM_BITS, COEFFICIENT_BITS = 30, 60, 28


def lower_clip(low):
    if CLIPS[low.program["clip"]["code"]][0] == "none":
        return
    b, (bits, scale), (norm_bits, norm_scale) = low.b, low.line("update_gradient"), low.line("clip_norm")
    cut = scale - norm_scale
    if cut < 1 or cut >= bits or norm_scale < 0:
        raise Refused("the scale of clip_norm is 0 or more, and below that of update_gradient")
    made = {}
    for parameter, gradient in enumerate(low.graph.gradients):
        if gradient is not None:
            x, divisor = low.scaled(descent.gradient_of(low, parameter), scale)
            made[parameter] = b.divide(x, divisor, signed(bits, low.limb_bits, cut))
    if not made:
        return
    read, unit = coefficient(low, sum_of_squares(low, list(made.values()), bits - cut, cut))
    for parameter, g in made.items():
        e = Expression([b.axes_of(g)], [Piece(units.times(unit, units.power(-scale)), [b.at(g), read])])
        x, divisor = low.scaled(e, scale)
        low.clipped[parameter] = b.divide(x, divisor, signed(bits, low.limb_bits))


def sum_of_squares(low, gradients, bits_above, cut):
    b, together = low.b, 2 ** (SUM_BITS - min(2 * bits_above, SUM_BITS))
    parts, count = [], 0
    for g in gradients:
        c, kept, summed = low.middle_of_cell(g, cut), [], 1
        for axis in reversed(b.axes_of(g)):
            if summed * b.size(axis) <= together:
                summed *= b.size(axis)
            else:
                kept.insert(0, axis)
        parts.append(b.form(kept, [term(1, b.at(c), b.at(c))]))
        count += prod(b.size(axis) for axis in kept)
    width = unsigned(SUM_BITS - min(count.bit_length(), SUM_BITS - 1), low.limb_bits)
    return b.form([], [term(1, b.at(b.divide(part, 1, width))) for part in parts])


def coefficient(low, square):
    """min(1, limit / (norm + 10^-6)), Keras without the millionth."""
    b, (norm_bits, norm_scale) = low.b, low.line("clip_norm")
    limit = Fraction(*attributes_of(CLIPS, low.program["clip"])["limit"])

    def in_units(value):
        return floor(value * 2 ** (norm_scale + 1) + Fraction(1, 2))

    least = in_units(limit)
    if not 1 <= least < 2**NORM_BITS:
        raise Refused("a limit that is no norm in the profile's line clip_norm")
    extra = 0 if low.optimiser.keras else in_units(Fraction(1, 10**6))
    n = gadgets.root(b, square, unsigned(min(norm_bits - 1, NORM_BITS), low.limb_bits))
    above = b.form([], [term(1, b.at(n))], extra - least)
    lo, hi = b.ranges[above]
    excess, positive, _ = b.divide_signed(above, 1, signable((max(hi, -lo) + 1).bit_length() + 1, low.limb_bits))
    divisor = b.form([], [term(1, b.at(positive), b.at(excess))], least)
    f = min(COEFFICIENT_BITS, 61 - min(low.line("update_gradient")[0], 60))
    return b.at(gadgets.reciprocal(b, divisor, least << f, unsigned(f + 1, low.limb_bits))), units.power(-f)
