# SPDX-License-Identifier: Apache-2.0
"""Convolution, its two adjoints, and sums of windows: docs/spec/lowering.md, "Operators"."""

from dataclasses import dataclass

from . import units
from .expression import Expression, Piece, read_of


def sliding(window, i, out, kernel, inside):
    return {"out": out, "kernel": kernel, "in": inside, "stride": window.stride[i], "dilation": window.dilation[i],
            "offset": -window.pad[i]}  # fmt: skip


def split(low, channels, within):
    """Channels as (groups, within), where `within` has this many."""
    at, below = len(channels), 1
    while below < within and at > 0:
        at -= 1
        below *= low.b.size(channels[at])
    return channels[:at], channels[at:]


@dataclass
class Convolution:
    """Axes of the three tensors of a convolution."""

    batch: list
    groups: list
    in_channels: list
    out_channels: list
    inside: list  # along both axes
    kernel: list
    out: list

    def x(self):
        return [self.batch, self.groups + self.in_channels, *self.inside]

    def w(self):
        return [self.groups + self.out_channels, self.in_channels, *self.kernel]

    def z(self):
        return [self.batch, self.groups + self.out_channels, *self.out]


def convolution_of(low, node, x, w, z):
    """Each of x, w, z: (axes by dim or None of the result, dims)."""
    (x, dims_x), (w, dims_w), (z, dims_z) = x, w, z
    used = set()

    def fresh(axes):
        return low.axes.like(axes, used)

    def given(tensor, dims, i):
        return fresh(tensor[2 + i]) if tensor else fresh(low.axes.of_dim(dims[2 + i]))

    per_group_in, per_group_out = dims_w[1], dims_z[1] // node.groups
    batch = fresh((x or z)[0])
    if x:
        groups, in_channels = map(fresh, split(low, x[1], per_group_in))
    else:
        groups = fresh(split(low, z[1], per_group_out)[0])
        in_channels = fresh(w[1])
    out_channels = fresh(split(low, (w[0] if w else z[1]), per_group_out)[1])
    inside, kernel, out = [], [], []
    for i in range(2):
        inside.append(given(x, dims_x, i))
        kernel.append(given(w, dims_w, i))
        out.append(inside[i] if node.window.is_none(i) else given(z, dims_z, i))
    return Convolution(batch, groups, in_channels, out_channels, inside, kernel, out)


def convolve(low, node, c, a, axes_a, b, axes_b, result):
    (left, left_unit), (right, right_unit) = (low.factor(x) if low.graph[x].is_gradient else low.factor_along_all(x) for x in (a, b))
    piece, = read_of(left, left_unit, low.value(a).dims).renamed(axes_a).pieces
    other, = read_of(right, right_unit, low.value(b).dims).renamed(axes_b).pieces
    windows = [sliding(node.window, i, *(low.axes.or_1(axes[i]) for axes in (c.out, c.kernel, c.inside)))
               for i in range(2) if not node.window.is_none(i)]  # fmt: skip
    made = Piece(units.times(piece.unit, other.unit), piece.factors + other.factors, windows)
    return low.axes.closed(Expression(result, [made]))


def conv(low, number, node):
    x, w = node.inputs
    graph = low.graph
    c = convolution_of(low, node, (low.value(x).dims, graph[x].dims), (low.value(w).dims, graph[w].dims), (None, node.dims))
    return convolve(low, node, c, x, c.x(), w, c.w(), c.z())


def conv_data_grad(low, number, node):
    z, w = node.inputs
    graph = low.graph
    c = convolution_of(low, node, (None, node.dims), (low.value(w).dims, graph[w].dims), (low.value(z).dims, graph[z].dims))
    return convolve(low, node, c, z, c.z(), w, c.w(), c.x())


def conv_weight_grad(low, number, node):
    z, x = node.inputs
    graph = low.graph
    c = convolution_of(low, node, (low.value(x).dims, graph[x].dims), (None, node.dims), (low.value(z).dims, graph[z].dims))
    return convolve(low, node, c, z, c.z(), x, c.x(), c.w())


def pooled(low, node, sizes, adjoint):
    """The kernel's axes are in no factor: the window alone sums over them."""
    x = node.inputs[0]
    read, unit = low.whole(x)
    dims, windows = list(low.value(x).dims), []
    for i in range(2):
        if node.window.is_none(i):
            continue
        given, made = low.axes.or_1(dims[2 + i]), low.axes.of_dim(sizes[i])
        kernel = low.axes.or_1(low.axes.of_dim(node.window.kernel[i]))
        ends = (low.axes.or_1(made), given) if not adjoint else (given, low.axes.or_1(made))
        windows.append(sliding(node.window, i, ends[0], kernel, ends[1]))
        dims[2 + i] = made
    return low.axes.closed(Expression(dims, [Piece(unit, [read], windows)]))


def avg_pool(low, number, node):
    return pooled(low, node, node.window.out, False)


def avg_pool_grad(low, number, node):
    return pooled(low, node, node.window.size, True)


OPERATIONS = {"conv": conv, "conv_data_grad": conv_data_grad, "conv_weight_grad": conv_weight_grad, "avg_pool": avg_pool,
              "avg_pool_grad": avg_pool_grad}  # fmt: skip
