# SPDX-License-Identifier: Apache-2.0
"""Keras layers as PyTorch names and layouts them: one function per kind of layer, a list of slots each.

A slot ties one canonical tensor to one Keras variable, or to a part of it, with the change of layout both ways.
Canonical: Linear (out, in), convolutions (out, in/groups, k..), gates i f g o and r z n.
"""
import dataclasses
import typing

import numpy as np

from ..errors import MappingError


@dataclasses.dataclass
class Slot:
    """`name`: canonical suffix. `take`: the variable's value -> tensor; `put`: (value, tensor) -> the new value."""
    name: str
    variable: typing.Any
    take: typing.Callable
    put: typing.Callable


@dataclasses.dataclass
class Constant:
    """A tensor PyTorch has and the Keras layer does not, of one value only (a BatchNorm without scale: ones).

    `carried`: whatever value the repository holds is kept (a counter). `optional`: not written unless it is there.
    """
    name: str
    value: np.ndarray
    carried: bool = False
    optional: bool = False
    remedy: str = ""


def refuse(layer, why):
    name = getattr(layer, "path", None) or layer.name
    return MappingError(f"keras: layer '{name}' ({type(layer).__name__}): {why}",
                        "keep the model as a file: model.save('model.keras'), then `flair add model.keras`")


def _transposed(name, variable, axes, shape=None):
    """variable.transpose(axes), reshaped to `shape`."""
    inverse = np.argsort(axes)

    def take(value):
        tensor = value.transpose(axes)
        return tensor.reshape(shape) if shape else tensor

    def put(value, tensor):
        return tensor.reshape([value.shape[a] for a in axes]).transpose(inverse)

    return Slot(name, variable, take, put)


def _same(name, variable, permutation=None):
    if permutation is None:
        return Slot(name, variable, lambda value: value, lambda value, tensor: tensor)
    return Slot(name, variable, lambda value: value[permutation], lambda value, tensor: tensor[np.argsort(permutation)])


def _dense(layer, features):
    into, out = features.into, features.out
    weight = _transposed("weight", layer.kernel, (1, 0))

    def take(value):
        tensor = value.T
        tensor = tensor if into is None else tensor[:, into]
        return tensor if out is None else tensor[out]

    def put(value, tensor):
        tensor = tensor if into is None else tensor[:, np.argsort(into)]
        return (tensor if out is None else tensor[np.argsort(out)]).T

    if getattr(layer, "quantization_mode", None) or getattr(layer, "lora_enabled", False):
        raise refuse(layer, "quantised and LoRA weights have no canonical form")
    weight.take, weight.put = take, put
    return [weight] + ([_same("bias", layer.bias, out)] if layer.use_bias else [])


def _channels_last(layer):
    if layer.data_format != "channels_last":
        raise refuse(layer, "data_format='channels_first' is not mapped; use channels_last")


def _kernel(name, variable, depthwise=False):
    rank = len(variable.shape)
    axes = (rank - 1, rank - 2, *range(rank - 2))
    if not depthwise:  # (k.., in, out) -> (out, in, k..); of a transposed one (k.., out, in) -> (in, out, k..)
        return _transposed(name, variable, axes)
    *window, channels, multiplier = variable.shape  # (k.., C, m) -> (C·m, 1, k..)
    return _transposed(name, variable, (rank - 2, rank - 1, *range(rank - 2)), (channels * multiplier, 1, *window))


def _conv(layer, _):
    _channels_last(layer)
    return [_kernel("weight", layer.kernel)] + ([_same("bias", layer.bias)] if layer.use_bias else [])


def _depthwise(layer, _):
    _channels_last(layer)
    return [_kernel("weight", layer.kernel, depthwise=True)] + ([_same("bias", layer.bias)] if layer.use_bias else [])


def _separable(layer, _):
    _channels_last(layer)
    return [_kernel("depthwise.weight", layer.depthwise_kernel, depthwise=True),
            _kernel("pointwise.weight", layer.pointwise_kernel)] + \
        ([_same("pointwise.bias", layer.bias)] if layer.use_bias else [])


def _affine(layer, gamma, beta, permutation=None):
    """Weight and bias of a normalisation. PyTorch has both or none, so the one that is missing is a constant."""
    if gamma is None and beta is None:
        return []
    ones = np.ones((gamma if gamma is not None else beta).shape, "float32")
    return [_same("weight", gamma, permutation) if gamma is not None else Constant("weight", ones),
            _same("bias", beta, permutation) if beta is not None else Constant("bias", ones * 0)]


def _last_axis(layer, axes, rank):
    axes = [axes] if isinstance(axes, int) else list(axes)
    if len(axes) != 1 or rank is not None and axes[0] % rank != rank - 1 or rank is None and axes[0] != -1:
        raise refuse(layer, f"axis={axes} is mapped only when it is the last one")


def _batch_norm(layer, features):
    _last_axis(layer, layer.axis, features.rank)
    permutation = features.into
    return _affine(layer, layer.gamma if layer.scale else None, layer.beta if layer.center else None, permutation) + [
        _same("running_mean", layer.moving_mean, permutation), _same("running_var", layer.moving_variance, permutation),
        Constant("num_batches_tracked", np.array(0, "int64"), carried=True)]


def _layer_norm(layer, features):
    if getattr(layer, "rms_scaling", False):
        raise refuse(layer, "rms_scaling=True has no counterpart; use RMSNormalization")
    _last_axis(layer, layer.axis, features.rank)
    slots = _affine(layer, layer.gamma if layer.scale else None, layer.beta if layer.center else None, features.into)
    return [s for s in slots if not (isinstance(s, Constant) and s.name == "bias")]  # nn.LayerNorm(bias=False)


def _group_norm(layer, features):
    _last_axis(layer, layer.axis, features.rank)
    if features.into is not None:
        raise refuse(layer, "groups of flattened features are other groups in PyTorch")
    return _affine(layer, layer.gamma if layer.scale else None, layer.beta if layer.center else None)


def _rms_norm(layer, features):
    _last_axis(layer, layer.axis, features.rank)
    return [_same("weight", layer.scale, features.into)]


def _embedding(layer, _):
    if getattr(layer, "quantization_mode", None) or getattr(layer, "lora_enabled", False):
        raise refuse(layer, "quantised and LoRA weights have no canonical form")
    return [_same("weight", layer._embeddings if hasattr(layer, "_embeddings") else layer.embeddings)]


def _prelu(layer, features):
    if any(n != 1 for n in layer.alpha.shape[:-1]):
        raise refuse(layer, "one slope per position; share the spatial axes (shared_axes) for one per channel")
    shape, permutation = layer.alpha.shape, features.into
    back = None if permutation is None else np.argsort(permutation)
    return [Slot("weight", layer.alpha,
                 lambda value: value.reshape(-1) if permutation is None else value.reshape(-1)[permutation],
                 lambda value, tensor: (tensor if back is None else tensor[back]).reshape(shape))]


def _normalization(layer, features):
    if layer.input_mean is not None:
        return []
    return [_same("mean", layer.adapt_mean, features.into), _same("variance", layer.adapt_variance, features.into),
            _same("count", layer.count)]


def _gates(name, variable, order, part=None):
    """Gate blocks along the last axis, transposed to the front. `part`: a row of GRU's (2, 3u) bias."""
    def shuffle(value, by):
        return np.concatenate([np.split(value, len(by), axis=-1)[i] for i in by], axis=-1)

    back = [order.index(i) for i in range(len(order))]

    def take(value):
        return shuffle(value if part is None else value[part], order).T

    def put(value, tensor):
        tensor = shuffle(tensor.T, back)
        if part is None:
            return tensor
        value = value.copy()
        value[part] = tensor
        return value

    return Slot(name, variable, take, put)


def _recurrent(layer, order, ending):
    cell = getattr(layer, "cell", layer)
    slots = [_gates(f"weight_ih{ending}", cell.kernel, order), _gates(f"weight_hh{ending}", cell.recurrent_kernel, order)]
    if not cell.use_bias:
        return slots
    if len(cell.bias.shape) == 2:
        return slots + [_gates(f"bias_ih{ending}", cell.bias, order, 0), _gates(f"bias_hh{ending}", cell.bias, order, 1)]
    return slots + [_gates(f"bias_ih{ending}", cell.bias, order),
                    Constant(f"bias_hh{ending}", np.zeros(cell.bias.shape, "float32"), optional=True,
                             remedy="this layer has one bias: train a single one in PyTorch (bias_hh zero and frozen)")]


_LSTM, _GRU = (0, 1, 2, 3), (1, 0, 2)  # i f g o in both; z r h -> r z n


def _gate_order(layer):
    kind = type(layer).__name__
    if kind not in ("LSTM", "GRU"):
        raise refuse(layer, "only LSTM and GRU have a canonical form among the recurrent layers")
    return _LSTM if kind == "LSTM" else _GRU


def _rnn(layer, _):
    if layer.go_backwards:
        raise refuse(layer, "go_backwards outside Bidirectional has no counterpart in PyTorch")
    return _recurrent(layer, _gate_order(layer), "_l0")


def _bidirectional(layer, _):
    forward, backward = layer.forward_layer, layer.backward_layer
    if not (backward.go_backwards and not forward.go_backwards):
        raise refuse(layer, "its layers must run forwards and backwards")
    return _recurrent(forward, _gate_order(forward), "_l0") + _recurrent(backward, _gate_order(backward), "_l0_reverse")


def _attention(layer, _):
    slots = []
    for part, name in (("query", "q_proj"), ("key", "k_proj"), ("value", "v_proj")):
        projection = getattr(layer, f"_{part}_dense")  # (d, h, k) -> (h·k, d)
        d, h, k = projection.kernel.shape
        slots.append(_transposed(f"{name}.weight", projection.kernel, (1, 2, 0), (h * k, d)))
        if projection.bias is not None:
            slots.append(_transposed(f"{name}.bias", projection.bias, (0, 1), (h * k,)))
    out = layer._output_dense
    if len(out.kernel.shape) != 3:
        raise refuse(layer, "output_shape of more than one dimension is not mapped")
    h, v, d = out.kernel.shape  # (h, v, d) -> (d, h·v)
    slots.append(_transposed("out_proj.weight", out.kernel, (2, 0, 1), (d, h * v)))
    return slots + ([_same("out_proj.bias", out.bias)] if out.bias is not None else [])


def _wrapped(layer, features):
    return slots_of(layer.layer, features)


_RULES = {
    "Dense": _dense, "Embedding": _embedding, "MultiHeadAttention": _attention, "Bidirectional": _bidirectional,
    "LSTM": _rnn, "GRU": _rnn, "TimeDistributed": _wrapped, "PReLU": _prelu, "Normalization": _normalization,
    "BatchNormalization": _batch_norm, "LayerNormalization": _layer_norm, "GroupNormalization": _group_norm,
    "RMSNormalization": _rms_norm,
    **{f"Conv{d}D": _conv for d in (1, 2, 3)}, **{f"Conv{d}DTranspose": _conv for d in (1, 2, 3)},
    **{f"DepthwiseConv{d}D": _depthwise for d in (1, 2)}, **{f"SeparableConv{d}D": _separable for d in (1, 2)},
}


def is_mapped(layer):
    """Only Keras' own classes: a subclass may compute anything with the same weights."""
    return type(layer).__name__ in _RULES and type(layer).__module__.startswith("keras.")


def slots_of(layer, features):
    """`features`: what graph.py found about the layer's input and output. Errors: MappingError."""
    if not is_mapped(layer):
        raise refuse(layer, "no canonical form for the weights of this layer")
    return _RULES[type(layer).__name__](layer, features)
