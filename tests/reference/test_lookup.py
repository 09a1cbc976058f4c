# SPDX-License-Identifier: Apache-2.0
"""The lookup argument: the reference's plans and verdicts, and the real ones, on the vectors, on changes to them and on plans."""
import copy
import json
import random

import changes  # first: it finds the reference
import pytest

import field
import lookup
import opening

ALL = json.loads(lookup.VECTORS.read_text())
VECTORS = {vector["name"]: vector for vector in ALL if "proof" in vector}


def real(vectors):
    return changes.real("lookup", vectors)


class Changes(changes.Changes):
    def __init__(self, name, each):
        super().__init__("lookup", lookup.judge, VECTORS[name], each)

    def set(self, what, find, value, check=None):
        """`find`: vector -> a dict and its key."""
        def change(vector):
            holder, key = find(vector)
            holder[key] = value
        self.add(f"{what}: {value}", change, check)

    def stated(self):
        """Everything that the proof is about."""
        cells = self.honest["matrices"][0]["num_rows"] * 2 ** self.honest["matrices"][0]["log_columns"]
        for i, segment in enumerate(self.honest["segments"]):
            self.block("segments", i, "log_rows", ["multiplicities"], cells)
            for by in (-1, 1, 2**20):
                at = (lambda v, i=i: (v["segments"][i], "first"))
                self.set(f"segment {i}, first", at, segment["first"] + by)
            for name in ("c1", "c2"):
                self.column(i, name)
        for i, block in enumerate(self.honest["lookups"]):
            self.block("lookups", i, "log_size", ["v", "c1", "c2"], cells)
            for name in ("c1", "c2"):
                at = (lambda v, i=i, name=name: (v["lookups"][i], name))
                if block[name] is not None:
                    self.set(f"lookups {i}, {name}", at, None, "constraint")
                    self.set(f"lookups {i}, {name}", at, block["v"], "constraint")
                else:
                    self.set(f"lookups {i}, {name}", at, block["v"])
        for name in ("segments", "lookups"):
            self.add(f"no {name}", lambda v, name=name: v[name].clear(), "refused: " + {"segments": "class"}.get(name, name))
        rows = self.honest["matrices"][0]["num_rows"]
        if self.deaf:  # elsewhere the shape decides the challenges, and one verifier looks at columns before constraints
            self.set("rows", lambda v: (v["matrices"][0], "num_rows"), rows + 1, "length")

    def block(self, name, i, log_size, places, cells):
        """What segments and lookups have in common."""
        block = self.honest[name][i]
        what, size = f"{name} {i}", 2 ** block[log_size]
        for number in {other["class"] for other in self.honest["segments"]} | {77}:
            if number != block["class"]:
                self.set(f"{what}, class", lambda v: (v[name][i], "class"), number)
        for by in (-1, 1):
            if block[log_size] + by >= 0:
                self.set(f"{what}, {log_size}", lambda v: (v[name][i], log_size), block[log_size] + by)
        for place in places:
            if block[place] is None:
                continue
            at = (lambda v, place=place: (v[name][i], place))
            self.set(f"{what}, {place}", at, block[place] + size, None if block[place] + size < cells else "cells")
            self.set(f"{what}, {place}", at, (cells + size - 1) // size * size, "cells")
            self.set(f"{what}, {place}", at, block[place] + 2**40, "cells")
            if size > 1:
                self.set(f"{what}, {place}", at, block[place] + size // 2, "refused: aligned")
        self.add(f"{what}: none", lambda v: v[name].pop(i))
        self.add(f"{what}: twice", lambda v: v[name].append(copy.deepcopy(v[name][i])))

    def column(self, i, name):
        column = self.honest["segments"][i][name]
        what = f"segment {i}, {name}"
        at = (lambda v: (v["segments"][i], name))
        if isinstance(column, int):
            for by in (1, -5):
                self.set(what, at, column + by)
            size = 2 ** self.honest["segments"][i]["log_rows"]
            self.set(what, at, [column] * size, "accepted")
            self.set(what, at, [column] * (size + 1), "refused: column")
        else:
            for row, cell in enumerate(column):
                self.set(what, at, column[:row] + [cell + 1] + column[row + 1:])
            self.set(what, at, column[:-1], "refused: column")
            self.set(what, at, column[0])

    def nonces(self):
        """That of the argument; where no work is asked for any has enough."""
        for to in ("1", "2", str(2**64 - 1)):
            self.set("the argument's nonce", lambda v: (v, "nonce"), to, "accepted" if self.deaf else None)

    def orders(self):
        """The order of blocks of one size counts, among the lookups and among the tables."""
        for name, log_size in (("segments", "log_rows"), ("lookups", "log_size")):
            blocks = self.honest[name]
            for i, a in enumerate(blocks):
                for j in range(i):
                    swapped = list(blocks)
                    swapped[i], swapped[j] = swapped[j], a
                    same = all([b for b in blocks if b[log_size] == size] == [b for b in swapped if b[log_size] == size]
                               for size in {b[log_size] for b in blocks})  # fmt: skip
                    self.set(f"{name} {i} and {j}", lambda v, name=name: (v, name), swapped,
                             "accepted" if same else "constraint")  # fmt: skip


def test_the_vectors_are_judged_as_they_say():
    expected = [vector.get("plan", "accepted") for vector in ALL]
    assert expected.count("accepted") == 4
    assert [lookup.judge(vector) for vector in ALL] == expected
    assert real(ALL) == expected


@pytest.mark.parametrize("name, each, at_least", [
    ("range", 16, 200), ("one lookup", 16, 150), ("all kinds", 12, 400), ("deaf", 64, 600),
])  # fmt: skip
def test_both_verifiers_judge_every_change_alike(name, each, at_least, record_property):
    made = Changes(name, each)
    made.sent()
    made.nonces()
    made.stated()
    made.orders()
    verdicts = made.judged()
    record_property("judged", len(verdicts))
    for (what, _, check), verdict in zip(made.made, verdicts):
        assert verdict != "accepted" or check == "accepted", what
    assert len(verdicts) >= at_least


def test_each_equation_alone_rejects(monkeypatch):
    """Changes that contradict one equation only: that of the root, a round's, or the one behind a layer's rounds."""
    honest, stated = VECTORS["deaf"], []

    class Watched(opening.Verifier):
        def require_zero(self, value):
            stated[-1].append((value.known, value.pads))
            super().require_zero(value)

    monkeypatch.setattr(opening, "Verifier", Watched)
    plan = lookup.Plan(honest["segments"], honest["lookups"])
    transcript = opening.DeafTranscript("flair lookup vectors 1")
    for _ in range(4):
        transcript.draw("lookup-challenge")
    made, names = [], []

    def add(name, first, added):
        vector = copy.deepcopy(honest)
        for i, delta in enumerate(added):
            sent = opening.extension(vector["proof"]["masked"][first + i])
            vector["proof"]["masked"][first + i] = list(map(str, field.add(sent, delta)))
        names.append(name)
        made.append(vector)

    def minus(root):
        """The polynomial X - root at 0, 1 and 2."""
        return [field.sub((i, 0), root) for i in range(3)]
    add("the root", 1, [(1, 0)])
    r, sent = [], 2
    for layer in range(plan.layers):
        transcript.draw("lookup-challenge")
        bound = []
        for i, coordinate in enumerate(r):
            bound.append(transcript.draw("sumcheck-challenge"))
            # The next sees it at the challenge, its own one as (1 - r) h(0) + r h(1), which of X - r is 0.
            add(f"layer {layer}, round {i}", sent, minus(bound[-1]))
            add(f"layer {layer}, behind round {i}", sent, minus(coordinate))
            sent += 3
        r = [transcript.draw("sumcheck-challenge"), *bound]
        sent += 4
    assert len(made) == 1 + plan.layers * (plan.layers - 1)
    verdicts = []
    for vector in [honest, *made]:
        stated.append([])
        verdicts.append(lookup.judge(vector))
    assert verdicts == real([honest, *made]) == ["accepted"] + ["constraint"] * len(made)
    # One for each round of each layer, one for each layer but the first, and the root's.
    wrong = [[i for i, pair in enumerate(zip(stated[0], zeros)) if pair[0] != pair[1]] for zeros in stated[1:]]
    assert [len(one) for one in wrong] == [1] * len(made), list(zip(names, wrong))
    assert len({one for one, in wrong}) == plan.layers * (plan.layers - 1) // 2 + plan.layers


def random_plan(source):
    def column(size):
        return [source.randrange(2) for _ in range(size)] if source.randrange(3) == 0 else source.randrange(2)

    def cell(size):
        return None if source.randrange(3) == 0 else source.randrange(8) * size + (source.randrange(50) == 0)

    segments, lookups = [], []
    for _ in range(source.randrange(1, 5)):
        log_rows = source.randrange(4)
        segments.append({"class": source.randrange(2), "log_rows": log_rows, "first": source.randrange(-6, 7),
                         "c1": column(2**log_rows), "c2": column(2**log_rows),
                         "multiplicities": source.randrange(8) << log_rows})  # fmt: skip
    for _ in range(source.randrange(1, 6)):
        log_size = source.choice([0, 1, 2, 3, 4, 22, 23])
        size = 2**log_size
        lookups.append({"class": source.choice(segments)["class"], "log_size": log_size,
                        "v": cell(size) or 0, "c1": cell(size), "c2": cell(size)})  # fmt: skip
    return {"segments": segments, "lookups": lookups}


def test_plans_are_alike():
    source = random.Random(1)
    plans = [random_plan(source) for _ in range(800)]
    said = [lookup.judge(plan) for plan in plans]
    assert real(plans) == said
    refused = [word for word in said if word.startswith("refused")]
    assert {"refused: row", "refused: aligned"} == set(refused)
    assert 150 < len(refused) < 450


def large(log_blocks, nonce):
    """A proof of zeros for 2^log_blocks blocks of the same 2^14 cells: all that is right are its lengths and, maybe, the work."""
    shape = {"log_columns": 10, "log_n": 12, "num_rows": 16, "num_pads": 16, "kind": "witness"}
    table = {"class": 1, "log_rows": 4, "first": 0, "c1": 0, "c2": 0, "multiplicities": 0}
    block = {"class": 1, "log_size": 14, "v": 0, "c1": None, "c2": None}
    plan = lookup.Plan([table], [block] * 2**log_blocks)
    sizes = opening.Plan([shape], plan.num_pads, plan.num_triples, 1, 0, has_tail=False)
    zero = ["0", "0"]
    matrix = {"columns": [["0"] * sizes.heights(sizes.groups[0])[0]], "salts": ["00" * 32], "path": []}
    proof = {"masked": [zero] * (sizes.mask.num_pads + 2 * sizes.mask.num_triples),
             "groups": [{"combined_row": [zero] * (2**10 + 16), "matrices": [matrix]}],
             "mask": {name: [zero] * length for name, length in sizes.mask.lengths.items()}, "nonce": "0"}  # fmt: skip
    return {"segments": [table], "lookups": [block] * 2**log_blocks, "matrices": [shape], "queries": 1, "work_bits": 0,
            "has_tail": False, "transcript": "framed", "roots": ["00" * 32], "companions": [], "nonce": str(nonce), "proof": proof}  # fmt: skip


@pytest.mark.parametrize("log_blocks, work_bits", [(8, 1), (9, 2)])
def test_many_leaves_ask_for_work(log_blocks, work_bits):
    transcript = opening.Transcript("flair lookup vectors 1")
    smallest = large(log_blocks, 0)
    plan = lookup.Plan(smallest["segments"], smallest["lookups"])
    sizes = opening.Plan(smallest["matrices"], plan.num_pads, plan.num_triples, 1, 0, has_tail=False)
    opening.Verifier(sizes, [bytes(32)], [], opening.read_proof(smallest["proof"]), transcript)
    worked = []
    for nonce in range(12):
        before = transcript.state
        worked.append(transcript.check_work("lookup-work", work_bits, nonce))
        transcript.state = before
    assert {True, False} == set(worked)
    made = [large(log_blocks, nonce) for nonce in range(len(worked))]
    expected = ["constraint" if enough else "work" for enough in worked]
    assert [lookup.judge(vector) for vector in made] == expected
    assert real(made) == expected
