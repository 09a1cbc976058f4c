#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at every step of a push, of the client or of the hub.

Each round commits a new version of a tiny model, now and then with a long table, and pushes it, with one side killed at a chosen
call that writes, syncs, renames or sends (kill_at.c). Whatever the moment: the branch is at the old
or at the new commit, and the same push, run again, ends with the new one. At the end the hub's
fsck and a clone, compared byte for byte, find everything.
"""
import argparse
import json
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FLAIR = pathlib.Path(os.environ.get("FLAIR_COMMAND", ROOT / "build/release/src/cli/flair"))
KILLED = -9
SAMPLE_ROUNDS = 500  # of ./dev test; ./dev soak does SOAK_ROUNDS
SOAK_ROUNDS = 10_000


def build_killer(folder):
    library = folder / "kill_at.so"
    source = pathlib.Path(__file__).with_name("kill_at.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def model(version, elements=600):
    """Three float32 tensors; every version differs a little from the one before."""
    values = random.Random(7)
    step = random.Random(version)
    size = 4 * elements
    header = {f"layer{i}.weight": {"dtype": "F32", "shape": [elements], "data_offsets": [i * size, (i + 1) * size]}
              for i in range(3)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = [values.uniform(-1, 1) + step.uniform(-1e-4, 1e-4) for _ in range(3 * elements)]
    return len(text).to_bytes(8, "little") + text + struct.pack(f"<{len(data)}f", *data)


def table(version, size=20_000_000):
    """Noise that no codec shortens: an upload so long that the hub stores it while it arrives."""
    header = json.dumps({"table": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + random.Random(version).randbytes(size)


class Hub:
    """A hub that is started again, on the same port, whenever it was killed."""

    def __init__(self, folder, killer):
        self.folder, self.killer = folder, killer
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = (folder / "hub.log").open("ab")
        self.lock, self.stopping, self.kills = threading.Lock(), False, 0
        self.start()
        self.watch = threading.Thread(target=self._keep_running, daemon=True)
        self.watch.start()

    def start(self, kill_at=0):
        env = {**os.environ, "HOME": str(self.folder)}
        if kill_at:
            env |= {"LD_PRELOAD": str(self.killer), "FLAIR_KILL_AT": str(kill_at)}
        self.process = subprocess.Popen([FLAIR, "hub", "serve", "--data", self.folder / "data", "--listen",
                                         f"127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log, env=env)
        for _ in range(2000):
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=2)
                return
            except OSError:
                if self.process.poll() is None:
                    time.sleep(0.005)
                elif kill_at:
                    return  # killed on the way up: the watcher starts a whole one
                else:
                    break
        raise SystemExit("the hub did not start:\n" + (self.folder / "hub.log").read_text()[-2000:])

    def restart(self, kill_at):
        with self.lock:
            self.process.kill()
            self.process.wait()
            self.start(kill_at)

    def _keep_running(self):
        while not self.stopping:
            with self.lock:
                if self.process.poll() is not None and not self.stopping:
                    self.kills += 1
                    self.start()
            time.sleep(0.003)

    def stop(self):
        self.stopping = True
        with self.lock:
            self.process.terminate()
            self.process.wait(30)


class Worker:
    """One hub, one repository, its share of the rounds."""

    def __init__(self, folder, killer, seed):
        folder.mkdir()
        self.folder, self.killer, self.random = folder, killer, random.Random(seed)
        self.env = {"HOME": str(folder / "home"), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        (folder / "home").mkdir()
        (folder / "hub").mkdir()
        self.hub = Hub(folder / "hub", killer)
        self.repo = folder / "repo"
        self.flair("wallet", "new", cwd=folder)
        self.wallet = json.loads(self.flair("wallet", "show", "--json", cwd=folder))["address"]
        self.flair("login", self.hub.url, cwd=folder)
        self.address = f"{self.hub.url}/{self.wallet}/digits"
        self.flair("repo", "create", self.address, cwd=folder)
        self.flair("init", self.repo, cwd=folder)
        self.flair("remote", "add", "origin", self.address)
        self.versions, self.last_table = [], None
        self.commit()
        self.flair("push")
        self.client_steps = self.count_steps()
        self.killed = {"client": 0, "hub": 0}
        self.rounds = self.old_seen = self.new_seen = 0

    def run(self, *arguments, cwd=None, **env):
        return subprocess.run([FLAIR, *map(str, arguments)], cwd=cwd or self.repo, env={**self.env, **env},
                              capture_output=True, text=True, timeout=120)

    def flair(self, *arguments, cwd=None):
        done = self.run(*arguments, cwd=cwd)
        if done.returncode != 0:
            raise SystemExit(f"flair {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def commit(self, long=False):
        self.versions.append(model(len(self.versions)))
        (self.repo / "model.safetensors").write_bytes(self.versions[-1])
        if long:
            self.last_table = table(len(self.versions))
            (self.repo / "table.safetensors").write_bytes(self.last_table)
        self.flair("add", ".")
        self.flair("commit", "-m", f"version {len(self.versions)}", "--samples", "10")
        return json.loads(self.flair("log", "--json", "-n", "1"))["commits"][0]["commit"]

    def count_steps(self):
        self.commit()
        counted = self.folder / "count"
        done = self.run("push", LD_PRELOAD=str(self.killer), FLAIR_COUNT_FILE=str(counted))
        assert done.returncode == 0, done.stderr
        return int(counted.read_text())

    def tip(self):
        token = json.loads((self.folder / "home/.config/flair/tokens.json").read_text())["hubs"][self.hub.url][self.wallet]["token"]
        request = urllib.request.Request(f"{self.hub.url}/api/v1/repos/{self.wallet}/digits/refs",
                                         headers={"Authorization": f"Bearer {token}"})
        for _ in range(500):
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    refs = json.load(answer)["refs"]
                    return {r["name"]: r["commit"] for r in refs}["heads/main"]
            except (OSError, ValueError):  # it is being started again
                time.sleep(0.01)
        raise SystemExit("the hub does not come back")

    def round(self, number):
        old = self.tip()
        long = number % 50 >= 46
        new = self.commit(long)
        if number % 5 == 4:
            # Its start has some thirty steps of its own; those are meant too.
            self.hub.restart(kill_at=1 + self.random.randrange(200 if long else 64))
            before = self.hub.kills
            done = self.run("push")
            self.killed["hub"] += self.hub.kills > before
        else:
            # The steps before the hub decides are few; every other round aims at them.
            steps = self.client_steps if number // 2 % 2 else self.client_steps // 3
            steps += 100 if long else 0
            at = 1 + self.random.randrange(steps)
            done = self.run("push", LD_PRELOAD=str(self.killer), FLAIR_KILL_AT=str(at))
            self.killed["client"] += done.returncode == KILLED
        found = self.tip()
        assert found in (old, new), f"round {number}: the branch is at {found}, neither {old} nor {new}"
        self.old_seen += found == old
        self.new_seen += found == new
        assert found == new or done.returncode != 0, f"round {number}: success was told, nothing moved"
        for _ in range(3):  # the hub may still be on its way up
            done = self.run("push")
            if done.returncode == 0:
                break
        assert done.returncode == 0, f"round {number}: the push does not go on: {done.stderr}"
        assert self.tip() == new, f"round {number}: the push went on and the branch is elsewhere"
        self.rounds += 1

    def finish(self):
        self.flair("fsck")
        clone = self.folder / "clone"
        self.flair("clone", self.address, clone, cwd=self.folder)
        assert (clone / "model.safetensors").read_bytes() == self.versions[-1], "the clone holds other bytes"
        if self.last_table is not None:
            assert (clone / "table.safetensors").read_bytes() == self.last_table, "the clone holds another table"
        self.flair("fsck", cwd=clone)
        self.hub.stop()
        self.flair("hub", "fsck", "--data", self.folder / "hub/data", cwd=self.folder)


def run(rounds, workers=2, seed=1, seconds=float("inf")):
    """Returns what was done, which is less when `seconds` are over; raises on the first wrong state."""
    started, results, failures = time.monotonic(), [], []
    with tempfile.TemporaryDirectory(prefix="flair-kill-") as folder:
        folder = pathlib.Path(folder)
        killer = build_killer(folder)

        def work(index):
            worker = None
            try:
                worker = Worker(folder / f"worker{index}", killer, seed + index)
                for number in range(index, rounds, workers):
                    if time.monotonic() - started > seconds:
                        break
                    worker.round(number)
                worker.finish()
                results.append(worker)
            except BaseException as error:  # noqa: BLE001 - told below, whatever it is
                failures.append(error)
                if worker is not None:
                    worker.hub.stop()

        threads = [threading.Thread(target=work, args=(i,)) for i in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return {"rounds": sum(w.rounds for w in results), "seconds": round(time.monotonic() - started, 1),
                "client_killed": sum(w.killed["client"] for w in results),
                "hub_killed": sum(w.killed["hub"] for w in results),
                "old_state": sum(w.old_seen for w in results), "new_state": sum(w.new_seen for w in results)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=SAMPLE_ROUNDS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(run(options.rounds, options.workers, options.seed)))
    sys.exit(0)
