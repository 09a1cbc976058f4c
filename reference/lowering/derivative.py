# SPDX-License-Identifier: Apache-2.0
"""The chain rule, node by node from the loss: docs/spec/lowering.md, "Graph"."""

from fractions import Fraction
from math import prod

from program import Refused

from .graph import Graph, Node, too_fine
from .units import ONE, ZERO


class Derivative:
    """Adds the gradients of the loss in all parameters to a graph of the forward pass."""

    def __init__(self, graph: Graph):
        self.graph, self.reached = graph, []
        for node in graph.nodes:
            self.reached.append(node.op == "parameter" or any(self.reached[i] for i in node.inputs))
        self.parts = [[] for _ in graph.nodes]

    def run(self):
        graph = self.graph
        if not self.reached[graph.loss]:
            return
        graph.about(None, True)
        self.parts[graph.loss].append(graph.constant(ONE, graph[graph.loss].dims))
        for number in reversed(range(graph.loss + 1)):
            if not self.parts[number]:
                continue
            self._about(number)
            total = self.parts[number][0]
            for part in self.parts[number][1:]:
                total = graph.add(total, part, ONE, ONE)
            propagate = getattr(self, "_" + graph[number].op, None)
            if propagate:
                propagate(graph[number], number, total)

    def _about(self, number: int):
        self.graph.about(self.graph[number].source, True)

    def _give(self, to: int, make):
        """What `make` makes belongs to the node that receives it. Nothing, where no parameter reaches that."""
        if self.reached[to]:
            self._about(to)
            self.parts[to].append(make())

    def _parameter(self, node: Node, number: int, dy: int):
        self.graph.gradients[node.index] = dy

    def _matmul(self, node, number, dz):
        graph, (a, b), (ta, tb) = self.graph, node.inputs, node.transpose
        self._give(a, lambda: graph.matmul(b, tb, dz, True) if ta else graph.matmul(dz, False, b, not tb))
        self._give(b, lambda: graph.matmul(dz, True, a, ta) if tb else graph.matmul(a, not ta, dz, False))

    def _conv(self, node, number, dz):
        for i, op in enumerate(("conv_data_grad", "conv_weight_grad")):
            to, other = node.inputs[i], node.inputs[1 - i]
            self._give(to, lambda op=op, to=to, other=other: self.graph.make(
                op, [dz, other], self.graph[to].dims, window=node.window, groups=node.groups))  # fmt: skip

    def _add(self, node, number, dy):
        graph = self.graph
        for to, factor in zip(node.inputs, (node.alpha, node.beta)):
            if self.reached[to]:
                # The factor belongs to the sum, what was broadcast to the summand. After the first
                # summand what is made belongs to that.
                scaled = graph.affine(dy, factor, ZERO)
                self._give(to, lambda to=to, scaled=scaled: graph.sum_to(scaled, graph[to].dims))

    def _mul(self, node, number, dy):
        graph = self.graph
        for i, to in enumerate(node.inputs):
            other = node.inputs[1 - i]
            self._give(to, lambda to=to, other=other: graph.sum_to(graph.mul(dy, other), graph[to].dims))

    def _affine(self, node, number, dy):
        self.parts[node.inputs[0]].append(self.graph.affine(dy, node.alpha, ZERO))

    def _sum(self, node, number, dy):
        graph, (x,) = self.graph, node.inputs
        kept = [1 if i in node.axes else d for i, d in enumerate(graph[x].dims)]
        self._give(x, lambda: graph.expand(graph.reshape(dy, kept), graph[x].dims))

    def _mirror(self, node: Node, op: str, inputs: list):
        """An adjoint of the same geometry towards the only input."""
        x, = node.inputs
        self._give(x, lambda: self.graph.make(op, inputs, self.graph[x].dims, window=node.window))

    def _relu(self, node, number, dy):
        self._mirror(node, "relu_grad", [dy, node.inputs[0]])

    def _max_pool(self, node, number, dy):
        self._mirror(node, "max_pool_grad", [dy, node.inputs[0]])

    def _avg_pool(self, node, number, dy):
        self._mirror(node, "avg_pool_grad", [dy])

    def _reshape(self, node, number, dy):
        x, = node.inputs
        self._give(x, lambda: self.graph.reshape(dy, self.graph[x].dims))

    def _permute(self, node, number, dy):
        x, = node.inputs
        back = [node.axes.index(i) for i in range(len(node.axes))]
        self._give(x, lambda: self.graph.make("permute", [dy], self.graph[x].dims, axes=back))

    def _slice(self, node, number, dy):
        x, = node.inputs
        self._give(x, lambda: self.graph.make("place", [dy], self.graph[x].dims, axis=node.axis, begin=node.begin))

    def _concat(self, node, number, dy):
        begin = 0
        for to in node.inputs:
            dims = self.graph[to].dims
            self._give(to, lambda dims=dims, begin=begin: self.graph.make("slice", [dy], dims, axis=node.axis, begin=begin))
            begin += dims[node.axis]

    def _batch_norm(self, node, number, dy):
        graph, (x, gamma, beta) = self.graph, node.inputs
        self._give(x, lambda: graph.make("batch_norm_grad", [dy, number], node.dims))
        self._give(gamma, lambda: graph.make("batch_norm_scale_grad", [dy, number], graph[gamma].dims))
        self._give(beta, lambda: graph.sum(dy, [i for i in range(len(node.dims)) if i != 1]))

    def _factor_of(self, dy: int) -> Fraction:
        if not self.graph.is_constant(dy):
            raise Refused("a loss reaches the program's loss through add, affine and reduce only")
        return self.graph[dy].alpha

    def _cross_entropy(self, node, number, dy):
        logits = node.inputs[0]
        if not self.reached[logits]:
            return
        dims = self.graph[logits].dims
        alpha = too_fine(self._factor_of(dy) / dims[0])
        self._give(logits, lambda: self.graph.make("cross_entropy_grad", node.inputs, dims, alpha=alpha))

    def _mse(self, node, number, dy):
        c = too_fine(self._factor_of(dy) * Fraction(2, prod(self.graph[node.inputs[0]].dims)))
        for i, to in enumerate(node.inputs):
            self._give(to, lambda to=to, other=node.inputs[1 - i]: self.graph.add(to, other, c, -c))
