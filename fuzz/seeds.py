#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the first inputs of a corpus, from the golden vectors and from what the protocols say:

    fuzz/seeds.py DRIVER FOLDER

The corpora in this folder grew from these; see README.md.
"""
import gzip
import hashlib
import json
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests/vectors"
CONTRACT = ROOT / "docs/openapi.yaml"


def objects():
    vectors = json.loads((VECTORS / "objects.json").read_text())
    # The first byte chooses the decoder: src/object/object_fuzz.cc.
    for choice, kind in enumerate(("tensor", "blob", "file", "tree", "commit", "attachment")):
        for vector in vectors[kind]:
            yield bytes([choice]) + bytes.fromhex(vector["encoded"])


def packs():
    for pack in json.loads((VECTORS / "pack.json").read_text())["packs"]:
        records = [bytes.fromhex(r) for r in pack["records"]]
        for record in records:
            yield b"\0" + record
            yield b"\1" + record
        yield b"\1" + b"".join(records)
        yield b"\2" + b"".join(records)


def policies():
    page = (ROOT / "docs/formats/policy.md").read_text()
    for block in page.split("```toml\n")[1:]:
        yield block.split("```")[0].encode()
    yield b'format = 1\n[hub]\nwallet = "11111111111111111111111111111111"\n'
    yield b"[branches.\"release/*\"]\npush = ['maintainer']\nreviews = 2 # two\n"
    yield b"[tensors]\nfrozen = [\"embed.*\"]\nlocal = [\"*.running_*\"]\ntrainable = [\"head.*\"]\n"


HEADS = [
    "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /api/v1/repos/a/b?limit=5&after=x%20y HTTP/1.1\r\nHost: hub.example:80\r\nRange: bytes=0-99,200-\r\n\r\n",
    "POST /api/v1/auth/challenge HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer x\r\n\r\n",
    "PATCH /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nExpect: 100-continue\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET /%2e%2e/a HTTP/1.1\r\nHost: a\r\nCookie: s=1; t=2\r\nIf-None-Match: \"x\", W/\"y\"\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
]


def heads():
    return (head.encode() for head in HEADS)


DIGEST = hashlib.sha256(b"seed").hexdigest()
PACK = DIGEST + ".pack"
DOCUMENTS = [
    {"wants": [DIGEST], "haves": [DIGEST], "have_contents": [DIGEST], "partial": True, "tensors_glob": "a.*", "depth": 1},
    {"objects": ["commit:" + DIGEST, "file:" + DIGEST], "records": [{"pack": PACK, "offset": 16, "length": 9, "seal": True}],
     "shallow": [DIGEST], "total_bytes": 9},
    {"target": "main", "source_branch": "main", "tip": DIGEST, "objects": ["tree:" + DIGEST], "contents": [DIGEST]},
    {"push": DIGEST[:32], "missing_objects": ["attachment:" + DIGEST], "missing_contents": [DIGEST], "offset": 12},
    {"upload_bytes": 12, "attachments": [DIGEST], "expected_old": DIGEST, "title": "Round 1"},
    {"moved": True, "commit": DIGEST, "proposal": {"number": 3, "url": "/a/b/3"}, "evidence": {"krum": 0.5},
     "checks": [{"name": "norm", "passed": False, "detail": "too large"}]},
    {"refs": [{"name": "heads/main", "commit": DIGEST}], "default": "main"},
    {"proposals": [1, 2], "method": "fedavg", "message": "Round 1", "samples": {"1": 300}},
    {"token": "t", "wallet": "11111111111111111111111111111111", "expires": "2026-01-01T00:00:00Z", "scopes": ["write"]},
    {"type": "about:blank", "title": "Conflict", "status": 409, "code": "conflict", "detail": "moved", "hint": "pull"},
    [{"number": 1, "state": "open", "title": "x", "author": "a", "checks": [{"name": "norm", "passed": True}]}],
]


def documents():
    yield from (json.dumps(d, separators=(",", ":")).encode() for d in DOCUMENTS)
    page = (ROOT / "docs/formats/wire.md").read_text()
    for block in page.split("```json\n")[1:]:
        yield block.split("```")[0].encode()


def runs():
    # The first byte chooses the parser: src/repo/run_fuzz.cc. The entry of docs/formats/run.md, whole and its body.
    yield b"\0FLRSTEP1" + bytes.fromhex("0400000003060100") + bytes(8)
    yield b"\1" + bytes.fromhex("03060100")
    yield b"\2" + json.dumps({
        "format": 1, "id": "0123456789abcdef", "framework": "pytorch 2.15.0", "program": None, "parent": DIGEST,
        "data_card": None, "ticket": None, "first_step": 0, "settings": {"lr": "0.1"}, "finished": "2026-01-01T00:00:00Z",
        "result": {"steps": 2, "samples": 10, "rows": 20, "stored_bytes": 5, "metrics": {"loss": 0.5}},
    }).encode()


def training_statement(first, *roles):
    head = b"FLST" + struct.pack("<H", 1) + bytes(5 * 32) + struct.pack("<3Q", first, 2, 100)
    return head + bytes([len(roles)]) + b"".join(bytes([role]) + struct.pack("<4Q", 10, 12, 3, 300) + bytes(32) for role in roles)


def training_proofs():
    # The first byte chooses the decoder: src/zk/training/proof_bytes_fuzz.cc.
    yield b"\0" + training_statement(0, 2, 3)
    yield b"\0" + training_statement(7, 1, 2, 3, 4, 5)
    for choice in b"\1\2":
        # Zeros are elements, digests and lengths of paths.
        for length in (100, 3000, 5016, 9000):
            yield bytes([choice]) + b"FLPR\1\0\1\0" + bytes(length)


def run_proofs():
    statement = training_statement
    def proof(*chunks):
        body = b"".join(struct.pack("<I", len(s)) + s + struct.pack("<Q", len(p)) + p for s, p in chunks)
        return b"FLRP" + struct.pack("<HI", 1, len(chunks)) + body
    yield proof((statement(0, 2, 3), b"FLPR\1\0\1\0"))
    yield proof((statement(0, 1, 2, 3, 5), b"p"), (statement(2, 1, 2, 3, 4), b""))


def pending_chunks():
    matrix = struct.pack("<5Q", 10, 12, 3, 300, 5) + bytes(32)
    statement = b"FLST" + struct.pack("<H", 1) + bytes(5 * 32) + struct.pack("<3Q", 0, 2, 100) + b"\0"
    chunk = struct.pack("<I", len(statement)) + statement + struct.pack("<Q", 1) + b"p"
    yield b"FLPC" + struct.pack("<HI", 1, 0) + chunk
    yield b"FLPC" + struct.pack("<HI", 1, 2) + 2 * (matrix + struct.pack("<I3Q", 3, 1, 7, 4095)) + chunk


def refresh_statements():
    matrix = {"kappa": 9, "m": 11, "rows": 1, "pads": 400, "root": "0" * 64}
    for kind in ("weights", "state"):
        yield json.dumps({"format": 1, "kind": "refresh", "wallet": "1" * 32, "of": kind, "before": matrix, "after": matrix},
                         separators=(",", ":")).encode() + b"\n"
    card = {"format": 1, "name": "d", "records": 3, "columns": [{"name": "y", "dims": [], "source": "U8", "classes": 10}],
            "matrix": {"generation": 0} | matrix | {"digest": "0" * 64}}  # fmt: skip
    yield json.dumps({"format": 1, "kind": "refresh", "wallet": "1" * 32, "of": "data", "before": card, "after": card},
                     separators=(",", ":")).encode() + b"\n"  # fmt: skip


def pending_refreshes():
    for statement in refresh_statements():
        columns = struct.pack("<I2Q", 2, 3, 1) + struct.pack("<IQ", 1, 7)
        yield b"FLRW" + struct.pack("<H", 1) + bytes(32) + columns + struct.pack("<I", len(statement)) + statement + b"proof"


def run_statements():
    # Real ones are in the corpus; these are none.
    yield b'{"format":1,"kind":"run"}\n'
    yield b"{}"


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(number, body):
    """A field of protobuf's wire type 2."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def onnx_model():
    def tensor(name, dims, dtype, number, data):
        return b"".join(varint(1 << 3) + varint(d) for d in dims) + varint(2 << 3) + varint(dtype) + message(
            number, data) + message(8, name)
    raw = tensor(b"w", (2, 3), 1, 9, bytes(24))
    floats = tensor(b"b", (3,), 1, 4, bytes(12))
    halves = tensor(b"h", (4,), 10, 9, bytes(8))
    graph = message(2, b"g") + b"".join(message(5, t) for t in (raw, floats, halves))
    return varint(1 << 3) + varint(8) + message(7, graph)


def gguf_model():
    def text(value):
        return struct.pack("<Q", len(value)) + value
    values = [
        text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama"),
        text(b"general.alignment") + struct.pack("<II", 4, 32),
        text(b"tokens") + struct.pack("<IIQ", 9, 8, 2) + text(b"a") + text(b"b"),
    ]
    tensors = [
        text(b"w") + struct.pack("<I2QIQ", 2, 3, 2, 0, 0),
        text(b"q") + struct.pack("<IQIQ", 1, 32, 8, 32),
        text(b"n") + struct.pack("<IQIQ", 1, 5, 1, 96),
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values)) + b"".join(values + tensors)
    return head + bytes(-len(head) % 32) + bytes(128)


def layouts():
    # The first byte chooses the file's name: src/tensor/layout_fuzz.cc.
    for path in sorted((VECTORS / "hdf5").iterdir()):
        choice = {".keras": 2, ".h5": 3}.get(path.suffix)
        if choice:
            yield bytes([choice]) + path.read_bytes()
    yield b"\4" + onnx_model()
    yield b"\5" + gguf_model()
    head = b'{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"__metadata__":{"k":"v"}}'
    yield b"\0" + struct.pack("<Q", len(head)) + head + bytes(24)


def programs():
    # The first byte chooses the parser: src/program/program_fuzz.cc.
    page = (ROOT / "docs/spec/program.md").read_text()
    example = page[page.index("    flair program 1\n"):].split("\n\n")[0]
    yield b"\1" + "\n".join(line[4:] for line in example.splitlines()).encode()
    for text in (ROOT / "src/program/program_testing.h").read_text().split('R"(')[1:]:
        yield b"\1" + text.split(')"')[0].encode()
    vectors = json.loads((VECTORS / "program.json").read_text())
    for vector in vectors["programs"] + vectors["refused"]:
        yield b"\0" + bytes.fromhex(vector["bytes"])
    for vector in vectors["programs"]:
        yield b"\1" + vector["text"].encode()


def data_cards():
    # The first byte chooses the reader: src/data/card_fuzz.cc.
    vectors = json.loads((VECTORS / "data_card.json").read_text())
    for vector in vectors["cards"]:
        yield b"\0" + vector["text"].encode()
    yield b"\0" + vectors["set"]["card"].encode()
    for file in vectors["set"]["files"].values():
        yield b"\1" + bytes.fromhex(file)
        yield b"\3" + gzip.compress(bytes.fromhex(file), mtime=0)
    for kind, width in ((8, 1), (9, 1), (11, 2), (12, 4), (13, 4), (14, 8)):
        yield b"\2\0\0" + bytes([kind, 2]) + struct.pack(">2I", 3, 2) + bytes(range(6 * width))


def data_secrets():
    vectors = json.loads((VECTORS / "data_card.json").read_text())
    for text in (*(vector["text"] for vector in vectors["secrets"]), vectors["set"]["secret"]):
        yield text.encode()


SEEDS = {
    "data_card_fuzz": data_cards,
    "data_prover_secret_fuzz": data_secrets,
    "hub_head_fuzz": heads,
    "object_object_fuzz": objects,
    "policy_policy_fuzz": policies,
    "program_program_fuzz": programs,
    "proof_prover_chunk_folder_fuzz": pending_chunks,
    "proof_refresh_file_fuzz": refresh_statements,
    "proof_prover_refresh_commitment_fuzz": pending_refreshes,
    "proof_run_proof_fuzz": run_proofs,
    "proof_statement_file_fuzz": run_statements,
    "repo_run_fuzz": runs,
    "store_pack_fuzz": packs,
    "tensor_layout_fuzz": layouts,
    "wire_wire_fuzz": documents,
    "zk_proof_bytes_fuzz": training_proofs,
}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SEEDS:
        sys.exit(f"usage: {sys.argv[0]} DRIVER FOLDER\ndrivers: {' '.join(SEEDS)}")
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS[sys.argv[1]]():
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)


if __name__ == "__main__":
    main()
