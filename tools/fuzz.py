#!/usr/bin/env python3
"""Runs every fuzz driver of the asan build over its corpus, for a time or a number of runs."""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, help="time for each driver")
    parser.add_argument("--runs", type=int, help="inputs for each driver, after its corpus")
    parser.add_argument("--junit", type=pathlib.Path, help="where to leave the counts")
    parser.add_argument("names", nargs="*", help="drivers to run (default: all)")
    options = parser.parse_args()

    drivers = [p for p in sorted((ROOT / "build/asan/src").rglob("*_fuzz"))
               if p.is_file() and (not options.names or p.name in options.names)]
    if not drivers:
        sys.exit("fuzz: no driver is built; run ./dev fuzz")
    suite = ElementTree.Element("testsuite", name="fuzz")
    failures = 0
    for driver in drivers:
        limits = []
        if options.seconds:
            limits.append(f"-max_total_time={options.seconds}")
        if options.runs:
            limits.append(f"-runs={options.runs}")
        seeds = ROOT / "fuzz/corpora" / driver.name
        with tempfile.TemporaryDirectory() as scratch:
            corpus = [scratch] + ([str(seeds)] if seeds.is_dir() else [])
            run = subprocess.run([str(driver), "-seed=1", "-rss_limit_mb=2048", "-timeout=20",
                                  f"-artifact_prefix={ROOT}/build/crash-{driver.name}-", *limits, *corpus],
                                 capture_output=True, text=True)
        case = ElementTree.SubElement(suite, "testcase", classname="fuzz", name=driver.name)
        print(f"{driver.name:32} {'ok' if run.returncode == 0 else 'FAILED'}", flush=True)
        if run.returncode:
            failures += 1
            ElementTree.SubElement(case, "failure", message=f"exit {run.returncode}").text = run.stderr[-4000:]
            print(run.stderr[-4000:])
    if options.junit:
        options.junit.parent.mkdir(parents=True, exist_ok=True)
        ElementTree.ElementTree(suite).write(options.junit)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
