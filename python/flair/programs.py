# SPDX-License-Identifier: Apache-2.0
"""The training program that proofs are about, from a set-up of either framework.

`program()` is the door; flair.torch.program and flair.keras.program walk a framework's graph and say to a `Draft` what
they found. The core checks the text that a draft is (docs/spec/program.md), and gives its bytes and its hash.

Two models that compute the same give the same program: values are named by what made them, and parameters and buffers
stand in the order in which the graph reads them first.
"""
import fractions
import math
import os
import pathlib

import numpy as np

from . import _core, errors

FILE = "program.flair"  # in a repository, docs/formats/repository.md


class Program:
    """A training program. `data`: its bytes; `text`: what people read; `hash`: what a branch pins (64 hex digits);
    `batch`: rows of a step; `columns`: of the data set, (name, dims of a row, bits, scale, classes);
    `parameters`, `buffers`: (name, dims)."""

    def __init__(self, found):
        self.data, self.text, self.hash, self.batch = found["bytes"], found["text"], found["hash"], found["batch"]
        self.columns = [(name, tuple(dims), *rest) for name, dims, *rest in found["columns"]]
        self.parameters = [(name, tuple(dims)) for name, dims in found["parameters"]]
        self.buffers = [(name, tuple(dims)) for name, dims in found["buffers"]]

    def save(self, path=FILE):
        """Writes its bytes; `path` may be a folder."""
        path = pathlib.Path(path)
        path = path / FILE if path.is_dir() else path
        written = path.with_name(f".{path.name}.{os.getpid()}")
        written.write_bytes(self.data)
        os.replace(written, path)
        return path

    def __eq__(self, other):
        return isinstance(other, Program) and self.data == other.data

    def __hash__(self):
        return hash(self.data)

    def __repr__(self):
        return f"<flair program {self.hash[:12]}: {len(self.parameters)} parameters, batches of {self.batch}>"


def from_text(text):
    """A program from its text form. Errors: InvalidArgument with the line, or why it cannot be proven."""
    return Program(_core.build_program(text))


def load(path=FILE):
    """A program from its bytes or its text form. Errors: NotFound, IntegrityError, InvalidArgument."""
    path = pathlib.Path(path)
    path = path / FILE if path.is_dir() else path
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise errors.NotFound(f"program: there is no {path}") from None
    if data.startswith(b"flair program"):
        return from_text(data.decode("utf-8", "replace"))
    return Program(_core.read_program(data))


def exactly(number):
    """What a scalar of a training loop means: a float as float32 holds it, since that is what computes; a whole one itself.

    Errors: InvalidArgument for infinities and NaN.
    """
    if isinstance(number, (int, fractions.Fraction)):
        return fractions.Fraction(number)
    single = float(np.float32(number))
    if not math.isfinite(single):
        raise errors.InvalidArgument(f"program: {number} is no number")
    return fractions.Fraction(single)


def written(number):
    """A scalar as people wrote it, where float32 holds the same number and its fraction is the shorter one: 0.9 is 9/10, not
    15099494/2^24. Half a unit of float32 between them is what float32 itself rounds; long denominators cost a proof.

    Errors: InvalidArgument for infinities and NaN.
    """
    exact = exactly(number)
    if isinstance(number, (int, fractions.Fraction)):
        return exact
    return min(fractions.Fraction(str(np.float32(number))), exact, key=lambda f: f.denominator)


def _text(value):
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(str(int(v)) for v in value) + "]"
    value = written(value)
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def call(name, **attributes):
    """An operator, optimiser or clipping with its attributes, as the text form writes it; None is left out."""
    return f"{name}({', '.join(f'{k}={_text(v)}' for k, v in attributes.items() if v is not None)})"


def _quoted(name):
    plain = name.replace("_", "a").replace(".", "a")
    return name if plain.isascii() and plain.isalnum() and not name[0].isdigit() and name[0] != "." else f'"{name}"'


_RATE_BITS = 27  # of the largest rate's numerator: float32's, and room that a step's products have


def schedule(rates):
    """The text of a schedule: `rates`, one learning rate a step; the last one stays.

    One that never changes is what float32 holds. Several share a unit, a power of two of which the largest has less than
    2^27: what they lose is 2^-28 of it at most.
    Errors: InvalidArgument for none, for negative ones, and for such as have no unit above 2^-61.
    """
    exact = [exactly(rate) for rate in rates]
    if not exact or min(exact) < 0:
        raise errors.InvalidArgument("program: a schedule is one learning rate a step, none of them negative")
    if any(rate != exact[0] for rate in exact):
        largest = max(exact)
        unit = fractions.Fraction(2) ** (_RATE_BITS - 1 - math.floor(math.log2(largest)))
        exact = [round(rate * unit) / unit for rate in exact]
    pieces = []
    for rate in exact:
        if pieces and pieces[-1][0] == rate:
            pieces[-1][1] += 1
        else:
            pieces.append([rate, 1])
    if max(rate.denominator for rate, _ in pieces) >= 1 << 62:
        raise errors.InvalidArgument("program: a learning rate below 2^-38 moves no float32 weight; use a larger one")
    return ", ".join([f"{_text(rate)} x {count}" for rate, count in pieces[:-1]] + [_text(pieces[-1][0])])


class Draft:
    """A program while a front end walks a graph. Methods give the name of the value they made.

    What is refused here is refused by the core, too; a front end checks what it can name better.
    """

    def __init__(self, batch):
        self.batch = int(batch)
        self._columns, self._parameters, self._buffers, self._nodes = [], [], [], []
        self._names, self._order = set(), {}

    def _free(self, stem):
        name, number = stem, 0
        while name in self._names:
            number += 1
            name = f"{stem}_{number}"
        return name

    def _take(self, name):
        if name in self._names:
            raise errors.InvalidArgument(f"program: two values are called '{name}'")
        self._names.add(name)
        return name

    def column(self, name, dims, bits, scale):
        """A column of numbers: integers of `bits` bits, unit 2^-scale; `dims` of a row, without the batch."""
        self._columns.append(f"data {_quoted(self._take(name))} {_text(list(dims))} bits {bits} scale {scale}")
        return name

    def label(self, name, classes):
        """A column of one class for each row, below `classes`."""
        self._columns.append(f"label {_quoted(self._take(name))} classes {classes}")
        return name

    def parameter(self, name, dims, scale=0, decay=True):
        """A trained tensor; its range is 2^(scale + 1). Only those that a node reads are in the program."""
        self._order[self._take(name)] = (self._parameters,
                                         f"param {_quoted(name)} {_text(list(dims))} scale {scale} decay {_text(bool(decay))}")
        return name

    def buffer(self, name, dims):
        """A running statistic."""
        self._order[self._take(name)] = (self._buffers, f"buffer {_quoted(name)} {_text(list(dims))}")
        return name

    def node(self, operator, *inputs, **attributes):
        """An operator on values by name. Attributes as in docs/spec/program.md; None is left at its default."""
        for value in inputs:
            if value in self._order:
                where, line = self._order.pop(value)
                where.append(line)
        name = self._take(self._free(operator))
        arguments = ", ".join([*map(_quoted, inputs), *(f"{k}={_text(v)}" for k, v in attributes.items() if v is not None)])
        self._nodes.append(f"{_quoted(name)} = {operator}({arguments})")
        return name

    def unread(self):
        """Names of parameters and buffers that no node reads."""
        return list(self._order)

    def finish(self, loss, optimiser, rates, clip=None, profile=()):
        """`loss`: a value; `optimiser`, `clip`: what `call` gives; `rates`: one a step; `profile`: lines of the profile.

        Errors: InvalidArgument, Unsupported: from the core, with the line of the text.
        """
        lines = ["flair program 1", f"batch {self.batch}", *self._columns, *self._parameters, *self._buffers, *self._nodes,
                 f"loss {_quoted(loss)}", f"optimiser {optimiser}", f"schedule {schedule(rates)}"]
        lines += [f"clip {clip}"] if clip else []
        lines += [f"profile {line}" for line in profile]
        return from_text("\n".join(lines) + "\n")


def scale_of(values):
    """The scale of a parameter: the least from 0 on whose range, 2^(scale + 1), is twice its largest value or more."""
    largest = float(np.max(np.abs(values))) if np.size(values) else 0.0
    if not math.isfinite(largest):
        raise errors.InvalidArgument("program: a parameter holds NaN or infinity")
    return max(0, math.ceil(math.log2(largest))) if largest > 1 else 0


def format_of(values):
    """(bits, scale) of a column that holds numbers like these: whole ones exactly, others in 15 bits with the greatest
    scale that leaves room for twice the largest."""
    values = np.asarray(values)
    if values.dtype == np.bool_:
        return 2, 0
    if np.issubdtype(values.dtype, np.integer):
        if values.dtype.itemsize <= 1:  # all that the type holds
            return (9, 0) if values.dtype == np.uint8 else (8, 0)
        return max(2, int(np.max(np.abs(values.astype(np.float64)), initial=0)).bit_length() + 1), 0
    largest = float(np.max(np.abs(values), initial=0))
    if not math.isfinite(largest):
        raise errors.InvalidArgument("program: the sample holds NaN or infinity")
    return 15, 14 - (math.floor(math.log2(largest)) + 2 if largest else 0)


def program(model, loss, optimizer, sample, steps, scheduler=None, clip_norm=None, columns=None, formats=None, profile=(),
            path=None):
    """The program that a training set-up follows: what a branch pins and every proof is about.

    model: torch.nn.Module in training mode, or a built keras.Model (TensorFlow).
    loss: what the loop calls on (output, target): a module, a function of torch.nn.functional, a Keras loss.
    optimizer: the real one, with its groups.
    sample: one batch as the loop has it, (inputs.., target): its shapes and dtypes count, and its size is the batch's.
    steps: how many learning rates the program holds; the last one stays.
    scheduler: a torch.optim.lr_scheduler that moves once a step (Keras reads its LearningRateSchedule itself).
    clip_norm: the max_norm of torch.nn.utils.clip_grad_norm_ over all parameters (Keras: of the optimizer).
    columns: names of the data set's columns, as the card has them; by default the forward's own, the last one "labels".
    formats: name -> (bits, scale) of columns of numbers; by default whole numbers exactly, others in 15 bits.
    profile: lines of the numeric profile, such as "activation 24 16"; `flair program calibrate` finds them from a pilot run.
    path: where its bytes go, a file or folder ("program.flair" in it); by default nowhere.

    Errors: Unsupported "program: LAYER: what it is; what to do instead"; InvalidArgument.
    """
    kinds = {base.__module__.split(".")[0] for base in type(model).__mro__}
    if "torch" in kinds:
        from .torch import program as front
    elif "keras" in kinds:
        from .keras import program as front
    else:
        raise errors.InvalidArgument(f"program: {type(model).__name__} is neither a torch.nn.Module nor a keras.Model")
    made = front.draft(model, loss, optimizer, sample, steps, scheduler=scheduler, clip_norm=clip_norm, columns=columns,
                       formats=formats or {}, profile=profile)
    if path is not None:
        made.save(path)
    return made
