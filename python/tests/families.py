# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of one framework in this process; each script checks its own cycle."""
import importlib
import pathlib
import sys

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


def families(framework):
    return sorted(p.stem for p in EXAMPLES.glob(f"*_{framework}.py"))


def run(name, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FLAIR_KEYPAIR", raising=False)
    result = importlib.import_module(name).main()
    assert result["versions"] == 4 and result["steps"] >= 3 and result["samples"] > 0 and result["changed"] > 0
    assert result["family"] == name.rpartition("_")[0]
    return result
