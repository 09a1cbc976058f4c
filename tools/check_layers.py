#!/usr/bin/env python3
"""Fails when a source file includes a module that tools/layers.txt does not allow it to see."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Code that checks must be auditable without a line of the code that proves.
APART = [(r"verif|^hub/", r"prover")]
# The core neither talks to a terminal nor looks at the user's environment.
DOORS = {"cli", "hub"}
DOOR_WORDS = re.compile(r"\b(std::cout|std::cerr|getenv|printf)\b")
DOOR_FREE = {"base/check.cc"}  # the last words of a process that must not go on


def read_layers():
    allowed = {}
    for line in (ROOT / "tools/layers.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        module, seen = words[0], [w for w in words[1:] if w != "-"]
        for other in seen:
            if other not in allowed:  # the order of the list proves that there is no cycle
                sys.exit(f"layers.txt: {module} may see {other}, which is listed later or nowhere")
        allowed[module] = {module, *seen}
    return allowed


def module_of(path, allowed):
    return next((m for m in sorted(allowed, key=len, reverse=True) if path.startswith(m + "/")), None)


def main():
    allowed = read_layers()
    problems = []
    for file in sorted((ROOT / "src").rglob("*.[ch]*")):
        name = file.relative_to(ROOT / "src").as_posix()
        if file.suffix not in (".h", ".cc"):
            continue
        module = module_of(name, allowed)
        if module is None:
            problems.append(f"src/{name}: its folder is not in tools/layers.txt")
            continue
        beside = name.endswith(("_test.cc", "_bench.cc", "_fuzz.cc", "main.cc"))
        for number, text in enumerate(file.read_text().splitlines(), 1):
            if not beside and module not in DOORS and name not in DOOR_FREE and DOOR_WORDS.search(text) \
                    and not text.lstrip().startswith("//") and "snprintf" not in text:
                problems.append(f"src/{name}:{number}: only cli and hub touch the terminal or the environment")
            found = re.match(r'\s*#\s*include "([^"]+)"', text)
            target = found and module_of(found.group(1), allowed)
            if not target:
                continue
            if target not in allowed[module]:
                problems.append(f"src/{name}:{number}: {module} may not include {target}")
            if any(re.search(a, name) and re.search(b, found.group(1)) for a, b in APART):
                problems.append(f"src/{name}:{number}: checking code may not include {found.group(1)}")
    print("\n".join(problems) or "layers: every include is allowed")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
