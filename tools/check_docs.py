#!/usr/bin/env python3
"""Fails when a document links to a file that is not in the tree."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def documents():
    for pattern in ("*.md", "docs/**/*.md", "src/**/*.md", "python/**/*.md", "examples/**/*.md", "tests/**/*.md"):
        yield from ROOT.glob(pattern)


def main():
    problems, count = [], 0
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
