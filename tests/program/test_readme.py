# SPDX-License-Identifier: Apache-2.0
"""The README's "Training that is proven", line by line, as a newcomer types it; of fewer steps, and with a run before."""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples/proof"
STEPS = 3


def commands():
    section = (ROOT / "README.md").read_text().split("## Training that is proven")[1].split("\n## ")[0].replace("\\\n", " ")
    return [line.split("#")[0].strip() for line in section.splitlines() if line.startswith("    ")]


def shortened(name, folder, steps):
    text = (EXAMPLES / name).read_text()
    assert text.count(steps) == 1, f"{name} does not say {steps}"
    (folder / name).write_text(text.replace(steps, steps.replace("100", str(STEPS))))


def test_what_the_readme_says_of_proofs_works(tmp_path):
    folder = tmp_path / "proof"
    shutil.copytree(EXAMPLES, folder, ignore=lambda _, names: [name for name in names if not name.endswith((".txt", ".py", ".toml"))])
    shortened("mlp.toml", folder, "steps = 100")
    shortened("record.py", folder, "else 100")
    beside = [os.path.dirname(path) for path in (os.environ.get("FLAIR_COMMAND"), sys.executable) if path]
    env = {"HOME": str(tmp_path), "PATH": ":".join((*beside, os.environ["PATH"]))}

    def run(command):
        done = subprocess.run(command, shell=True, cwd=folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    verdicts, run_id, recorded = [], None, None
    assert commands()[0] == "cd examples/proof"
    for command in commands()[1:]:
        if "flair prove mlp-runs" in command:
            assert "mlp-runs/ID" in command
            command = command.replace("ID", run_id)
        if "flair prove .flair" in command:
            # What was printed is the README's line, with its words filled in.
            words = zip(command.split(), recorded.split(), strict=True)
            assert all(said == printed or {"ID", "SEED"} & set(said.split("/")) for said, printed in words), recorded
            command = recorded
        said = run(command)
        if command.startswith("flair train"):
            said = run(command)  # not the first run in this folder
            run_id = said.split()[1].rsplit("/", 1)[1]
        if command.startswith("python record.py"):
            recorded = said.strip()
        if command.startswith("flair verify"):
            verdicts.append(said)
    exact, framework = verdicts
    assert f"proven: {STEPS} steps of training" in exact and "every step is exact" in exact
    assert f"proven: {STEPS} steps of training" in framework and "every step is exact" not in framework
