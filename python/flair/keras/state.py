# SPDX-License-Identifier: Apache-2.0
"""A Keras model's weights as canonical tensors, and back.

Names: layer names joined by dots; names Keras made up (`dense_4`) count from 0 per class in graph order, so that they
do not depend on what the process built before; names the user gave are kept.
"""
import re

import keras
import numpy as np
from keras.src.utils.naming import to_snake_case

from .. import attention
from ..errors import InvalidArgument, MappingError
from ..mapping import ABSENT, RESET_BEFORE, describe
from . import graph, layers


def _is_automatic(layer):
    return re.fullmatch(re.escape(to_snake_case(type(layer).__name__)) + r"(_\d+)?", layer.name) is not None


def _children(layer):
    inner = graph.functional(layer) if isinstance(layer, keras.Model) else None
    found = inner.layers if inner is not None else list(layer._flatten_layers(include_self=False, recursive=False))
    return [x for x in found if type(x).__name__ != "InputLayer" and x.weights]


def _named(parent):
    """(name, layer) of the layers directly below, numbered per class."""
    count, taken = {}, {}
    for layer in _children(parent):
        if _is_automatic(layer):
            stem = to_snake_case(type(layer).__name__)
            number = count[stem] = count.get(stem, -1) + 1
            name = f"{stem}_{number}" if number else stem
        else:
            name = layer.name
        if name in taken:
            raise MappingError(f"keras: two layers are called '{name}' ({type(taken[name]).__name__} and {type(layer).__name__})",
                               "give one of them another name")
        taken[name] = layer
        yield name, layer


class Mapping:
    """Canonical name -> slot, for one model. Errors: MappingError names the layer or variable."""

    def __init__(self, model):
        if not model.built:
            raise InvalidArgument("keras: the model has no weights yet: build it (an Input layer, or one call on a batch)")
        self.model, self.slots, self.constants, self.metadata = model, {}, {}, {}
        self.features, self._seen = graph.analyse(model), set()
        self._reset_before = []
        self._walk(model, "")
        mapped = {id(s.variable) for s in self.slots.values()}
        for variable in model.weights:
            if id(variable) not in mapped:
                raise MappingError(f"keras: weight '{variable.path}' belongs to no layer with a canonical form",
                                   "keep the model as a file: model.save('model.keras'), then `flair add model.keras`")
        if self._reset_before:
            self.metadata[RESET_BEFORE] = " ".join(self._reset_before)

    def _walk(self, parent, prefix):
        for name, layer in _named(parent):
            if id(layer) in self._seen:
                continue
            self._seen.add(id(layer))
            if layers.is_mapped(layer):
                self._add(prefix + name, layer)
            else:
                own = {id(w) for w in layer._trainable_variables + layer._non_trainable_variables}
                builtin = type(layer).__module__.startswith("keras.") and not isinstance(layer, keras.Model)
                if builtin or any(id(w) in own for w in layer.weights):
                    raise layers.refuse(layer, "no canonical form for the weights of this layer")
                self._walk(layer, f"{prefix}{name}.")

    def _add(self, name, layer):
        for slot in layers.slots_of(layer, self.features.get(id(layer), graph.Features())):
            full = f"{name}.{slot.name}"
            if full in self.slots or full in self.constants:
                raise MappingError(f"keras: two weights are called '{full}'", "give their layers other names")
            (self.constants if isinstance(slot, layers.Constant) else self.slots)[full] = slot
        inner = [layer.forward_layer, layer.backward_layer] if type(layer).__name__ == "Bidirectional" else [layer]
        if any(type(x).__name__ == "GRU" and not x.reset_after for x in inner):
            self._reset_before.append(name)

    def take(self, values=None, carried=None):
        """name -> numpy array. `values`: id(variable) -> array instead of the model's own;
        `carried`: the tensors of the version this one follows, for what Keras has no place for."""
        carried, absent, out = carried or {}, [], {}
        for name, slot in self.slots.items():
            value = np.asarray(slot.variable.numpy()) if values is None else values[id(slot.variable)]
            tensor = slot.take(value)
            out[name] = np.ascontiguousarray(tensor).reshape(tensor.shape)  # a scalar stays one
        for name, constant in self.constants.items():
            if name in carried:
                out[name] = np.asarray(carried[name])
            elif not constant.optional:
                out[name] = constant.value
            else:
                absent.append(name)
        metadata = dict(self.metadata)
        if absent:
            metadata[ABSENT] = " ".join(absent)
        return attention.as_wanted(out, carried), metadata

    def put(self, state, strict=True):
        """Assigns name -> array; nothing is changed unless everything fits."""
        wanted = set(self.slots) | set(self.constants)
        state = attention.as_wanted(dict(state), wanted)
        missing = [n for n in self.slots if n not in state]
        extra = [n for n in state if n not in wanted]
        if strict and (missing or extra):
            raise InvalidArgument("keras: the tensors do not fit the model: " + describe(missing, extra))
        values = {}
        for name, slot in self.slots.items():
            if name not in state:
                continue
            array, variable = np.asarray(state[name]), slot.variable
            value = values.get(id(variable), (None, None))[1]
            if value is None:
                value = np.asarray(variable.numpy())
            expected = slot.take(value)
            if array.shape != expected.shape or array.dtype != expected.dtype:
                raise InvalidArgument(f"keras: tensor '{name}' is {array.dtype} {list(array.shape)}; "
                                      f"the model has {expected.dtype} {list(expected.shape)}")
            values[id(variable)] = (variable, np.asarray(slot.put(value, array)).reshape(value.shape))
        for name, constant in self.constants.items():
            if name in state and not constant.carried:
                array = np.asarray(state[name])
                if array.shape != constant.value.shape or not np.array_equal(array, constant.value):
                    raise MappingError(f"keras: tensor '{name}' has no place in this layer, which computes with "
                                       f"{'zeros' if not constant.value.any() else 'ones'} there", constant.remedy)
        for variable, value in values.values():
            variable.assign(value)


def state_of(model, carried=None):
    """(name -> array, metadata) of a model."""
    return Mapping(model).take(carried=carried)


def load_into(model, tensors, metadata=None, strict=True):
    """Errors: InvalidArgument (names, shapes, types), MappingError."""
    mapping = Mapping(model)
    theirs = (metadata or {}).get(RESET_BEFORE, "")
    if theirs != mapping.metadata.get(RESET_BEFORE, ""):
        raise MappingError(f"keras: GRUs that reset before the product: stored '{theirs}', the model "
                           f"'{mapping.metadata.get(RESET_BEFORE, '')}'", "give the layers the same reset_after")
    mapping.put({name: np.asarray(tensors[name]) for name in tensors}, strict)
