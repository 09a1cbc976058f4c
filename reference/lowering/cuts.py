# SPDX-License-Identifier: Apache-2.0
"""How dims are cut into axes: docs/spec/lowering.md, "Axes"."""

from math import prod

from program import Refused

from .graph import Graph, Node

WINDOWED = {"conv", "conv_data_grad", "conv_weight_grad", "max_pool", "max_pool_grad", "avg_pool", "avg_pool_grad"}
SLICED = {"slice", "place", "concat"}
CELLWISE = {"add", "mul", "affine", "relu", "relu_grad", "expand", "inverse_root"}


class Cuts:
    """For every dim of every node the products of the axes below a cut."""

    def __init__(self, graph: Graph):
        self.graph, self.cuts = graph, [[set() for _ in node.dims] for node in graph.nodes]
        self.changed = True
        while self.changed:
            self.changed = False
            for number, node in enumerate(graph.nodes):
                self._relate(number, node)
            for number, node in enumerate(graph.nodes):
                if node.op == "parameter" and graph.gradients[node.index] is not None:
                    self._same(number, graph.gradients[node.index])
                elif node.op == "buffer":
                    for running in graph.running:
                        if running.buffer == node.index:
                            self._same_dim(number, 0, running.node, 1)
        for number, node in enumerate(graph.nodes):
            self._check_whole(number, node)

    def sizes(self, number: int) -> list:
        """Of each dim the sizes of its axes, outermost first; none of a dim of size 1."""
        return [self._sizes(size, cuts) for size, cuts in zip(self.graph[number].dims, self.cuts[number])]

    @staticmethod
    def _sizes(size: int, cuts: set) -> list:
        bounds = [1, *sorted(cuts), *([size] if size != max(cuts, default=1) else [])]
        return [above // below for below, above in zip(bounds, bounds[1:])][::-1]

    def _add(self, number: int, dim: int, cut: int):
        size, cuts = self.graph[number].dims[dim], self.cuts[number][dim]
        if cut <= 1 or cut >= size or cut in cuts:
            return
        cuts.add(cut)
        self.changed = True
        bounds = [1, *sorted(cuts), size]
        if any(above % below for below, above in zip(bounds, bounds[1:])):
            raise Refused("dims without common factors")

    def _same_dim(self, a: int, dim_a: int, b: int, dim_b: int):
        if self.graph[a].dims[dim_a] != self.graph[b].dims[dim_b]:
            return  # broadcast
        for cut in list(self.cuts[a][dim_a]):
            self._add(b, dim_b, cut)
        for cut in list(self.cuts[b][dim_b]):
            self._add(a, dim_a, cut)

    def _same(self, a: int, b: int):
        """Aligned at the last dim."""
        rank_a, rank_b = len(self.graph[a].dims), len(self.graph[b].dims)
        for i in range(1, min(rank_a, rank_b) + 1):
            self._same_dim(a, rank_a - i, b, rank_b - i)

    def _relate(self, number: int, node: Node):
        inputs, graph = node.inputs, self.graph
        if node.op in CELLWISE:
            for x in inputs:
                self._same(x, number)
        elif node.op == "matmul":
            self._matmul(number, node)
        elif node.op == "conv":
            self._conv(number, inputs[0], inputs[1])
        elif node.op == "conv_data_grad":
            self._conv(inputs[0], number, inputs[1])
        elif node.op == "conv_weight_grad":
            self._conv(inputs[0], inputs[1], number)
        elif node.op == "sum":
            kept = [i for i in range(len(graph[inputs[0]].dims)) if i not in node.axes]
            for out, dim in enumerate(kept):
                self._same_dim(inputs[0], dim, number, out)
        elif node.op == "reshape":
            bounds = self._bounds(inputs[0]) | self._bounds(number)
            self._take(inputs[0], bounds)
            self._take(number, bounds)
        elif node.op == "permute":
            for out, dim in enumerate(node.axes):
                self._same_dim(inputs[0], dim, number, out)
        elif node.op in WINDOWED:
            for x in inputs:
                for dim in range(2):
                    self._same_dim(x, dim, number, dim)
        elif node.op in SLICED:
            for x in inputs:
                for dim in range(len(node.dims)):
                    if dim != node.axis:
                        self._same_dim(x, dim, number, dim)
        elif node.op == "batch_norm":
            self._same(inputs[0], number)
            self._same_dim(inputs[1], 0, number, 1)
            self._same_dim(inputs[2], 0, number, 1)
        elif node.op == "batch_norm_grad":
            self._same(inputs[0], number)
            self._same(inputs[1], number)
        elif node.op == "batch_norm_scale_grad":
            self._same(inputs[0], inputs[1])
            self._same_dim(number, 0, inputs[0], 1)
        elif node.op == "cross_entropy_grad":
            self._same(inputs[0], number)

    def _bounds(self, number: int) -> set:
        """All cuts and ends of dims, as products of everything below."""
        dims, bounds = self.graph[number].dims, set()
        for dim in range(len(dims)):
            below = prod(dims[dim + 1:])
            bounds |= {below * cut for cut in self.cuts[number][dim]} | {below * dims[dim]}
        return bounds

    def _take(self, number: int, bounds: set):
        dims = self.graph[number].dims
        for dim in range(len(dims)):
            below = prod(dims[dim + 1:])
            for bound in bounds:
                if below < bound < below * dims[dim]:
                    if bound % below:
                        raise Refused("dims without common factors")
                    self._add(number, dim, bound // below)

    def _matmul(self, number: int, node: Node):
        (a, b), (ta, tb), rank = node.inputs, node.transpose, len(node.dims)
        for dim in range(rank - 2):
            self._same_dim(a, dim, number, dim)
            self._same_dim(b, dim, number, dim)
        self._same_dim(a, rank - (1 if ta else 2), number, rank - 2)
        self._same_dim(b, rank - (2 if tb else 1), number, rank - 1)
        self._same_dim(a, rank - (2 if ta else 1), b, rank - (1 if tb else 2))

    def _conv(self, z: int, x: int, w: int):
        """Channels are cut into groups, and each group alike in all three."""
        dims = self.graph
        self._same_dim(x, 0, z, 0)
        self._same_dim(w, 0, z, 1)
        within = dims[w].dims[1]
        if within == dims[x].dims[1]:
            self._same_dim(w, 1, x, 1)
            return
        groups = dims[x].dims[1] // within
        per_group = dims[z].dims[1] // groups
        self._add(x, 1, within)
        self._add(z, 1, per_group)
        for cut in list(self.cuts[w][1]):
            self._add(x, 1, cut)
        for cut in list(self.cuts[x][1]):
            if cut < within:
                self._add(w, 1, cut)
            elif cut > within and cut % within == 0:
                self._add(z, 1, cut // within * per_group)
        for cut in list(self.cuts[z][1]):
            if cut > per_group and cut % per_group == 0:
                self._add(x, 1, cut // per_group * within)

    def _check_whole(self, number: int, node: Node):
        whole = []
        if node.op in ("column", "label"):
            whole = [(number, 0)]
        elif node.op in WINDOWED:
            whole = [(tensor, dim) for tensor in (number, *node.inputs) for dim in (2, 3)]
        elif node.op in SLICED:
            whole = [(tensor, node.axis) for tensor in (number, *node.inputs)]
        if any(self.cuts[tensor][dim] for tensor, dim in whole):
            raise Refused("the batch, or what a window or a slice runs along, would be cut")
