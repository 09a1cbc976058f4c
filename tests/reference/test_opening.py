# SPDX-License-Identifier: Apache-2.0
"""Batch openings: the reference's verifier and the real one on the vectors and on every kind of change to them."""
import copy
import json

import changes  # first: it finds the reference
import pytest

import field
import masking
import merkle
import opening

VECTORS = {vector["name"]: vector for vector in json.loads(opening.VECTORS.read_text())}


def real(vectors):
    return changes.real("opening", vectors)


class Changes(changes.Changes):
    def __init__(self, name, each):
        super().__init__("opening", opening.judge, VECTORS[name], each)

    def stated(self):
        """Everything that the proof is about."""
        for c in self.some(len(self.honest["claims"])):
            claim = (lambda v, c=c: v["claims"][c])
            pairs = [lambda v, at=claim: at(v)["blocks"][0]["coefficient"]]
            if claim(self.honest)["value"] is not None:
                pairs.append(lambda v, at=claim: at(v)["value"])
            pairs += [lambda v, at=claim: at(v)["blocks"][1]["point"][0]] if claim(self.honest)["blocks"][1]["point"] else []
            for pair in pairs:
                self.add(f"claim {c}", lambda v, pair=pair: pair(v).__setitem__(0, self.more(pair(v)[0])), "constraint")
            block = (lambda v, at=claim: at(v)["blocks"][0])
            size = 2 ** len(block(self.honest)["point"])
            self.add(f"claim {c}, beyond", lambda v, at=block: at(v).__setitem__("offset", 2**20), "cells")
            if size > 1:
                self.add(f"claim {c}, between", lambda v, at=block, by=size // 2: at(v).__setitem__("offset", by), "cells")
            self.add(f"claim {c}, a block less", lambda v, at=claim: at(v)["blocks"].pop(), "constraint")
        self.add("two claims", lambda v: v["claims"].insert(0, v["claims"].pop()))
        for p in range(len(self.honest["products"])):
            value = (lambda v, p=p: v["products"][p]["value"])
            self.add("product", lambda v, at=value: at(v).__setitem__(1, self.more(at(v)[1])), "constraint")


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
    assert [opening.judge(vector) for vector in VECTORS.values()] == ["accepted"] * 8
    assert real(list(VECTORS.values())) == ["accepted"] * 8


@pytest.mark.parametrize("name, each, at_least", [
    ("one group", 16, 170), ("three groups", 8, 340), ("products", 12, 290), ("deaf", 64, 500), ("full strength", 4, 90),
    ("tail", 8, 380), ("deaf tail", 32, 400), ("tail of full strength", 4, 100),
])  # fmt: skip
def test_every_change_is_rejected_by_both(name, each, at_least, record_property):
    made = Changes(name, each)
    made.sent()
    made.stated()
    verdicts = made.judged()
    record_property("judged", len(verdicts))
    assert "accepted" not in verdicts
    assert len(verdicts) >= at_least
