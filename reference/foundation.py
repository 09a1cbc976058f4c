# SPDX-License-Identifier: Apache-2.0
"""`python3 reference/foundation.py` prints tests/vectors/zk_foundation.json: field, transcript, leaves, trees."""

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import field  # noqa: E402
import merkle  # noqa: E402
from transcript import Transcript  # noqa: E402

P = field.P
EDGES = [0, 1, 2, 7, 2**32 - 1, 2**32, 2**32 + 1, 2**63, P - 2**32, P - 2, P - 1]


def noise(label: str) -> int:
    return int.from_bytes(hashlib.sha256(label.encode()).digest(), "little") % P


def field_vectors() -> dict:
    pairs = [(a, b) for a in EDGES for b in EDGES if a <= b] + [(noise(f"a{i}"), noise(f"b{i}")) for i in range(20)]
    products = [{"a": str(a), "b": str(b), "product": str(a * b % P), "sum": str((a + b) % P),
                 "difference": str((a - b) % P)} for a, b in pairs]  # fmt: skip
    extension = []
    for i in range(12):
        a, b = (noise(f"{i}a"), noise(f"{i}b")), (noise(f"{i}c"), noise(f"{i}d"))
        if i < 2:
            a = (EDGES[-1 - i], i)
        extension.append({
            "a": list(map(str, a)), "b": list(map(str, b)),
            "product": list(map(str, field.mul(a, b))),
            "inverse_of_a": list(map(str, field.inverse(a)))})  # fmt: skip
    roots = [{"log": log, "root": str(field.root_of_unity(log))} for log in range(field.TWO_ADICITY + 1)]
    return {"products": products, "extension": extension, "roots": roots}


def transcript_vectors() -> dict:
    protocol = "flair test 1"
    t, steps = Transcript(protocol), []

    def note(step: str, label: str, **what):
        steps.append({"step": step, "label": label, **what, "state": t.state.hex()})
    for label, message in (("program", b"P"), ("statement", bytes(range(256))), ("wallet", b"")):
        t.absorb(label, message)
        note("absorb", label, message=message.hex())
    for label in ("point", "lookup-challenge", "point"):
        a, b = t.draw(label)
        note("draw", label, a=str(a), b=str(b))
    nonce = t.grind("query-work", 9)
    note("grind", "query-work", bits=9, nonce=nonce)
    nonce = t.grind("lookup-work", 0)
    note("grind", "lookup-work", bits=0, nonce=nonce)
    for log_n, count in ((10, 20), (4, 16), (0, 1)):
        note("indices", "query", log_n=log_n, indices=t.indices("query", log_n, count))
    return {"protocol": protocol, "steps": steps}


def merkle_vectors() -> dict:
    leaves = []
    for rows in (1, 7, 8, 9, 16, 21):
        column = [noise(f"cell {rows} {i}") for i in range(rows)]
        salt = hashlib.sha256(f"salt {rows}".encode()).digest()
        leaves.append({"index": rows, "salt": salt.hex(), "column": list(map(str, column)),
                       "leaf": merkle.leaf(rows, salt, column).hex()})  # fmt: skip
    tree = [hashlib.sha256(f"leaf {i}".encode()).digest() for i in range(32)]
    paths = []
    for indices in ([0], [31], [4, 5], [1, 6, 7, 30], list(range(32))):
        path = merkle.path(tree, indices)
        if merkle.root(5, {i: tree[i] for i in indices}, path) != merkle.levels(tree)[-1][0]:
            raise AssertionError("the reference contradicts itself")
        paths.append({"indices": indices, "path": [d.hex() for d in path]})
    return {"leaves": leaves, "tree": [d.hex() for d in tree], "root": merkle.levels(tree)[-1][0].hex(), "paths": paths}


def vectors() -> dict:
    return {"field": field_vectors(), "transcript": transcript_vectors(), "merkle": merkle_vectors()}


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
