# SPDX-License-Identifier: Apache-2.0
"""A program in primitive operators: the first half of docs/spec/lowering.md, "Graph"."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from program import OPERATORS, Refused, attributes_of, check

from .units import ONE, ZERO, reduced


@dataclass
class Node:
    op: str
    inputs: list
    dims: list
    source: int | None = None  # the program's node whose formats apply
    is_gradient: bool = False
    index: int = 0
    alpha: Fraction = ONE
    beta: Fraction = ONE
    transpose: tuple = (False, False)
    axes: list = field(default_factory=list)
    axis: int = 0
    begin: int = 0
    window: "Window | None" = None
    groups: int = 1


@dataclass
class Window:
    """Along both axes."""

    size: list
    kernel: list
    out: list
    stride: list
    dilation: list
    pad: list  # in front

    def is_none(self, i: int) -> bool:
        """Of size 1, and it does not move."""
        return self.kernel[i] == self.stride[i] == 1 and self.pad[i] == 0 and self.size[i] == self.out[i]


@dataclass
class Running:
    buffer: int
    node: int
    is_mean: bool
    momentum: Fraction
    factor: Fraction


def broadcast(a: list, b: list) -> list:
    rank = max(len(a), len(b))
    return [max(m, n) for m, n in zip([1] * (rank - len(a)) + a, [1] * (rank - len(b)) + b)]


def make_window(dims: list, kernel: list, stride: list, pad: list, dilation: list) -> Window:
    out = []
    for i in range(2):
        room = dims[2 + i] + pad[2 * i] + pad[2 * i + 1] - dilation[i] * (kernel[i] - 1) - 1
        out.append(room // stride[i] + 1)
    return Window(dims[2:], list(kernel), out, list(stride), list(dilation), pad[::2])


def too_fine(value: Fraction) -> Fraction:
    if reduced(value) is None:
        raise Refused("a constant factor has terms of more than 62 bits")
    return value


class Graph:
    def __init__(self):
        self.nodes, self.loss, self.gradients, self.running = [], 0, [], []
        self.about(None, False)

    def about(self, source: int | None, is_gradient: bool):
        """What the next nodes belong to."""
        self.source, self.is_gradient = source, is_gradient

    def __getitem__(self, node: int) -> Node:
        return self.nodes[node]

    def make(self, op: str, inputs: list, dims: list, **rest) -> int:
        self.nodes.append(Node(op, inputs, list(dims), self.source, self.is_gradient, **rest))
        return len(self.nodes) - 1

    def is_constant(self, node: int) -> bool:
        return self[node].op == "constant"

    def constant(self, value: Fraction, dims: list) -> int:
        return self.make("constant", [], dims, alpha=value)

    def matmul(self, a: int, transpose_a: bool, b: int, transpose_b: bool) -> int:
        dims = list(self[a].dims)
        dims[-2] = self[a].dims[-1 if transpose_a else -2]
        dims[-1] = self[b].dims[-2 if transpose_b else -1]
        return self.make("matmul", [a, b], dims, transpose=(transpose_a, transpose_b))

    def add(self, a: int, b: int, alpha: Fraction, beta: Fraction) -> int:
        dims = broadcast(self[a].dims, self[b].dims)
        if self.is_constant(a) and self.is_constant(b):
            left, right = reduced(self[a].alpha * alpha), reduced(self[b].alpha * beta)
            total = None if left is None or right is None else reduced(left + right)
            if total is not None:
                return self.constant(total, dims)
        return self.make("add", [a, b], dims, alpha=alpha, beta=beta)

    def mul(self, a: int, b: int) -> int:
        dims = broadcast(self[a].dims, self[b].dims)
        if self.is_constant(a):
            a, b = b, a
        if self.is_constant(b) and self[a].dims == dims and self[a].op != "mask":
            try:
                return self.affine(a, self[b].alpha, ZERO)
            except Refused:
                pass
        return self.make("mul", [a, b], dims)

    def affine(self, x: int, alpha: Fraction, beta: Fraction) -> int:
        if (alpha, beta) == (ONE, ZERO):
            return x
        if self.is_constant(x):
            return self.constant(too_fine(too_fine(self[x].alpha * alpha) + beta), self[x].dims)
        return self.make("affine", [x], self[x].dims, alpha=alpha, beta=beta)

    def sum(self, x: int, axes: list) -> int:
        if not axes:
            return x
        own = self[x].dims
        dims = [d for i, d in enumerate(own) if i not in axes]
        if self.is_constant(x):
            return self.constant(too_fine(self[x].alpha * prod(own[i] for i in axes)), dims)
        return self.make("sum", [x], dims, axes=sorted(axes))

    def reshape(self, x: int, dims: list) -> int:
        return self._shaped("reshape", x, dims)

    def expand(self, x: int, dims: list) -> int:
        return self._shaped("expand", x, dims)

    def _shaped(self, op: str, x: int, dims: list) -> int:
        if self[x].dims == dims:
            return x
        return self.constant(self[x].alpha, dims) if self.is_constant(x) else self.make(op, [x], dims)

    def sum_to(self, x: int, dims: list) -> int:
        """Over what a broadcast from `dims` repeated."""
        own = self[x].dims
        skip = len(own) - len(dims)
        axes = [i for i, d in enumerate(own) if i < skip or dims[i - skip] == 1 and d != 1]
        return self.reshape(self.sum(x, axes), dims)


class Expansion:
    """Each node of a program as primitives that say the same."""

    def __init__(self, program: dict):
        self.program, self.shapes, self.graph, self.made = program, check(program), Graph(), []
        self.first_buffer = len(program["columns"]) + len(program["parameters"])
        self.draws = 0

    def run(self) -> Graph:
        p, graph = self.program, self.graph
        leaves = [("label" if c["classes"] else "column", i) for i, c in enumerate(p["columns"])]
        leaves += [("parameter", i) for i in range(len(p["parameters"]))] + [("buffer", i) for i in range(len(p["buffers"]))]
        for op, index in leaves:
            self.made.append(graph.make(op, [], self.shapes[len(self.made)], index=index))
        for number, node in enumerate(p["nodes"]):
            graph.about(number, False)
            name = OPERATORS[node["op"]["code"]][0]
            made = getattr(self, "_" + name)([self.made[i] for i in node["inputs"]], self.shapes[len(self.made)], node,
                                             **attributes_of(OPERATORS, node["op"]))  # fmt: skip
            self.made.append(made)
        graph.loss = self.made[p["loss"]]
        graph.gradients = [None] * len(p["parameters"])
        return graph

    def _channelwise(self, vector: int, rank: int) -> int:
        """[C] as [C, 1, ...]: it broadcasts over axis 1."""
        return self.graph.reshape(vector, self.graph[vector].dims + [1] * (rank - 2))

    def _linear(self, inputs, dims, node):
        graph, (x, w, *bias) = self.graph, inputs
        features = graph[x].dims[-1]
        flat = graph.reshape(x, [prod(graph[x].dims) // features, features])
        z = graph.reshape(graph.matmul(flat, False, w, True), dims)
        return graph.add(z, bias[0], ONE, ONE) if bias else z

    def _matmul(self, inputs, dims, node, transpose_a, transpose_b):
        return self.graph.matmul(inputs[0], transpose_a == "yes", inputs[1], transpose_b == "yes")

    def _conv(self, inputs, dims, node, stride, pad, dilation, groups):
        graph, (x, w, *bias) = self.graph, inputs
        window = make_window(graph[x].dims, graph[w].dims[2:], stride, pad, dilation)
        z = graph.make("conv", [x, w], dims, window=window, groups=groups)
        return graph.add(z, self._channelwise(bias[0], 4), ONE, ONE) if bias else z

    def _add(self, inputs, dims, node, alpha, beta):
        return self.graph.add(*inputs, Fraction(*alpha), Fraction(*beta))

    def _mul(self, inputs, dims, node):
        return self.graph.mul(*inputs)

    def _affine(self, inputs, dims, node, scale, shift):
        return self.graph.affine(inputs[0], Fraction(*scale), Fraction(*shift))

    def _relu(self, inputs, dims, node):
        return self.graph.make("relu", inputs, dims)

    def _reduce(self, inputs, dims, node, axes, by):
        count = prod(self.graph[inputs[0]].dims[i] for i in axes)
        total = self.graph.sum(inputs[0], list(axes))
        return self.graph.affine(total, Fraction(1, count), ZERO) if by == "mean" else total

    def _max_pool(self, inputs, dims, node, window, stride, pad):
        return self.graph.make("max_pool", inputs, dims, window=make_window(self.graph[inputs[0]].dims, window, stride, pad, [1, 1]))

    def _avg_pool(self, inputs, dims, node, window, stride):
        made = make_window(self.graph[inputs[0]].dims, window, stride, [0] * 4, [1, 1])
        total = self.graph.make("avg_pool", inputs, dims, window=made)
        return self.graph.affine(total, Fraction(1, prod(window)), ZERO)

    def _reshape(self, inputs, out, node, dims=None):
        return self.graph.reshape(inputs[0], list(out))

    _flatten = _reshape

    def _permute(self, inputs, dims, node, axes):
        return self.graph.make("permute", inputs, dims, axes=list(axes))

    def _slice(self, inputs, dims, node, axis, begin, size):
        return self.graph.make("slice", inputs, dims, axis=axis, begin=begin)

    def _concat(self, inputs, dims, node, axis):
        return self.graph.make("concat", inputs, dims, axis=axis)

    def _batch_norm(self, inputs, dims, node, mode, eps, momentum, running_variance):
        graph, (x, gamma, beta, mean, variance) = self.graph, inputs
        rank = len(dims)
        if mode == "eval":
            root = graph.make("inverse_root", [variance], graph[variance].dims, alpha=Fraction(*eps))
            centred = graph.add(x, self._channelwise(mean, rank), ONE, -ONE)
            scaled = graph.mul(centred, self._channelwise(graph.mul(root, gamma), rank))
            return graph.add(scaled, self._channelwise(beta, rank), ONE, ONE)
        out = graph.make("batch_norm", [x, gamma, beta], dims, alpha=Fraction(*eps))
        n = prod(dims) // dims[1]
        unbiased = Fraction(n, n - 1) if running_variance == "unbiased" else ONE
        for place, is_mean in ((3, True), (4, False)):
            graph.running.append(Running(node["inputs"][place] - self.first_buffer, out, is_mean, Fraction(*momentum),
                                         ONE if is_mean else unbiased))  # fmt: skip
        return out

    def _dropout(self, inputs, dims, node, p):
        p = Fraction(*p)
        mask = self.graph.make("mask", [], dims, index=self.draws, alpha=p)
        self.draws += 1
        return self.graph.affine(self.graph.mul(inputs[0], mask), 1 / (1 - p), ZERO)

    def _cross_entropy(self, inputs, dims, node):
        return self.graph.make("cross_entropy", inputs, [])

    def _mse(self, inputs, dims, node):
        return self.graph.make("mse", inputs, [])
