# SPDX-License-Identifier: Apache-2.0
"""A running hub for the tests of this folder: one process, one repository with history."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from ed25519 import Key

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FLAIR = os.environ.get("FLAIR_BIN", str(ROOT / "build/release/src/cli/flair"))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Hub:
    """The process, and short ways to ask it."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "data"
        self.process = None
        self.start()

    def start(self):
        command = [FLAIR, "hub", "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                if self.ask("GET", "/healthz").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the hub does not answer")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    def ask(self, method, path, body=None, token=None, headers=None):
        request = urllib.request.Request(self.url + path, method=method)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if token:
            request.add_header("Authorization", "Bearer " + token)
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, data=data, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def challenge(self, key, scopes=("read", "push", "review")):
        asked = {"wallet": key.wallet, "scopes": list(scopes)}
        return self.ask("POST", "/api/v1/auth/challenge", asked).json()

    def sign_in(self, key, scopes=("read", "push", "review")):
        challenge = self.challenge(key, scopes)
        signature = key.sign(challenge["text"].encode()).hex()
        body = {"nonce": challenge["nonce"], "signature": signature}
        answer = self.ask("POST", "/api/v1/auth/session", body)
        assert answer.status == 200, answer.body
        return answer.json()["token"]

    def flair(self, home, cwd, *arguments):
        """The command line as the wallet in `home`."""
        env = dict(os.environ, HOME=str(home), XDG_CONFIG_HOME=str(home / ".config"))
        env["FLAIR_KEYPAIR"] = str(home / "id.json")
        done = subprocess.run([FLAIR, *map(str, arguments)], cwd=cwd, env=env, text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout


class Person:
    def __init__(self, folder, number):
        self.key = Key(bytes([number]) * 32)
        self.home = folder / f"person{number}"
        self.home.mkdir()
        keyfile = self.home / "id.json"
        keyfile.write_text(json.dumps(list(self.key.secret)))
        keyfile.chmod(0o600)
        self.token = None


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    running = Hub(tmp_path_factory.mktemp("hub"))
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="session")
def owner(hub, tmp_path_factory):
    person = Person(tmp_path_factory.mktemp("people"), 1)
    person.token = hub.sign_in(person.key)
    return person


def tiny_safetensors(value):
    import struct

    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + struct.pack("<4f", 1, 2, 3, value)


@pytest.fixture(scope="session")
def repo(hub, owner, tmp_path_factory):
    """`/api/v1/repos/…` of a public repository with two commits."""
    made = hub.ask("POST", "/api/v1/repos", {"name": "digits", "visibility": "public"}, owner.token)
    assert made.status == 201, made.body
    work = tmp_path_factory.mktemp("work")
    address = f"{hub.url}/{owner.key.wallet}/digits"
    hub.flair(owner.home, work, "login", hub.url)
    hub.flair(owner.home, work, "init")
    hub.flair(owner.home, work, "remote", "add", "origin", address)
    for value in (4, 5):
        (work / "model.safetensors").write_bytes(tiny_safetensors(value))
        hub.flair(owner.home, work, "add", ".")
        hub.flair(owner.home, work, "commit", "-m", f"value {value}")
    hub.flair(owner.home, work, "push")
    return f"/api/v1/repos/{owner.key.wallet}/digits"
