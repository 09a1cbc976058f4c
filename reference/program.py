# SPDX-License-Identifier: Apache-2.0
"""Training programs, version 1: bytes, checks, text and hash of docs/spec/program.md, by code that shares nothing with src/program.

A program is a dict as decode() returns it. program_vectors.py makes some.
"""

import hashlib
import math
import re

MAX_BYTES = 1 << 22
MAX_TERM = 2**62 - 1
MAX_GEOMETRY = 2**20

NO_YES, RULES = ["no", "yes"], ["torch", "keras"]


def integer(name, otherwise):
    return name, "integer", None, otherwise


def ints(name, otherwise):
    return name, "list", None, otherwise


def fraction(name, num, den):
    return name, "fraction", None, [num, den]


def word(name, words):
    return name, "word", words, 0


STRIDE, PAD = ints("stride", [1, 1]), ints("pad", [0, 0, 0, 0])
# code: (name, fewest inputs, most inputs, attributes)
OPERATORS = {
    1: ("linear", 2, 3, []),
    2: ("matmul", 2, 2, [word("transpose_a", NO_YES), word("transpose_b", NO_YES)]),
    3: ("conv", 2, 3, [STRIDE, PAD, ints("dilation", [1, 1]), integer("groups", 1)]),
    5: ("add", 2, 2, [fraction("alpha", 1, 1), fraction("beta", 1, 1)]),
    6: ("mul", 2, 2, []),
    7: ("affine", 1, 1, [fraction("scale", 1, 1), fraction("shift", 0, 1)]),
    8: ("relu", 1, 1, []),
    13: ("reduce", 1, 1, [ints("axes", []), word("by", ["sum", "mean"])]),
    14: ("max_pool", 1, 1, [ints("window", [2, 2]), ints("stride", [2, 2]), PAD]),
    15: ("avg_pool", 1, 1, [ints("window", [2, 2]), ints("stride", [2, 2])]),
    20: ("reshape", 1, 1, [ints("dims", [])]),
    21: ("permute", 1, 1, [ints("axes", [])]),
    23: ("slice", 1, 1, [integer("axis", 1), integer("begin", 0), integer("size", 1)]),
    24: ("concat", 2, 64, [integer("axis", 1)]),
    28: ("flatten", 1, 1, []),
    32: ("batch_norm", 5, 5, [word("mode", ["train", "eval"]), fraction("eps", 1, 100_000),
                              fraction("momentum", 1, 10), word("running_variance", ["unbiased", "biased"])]),
    33: ("dropout", 1, 1, [fraction("p", 1, 2)]),
    40: ("cross_entropy", 2, 2, []),
    42: ("mse", 2, 2, []),
}  # fmt: skip
ADAM = [fraction("beta1", 9, 10), fraction("beta2", 999, 1000), fraction("eps", 1, 10**8)]
OPTIMISERS = {
    1: ("sgd", 0, 0, [fraction("momentum", 0, 1), fraction("dampening", 0, 1), word("nesterov", NO_YES),
                      fraction("weight_decay", 0, 1), word("rule", RULES)]),
    2: ("adam", 0, 0, [*ADAM, fraction("weight_decay", 0, 1), word("rule", RULES)]),
    3: ("adamw", 0, 0, [*ADAM, fraction("weight_decay", 1, 100), word("rule", RULES)]),
}  # fmt: skip
CLIPS = {0: ("none", 0, 0, []), 1: ("norm", 0, 0, [fraction("limit", 1, 1)])}
# name, bits, scale (None: the line has none), fewest bits, most bits
PROFILE = [
    ("limb", 20, None, 8, 24), ("tie_zone", 6, None, 1, 12), ("activation", 24, 18, 4, 30), ("gradient", 24, 28, 4, 30),
    ("update_gradient", 35, 32, 8, 40), ("momentum", 35, 32, 8, 40), ("logit", 20, 14, 8, 20),
    ("probability", 24, None, 8, 24), ("statistics", 30, 22, 8, 40), ("norm_gradient", 35, 32, 8, 40),
    ("adam_gradient", 31, 28, 8, 40), ("adam_mean", 37, 36, 8, 44), ("adam_root", 31, 33, 8, 36),
    ("adam_update", 32, 30, 8, 40), ("clip_norm", 31, 20, 8, 40),
]  # fmt: skip


class Refused(Exception):
    pass


def require(fact, what):
    if not fact:
        raise Refused(what)


# --- bytes ------------------------------------------------------------------------------


def uint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def sint(value: int) -> bytes:
    return uint(2 * value if value >= 0 else -2 * value - 1)


def text_bytes(value: str) -> bytes:
    raw = value.encode("latin-1")
    return uint(len(raw)) + raw


def format_bytes(value: list) -> bytes:
    return bytes([value[0]]) + sint(value[1])


def dims_bytes(dims: list) -> bytes:
    return uint(len(dims)) + b"".join(map(uint, dims))


def call_bytes(table: dict, call: dict) -> bytes:
    out = bytes([call["code"]])
    for (_, kind, _, _), value in zip(table[call["code"]][3], call["attributes"], strict=True):
        if kind == "list":
            out += uint(len(value))
        out += b"".join(map(sint, value if isinstance(value, list) else [value]))
    return out


def encode(p: dict) -> bytes:
    out = b"FLPG\1\0" + uint(p["batch"]) + uint(len(p["columns"]))
    for c in p["columns"]:
        out += text_bytes(c["name"]) + uint(c["classes"])
        if c["classes"] == 0:
            out += dims_bytes(c["row"]) + format_bytes(c["format"])
    out += uint(len(p["parameters"]))
    for q in p["parameters"]:
        out += text_bytes(q["name"]) + dims_bytes(q["dims"]) + sint(q["scale"]) + bytes([0 if q["decay"] else 1])
    out += uint(len(p["buffers"]))
    for b in p["buffers"]:
        out += text_bytes(b["name"]) + dims_bytes(b["dims"])
    out += uint(len(p["nodes"]))
    for n in p["nodes"]:
        out += text_bytes(n["name"]) + call_bytes(OPERATORS, n["op"]) + dims_bytes(n["inputs"])
        formats = [n["activation"], n["gradient"]]
        out += bytes([sum(1 << i for i, f in enumerate(formats) if f)])
        out += b"".join(format_bytes(f) for f in formats if f)
    out += uint(p["loss"]) + call_bytes(OPTIMISERS, p["optimiser"])
    out += sint(p["schedule"]["denominator"]) + uint(len(p["schedule"]["pieces"]))
    out += b"".join(uint(steps) + sint(numerator) for steps, numerator in p["schedule"]["pieces"])
    return out + call_bytes(CLIPS, p["clip"]) + b"".join(map(format_bytes, p["profile"]))


class Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def byte(self) -> int:
        require(self.at < len(self.data), "cut off")
        self.at += 1
        return self.data[self.at - 1]

    def uint(self) -> int:
        value, shift = 0, 0
        while True:
            b = self.byte()
            value |= (b & 127) << shift
            require(value < 2**64, "a number of more than 64 bits")
            if b < 128:
                require(b or not shift, "padded")
                return value
            shift += 7

    def sint(self) -> int:
        value = self.uint()
        return value // 2 if value % 2 == 0 else -(value + 1) // 2

    def count(self, most: int) -> int:
        n = self.uint()
        require(n <= most, "too many")
        return n

    def text(self) -> str:
        return bytes(self.byte() for _ in range(self.count(200))).decode("latin-1")

    def dims(self) -> list:
        return [self.uint() for _ in range(self.count(8))]

    def format(self) -> list:
        return [self.byte(), self.sint()]

    def call(self, table: dict) -> dict:
        code, attributes = self.byte(), []
        require(code in table, "unknown")
        for _, kind, _, _ in table[code][3]:
            if kind == "list":
                attributes.append([self.sint() for _ in range(self.count(8))])
            elif kind == "fraction":
                attributes.append([self.sint(), self.sint()])
            else:
                attributes.append(self.sint())
        return {"code": code, "attributes": attributes}

    def flags(self, most: int) -> int:
        flags = self.byte()
        require(flags <= most, "an unknown flag")
        return flags


def decode(data: bytes) -> dict:
    require(len(data) <= MAX_BYTES, "too long")
    require(data[:6] == b"FLPG\1\0", "no program of version 1")
    r = Reader(data)
    r.at = 6
    p = {"batch": r.uint(), "columns": [], "parameters": [], "buffers": [], "nodes": []}
    for _ in range(r.count(2**14)):
        c = {"name": r.text(), "classes": r.uint()}
        if c["classes"] == 0:
            c |= {"row": r.dims(), "format": r.format()}
        p["columns"].append(c)
    for _ in range(r.count(2**14)):
        p["parameters"].append({"name": r.text(), "dims": r.dims(), "scale": r.sint(), "decay": r.flags(1) == 0})
    for _ in range(r.count(2**14)):
        p["buffers"].append({"name": r.text(), "dims": r.dims()})
    for _ in range(r.count(2**14)):
        n = {"name": r.text(), "op": r.call(OPERATORS), "inputs": [r.uint() for _ in range(r.count(64))]}
        flags = r.flags(3)
        n["activation"] = r.format() if flags & 1 else None
        n["gradient"] = r.format() if flags & 2 else None
        p["nodes"].append(n)
    p["loss"] = r.uint()
    p["optimiser"] = r.call(OPTIMISERS)
    p["schedule"] = {"denominator": r.sint(), "pieces": [[r.uint(), r.sint()] for _ in range(r.count(MAX_BYTES))]}
    p["clip"] = r.call(CLIPS)
    p["profile"] = [r.format() for _ in PROFILE]
    require(r.at == len(data), "bytes behind the end")
    check(p)
    return p


def program_hash(data: bytes) -> str:
    return hashlib.sha256(b"flair.program.v1" + data).hexdigest()


# --- what must hold ---------------------------------------------------------------------


def check_dims(dims: list, batch: int = 1):
    require(len(dims) <= 8 and all(d >= 1 for d in dims), "dims")
    require(batch * math.prod(dims) <= 2**36, "elements")


def check_format(value: list, least: int, most: int):
    require(least <= value[0] <= most and -60 <= value[1] <= 60, "format")


def attributes_of(table: dict, call: dict) -> dict:
    """By name, fractions as pairs of reduced terms."""
    found = {}
    for (name, kind, words, _), value in zip(table[call["code"]][3], call["attributes"], strict=True):
        if kind == "fraction":
            num, den = value
            require(0 < den <= MAX_TERM and abs(num) <= MAX_TERM and math.gcd(num, den) == 1, "fraction")
        elif kind == "word":
            require(0 <= value < len(words), "word")
            value = words[value]
        found[name] = value
    return found


def in_unit(pair: list) -> bool:
    return 0 <= pair[0] < pair[1]


def check(p: dict) -> list:
    """Returns the dims of every value."""
    require(1 <= p["batch"] <= 2**24, "batch")
    leaves = [*p["columns"], *p["parameters"], *p["buffers"]]
    names = [v["name"] for v in leaves + p["nodes"]]
    require(len(names) <= 2**14, "values")
    require(len(set(names)) == len(names), "a name is taken")
    require(all(re.fullmatch(r"[!#-~]{1,200}", name) for name in names), "a name")
    shapes = []
    for c in p["columns"]:
        if c["classes"]:
            require(2 <= c["classes"] <= 2**20, "classes")
            shapes.append([p["batch"]])
        else:
            require(len(c["row"]) <= 7, "row")
            check_dims(c["row"], p["batch"])
            check_format(c["format"], 2, 30)
            shapes.append([p["batch"], *c["row"]])
    for q in p["parameters"]:
        require(-20 <= q["scale"] <= 10, "scale")
    for v in p["parameters"] + p["buffers"]:
        check_dims(v["dims"])
        shapes.append(v["dims"])
    for n in p["nodes"]:
        name, fewest, most, _ = OPERATORS[n["op"]["code"]]
        require(fewest <= len(n["inputs"]) <= most, "inputs")
        require(all(i < len(shapes) for i in n["inputs"]), "reads what comes later")
        a = attributes_of(OPERATORS, n["op"])
        for i, v in enumerate(n["inputs"]):
            is_label = v < len(p["columns"]) and p["columns"][v]["classes"] > 0
            require(is_label == (name == "cross_entropy" and i == 1), "label")
        for own in (n["activation"], n["gradient"]):
            if own:
                check_format(own, 4, 30)
        if name == "batch_norm":
            require(all(len(leaves) - len(p["buffers"]) <= v < len(leaves) for v in n["inputs"][3:]), "statistics")
        if name == "cross_entropy":
            a["label"] = [p["batch"], p["columns"][n["inputs"][1]]["classes"]]
        dims = shape_of(name, a, [shapes[i] for i in n["inputs"]])
        check_dims(dims)
        shapes.append(dims)
    require(len(leaves) <= p["loss"] < len(shapes) and shapes[p["loss"]] == [], "loss")
    check_optimiser(p)
    check_schedule(p["schedule"])
    for (_, _, scale, least, most), value in zip(PROFILE, p["profile"], strict=True):
        check_format(value, least, most)
        require(scale is not None or value[1] == 0, "a line without a scale")
    return shapes


def check_optimiser(p: dict):
    a = attributes_of(OPTIMISERS, p["optimiser"])
    require(all(in_unit(a[name]) for name in ("momentum", "dampening", "beta1", "beta2") if name in a), "unit")
    require(a["weight_decay"][0] >= 0, "weight_decay")
    require("eps" not in a or a["eps"][0] > 0, "eps")
    clip = attributes_of(CLIPS, p["clip"])
    require("limit" not in clip or clip["limit"][0] > 0, "limit")


def check_schedule(s: dict):
    numerators = [numerator for _, numerator in s["pieces"]]
    require(numerators, "no rate")
    require(1 <= s["denominator"] <= MAX_TERM and all(0 <= n <= MAX_TERM for n in numerators), "rate")
    require(all(a != b for a, b in zip(numerators, numerators[1:])), "two pieces with one rate")
    require(math.gcd(s["denominator"], *numerators) == 1, "not reduced")
    *steps, last = [steps for steps, _ in s["pieces"]]
    require(last == 0 and all(1 <= n <= 2**40 for n in steps), "steps")


def windows(x: list, kernel: list, stride: list, pad: list, dilation: list) -> list:
    """The number of places along both axes."""
    require(len(x) == 4, "[N, C, H, W]")
    for values, count, least in ((stride, 2, 1), (dilation, 2, 1), (pad, 4, 0), (x[2:], 2, 1), (kernel, 2, 1)):
        require(len(values) == count and all(least <= v <= MAX_GEOMETRY for v in values), "window")
    out = []
    for i in range(2):
        room = x[2 + i] + pad[2 * i] + pad[2 * i + 1] - dilation[i] * (kernel[i] - 1) - 1
        require(room >= 0, "no room")
        out.append(room // stride[i] + 1)
    return out


def shape_of(name: str, a: dict, dims: list) -> list:
    x = dims[0]
    if name in ("affine", "relu"):
        return x
    if name == "dropout":
        require(in_unit(a["p"]), "p")
        return x
    if name == "linear":
        require(x and len(dims[1]) == 2 and dims[1][1] == x[-1], "linear")
        require(dims[2:] in ([], [dims[1][:1]]), "bias")
        return x[:-1] + dims[1][:1]
    if name == "matmul":
        left, right = list(x), list(dims[1])
        require(len(left) == len(right) >= 2, "rank")
        for side, key in ((left, "transpose_a"), (right, "transpose_b")):
            if a[key] == "yes":
                side[-2:] = side[:-3:-1]
        require(left[:-2] == right[:-2] and left[-1] == right[-2], "matmul")
        return left[:-1] + right[-1:]
    if name == "conv":
        w, g = dims[1], a["groups"]
        require(len(w) == 4, "weights")
        out = windows(x, w[2:], a["stride"], a["pad"], a["dilation"])
        require(g >= 1 and w[0] % g == 0 and x[1] % g == 0 and x[1] // g == w[1], "groups")
        require(dims[2:] in ([], [w[:1]]), "bias")
        return [x[0], w[0], *out]
    if name in ("max_pool", "avg_pool"):
        pad, window = a.get("pad", [0, 0, 0, 0]), a["window"]
        out = windows(x, window, a["stride"], pad, [1, 1])
        require(max(pad) < min(window), "a window in the padding")
        return x[:2] + out
    if name in ("add", "mul"):
        rank = max(map(len, dims))
        left, right = ([1] * (rank - len(d)) + d for d in dims)
        require(all(m == n or 1 in (m, n) for m, n in zip(left, right)), "broadcast")
        return [max(m, n) for m, n in zip(left, right)]
    if name == "reduce":
        require(len(set(a["axes"])) == len(a["axes"]) and all(0 <= i < len(x) for i in a["axes"]), "axes")
        return [d for i, d in enumerate(x) if i not in a["axes"]]
    if name == "reshape":
        require(all(d >= 1 for d in a["dims"]) and math.prod(a["dims"]) == math.prod(x), "dims")
        return a["dims"]
    if name == "permute":
        require(sorted(a["axes"]) == list(range(len(x))), "axes")
        return [x[i] for i in a["axes"]]
    if name == "slice":
        require(0 <= a["axis"] < len(x), "axis")
        require(a["begin"] >= 0 and a["size"] >= 1 and a["begin"] + a["size"] <= x[a["axis"]], "slice")
        return [a["size"] if i == a["axis"] else d for i, d in enumerate(x)]
    if name == "concat":
        axis = a["axis"]
        require(0 <= axis < len(x), "axis")
        require(all(len(d) == len(x) and d[:axis] + d[axis + 1 :] == x[:axis] + x[axis + 1 :] for d in dims), "concat")
        return x[:axis] + [sum(d[axis] for d in dims)] + x[axis + 1 :]
    if name == "flatten":
        require(x, "flatten")
        return [x[0], math.prod(x[1:])]
    if name == "batch_norm":
        require(len(x) >= 2 and all(d == [x[1]] for d in dims[1:]), "batch_norm")
        require(a["eps"][0] > 0 and 0 <= a["momentum"][0] <= a["momentum"][1], "eps or momentum")
        require(math.prod(x) // x[1] >= 2, "one element")
        return x
    if name == "cross_entropy":
        require(x == a["label"], "logits")
        return []
    assert name == "mse"
    require(dims[0] == dims[1], "mse")
    return []


# --- text -------------------------------------------------------------------------------


def ratio(num: int, den: int) -> str:
    common = math.gcd(num, den)
    return f"{num // common}" + (f"/{den // common}" if den != common else "")


def quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name) else f'"{name}"'


def call_text(table: dict, call: dict, inputs: list) -> str:
    parts = list(inputs)
    for (name, kind, words, _), value in zip(table[call["code"]][3], call["attributes"], strict=True):
        said = {"word": lambda: words[value], "fraction": lambda: ratio(*value)}.get(kind, lambda: str(value))()
        parts.append(f"{name}={said}")
    return f"{table[call['code']][0]}({', '.join(parts)})"


def call_summary(table: dict, call: dict) -> str:
    """Its name, and what is not as it would be anyway."""
    parts = [table[call["code"]][0]]
    for (name, kind, words, otherwise), value in zip(table[call["code"]][3], call["attributes"], strict=True):
        said = {"word": lambda: words[value], "fraction": lambda: ratio(*value)}.get(kind, lambda: str(value))()
        if value != otherwise:
            parts.append(f"{name} {said}")
    return ", ".join(parts)


def summary(p: dict) -> str:
    """What it is, in a line."""
    first = len(p["columns"]) + len(p["parameters"]) + len(p["buffers"])
    names = [OPERATORS[n["op"]["code"]][0] for i, n in enumerate(p["nodes"]) if first + i != p["loss"]]
    if len(names) > 12:
        names = [f"{names.count(name)} {name}" for name in dict.fromkeys(names)]
    den, pieces = p["schedule"]["denominator"], p["schedule"]["pieces"]
    rates = [ratio(num, den) + (f" x {steps}" if steps else "") for steps, num in pieces]
    if len(pieces) > 4:
        rates = [f"{ratio(pieces[0][1], den)} to begin with, of {len(pieces)}"]
    parts = [f"batch {p['batch']}", ", ".join(names), call_summary(OPERATORS, p["nodes"][p["loss"] - first]["op"]),
             f"{call_summary(OPTIMISERS, p['optimiser'])}, rate {', '.join(rates)}",
             f"clip {call_summary(CLIPS, p['clip'])}" if p["clip"]["code"] else ""]  # fmt: skip
    return "; ".join(part for part in parts if part)


def text(p: dict) -> str:
    lines = ["flair program 1", f"batch {p['batch']}"]
    for c in p["columns"]:
        if c["classes"]:
            lines.append(f"label {quoted(c['name'])} classes {c['classes']}")
        else:
            bits, scale = c["format"]
            lines.append(f"data {quoted(c['name'])} {c['row']} bits {bits} scale {scale}")
    for q in p["parameters"]:
        lines.append(f"param {quoted(q['name'])} {q['dims']} scale {q['scale']} decay {'yes' if q['decay'] else 'no'}")
    lines += [f"buffer {quoted(b['name'])} {b['dims']}" for b in p["buffers"]]
    names = [quoted(v["name"]) for v in p["columns"] + p["parameters"] + p["buffers"] + p["nodes"]]
    for n in p["nodes"]:
        lines.append(f"{quoted(n['name'])} = {call_text(OPERATORS, n['op'], [names[i] for i in n['inputs']])}")
    lines += [f"loss {names[p['loss']]}", f"optimiser {call_text(OPTIMISERS, p['optimiser'], [])}"]
    den = p["schedule"]["denominator"]
    pieces = [ratio(num, den) + (f" x {steps}" if steps else "") for steps, num in p["schedule"]["pieces"]]
    lines += ["schedule " + ", ".join(pieces), f"clip {call_text(CLIPS, p['clip'], [])}"]
    for (name, _, scale, _, _), value in zip(PROFILE, p["profile"], strict=True):
        lines.append(f"profile {name} {value[0]}" + ("" if scale is None else f" {value[1]}"))
    for n in p["nodes"]:
        for kind in ("activation", "gradient"):
            if n[kind]:
                lines.append(f"profile {quoted(n['name'])} {kind} {n[kind][0]} {n[kind][1]}")
    return "".join(line + "\n" for line in lines)
