# SPDX-License-Identifier: Apache-2.0
"""Refreshed commitments: the reference's verdict and the real one, on the vectors, on changes to them, and on statement files."""
import copy
import hashlib
import json
import os
import random
import subprocess
import sys

import changes  # first: it finds the reference
import pytest
import run_changes

import refresh
import statement_file

VECTORS = {vector["name"]: vector for vector in json.loads(refresh.VECTORS.read_text())}
FLAIR = os.environ.get("FLAIR", changes.ROOT / "build/release/src/cli/flair")


def real(vectors):
    return [changes.named(line) for line in changes.said("refresh", vectors)]


def turned(text, at, by=1):
    data = bytearray(bytes.fromhex(text))
    data[at] ^= by
    return data.hex()


class Changes:
    """Changed copies of a vector, (what, vector)."""

    def __init__(self, name):
        self.honest, self.made, self.random = VECTORS[name], [], random.Random(name)

    def add(self, what, **members):
        vector = copy.deepcopy(self.honest) | members
        if vector != self.honest:
            self.made.append((what, vector))

    def proofs(self, count):
        proof = self.honest["proof"]
        size = len(proof) // 2
        for at in [*range(8), 8, 39, 40, 72, *self.random.sample(range(72, size), count)]:
            self.add(f"proof, byte {at}", proof=turned(proof, at, self.random.randrange(1, 256)))
        for length in [0, 7, 8, 40, 100, size - 1, *self.random.sample(range(size), 6)]:
            self.add(f"proof, cut at {length}", proof=proof[:2 * length])
        self.add("proof, longer", proof=proof + "00")
        for at in self.random.sample(range(200, 2000, 8), 4):
            self.add(f"proof, no element at {at}", proof=proof[:2 * at] + "ff" * 8 + proof[2 * at + 16:])
        others = [vector["proof"] for vector in VECTORS.values() if vector is not self.honest]
        self.add("another's proof", proof=self.random.choice(others))
        lookups_nonce = 72 + 32 * (len(self.groups()) - 1 + self.honest["has_tail"])
        for by in (1, 128):
            self.add("work for lookups", proof=turned(proof, lookups_nonce, by))

    def groups(self):
        """The witness's, and those of the matrices."""
        return {(m["log_columns"], m["log_n"], m["num_pads"]) for m in self.honest["matrices"]} | {"witness"}

    # The statement, and a proof that says it is about it.

    def put(self, what, **members):
        self.add(what, **members)
        vector = self.honest | members
        statement = refresh.Statement(bytes.fromhex(vector["wallet"]), list(zip(vector["matrices"], map(bytes.fromhex, vector["roots"]))))
        try:
            renamed = statement.hash().hex()
        except OverflowError:
            return
        self.add(f"{what}, and the proof", proof=self.honest["proof"][:16] + renamed + self.honest["proof"][80:], **members)

    def statements(self):
        matrices, roots = self.honest["matrices"], self.honest["roots"]
        for at in (0, 31):
            self.put(f"wallet, byte {at}", wallet=turned(self.honest["wallet"], at))
            for i in range(2):
                self.put(f"root {i}, byte {at}", roots=[turned(root, at) if j == i else root for j, root in enumerate(roots)])
        self.put("roots that changed places", roots=roots[::-1])
        self.put("matrices that changed places", matrices=matrices[::-1], roots=roots[::-1])
        self.put("shapes that changed places", matrices=matrices[::-1])
        for i in range(2):
            self.put(f"matrix {i} twice", matrices=[matrices[i]] * 2, roots=[roots[i]] * 2)
            for name in ("log_columns", "log_n", "num_rows", "num_pads"):
                for to in {0, 1, 2, matrices[i][name] - 1, matrices[i][name] + 1, 22, 25, 2**22 + 1}:
                    self.put(f"matrix {i}, {name} {to}", matrices=self.with_matrix(i, name, to))
            for kind in ("witness", "companion", "weights", "state", "data"):
                self.put(f"matrix {i} of {kind}", matrices=self.with_matrix(i, "kind", kind))
        for kind in ("witness", "weights", "state", "data"):
            self.put(f"both of {kind}", matrices=[matrix | {"kind": kind} for matrix in matrices])

    def with_matrix(self, i, name, to):
        return [matrix | {name: to} if j == i else matrix for j, matrix in enumerate(self.honest["matrices"])]

    def sizes(self):
        self.add("a tail or none", has_tail=not self.honest["has_tail"])
        for queries in (0, 1, 11, 13):
            self.add(f"{queries} queries", queries=queries)
        for bits in (0, 2, 4):
            self.add(f"{bits} bits of work", work_bits=bits)


def test_the_vectors_are_accepted():
    assert [refresh.judge(vector) for vector in VECTORS.values()] == real(list(VECTORS.values())) == ["accepted"] * len(VECTORS)


def test_the_vectors_have_all_that_there_is():
    for names in ({"weights", "state", "data"},):
        assert {vector["matrices"][0]["kind"] for vector in VECTORS.values()} == names
    widths = [[matrix["log_columns"] for matrix in vector["matrices"]] for vector in VECTORS.values()]
    assert {(before > after) - (before < after) for before, after in widths} == {-1, 0, 1}
    assert {vector["has_tail"] for vector in VECTORS.values()} == {True, False}
    # Vectors that end before the longer one's power of two.
    assert any(refresh.cells_of(matrix).bit_count() > 1 for vector in VECTORS.values() for matrix in vector["matrices"])


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_changes_are_what_they_say(name):
    vector = VECTORS[name]
    for change in vector["changed"]:
        member, _, place = change["part"].partition(".")
        changed = copy.deepcopy(vector)
        holder, key = (changed[member], int(place)) if place else (changed, member)
        holder[key] = turned(holder[key], change["at"])
        assert refresh.judge(changed) == changes.named(change["verdict"]) != "accepted", change


@pytest.mark.parametrize("name", VECTORS)
def test_both_verifiers_judge_every_change_alike(name):
    made = Changes(name)
    made.proofs(40)
    made.statements()
    made.sizes()
    verdicts = [changes.REFUSED.get(verdict, verdict) for verdict in map(refresh.judge, (vector for _, vector in made.made))]
    different = [three for three in zip((what for what, _ in made.made), verdicts, real([vector for _, vector in made.made]))
                 if three[1] != three[2]]  # fmt: skip
    assert not different, different
    # Who asks for less work gets more of it.
    accepted = {what for (what, _), verdict in zip(made.made, verdicts) if verdict == "accepted"}
    assert accepted <= {"0 bits of work", "2 bits of work", "4 bits of work"}
    assert len(made.made) >= 150
    assert {"about", "plan", "proof", "no lookups"} <= set(verdicts)


# Statement files, and proofs with as many queries as they need.


@pytest.fixture(scope="module", params=["weights", "state"])
def refreshed(request):
    return run_changes.made({"refresh": request.param, "cells": 700 if request.param == "weights" else 1})


def test_both_verifiers_judge_every_file_alike(refreshed):
    statement, proof = refreshed
    document, draw, made = json.loads(statement), random.Random(statement), []

    def add(what, text=statement, data=proof):
        assert (text, data) != refreshed, what
        made.append((what, text, data))

    def with_member(path, value, renamed):
        changed = copy.deepcopy(document)
        holder = changed[path[0]] if len(path) == 2 else changed
        holder[path[-1]] = value
        if changed == document:
            return
        text = statement_file.spelled(changed) + "\n"
        add(f"{path}: {str(value)[:30]}", text)
        if renamed:
            claim = statement_file.RefreshFile(text.encode())
            about = refresh.Statement(claim.wallet, [claim.before, claim.after]).hash()
            add(f"{path}: {str(value)[:30]}, and the proof", text, proof[:8] + about + proof[40:])

    with_member(("wallet",), statement_file.to_base58(hashlib.sha256(b"other").digest()), True)
    with_member(("of",), "state" if document["of"] == "weights" else "weights", True)
    for value in ("data", "witness", "", None, 3):
        with_member(("of",), value, False)
    for end in ("before", "after"):
        with_member((end, "root"), "00" * 32, True)
        with_member((end, "root"), "0" * 63, False)
        for name in ("kappa", "m", "rows", "pads"):
            for value in (0, 1, document[end][name] + 1, 2**40, -1, 1.5, "1", None):
                with_member((end, name), value, False)
        with_member((end,), document["after" if end == "before" else "before"], True)
        with_member((end,), [], False)
    for name, value in (("format", 2), ("format", "1"), ("kind", "other"), ("wallet", "0"), ("wallet", "1" * 31), ("more", 1)):
        with_member((name,), value, False)
    for name in document:
        add(f"no {name}", statement_file.spelled({key: value for key, value in document.items() if key != name}) + "\n")
    for what, text in (("a blank", statement.replace(",", ", ", 1)), ("no line end", statement[:-1]), ("cut", statement[:60]),
                       ("a member twice", statement.replace('"of":', '"of":"","of":', 1)), ("long", statement + " " * 2**16),
                       ("an escape", statement.replace('"w', '"\\u0077', 1)), ("deep", statement[:30] + "[" * 9000)):  # fmt: skip
        add(what, text)
    for at in [*range(8), 8, 40, *(draw.randrange(len(proof)) for _ in range(30))]:
        add(f"proof, byte {at}", data=proof[:at] + bytes([proof[at] ^ 1 << draw.randrange(8)]) + proof[at + 1:])
    for length in (0, 7, 39, 40, len(proof) - 1):
        add(f"proof, cut at {length}", data=proof[:length])
    verdicts = run_changes.judged(made)
    assert len(made) >= 120
    assert [what for (what, _, _), (kind, _) in zip(made, verdicts) if kind == "accepted"] == []
    assert {"rejected", "corrupt", "unchecked"} == {kind for kind, _ in verdicts}


def test_the_commands_are_one(refreshed, tmp_path):
    text, proof = refreshed
    names = tmp_path / "new.statement.json", tmp_path / "new.proof"

    def both():
        ends = []
        for command in ([FLAIR, "verify"], [sys.executable, changes.ROOT / "reference/verifier.py"]):
            said = subprocess.run([*command, names[1], "--statement", names[0]], capture_output=True, text=True, cwd=tmp_path)
            ends.append((said.returncode, said.stdout))
        return ends

    names[0].write_text(text)
    names[1].write_bytes(proof)
    theirs, mine = both()
    assert theirs == mine and theirs[0] == 0
    names[1].write_bytes(proof[:-1])
    assert both() == [(5, "")] * 2
    names[1].write_bytes(b"FLPR\2\0" + proof[6:])
    assert both() == [(1, "")] * 2
    names[0].write_text(text.replace('"before"', '"after"'))
    assert both() == [(5, "")] * 2
    names[0].unlink()
    assert both() == [(1, "")] * 2
