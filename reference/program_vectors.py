# SPDX-License-Identifier: Apache-2.0
"""Prints tests/vectors/program.json: programs that use all there is to name, and bytes that are refused."""

import copy
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from program import (CLIPS, MAX_TERM, OPERATORS, OPTIMISERS, PROFILE, Refused, decode, encode, program_hash,  # noqa: E402
                     text)


def call(table: dict, name: str, **given) -> dict:
    code = next(code for code, signature in table.items() if signature[0] == name)
    attributes = []
    for key, kind, words, otherwise in table[code][3]:
        value = given.pop(key, otherwise)
        attributes.append(words.index(value) if isinstance(value, str) else value)
    assert not given
    return {"code": code, "attributes": attributes}


class Made:
    """A program in the making: values by name."""

    def __init__(self, batch: int, optimiser: str = "sgd", rates=(1, [(0, 1)]), clip: dict = None, **given):
        self.p = {
            "batch": batch, "columns": [], "parameters": [], "buffers": [], "nodes": [], "loss": 0,
            "optimiser": call(OPTIMISERS, optimiser, **given),
            "schedule": {"denominator": rates[0], "pieces": [list(piece) for piece in rates[1]]},
            "clip": call(CLIPS, "norm", **clip) if clip is not None else call(CLIPS, "none"),
            "profile": [[bits, scale or 0] for _, bits, scale, _, _ in PROFILE],
        }  # fmt: skip

    def ids(self) -> dict:
        p = self.p
        return {v["name"]: i for i, v in enumerate(p["columns"] + p["parameters"] + p["buffers"] + p["nodes"])}

    def data(self, name, row, bits=16, scale=12):
        self.p["columns"].append({"name": name, "classes": 0, "row": row, "format": [bits, scale]})

    def label(self, name, classes):
        self.p["columns"].append({"name": name, "classes": classes})

    def param(self, name, dims, scale=0, decay=True):
        self.p["parameters"].append({"name": name, "dims": dims, "scale": scale, "decay": decay})

    def buffer(self, name, dims):
        self.p["buffers"].append({"name": name, "dims": dims})

    def node(self, name, op, *inputs, activation=None, gradient=None, **given):
        ids = self.ids()
        self.p["nodes"].append({"name": name, "op": call(OPERATORS, op, **given), "inputs": [ids[i] for i in inputs],
                                "activation": activation, "gradient": gradient})  # fmt: skip
        self.p["loss"] = ids.get(name, len(ids))


def smallest() -> dict:
    m = Made(1)
    m.param("w", [])
    m.node("l", "reduce", "w")
    return m.p


def perceptron() -> dict:
    m = Made(8, rates=(80, [(100, 10), (1, 0), (0, 1)]), momentum=[9, 10])
    m.data("x", [12])
    m.label("y", 5)
    m.param("fc.weight", [5, 12])
    m.param("fc.bias", [5], decay=False)
    m.node("z", "linear", "x", "fc.weight", "fc.bias", activation=[24, 16], gradient=[22, 24])
    m.node("l", "cross_entropy", "z", "y")
    return m.p


def convolutional() -> dict:
    m = Made(3, "adam", (1000, [(2**40, 1), (0, 3)]), {"limit": [3, 2]}, beta1=[0, 1], weight_decay=[1, 2000], rule="keras")
    m.data("image", [4, 9, 7], 8, -1)
    m.label("class", 2**20)
    m.label("y", 2)
    m.param("c.weight", [6, 2, 3, 2], 10)
    m.param("c.bias", [6], -20, False)
    m.param("n.weight", [6])
    m.param("d.weight", [6, 1, 2, 2])
    m.param("f", [2, 6])
    for name in ("n.mean", "n.variance"):
        m.buffer(name, [6])
    m.node("c", "conv", "image", "c.weight", "c.bias", stride=[2, 1], pad=[1, 0, 2, 1], dilation=[1, 2], groups=2)
    m.node("n", "batch_norm", "c", "n.weight", "c.bias", "n.mean", "n.variance", running_variance="biased", momentum=[1, 1])
    m.node("e", "batch_norm", "n", "n.weight", "c.bias", "n.mean", "n.variance", mode="eval", eps=[1, 2**61])
    m.node("r", "relu", "e", gradient=[4, -60])
    m.node("p", "max_pool", "r", window=[3, 2], stride=[1, 2], pad=[1, 1, 0, 1])
    m.node("d", "conv", "p", "d.weight", groups=6)
    m.node("a", "avg_pool", "d", window=[2, 1], stride=[1, 1], activation=[30, 60])
    m.node("m", "reduce", "a", axes=[3, 2], by="mean")
    m.node("z", "linear", "m", "f")
    m.node("l", "cross_entropy", "z", "y")
    return m.p


def wired() -> dict:
    m = Made(4, "adamw", (MAX_TERM, [(1, MAX_TERM), (0, 1)]), {})
    m.data("x", [2, 6], 30, 60)
    m.data("target", [3, 2], 2, -60)
    m.data("scalar", [])
    m.param("odd:name", [6])
    m.param("0", [4, 6, 3])
    m.param("n" * 200, [1, 1, 1, 1, 1, 1, 1, 1])
    m.node("mul", "mul", "x", "odd:name")
    m.node("s", "slice", "mul", axis=2, begin=1, size=4)
    m.node("t", "slice", "mul", axis=2, begin=0, size=2)
    m.node("c", "concat", "t", "s", "t", axis=2)
    m.node("a", "affine", "c", scale=[-MAX_TERM, MAX_TERM - 1], shift=[-1, 3])
    m.node("p", "permute", "a", axes=[0, 2, 1])
    m.node("q", "slice", "p", size=6)
    m.node("k", "matmul", "0", "q", transpose_a="yes")
    m.node("k2", "matmul", "k", "k", transpose_b="yes")
    m.node("h", "matmul", "k", "k2", transpose_a="yes", transpose_b="yes")
    m.node("o", "dropout", "h", p=[0, 1])
    m.node("o2", "dropout", "o", p=[2**61 - 1, 2**61])
    m.node("v", "reshape", "o2", dims=[4, 1, 3, 2, 1])
    m.node("w", "add", "v", "n" * 200, alpha=[-1, 2], beta=[0, 1])
    m.node("f", "flatten", "w")
    m.node("i", "slice", "f", axis=1, begin=3, size=12)
    m.node("j", "reshape", "i", dims=[4, 3])
    m.node("u", "concat", "j", "j")
    m.node("g", "reshape", "u", dims=[4, 3, 2])
    m.node("e", "mse", "g", "target")
    m.node("r", "reduce", "scalar", axes=[0])
    m.node("l", "add", "e", "r", beta=[1, 4])
    return m.p


def narrow() -> dict:
    """Every line of the profile at its fewest bits, names of the text's own words."""
    m = Made(2**24, nesterov="yes", momentum=[1, 2], dampening=[1, 3], rule="keras", weight_decay=[5, 1])
    m.data("batch", [2])
    m.label("label", 2)
    m.node("activation", "cross_entropy", "batch", "label", activation=[4, 60], gradient=[30, -60])
    m.node("loss", "affine", "activation", scale=[0, 1])
    m.p["profile"] = [[least, 0 if scale is None else -60] for _, _, scale, least, _ in PROFILE]
    return m.p


def wide() -> dict:
    m = Made(2, "adam", clip={"limit": [1, MAX_TERM]}, beta2=[1, 2], eps=[MAX_TERM, 1])
    m.data("x", [1] * 7)
    m.node("l", "reduce", "x", axes=[7, 1, 2, 3, 4, 5, 6, 0])
    m.p["profile"] = [[most, 0 if scale is None else 60] for _, _, scale, _, most in PROFILE]
    return m.p


PROGRAMS = {"smallest": smallest, "perceptron": perceptron, "convolutional": convolutional, "wired": wired,
            "narrow": narrow, "wide": wide}  # fmt: skip


def refusals() -> list:
    """(what, bytes): one thing wrong in each."""
    made = []

    def wrong(what, base, change):
        p = copy.deepcopy(PROGRAMS[base]())
        change(p)
        made.append((what, encode(p)))

    good = encode(perceptron())
    made += [
        ("nothing", b""), ("cut off", good[:-1]), ("bytes behind the end", good + b"\0"), ("magic", b"X" + good[1:]),
        ("version 2", good[:4] + b"\2" + good[5:]), ("a padded batch", good[:6] + b"\x88\0" + good[7:]),
        ("a batch of 65 bits", good[:6] + b"\x88" + b"\x80" * 8 + b"\2" + good[7:]),
    ]  # fmt: skip

    def at(*path, to):
        def change(p):
            for key in path[:-1]:
                p = p[key]
            p[path[-1]] = to
        return change

    def norm_of_one(p):
        """In the place of the loss: every dim fits, and a channel has one element."""
        p["batch"], p["columns"] = 1, [{"name": "x", "classes": 0, "row": [2], "format": [16, 12]}]
        p["parameters"] = [{"name": "w", "dims": [2], "scale": 0, "decay": True}]
        p["buffers"] = [{"name": name, "dims": [2]} for name in ("mean", "variance")]
        p["nodes"] = []
        for name, op, inputs, given in (("n", "batch_norm", [0, 1, 1, 2, 3], {}), ("l", "reduce", [4], {"axes": [0, 1]})):
            p["nodes"].append({"name": name, "op": call(OPERATORS, op, **given), "inputs": inputs,
                               "activation": None, "gradient": None})  # fmt: skip
        p["loss"] = 5

    for what, base, change in [
        ("batch 0", "perceptron", at("batch", to=0)),
        ("batch 2^24 + 1", "smallest", at("batch", to=2**24 + 1)),
        ("a taken name", "perceptron", at("columns", 0, "name", to="l")),
        ("an empty name", "perceptron", at("columns", 0, "name", to="")),
        ("a blank in a name", "perceptron", at("nodes", 0, "name", to="a b")),
        ("a quote in a name", "perceptron", at("nodes", 0, "name", to='"')),
        ("a name beyond ASCII", "perceptron", at("nodes", 0, "name", to="\xe9")),
        ("a name of 201 bytes", "perceptron", at("nodes", 0, "name", to="n" * 201)),
        ("one class", "perceptron", at("columns", 1, "classes", to=1)),
        ("a column of 1 bit", "perceptron", at("columns", 0, "format", to=[1, 12])),
        ("a column of scale 61", "perceptron", at("columns", 0, "format", to=[16, 61])),
        ("a row of 8 dims", "wide", at("columns", 0, "row", to=[1] * 8)),
        ("a dim of 0", "smallest", at("parameters", 0, "dims", to=[0])),
        ("9 dims", "smallest", at("parameters", 0, "dims", to=[1] * 9)),
        ("more than 2^36 elements", "smallest", at("parameters", 0, "dims", to=[2**36 + 1])),
        ("a parameter of scale 11", "smallest", at("parameters", 0, "scale", to=11)),
        ("a parameter of scale -21", "smallest", at("parameters", 0, "scale", to=-21)),
        ("an operator of another number of inputs", "perceptron", at("nodes", 0, "op", to={"code": 8, "attributes": []})),
        ("it reads itself", "perceptron", at("nodes", 0, "inputs", to=[4, 2, 3])),
        ("one input too few", "perceptron", at("nodes", 0, "inputs", to=[0])),
        ("a label among numbers", "perceptron", at("nodes", 0, "inputs", to=[1, 2, 3])),
        ("numbers as a label", "perceptron", at("nodes", 1, "inputs", to=[4, 0])),
        ("dims that do not fit", "perceptron", at("parameters", 1, "dims", to=[6])),
        ("a node of 3 bits", "perceptron", at("nodes", 0, "activation", to=[3, 0])),
        ("a node of 31 bits", "perceptron", at("nodes", 0, "gradient", to=[31, 0])),
        ("no loss of one number", "perceptron", at("loss", to=4)),
        ("a loss that is no node", "smallest", at("loss", to=0)),
        ("a loss beyond", "smallest", at("loss", to=2)),
        ("momentum 1", "perceptron", at("optimiser", "attributes", 0, to=[1, 1])),
        ("a fraction not reduced", "perceptron", at("optimiser", "attributes", 0, to=[2, 4])),
        ("a negative denominator", "perceptron", at("optimiser", "attributes", 0, to=[-1, -2])),
        ("a term of 63 bits", "perceptron", at("optimiser", "attributes", 0, to=[1, 2**62])),
        ("no such word", "perceptron", at("optimiser", "attributes", 4, to=2)),
        ("a word below 0", "perceptron", at("optimiser", "attributes", 4, to=-1)),
        ("negative decay", "perceptron", at("optimiser", "attributes", 3, to=[-1, 2])),
        ("eps 0", "wide", at("optimiser", "attributes", 2, to=[0, 1])),
        ("a limit of 0", "wide", at("clip", "attributes", 0, to=[0, 1])),
        ("no rate", "perceptron", at("schedule", "pieces", to=[])),
        ("rates not reduced", "perceptron", at("schedule", "pieces", to=[[0, 10]])),
        ("two pieces with one rate", "perceptron", at("schedule", "pieces", to=[[1, 1], [0, 1]])),
        ("a last piece with steps", "perceptron", at("schedule", "pieces", to=[[1, 1], [1, 3]])),
        ("a first piece without steps", "perceptron", at("schedule", "pieces", to=[[0, 1], [0, 3]])),
        ("a piece of 2^40 + 1 steps", "perceptron", at("schedule", "pieces", to=[[2**40 + 1, 1], [0, 3]])),
        ("a negative rate", "perceptron", at("schedule", "pieces", to=[[0, -1]])),
        ("a profile line of too few bits", "perceptron", at("profile", 0, to=[7, 0])),
        ("a profile line of too many bits", "perceptron", at("profile", 11, to=[45, 0])),
        ("a scale where none is", "perceptron", at("profile", 0, to=[20, 1])),
        ("a stride of 0", "convolutional", at("nodes", 0, "op", "attributes", 0, to=[0, 1])),
        ("a stride of one number", "convolutional", at("nodes", 0, "op", "attributes", 0, to=[1])),
        ("a negative pad", "convolutional", at("nodes", 0, "op", "attributes", 1, to=[-1, 0, 0, 0])),
        ("no room for the window", "convolutional", at("nodes", 0, "op", "attributes", 2, to=[6, 1])),
        ("3 groups", "convolutional", at("nodes", 0, "op", "attributes", 3, to=3)),
        ("statistics that are parameters", "convolutional", at("nodes", 1, "inputs", 3, to=5)),
        ("statistics of one element", "narrow", norm_of_one),
        ("a window in the padding", "convolutional", at("nodes", 4, "op", "attributes", 2, to=[2, 1, 0, 1])),
        ("an axis twice", "convolutional", at("nodes", 7, "op", "attributes", 0, to=[2, 2])),
        ("an axis beyond", "convolutional", at("nodes", 7, "op", "attributes", 0, to=[4, 2])),
        ("a slice that leaves", "wired", at("nodes", 1, "op", "attributes", 2, to=6)),
        ("a slice of nothing", "wired", at("nodes", 1, "op", "attributes", 2, to=0)),
        ("dropout of everything", "wired", at("nodes", 10, "op", "attributes", 0, to=[1, 1])),
    ]:
        wrong(what, base, change)
    unknown = good.index(b"\1z\1") + 2
    made.append(("a reserved operator", good[:unknown] + b"\x04" + good[unknown + 1 :]))
    flags = good.index(b"\3\x18")
    made.append(("an unknown flag", good[:flags] + b"\4" + good[flags + 1 :]))
    return made


def vectors() -> dict:
    programs = []
    for name, make in PROGRAMS.items():
        data = encode(make())
        assert decode(data) == make(), name
        programs.append({"name": name, "hash": program_hash(data), "bytes": data.hex(), "text": text(decode(data))})
    refused = []
    for what, data in refusals():
        try:
            decode(data)
        except Refused:
            refused.append({"what": what, "bytes": data.hex()})
        else:
            raise AssertionError(what)
    return {"programs": programs, "refused": refused}


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
