# SPDX-License-Identifier: Apache-2.0
"""The program that a Keras set-up follows (TensorFlow backend): the door of flair.programs.program for Keras.

Source is the Functional graph; a subclassed model is called once on symbolic inputs. The graph is read from its output
backwards, each call's inputs in their order, so that the operators stand as in a nested expression, whatever the model
was built before or beside. Weights are named and laid out as in a repository (state.py).
"""
import inspect
import re

import keras
import numpy as np
from keras.src.models.functional import Functional

from .. import errors, programs
from . import graph, operators, optimizers
from .reader import Reader
from .state import Mapping
from .wiring import Value, refuse


def draft(model, loss, optimizer, sample, steps, scheduler=None, clip_norm=None, columns=None, formats=None, profile=()):
    """The program: flair.programs.program says what the arguments are. `loss`, `optimizer`: None for the compiled ones.

    Inputs whose names Keras made up are columns "x", "x_1", .. in their order; the target is "labels", or the input
    itself where the sample holds the same object twice (an autoencoder) and `columns` names it once. A target of one-hot
    rows is a column of labels, too.

    Errors: Unsupported "program: LAYER: what it is; what to do instead"; InvalidArgument.
    """
    if not getattr(model, "built", False):
        raise errors.InvalidArgument("program: the model has no weights yet",
                                     "build it: an Input layer, or one call on a batch")
    if scheduler is not None:
        raise refuse("scheduler", "Keras reads its rates itself", "give the optimizer a LearningRateSchedule")
    optimizer, loss = optimizer or model.optimizer, loss if loss is not None else getattr(model, "loss", None)
    if optimizer is None or loss is None:
        raise errors.InvalidArgument("program: the model is not compiled: give loss= and optimizer=")
    functional = _functional(model, sample)
    inputs, target = _split(functional, sample)
    _check(functional, "")
    if model.losses:
        raise refuse(model.name, "add_loss is a term of the loss that the program does not have", "leave it out")
    goal = _Goal(loss, functional.outputs)
    rules = optimizers.Rules(optimizer, steps, clip_norm)
    made = programs.Draft(len(inputs[0]))
    reader = Reader(made, model, _mapping(model), rules.decays)
    values, target = _columns(reader, functional, inputs, target, goal, columns, formats or {})
    output = _walk(reader, functional, values, "")[0]
    return made.finish(goal.write(reader, output, target), rules.optimiser, rules.rates, rules.clip, profile)


def _graph(model):
    """The Functional graph that a model computes; None where its call is its own, or where it is a layer."""
    plain = isinstance(model, keras.Model) and type(model).call in (keras.Sequential.call, Functional.call)
    return graph.functional(model) if plain else None


def _functional(model, sample):
    """The graph of a model: its own, or that of one call on symbolic inputs of the sample's shape."""
    found = _graph(model)
    if found is None:
        shapes = [np.shape(x) for x in keras.tree.flatten(sample[0] if len(sample) == 2 else sample[:-1])]
        symbols = [keras.Input(shape[1:]) for shape in shapes]
        training = {"training": True} if "training" in inspect.signature(model.call).parameters else {}
        try:
            found = keras.Model(symbols, model.call(symbols[0] if len(symbols) == 1 else symbols, **training))
        except Exception as error:  # whatever the model's call cannot do with a symbol
            raise refuse(model.name, f"its call cannot be followed ({_line(error)})",
                         "use keras.ops and Keras' layers in it, or build it with the functional API") from error
    if len(found.outputs) != 1:
        raise refuse(model.name, f"{len(found.outputs)} outputs", "prove one loss of one output")
    for tensor in found.inputs:
        if None in tensor.shape[1:]:
            raise refuse(tensor.name, f"an input of open size {list(tensor.shape[1:])}", "give Input its full shape")
    return found


def _line(error):
    """What an exception says, its first sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0].rstrip(".")


def _split(functional, sample):
    """(arrays of the inputs in the model's order, target) of a sample (inputs.., target)."""
    sample = tuple(sample) if isinstance(sample, (tuple, list)) else (sample,)
    wanted, found = len(functional.inputs), []
    for part in sample:
        if isinstance(part, dict):
            names = [t.name for t in functional.inputs]
            missing = [n for n in names if n not in part]
            if missing:
                raise errors.InvalidArgument(f"program: the sample has no input '{missing[0]}'")
            found += [part[n] for n in names]
        else:
            found += list(part) if isinstance(part, (tuple, list)) and len(found) < wanted else [part]
    if len(found) == wanted + 2 and found[-1] is not None:
        raise refuse("sample", "sample weights", "leave them out: every row counts once")
    found = found[:wanted + 1] if len(found) == wanted + 2 else found
    if len(found) != wanted + 1:
        raise errors.InvalidArgument(f"program: the sample is {len(found)} tensors; the model takes {wanted}, "
                                     "and the target is one more")
    arrays = {id(x): np.asarray(x) for x in found}
    found = [arrays[id(x)] for x in found]
    if found[0].ndim < 1 or len({x.shape[:1] for x in found}) != 1:
        raise errors.InvalidArgument("program: the sample's tensors are of different batch sizes")
    return found[:-1], found[-1]


def _check(functional, prefix):
    """Refuses what has no operator, before anything asks how its weights are mapped."""
    for operation in functional.operations:
        place, kind = prefix + operation.name, type(operation).__name__
        if kind == "InputLayer":
            continue
        inner = _graph(operation)
        if inner is not None:
            _check(inner, place + ".")
        elif operators.known(operation):
            operators.check(place, operation, refuse)
        elif not type(operation).__module__.startswith("keras."):
            raise refuse(place, f"{kind} is a class of your own",
                         "build it from Keras' layers and keras.ops, with the functional API")
        else:
            what, instead = operators.REFUSED.get(kind, operators.MISSING)
            raise refuse(place, what.format(kind=kind), instead)


def _mapping(model):
    try:
        return Mapping(model)
    except errors.MappingError as error:
        what = error.message.removeprefix("keras: ")
        raise errors.Unsupported(f"program: {what}; build it another way, with canonical weights") from error


def _walk(reader, functional, inputs, prefix):
    """Values of the outputs of a graph, given those of its inputs."""
    known = {id(t): v for t, v in zip(functional.inputs, inputs)}
    for output in functional.outputs:
        waiting = [output]
        while waiting:
            tensor = waiting[-1]
            history = tensor._keras_history
            node = history.operation._inbound_nodes[history.node_index]
            missing = [t for t in node.input_tensors if id(t) not in known]
            if id(tensor) in known or missing:
                waiting[-1:] = [] if id(tensor) in known else [tensor, *reversed(missing)]
                continue
            values = _call(reader, node, [known[id(t)] for t in node.input_tensors], prefix)
            known.update({id(t): v for t, v in zip(node.outputs, values)})
    return [known[id(t)] for t in functional.outputs]


def _call(reader, node, values, prefix):
    """Values of the outputs of one call."""
    operation = node.operation
    reader.place = prefix + operation.name
    inner = _graph(operation)
    if inner is not None:
        return _walk(reader, inner, values, reader.place + ".")
    masks = [getattr(t, "_keras_mask", None) for t in node.input_tensors] + [node.arguments.kwargs.get("mask")]
    if any(mask is not None for mask in masks):
        raise reader.refuse("a mask", "register rows of one length")
    shape = (reader.draft.batch, *node.outputs[0].shape[1:])
    if not isinstance(operation, keras.layers.Layer):
        found = iter(values)
        values = [next(found) if isinstance(a, keras.KerasTensor) else a
                  for a in keras.tree.flatten((node.arguments.args, node.arguments.kwargs))]
    made = operators.operate(reader, operation, values, shape)
    if made.shape != shape and not made.pad:
        raise reader.refuse(f"it makes {list(shape[1:])} of its input by a constant", "have the input of that shape first")
    return [made]


def _columns(reader, functional, inputs, target, goal, names, formats):
    """Declares the data set's columns; (values of the inputs, value or name of the target)."""
    own = [_own(t.name, i) for i, t in enumerate(functional.inputs)]
    twin = [i for i, x in enumerate(inputs) if x is target]
    shared = bool(twin) and not goal.labels and (names is None or len(names) == len(inputs))
    names = list(names) if names is not None else own + ([] if shared else ["labels"])
    if len(names) != len(inputs) + (not shared):
        raise errors.InvalidArgument(f"program: {len(names)} names of columns for {len(inputs)} inputs and a target")

    def column(name, array):
        bits, scale = formats.get(name) or programs.format_of(array)
        return Value(reader.draft.column(name, array.shape[1:], bits, scale), array.shape)

    raw = [column(name, array) for name, array in zip(names, inputs)]
    if shared:
        target = raw[twin[0]]
    elif goal.labels:
        goal.check_labels(target)
        target = reader.draft.label(names[-1], goal.classes)
    else:
        target = column(names[-1], target)
    values = []
    for value, tensor in zip(raw, functional.inputs):
        reader.place, wanted = tensor.name, (value.shape[0], *tensor.shape[1:])
        trimmed = [shape[:-1] if shape[-1:] == (1,) and len(shape) == rank + 1 else shape
                   for shape, rank in ((value.shape, len(wanted)), (wanted, len(value.shape)))]
        if trimmed[0] != trimmed[1] and value.shape != wanted:
            raise errors.InvalidArgument(f"program: '{value.name}' has rows of shape {list(value.shape[1:])}; "
                                         f"the model takes {list(wanted[1:])}")
        values.append(value if value.shape == wanted else reader.reshape(value, wanted))
    return values, target


def _own(name, number):
    """The name of an input's column: its own, unless Keras made it up."""
    if re.fullmatch(r"(input_layer|keras_tensor)(_\d+)?", name):
        return f"x_{number}" if number else "x"
    return name


class _Goal:
    """A loss: cross-entropy on labels, or the mean squared error. Errors: Unsupported."""

    _KINDS = {keras.losses.SparseCategoricalCrossentropy: "sparse", keras.losses.CategoricalCrossentropy: "one-hot",
              keras.losses.MeanSquaredError: "mse"}
    _FUNCTIONS = {keras.losses.sparse_categorical_crossentropy: "sparse", keras.losses.categorical_crossentropy: "one-hot",
                  keras.losses.mean_squared_error: "mse"}

    def __init__(self, loss, outputs):
        if isinstance(loss, (list, tuple, dict)):
            raise refuse("loss", "several losses", "prove one loss of one output")
        try:
            loss = keras.losses.get(loss)
        except ValueError as error:
            raise refuse("loss", _line(error), self._instead) from None
        function = callable(loss) and not isinstance(loss, keras.losses.Loss)
        self.name = getattr(loss, "__name__", type(loss).__name__)
        self.kind = self._FUNCTIONS.get(loss) if function else self._KINDS.get(type(loss))
        if self.kind is None:
            raise refuse("loss", f"the engine has no {self.name} yet", self._instead)
        options = {} if function else loss._fn_kwargs
        if not function and loss.reduction not in ("sum_over_batch_size", "mean", "mean_with_sample_weight"):
            raise refuse("loss", f"{self.name} with reduction={loss.reduction!r}",
                         "use the mean, reduction='sum_over_batch_size'")
        for option in ("label_smoothing", "ignore_class"):
            if options.get(option):
                raise refuse("loss", f"{self.name} with {option}", "leave it out")
        if options.get("axis", -1) != -1:
            raise refuse("loss", f"{self.name} over axis {options['axis']}", "have the classes on the last axis")
        self.labels, self.from_logits = self.kind != "mse", bool(options.get("from_logits"))
        self.classes = outputs[0].shape[-1]
        if self.labels and len(outputs[0].shape) != 2:
            raise refuse("loss", f"{self.name} of outputs of shape {list(outputs[0].shape[1:])}",
                         "give one class for each row")

    _instead = "use SparseCategoricalCrossentropy, CategoricalCrossentropy or MeanSquaredError"

    def check_labels(self, target):
        """Errors: InvalidArgument where the sample's target is no class for each row."""
        if self.kind == "one-hot":
            rows = np.eye(self.classes)
            if target.shape[1:] != (self.classes,) or not np.array_equal(rows[target.argmax(axis=1)], target):
                raise errors.InvalidArgument(f"program: the target is not one-hot of {self.classes} classes",
                                             "SparseCategoricalCrossentropy takes the classes' numbers")
        elif target.shape[1:] not in ((), (1,)) or not np.isin(target, np.arange(self.classes)).all():
            raise errors.InvalidArgument(f"program: the target is not one class below {self.classes} for each row")

    def write(self, reader, output, target):
        """The value of the loss."""
        reader.place = "loss"
        if self.labels:
            if not output.softmax and not self.from_logits:
                raise refuse("loss", f"{self.name} takes probabilities, and the last layer gives other numbers",
                             "give it activation='softmax', or the loss from_logits=True")
            if output.softmax and self.from_logits:
                raise refuse("loss", f"{self.name} with from_logits=True, and a softmax before it", "take one of them away")
            if output.order is not None:
                raise refuse("loss", "classes that are a flattened image", "end with a Dense")
            return reader.draft.node("cross_entropy", output.name, target)
        output = reader.plain(output)
        if output.order is not None:
            raise refuse("loss", "its output is a flattened image of several channels",
                         "compare images: leave the last Flatten out")
        if target.shape != output.shape:
            longer, shorter = sorted((target.shape, output.shape), key=len, reverse=True)
            if longer != (*shorter, 1):
                raise errors.InvalidArgument(f"program: the target has rows of shape {list(target.shape[1:])}; "
                                             f"the output has {list(output.shape[1:])}")
            target = reader.reshape_to(target, output.shape, first=output.first)
        target = reader.first(target) if output.first else target
        return reader.draft.node("mse", output.name, target.name)
