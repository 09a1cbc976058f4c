# SPDX-License-Identifier: Apache-2.0
"""Batch openings: the reference's verifier and the real one on the vectors and on every kind of change to them."""
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
import field  # noqa: E402
import masking  # noqa: E402
import merkle  # noqa: E402
import opening  # noqa: E402

JUDGE = os.environ.get("FLAIR_OPENING_VECTORS", ROOT / "build/release/src/zk/prover/zk_opening_vectors")
VECTORS = {vector["name"]: vector for vector in json.loads(opening.VECTORS.read_text())}
# What the real verifier says, and the reference's name for it.
CHECKS = {
    "accepted": "accepted", "no element": "element", "no work behind it": "work",
    "another number of": "length", "instead of": "length", "of another length": "length", "of another height": "length",
    "a constraint between pads": "constraint", "not under its root": "root", "contradicts the combined row": "row",
    "too high a degree": "degree", "the linear message contradicts": "linear", "a triple is no product": "triple",
}  # fmt: skip


def real(vectors):
    """The real verifier's verdicts, in the reference's names."""
    lines = "".join(json.dumps(vector) + "\n" for vector in vectors)
    said = subprocess.run([JUDGE, "-"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == len(vectors)
    return [next((check for words, check in CHECKS.items() if words in line), line) for line in said]


class Changes:
    """Changed copies of one vector, each with what it is and the check that must fail, if that is certain."""

    def __init__(self, name, each):
        self.honest, self.each, self.random = VECTORS[name], each, random.Random(name)
        self.deaf = self.honest["transcript"] == "deaf"
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
        """Everything in a proof."""
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
            cells = next(2 ** m["log_columns"] for m in self.honest["matrices"]
                         if 2 ** m["log_columns"] + m["num_pads"] == len(group["combined_row"]))
            find_group = (lambda v, g=g: v["proof"]["groups"][g])
            self.elements(f"combined row {g}", lambda v, at=find_group: at(v)["combined_row"],
                          lambda i, cells=cells: sure("constraint" if i < cells else "row"))  # fmt: skip
            self.length(f"matrices of group {g}", lambda v, at=find_group: at(v)["matrices"])
            for m in range(len(group["matrices"])):
                self.opened(f"matrix {g}.{m}", lambda v, at=find_group, m=m: at(v)["matrices"][m])
        if not self.deaf:
            for to in {"0", "1", "2", str(2**64 - 1)} - {self.honest["proof"]["nonce"]}:
                self.add(f"nonce {to}", lambda v, to=to: v["proof"].__setitem__("nonce", to))

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

    def stated(self):
        """Everything that the proof is about."""
        for name in ("roots", "companions"):
            self.texts(name, lambda v, name=name: v[name], "root" if self.deaf else None)
            if self.honest[name]:
                self.length(name, lambda v, name=name: v[name])
        for c in self.some(len(self.honest["claims"])):
            claim = (lambda v, c=c: v["claims"][c])
            pairs = [lambda v, at=claim: at(v)["blocks"][0]["coefficient"]]
            if claim(self.honest)["value"] is not None:
                pairs.append(lambda v, at=claim: at(v)["value"])
            pairs += [lambda v, at=claim: at(v)["blocks"][1]["point"][0]] if claim(self.honest)["blocks"][1]["point"] else []
            for pair in pairs:
                self.add(f"claim {c}", lambda v, pair=pair: pair(v).__setitem__(0, self.more(pair(v)[0])), "constraint")
            self.add(f"claim {c}, a block less", lambda v, at=claim: at(v)["blocks"].pop(), "constraint")
        self.add("two claims", lambda v: v["claims"].insert(0, v["claims"].pop()))
        for p in range(len(self.honest["products"])):
            value = (lambda v, p=p: v["products"][p]["value"])
            self.add("product", lambda v, at=value: at(v).__setitem__(1, self.more(at(v)[1])), "constraint")

    def judged(self):
        """Both verifiers agree on all of it, and on why; returns the verdicts."""
        verdicts = [opening.judge(vector) for _, vector, _ in self.made]
        expected = [verdict if check is None else check for (_, _, check), verdict in zip(self.made, verdicts)]
        names = [what for what, _, _ in self.made]
        assert list(zip(names, verdicts)) == list(zip(names, expected))
        assert list(zip(names, real([vector for _, vector, _ in self.made]))) == list(zip(names, verdicts))
        return verdicts


class Forger:
    """Changes opened columns of the deaf vector and makes the roots fit, so that only later checks can notice."""

    def __init__(self, monkeypatch):
        seen = []

        class Watched(opening.Verifier):
            def _check_group(self, group, opened, columns, roots, weights, mask_check):
                seen.append((group["key"][1], columns, weights, mask_check))
                super()._check_group(group, opened, columns, roots, weights, mask_check)

        self.honest = VECTORS["deaf"]
        with monkeypatch.context() as patched:
            patched.setattr(opening, "Verifier", Watched)
            assert opening.judge(self.honest) == "accepted"
        self.groups = seen
        _, self.columns, (self.weights, *_), self.challenges = seen[0]
        self.mask = self.challenges.shape

    def _root(self, vector, g, m):
        log_n, columns, _, _ = self.groups[g]
        opened = vector["proof"]["groups"][g]["matrices"][m]
        entries = [list(map(int, column)) for column in opened["columns"]]
        leaves = {j: merkle.leaf(j, *rest) for j, *rest in zip(columns, opening.digests(opened["salts"]), entries)}
        return merkle.root(log_n, leaves, opening.digests(opened["path"])).hex()

    def forge(self, g, m, i, added):
        """`added`: row -> what is added to it in the i-th opened column of a group's m-th matrix."""
        vector = copy.deepcopy(self.honest)
        column = vector["proof"]["groups"][g]["matrices"][m]["columns"][i]
        for row, delta in added.items():
            column[row] = str((int(column[row]) + delta) % field.P)
        before, after = self._root(self.honest, g, m), self._root(vector, g, m)
        for name in ("roots", "companions"):
            vector[name] = [after if root == before else root for root in vector[name]]
        return vector

    def forge_masks(self, i, added):
        """`added`: by mask K-row. The blinding row makes the combined row agree: what is left are the mask messages."""
        height = len(self.weights)
        first = height - 2 * self.mask.num_rows
        combined, rows = masking.ZERO, {}
        for row, delta in added.items():
            combined = field.add(combined, field.mul(self.weights[first + 2 * row], delta))
            rows |= {first + 2 * row + part: delta[part] for part in range(2)}
        rows |= {first - 2 + part: -combined[part] for part in range(2)}
        return self.forge(0, 0, i, rows)

    def coefficient(self, row, i):
        """A_row at the i-th opened column."""
        x = 7 * pow(field.root_of_unity(self.groups[0][0]), self.columns[i], field.P) % field.P
        value, width = masking.ZERO, self.mask.width
        for p, lagrange in enumerate(self.challenges._lagrange(x)):
            here = self.challenges.coefficients.get(row * width + p, masking.ZERO)
            value = field.add(value, masking.scale(here, lagrange))
        return value


def test_each_mask_message_is_needed(monkeypatch):
    forger = Forger(monkeypatch)
    mask, made, expected = forger.mask, [], []
    b1, b2, b3 = range(mask.pad_rows, mask.num_rows)

    def add(i, added, check):
        made.append(forger.forge_masks(i, added))
        expected.append(check)

    def less(a, b):
        return field.sub(masking.ZERO, field.mul(a, b))
    for i in range(len(forger.columns)):
        delta = (3 + i, 5)
        for blinder, check in ((b1, "degree"), (b2, "linear"), (b3, "triple")):
            add(i, {blinder: delta}, check)
        for row in range(mask.pad_rows):
            added = {row: delta}
            add(i, added, "degree")
            added |= {b1: less(forger.challenges.gammas[row], delta)}
            add(i, added, "linear")
            added |= {b2: less(forger.coefficient(row, i), delta)}
            # Whoever knows the challenges beforehand has blinders that hide a false pad.
            add(i, added, "triple" if row >= mask.linear_rows else "accepted")
    assert [opening.judge(vector) for vector in made] == expected
    assert real(made) == expected


def test_every_row_counts_in_the_combined_row(monkeypatch):
    forger = Forger(monkeypatch)
    made = [forger.forge(g, m, row % len(matrix["columns"]), {row: 1})
            for g, group in enumerate(forger.honest["proof"]["groups"])
            for m, matrix in enumerate(group["matrices"]) for row in range(len(matrix["columns"][0]))]  # fmt: skip
    assert [opening.judge(vector) for vector in made] == ["row"] * len(made)
    assert real(made) == ["row"] * len(made)


def test_the_vectors_are_accepted():
    assert [opening.judge(vector) for vector in VECTORS.values()] == ["accepted"] * 5
    assert real(list(VECTORS.values())) == ["accepted"] * 5


@pytest.mark.parametrize("name, each, at_least", [
    ("one group", 16, 170), ("three groups", 8, 340), ("products", 12, 290), ("deaf", 64, 500), ("full strength", 4, 90),
])  # fmt: skip
def test_every_change_is_rejected_by_both(name, each, at_least):
    changes = Changes(name, each)
    changes.sent()
    changes.stated()
    verdicts = changes.judged()
    assert "accepted" not in verdicts
    assert len(verdicts) >= at_least
