# SPDX-License-Identifier: Apache-2.0
"""Circuits of programs: the reference and the real lowering make the same, of the vectors and of changes to them."""
import json
import os
import random
import re
import subprocess

import changes  # first: it finds the reference
import pytest

import lowering_vectors
import program
import program_text
import random_programs
from program_vectors import PROGRAMS

JUDGE = os.environ.get("FLAIR_PROGRAM_JUDGE", changes.ROOT / "build/release/src/program/program_judge")
VECTORS = json.loads((changes.ROOT / "tests/vectors/lowering.json").read_text())


def real(questions):
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    said = subprocess.run([JUDGE, "circuits"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == len(questions)
    return ["refused" if line.startswith("refused") else line for line in said]


def agree(questions):
    """Returns the digests, or "refused"."""
    mine = [lowering_vectors.digest_of(question["program"], question["slack"]) for question in questions]
    different = [(question, own, theirs) for question, own, theirs in zip(questions, mine, real(questions)) if own != theirs]
    assert not different, (len(different), different[:2])
    return mine


def test_the_vectors():
    assert agree(VECTORS) == [vector["digest"] for vector in VECTORS]
    assert [vector for vector in lowering_vectors.vectors()] == VECTORS


def test_the_vectors_use_all_there_is():
    used, optimisers = set(), set()
    for vector in VECTORS:
        made = program_text.parse(vector["program"])
        used |= {program.OPERATORS[node["op"]["code"]][0] for node in made["nodes"]}
        call = program.attributes_of(program.OPTIMISERS, made["optimiser"])
        optimisers.add((program.OPTIMISERS[made["optimiser"]["code"]][0], call["rule"], bool(vector["slack"])))
    assert used == {signature[0] for signature in program.OPERATORS.values()}
    assert {kind[:2] for kind in optimisers} == {(name, rule) for name in ("sgd", "adam", "adamw") for rule in ("torch", "keras")}


def test_texts_parse_back():
    for make in PROGRAMS.values():
        assert program_text.parse(program.text(make())) == make()
    for vector in VECTORS:
        made = program_text.parse(vector["program"])
        assert program_text.parse(program.text(made)) == made


SWAPS = [("relu", "affine"), ("max_pool", "avg_pool"), ("mse", "mse"), ("by=mean", "by=sum"), ("mode=eval", "mode=train"),
         ("nesterov=yes", "nesterov=no"), ("rule=keras", "rule=torch"), ("sgd(", "adam("), ("adam(", "adamw(")]  # fmt: skip


def changed(text, draw):
    """Numbers and words of a program that are others."""
    for _ in range(draw.choice([1, 1, 1, 2])):
        if draw.random() < 0.15:
            old, new = draw.choice(SWAPS)
            text = text.replace(old, new, 1)
            continue
        begin, end = draw.choice([found.span() for found in re.finditer(r"(?<![A-Za-z_])[0-9]+", text)])
        value = int(text[begin:end])
        # Tables stay small: the profile's lines of them are changed by one.
        far = [] if re.search(r"profile (logit|probability|limb) \S*$", text[:end]) else [0, 2 * value, value * 1000]
        text = text[:begin] + str(max(0, draw.choice([value + 1, value - 1, value + 1, value - 1, *far]))) + text[end:]
    return text


def questions(seed, count):
    draw = random.Random(seed)
    texts = [vector["program"] for vector in VECTORS if vector["slack"] is None]
    made = []
    for _ in range(count):
        text = changed(draw.choice(texts), draw)
        bounds = lowering_vectors.SLACK if draw.random() < 0.3 else None
        made.append({"program": text, "slack": bounds})
    return made


def test_changed_programs_have_the_same_circuits():
    verdicts = agree(questions(1, 500))
    assert len(set(verdicts)) > 120


def test_random_programs_have_the_same_circuits():
    asked = [{"program": random_programs.text_of(seed), "slack": lowering_vectors.SLACK if seed % 4 == 0 else None} for seed in range(120)]
    assert len(set(agree(asked))) > 60


def test_constants_of_too_many_bits_are_refused():
    text = lowering_vectors.written(2, "data x [2] bits 8 scale 4; param w [2]", "m = mul(x, w); a = affine(m, shift=1/2305843009213693951); "
                                    "c = affine(a, shift=1/2305843009213693921); l = mse(c, x)")  # fmt: skip
    assert agree([{"program": text, "slack": None}]) == ["refused"]


@pytest.mark.parametrize("bound, within, beyond", [
    ("tau", [-24, -4], [-25, -3]), ("rho", [0.0, 1 / 64], [1 / 63]), ("rho_first", [0.022], [0.0221]), ("kappa", [0, 64], [65]),
    ("sigma", [0.0, 8192.0], [8193.0]), ("beta", [0, 2**39], [2**39 + 1])])  # fmt: skip
def test_bounds(bound, within, beyond):
    text = next(vector["program"] for vector in VECTORS if vector["name"] == "a perceptron")
    verdicts = agree([{"program": text, "slack": lowering_vectors.SLACK | {bound: value}} for value in within + beyond])
    assert "refused" not in verdicts[:len(within)]
    assert set(verdicts[len(within):]) == {"refused"}
