# SPDX-License-Identifier: Apache-2.0
"""Refreshed commitments: the reference's verdict and the real one, on the vectors, on changes to them, and on statement files."""
import copy
import functools
import hashlib
import json
import os
import random
import subprocess
import sys

import changes  # first: it finds the reference
import commitment_changes
import pytest
import run_changes

import commitment
import masking
import refresh
import statement_file
from commitment_changes import REFRESHES as VECTORS, RefreshChanges

FLAIR = os.environ.get("FLAIR", changes.ROOT / "build/release/src/cli/flair")


def test_the_vectors_are_accepted():
    assert [refresh.judge(vector) for vector in VECTORS.values()] == RefreshChanges.real(list(VECTORS.values())) == ["accepted"] * len(VECTORS)


def test_the_vectors_have_all_that_there_is():
    assert {vector["matrices"][0]["kind"] for vector in VECTORS.values()} == {"weights", "state", "data"}
    widths = [[matrix["log_columns"] for matrix in vector["matrices"]] for vector in VECTORS.values()]
    assert {(before > after) - (before < after) for before, after in widths} == {-1, 0, 1}
    assert {vector["has_tail"] for vector in VECTORS.values()} == {True, False}
    # Vectors that end before the longer one's power of two.
    assert any(commitment.cells_of(matrix).bit_count() > 1 for vector in VECTORS.values() for matrix in vector["matrices"])


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_changes_are_what_they_say(name):
    commitment_changes.check_changed(VECTORS[name], refresh.judge)


@pytest.mark.parametrize("name", VECTORS)
def test_both_verifiers_judge_every_change_alike(name, record_property):
    made = RefreshChanges(name)
    made.proofs(40)
    made.statements()
    made.sizes()
    verdicts = made.judged()
    record_property("judged", len(verdicts))
    assert len(made.made) >= 150
    assert {"about", "plan", "proof", "no lookups"} <= set(verdicts)


# Statement files, and proofs with as many queries as they need.


@pytest.fixture(scope="module", params=["weights", "state", "data"])
def refreshed(request):
    return run_changes.made({"refresh": request.param, "cells": {"weights": 700, "state": 1, "data": 30}[request.param]})


def digest_of(matrix):
    """A card's, where there is one."""
    try:
        shape = {"log_columns": matrix["kappa"], "log_n": matrix["m"], "num_rows": matrix["rows"], "num_pads": matrix["pads"]}
        return commitment.matrix_digest(shape | {"kind": "data"}, bytes.fromhex(matrix["root"])).hex()
    except (AttributeError, TypeError, ValueError, OverflowError):
        return matrix["digest"]


# Attack: one card is said to be the refreshed other, and reads the same cells otherwise.
def test_cards_that_read_otherwise_are_rejected():
    text, proof = run_changes.made({"refresh": "data", "cells": 30})
    made, document = [], json.loads(text)
    changed = {"records": {"records": 14}, "swapped": {"columns": document["after"]["columns"][::-1]},
               "scale": {"columns": [document["after"]["columns"][0] | {"scale": 4}, document["after"]["columns"][1]]}}  # fmt: skip
    for what, members in changed.items():
        after = document["after"] | members
        made.append((what, statement_file.spelled(document | {"after": after}) + "\n", proof))
        made.append((f"{what}, both", statement_file.spelled(document | {"before": document["before"] | members, "after": after}) + "\n", proof))
    assert [run_changes.judged([one])[0] for one in made] == [("rejected", "cards"), ("rejected", "about")] * 3


def test_both_verifiers_judge_every_file_alike(refreshed):
    statement, proof = refreshed
    document, draw, made = json.loads(statement), random.Random(statement), []

    def add(what, text=statement, data=proof):
        assert (text, data) != refreshed, what
        made.append((what, text, data))

    def with_member(path, value, renamed):
        changed = copy.deepcopy(document)
        holder = functools.reduce(lambda holder, name: holder[name], path[:-1], changed)
        holder[path[-1]] = value
        if path[-1] in ("root", "kappa", "m", "pads") and document["of"] == "data":
            holder["digest"] = digest_of(holder)
        if changed == document:
            return
        text = statement_file.spelled(changed) + "\n"
        add(f"{path}: {str(value)[:30]}", text)
        if renamed:
            try:
                about = statement_file.RefreshFile(text.encode()).statement().hash()
            except masking.Rejected:
                return  # nothing that a proof could be of
            add(f"{path}: {str(value)[:30]}, and the proof", text, proof[:8] + about + proof[40:])

    with_member(("wallet",), statement_file.to_base58(hashlib.sha256(b"other").digest()), True)
    for of in ("weights", "state", "data"):
        with_member(("of",), of, True)
    for value in ("witness", "tail", "", None, 3):
        with_member(("of",), value, False)
    is_data = document["of"] == "data"
    for end in ("before", "after"):
        matrix = (end, "matrix") if is_data else (end,)
        with_member((*matrix, "root"), "00" * 32, True)
        with_member((*matrix, "root"), "0" * 63, False)
        numbers = document[end]["matrix"] if is_data else document[end]
        for name in ("kappa", "m", "rows", "pads"):
            for value in (0, 1, numbers[name] + 1, 2**40, -1, 1.5, "1", None):
                with_member((*matrix, name), value, False)
        if is_data:
            columns = document[end]["columns"]
            for path, value in (("name", "other"), ("records", 16), ("columns", columns[::-1]), ("columns", columns[:1])):
                with_member((end, path), value, True)
            for name, value in (("name", "z"), ("scale", 4), ("scale", 61), ("bits", 13), ("dims", [1]), ("source", "F32")):
                with_member((end, "columns", 0, name), value, True)
            with_member((end, "columns", 1, "classes"), 101, True)
            with_member((*matrix, "generation"), 7, False)
            with_member((*matrix, "digest"), "00" * 32, False)
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
    # How often a commitment was made anew says nothing of its cells.
    accepted = {what for (what, _, _), (kind, _) in zip(made, verdicts) if kind == "accepted"}
    assert accepted == ({f"('{end}', 'matrix', 'generation'): 7" for end in ("before", "after")} if is_data else set())
    assert {"rejected", "corrupt", "unchecked"} <= {kind for kind, _ in verdicts}


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
