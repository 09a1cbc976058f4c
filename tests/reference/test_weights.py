# SPDX-License-Identifier: Apache-2.0
"""Merges, norms and ranges of committed weights: the reference's verdict and the real one, on the vectors and on changes to them."""
import json
import os
import random
import re
import subprocess

import changes  # first: it finds the reference
import commitment_changes
import pytest
import random_programs

import masking
import program
import program_text
import weights
from lowering import Lowered
from lowering.digest import digest

JUDGE = os.environ.get("FLAIR_WEIGHTS_VECTORS", changes.ROOT / "build/release/src/proof/prover/weights_vectors")
VECTORS = {vector["name"]: vector for vector in json.loads(weights.VECTORS.read_text())}


def said(kind, questions):
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    answers = subprocess.run([JUDGE, kind, "-"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(answers) == len(questions)
    return answers


def real(vectors):
    return [changes.named(line) for line in said("weights", vectors)]


def test_the_vectors_are_accepted():
    assert [weights.judge(vector) for vector in VECTORS.values()] == real(list(VECTORS.values())) == ["accepted"] * len(VECTORS)


def test_the_vectors_have_all_that_there_is():
    made = [(vector["relation"], program_text.parse(vector["program"])) for vector in VECTORS.values()]
    assert {kind for relation, _ in made for kind in relation} == {"merge", "norm", "init"}
    merges = [relation["merge"] for relation, _ in made if "merge" in relation]
    assert {len(merge["factors"]) for merge in merges} == {2, 3}
    assert any(merge["tolerance"] for merge in merges) and any(0 in merge["factors"] for merge in merges)
    assert any(sum(merge["factors"]) == merge["divisor"] > 1 for merge in merges)  # with remainders
    scales = {(next(iter(relation)), p["scale"]) for relation, made_of in made for p in made_of["parameters"]}
    assert {("norm", scale) for scale in (-1, 0, 1)} <= scales
    assert any(made_of["buffers"] and "merge" in relation for relation, made_of in made)


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_changes_are_what_they_say(name):
    commitment_changes.check_changed(VECTORS[name], weights.judge)


class Changes(commitment_changes.Changes):
    def statement_of(self, vector):
        try:
            made_of = program_text.parse(vector["program"])
            relation = weights.relation_digest(made_of, vector["relation"])
        except (program.Refused, masking.Rejected, OverflowError):
            return None
        matrices = list(zip(vector["matrices"], map(bytes.fromhex, vector["roots"])))
        return weights.Statement(relation, bytes.fromhex(vector["wallet"]), matrices)

    def relations(self):
        for what, relation in others(self.honest["relation"]):
            self.put(f"relation: {what}", relation=relation)
        for other in self.others:
            self.put(f"the relation of {other['name']}", relation=other["relation"])
            self.put(f"the program of {other['name']}", program=other["program"])
        text = self.honest["program"]
        for old, new in (("batch 2", "batch 3"), ("1/16", "1/8"), ("param b ", "param c "), ("(x, w, b)", "(x, w, c)"), ("limb 10", "limb 11"),
                         ("scale -1", "scale -2"), ("scale 1\n", "scale 2\n"), ("param w [2, 3]", "param w [3, 2]"), ("flair", "flare")):  # fmt: skip
            self.put(f"{old} as {new}", program=text.replace(old, new))
        matrices, roots = self.honest["matrices"], self.honest["roots"]
        for i in range(len(roots)):
            self.put(f"without matrix {i}", matrices=matrices[:i] + matrices[i + 1:], roots=roots[:i] + roots[i + 1:])
            self.put(f"matrix {i} once more", matrices=[*matrices, matrices[i]], roots=[*roots, roots[i]])


def others(relation):
    """Of the same kind, and of none or several."""
    (kind, numbers), = relation.items()
    for name, value in numbers.items():
        if isinstance(value, list):
            for i, one in enumerate(value):
                for to in sorted({0, 1, one + 1, 2 * one, 2**28, 2**28 + 1, 2**31 - 1, 2**31} - {one}):
                    yield f"{name} {i} {to}", {kind: numbers | {name: [*value[:i], to, *value[i + 1:]]}}
            yield f"{name} less", {kind: numbers | {name: value[1:]}}
            yield f"{name} backwards", {kind: numbers | {name: value[::-1]}}
            yield f"{name} more", {kind: numbers | {name: [*value, 1]}}
            yield f"no {name}", {kind: numbers | {name: []}}
        else:
            for to in sorted({0, 1, value + 1, abs(value - 1), 2**28, 2**28 + 1} - {value}):
                yield f"{name} {to}", {kind: numbers | {name: to}}
    if kind == "norm":
        yield "a bound of 2^60", {"norm": {"bound": 2**60}}
        yield "a bound of 2^60 - 1", {"norm": {"bound": 2**60 - 1}}
    yield "none", {}
    yield "two", relation | {"init": {"bounds": [1, 1]}} | {"norm": {"bound": 7}}


@pytest.mark.parametrize("name", VECTORS)
def test_both_verifiers_judge_every_change_alike(name):
    made = Changes(name, VECTORS)
    made.proofs(30)
    made.statements()
    made.relations()
    made.sizes()
    verdicts = made.judged(weights.judge, real)
    assert len(made.made) >= 150
    assert {"about", "plan", "proof", "constraint"} <= set(verdicts)


# The circuits, of programs that nothing is proven of.


def ours(question):
    try:
        made_of = program_text.parse(question["program"])
        relation = question["relation"]
        return f"{weights.relation_digest(made_of, relation).hex()} " + digest(Lowered(weights.Relation(made_of, relation).circuit, [], made_of))
    except (program.Refused, masking.Rejected):
        return "refused"


def agree(questions):
    theirs = ["refused" if line.startswith("refused") else line for line in said("circuits", questions)]
    different = [(question, own, other) for question, own, other in zip(questions, map(ours, questions), theirs) if own != other]
    assert not different, (len(different), different[:2])
    return theirs


def test_the_vectors_circuits():
    said_of = agree(list(VECTORS.values()))
    assert said_of == [f"{vector['digest']} {vector['circuit']}" for vector in VECTORS.values()]


def random_relation(draw, num_parameters):
    kind = draw.choice(["merge", "norm", "init"])
    if kind == "norm":
        return {"norm": {"bound": draw.choice([0, 2**60 - 1, 2**60, draw.randrange(2**60)])}}
    if kind == "init":
        return {"init": {"bounds": [draw.choice([0, 1, 2**31 - 1, draw.randrange(2**31)]) for _ in range(num_parameters)]}}
    factors = [draw.choice([0, 1, draw.randrange(2 ** draw.randrange(1, 29))]) for _ in range(draw.choice([1, 2, 3, 62]))]
    return {"merge": {"factors": factors, "divisor": draw.choice([1, 2, sum(factors) or 1, draw.randrange(1, 2**28)]),
                      "tolerance": draw.choice([0, 1, 32, 2**28])}}  # fmt: skip


def test_random_relations_have_the_same_circuits():
    draw = random.Random(5)
    questions = []
    for seed in range(300):
        # Scales far apart, for norms.
        text = re.sub(r"(param .* scale) \S+", lambda found: f"{found[1]} {draw.choice([-8, -2, -1, 0, 0, 1, 2, 4])}",
                      random_programs.text_of(seed))  # fmt: skip
        questions.append({"program": text, "relation": random_relation(draw, text.count("\nparam "))})
    verdicts = agree(questions)
    assert len(set(verdicts)) > 100


# More than 2^20 products of 42 bits pass Rule Z: the first axis is summed apart.
@pytest.mark.parametrize("size", [1024, 1025])
def test_large_tensors_are_summed_in_parts(size):
    text = VECTORS["a norm"]["program"].replace("x [3]", f"x [{size}]").replace("param w [2, 3]", f"param u [{size}, {size}]\nparam w [2, {size}]")
    text = text.replace("linear(x, w, b)", "linear(h, w, b)").replace("z =", "h = linear(x, u)\nz =")
    verdict, = agree([{"program": text, "relation": {"norm": {"bound": 1}}}])
    assert verdict != "refused"
