# SPDX-License-Identifier: Apache-2.0
"""What the reference prints is what the vectors hold: the C++ tests compare themselves with the files."""
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = {"foundation": "zk_foundation", "commitment": "zk_commitment", "data_card": "data_card", "draws": "draws", "merge": "merge",
            "objects": "objects", "optimisers": "optimisers", "pack": "pack", "program_vectors": "program", "run": "run", "wire": "wire"}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_reference_prints_the_vectors(program):
    printed = subprocess.run([sys.executable, ROOT / f"reference/{program}.py"], capture_output=True, text=True, check=True)
    assert printed.stdout == (ROOT / f"tests/vectors/{PROGRAMS[program]}.json").read_text()
