# SPDX-License-Identifier: Apache-2.0
"""The transfer messages and frames of docs/formats/wire.md, written a second time, to be checked against.

`python3 reference/wire.py` prints tests/vectors/wire.json.
"""

import json
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from blake3 import blake3  # noqa: E402


def digest(label: str) -> str:
    return blake3(label.encode()).hex()


def frame(piece: bytes) -> bytes:
    return struct.pack("<I", len(piece)) + piece


def messages() -> list:
    """(what, JSON as it travels): every member once, and every message at its shortest."""
    pieces = [
        {"pack": digest("pack") + ".pack", "offset": 16, "length": 8_388_608},
        {"pack": digest("other") + ".pack", "offset": 2**32, "length": 77, "seal": True},
    ]
    checks = [{"name": "signature", "passed": True, "detail": "every commit"}]
    return [
        ("fetch_request", {
            "wants": [digest("a"), digest("b")], "haves": [digest("c")], "have_contents": [digest("d")],
            "partial": True, "tensors_glob": "encoder.*", "depth": 3}),
        ("fetch_request", {"wants": [digest("a")], "haves": []}),
        ("fetch_plan", {
            "objects": [f"{kind}:{digest(kind)}" for kind in ("commit", "tree", "file", "attachment")],
            "records": pieces, "shallow": [digest("a")], "total_bytes": 8_388_608 + 77}),
        ("fetch_plan", {"objects": [], "records": [], "shallow": [], "total_bytes": 0}),
        ("push_request", {
            "target": "main", "source_branch": "site/b", "tip": digest("tip"),
            "objects": [f"commit:{digest('tip')}"], "contents": [digest("d")]}),
        ("push_state", {
            "push": "00112233445566778899aabbccddeeff", "missing_objects": [f"tree:{digest('tree')}"],
            "missing_contents": [digest("d")], "offset": 4096}),
        ("finish_request", {
            "upload_bytes": 2**40, "attachments": [digest("signature")], "expected_old": digest("old"),
            "title": "Round 3, site \"é\""}),
        ("finish_request", {"upload_bytes": 0, "attachments": []}),
        ("finish_result", {"working": True}),
        ("finish_result", {"moved": True, "commit": digest("tip"), "checks": checks}),
        ("finish_result", {
            "moved": False, "commit": digest("tip"),
            "proposal": {"number": 7, "url": "http://hub/alice/digits/proposals/7"},
            "evidence": {"update_norm": 1.5, "layout": ["m: w removed"]}, "checks": checks}),
    ]  # fmt: skip


def vectors() -> dict:
    pieces = [b"one", bytes(range(256)), b"\0"]
    return {
        "messages": [{"message": name, "json": document} for name, document in messages()],
        "pieces": [piece.hex() for piece in pieces],
        "upload": b"".join(map(frame, pieces)).hex(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
