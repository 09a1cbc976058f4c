# SPDX-License-Identifier: Apache-2.0
"""The run folder of docs/formats/run.md, written a second time, to be checked against.

`python3 reference/run.py` prints tests/vectors/run.json: run.json, steps.bin and rows.bin of a
short run beside what they say.
"""

import json
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from blake3 import blake3  # noqa: E402
from objects import prefixed, tensor, varint  # noqa: E402


def entry(step: dict) -> bytes:
    body = varint(step["step"]) + varint(step["first_row"]) + varint(step["num_rows"])
    body += varint(len(step["tensors"]))
    for t in sorted(step["tensors"], key=lambda t: t["name"].encode()):
        body += prefixed(t["name"].encode())
        body += prefixed(tensor(t["dtype"], t["dims"], bytes.fromhex(t["data"])))
    return struct.pack("<I", len(body)) + body + blake3(body)[:8]


def steps_of(rows: list) -> list:
    """A parameter, the names that front ends add, and an empty tensor; the last entry is the end."""
    steps, first = [], 0
    for number, seen in enumerate([*rows, []]):
        weights = struct.pack("<2f", 0.5 - number, number / 4)
        tensors = [
            {"name": "fc.weight", "dtype": "F32", "dims": [1, 2], "data": weights.hex()},
            {"name": "none", "dtype": "BF16", "dims": [0, 3], "data": ""},
        ]
        if seen:
            rate = struct.pack("<d", 0.1)
            micro = struct.pack("<I", len(seen))
            tensors += [
                {"name": "@lr", "dtype": "F64", "dims": [1], "data": rate.hex()},
                {"name": "@micro", "dtype": "U32", "dims": [1], "data": micro.hex()},
            ]
        steps.append({"step": 40 + number, "first_row": first, "num_rows": len(seen), "tensors": tensors})
        first += len(seen)
    return steps


def vectors() -> dict:
    rows = [[7, 300, 7], [4_294_967_295, 0], [12]]
    steps = steps_of(rows)
    every = [row for seen in rows for row in seen]
    document = {
        "format": 1,
        "id": "00112233445566ff",
        "framework": "pytorch 2.15.0",
        "program": None,
        "parent": blake3(b"parent").hex(),
        "data_card": blake3(b"card").hex(),
        "ticket": None,
        "first_step": 40,
        "settings": {"lr": "0.1", "optimizer": "SGD \"plain\" é"},
        "finished": True,
        "result": {
            "steps": len(rows),
            "samples": len(set(every)),
            "rows": len(every),
            "stored_bytes": 1234,
            "metrics": {"accuracy": 0.25, "loss": 1.5},
        },
    }
    return {
        "run_json": json.dumps(document, indent=1),
        "unfinished": json.dumps({**document, "finished": False, "result": None}),
        "document": document,
        "rows": rows,
        "rows_bin": struct.pack(f"<{len(every)}I", *every).hex(),
        "steps": steps,
        "entries": [entry(s).hex() for s in steps],
        "steps_bin": (b"FLRSTEP1" + b"".join(entry(s) for s in steps)).hex(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
