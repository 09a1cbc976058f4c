# SPDX-License-Identifier: Apache-2.0
"""What a layer's features mean to PyTorch: the order of flattened ones, found in the Functional graph.

Keras keeps channels last and PyTorch first, so that Flatten lists (H, W, C) in one and (C, H, W) in the other. The
columns of a Dense behind Flatten, the rows of a Dense before Reshape to an image, and the vectors of whatever stands
between are permuted. Here each feature tensor gets its permutation p: PyTorch's feature j is Keras' feature p[j].
"""
import dataclasses
import typing

import numpy as np

from .layers import is_mapped, refuse

_ELEMENTWISE = {
    "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "Dropout", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "AlphaDropout", "GaussianNoise", "GaussianDropout", "BatchNormalization", "LayerNormalization",
    "RMSNormalization", "Rescaling", "Identity", "ActivityRegularization", "UnitNormalization", "Normalization",
    "Relu", "Sigmoid", "Tanh", "Silu", "Gelu", "Elu", "Softplus", "Exp", "Log", "Negative", "Square", "Sqrt", "Clip", "Cast",
}
_JOINS = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Divide", "TrueDivide"}
# Their output has a spatial meaning: rank 3 alone does not tell a signal from a sequence.
_SPATIAL = ("Conv", "DepthwiseConv", "SeparableConv", "MaxPooling", "AveragePooling", "ZeroPadding", "UpSampling", "Cropping")
_SEQUENCE = ("LSTM", "GRU", "Bidirectional", "Embedding", "MultiHeadAttention", "Attention", "TimeDistributed")
_LOST = "lost"  # an operation this file does not know mixed permuted features


@dataclasses.dataclass
class Features:
    """`into`, `out`: permutation of the input's and output's last axis, None for the same order."""
    into: typing.Any = None
    out: typing.Any = None
    rank: typing.Any = None


def image_order(shape):
    """(H, W, C) -> the permutation of its flattening; None when both orders are the same."""
    spatial = int(np.prod(shape[:-1]))
    if spatial == 1 or shape[-1] == 1:
        return None
    return np.moveaxis(np.arange(spatial * shape[-1]).reshape(shape), -1, 0).reshape(-1)


def functional(model):
    """The Functional graph of a model, or None for a subclassed one."""
    if getattr(model, "_functional", None) is not None:
        model = model._functional
    return model if hasattr(model, "_nodes_by_depth") or hasattr(model, "_operations") else None


def _nodes(graph):
    """(operation, inputs, outputs) of one graph, in an order in which inputs come first."""
    keep = {id(node) for depth in graph._nodes_by_depth.values() for node in depth}
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if id(node) in keep and not node.is_input:
                yield node.operation, list(node.input_tensors), list(node.output_tensors)


def _is(operation, prefixes):
    return type(operation).__name__.startswith(prefixes)


def same_order(a, b):
    """Whether two feature permutations, or the lack of one, are the same."""
    return a is b or (isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b))


class _Analysis:
    def __init__(self):
        self.features = {}  # id(layer) -> Features

    def note(self, layer, into, out, rank):
        if isinstance(into, str):
            raise refuse(layer, "its input's features come from a reshaped image in an order that cannot be followed")
        old = self.features.get(id(layer))
        if old is not None and not (same_order(old.into, into) and same_order(old.out, out)):
            raise refuse(layer, "shared between places whose features are in different orders")
        self.features[id(layer)] = Features(into, out, rank)

    def run(self, graph, into):
        """`into`: (permutation, spatial) per input of the graph; returns the same per output."""
        nodes = list(_nodes(graph))
        state = {id(t): s for t, s in zip(graph.inputs, into)}
        wanted = self._wanted(nodes)
        for operation, inputs, outputs in nodes:
            seen = [state.get(id(t), (None, None)) for t in inputs]
            for tensor, found in zip(outputs, self._step(operation, inputs, outputs, seen, wanted)):
                state[id(tensor)] = found
        return [state.get(id(t), (None, None)) for t in graph.outputs]

    def _wanted(self, nodes):
        """Backwards from Reshape to an image: id(tensor) -> the order its features must have."""
        producer = {id(o): (op, ins) for op, ins, outs in nodes for o in outs}
        wanted = {}
        for operation, inputs, outputs in nodes:
            if type(operation).__name__ != "Reshape" or len(inputs[0].shape) != 2 or len(outputs[0].shape) < 4:
                continue
            order, tensor = image_order(outputs[0].shape[1:]), inputs[0]
            while order is not None:
                wanted[id(tensor)] = order
                operation, below = producer.get(id(tensor), (None, None))
                if type(operation).__name__ not in _ELEMENTWISE:
                    break
                tensor = below[0]
        return wanted

    def _step(self, operation, inputs, outputs, seen, wanted):
        kind, shape = type(operation).__name__, tuple(outputs[0].shape)
        permutation, spatial = seen[0] if seen else (None, None)
        rank = len(inputs[0].shape) if inputs else 0
        image = rank >= 4 or bool(spatial)
        graph = functional(operation) if hasattr(operation, "layers") else None
        if graph is not None:
            return self.run(graph, seen)
        if kind == "Flatten" or kind == "Reshape" and len(shape) == 2:
            order = image_order(tuple(inputs[0].shape[1:])) if rank > 2 and image and None not in inputs[0].shape[1:] else permutation
            return [(order, False)]
        if kind == "Reshape":
            if rank == 2 and len(shape) >= 4:
                if not same_order(permutation, image_order(shape[1:])):
                    raise refuse(operation, "the features it makes an image of are in another order in PyTorch")
                return [(None, True)]
            mixed = permutation is not None or image and rank >= 3 and int(np.prod([n or 0 for n in inputs[0].shape[1:-1]])) != 1
            return [(_LOST if mixed else None, len(shape) >= 4)]
        if kind in ("Dense", "EinsumDense"):
            out = wanted.get(id(outputs[0]))
            if kind == "Dense":
                self.note(operation, permutation, out, rank)
            return [(out, spatial)]
        if kind in _ELEMENTWISE:
            if is_mapped(operation):
                self.note(operation, permutation, None, rank)
            return [(permutation, spatial)] * len(outputs)
        if kind in _JOINS:
            if any(not same_order(p, permutation) for p, _ in seen):
                return [(_LOST, spatial)]
            return [(permutation, any(s for _, s in seen) or None)]
        if kind == "Concatenate":
            return [self._concatenate(inputs, seen)]
        if is_mapped(operation):
            self.note(operation, permutation, None, rank)
        if _is(operation, _SPATIAL):
            return [(None, True)]
        if _is(operation, _SEQUENCE):
            return [(None, False)] * len(outputs)
        lost = any(p is not None for p, _ in seen)
        return [(_LOST if lost else None, len(o.shape) >= 4 or (spatial if len(o.shape) == rank else None)) for o in outputs]

    def _concatenate(self, inputs, seen):
        spatial = any(s for _, s in seen) or None
        if all(p is None for p, _ in seen):
            return None, spatial
        if any(isinstance(p, str) for p, _ in seen) or len(inputs[0].shape) != 2:
            return _LOST, spatial
        parts, at = [], 0
        for tensor, (permutation, _) in zip(inputs, seen):
            size = tensor.shape[-1]
            parts.append(at + (np.arange(size) if permutation is None else permutation))
            at += size
        return np.concatenate(parts), spatial


def analyse(model):
    """id(layer) -> Features, for the layers of a graph; {} for a model without one and without Flatten."""
    graph = functional(model)
    if graph is None:
        graph = _traced(model)
    if graph is None:
        for layer in model._flatten_layers(include_self=False):
            if type(layer).__name__ in ("Flatten", "Reshape"):
                raise refuse(layer, "the order of its features cannot be followed in a subclassed model; build it "
                             "with the functional API, or call it once on data first")
        return {}
    analysis = _Analysis()
    analysis.run(graph, [(None, None)] * len(graph.inputs))
    return analysis.features


def _traced(model):
    """A subclassed model's call on symbolic inputs, as a graph over the same layers."""
    import keras
    shapes = getattr(model, "_build_shapes_dict", None)
    if not shapes or len(shapes) != 1:
        return None
    shape = next(iter(shapes.values()))
    if not isinstance(shape, (tuple, list)) or not all(n is None or isinstance(n, int) for n in shape):
        return None
    try:
        tensor = keras.Input(batch_shape=(None, *shape[1:]))
        return functional(keras.Model(tensor, model.call(tensor)))
    except Exception:  # whatever the model's call cannot do with a symbol
        return None
