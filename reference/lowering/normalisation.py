# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation, and the running statistics: docs/spec/lowering.md, "Normalisation"."""

import math
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from program import Refused

from . import gadgets, units
from .builder import signed, term, unsigned
from .expression import Expression, Piece, flat, read_of

ROOT_BITS, LEAST_ROOT_SCALE = 30, 12
INVERSE_BITS, INVERSE_SCALE = 30, 21
FACTOR_BITS, FACTOR_SCALE = 30, 20
PRODUCT_BITS = 32


@dataclass
class Norm:
    """What a batch_norm computed. Operands are (read, unit)."""

    channels: list
    dims: list
    count: int
    sum: int = 0  # of x
    squares: int = 0  # of x - mean, summed
    sum_unit: Fraction | None = None  # of the means that they are
    squares_unit: Fraction | None = None
    centred: tuple = ()
    inverse: tuple = ()
    factor: tuple = ()


def exponent_of(low, operand):
    """An e with |v| unit <= 2^e for every v of a value."""
    read, unit = operand
    if unit is None:
        raise Refused("factors of more than 62 bits in one unit")
    lo, hi = low.b.ranges[read["value"]]
    num, den, exponent = units.split(unit)
    return (max(hi, -lo) * abs(num)).bit_length() - den.bit_length() + 1 + exponent


def mean_scale(low, whole):
    return min(low.line("norm_gradient")[1], 27 - whole)


def inverse_root(low, x, eps):
    """1 / sqrt(x + eps) over the axes of x, of which there are those of one dim."""
    statistics = low.line("statistics")[1]
    for scale in range(statistics, LEAST_ROOT_SCALE - 1, -1):
        # In binary64: eps, times a power of 2, to the nearest integer, halves away from 0.
        exact = math.ldexp(float(eps.numerator) / float(eps.denominator), 2 * scale)
        rounded = math.floor(exact) + (exact - math.floor(exact) >= 0.5)
        if rounded < 1 or rounded >= 2**53:
            continue
        shifted = Expression(x.dims, x.pieces, Fraction(rounded, 4**scale))
        made = shifted.as_integers(2 * scale)
        if made is None:
            continue
        terms, constant, divisor = made
        extent = low.b.extent(flat(x.dims), terms, constant)
        if extent is None or extent[1] >= 2 ** (2 * ROOT_BITS):
            continue
        v = low.b.form(flat(x.dims), terms, constant)
        bits = (extent[1] // divisor + 1).bit_length()
        variance = low.b.divide(v, divisor, unsigned(bits, low.limb_bits))
        root = gadgets.root(low.b, variance, unsigned((bits + 1) // 2, low.limb_bits))
        inverse = gadgets.reciprocal(low.b, root, 2 ** (scale + INVERSE_SCALE), unsigned(INVERSE_BITS, low.limb_bits))
        return low.b.at(inverse), units.power(-INVERSE_SCALE)
    raise Refused("a variance that can pass 2^60")


def lower_inverse_root(low, number, node):
    e = low.value(node.inputs[0])
    return read_of(*inverse_root(low, e, node.alpha), e.dims)


def rounded_product(low, a, b, axes, scale, width):
    e = Expression([axes], [Piece(units.times(a[1], b[1]), [a[0], b[0]])])
    x, divisor = low.scaled(e, scale)
    return low.b.divide(x, divisor, width)


def along_channels(low, number, channels):
    """A parameter's read as one along the channels."""
    read, unit = low.factor(number)
    piece, = read_of(read, unit, low.value(number).dims).renamed([channels]).pieces
    return piece.factors[0], unit


def batch_norm(low, number, node):
    x, gamma, beta = node.inputs
    b, (read, unit) = low.b, low.factor_along_all(x)
    dims = low.value(x).dims
    channels = dims[1]
    norm = Norm(channels, dims, prod(node.dims) // node.dims[1])
    norm.sum = b.form(channels, [term(1, read)])
    lo, hi = b.ranges[read["value"]]
    bits = 1 + max(hi, -lo, 2).bit_length()
    mean = b.divide(norm.sum, norm.count, signed(bits, low.limb_bits))
    norm.centred = b.at(b.form(flat(dims), [term(1, read), term(-1, b.at(mean))])), unit
    norm.squares = b.form(channels, [term(1, norm.centred[0], norm.centred[0])])
    each = units.unit(Fraction(1, norm.count))
    norm.sum_unit = units.times(unit, each)
    norm.squares_unit = units.times(units.times(unit, unit), each)
    norm.inverse = inverse_root(low, read_of(b.at(norm.squares), norm.squares_unit, [channels]), node.alpha)
    own = along_channels(low, gamma, channels)
    norm.factor = (b.at(rounded_product(low, own, norm.inverse, channels, FACTOR_SCALE, signed(FACTOR_BITS, low.limb_bits))),
                   units.power(-FACTOR_SCALE))  # fmt: skip
    low.norms[number] = norm
    y = Expression(dims, [Piece(units.times(norm.factor[1], unit), [norm.factor[0], norm.centred[0]])])
    return y.plus(low.value(beta).renamed([channels]).with_dims(dims))


def gradient_along(low, norm, dy):
    """The gradient along the axes of what was normalised."""
    read, unit = low.factor(dy)
    if unit is None or units.split(unit)[:2] != (1, 1):
        # Another factor than a power of two would multiply all that it is added to.
        read, unit = low.round(dy)
    piece, = read_of(read, unit, low.value(dy).dims).renamed(norm.dims).pieces
    return piece.factors[0], unit


def mean_along(low, dy, number):
    """The mean over the batch of dy (x - mean) / deviation."""
    norm = low.norms[number]
    if (dy, number) in low.means:
        return low.means[dy, number]
    dv = gradient_along(low, norm, dy)
    whole = exponent_of(low, dv)
    dot_scale = PRODUCT_BITS - 1 - whole
    unit = units.times(units.times(dv[1], norm.centred[1]), units.unit(Fraction(1, norm.count)))
    dot, divisor = low.scaled(Expression([norm.channels], [Piece(unit, [dv[0], norm.centred[0]])]), dot_scale)
    mean_dot = low.b.divide(dot, divisor, signed(PRODUCT_BITS, low.limb_bits))
    scale = mean_scale(low, whole)
    width = signed(max(whole + scale + 2, 2), low.limb_bits)
    u = rounded_product(low, (low.b.at(mean_dot), units.power(-dot_scale)), norm.inverse, norm.channels, scale, width)
    low.means[dy, number] = low.b.at(u), units.power(-scale)
    return low.means[dy, number]


def batch_norm_scale_grad(low, number, node):
    dy, of = node.inputs
    read, unit = mean_along(low, dy, of)
    norm = low.norms[of]
    return read_of(read, units.times(unit, units.unit(Fraction(norm.count))), [norm.channels])


def batch_norm_grad(low, number, node):
    dy, of = node.inputs
    u, norm, b = mean_along(low, dy, of), low.norms[of], low.b
    dv = gradient_along(low, norm, dy)
    whole = exponent_of(low, dv)
    scale, bits = mean_scale(low, whole), low.line("norm_gradient")[0]
    total = read_of(*dv, norm.dims)
    total = low.axes.sum_over(total, [axis for dim, axes in enumerate(norm.dims) if dim != 1 for axis in axes])
    mean, divisor = low.scaled(total.scaled(units.unit(Fraction(1, norm.count))), scale)
    m = b.divide(mean, divisor, signed(max(whole + scale + 1, 2), low.limb_bits))
    slope = rounded_product(low, u, norm.inverse, norm.channels, scale, signed(min(bits, 63 - FACTOR_BITS), low.limb_bits))
    k = rounded_product(low, (b.at(slope), units.power(-scale)), norm.factor, norm.channels, scale, signed(bits, low.limb_bits))
    fine, (g, g_unit), (d, d_unit) = units.power(-scale), norm.factor, norm.centred
    return Expression(norm.dims, [
        Piece(units.times(g_unit, dv[1]), [g, dv[0]]),
        Piece(units.times(units.MINUS, units.times(g_unit, fine)), [g, b.at(m)]),
        Piece(units.times(units.MINUS, units.times(d_unit, fine)), [b.at(k), d]),
    ])  # fmt: skip


def follow_gauge(low, norm, own) -> list:
    """What a recorded bias that the norm takes away moves its running mean by: W' - W."""
    pieces = []
    for parameter, above in low.gauges.items():
        if above == norm and low.program["optimiser"]["code"] != 1:
            w, unit = low.parameters[parameter], units.power(low.program["parameters"][parameter]["scale"] - 30)
            for after, factor in ((True, units.ONE), (False, units.MINUS)):
                read = read_of(low.b.at(w, after=after), units.times(unit, factor), [low.b.axes_of(w)])
                pieces += read.renamed(own).pieces
    return pieces


def lower_buffers(low):
    """buffer' = (1 - m) buffer + m statistic, the statistic rounded first."""
    b, (bits, scale), moved = low.b, low.line("statistics"), set()
    for running in low.graph.running:
        buffer, norm = low.buffers[running.buffer], low.norms[running.node]
        if running.buffer in moved:
            raise Refused("more than one batch_norm moves a buffer")
        moved.add(running.buffer)
        statistic, unit = (norm.sum, norm.sum_unit) if running.is_mean else (norm.squares, norm.squares_unit)
        own = [b.axes_of(buffer)]
        e = read_of(b.at(statistic), unit, [norm.channels]).scaled(units.unit(running.factor)).renamed(own)
        exact, divisor = low.scaled(e, scale)
        batch = b.divide(exact, divisor, signed(bits, low.limb_bits))
        m = units.unit(running.momentum)
        rest = units.plus(units.ONE, units.times(m, units.MINUS))
        pieces = [Piece(units.times(units.power(-scale), by), [b.at(value)]) for value, by in ((batch, m), (buffer, rest))]
        if running.is_mean:
            pieces += follow_gauge(low, running.node, own)
        x, divisor = low.scaled(Expression(own, [piece for piece in pieces if piece.unit != 0]), scale)
        b.divide_into(buffer, x, divisor)
    for index, buffer in enumerate(low.buffers):
        if index not in moved:
            x, divisor = low.scaled(read_of(b.at(buffer), units.ONE, [b.axes_of(buffer)]), 0)
            b.divide_into(buffer, x, divisor)


OPERATIONS = {"inverse_root": lower_inverse_root, "batch_norm": batch_norm, "batch_norm_grad": batch_norm_grad,
              "batch_norm_scale_grad": batch_norm_scale_grad}  # fmt: skip
