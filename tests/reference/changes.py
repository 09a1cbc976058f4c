# SPDX-License-Identifier: Apache-2.0
"""What the tests of proofs share: the real verifier, and changed copies of vectors that both verifiers judge."""
import copy
import json
import os
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "reference"))
import field  # noqa: E402

JUDGE = os.environ.get("FLAIR_ZK_VECTORS", ROOT / "build/release/src/zk/prover/zk_vectors")
# What the real verifier says, and the reference's name for it.
CHECKS = {
    "accepted": "accepted", "no element": "element", "no work behind it": "work",
    "another number of": "length", "instead of": "length", "of another length": "length", "of another height": "length",
    "a constraint between pads": "constraint", "not under its root": "root", "contradicts the combined row": "row",
    "too high a degree": "degree", "the linear message contradicts": "linear", "a triple is no product": "triple",
    "on cells outside": "cells", "the rows contradict the columns": "tail", "a tail too many": "length",
    "another statement": "about", "work that nobody asked for": "no lookups",
}  # fmt: skip


def said(kind, vectors):
    """What the real verifier says of each."""
    lines = "".join(json.dumps(vector) + "\n" for vector in vectors)
    answers = subprocess.run([JUDGE, kind, "-"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(answers) == len(vectors)
    return answers


def real(kind, vectors):
    """The real verifier's verdicts, in the reference's names."""
    return [check_in(line) for line in said(kind, vectors)]


def check_in(line):
    return next((check for words, check in CHECKS.items() if words in line), line)


# What the reference calls what has no plan, and bytes that are no proof.
REFUSED = {"statement": "statement", "circuit": "circuit", "plan": "plan", "layout": "plan", "proof": "proof"}


def named(line):
    """Of "kind: why": the kind, or of a rejected proof the check that failed."""
    kind, _, why = line.partition(": ")
    return check_in(why) if kind == "rejected" else kind


class Changes:
    """Changed copies of a vector, each with what it is and the verdict that must be, if that is certain.

    `kind`: that of the vectors; `judge`: the reference's verifier; `each`: how many of a kind are changed.
    """

    def __init__(self, kind, judge, honest, each):
        self.kind, self.judge, self.honest, self.each = kind, judge, honest, each
        self.random = random.Random(honest["name"])
        self.deaf = honest["transcript"] == "deaf"
        self.made = []

    def add(self, what, change, check=None):
        vector = copy.deepcopy(self.honest)
        change(vector)
        assert vector != self.honest, what
        self.made.append((what, vector, check))

    def some(self, count):
        """Indices below `count`: the ends and others."""
        if count <= self.each:
            return list(range(count))
        return sorted({0, count - 1, *self.random.sample(range(count), self.each - 2)})

    @staticmethod
    def more(text, by=1):
        return str((int(text) + by) % field.P)

    def flipped(self, text):
        at = self.random.randrange(len(text))
        return text[:at] + format(int(text[at], 16) ^ 1 << self.random.randrange(4), "x") + text[at + 1:]

    def elements(self, what, find, check=lambda i: None):
        """`find`: vector -> list of pairs."""
        def change(i, part, to):
            find_pair = (lambda v: find(v)[i])
            self.add(f"{what} {i}.{part}", lambda v: find_pair(v).__setitem__(part, to(find_pair(v)[part])), check(i))
        for i in self.some(len(find(self.honest))):
            change(i, self.random.randrange(2), self.more)
        self.length(what, find)
        for wrong in (str(field.P), str(2**64 - 1)):
            self.add(f"{what} {wrong}", lambda v, wrong=wrong: find(v)[0].__setitem__(0, wrong), "element")

    def length(self, what, find):
        self.add(f"{what}: shorter", lambda v: find(v).pop(), "length")
        self.add(f"{what}: longer", lambda v: find(v).append(copy.deepcopy(find(v)[0])), "length")
        self.add(f"{what}: empty", lambda v: find(v).clear(), "length")

    def texts(self, what, find, check):
        """`find`: vector -> list of digests."""
        for i in self.some(len(find(self.honest))):
            self.add(f"{what} {i}", lambda v, i=i: find(v).__setitem__(i, self.flipped(find(v)[i])), check)

    def sent(self):
        """Everything in a proof, and its roots."""
        # Without a deaf transcript a changed message brings other challenges and other columns.
        sure = (lambda check: check if self.deaf else None)
        plan_h, log_columns = (self.honest["matrices"][0][key] for key in ("num_pads", "log_columns"))
        width = min(1024, 2**log_columns // 4)
        assert len(self.honest["proof"]["mask"]["low_degree"]) == width + plan_h
        self.elements("masked value", lambda v: v["proof"]["masked"], lambda i: sure("constraint"))
        for name, check in (("low_degree", "degree"), ("linear", "linear"), ("quadratic", "triple")):
            def of(i, name=name, check=check):
                # What changes the sum over H is seen before.
                return sure("constraint" if name == "linear" and i % width == 0 else check)
            self.elements(name, lambda v, name=name: v["proof"]["mask"][name], of)
        self.length("groups", lambda v: v["proof"]["groups"])
        for g, group in enumerate(self.honest["proof"]["groups"]):
            find_group = (lambda v, g=g: v["proof"]["groups"][g])
            if group["combined_row"]:
                self.combined_row(g, find_group, sure)
            self.length(f"matrices of group {g}", lambda v, at=find_group: at(v)["matrices"])
            for m in range(len(group["matrices"])):
                self.opened(f"matrix {g}.{m}", lambda v, at=find_group, m=m: at(v)["matrices"][m])
        if "tail" in self.honest["proof"]:
            self.tail(sure)
        if not self.deaf:
            for to in {"0", "1", "2", str(2**64 - 1)} - {self.honest["proof"]["nonce"]}:
                self.add(f"nonce {to}", lambda v, to=to: v["proof"].__setitem__("nonce", to))
        for name in ("roots", "companions"):
            self.texts(name, lambda v, name=name: v[name], "root" if self.deaf else None)
            if self.honest[name]:
                self.length(name, lambda v, name=name: v[name])

    def combined_row(self, g, find_group, sure):
        row = find_group(self.honest)["combined_row"]
        cells = next(2 ** m["log_columns"] for m in self.honest["matrices"] if 2 ** m["log_columns"] + m["num_pads"] == len(row))
        self.elements(f"combined row {g}", lambda v, at=find_group: at(v)["combined_row"],
                      lambda i, cells=cells: sure("constraint" if i < cells else "row"))  # fmt: skip

    def tail(self, sure):
        self.elements("value of the tail", lambda v: v["proof"]["tail"]["values"], lambda i: sure("constraint"))
        for i in self.some(len(self.honest["proof"]["tail"]["rounds"])):
            element = (lambda v, i=i, at=self.random.randrange(2): v["proof"]["tail"]["rounds"][i][at])
            self.add(f"round {i} of the tail", lambda v, at=element: at(v).__setitem__(0, self.more(at(v)[0])), sure("tail"))
        self.length("rounds of the tail", lambda v: v["proof"]["tail"]["rounds"])
        self.elements("row of the tail", lambda v: v["proof"]["tail"]["row"], lambda i: sure("tail"))
        self.opened("tail", lambda v: v["proof"]["tail"]["matrix"])
        self.add("no tail", lambda v: v["proof"].pop("tail"), "length")

    def opened(self, what, find):
        columns = find(self.honest)["columns"]
        for row in self.some(len(columns[0])):
            i = self.random.randrange(len(columns))
            column = (lambda v, i=i: find(v)["columns"][i])
            self.add(f"{what}, cell {row} of column {i}",
                     lambda v, at=column, row=row: at(v).__setitem__(row, self.more(at(v)[row])), "root")  # fmt: skip
        self.add(f"{what}, a cell that is no element", lambda v: find(v)["columns"][0].__setitem__(0, str(field.P)), "element")
        self.length(f"{what}, a column", lambda v: find(v)["columns"][-1])
        for part in ("columns", "salts", "path"):
            self.length(f"{what}, {part}", lambda v, part=part: find(v)[part])
        self.add(f"{what}, two columns", lambda v: find(v)["columns"].insert(0, find(v)["columns"].pop()), "root")
        self.texts(f"{what}, salt", lambda v: find(v)["salts"], "root")
        self.texts(f"{what}, path", lambda v: find(v)["path"], "root")

    def judged(self):
        """Both verifiers agree on all of it, and on why; returns the verdicts."""
        names = [what for what, _, _ in self.made]
        verdicts = [self.judge(vector) for _, vector, _ in self.made]
        sure = [verdict if check is None else check for (_, _, check), verdict in zip(self.made, verdicts)]
        for others in (sure, real(self.kind, [vector for _, vector, _ in self.made])):
            different = [three for three in zip(names, verdicts, others) if three[1] != three[2]]
            assert not different, different
        return verdicts
