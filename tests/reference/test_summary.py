# SPDX-License-Identifier: Apache-2.0
"""The summary of `./dev test`: what tests counted, in a line of its own before the line of tests."""
import json
import subprocess
import sys

import changes

SUMMARY = changes.ROOT / "tools/dev/summary.py"
XML = """<testsuites><testsuite><testcase classname="tests.reference.test_verifier" name="a"><properties>
<property name="judged" value="700"/></properties></testcase></testsuite></testsuites>"""


def said(folder):
    return subprocess.run([sys.executable, SUMMARY, folder], capture_output=True, text=True, check=True).stdout.splitlines()


def googletest(**cases):
    suites = [{"name": "CellChangesTest", "testsuite": [{"name": name, "changes": str(n)} for name, n in cases.items()]}]
    return json.dumps({"tests": len(cases), "failures": 0, "errors": 0, "testsuites": suites})


def test_what_tests_counted_is_added_up(tmp_path):
    for preset in ("asan", "release"):  # one test in two builds counts once
        (tmp_path / preset).mkdir()
        (tmp_path / preset / "proof_prover_test.json").write_text(googletest(A=1000, B=296))
    (tmp_path / "reference.xml").write_text(XML)
    assert said(tmp_path)[-2:] == ["counted: 1,296 changed cells, 700 changed proofs for two verifiers", "5 passed, 0 failed, 0 skipped"]


def test_without_counts_there_is_no_line(tmp_path):
    (tmp_path / "x_test.json").write_text(googletest(A="x"))
    assert not any("counted" in line for line in said(tmp_path))
