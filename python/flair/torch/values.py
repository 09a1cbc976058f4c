# SPDX-License-Identifier: Apache-2.0
"""What a node of a PyTorch graph stands for while its program is made, and where in the model it is."""
import fractions


class Value:
    """A tensor of the program, and what waits for its reader: `name` of `dims`, times `scale` plus `shift`, then with axes
    permuted, then of another `shape`."""

    def __init__(self, name, dims, scale=1, shift=0, axes=None, shape=None):
        self.name, self.dims, self.scale, self.shift = name, tuple(dims), fractions.Fraction(scale), fractions.Fraction(shift)
        self.axes = tuple(range(len(self.dims))) if axes is None else tuple(axes)
        self.shape = self.permuted if shape is None else tuple(shape)

    @property
    def permuted(self):
        return tuple(self.dims[a] for a in self.axes)

    @property
    def transposed(self):
        """Whether nothing waits but that the last two axes change places."""
        n = len(self.dims)
        return (n >= 2 and self.axes == (*range(n - 2), n - 1, n - 2) and self.shape == self.permuted
                and (self.scale, self.shift) == (1, 0))

    def but(self, **changed):
        return Value(self.name, self.dims, **{"scale": self.scale, "shift": self.shift, "axes": self.axes, "shape": self.shape,
                                              **changed})


class Label:
    """A column of classes; only a cross entropy reads it."""

    def __init__(self, name):
        self.name = name


class LogSoftmax:
    """Waits for the negative log likelihood, with which it is a cross entropy."""

    def __init__(self, logits):
        self.logits = logits


class Counter:
    """How many batches a norm saw: the program has no use for it."""


class Refused:
    """A leaf that a program cannot have, if a node reads it."""

    def __init__(self, what, remedy):
        self.what, self.remedy = what, remedy


def place_of(node, model):
    """The layer a node is in, as `named_modules` calls it, with the line where it is not one of PyTorch's own."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path, kind = stack[-1] if stack else ("", "")
    if path == "" or path.split(".")[0] == "loss":
        return "loss"
    name = path.partition(".")[2] or type(model).__name__
    if str(kind).startswith("torch.nn."):
        return name
    lines = [line.strip() for line in (node.meta.get("stack_trace") or "").splitlines() if line.strip().startswith('File "')]
    if not lines:
        return name
    file, line = lines[-1].split('"')[1], lines[-1].split("line ")[1].split(",")[0]
    return f"{name} ({file.rpartition('/')[2]}:{line})"
