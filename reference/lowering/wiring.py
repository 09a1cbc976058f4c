# SPDX-License-Identifier: Apache-2.0
"""What only groups or names axes otherwise: docs/spec/lowering.md, "Operators"."""

from . import units
from .expression import Expression, Piece, flat, read_of


def reshape(low, number, node):
    e = low.value(node.inputs[0])
    axes, dims = flat(e.dims), []
    for sizes in low.cuts.sizes(number):
        dims.append(axes[:len(sizes)])
        axes = axes[len(sizes):]
    return e.with_dims(dims)


def permute(low, number, node):
    e = low.value(node.inputs[0])
    return e.with_dims([e.dims[axis] for axis in node.axes])


def expand(low, number, node):
    """Axes that its pieces do not read."""
    whole = Expression([low.axes.make(sizes) for sizes in low.cuts.sizes(number)])
    return low.axes.align(low.value(node.inputs[0]), whole, len(node.dims))[0]


def shift(low, out, to, begin):
    """A window with a kernel of size 1: out + begin is the place in `to`."""
    return {"out": low.axes.or_1(out), "kernel": low.axes.or_1([]), "in": to, "stride": 1, "dilation": 1, "offset": begin}


def cut(low, number, node):
    x, = node.inputs
    if low.graph[x].dims[node.axis] == node.dims[node.axis]:
        return low.value(x)
    read, unit = low.whole(x)
    dims = list(low.value(x).dims)
    inside, = dims[node.axis]
    dims[node.axis] = low.axes.of_dim(node.dims[node.axis])
    e = Expression(dims, [Piece(unit, [read], [shift(low, dims[node.axis], inside, node.begin)])])
    return low.axes.closed(e)


def placed(low, part, axis, begin, whole):
    """A part at `begin` of a dim of `whole`, zeros elsewhere."""
    read, unit = low.whole(part)
    own = list(whole)
    own[axis] = low.axes.make([low.b.size(a) for a in low.value(part).dims[axis]])
    piece, = read_of(read, unit, low.value(part).dims).renamed(own).pieces
    piece.windows.append(shift(low, own[axis], whole[axis][0], begin))
    return low.axes.closed(Expression(whole, [piece]))


def place(low, number, node):
    x, = node.inputs
    if low.graph[x].dims[node.axis] == node.dims[node.axis]:
        return low.value(x)
    whole = list(low.value(x).dims)
    whole[node.axis] = low.axes.of_dim(node.dims[node.axis])
    return placed(low, x, node.axis, node.begin, whole)


def concat(low, number, node):
    whole, begin = list(low.value(node.inputs[0]).dims), 0
    whole[node.axis] = low.axes.of_dim(node.dims[node.axis])
    e = Expression(whole, [], units.ZERO)
    for x in node.inputs:
        e = e.plus(placed(low, x, node.axis, begin, whole))
        begin += low.graph[x].dims[node.axis]
    return e


OPERATIONS = {"reshape": reshape, "permute": permute, "expand": expand, "slice": cut, "place": place, "concat": concat}
