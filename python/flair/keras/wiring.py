# SPDX-License-Identifier: Apache-2.0
"""Values of a program while a Keras graph is read, and where their axes and features stand.

Keras keeps images channels last, programs channels first, as PyTorch does. An image stays as Keras has it until the
first operator that tells channels from places, and is channels first from there on: an image column is declared as the
data set holds it, and one `permute` follows (a `reshape` where the data set leaves a single channel's axis out).
Flattened images list (C, H, W), as the columns of the Dense behind them do in canonical form (graph.py).
"""
import dataclasses
import typing

import numpy as np

from .. import errors
from .graph import image_order, same_order

FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)


@dataclasses.dataclass(frozen=True)
class Value:
    """`name` in the program; `shape` in Keras, batch included. `first`: an image that is channels first.
    `order`: the program's feature j is Keras' feature order[j]; None for the same order.
    Not yet written: `pad`, zeros around an image (top, bottom, left, right), and a `softmax`, by whose names they go."""
    name: str
    shape: tuple
    first: bool = False
    order: typing.Any = None
    pad: tuple = ()
    softmax: str = ""
    positive: bool = False  # what a relu gives

    @property
    def dims(self):
        return tuple(self.shape[a] for a in FIRST) if self.first else self.shape


def refuse(place, what, instead):
    """The error for what cannot be said in a program: where, what it is, what to do instead."""
    return errors.Unsupported(f"program: {place}: {what}; {instead}")


class Wiring:
    """Writes to a draft what moves values without computing. `place`: the layer that is being read, for messages."""

    def __init__(self, draft):
        self.draft, self.place, self._turned = draft, "", {}

    def refuse(self, what, instead):
        return refuse(self.place, what, instead)

    def node(self, operator, value, *inputs, shape=None, **attributes):
        """An operator whose result is laid out as `value` is; `shape` when it has another one."""
        name = self.draft.node(operator, value.name, *(i.name if isinstance(i, Value) else i for i in inputs), **attributes)
        return dataclasses.replace(value, name=name, shape=tuple(shape or value.shape), positive=operator == "relu")

    def _permuted(self, value, axes, first):
        key = value.name, axes
        if key not in self._turned:
            self._turned[key] = self.draft.node("permute", value.name, axes=axes)
        return dataclasses.replace(value, name=self._turned[key], first=first)

    def first(self, value):
        """An image channels first; what is no image as it is."""
        return value if value.first or len(value.shape) != 4 else self._permuted(value, FIRST, True)

    def last(self, value):
        """A value with Keras' axes."""
        return self._permuted(value, LAST, False) if value.first else value

    def axis(self, value, axis):
        """Where Keras' axis stands in `value`."""
        axis %= len(value.shape)
        return FIRST.index(axis) if value.first else axis

    def plain(self, value):
        """`value`, unless it waits for an operator that this one is not. Errors: Unsupported."""
        if value.pad:
            *_, name = value.pad
            raise refuse(name, "zeros around an image go into the convolution behind them, and this one has none",
                         "put it straight before a Conv2D or DepthwiseConv2D, or use padding='same'")
        if value.softmax:
            raise refuse(value.softmax, "the engine has no softmax yet but the last one, which is part of the loss",
                         "end the network with it, or use relu")
        return value

    def flatten(self, value):
        """[N, ..] -> [N, features]; of an image (C, H, W)."""
        size = int(np.prod(value.shape[1:]))
        if len(value.shape) == 1:
            return self.reshape_to(value, (value.shape[0], 1))
        if len(value.shape) == 2:
            return value
        order = image_order(value.shape[1:]) if len(value.shape) == 4 else None
        value = value if order is None else self.first(value)
        return Value(self.draft.node("flatten", value.name), (value.shape[0], size), order=order, positive=value.positive)

    def reshape_to(self, value, shape, first=False):
        """`shape`: Keras' shape of the result. Its elements stand as those of `value` do."""
        made = Value(value.name, tuple(shape), first=first, positive=value.positive)
        return dataclasses.replace(made, name=self.draft.node("reshape", value.name, dims=made.dims)) \
            if made.dims != value.dims else made

    def reshape(self, value, shape):
        """Keras' Reshape. Features become an image only where PyTorch makes the same one of them."""
        if len(shape) == 2:
            return self.flatten(value)
        order = image_order(shape[1:]) if len(shape) == 4 else None
        if len(value.shape) == 2 and len(shape) == 4 and same_order(value.order, order):
            return self.reshape_to(value, shape, first=True)
        if value.order is not None:
            raise self.refuse("its features come from a flattened image", "reshape before Flatten, or put a Dense between")
        one = value.first and image_order(value.shape[1:]) is None  # its elements stand alike in both layouts
        return self.reshape_to(value if one else self.last(value), shape, first=len(shape) == 4 and order is None)
