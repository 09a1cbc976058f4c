# SPDX-License-Identifier: Apache-2.0
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

# Two copies of LLVM live in a process with both frameworks; the one behind torch._dynamo must come first.
import torch._dynamo  # noqa: E402, F401

import pytest  # noqa: E402

import flair  # noqa: E402


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """An empty repository of a new wallet, apart from whatever the user has."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("FLAIR_KEYPAIR", str(tmp_path / "id.json"))
    flair.new_wallet(tmp_path / "id.json")
    return flair.init(tmp_path / "work")
