# SPDX-License-Identifier: Apache-2.0
"""Max-pooling: docs/spec/lowering.md, "Operators"."""

from . import gadgets, units
from .builder import signable, signed, term
from .expression import Expression, Piece, flat, read_of
from .windows import sliding


def is_padded(window):
    """Some windows leave the tensor. The last place that a window reaches may lie inside of the back's padding alone."""
    reach = [window.stride[i] * (window.out[i] - 1) + window.dilation[i] * (window.kernel[i] - 1) - window.pad[i] for i in range(2)]
    return any(window.pad[i] > 0 or reach[i] >= window.size[i] for i in range(2))


def max_pool(low, number, node):
    x, = node.inputs
    window, state, b = node.window, low.nodes[number], low.b
    padded = is_padded(window)
    # Windows that share no cell round what is in them; otherwise the input is rounded once.
    rounds = not padded and all(window.stride[i] >= window.kernel[i] for i in range(2))
    bits, scale = low.format_of(number)
    divisor, least, unit = 1, 0, units.power(-scale)
    if rounds:
        made, divisor = low.scaled(low.value(x), scale)
        read = b.at(made)
    else:
        read, unit = low.factor(x)
        least, hi = b.ranges[read["value"]]
        bits = 1 + (max(-least, hi, 2) - 1).bit_length()

    of_x = low.value(x).dims
    out, kernel, slides = list(of_x), [], []
    for i in range(2):
        out[2 + i], own = low.axes.of_dim(window.out[i]), low.axes.of_dim(window.kernel[i])
        kernel += own
        slides.append(sliding(window, i, low.axes.or_1(out[2 + i]), low.axes.or_1(own), low.axes.or_1(of_x[2 + i])))
    rows = flat(out)
    state.pool = {"slides": slides, "dims": of_x}
    if rounds and divisor != 1:
        cells = rows + kernel
        cut = b.form(cells, [term(1, read, windows=slides)])
        remainder = b.remainder(cut, divisor, low.limb_bits)
        read = b.at(b.form(cells, [term(1, b.at(cut)), term(-1, b.at(remainder))], divisor // 2))
        slides = []
    width = (signable if state.branches else signed)(bits, low.limb_bits)
    made = gadgets.maximum(b, read, divisor, least, rows, kernel, slides, padded, width, state.branches, low.zone)
    if state.branches:
        low.note_sign(number, made["positive"], made["deviation"])
    if made["other"] is not None:
        low.deviations.append(made["other"])
    state.pool["selector"] = made["selector"]
    return read_of(b.at(made["value"]), unit, out)


def pool_of(graph, gradient):
    """The first max_pool of the same input and window."""
    return next(number for number, node in enumerate(graph.nodes)
                if node.op == "max_pool" and node.inputs[0] == gradient.inputs[1] and node.window == gradient.window)  # fmt: skip


def max_pool_grad(low, number, node):
    """To the chosen cell of each window."""
    dy = node.inputs[0]
    pool_number = pool_of(low.graph, node)
    pool = low.nodes[pool_number].pool
    read, unit = low.whole(dy)
    piece, = read_of(read, unit, low.value(dy).dims).renamed(low.value(pool_number).dims).pieces
    made = Piece(unit, piece.factors + [low.b.at(pool["selector"])], list(pool["slides"]))
    return low.axes.closed(Expression(pool["dims"], [made]))


OPERATIONS = {"max_pool": max_pool, "max_pool_grad": max_pool_grad}
