# SPDX-License-Identifier: Apache-2.0
"""Merges, norms and ranges of committed weights: the reference's verdict and the real one, on the vectors and on changes to them."""
import random
import re

import commitment_changes  # first: it finds the reference
import pytest
import random_programs

import masking
import program
import program_text
import weights
from commitment_changes import RELATIONS as VECTORS, WeightsChanges
from lowering import Lowered
from lowering.digest import digest


def test_the_vectors_are_accepted():
    assert [weights.judge(vector) for vector in VECTORS.values()] == WeightsChanges.real(list(VECTORS.values())) == ["accepted"] * len(VECTORS)


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


@pytest.mark.parametrize("name", VECTORS)
def test_both_verifiers_judge_every_change_alike(name, record_property):
    made = WeightsChanges(name)
    made.proofs(30)
    made.statements()
    made.relations()
    made.sizes()
    verdicts = made.judged()
    record_property("judged", len(verdicts))
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
    theirs = ["refused" if line.startswith("refused") else line for line in commitment_changes.said_of_weights("circuits", questions)]
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


def test_programs_without_weights():
    text = ("flair program 1\nbatch 2\ndata x [2] bits 8 scale 6\nlabel y classes 2\n{}l = cross_entropy(x, y)\nloss l\noptimiser sgd()\n"
            "schedule 1/16\nprofile limb 10\nprofile logit 8 4\n")  # fmt: skip
    relations = [{"norm": {"bound": 1}}, {"init": {"bounds": []}}, {"merge": {"factors": [1], "divisor": 1, "tolerance": 0}}]
    assert agree([{"program": text.format(""), "relation": relation} for relation in relations]) == ["refused"] * 3
    buffers = agree([{"program": text.format("buffer m [2]\n"), "relation": relation} for relation in relations])
    assert [verdict == "refused" for verdict in buffers] == [True, False, False]


# More than 2^20 products of 42 bits pass Rule Z: the first axis is summed apart.
@pytest.mark.parametrize("size", [1024, 1025])
def test_large_tensors_are_summed_in_parts(size):
    text = VECTORS["a norm"]["program"].replace("x [3]", f"x [{size}]").replace("param w [2, 3]", f"param u [{size}, {size}]\nparam w [2, {size}]")
    text = text.replace("linear(x, w, b)", "linear(h, w, b)").replace("z =", "h = linear(x, u)\nz =")
    verdict, = agree([{"program": text, "relation": {"norm": {"bound": 1}}}])
    assert verdict != "refused"
