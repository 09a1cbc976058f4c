# SPDX-License-Identifier: Apache-2.0
"""Optimisers: the reference and the real trainer go to the same integers, whatever the attributes and formats."""
import json
import os
import pathlib
import random
import subprocess
import sys
from fractions import Fraction

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "reference"))
import optimisers  # noqa: E402

JUDGE = os.environ.get("FLAIR_PROGRAM_JUDGE", ROOT / "build/release/src/program/program_judge")
CASES = 200
LINES = ("update_gradient", "momentum", "adam_gradient", "adam_mean", "adam_update", "clip_norm")


def some_fraction(draw, below_one=True):
    kind = draw.randrange(4)
    if kind == 0:
        return Fraction(0)
    if kind == 1:
        den = draw.choice([2, 3, 10, 1000, 2000, 1 << 24])
        return Fraction(draw.randrange(den), den)
    if kind == 2:
        return 1 - Fraction(1, draw.choice([2, 10, 1000, 99991]))
    return Fraction(1, draw.choice([7, 100, 300, 99999989]))


def some_case(seed):
    draw = random.Random(seed)
    kind = draw.choice(["sgd", "sgd", "adam", "adamw"])
    attributes = {"weight_decay": some_fraction(draw), "rule": draw.choice(["torch", "keras"])}
    if kind == "sgd":
        attributes |= {"momentum": some_fraction(draw), "nesterov": draw.choice(["no", "yes"])}
        if attributes["rule"] == "torch":
            attributes["dampening"] = some_fraction(draw)
    else:
        attributes |= {"beta1": some_fraction(draw), "beta2": some_fraction(draw),
                       "eps": Fraction(1, 10 ** draw.randrange(1, 10))}  # fmt: skip
    bits = draw.choice([3, 8, 12, 27, 30])
    most = (1 << bits) // (16 if kind == "sgd" else 512) + 1
    rates = [draw.randrange(most) for _ in range(2)]
    rates[0] |= 1  # so that no factor of two is left
    profile = dict(optimisers.PROFILE)
    profile["adam_mean"] = (draw.choice([33, 35, 37]), 36)
    if draw.randrange(2):
        profile["clip_norm"] = (31, draw.randrange(16, 28))
        profile["adam_gradient"] = (31, draw.choice([26, 28, 29]))
        profile["adam_update"] = (draw.choice([20, 32]), draw.choice([26, 30]))
        profile["momentum"] = (35, draw.choice([30, 32]))
    limit = draw.choice([None, None, Fraction(1, 1000), Fraction(1, 10), Fraction(3)])
    return kind, attributes, rates, 1 << bits, profile, limit, draw


def asked_and_expected(seed):
    kind, attributes, rates, denominator, profile, limit, draw = some_case(seed)
    batch, rows, width = optimisers.BATCH, optimisers.ROWS, optimisers.WIDTH
    text = optimisers.MODEL + f"optimiser {kind}({', '.join(f'{k}={v}' for k, v in attributes.items())})\n"
    first, last = (Fraction(r, denominator) for r in rates)
    text += f"schedule {first} x 1, {last}\n" if first != last else f"schedule {first}\n"
    text += f"clip norm(limit={limit})\n" if limit is not None else ""
    text += f"profile limb {draw.choice([8, 13, 20, 24])}\n"
    text += "".join(f"profile {line} {profile[line][0]} {profile[line][1]}\n" for line in LINES)
    run_seed = bytes([seed % 256] * 32)
    x = [[draw.randrange(-6000, 6000) for _ in range(width)] for _ in range(rows)]
    weights = [[draw.randrange(-(2**30), 2**30) for _ in range(width)] for _ in range(2)]
    asked = {"program": text, "columns": [sum(x, [])], "parameters": weights, "buffers": [], "seed": run_seed.hex(),
             "steps": 4}  # fmt: skip
    unit = Fraction(1, 2**12 * batch * width)
    terms = [[(by, -batch * 2**15, batch * (2**15 - 1))] for by in (unit, unit / 3)]
    try:
        made = optimisers.Optimiser(kind, attributes, [(0, True), (1, False)], rates, denominator, profile, terms, limit)
        states, steps = made.start([width, width]), []
        for t in range(4):
            sums = [unit * sum(x[r][i] for r in optimisers.rows_of(run_seed, rows, batch, t)) for i in range(width)]
            weights, states = made.step(t, weights, states, [sums, [g / 3 for g in sums]])
            steps.append({"parameters": weights, "buffers": [], "states": states})
    except (AssertionError, StopIteration, ZeroDivisionError):
        steps = None
    return asked, steps


def test_random_optimisers_go_to_the_same_integers():
    cases = [asked_and_expected(seed) for seed in range(CASES)]
    lines = "".join(json.dumps(asked) + "\n" for asked, _ in cases)
    said = subprocess.run([JUDGE, "steps"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == CASES
    accepted = 0
    for (asked, expected), line in zip(cases, said):
        answer = json.loads(line)
        if isinstance(answer, dict):
            # What no circuit is known for, or a value out of its range; the reference knows only the second.
            assert expected is None or "step " not in answer["error"], (asked["program"], answer)
            continue
        assert answer == expected, asked["program"]
        accepted += 1
    assert accepted > CASES // 3
