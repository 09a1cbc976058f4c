# SPDX-License-Identifier: Apache-2.0
"""Programs that nobody would write: random operators on random values, some of which a loss reads."""
import random
from math import prod

import changes  # noqa: F401  first: it finds the reference

import program
from program_vectors import Made

SIZES = [1, 2, 2, 3, 4, 6]
OPTIMISERS = [("sgd", {}), ("sgd", {"momentum": [9, 10]}), ("sgd", {"momentum": [1, 3], "rule": "keras", "weight_decay": [1, 99]}),
              ("adam", {}), ("adamw", {"rule": "keras"})]  # fmt: skip


# Those that seldom fit are tried more often.
CODES = [code for code, (name, *_) in program.OPERATORS.items() if name not in ("cross_entropy", "mse")
         for _ in range(8 if name in ("conv", "batch_norm", "linear", "matmul") else 1)]  # fmt: skip


class RandomProgram:
    def __init__(self, seed):
        self.draw = random.Random(seed)
        draw = self.draw
        optimiser, given = draw.choice(OPTIMISERS)
        clip = {"limit": [1, draw.randrange(1, 9)]} if draw.random() < 0.2 else None
        self.made = Made(draw.choice(SIZES), optimiser, (2**draw.randrange(4, 13), [(0, 1)]), clip, **given)
        p = self.made.p
        lines = {name: p["profile"][i] for i, (name, *_) in enumerate(program.PROFILE)}
        lines["logit"][:], lines["probability"][0], lines["adam_mean"][:] = [8, 4], 12, [34, 34]
        lines["gradient"][:] = [draw.randrange(16, 26), draw.randrange(12, 24)]
        lines["limb"][0] = draw.choice([10, 12, 18, 20])
        self.dims = {}
        self._leaves()
        for _ in range(draw.randrange(3, 14)):
            self._node()
        self._loss()

    def _size(self, rank):
        return [self.draw.choice(SIZES) for _ in range(rank)]

    def _leaves(self):
        draw, m = self.draw, self.made
        batch = m.p["batch"]
        for name in ("x", "t")[:draw.randrange(1, 3)]:
            row = self._size(draw.choice([1, 2, 3, 3]))
            m.data(name, row, 8, draw.randrange(2, 8))
            self.dims[name] = [batch, *row]
        self.classes = draw.choice([2, 3, 4, 6])
        m.label("y", self.classes)
        for i in range(draw.randrange(1, 5)):
            dims = self._size(draw.randrange(0, 5))
            m.param(f"w{i}", dims, draw.choice([0, 0, 1, -1]), draw.random() < 0.8)
            self.dims[f"w{i}"] = dims
        self.channels = draw.choice([2, 2, 3, 4])
        shapes = {f"k{i}": [draw.choice([self.channels, 2, 6]), draw.choice([1, 2, 3]), *self._size(2)] for i in range(2)}
        shapes |= {"f0": self._size(2), "f1": [self.classes, draw.choice(SIZES)], "g": [self.channels], "b": [self.channels]}
        for name, dims in shapes.items():
            m.param(name, dims)
            self.dims[name] = dims
        for name in ("m0", "m1"):
            m.buffer(name, [self.channels])

    def _attributes(self, op, dims):
        draw, rank = self.draw, len(dims)
        pair = [draw.choice([1, 1, 2, 3]), draw.choice([1, 1, 2, 3])]
        fraction = [draw.choice([-3, -1, 0, 1, 2, 5]), draw.choice([1, 1, 3, 7])]
        pad = [draw.choice([0, 0, 1]) for _ in range(4)]
        axis = draw.randrange(rank) if rank else 0
        return {
            "matmul": {"transpose_a": draw.choice(["no", "yes"]), "transpose_b": draw.choice(["no", "yes"])},
            "conv": {"stride": pair, "pad": pad, "dilation": [draw.choice([1, 1, 2]), 1], "groups": draw.choice([1, 1, 2, 3])},
            "add": {"alpha": fraction, "beta": [1, draw.choice([1, 2, 3])]}, "affine": {"scale": fraction, "shift": [draw.randrange(2), 3]},
            "reduce": {"axes": sorted(draw.sample(range(rank), draw.randrange(rank + 1))), "by": draw.choice(["sum", "mean"])},
            "max_pool": {"window": [draw.choice([1, 2, 2, 3]), 2], "stride": pair, "pad": pad},
            "avg_pool": {"window": [draw.choice([1, 2]), 2], "stride": pair},
            "reshape": {"dims": self._factored(dims)}, "permute": {"axes": draw.sample(range(rank), rank)},
            "slice": {"axis": axis, "begin": draw.randrange(2), "size": draw.choice([1, 2, dims[axis] if rank else 1])},
            "concat": {"axis": axis}, "batch_norm": {"mode": draw.choice(["train", "train", "eval"])}, "dropout": {"p": [1, draw.choice([2, 3])]},
        }.get(op, {})  # fmt: skip

    def _factored(self, dims):
        """Other dims of as many elements: neighbours joined, or one split."""
        dims, draw = list(dims), self.draw
        if len(dims) > 1 and draw.random() < 0.6:
            i = draw.randrange(len(dims) - 1)
            dims[i:i + 2] = [dims[i] * dims[i + 1]]
        elif dims:
            i = draw.randrange(len(dims))
            by = draw.choice([d for d in range(1, dims[i] + 1) if dims[i] % d == 0])
            dims[i:i + 1] = [by, dims[i] // by]
        return dims

    def _node(self):
        """One that fits; most do not."""
        draw = self.draw
        for _ in range(60):
            code = draw.choice(CODES)
            op, fewest, most, _ = program.OPERATORS[code]
            # What was made last is read more often.
            made = [name for name in self.dims if name[0] == "n"]
            names = [*self.dims, *made[-3:], *made[-3:]]
            inputs = [draw.choice(names) for _ in range(draw.randrange(fewest, max(fewest, min(most, 3)) + 1))]
            if op == "linear":
                inputs[1:] = [draw.choice(["f0", "f1"])]
            elif op == "conv":
                inputs[1:] = [draw.choice(["k0", "k1"])]
            elif op == "batch_norm":
                inputs[1:] = ["g", "b", "m0", "m1"]
            given = self._attributes(op, self.dims[inputs[0]])
            if self._add(f"n{len(self.made.p['nodes'])}", op, inputs, given):
                return

    def _add(self, name, op, inputs, given):
        nodes = self.made.p["nodes"]
        self.made.node(name, op, *inputs, **given)
        try:
            attributes = program.attributes_of(program.OPERATORS, nodes[-1]["op"])
            if op == "cross_entropy":
                attributes["label"] = [self.made.p["batch"], self.classes]
            dims = program.shape_of(op, attributes, [[self.channels] if x[0] == "m" else self.dims.get(x, []) for x in inputs])
            program.require(len(dims) <= 6 and prod(dims) <= 2000, "too large")
        except program.Refused:
            nodes.pop()
            return False
        self.dims[name] = dims
        return True

    def _loss(self):
        """The sum of one or two."""
        draw, losses = self.draw, []
        values = [name for name in self.dims if name.startswith("n")] or ["w0"]
        for i in range(draw.choice([1, 1, 2])):
            x = draw.choice(values[-4:])
            others = [name for name, dims in self.dims.items() if dims == self.dims[x]]
            tries = [("cross_entropy", [x, "y"], {}), ("mse", [x, draw.choice(others)], {}),
                     ("reduce", [x], {"axes": list(range(len(self.dims[x]))), "by": "mean"})]  # fmt: skip
            for op, inputs, given in tries if draw.random() < 0.7 else tries[1:]:
                if self._add(f"l{i}", op, inputs, given):
                    losses.append(f"l{i}")
                    break
        if len(losses) == 2:
            self._add("l", "add", losses, {"beta": [1, 2]})
        self.made.p["loss"] = self.made.ids()["l" if len(losses) == 2 else losses[0]]


def text_of(seed):
    return program.text(RandomProgram(seed).made.p)
