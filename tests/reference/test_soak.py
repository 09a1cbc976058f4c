# SPDX-License-Identifier: Apache-2.0
"""`./dev soak NAME` builds what NAME runs, and nothing else."""
import subprocess
import sys

import changes

SOAK = changes.ROOT / "tools/soak.py"


def builds(*names):
    said = subprocess.run([sys.executable, SOAK, "--builds", *names], capture_output=True, text=True, check=True).stdout
    return {line.split()[0]: set(line.split()[1:]) for line in said.splitlines()}


def test_the_second_verifiers_soak_builds_its_judges():
    assert builds("verifier", "--hours", "1") == {"release": {"run_judge", "zk_vectors", "weights_vectors"}}


def test_only_the_fuzz_drivers_need_another_build():
    everything = builds()
    assert everything["asan"] == set() and everything["release"] >= {"flair", "store_test", "proof_prover_test", "run_judge"}
    for name in ("kill", "faults", "completeness", "cells", "verifier"):
        assert "asan" not in builds(name)
    assert builds("fuzz", "kill") == {"asan": set(), "release": {"flair"}}
