# SPDX-License-Identifier: Apache-2.0
"""Biases that a norm takes away again: docs/spec/step.md, "Gauge tensors"."""

from .units import ONE


def gauge_tensors(graph) -> dict:
    """The norm that takes it away, by parameter, of a graph with its derivative."""
    readers = {}
    for number, node in enumerate(graph.nodes):
        for x in node.inputs:
            readers.setdefault(x, []).append(number)
    buffers = {node.index: number for number, node in enumerate(graph.nodes) if node.op == "buffer"}
    stays = {running.node for running in graph.running if not running.momentum or readers.get(buffers[running.buffer])}

    def reader(number):
        found = readers.get(number, [])
        return (found[0], graph[found[0]]) if len(found) == 1 else (None, None)

    def norm_above(parameter):
        bias, (number, node) = parameter, reader(parameter)
        if node is not None and node.op == "reshape":
            bias, (number, node) = number, reader(number)
        if node is None or node.op != "add" or len(node.dims) < 2:
            return None
        factor = node.alpha if node.inputs[0] == bias else node.beta
        missing = len(node.dims) - len(graph[bias].dims)
        channels = [1, node.dims[1]] + [1] * (len(node.dims) - 2)
        if factor != ONE or missing > 1 or graph[bias].dims != channels[missing:]:
            return None
        number, node = reader(number)
        return number if node is not None and node.op == "batch_norm" and number not in stays else None

    trained = {node.index: norm_above(number) for number, node in enumerate(graph.nodes)
               if node.op == "parameter" and graph.gradients[node.index] is not None}  # fmt: skip
    return {parameter: norm for parameter, norm in trained.items() if norm is not None}
