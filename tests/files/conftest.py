# SPDX-License-Identifier: Apache-2.0
"""Model files of real frameworks through the real command: what goes in comes out, and its tensors have names."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FLAIR = os.environ.get("FLAIR", ROOT / "build/release/src/cli/flair")


class Repo:
    """A repository on disk and the commands that the tests need."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {**os.environ, "HOME": str(folder.parent), "FLAIR_KEYPAIR": str(folder.parent / "id.json")}
        self.env.pop("XDG_CONFIG_HOME", None)
        folder.mkdir()
        self("wallet", "new")
        self("init")

    def __call__(self, *args, code=0):
        run = subprocess.run([FLAIR, *args], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)
        assert run.returncode == code, f"flair {args}: exit {run.returncode}\n{run.stdout}{run.stderr}"
        return run.stdout if code == 0 else run.stderr

    def commit(self, path, *more):
        self("add", path)
        self("commit", "-m", f"{path} changes", *more)

    def format(self, path, ref="HEAD"):
        return json.loads(self("show", "--json", f"{ref}:{path}"))["format"]

    def tensors(self, path, ref="HEAD"):
        """name -> (dtype, dims) of a file of a commit."""
        found = json.loads(self("show", "--json", f"{ref}:{path}"))["tensors"]
        return {t["name"]: (t["dtype"], tuple(t["dims"])) for t in found}

    def comes_back(self, path):
        """Whether a checkout gives the very bytes that were added."""
        file = self.folder / path
        before = file.read_bytes()
        file.unlink()
        self("restore", path)
        return file.read_bytes() == before

    def merge_two(self, path, save_a, save_b):
        """Two branches from HEAD, saved by the callables, averaged with equal weights into main."""
        for branch, save in (("a", save_a), ("b", save_b)):
            self("switch", "-c", branch, "main")
            save(self.folder / path)
            self.commit(path, "--samples", "10")
        self("switch", "main")
        self("merge", "a", "b", "--method", "fedavg", "-m", "Both")
        return self.folder / path


@pytest.fixture
def repo(tmp_path):
    return Repo(tmp_path / "work")
