# SPDX-License-Identifier: Apache-2.0
"""Keras layers and ops as operators of a program: one function per kind, by class name.

Each takes the reader, the layer or op, its values, how it was called, and Keras' shape of the result; it gives a value.
All of it is what the layer does in training: `fit` calls a model with training=True, which overrides whatever a call
inside the model says.
"""
import dataclasses
import fractions

import keras
import numpy as np

from ..programs import written
from .wiring import FIRST, Value

# --- layers with weights ------------------------------------------------------------


def _dense(r, layer, x, _):
    found = r.features(layer, x)
    x = r.last(x)  # a Dense works on channels
    inputs = [r.tensor(layer.kernel)] + ([r.tensor(layer.bias)] if layer.use_bias else [])
    made = r.node("linear", x, *inputs, shape=(*x.shape[:-1], layer.units))
    return r.activated(dataclasses.replace(made, order=found.out), layer.activation)


def _image(r, x, layer=None):
    """An image channels first, with its zeros still to be written."""
    if len(x.shape) != 4:
        raise r.refuse(f"an input of shape {list(x.shape[1:])} is no image", "use images, (height, width, channels)")
    if layer is not None and layer.data_format != "channels_last":
        raise r.refuse("data_format='channels_first'", "use channels_last, as the data set holds images")
    return r.first(x)


def _pads(sizes, window, strides, dilation, padding):
    """(top, bottom, left, right): Keras puts the odd one of `same` behind."""
    if padding == "valid":
        return (0, 0, 0, 0)
    out = []
    for n, k, s, d in zip(sizes, window, strides, dilation):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        out += [total // 2, total - total // 2]
    return tuple(out)


def _padded(x):
    """Height and width with the zeros around, and these zeros."""
    zeros = x.pad[:4] or (0, 0, 0, 0)
    return (x.shape[1] + zeros[0] + zeros[1], x.shape[2] + zeros[2] + zeros[3]), zeros


def _convolve(r, layer, x, weight, bias, shape, window, strides, dilation, groups, padding):
    x = _image(r, x, layer)
    sizes, zeros = _padded(x)
    pads = [a + b for a, b in zip(_pads(sizes, window, strides, dilation, padding), zeros)]
    inputs = [r.tensor(weight)] + ([r.tensor(bias)] if bias is not None else [])
    made = r.node("conv", dataclasses.replace(x, pad=()), *inputs, shape=shape, stride=strides, pad=pads,
                  dilation=dilation, groups=groups)
    return dataclasses.replace(made, order=None)


def _conv(r, layer, x, shape):
    made = _convolve(r, layer, x, layer.kernel, layer.bias if layer.use_bias else None, shape, layer.kernel_size,
                     layer.strides, layer.dilation_rate, layer.groups, layer.padding)
    return r.activated(made, layer.activation)


def _depthwise(r, layer, x, shape):
    made = _convolve(r, layer, x, layer.kernel, layer.bias if layer.use_bias else None, shape, layer.kernel_size,
                     layer.strides, layer.dilation_rate, x.shape[-1], layer.padding)
    return r.activated(made, layer.activation)


def _separable(r, layer, x, shape):
    between = (*shape[:3], x.shape[-1] * layer.depth_multiplier)
    made = _convolve(r, layer, x, layer.depthwise_kernel, None, between, layer.kernel_size, layer.strides,
                     layer.dilation_rate, x.shape[-1], layer.padding)
    made = _convolve(r, layer, made, layer.pointwise_kernel, layer.bias if layer.use_bias else None, shape, (1, 1), (1, 1),
                     (1, 1), 1, "valid")
    return r.activated(made, layer.activation)


def _batch_norm(r, layer, x, _):
    if layer.renorm or layer.synchronized:
        raise r.refuse("renorm and synchronized are statistics of other batches", "leave them out")
    if len(x.shape) not in (2, 3, 4) or layer.axis % len(x.shape) != len(x.shape) - 1:
        raise r.refuse(f"axis={layer.axis} of an input of rank {len(x.shape)}",
                       "norm the last axis, of vectors, sequences or images")
    r.features(layer, x)
    x = r.first(x)
    weight = r.tensor(layer.gamma) if layer.scale else r.constant(layer.moving_mean, "weight")
    bias = r.tensor(layer.beta) if layer.center else r.constant(layer.moving_mean, "bias")
    # Frozen, it moves nothing, whatever its momentum.
    moved = {"momentum": 1.0 - layer.momentum, "running_variance": "biased"} if layer.trainable else {"mode": "eval"}
    signal = len(x.shape) == 3  # the channels come second
    name = r.draft.node("permute", x.name, axes=(0, 2, 1)) if signal else x.name
    name = r.draft.node("batch_norm", name, weight, bias, r.tensor(layer.moving_mean), r.tensor(layer.moving_variance),
                        eps=layer.epsilon, **moved)
    name = r.draft.node("permute", name, axes=(0, 2, 1)) if signal else name
    return dataclasses.replace(x, name=name, positive=False)


# --- activations, pools, wiring ------------------------------------------------------


def _relu(r, layer, x, _):
    bent = getattr(layer, "negative_slope", 0) or getattr(layer, "threshold", 0)
    if bent or getattr(layer, "max_value", None) is not None:
        raise r.refuse("the engine has no relu with another slope, bound or threshold yet", "use a plain relu")
    return r.relu(x)


def _softmax(r, layer, x, _):
    if layer.axis not in (-1, len(x.shape) - 1):
        raise r.refuse(f"a softmax over axis {layer.axis}", "use the last one")
    return r.softmax(x)


def _max_pool(r, layer, x, shape):
    x = _image(r, x, layer)
    sizes, zeros = _padded(x)
    if x.pad and (not x.positive or any(z >= layer.pool_size[i // 2] for i, z in enumerate(zeros))):
        r.plain(x)  # refuses
    pads = [a + b for a, b in zip(_pads(sizes, layer.pool_size, layer.strides, (1, 1), layer.padding), zeros)]
    # After a relu a zero around an image never exceeds what the window holds of it, so that no padding is the same.
    made = r.node("max_pool", dataclasses.replace(x, pad=()), shape=shape, window=layer.pool_size, stride=layer.strides,
                  pad=pads)
    return dataclasses.replace(made, positive=x.positive)


def _avg_pool(r, layer, x, shape):
    x = _image(r, x, layer)
    if any(_pads(x.shape[1:3], layer.pool_size, layer.strides, (1, 1), layer.padding)):
        raise r.refuse("padding='same' averages fewer numbers at the edge",
                       "use sizes that the stride divides, or padding='valid'")
    made = r.node("avg_pool", x, shape=shape, window=layer.pool_size, stride=layer.strides)
    return dataclasses.replace(made, positive=x.positive)


def _reduced(r, x, axes, by, keepdims, shape):
    x = r.first(x)
    if x.order is not None:
        raise r.refuse("a sum of flattened features", "reduce before Flatten")
    rank = len(x.shape)
    axes = range(rank) if axes is None else [a % rank for a in np.atleast_1d(axes)]
    if 0 in axes:
        raise r.refuse("a sum over the batch", "keep the rows apart; the loss is their mean")
    kept = [a for a in (FIRST if x.first else range(rank)) if a not in axes]
    x = r.last(x) if kept != sorted(kept) else x
    name = r.draft.node("reduce", x.name, axes=sorted(r.axis(x, a) for a in axes), by=by)
    made = Value(name, tuple(x.shape[a] for a in sorted(kept)))
    return r.reshape_to(made, shape, first=x.first) if keepdims else made


def _global_average(r, layer, x, shape):
    return _reduced(r, _image(r, x, layer), (1, 2), "mean", layer.keepdims, shape)


def _global_max(r, layer, x, shape):
    x = _image(r, x, layer)
    made = r.node("max_pool", x, shape=(x.shape[0], 1, 1, x.shape[3]), window=x.shape[1:3], stride=x.shape[1:3])
    return made if layer.keepdims else r.flatten(made)


def _zero_pad(r, layer, x, shape):
    x = _image(r, x, layer)
    (top, bottom), (left, right) = layer.padding
    zeros = [a + b for a, b in zip((top, bottom, left, right), x.pad[:4] or (0, 0, 0, 0))]
    return dataclasses.replace(x, pad=(*zeros, r.place)) if any(zeros) else x


def _cropping(r, layer, x, shape):
    x = _image(r, x, layer)
    for axis, (begin, end) in zip((1, 2), layer.cropping):
        if begin or end:
            size = x.shape[axis] - begin - end
            x = r.node("slice", x, shape=(*x.shape[:axis], size, *x.shape[axis + 1:]), axis=axis + 1, begin=begin, size=size)
    return x


def _permute(r, layer, x, shape):
    axes = (0, *layer.dims) if hasattr(layer, "dims") else tuple(layer.axes or reversed(range(len(x.shape))))
    if x.order is not None or axes[0] != 0:
        raise r.refuse("it moves the batch, or features of a flattened image",
                       "move axes before Flatten, and keep the batch first")
    x = r.last(x)
    return r.node("permute", x, shape=shape, axes=axes)


def _concatenate(r, layer, values, shape):
    values = [r.first(r.plain(v)) for v in values]
    axis = layer.axis % len(shape)
    if axis == 0:
        raise r.refuse("rows of several batches in one", "keep the rows apart")
    if len(values) == 1:
        return values[0]
    order = None
    if any(v.order is not None for v in values):
        starts = np.cumsum([0] + [v.shape[-1] for v in values])
        orders = [np.arange(v.shape[-1]) if v.order is None else v.order for v in values]
        order = np.concatenate([at + each for at, each in zip(starts, orders)])
    made = r.node("concat", *values, shape=shape, axis=r.axis(values[0], axis))
    return dataclasses.replace(made, order=order)


def _dropout(r, layer, x, _):
    if layer.noise_shape is not None and any(n not in (None, m) for n, m in zip(layer.noise_shape, x.shape)):
        raise r.refuse("noise_shape drops several numbers at once", "leave it out")
    return r.node("dropout", r.first(x), p=layer.rate) if layer.rate else x


# --- arithmetic -----------------------------------------------------------------------


def _folded(operator, factor=lambda n: 1):
    """A layer that joins its inputs one after the other."""
    def rule(r, layer, values, shape):
        total = values[0]
        for value in values[1:]:
            total = r.joined(operator, total, value)
        return r.affine(total, factor(len(values)))
    return rule


def _subtract_layer(r, layer, values, shape):
    return r.joined("add", *values, beta=-1)


def _number(r, value):
    """A constant of a call: one number as it was written; 1/255 is one over a whole number if float32 holds the same."""
    found = np.unique(np.asarray(value))
    if found.size != 1:
        raise r.refuse("a constant tensor", "use one number, or make it a column of the data set")
    found = found.item()
    whole = round(1 / found) if found and abs(found) < 1 else 0
    return fractions.Fraction(1, whole) if whole and np.float32(1 / whole) == np.float32(found) else written(found)


def _op_add(r, op, a, b):
    if isinstance(a, Value) and isinstance(b, Value):
        return r.joined("add", a, b)
    a, b = (a, b) if isinstance(a, Value) else (b, a)
    return r.affine(a, 1, _number(r, b))


def _op_subtract(r, op, a, b):
    if isinstance(a, Value) and isinstance(b, Value):
        return r.joined("add", a, b, beta=-1)
    return r.affine(a, 1, -_number(r, b)) if isinstance(a, Value) else r.affine(b, -1, _number(r, a))


def _op_multiply(r, op, a, b):
    if isinstance(a, Value) and isinstance(b, Value):
        return r.joined("mul", a, b)
    a, b = (a, b) if isinstance(a, Value) else (b, a)
    return r.affine(a, _number(r, b))


def _op_divide(r, op, a, b):
    if isinstance(b, Value):
        raise r.refuse("the engine has no division by a tensor yet", "divide by a number")
    return r.affine(a, 1 / _number(r, b))


def _rescaling(r, layer, x, _):
    return r.affine(x, _number(r, layer.scale), _number(r, layer.offset))


def _normalization(r, layer, x, _):
    mean = np.asarray(layer.mean, "float32")
    spread = np.maximum(np.sqrt(np.asarray(layer.variance, "float32")), np.float32(keras.config.epsilon()))
    if np.unique(mean).size != 1 or np.unique(spread).size != 1:
        raise r.refuse("a mean and variance for every feature", "use axis=None, or register data that are normalised")
    mean, spread = written(mean.flat[0].item()), written(spread.flat[0].item())
    return r.affine(x, spread, mean) if layer.invert else r.affine(x, 1 / spread, -mean / spread)


def _cast(r, op, x, _):
    if op.dtype is not None and keras.utils.standardize_dtype(op.dtype) != "float32":
        raise r.refuse(f"a cast to {op.dtype}", "train in float32")
    return x


def _axes_op(by):
    return lambda r, op, x, shape: _reduced(r, x, op.axis, by, op.keepdims, shape)


# Class name -> rule(reader, layer, value or values, shape). Values come without waiting zeros and softmax but for _PADDED.
LAYERS = {
    "Dense": _dense, "Conv2D": _conv, "DepthwiseConv2D": _depthwise, "SeparableConv2D": _separable,
    "BatchNormalization": _batch_norm,
    "ReLU": _relu, "Softmax": _softmax, "Activation": lambda r, layer, x, _: r.activated(x, layer.activation),
    "Identity": lambda r, layer, x, _: x,
    "MaxPooling2D": _max_pool, "AveragePooling2D": _avg_pool,
    "GlobalAveragePooling2D": _global_average, "GlobalMaxPooling2D": _global_max,
    "ZeroPadding2D": _zero_pad, "Cropping2D": _cropping,
    "Flatten": lambda r, layer, x, _: r.flatten(x), "Reshape": lambda r, layer, x, shape: r.reshape(x, shape),
    "Permute": _permute, "Concatenate": _concatenate, "Dropout": _dropout,
    "Add": _folded("add"), "Multiply": _folded("mul"), "Subtract": _subtract_layer,
    "Average": _folded("add", factor=lambda n: fractions.Fraction(1, n)),
    "Rescaling": _rescaling, "Normalization": _normalization,
}
OPS = {
    "Relu": _relu, "ReLU": _relu, "Softmax": _softmax, "Identity": LAYERS["Identity"], "Cast": _cast, "ConvertToTensor": _cast,
    "Reshape": LAYERS["Reshape"], "Transpose": _permute, "Concatenate": _concatenate,
    "Mean": _axes_op("mean"), "Sum": _axes_op("sum"),
    "Negative": lambda r, op, x, _: r.affine(x, -1), "Square": lambda r, op, x, _: r.joined("mul", x, x),
}
ARITHMETIC = {"Add": _op_add, "Subtract": _op_subtract, "Multiply": _op_multiply, "Divide": _op_divide,
              "TrueDivide": _op_divide}
_PADDED = {"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "ZeroPadding2D", "Identity"}

MISSING = "the engine has no {kind} yet", "use the layers of docs/spec/program.md"
# What is refused, where there is more to say. Class name -> (what it is, what to do instead).
REFUSED = {
    "Lambda": ("code that cannot be read", "use keras.ops and Keras' own layers"),
    "Masking": ("a mask of rows of different length", "register rows of one length"),
    **dict.fromkeys(("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomCrop", "RandomContrast",
                     "RandomBrightness"), ("random augmentation is data", "register the augmented rows as a data set")),
    **dict.fromkeys(("GaussianNoise", "GaussianDropout", "AlphaDropout", "SpatialDropout1D", "SpatialDropout2D"),
                    ("the engine draws no such noise yet", "use Dropout")),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization"),
                    ("the engine has no {kind} yet", "use BatchNormalization")),
    **dict.fromkeys(("LeakyReLU", "PReLU", "ELU", "Gelu", "Sigmoid", "Tanh", "Silu", "LeakyRelu", "Elu", "Relu6"),
                    ("the engine has no {kind} yet", "use relu")),
    **dict.fromkeys(("Conv1D", "MaxPooling1D", "AveragePooling1D", "GlobalAveragePooling1D", "DepthwiseConv1D",
                     "SeparableConv1D"), ("the engine has no {kind} yet", "use the 2D layer on images one pixel high")),
    "Embedding": ("the engine has no {kind} yet", "train on columns of numbers"),
    "ActivityRegularization": ("a term of the loss that the program does not have", "use the optimizer's weight_decay"),
}


def known(operation):
    """Whether there is a rule for this class; a subclass may compute anything."""
    kind, layer = type(operation).__name__, isinstance(operation, keras.layers.Layer)
    return type(operation).__module__.startswith("keras.") and kind in (LAYERS if layer else OPS.keys() | ARITHMETIC.keys())


def check(place, layer, refuse):
    """Errors: Unsupported for what a layer of a known class asks for besides its operator.

    `refuse(place, what, instead)` gives the error.
    """
    for name, value in vars(layer).items():
        if name.endswith("regularizer") and value is not None:
            raise refuse(place, f"{name} is a term of the loss that the program does not have",
                         "use the optimizer's weight_decay")
        if name.endswith("constraint") and value is not None:
            raise refuse(place, f"{name} changes weights after the step", "leave it out")
    if isinstance(layer, keras.layers.Layer):
        if (layer.compute_dtype, layer.variable_dtype) != ("float32", "float32"):
            raise refuse(place, f"dtype policy {layer.dtype_policy.name}", "train in float32")
        if getattr(layer, "quantization_mode", None) or getattr(layer, "lora_enabled", False):
            raise refuse(place, "quantised or LoRA weights", "train the plain layer")


def operate(reader, operation, arguments, shape):
    """The value of one call. `arguments`: its tensors as values, and constants, in order; `shape`: Keras' of the result."""
    kind, layer = type(operation).__name__, isinstance(operation, keras.layers.Layer)
    if kind not in _PADDED:
        arguments = [reader.plain(a) if isinstance(a, Value) else a for a in arguments]
    elif kind != "Identity":
        arguments = [a if a.pad else reader.plain(a) for a in arguments]
    if not layer and kind in ARITHMETIC:
        return ARITHMETIC[kind](reader, operation, *arguments)
    rule = (LAYERS if layer else OPS)[kind]
    several = kind in ("Add", "Multiply", "Subtract", "Average", "Concatenate")
    return rule(reader, operation, arguments if several else arguments[0], shape)
