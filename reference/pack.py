# SPDX-License-Identifier: Apache-2.0
"""Packs, version 1, written by code that shares nothing with src/store.

Follows docs/formats/pack.md. Prints tests/vectors/pack.json: a pack with every type of
record and every codec, what must be read from it, and the records one by one, from
which a writer must build the same bytes. Compressed planes are zstd frames of
run-length blocks, made by hand, so that no library decides what the vector is.
"""

import json
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from blake3 import IV, _tree, blake3, derive_key  # noqa: E402

BLOCK = 1 << 20
FILE, TREE = 1, 2
RAW, PLANE, SUB = 0, 1, 2


def run_length_frame(byte: int, count: int) -> bytes:
    """A zstd frame of `count` times `byte` (RFC 8878, 3.1.1)."""
    if count < 256:
        size = bytes([0x20, count])
    elif count < 65536 + 256:
        size = bytes([0x60]) + struct.pack("<H", count - 256)
    else:
        size = bytes([0xA0]) + struct.pack("<I", count)
    frame = b"\x28\xb5\x2f\xfd" + size
    while True:
        n = min(count, 128 << 10)
        count -= n
        frame += struct.pack("<I", (count == 0) | 1 << 1 | n << 3)[:3] + bytes([byte])
        if count == 0:
            return frame


def packed(data: bytes) -> bytes:
    """The smaller of the bytes themselves and, for a run, its frame."""
    if len(set(data)) == 1:
        frame = run_length_frame(data[0], len(data))
        if len(frame) < len(data):
            return frame
    return data


def record(kind: int, a: int, b: int, c: int, key: bytes, last8: bytes, payload: bytes) -> bytes:
    return bytes([kind, a, b, c]) + struct.pack("<I", len(payload)) + key + last8 + payload


def object_record(kind: int, stored: bytes) -> bytes:
    key = derive_key({FILE: "flair.v1.file", TREE: "flair.v1.tree"}[kind], stored)
    payload = packed(stored)
    codec = 1 if len(payload) < len(stored) else 0
    return record(1, kind, codec, 0, key, struct.pack("<II", 0, len(stored)), payload)


def chaining_values(data: bytes) -> list:
    """Of every block, when there are at least two."""
    if len(data) <= BLOCK:
        return []
    return [
        struct.pack("<8I", *_tree(IV, data[i : i + BLOCK], i // 1024, 0, False))
        for i in range(0, len(data), BLOCK)
    ]


def order(x: int, bits: int) -> int:
    top = 1 << (bits - 1)
    return x ^ (2 * top - 1) if x & top else x | top


def mapped(data: bytes, width: int, is_float: bool, base) -> list:
    bits = 8 * width
    mask = (1 << bits) - 1

    def elements(b: bytes) -> list:
        return [int.from_bytes(b[i : i + width], "little") for i in range(0, len(b) // width * width, width)]

    values = elements(data)
    if base is None:
        return [((v << 1) | (v >> (bits - 1))) & mask if is_float else v for v in values]
    result = []
    for x, b in zip(values, elements(base)):
        d = (order(x, bits) - order(b, bits) if is_float else x - b) & mask
        result.append(((d << 1) ^ (mask if d >> (bits - 1) else 0)) & mask)
    return result


def block_record(content: bytes, index: int, data: bytes, codec: int, log2: int = 0, is_float: bool = False,
                 base_hash: bytes = b"", base: bytes = None, depth: int = 0) -> bytes:
    last8 = struct.pack("<II", index, len(data))
    if codec == RAW:
        return record(3, RAW, 0, 0, content, last8, data)
    width = 1 << log2
    values = mapped(data, width, is_float, base)
    planes = [packed(bytes((v >> (8 * j)) & 255 for v in values)) for j in range(width)]
    tail = data[len(values) * width :]
    payload = base_hash + b"".join(struct.pack("<I", len(p)) for p in planes) + b"".join(planes) + tail
    assert len(payload) < len(data), "an encoder would have written RAW"
    return record(3, codec, log2 | (16 if is_float else 0), depth, content, last8, payload)


def head_record(content: bytes, data: bytes) -> bytes:
    return record(2, 0, 0, 0, content, struct.pack("<Q", len(data)), b"".join(chaining_values(data)))


def pack(nonce: int, records: list) -> bytes:
    out = b"FLAIRPAK" + struct.pack("<IIQ", 1, 0, nonce)
    objects, heads, blocks = [], [], []
    for r in records:
        key, offset = r[8:40], len(out)
        if r[0] == 1:
            entry = bytes([1, r[1], 0, 0]) + struct.pack("<II", offset, len(r)) + r[44:48] + key
            objects.append((key, r[1], entry))
        elif r[0] == 2:
            heads.append((key, bytes([2, 0, 0, 0]) + struct.pack("<I", offset) + r[40:48] + key))
        else:
            base = r[48:80] if r[1] == SUB else b""
            blocks.append((key, struct.unpack("<I", r[40:44])[0], r[3], base, offset, len(r)))
        out += r
    index_offset = len(out)
    entries = [e[-1] for e in sorted(objects)] + [e[-1] for e in sorted(heads)]
    runs = []
    for key, number, depth, base, offset, length in sorted(blocks):
        place = struct.pack("<II", offset, length)
        if runs and runs[-1][0] == (key, depth, base) and runs[-1][1] + len(runs[-1][2]) == number:
            runs[-1][2].append(place)
        else:
            runs.append(((key, depth, base), number, [place]))
    for (key, depth, base), number, places in runs:
        entries.append(bytes([3, depth, 1 if base else 0, 0]) + struct.pack("<III", number, len(places), 0)
                       + key + base + b"".join(places))
    index = b"".join(entries)
    footer = struct.pack("<QII", index_offset, len(entries), len(index))
    return out + index + footer + blake3(index + footer) + b"FLAIRIDX"


def floats(values: list) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def vectors() -> dict:
    first = floats([1 + i / 64 for i in range(64)]) + b"\x07"
    second = floats([(1 + i / 64) * (1 - 2**-20) for i in range(64)]) + b"\x08"
    halves = struct.pack("<64H", *([0x3C00, 0xBC00] * 32))
    large = bytes(BLOCK + 3)
    longs = struct.pack("<32q", *range(-32, 0))
    names = {"first": blake3(first), "second": blake3(second), "halves": blake3(halves),
             "longs": blake3(longs), "flair": blake3(b"flair"), "empty": blake3(b"")}
    values = chaining_values(large)
    names["large"] = struct.pack("<8I", *_root(values))
    tree, run = b"", b"a" * 100
    records = [
        object_record(TREE, tree),
        object_record(FILE, run),
        head_record(names["empty"], b""),
        block_record(names["flair"], 0, b"flair", RAW),
        head_record(names["flair"], b"flair"),
        block_record(names["first"], 0, first, PLANE, 2, True),
        head_record(names["first"], first),
        block_record(names["second"], 0, second, SUB, 2, True, names["first"], first, 1),
        head_record(names["second"], second),
        block_record(names["halves"], 0, halves, PLANE, 1, True),
        head_record(names["halves"], halves),
        block_record(names["longs"], 0, longs, PLANE, 3, False),
        head_record(names["longs"], longs),
        block_record(names["large"], 0, large[:BLOCK], PLANE, 2, True),
        block_record(names["large"], 1, large[BLOCK:], RAW),
        record(2, 0, 0, 0, names["large"], struct.pack("<Q", len(large)), b"".join(values)),
    ]
    nonce = 0x0706050403020100
    smallest = [records[3], records[4]]
    contents = [(b"", 1), (b"flair", 1), (first, 1), (second, 1), (halves, 1), (longs, 1), (b"\0", len(large))]
    hashes = [names[n].hex() for n in ("empty", "flair", "first", "second", "halves", "longs", "large")]
    return {
        "packs": [_described(nonce, smallest), _described(nonce, records)],
        "objects": [
            {"kind": r[1], "id": r[8:40].hex(), "stored": data.hex()}
            for r, data in ((records[0], tree), (records[1], run))
        ],
        "contents": [
            {"hash": h, "repeat": data.hex(), "times": times} for h, (data, times) in zip(hashes, contents)
        ],
    }


def _root(values: list):
    from blake3 import PARENT, ROOT, _compress

    assert len(values) == 2
    return _compress(IV, values[0] + values[1], 0, 64, PARENT | ROOT)


def _described(nonce: int, records: list) -> dict:
    whole = pack(nonce, records)
    return {
        "nonce": f"{nonce:016x}",
        "name": blake3(whole).hex() + ".pack",
        "records": [r.hex() for r in records],
        "bytes": whole.hex(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
