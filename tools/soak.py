#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tests that count, with the counts of days instead of minutes.

  kill          a push whose client or hub is killed at a random step: tests/faults/kill_push.py
  faults        the store's fault loops, each time over a batch of other sizes: the failing and
                the crashing of every single operation of it
  fuzz          every fuzz driver over its corpus: tools/fuzz.py
  completeness  random programs trained, proven and verified, by the 300
  cells         every committed cell of small runs changed, proven and refused
  verifier      changed proofs of runs, refreshed commitments and committed weights, judged by the real
                verifier and the reference's: tests/reference/run_changes.py, commitment_changes.py

Prints a row for each: what `./dev test` does, what was done here. Ends with 1 when one failed.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("tests/faults", "tests/reference", "tools")]
import changes  # noqa: E402
import commitment_changes  # noqa: E402
import fuzz  # noqa: E402
import kill_push  # noqa: E402
import run_changes  # noqa: E402
from commitment_changes import RefreshChanges, WeightsChanges  # noqa: E402

STORE_TEST = ROOT / "build/release/src/store/store_test"
# The tests that record how many faults they injected.
FAULT_LOOPS = ":".join(["DurabilityTest.FailingAnyOperation*", "DurabilityTest.ACrashAtAnyOperation*",
                        "UpkeepTest.CollectionThatFailsAnywhere*"])
FAULT_SEEDS = 200
FUZZ_SECONDS = 1800  # for each driver
RUN_TEST = ROOT / "build/release/src/proof/prover/proof_prover_test"
PROGRAM_BATCHES = 100


# Each soak returns what the test's sample counts, what was counted here, and what went wrong, or "".


def soak_kill(seconds):
    sample, seed = f"{kill_push.SAMPLE_ROUNDS:,} rounds", int(time.time())
    print(f"kill: seed {seed}", flush=True)
    try:
        done = kill_push.run(kill_push.SOAK_ROUNDS, seed=seed, seconds=seconds)
    except (Exception, SystemExit):  # how kill_push tells what it found
        return sample, f"seed {seed}", traceback.format_exc()
    print(f"kill: {json.dumps(done)}", flush=True)
    return sample, f"{done['rounds']:,} rounds", ""


def run_seeded(program, tests, seed):
    """Runs tests with a seed of their own. Returns (their reports, what went wrong)."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        run = subprocess.run([program, f"--gtest_filter={tests}", "--gtest_brief=1",
                              *([f"--gtest_random_seed={seed}", "--gtest_shuffle"] if seed else []),
                              f"--gtest_output=json:{report}"], capture_output=True, text=True)
        if run.returncode:
            return [], f"seed {seed}: exit {run.returncode}\n{run.stdout[-4000:]}{run.stderr[-4000:]}"
        suites = json.loads(report.read_text())["testsuites"]
    return [test for suite in suites for test in suite["testsuite"]], ""


def count_faults(seed):
    """Returns (faults, what went wrong)."""
    tests, wrong = run_seeded(STORE_TEST, FAULT_LOOPS, seed)
    if wrong:
        return 0, wrong
    faults = [int(test["faults"]) for test in tests]
    if len(faults) != 3:
        return 0, f"{len(faults)} fault loops ran, not 3: FAULT_LOOPS is out of date"
    return sum(faults), ""


def soak_faults(seconds):
    started = time.monotonic()
    sample, wrong = count_faults(0)
    total, seed = sample, 0
    while not wrong and seed < FAULT_SEEDS and time.monotonic() - started < seconds:
        seed += 1
        faults, wrong = count_faults(seed)
        total += faults
    return f"{sample:,} faults", f"{total:,} faults, {seed + 1} batches", wrong


def soak_fuzz(seconds):
    drivers = fuzz.drivers()
    if not drivers:
        return "", "", "no fuzz driver is built"
    each = max(1, int(min(FUZZ_SECONDS, seconds / len(drivers))))
    total, wrong = 0, []
    for driver in drivers:
        status, inputs, text = fuzz.fuzz(driver, seconds=each)
        total += inputs
        print(f"{driver.name:32} {'ok' if status == 0 else 'FAILED':6} {inputs:10,} inputs", flush=True)
        if status:
            wrong.append(f"{driver.name}:\n{text[-4000:]}")
    return (f"{fuzz.SAMPLE_RUNS * len(drivers):,} inputs", f"{total:,} inputs, {len(drivers)} drivers",
            "\n".join(wrong))


def soak_completeness(seconds):
    started = time.monotonic()
    sample = total = seed = 0
    wrong = ""
    while not wrong and seed <= PROGRAM_BATCHES and (seed == 0 or time.monotonic() - started < seconds):
        tests, wrong = run_seeded(RUN_TEST, "CompletenessTest.*", seed)
        total += sum(int(test["programs"]) for test in tests)
        sample = sample or total
        seed += 1
    return f"{sample:,} programs", f"{total:,} programs", wrong


def soak_cells(seconds):
    """All shares of all runs' cells; the shares of a run with fewer come round again."""
    started = time.monotonic()
    sample = total = seed = 0
    shares, wrong = 1, ""
    while not wrong and seed < shares and (seed == 0 or time.monotonic() - started < seconds):
        tests, wrong = run_seeded(RUN_TEST, "CellChangesTest.*", seed)
        total += sum(int(test["changes"]) for test in tests)
        shares = max([shares, *(int(test["shares"]) for test in tests)])
        sample = sample or total
        seed += 1
    return f"{sample:,} changes", f"{total:,} changes, {seed} of {shares} shares", wrong


def soak_verifier(seconds):
    sample, started, judged, seed = f"{run_changes.SAMPLE:,} changes", time.monotonic(), 0, int(time.time())
    print(f"verifier: seed {seed}", flush=True)
    runs = {name: run_changes.make(question) for name, question in run_changes.RUNS.items()}
    refreshes, relations = RefreshChanges.vectors, WeightsChanges.vectors
    try:
        while judged < run_changes.SOAK and time.monotonic() - started < seconds:
            name = (*runs, *refreshes, *relations)[seed % (len(runs) + len(refreshes) + len(relations))]
            if name in runs:
                made = run_changes.Changes(name, runs, seed)
                made.of_anything(run_changes.SOAK // 100)
                judged += len(run_changes.judged(made.made))
            else:
                made = (RefreshChanges if name in refreshes else WeightsChanges)(name, seed)
                made.proofs(run_changes.SOAK // 100)
                judged += len(made.judged())
            seed += 1
            print(f"verifier: {judged:,} changes judged alike", flush=True)
    except AssertionError:
        return sample, f"seed {seed}", traceback.format_exc()
    return sample, f"{judged:,} changes", ""


SOAKS = {"kill": soak_kill, "faults": soak_faults, "fuzz": soak_fuzz, "completeness": soak_completeness,
         "cells": soak_cells, "verifier": soak_verifier}
# What each runs, by preset; of no targets all are built.
NEEDS = {"kill": ("release", ["flair"]), "faults": ("release", [STORE_TEST.name]), "fuzz": ("asan", []),
         "completeness": ("release", [RUN_TEST.name]), "cells": ("release", [RUN_TEST.name]),
         "verifier": ("release", [pathlib.Path(judge).name for judge in
                                  (run_changes.JUDGE, changes.JUDGE, commitment_changes.WEIGHTS_JUDGE)])}


def builds(names):
    """Lines of a preset and its targets."""
    wanted = {}
    for name in names:
        preset, targets = NEEDS[name]
        wanted.setdefault(preset, {}).update(dict.fromkeys(targets))
    return [" ".join((preset, *targets)) for preset, targets in wanted.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(SOAKS)} (default: all)")
    parser.add_argument("--hours", type=float, default=float("inf"), help="time for all of them together, in equal shares")
    parser.add_argument("--builds", action="store_true", help="print what these need to be built, and do nothing")
    options = parser.parse_args()
    for name in options.names:
        if name not in SOAKS:
            parser.error(f"no soak '{name}'; there are {', '.join(SOAKS)}")
    if not options.hours > 0:
        parser.error("--hours must be above 0")

    names = options.names or list(SOAKS)
    if options.builds:
        print("\n".join(builds(names)))
        return
    end = time.monotonic() + options.hours * 3600
    rows, failed = [], False
    for index, name in enumerate(names):
        started = time.monotonic()
        sample, done, wrong = SOAKS[name](max(0.0, end - started) / (len(names) - index))
        if wrong:
            failed = True
            print(f"{name}: {wrong}", flush=True)
        rows.append((name, sample, done, f"{(time.monotonic() - started) / 60:.1f} min", "FAILED" if wrong else "ok"))
    for row in [("soak", "./dev test", "done here", "time", ""), *rows]:
        print(f"{row[0]:12} {row[1]:16} {row[2]:32} {row[3]:>12}  {row[4]}".rstrip())
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
