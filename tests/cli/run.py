#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden command-line sessions.

A `.clitest` file is a conversation: `$ command`, then what it prints, `err:` lines for stderr,
`exit: N` when it is not 0. Commands of one file share an empty folder, a home with a fixed wallet,
and a clock that stands still (FLAIR_TEST_TIME). `[..]` in an expected line stands for anything;
the session's folder prints as [ROOT], the hub's address as [HUB]. Lines that start with `#` are
comments. `#: hub` starts a hub for the session; its clock runs, so the session's does too, and ids and times print
as [id 1], [id 2], ... and [time]. Helpers on the PATH: tests/cli/bin.

    run.py [FILE...]            run and compare (default: all)
    run.py --update [FILE...]   write down what was printed instead
"""

import argparse
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FLAIR = pathlib.Path(os.environ.get("FLAIR_BIN", ROOT / "build/release/src/cli/flair"))
NOW = "1764038364"  # 2025-11-25T02:39:24Z


class Step:
    """One command and what it is expected to print."""

    def __init__(self, line, number):
        self.command, self.number = line[2:], number
        self.before = []  # comments and blank lines above, kept by --update
        self.expected = []


def parse(text):
    """Returns (steps, lines after the last step)."""
    steps, pending = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            step = Step(line, number)
            step.before, pending = pending, []
            steps.append(step)
        elif line.startswith("#"):
            pending.append(line)
        elif not steps or pending:
            pending.append(line)
        else:
            steps[-1].expected.append(line)
    for step in steps:  # blank lines at the end only separate
        blank = 0
        while step.expected and not step.expected[-1]:
            step.expected.pop()
            blank += 1
        step.blank_after = blank
    return steps, pending


class Hub:
    def __init__(self, folder, env):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = (folder / "hub.log").open("wb")
        env = {k: v for k, v in env.items() if k != "FLAIR_TEST_TIME"}
        self.process = subprocess.Popen([FLAIR, "hub", "serve", "--data", folder / "hub", "--listen", f"127.0.0.1:{port}"],
                                        stdout=self.log, stderr=self.log, env=env)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=1)
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError("the hub did not start:\n" + (folder / "hub.log").read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()


class Session:
    """An empty folder with homes, wallets and a pinned clock."""

    def __init__(self, text):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="flair-cli-"))
        self.work = self.folder / "work"
        self.work.mkdir()
        self.env = {
            "PATH": f"{HERE / 'bin'}:{FLAIR.parent}:{os.environ['PATH']}",
            "FLAIR_TEST_TIME": NOW,
            "SESSION": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder / "alice"),
        }
        for name in ("alice", "bob", "carol"):
            config = self.folder / name / ".config/flair"
            config.mkdir(parents=True)
            shutil.copy(HERE / "wallets" / f"{name}.json", config / "id.json")
        self.hub, self.ids = None, {}
        if re.search(r"^#: hub$", text, re.M):
            self.hub = Hub(self.folder, self.env)
            self.env["HUB"] = self.hub.url
            del self.env["FLAIR_TEST_TIME"]

    def run(self, command):
        """Returns the lines a session file would show."""
        done = subprocess.run(["sh", "-c", command], cwd=self.work, env=self.env, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=120)
        out = self.clean(done.stdout).splitlines()
        out += [f"err: {line}" for line in self.clean(done.stderr).splitlines()]
        if done.returncode != 0:
            out.append(f"exit: {done.returncode}")
        return out

    def clean(self, raw):
        text = raw.decode("utf-8", "backslashreplace").replace(str(self.folder), "[ROOT]")
        if not self.hub:
            return text
        text = re.sub(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[time]", text.replace(self.hub.url, "[HUB]"))
        return re.sub(r"\b[0-9a-f]{12}(?:[0-9a-f]{52})?\b", self.name_of, text)

    def name_of(self, match):
        """A short and a long form of one id have one name."""
        return f"[id {self.ids.setdefault(match.group()[:12], len(self.ids) + 1)}]"

    def close(self):
        if self.hub:
            self.hub.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def matches(expected, printed):
    parts = expected.split("[..]")
    return re.fullmatch(".*".join(map(re.escape, parts)), printed) is not None


def same(expected, printed):
    return len(expected) == len(printed) and all(map(matches, expected, printed))


def check(path):
    """Returns a list of differences, each a readable text."""
    text = path.read_text()
    steps, _ = parse(text)
    session = Session(text)
    try:
        for step in steps:
            printed = session.run(step.command)
            if not same(step.expected, printed):
                want = "\n".join(f"  - {line}" for line in step.expected)
                got = "\n".join(f"  + {line}" for line in printed)
                # Later steps build on this one: their differences would only hide it.
                return [f"{path.name}:{step.number}: $ {step.command}\n{want}\n{got}"]
    finally:
        session.close()
    return []


def update(path):
    text = path.read_text()
    steps, rest = parse(text)
    session = Session(text)
    out = []
    try:
        for step in steps:
            printed = session.run(step.command)
            if same(step.expected, printed):
                printed = step.expected  # keeps [..]
            out += [*step.before, f"$ {step.command}", *printed, *[""] * step.blank_after]
    finally:
        session.close()
    path.write_text("\n".join([*out, *rest]).rstrip("\n") + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    failed = 0
    for path in options.files or sorted(HERE.glob("*.clitest")):
        if options.update:
            update(path)
            continue
        differences = check(path)
        failed += bool(differences)
        print(f"{'FAILED' if differences else 'ok    '} {path.name}")
        for difference in differences:
            print(difference)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
