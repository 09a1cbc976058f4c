"""Rows of a benchmark: measured, printed as a table, written as JSON."""
import dataclasses
import json
import os
import pathlib
import platform
import statistics
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAIR = ROOT / "build/release/src/cli/flair"


@dataclasses.dataclass
class Row:
    name: str
    value: float
    unit: str
    baseline: float | None  # the peer's or the plain computation's value, in the same unit
    ratio: float | None  # value / baseline
    n: int  # runs behind the medians
    machine: str


def machine():
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}"


def row(name, values, unit, baselines=None):
    value = statistics.median(values)
    baseline = statistics.median(baselines) if baselines else None
    return Row(name, value, unit, baseline, value / baseline if baseline else None, len(values), machine())


def show(rows):
    print(f"{'name':40} {'value':>12} {'unit':8} {'baseline':>12} {'ratio':>8} {'n':>3}")
    for r in rows:
        baseline = f"{r.baseline:12.2f}" if r.baseline is not None else f"{'-':>12}"
        ratio = f"{r.ratio:8.2f}" if r.ratio is not None else f"{'-':>8}"
        print(f"{r.name:40} {r.value:12.2f} {r.unit:8} {baseline} {ratio} {r.n:3}")
    print(f"machine: {rows[0].machine}; medians of n runs")


def write(rows, path):
    path.write_text(json.dumps([dataclasses.asdict(r) for r in rows], indent=1) + "\n")


@dataclasses.dataclass
class Measured:
    seconds: float
    rss_mb: float  # peak of the process and its children
    output: str


def _tree_peak_kb(pid):
    """Peak resident memory of a process and of all below it, added up."""
    total = 0
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total += int(line.split()[1])
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                total += _tree_peak_kb(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total


class RssWatch:
    """Samples the memory of a process tree until it ends."""

    def __init__(self, pid):
        self.peak_kb, self._stop = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def _watch(self, pid):
        while not self._stop.wait(0.003):
            self.peak_kb = max(self.peak_kb, _tree_peak_kb(pid))

    def stop(self):
        self._stop.set()
        self._thread.join()
        return self.peak_kb / 1024


def run(*command, cwd=None, env=None):
    """Runs a command to its end; a failure ends the benchmark with the command's words."""
    start = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], cwd=cwd, env=env, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watch = RssWatch(process.pid)
    out, err = process.communicate()
    seconds = time.perf_counter() - start
    rss = watch.stop()
    if process.returncode != 0:
        raise SystemExit(f"bench: `{' '.join(map(str, command))}` ended with {process.returncode}\n{out}{err}")
    return Measured(seconds, rss, out)
