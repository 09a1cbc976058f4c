#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What decides a verdict of `flair verify`, in the order of docs/spec/verdict.md, and how many lines it is.

Reads the order from that document, whose table has a row for each step with its files (paths of src, `*` for many). Prints the
lines of each step, without blank ones and comments. Fails when a file that the verifier's sources include,
or its source, is in no row, when a row names nothing, or a row's file decides nothing.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC, ORDER = ROOT / "src", ROOT / "docs/spec/verdict.md"
# What `flair verify` calls.
ROOTS = ["proof/statement_file.h", "proof/refresh_file.h", "proof/verify_run.h"]


def includes(path):
    return re.findall(r'^#include "([^"]+)"', (SRC / path).read_text(), re.MULTILINE)


def reached():
    """Headers that the verifier includes, directly or not, and their sources: the one of the same name, and in the same folder, or
    below in one of the header's name, those without a header of their own that include it."""
    sources = [path.relative_to(SRC).as_posix() for path in SRC.rglob("*.cc") if not re.search(r"_(test|fuzz|bench|main)\.cc$", path.name)]
    without = {path: includes(path) for path in sources if not (SRC / path).with_suffix(".h").exists()}
    found, todo = set(), list(ROOTS)
    while todo:
        path = todo.pop()
        if path in found or not (SRC / path).exists():
            continue
        found.add(path)
        todo += includes(path)
        if path.endswith(".h"):
            todo.append(f"{path[:-2]}.cc")
            folders = {path.rpartition("/")[0], path[:-2]}
            todo += [source for source, its in without.items() if path in its and source.rpartition("/")[0] in folders]
    return found


def lines(path):
    return sum(1 for line in (SRC / path).read_text().splitlines() if line.strip() and not line.strip().startswith("//"))


def main():
    left, problems, total = reached(), [], 0
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|", ORDER.read_text(), re.MULTILINE)
    for number, step, patterns in rows:
        files = set()
        for pattern in re.findall(r"`([^`]+)`", patterns):
            matched = {path for path in left if pathlib.PurePath(path).match(pattern)}
            if not matched:
                problems.append(f"{step.strip()}: {pattern} decides nothing, or stands above")
            files |= matched
        left -= files
        count = sum(map(lines, files))
        total += count
        print(f"{number:>2} {step.strip():60} {len(files):3} files {count:6,} lines")
    print(f"   {'all of it':60} {len(reached()) - len(left):3} files {total:6,} lines")
    problems += [f"in no row: {path}" for path in sorted(left)]
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
