#!/usr/bin/env python3
"""./dev bench NAME [--json FILE] [--small]: one table, each row beside a baseline of the same run."""
import argparse
import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import table  # noqa: E402

NAMES = ("commit", "checkout", "merge", "transfer", "record", "rss", "prove", "verify")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--json", type=pathlib.Path, help="write the rows there too")
    parser.add_argument("--small", action="store_true", help="a sixteenth of the size, to try the benchmark itself")
    options = parser.parse_args()
    rows = importlib.import_module(f"bench_{options.name}").rows(small=options.small)
    table.show(rows)
    if options.json:
        table.write(rows, options.json)


if __name__ == "__main__":
    main()
