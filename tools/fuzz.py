#!/usr/bin/env python3
"""Runs every fuzz driver of the asan build over its seeds and its corpus, for a time or a number of further inputs."""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLE_RUNS = 2000  # of ./dev test, for each driver


def drivers(names=()):
    return [p for p in sorted((ROOT / "build/asan/src").rglob("*_fuzz"))
            if p.is_file() and (not names or p.name in names)]


def fuzz(driver, seconds=None, runs=None):
    """Returns (exit status, inputs run, what the driver said); inputs is 0 when it did not live to tell."""
    seeds = ROOT / "fuzz/corpora" / driver.name
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, ROOT / "fuzz/seeds.py", driver.name, scratch], check=True)
        corpus = [scratch] + ([str(seeds)] if seeds.is_dir() else [])
        limits = [f"-max_total_time={seconds}"] if seconds else []
        if runs:  # libFuzzer counts what it begins with
            limits.append(f"-runs={runs + sum(len(list(pathlib.Path(c).iterdir())) for c in corpus)}")
        run = subprocess.run([str(driver), "-seed=1", "-rss_limit_mb=2048", "-timeout=20", "-print_final_stats=1",
                              f"-artifact_prefix={ROOT}/build/crash-{driver.name}-", *limits, *corpus],
                             capture_output=True, text=True, errors="replace")
    inputs = re.search(r"^stat::number_of_executed_units: *(\d+)", run.stderr, re.M)
    return run.returncode, int(inputs[1]) if inputs else 0, run.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, help="time for each driver")
    parser.add_argument("--runs", type=int, help=f"further inputs for each driver (default without --seconds: {SAMPLE_RUNS})")
    parser.add_argument("--junit", type=pathlib.Path, help="where to leave the counts")
    parser.add_argument("names", nargs="*", help="drivers to run (default: all)")
    options = parser.parse_args()
    if not options.seconds and not options.runs:
        options.runs = SAMPLE_RUNS

    chosen = drivers(options.names)
    if not chosen:
        sys.exit("fuzz: no driver is built; run ./dev fuzz")
    suite = ElementTree.Element("testsuite", name="fuzz")
    failures = 0
    for driver in chosen:
        status, inputs, said = fuzz(driver, options.seconds, options.runs)
        case = ElementTree.SubElement(suite, "testcase", classname="fuzz", name=driver.name)
        print(f"{driver.name:32} {'ok' if status == 0 else 'FAILED':6} {inputs:10,} inputs", flush=True)
        if status:
            failures += 1
            ElementTree.SubElement(case, "failure", message=f"exit {status}").text = said[-4000:]
            print(said[-4000:])
    if options.junit:
        options.junit.parent.mkdir(parents=True, exist_ok=True)
        ElementTree.ElementTree(suite).write(options.junit)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
