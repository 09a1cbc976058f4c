# SPDX-License-Identifier: Apache-2.0
"""Bytes of programs: the reference and the real decoder give one verdict, on the vectors and on changes to them."""
import copy
import json
import os
import pathlib
import random
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "reference"))
import program  # noqa: E402
import program_vectors  # noqa: E402

JUDGE = os.environ.get("FLAIR_PROGRAM_JUDGE", ROOT / "build/release/src/program/program_judge")
VECTORS = json.loads((ROOT / "tests/vectors/program.json").read_text())
PROGRAMS = {v["name"]: bytes.fromhex(v["bytes"]) for v in VECTORS["programs"]}


def real(inputs):
    lines = "".join(data.hex() + "\n" for data in inputs)
    said = subprocess.run([JUDGE, "bytes"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == len(inputs)
    return [line if line.startswith("accepted") else "refused" for line in said]


def judge(data):
    try:
        decoded = program.decode(data)
    except program.Refused:
        return "refused"
    assert program.encode(decoded) == data
    return "accepted " + program.program_hash(data)


def agree(inputs):
    """Both give the same verdicts; returns how many are accepted."""
    verdicts = [judge(data) for data in inputs]
    different = [(data.hex(), ours, theirs) for data, ours, theirs in zip(inputs, verdicts, real(inputs)) if ours != theirs]
    assert not different, different[:3]
    return sum(verdict != "refused" for verdict in verdicts)


def test_the_vectors():
    everything = [*PROGRAMS.values(), *(bytes.fromhex(v["bytes"]) for v in VECTORS["refused"])]
    assert agree(everything) == len(PROGRAMS)


def test_the_vectors_use_all_there_is_to_name():
    used = {"op": set(), "optimiser": set(), "clip": set()}
    for data in PROGRAMS.values():
        p = program.decode(data)
        for kind, table, calls in (("op", program.OPERATORS, [n["op"] for n in p["nodes"]]),
                                   ("optimiser", program.OPTIMISERS, [p["optimiser"]]),
                                   ("clip", program.CLIPS, [p["clip"]])):  # fmt: skip
            for call in calls:
                used[kind].add(call["code"])
                for (name, what, _, otherwise), value in zip(table[call["code"]][3], call["attributes"]):
                    if value != otherwise:
                        used[kind].add((call["code"], name))
    for kind, table in (("op", program.OPERATORS), ("optimiser", program.OPTIMISERS), ("clip", program.CLIPS)):
        assert used[kind] >= set(table)
    # Every attribute of an operator is somewhere not what it is anyway.
    assert used["op"] >= {(code, a[0]) for code, signature in program.OPERATORS.items() for a in signature[3]}


@pytest.mark.parametrize("name", PROGRAMS)
def test_changed_bytes(name):
    draw, good, made = random.Random(name), PROGRAMS[name], []
    for _ in range(1500):
        data, at = bytearray(good), draw.randrange(len(good))
        match draw.randrange(6):
            case 0:
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                data[at] = draw.choice([0, 1, 2, 3, 0x7F, 0x80, 0xFF, draw.randrange(256)])
            case 2:
                del data[at]
            case 3:
                data.insert(at, draw.choice([0, 1, 0x80, 0xFF]))
            case 4:
                to = draw.randrange(len(good))
                data[at:at + 4], data[to:to + 4] = data[to:to + 4], data[at:at + 4]
            case _:
                data[at] = (data[at] + draw.choice([-2, -1, 1, 2])) % 256
        made.append(bytes(data))
    made += [good[:n] for n in range(len(good))]
    assert agree(made) > 10


FORMATS = {"format", "activation", "gradient", "profile"}
INTEGERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 24, 63, 64, 2**20, 2**20 + 1, 2**24, 2**24 + 1, 2**36, 2**36 + 1,
            2**40 + 1, 2**61, 2**62 - 1, 2**62, 2**63 - 1]  # fmt: skip


def integers(value, path=()):
    """The paths of all integers within."""
    if isinstance(value, int) and not isinstance(value, bool):
        yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from integers(part, (*path, key))


def lists(value, path=()):
    if isinstance(value, list):
        yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from lists(part, (*path, key))


def find(value, path):
    for key in path:
        value = value[key]
    return value


def is_signed(path):
    """Scales, attributes and rates."""
    return path[-1] == "scale" or {"attributes", "schedule"} & set(path) or (path[-1] == 1 and FORMATS & set(path))


def change(p, draw, numbers, sequences):
    if sequences and draw.random() < 0.2:
        sequence = find(p, draw.choice(sequences))
        if sequence and draw.random() < 0.5:
            del sequence[draw.randrange(len(sequence))]
        else:
            sequence.append(copy.deepcopy(draw.choice(sequence)) if sequence else 1)
        return
    path = draw.choice(numbers)
    holder = find(p, path[:-1])
    old = holder[path[-1]]
    new = draw.choice([old + 1, old - 1, old * 2, draw.choice(INTEGERS), -draw.choice(INTEGERS)])
    if not is_signed(path):
        new = abs(new)
    if path[-1] == 0 and FORMATS & set(path[-3:]):
        new %= 256  # bits are one byte
    holder[path[-1]] = new


@pytest.mark.parametrize("name", PROGRAMS)
def test_changed_numbers(name):
    """Changes behind the encoding, which random bytes seldom reach: well spelt, and mostly meaningless."""
    draw, good, made = random.Random(name), program.decode(PROGRAMS[name]), []
    # A code brings its own attributes: it does not change alone.
    numbers = [path for path in integers(good) if path[-1] != "code"]
    sequences = [path for path in lists(good)
                 if path[-1] in ("inputs", "dims", "row", "pieces") or (path[-2:-1] == ("attributes",))]  # fmt: skip
    while len(made) < 2000:
        p = copy.deepcopy(good)
        try:
            for _ in range(draw.choice([1, 1, 1, 2])):
                change(p, draw, numbers, sequences)
            made.append(program.encode(p))
        except (LookupError, TypeError, ValueError):  # a fraction of three terms, a number that went with its list: no bytes say it
            continue
    assert agree(made) > 10


def test_programs_drawn_at_random():
    """Nodes of every operator over values at hand, so that each shape rule is met and broken."""
    draw, made = random.Random(0), []
    for _ in range(3000):
        m = program_vectors.Made(draw.choice([1, 2, 3]))
        m.data("x", draw.choice([[2, 4, 4], [4], [3, 2], [], [4, 5, 3]]))
        m.label("y", draw.choice([2, 3, 4]))
        for i in range(3):
            m.param(f"p{i}", [draw.choice([1, 2, 3, 4]) for _ in range(draw.choice([0, 1, 1, 2, 2, 3, 4, 4]))])
        m.buffer("m", [draw.choice([2, 4])])
        m.buffer("v", m.p["buffers"][0]["dims"])
        shapes = None
        for i in range(draw.choice([1, 1, 2, 3])):
            names = list(m.ids())
            code = draw.choice(list(program.OPERATORS))
            op, fewest, most, attributes = program.OPERATORS[code]
            given = {}
            for name, kind, words, otherwise in attributes:
                if draw.random() < 0.5:
                    given[name] = {
                        "integer": lambda: draw.choice([0, 1, 2, 3, 4]),
                        "list": lambda: [draw.choice([0, 1, 1, 2, 2, 3, 4]) for _ in range(draw.choice([1, 2, 2, 2, 3, 4, 4]))],
                        "fraction": lambda: draw.choice([[0, 1], [1, 2], [1, 1], [-1, 2], [3, 2]]),
                        "word": lambda: draw.choice(words),
                    }[kind]()
            inputs = [draw.choice(names) for _ in range(draw.randint(fewest, min(most, 3 if fewest < 5 else 5)))]
            if op == "batch_norm" and draw.random() < 0.9:
                inputs[3:] = ["m", "v"]
            if op == "cross_entropy" and draw.random() < 0.9:
                inputs[1] = "y"
            elif draw.random() < 0.9:
                inputs = [name if name != "y" else "x" for name in inputs]
            m.node(f"n{i}", op, *inputs, **given)
        # Whatever it is becomes one number, if its rank can be told.
        try:
            m.p["loss"] = 0
            program.check(m.p)
        except program.Refused as refused:
            if str(refused) != "loss":
                made.append(program.encode(m.p))
                continue
        rank = next(r for r in range(9) if is_rank(m.p, r))
        m.node("l", "reduce", f"n{i}", axes=list(range(rank)))
        made.append(program.encode(m.p))
    accepted = agree(made)
    assert 300 < accepted < 2700


def is_rank(p, rank):
    """Whether the last node has so many dims."""
    p = copy.deepcopy(p)
    last = len(p["columns"]) + len(p["parameters"]) + len(p["buffers"]) + len(p["nodes"])
    p["nodes"].append({"name": "l", "op": program_vectors.call(program.OPERATORS, "reduce", axes=list(range(rank))),
                       "inputs": [last - 1], "activation": None, "gradient": None})  # fmt: skip
    p["loss"] = last
    try:
        return bool(program.check(p))
    except program.Refused:
        return False
