#!/usr/bin/env python3
"""./dev soundness [PROGRAM] [--steps N] [--records N]: the bits of a proof's soundness, term by term; 1 if below 100.

Without PROGRAM: the examples', with the steps that their runs have.
"""
import argparse
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
JUDGE = ROOT / "build/release/src/proof/prover/program_soundness"
EXAMPLES = ROOT / "examples/proof"
OPENINGS = 128  # what `flair data register` says of a data set, unless told otherwise


def main():
    parser = argparse.ArgumentParser(prog="./dev soundness", description=__doc__)
    parser.add_argument("program", nargs="?", type=pathlib.Path)
    parser.add_argument("--steps", type=int, help="of a chunk (default 1)")
    parser.add_argument("--records", type=int, default=60_000, help="of the data set (default 60000)")
    options = parser.parse_args()
    if options.program:
        runs = [(options.program, options.steps or 1)]
    else:
        configs = [tomllib.loads(path.read_text()) for path in sorted(EXAMPLES.glob("*.toml"))]
        runs = [(EXAMPLES / config["program"], options.steps or config["steps"]) for config in configs]
    numbers = (options.records, OPENINGS)
    weak = [run for run in runs if subprocess.run([JUDGE, *map(str, (*run, *numbers))], check=False).returncode != 0]
    sys.exit(1 if weak or not runs else 0)


if __name__ == "__main__":
    main()
