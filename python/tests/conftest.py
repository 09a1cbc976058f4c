# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

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


def flair_command():
    beside = os.path.join(os.path.dirname(sys.executable), "flair")
    return os.environ.get("FLAIR_COMMAND") or (beside if os.path.exists(beside) else shutil.which("flair"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    if flair_command() is None:
        pytest.skip("the flair command is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("hub")
    process = subprocess.Popen([flair_command(), "hub", "serve", "--data", str(folder / "data"), "--listen", f"127.0.0.1:{port}"],
                               stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"))
    url = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=1)
            break
        except OSError:
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(20)


@pytest.fixture
def people(tmp_path, monkeypatch):
    """become(name) changes home and key."""
    def become(name):
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        monkeypatch.setenv("HOME", str(home))
        for inherited in ("XDG_CONFIG_HOME", "FLAIR_KEYPAIR", "FLAIR_HUB", "FLAIR_TOKEN"):
            monkeypatch.delenv(inherited, raising=False)
        key = home / ".config/flair/id.json"
        return flair.wallet(key) if key.exists() else flair.new_wallet(key)
    return become
