# SPDX-License-Identifier: Apache-2.0
"""Every golden session of this folder, as a test of its own."""

import pathlib

import pytest
import run

SESSIONS = sorted(pathlib.Path(__file__).parent.glob("*.clitest"))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda p: p.stem)
def test_session(path):
    differences = run.check(path)
    assert not differences, "\n".join(differences)


def test_a_session_that_differs_fails(tmp_path):
    """The runner itself can fail: on output, on stderr, on the exit code."""
    for text in ("$ echo a\nb\n", "$ echo a >&2\na\n", "$ false\n", "$ echo a\n"):
        path = tmp_path / "x.clitest"
        path.write_text(text)
        assert run.check(path), text
