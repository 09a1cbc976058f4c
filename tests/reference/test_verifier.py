# SPDX-License-Identifier: Apache-2.0
"""The whole verifier: the reference's verdict and the real one on proofs of runs, and on changes to everything in them."""
import json
import os
import subprocess
import sys

import changes  # first: it finds the reference
import pytest
import run_changes

import verifier

FLAIR = os.environ.get("FLAIR", changes.ROOT / "build/release/src/cli/flair")

@pytest.fixture(scope="module")
def runs():
    return {name: run_changes.make(question) for name, question in run_changes.RUNS.items()}


def test_honest_runs_are_accepted(runs):
    cases = [(name, run.statement, run.proof) for name, run in runs.items()]
    assert run_changes.judged(cases) == [("accepted", "")] * len(runs)


def test_runs_have_all_that_a_statement_has(runs):
    documents = [run.document for run in runs.values()]
    assert {"card", "slack"} <= {member for document in documents for member in document}
    assert any("state" in document["before"] and "state" in document["after"] for document in documents)
    assert any(document["first_step"] for document in documents) and any(len(run.chunks) > 1 for run in runs.values())


@pytest.mark.parametrize("name, proofs", [(name, 8 if name == "in chunks" else 16) for name in run_changes.RUNS])
def test_both_verifiers_judge_every_change_alike(runs, name, proofs, record_property):
    made = run_changes.Changes(name, runs)
    made.of_statement()
    made.of_chain()
    made.of_agreements()
    made.of_proof(proofs)
    verdicts = run_changes.judged(made.made)
    record_property("judged", len(verdicts))
    assert len(verdicts) >= run_changes.SAMPLE // len(runs)
    # Nothing that was changed is still proven.
    assert [what for (what, _, _), (kind, _) in zip(made.made, verdicts) if kind == "accepted"] == []
    assert {"rejected", "corrupt", "unchecked"} <= {kind for kind, _ in verdicts}


# What `flair verify` and the reference say and how they end, on what each of the three can end with.
@pytest.mark.parametrize("name", ["exact", "in chunks", "recorded", "a network"])
def test_the_commands_are_one(runs, name, tmp_path):
    run = runs[name]
    statement, proof = tmp_path / "run.statement.json", tmp_path / "run.proof"

    def both():
        ends = []
        for command in ([FLAIR, "verify"], [sys.executable, changes.ROOT / "reference/verifier.py"]):
            said = subprocess.run([*command, proof, "--statement", statement], capture_output=True, text=True, cwd=tmp_path)
            ends.append((said.returncode, said.stdout))
        return ends

    statement.write_text(run.statement)
    proof.write_bytes(run.proof)
    theirs, mine = both()
    assert theirs == mine and theirs[0] == 0
    proof.write_bytes(run.proof[:-1])
    assert both() == [(5, "")] * 2
    proof.write_bytes(run.proof)
    statement.write_text(run_changes.spelled(json.loads(run.statement) | {"seed": "00" * 32}))
    assert both() == [(5, "")] * 2
    statement.write_text(run_changes.spelled(json.loads(run.statement) | {"format": 2}))
    assert both() == [(1, "")] * 2
    statement.unlink()
    assert both() == [(1, "")] * 2


def test_the_judge_has_a_name_for_every_check():
    assert {run_changes.KINDS.get(check, "rejected") for check in verifier.UNCHECKABLE} == {"unchecked"}
