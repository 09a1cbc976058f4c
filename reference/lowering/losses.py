# SPDX-License-Identifier: Apache-2.0
"""Softmax with cross-entropy, of which a step has the gradient alone: docs/spec/lowering.md, "Losses"."""

from program import Refused

from . import gadgets, units
from .builder import signed, unsigned
from .expression import Expression, Piece, flat


def one_hot_of(low, label, classes):
    """Made once for each label and each way in which its classes are cut."""
    key = label, tuple(low.b.size(axis) for axis in classes)
    if key not in low.one_hots:
        index = low.graph[label].index
        count = low.program["columns"][index]["classes"]
        if low.columns[index] is None:
            low.columns[index] = low.b.column([low.batch], unsigned((count - 1).bit_length(), low.limb_bits), index)
        # Logits may have the batch's axis for their classes.
        classes = low.axes.like(classes, {low.batch})
        places = low.add_public(classes, 0, count - 1, ("places",))
        low.one_hots[key] = gadgets.one_hot(low.b, low.columns[index], classes, places)
    return low.one_hots[key]


def cross_entropy_grad(low, number, node):
    """alpha (softmax(z) - onehot)"""
    logits, label = node.inputs
    z = low.value(logits)
    (distance_bits, scale), bits = low.line("logit"), low.line("probability")[0]
    own_bits, own_scale = low.format_of(logits)
    if z.is_constant():
        raise Refused("cross_entropy of a constant")
    rows, classes = z.dims
    if not classes:
        raise Refused("cross_entropy of one class")
    table = gadgets.exponential_table(low.b, distance_bits, scale, bits)
    x, divisor = low.scaled(z, scale)
    maximum = signed(max(2, own_bits - own_scale + scale), low.limb_bits)
    p = gadgets.softmax(low.b, x, divisor, rows, classes, table, distance_bits, maximum, bits, low.limb_bits)
    one_hot = one_hot_of(low, label, classes)
    alpha = units.unit(node.alpha)
    axes = flat(z.dims)
    along = axes if rows else [low.batch, *axes]
    return Expression(z.dims, [Piece(units.times(alpha, units.power(-bits)), [low.b.along(p, axes)]),
                               Piece(units.times(alpha, units.MINUS), [low.b.along(one_hot, along)])])  # fmt: skip


OPERATIONS = {"cross_entropy_grad": cross_entropy_grad}
