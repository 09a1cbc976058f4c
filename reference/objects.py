# SPDX-License-Identifier: Apache-2.0
"""The object format of docs/formats/object.md, written a second time, to be checked against.

Encodes only. `python3 reference/objects.py` prints tests/vectors/objects.json.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from blake3 import blake3, derive_key  # noqa: E402

DTYPES = ["BOOL", "U8", "I8", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "F64", "I64", "U64",
          "F8_E4M3", "F8_E5M2", "C64", "C128"]  # fmt: skip
FORMATS = ["blob", "safetensors", "torch_zip", "torch_legacy", "keras", "hdf5", "onnx", "gguf"]
KINDS = ["signature", "proof", "commitment", "receipt", "review", "eval", "nft", "metadata"]


def varint(n: int) -> bytes:
    out = bytearray()
    while n >= 128:
        out.append(n % 128 + 128)
        n //= 128
    out.append(n)
    return bytes(out)


def prefixed(payload: bytes) -> bytes:
    return varint(len(payload)) + payload


def message(fields: dict) -> bytes:
    """fields: number -> payload bytes, or None for an absent one."""
    out = b""
    for number in sorted(fields):
        if fields[number] is not None:
            out += varint(number) + prefixed(fields[number])
    return out


def some(n: int):
    """A number whose default is 0: left out when it is."""
    return varint(n) if n else None


def listed(payload: bytes):
    return payload if payload else None


def content(data: bytes) -> bytes:
    return message({1: blake3(data), 2: varint(len(data))})


def tensor(dtype: str, dims: list, data: bytes) -> bytes:
    return message({
        1: varint(DTYPES.index(dtype) + 1),
        2: listed(b"".join(varint(d) for d in dims)),
        3: blake3(data),
        4: varint(len(data)),
    })  # fmt: skip


def segment(s: dict) -> bytes:
    if s["kind"] == "inline":
        return varint(1) + prefixed(bytes.fromhex(s["bytes"]))
    data = bytes.fromhex(s["data"])
    if s["kind"] == "tensor":
        return varint(2) + prefixed(prefixed(s["name"].encode()) + tensor(s["dtype"], s["dims"], data))
    return varint(3) + prefixed(content(data))


def file(f: dict) -> bytes:
    return message({
        1: varint(FORMATS.index(f["format"]) + 1),
        2: listed(b"".join(segment(s) for s in f["segments"])),
    })  # fmt: skip


def tree(t: dict) -> bytes:
    entries = b"".join(
        prefixed(e["path"].encode()) + varint(2 if e["executable"] else 1) + bytes.fromhex(e["file"]) + varint(e["size"])
        for e in t["entries"]
    )
    return message({1: listed(entries)})


def optional_hex(text):
    return bytes.fromhex(text) if text else None


def unknown(fields: list) -> dict:
    return {number: bytes.fromhex(payload) for number, payload in fields}


def training(t: dict) -> bytes:
    metrics = b"".join(prefixed(name.encode()) + struct.pack("<d", value) for name, value in t["metrics"])
    return message({
        1: optional_hex(t["program"]),
        2: some(t["first_step"]),
        3: some(t["num_steps"]),
        4: some(t["num_samples"]),
        5: optional_hex(t["data_card"]),
        6: optional_hex(t["ticket"]),
        7: optional_hex(t["weights_commitment"]),
        8: listed(metrics),
        9: listed(t["framework"].encode()),
        **unknown(t["unknown"]),
    })  # fmt: skip


def recipe(r: dict) -> bytes:
    parameters = b"".join(prefixed(k.encode()) + prefixed(v.encode()) for k, v in r["parameters"])
    return message({
        1: r["method"].encode(),
        2: bytes.fromhex(r["base"]),
        3: listed(struct.pack(f"<{len(r['alpha'])}I", *r["alpha"])),
        4: listed(parameters),
        **unknown(r["unknown"]),
    })  # fmt: skip


def commit(c: dict) -> bytes:
    lineage = b"".join(varint(kind) + bytes.fromhex(of) for kind, of in c["lineage"])
    return message({
        1: bytes.fromhex(c["tree"]),
        2: listed(b"".join(bytes.fromhex(p) for p in c["parents"])),
        3: bytes.fromhex(c["author"]),
        4: varint(c["time"]),
        5: listed(c["message"].encode()),
        6: training(c["training"]) if c["training"] is not None else None,
        7: recipe(c["merge"]) if c["merge"] is not None else None,
        8: listed(lineage),
        **unknown(c["unknown"]),
    })  # fmt: skip


def attachment_body(a: dict) -> bytes:
    return message({
        1: bytes.fromhex(a["subject"]),
        2: varint(KINDS.index(a["kind"]) + 1),
        3: listed(bytes.fromhex(a["payload"])),
        4: bytes.fromhex(a["author"]),
        5: varint(a["time"]),
    })  # fmt: skip


def attachment(a: dict) -> bytes:
    signed = a["kind"] != "signature"
    return message({
        1: attachment_body(a),
        2: varint(1) if signed else None,
        3: bytes.fromhex(a["signature"]) if signed else None,
    })  # fmt: skip


# --- the vectors ------------------------------------------------------------------


def digest(label: str) -> str:
    return blake3(label.encode()).hex()


EMPTY_TRAINING = {"program": None, "first_step": 0, "num_steps": 0, "num_samples": 0, "data_card": None,
                  "ticket": None, "weights_commitment": None, "metrics": [], "framework": "", "unknown": []}  # fmt: skip
PARENTS = sorted(digest(f"parent {i}") for i in range(4))
COMMIT = {"tree": digest("tree"), "parents": [], "author": digest("author"), "time": 0, "message": "",
          "training": None, "merge": None, "lineage": [], "unknown": []}  # fmt: skip

FILES = [
    {"format": "blob", "segments": []},
    {"format": "blob", "segments": [{"kind": "blob", "data": b"hello\n".hex()}]},
    {"format": "safetensors", "segments": [
        {"kind": "inline", "bytes": b"\x08\0\0\0\0\0\0\0{}      ".hex()},
        {"kind": "tensor", "name": "layer.0.weight", "dtype": "F32", "dims": [2, 3], "data": bytes(range(24)).hex()},
        {"kind": "tensor", "name": "échelle", "dtype": "BF16", "dims": [], "data": "803f"},
        {"kind": "tensor", "name": "empty", "dtype": "I64", "dims": [0, 7], "data": ""},
        {"kind": "blob", "data": bytes(300).hex()},
    ]},
]  # fmt: skip

TREES = [
    {"entries": []},
    {"entries": [
        {"path": "a.txt", "executable": False, "file": digest("a"), "size": 6},
        {"path": "a/b", "executable": True, "file": digest("b"), "size": 0},
        {"path": "modèle.safetensors", "executable": False, "file": digest("m"), "size": 5368709120},
    ]},
]  # fmt: skip

COMMITS = [
    COMMIT,
    COMMIT | {"time": 253402300799, "message": "première ronde\n\nsite B", "parents": [PARENTS[3]],
              "training": EMPTY_TRAINING},
    COMMIT | {"time": 1764038364, "message": "round 3", "parents": [PARENTS[3]],
              "training": {"program": digest("program"), "first_step": 100, "num_steps": 2**40,
                           "num_samples": 60000, "data_card": digest("card"), "ticket": digest("ticket"),
                           "weights_commitment": digest("commitment"),
                           "metrics": [["accuracy", 0.913], ["loss", -0.0], ["tiny", 5e-324]],
                           "framework": "pytorch 2.15.0", "unknown": [[64, "00"], [1000, ""]]}},
    COMMIT | {"time": 1764038365, "message": "merge", "parents": [PARENTS[2]] + PARENTS[:2],
              "merge": {"method": "fedavg", "base": digest("base"), "alpha": [2**24 // 3, 2**24 - 2**24 // 3],
                        "parameters": [["clip", "1.5"], ["weights", "samples"]], "unknown": [[77, "beef"]]},
              "lineage": [[1, digest("reverted")], [3, digest("picked")]],
              "unknown": [[64, "01"], [4294967295, "ff" * 200]]},
]  # fmt: skip

ATTACHMENTS = [
    {"subject": digest("commit"), "kind": "signature", "payload": "01" + "5a" * 64, "author": digest("author"),
     "time": 1764038364},
    {"subject": digest("commit"), "kind": "review", "payload": b"approve".hex(), "author": digest("reviewer"),
     "time": 1764038366, "signature": "a5" * 64},
    {"subject": digest("commit"), "kind": "metadata", "payload": "", "author": digest("reviewer"), "time": 0,
     "signature": "00" * 64},
]  # fmt: skip


def receipt(r: dict) -> bytes:
    return message({
        1: varint(r["what"]),
        2: bytes.fromhex(r["repo"]),
        3: r["branch"].encode() if "branch" in r else None,
        4: bytes.fromhex(r["wallet"]),
        5: bytes.fromhex(r["card"]) if "card" in r else None,
        6: bytes.fromhex(r["nonce"]) if "nonce" in r else None,
    })  # fmt: skip


def seed(r: dict) -> str:
    """docs/formats/ticket.md"""
    parts = [bytes.fromhex(r[name]) for name in ("nonce", "parent", "card", "wallet")]
    return hashlib.sha256(b"flair.seed.v1" + b"".join(parts)).hexdigest()


RECEIPTS = [
    {"what": 1, "repo": "0f" * 16, "branch": "main", "wallet": digest("author")},
    {"what": 2, "repo": "00" * 16, "branch": "round/ß", "wallet": digest("author")},
    {"what": 3, "repo": "a5" * 16, "wallet": digest("author"), "card": digest("card"), "nonce": digest("nonce"),
     "parent": digest("commit")},
]  # fmt: skip


def vectors() -> dict:
    def rows(kind, values, encode, named=None):
        named = named or encode
        return [{"value": v, "encoded": encode(v).hex(), "id": derive_key(f"flair.v1.{kind}", named(v)).hex()}
                for v in values]  # fmt: skip

    pattern = bytes(i % 251 for i in range(5000))
    tensors = [s for f in FILES for s in f["segments"] if s["kind"] == "tensor"]
    blobs = [s for f in FILES for s in f["segments"] if s["kind"] == "blob"]
    return {
        "blake3": [{"size": n, "hash": blake3(pattern[:n]).hex(), "derived": derive_key("flair.test", pattern[:n]).hex()}
                   for n in (0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 3072, 4096, 5000)],
        "tensor": rows("tensor", tensors, lambda s: tensor(s["dtype"], s["dims"], bytes.fromhex(s["data"]))),
        "blob": rows("blob", blobs, lambda s: content(bytes.fromhex(s["data"]))),
        "file": rows("file", FILES, file),
        "tree": rows("tree", TREES, tree),
        "commit": rows("commit", COMMITS, commit),
        "receipt": [{"value": r, "encoded": receipt(r).hex(), **({"seed": seed(r)} if r["what"] == 3 else {})} for r in RECEIPTS],
        "attachment": rows("attachment", ATTACHMENTS, attachment, attachment_body),
    }  # fmt: skip


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1, ensure_ascii=True)
    sys.stdout.write("\n")
