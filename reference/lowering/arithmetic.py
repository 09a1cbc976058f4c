# SPDX-License-Identifier: Apache-2.0
"""Sums, products and the branches of relu: docs/spec/lowering.md, "Operators"."""

from . import units
from .builder import signed
from .expression import Expression, flat, read_of


def column(low, number, node):
    own, batch = low.program["columns"][node.index], low.program["batch"]
    # A batch of one has no axis to the graph; to the data set it has.
    dims = [[] if batch == 1 else [low.batch]] + [low.axes.make(sizes) for sizes in low.cuts.sizes(number)[1:]]
    axes = ([low.batch] if batch == 1 else []) + flat(dims)
    bits, scale = own["format"]
    made = low.b.column(axes, signed(bits, low.limb_bits), node.index)
    low.columns[node.index] = made
    return read_of(low.b.at(made), units.power(-scale), dims)


def constant(low, number, node):
    return Expression([low.axes.make(sizes) for sizes in low.cuts.sizes(number)], [], node.alpha)


def product(low, a, axes_a, b, axes_b, dims):
    """a b, a read along `axes_a` and b along `axes_b`; nothing is summed yet."""
    values = [low.value(a), low.value(b)]
    if all(value.is_constant() for value in values):
        return Expression(dims, [], units.times(values[0].constant, values[1].constant))
    e = Expression(dims, [])
    for number, axes, other in ((a, axes_a, b), (b, axes_b, a)):
        if low.value(number).is_constant():
            continue
        read, unit = low.factor(number)
        lone = read_of(read, unit, low.value(number).dims).renamed(axes)
        if low.value(other).is_constant():
            return lone.scaled(low.value(other).constant).with_dims(dims)
        piece, = lone.pieces
        e = e.times(piece.factors[0], piece.unit) if e.pieces else lone.with_dims(dims)
    return e


def matmul(low, number, node):
    (a, b), (ta, tb), rank = node.inputs, node.transpose, len(node.dims)
    of_a, of_b = low.value(a).dims, list(low.value(b).dims)
    inner, rows = (rank - 2, rank - 1) if ta else (rank - 1, rank - 2)
    inner_b, columns = (rank - 1, rank - 2) if tb else (rank - 2, rank - 1)
    used = set(flat(of_a))
    of_b[:rank - 2] = of_a[:rank - 2]
    of_b[inner_b] = of_a[inner]
    of_b[columns] = low.axes.like(of_b[columns], used)
    made = product(low, a, of_a, b, of_b, [*of_a[:rank - 2], of_a[rows], of_b[columns], of_a[inner]])
    made = low.axes.sum_over(made, of_a[inner])
    return made.with_dims(made.dims[:-1])


def add(low, number, node):
    a, b = low.axes.align(*(low.value(x) for x in node.inputs), len(node.dims))
    return a.scaled(node.alpha).plus(b.scaled(node.beta))


def mul(low, number, node):
    a, b = node.inputs
    for x, mask in ((b, a), (a, b)):
        if low.graph[mask].op == "mask":
            return masked(low, number, x, mask)
    of_a, of_b = low.value(a).dims, low.value(b).dims
    dims = low.axes.align(Expression(of_a), Expression(of_b), len(node.dims))[0].dims

    def along(own):
        # Where a factor does not vary it is not read along.
        return [axes and whole for axes, whole in zip(own, dims[len(dims) - len(own):])]

    return product(low, a, along(of_a), b, along(of_b), dims)


def masked(low, number, x, mask):
    node, axes = low.graph[mask], flat(low.value(x).dims)
    if low.nodes[mask].mask is None:
        p = node.alpha
        low.nodes[mask].mask = low.add_public(axes, 0, 1, ("mask", node.index, p.numerator, p.denominator))
    e = low.value(x)

    def varies(piece):
        return not piece.windows and all(any(axis in read["axes"] for read in piece.factors) for axis in axes)

    # A public shares its axes with one factor, and no window reads along them.
    if e.constant != 0 or not all(map(varies, e.pieces)):
        low.make_form(x)
        e = low.value(x)
    low.nodes[number].value = e.times(low.b.along(low.nodes[mask].mask, axes))
    low.make_form(number)
    return low.value(number)


def affine(low, number, node):
    e = low.value(node.inputs[0]).scaled(units.unit(node.alpha))
    return Expression(e.dims, e.pieces, units.plus(e.constant, units.unit(node.beta)))


def sum_of(low, number, node):
    e = low.value(node.inputs[0])
    made = low.axes.sum_over(e, [axis for dim in node.axes for axis in e.dims[dim]])
    return made.with_dims([axes for dim, axes in enumerate(made.dims) if dim not in node.axes])


def relu(low, number, node):
    """[y > 0] y, y what the node below was rounded to."""
    x, = node.inputs
    e = low.value(x)
    return e.times(low.b.along(low.nodes[x].positive, flat(e.dims)))


def relu_grad(low, number, node):
    """[y > 0] dy"""
    dy, x = node.inputs
    e, positive = low.value(dy), low.nodes[x].positive
    if e.is_constant():
        return read_of(low.b.at(positive), e.constant, low.value(x).dims).renamed(e.dims)
    hidden = [sum(low.b.values[read["value"]]["kind"] != "public" for read in piece.factors) for piece in e.pieces]
    if e.constant != 0 or any(count != 1 for count in hidden):
        low.whole(dy)
        e = low.value(dy)
    return e.times(low.b.along(positive, flat(e.dims)))


OPERATIONS = {"column": column, "constant": constant, "matmul": matmul, "add": add, "mul": mul, "affine": affine, "sum": sum_of,
              "relu": relu, "relu_grad": relu_grad}  # fmt: skip
