# SPDX-License-Identifier: Apache-2.0
"""What the operators of a program are written with while a Keras graph is read: names of weights, joins, activations.

Canonical names and layouts are those of state.py, and what graph.py found about flattened features holds here, too: a
value whose features stand otherwise than a layer's canonical weights expect is refused, never silently permuted.
"""
import dataclasses

import keras
import numpy as np

from ..programs import scale_of
from .graph import Features, same_order
from .wiring import Wiring


class Reader(Wiring):
    """A draft, the canonical names of a model's variables, and what permutes its features.

    model: whose trainable_variables are trained. mapping: state.Mapping. `decays(variable)`: as optimizers.Rules has it.
    Frozen weights, and such as PyTorch has and the Keras layer does not (a BatchNormalization without scale: ones), are
    buffers that nothing updates.
    """

    def __init__(self, draft, model, mapping, decays):
        super().__init__(draft)
        self._decays, self._declared = decays, set()
        self._values, _ = mapping.take()
        self._trained = {id(v) for v in model.trainable_variables}
        self._slots = {id(slot.variable): (name, slot) for name, slot in mapping.slots.items()}
        self._features = mapping.features

    def tensor(self, variable):
        """The canonical name of a variable, declared when it is read first."""
        name, slot = self._slots[id(variable)]
        return self._declare(name, variable if id(variable) in self._trained else None)

    def constant(self, beside, suffix):
        """The canonical tensor `suffix` of the layer that owns `beside` but has no variable for this one."""
        name, slot = self._slots[id(beside)]
        return self._declare(name.removesuffix(slot.name) + suffix, None)

    def _declare(self, name, variable):
        if name not in self._declared:
            self._declared.add(name)
            value = self._values[name]
            if variable is None:
                self.draft.buffer(name, value.shape)
            else:
                self.draft.parameter(name, value.shape, scale=scale_of(value), decay=self._decays(variable))
        return name

    def features(self, layer, value):
        """What graph.py found about a layer. Errors: Unsupported where its weights are mapped for another order."""
        found = self._features.get(id(layer), Features())
        if not same_order(found.into, value.order):
            raise self.refuse("its input's features come from a flattened image in an order that its weights do not have",
                              "build the whole model with the functional API")
        return found

    def aligned(self, values):
        """Values of one rank in one layout, for what works element by element. Errors: Unsupported."""
        values = [self.first(self.plain(v)) for v in values]
        if len({len(v.shape) for v in values}) != 1:
            raise self.refuse("values of different ranks: " + ", ".join(str(list(v.shape)) for v in values),
                              "Reshape them to one rank first")
        wide = [v for v in values if v.shape[-1] != 1]
        if any(not same_order(v.order, wide[0].order) for v in wide):
            raise self.refuse("features of a flattened image meet others, which stand in another order",
                              "join them before Flatten")
        return values

    def joined(self, operator, a, b, **attributes):
        """`add` or `mul` of two values."""
        a, b = self.aligned([a, b])
        made = self.node(operator, a, b, shape=np.broadcast_shapes(a.shape, b.shape), **attributes)
        return dataclasses.replace(made, order=a.order if a.shape[-1] != 1 else b.order)

    def affine(self, value, scale=1, shift=0):
        return value if (scale, shift) == (1, 0) else self.node("affine", self.plain(value), scale=scale, shift=shift)

    def relu(self, value):
        return self.node("relu", self.first(self.plain(value)))

    def activated(self, value, function):
        """`function`: of keras.activations."""
        if function in (None, keras.activations.linear):
            return value
        if function is keras.activations.relu:
            return self.relu(value)
        if function is keras.activations.softmax:
            return self.softmax(value)
        name = getattr(function, "__name__", type(function).__name__)
        if getattr(function, "__module__", type(function).__module__).startswith("keras."):
            raise self.refuse(f"the engine has no {name} yet", "use relu")
        raise self.refuse(f"'{name}' is an activation of your own", "use relu, or build it from layers and keras.ops")

    def softmax(self, value):
        return dataclasses.replace(self.plain(value), softmax=self.place)
