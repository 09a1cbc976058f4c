#!/usr/bin/env python3
"""Fails when a document links to a file that is not in the tree, and when docs/spec/attacks.md has
a hole: a number without a row, a row without a test, a test that does not exist."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def documents():
    for pattern in ("*.md", "docs/**/*.md", "src/**/*.md", "python/**/*.md", "examples/**/*.md", "tests/**/*.md"):
        yield from ROOT.glob(pattern)


ATTACKS = ROOT / "docs/spec/attacks.md"
NUM_ATTACKS = 42


def attack_problems():
    tests = set()
    for source in ROOT.glob("src/**/*_test.cc"):
        tests |= {".".join(names) for names in
                  re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", source.read_text(), re.MULTILINE)}
    where = ATTACKS.relative_to(ROOT)
    numbers = []
    for line in ATTACKS.read_text().splitlines():
        named = re.findall(r"`(\w+Test\.\w+)`", line)
        yield from (f"{where}: no such test: {name}" for name in named if name not in tests)
        if row := re.match(r"\| (\d+) \|", line):
            numbers.append(int(row[1]))
            if not named and "| not built: " not in line:
                yield f"{where}: attack {row[1]} has no test"
    if numbers != list(range(1, NUM_ATTACKS + 1)):
        yield f"{where}: its rows are not 1 to {NUM_ATTACKS}"


def main():
    problems, count = list(attack_problems()), 0
    for document in sorted(set(documents())):
        for number, line in enumerate(document.read_text().splitlines(), 1):
            for target in LINK.findall(line):
                count += 1
                if not (document.parent / target).exists():
                    problems.append(f"{document.relative_to(ROOT)}:{number}: no such file: {target}")
    print("\n".join(problems) or f"docs: {count} links, all of them lead somewhere")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
