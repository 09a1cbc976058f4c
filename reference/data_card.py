# SPDX-License-Identifier: Apache-2.0
"""The registered data of docs/formats/data-card.md, a second time: cards, secrets, and a set from its files to its root.

`python3 reference/data_card.py` prints tests/vectors/data_card.json.
"""

import hashlib
import json
import math
import struct
import sys
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import commitment  # noqa: E402
import layout  # noqa: E402
from blake3 import blake3  # noqa: E402


def spelled(document: dict) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


# --- columns to cells -----------------------------------------------------------------------


def stored(value, column: dict) -> int:
    """An integer as it is or times 2^scale, a float rounded once, halves up; a class is itself."""
    if "classes" in column:
        return value
    scaled = Fraction(value) * Fraction(2) ** column["scale"]
    if isinstance(value, int):
        assert scaled.denominator == 1
        return int(scaled)
    return math.floor(scaled + Fraction(1, 2))


def laid_out(column: dict) -> dict:
    """dims without ones, bits, bias."""
    if "classes" in column:
        return {"dims": [], "bits": (column["classes"] - 1).bit_length(), "bias": 0}
    return {"dims": [d for d in column["dims"] if d != 1], "bits": column["bits"], "bias": 2 ** (column["bits"] - 1)}


def packing(laid: dict) -> tuple:
    """Values in a cell, and the bits that each has there."""
    if not laid["dims"]:
        return 1, 0
    return (4, 15) if laid["bits"] <= 15 else (2, 30)


def tensors_of(laid: list, records: int) -> tuple:
    """A tensor for each column, neighbours of the innermost dim in one cell; and the number of cells."""
    tensors = []
    for column in laid:
        packed, _ = packing(column)
        tensors.append(layout.Tensor([records, *column["dims"][:-1], *(-(-d // packed) for d in column["dims"][-1:])]))
    return tensors, layout.place([block for tensor in tensors for block in tensor.blocks])


def cells_of(columns: list, records: int, values: list) -> list:
    laid = [laid_out(column) for column in columns]
    tensors, count = tensors_of(laid, records)
    cells = [0] * count
    for column, tensor, own in zip(laid, tensors, values):
        packed, bits = packing(column)
        inner = column["dims"][-1] if column["dims"] else 1
        lines = [own[i:i + inner] for i in range(0, len(own), inner)]
        sums = [sum(v + column["bias"] << bits * j for j, v in enumerate(line[i:i + packed])) for line in lines
                for i in range(0, inner, packed)]  # fmt: skip
        for block in tensor.blocks:
            # The last axis is the lowest.
            for within in range(2 ** block["log_size"]):
                index, rest, step = 0, within, 1
                for (begin, j), size in reversed(list(zip(block["pieces"], tensor.sizes))):
                    index += step * (begin + rest % 2**j)
                    rest, step = rest >> j, step * size
                cells[block["offset"] + within] = sums[index]
    return cells


# --- documents ------------------------------------------------------------------------------


def shape_of(columns: list, records: int, log_columns: int, log_n: int, pads: int) -> dict:
    _, cells = tensors_of([laid_out(column) for column in columns], records)
    return {"log_columns": log_columns, "log_n": log_n, "num_rows": max(1, -(-cells // 2**log_columns)), "num_pads": pads, "kind": "data"}


def card(name: str, records: int, columns: list, generation: int, shape: dict, root: bytes) -> dict:
    matrix = {"generation": generation, "kappa": shape["log_columns"], "m": shape["log_n"], "rows": shape["num_rows"],
              "pads": shape["num_pads"], "root": root.hex(), "digest": commitment.matrix_digest(shape, root).hex()}  # fmt: skip
    return {"format": 1, "name": name, "records": records, "columns": columns, "matrix": matrix}


def seed_of(key: bytes, generation: int) -> bytes:
    return hashlib.sha256(b"flair data seed v1" + key + generation.to_bytes(8, "little")).digest()


# --- vectors --------------------------------------------------------------------------------


def numbers(name: str, dims: list, source: str, bits: int, scale: int) -> dict:
    return {"name": name, "dims": dims, "source": source, "bits": bits, "scale": scale}


def classes(name: str, source: str, count: int) -> dict:
    return {"name": name, "dims": [], "source": source, "classes": count}


def card_vectors() -> list:
    sets = [
        ("digits", 60000, [numbers("x", [28, 28], "U8", 9, 0), classes("y", "U8", 10)], 0, (14, 16, 8960)),
        ("A.b_c-0", 1, [numbers("only", [], "F64", 30, -60)], 2**20, (9, 11, 141)),
        ("many", 77, [numbers("a\\b/c'{}", [1, 5, 1, 6, 1, 1, 7], "BF16", 2, 60), classes("z", "BOOL", 2**20)], 7, (10, 12, 500)),
    ]
    vectors = []
    for name, records, columns, generation, sizes in sets:
        root = hashlib.sha256(name.encode()).digest()
        document = card(name, records, columns, generation, shape_of(columns, records, *sizes), root)
        text = spelled(document)
        vectors.append({"text": text, "id": blake3(text.encode()).hex(), "document": document})
    return vectors


def secret_vectors() -> list:
    vectors = []
    for source, columns in (("/data", []), ("/d/é \"q\" \\ \x1f\n/x.npy", [{"name": "x", "source": "größe/…"}])):
        key = hashlib.sha256(source.encode()).digest()
        document = {"format": 1, "key": key.hex(), "source": source, "columns": columns}
        seeds = [{"generation": g, "seed": seed_of(key, g).hex()} for g in (0, 1, 2**20)]
        vectors.append({"text": spelled(document), "document": document, "seeds": seeds})
    return vectors


def npy(descr: str, shape: tuple, data: bytes) -> str:
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    return (b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data).hex()


def set_vector() -> dict:
    """Five records: bytes in fours, floats in twos, whole numbers alone, classes."""
    records, key = 5, hashlib.sha256(b"key").digest()
    pixels = [i * 37 % 256 for i in range(30)]
    floats = [0.5, -0.25, 1.0 / 1024, 3.0 / 2048, -3.0 / 2048, -511.75] + [i / 3 - 2 for i in range(4)]
    floats = list(struct.unpack("<10f", struct.pack("<10f", *floats)))
    whole, labels = [-4, 0, 8, 12, -32768], [2, 0, 1, 1, 0]
    files = {
        "f.npy": npy(">f4", (5, 2), struct.pack(">10f", *floats)),
        "n.npy": npy("<i2", (5,), struct.pack("<5h", *whole)),
        "x.npy": npy("|u1", (5, 2, 3, 1), bytes(pixels)),
        "y.npy": npy("<u4", (5,), struct.pack("<5I", *labels)),
    }
    columns = [numbers("x", [2, 3, 1], "U8", 10, 1), numbers("real", [2], "F32", 20, 10), numbers("n", [], "I16", 16, -2),
               classes("y", "U32", 3)]  # fmt: skip
    values = [[stored(v, column) for v in own] for column, own in zip(columns, (pixels, floats, whole, labels))]
    cells = cells_of(columns, records, values)
    shape = shape_of(columns, records, 8, 10, commitment.pads_for_one_opening(8, 10))
    padded = cells + [0] * (shape["num_rows"] * 256 - len(cells))
    rows = [padded[i:i + 256] for i in range(0, len(padded), 256)]
    hashed = hashlib.sha256(b"".join(map(commitment.le64, padded))).digest()
    generation = 3
    matrix = commitment.Matrix(shape, rows, seed_of(key, generation), hashed)
    choices = [{"name": "x", "source": "x"}, {"name": "real", "source": "f"}, {"name": "n", "source": "n"}, {"name": "y", "source": "y"}]
    return {
        "files": files,
        "secret": spelled({"format": 1, "key": key.hex(), "source": "/d", "columns": choices}),
        "card": spelled(card("five", records, columns, generation, shape, matrix.root)),
        "values": values,
        "cells": [str(cell) for cell in cells],
    }


if __name__ == "__main__":
    json.dump({"cards": card_vectors(), "secrets": secret_vectors(), "set": set_vector()}, sys.stdout, indent=1)
    print()
