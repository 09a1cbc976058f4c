# SPDX-License-Identifier: Apache-2.0
"""Committed matrices of docs/spec/commitment.md: pads, code, digest, combined row, number of queries.

`python3 reference/commitment.py` prints tests/vectors/zk_commitment.json.
"""

import hashlib
import hmac
import json
import sys
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import field  # noqa: E402
import merkle  # noqa: E402

P = field.P
KINDS = {"witness": 1, "companion": 2, "weights": 3, "state": 4, "data": 5, "tail": 6}
QUERY_BITS, QUERY_WORK_BITS, MAX_QUERIES = 104, 16, 1024


def le64(n: int) -> bytes:
    return n.to_bytes(8, "little")


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869, empty salt, 32 bytes."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


def chacha20_block(key: bytes, nonce: int, counter: int) -> bytes:
    """Bernstein's original: counter and nonce of 64 bits each."""
    words = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    words += [int.from_bytes(key[i:i + 4], "little") for i in range(0, 32, 4)]
    words += [counter & 0xFFFFFFFF, counter >> 32, nonce & 0xFFFFFFFF, nonce >> 32]
    x = list(words)

    def quarter(a, b, c, d):
        for one, two, three, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[one] = (x[one] + x[two]) & 0xFFFFFFFF
            mixed = x[three] ^ x[one]
            x[three] = (mixed << turn | mixed >> (32 - turn)) & 0xFFFFFFFF
    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for d in range(4):
            quarter(d, (d + 1) % 4 + 4, (d + 2) % 4 + 8, (d + 3) % 4 + 12)
    return b"".join(((a + b) & 0xFFFFFFFF).to_bytes(4, "little") for a, b in zip(x, words))


def matrix_digest(shape: dict, root: bytes) -> bytes:
    numbers = (shape["log_columns"], shape["log_n"], shape["num_rows"], shape["num_pads"], KINDS[shape["kind"]])
    return hashlib.sha256(b"flair zk comm v1" + b"".join(map(le64, numbers)) + root).digest()


def is_shape(shape: dict) -> bool:
    columns, pads = 2 ** min(shape["log_columns"], 23), shape["num_pads"]
    return (shape["log_columns"] <= 22 and shape["log_n"] <= 24 and 1 <= shape["num_rows"] <= 2**22
            and shape["num_rows"] * columns <= 2**34 and pads <= columns and columns + pads < 2 ** shape["log_n"])  # fmt: skip


def cells_of(shape: dict) -> int:
    return shape["num_rows"] << shape["log_columns"]


def spelled(first: int, shape: dict, root: bytes) -> bytes:
    """A matrix in the bytes of a statement, behind a byte that says which."""
    return bytes([first]) + b"".join(le64(shape[name]) for name in ("log_columns", "log_n", "num_rows", "num_pads")) + root


class Matrix:
    """`rows`: R lists of C cells."""

    def __init__(self, shape: dict, rows: list, seed: bytes, values: bytes):
        self.shape, self.rows = shape, rows
        self.n, self.columns, self.h = 2 ** shape["log_n"], 2 ** shape["log_columns"], shape["num_pads"]
        place = bytes([KINDS[shape["kind"]]]) + le64(shape["log_columns"]) + le64(shape["log_n"]) + le64(self.h)
        self.row_key, self.salt_key = (hkdf(seed, b"flair zk pads v1" + bytes([use]) + place + values) for use in (1, 2))
        self.pads = [self._pads(i) for i in range(len(rows))]
        self.points = [7 * pow(field.root_of_unity(shape["log_n"]), j, P) % P for j in range(self.n)]
        self.codewords = [[self._at(i, x) for x in self.points] for i in range(len(rows))]
        self.salts = [self._salt(j) for j in range(self.n)]
        self.leaves = [merkle.leaf(j, self.salts[j], self.column(j)) for j in range(self.n)]
        self.root = merkle.levels(self.leaves)[-1][0]

    def _pads(self, row: int) -> list:
        pads, counter = [], 0
        while len(pads) < self.h:
            block = chacha20_block(self.row_key, row, counter)
            words = [int.from_bytes(block[i:i + 8], "little") for i in range(0, 64, 8)]
            pads += [w for w in words if w < P]
            counter += 1
        return pads[:self.h]

    def _salt(self, column: int) -> bytes:
        block = chacha20_block(self.salt_key, 0, column // 2)
        return block[32 * (column % 2):][:32]

    def coefficients(self, row: int) -> list:
        return self.rows[row] + self.pads[row]

    def _at(self, row: int, x: int) -> int:
        value = 0
        for c in reversed(self.coefficients(row)):
            value = (value * x + c) % P
        return value

    def column(self, j: int) -> list:
        return [codeword[j] for codeword in self.codewords]

    def digest(self) -> bytes:
        return matrix_digest(self.shape, self.root)

    def combination(self, weights: list) -> list:
        row = [(0, 0)] * (self.columns + self.h)
        for i, weight in enumerate(weights):
            row = [field.add(u, field.mul(weight, (c, 0))) for u, c in zip(row, self.coefficients(i))]
        return row


def missed(row_length: int, n: int, t: int) -> Fraction:
    """With what probability t columns miss a word that is off the code."""
    a = row_length + (n - row_length) // 2
    product = Fraction(1)
    for i in range(t):
        product *= Fraction(a - i, n - i)
    return product


def num_queries(row_length: int, n: int, work_bits: int = QUERY_WORK_BITS) -> int:
    a = row_length + (n - row_length) // 2
    above, below, t = 2 ** (QUERY_BITS - work_bits), 1, 0
    while above > below:
        if t >= min(a, MAX_QUERIES):
            return 0
        above, below, t = above * (a - t), below * (n - t), t + 1
    return t


def pads_for_one_opening(log_columns: int, log_n: int) -> int:
    columns, n, h = 2**log_columns, 2**log_n, 1
    while h <= min(columns, n - columns - 1):
        queries = num_queries(columns + h, n)
        if queries == 0:
            return 0
        if queries <= h:
            return h
        # Longer rows take more queries: all between are too few, too.
        h = queries
    return 0


def noise(label: str) -> int:
    return int.from_bytes(hashlib.sha256(label.encode()).digest(), "little") % P


def matrix_vectors() -> list:
    vectors = []
    for name, log_columns, log_n, rows, h, kind in (
            ("a", 3, 5, 11, 5, "weights"), ("b", 2, 4, 1, 4, "witness"), ("c", 4, 6, 8, 1, "data"), ("d", 3, 4, 16, 0, "state")):
        shape = {"log_columns": log_columns, "log_n": log_n, "num_rows": rows, "num_pads": h, "kind": kind}
        cells = [[noise(f"{name} {i} {j}") for j in range(2**log_columns)] for i in range(rows)]
        seed = hashlib.sha256(f"seed {name}".encode()).digest()
        values = bytes(32) if kind == "witness" else hashlib.sha256(b"".join(le64(c) for row in cells for c in row)).digest()
        m = Matrix(shape, cells, seed, values)
        weights = [(noise(f"w {i}"), noise(f"v {i}")) for i in range(rows)]
        opened = [0, 3, 2**log_n - 1]
        vectors.append({
            **shape, "cells": [str(c) for row in cells for c in row], "seed": seed.hex(), "values": values.hex(),
            "pads": [[str(p) for p in row] for row in m.pads], "root": m.root.hex(), "digest": m.digest().hex(),
            "weights": [[str(a), str(b)] for a, b in weights],
            "combination": [[str(a), str(b)] for a, b in m.combination(weights)],
            "opened": opened, "columns": [[str(v) for v in m.column(j)] for j in opened],
            "salts": [m.salts[j].hex() for j in opened],
            "path": [d.hex() for d in merkle.path(m.leaves, opened)]})  # fmt: skip
    return vectors


def query_vectors() -> list:
    shapes = [(2**k + h, 2**m) for k, m, h in ((10, 11, 213), (14, 15, 213), (14, 16, 64 * 140), (18, 20, 9000), (5, 7, 20), (12, 13, 1),
                                                (12, 13, 3000), (14, 15, 16000))]
    queries = [{"row_length": k, "n": n, "work_bits": g, "queries": num_queries(k, n, g)} for k, n in shapes for g in (0, 16, 32)]
    pads = [{"log_columns": k, "log_n": m, "pads": pads_for_one_opening(k, m)} for k, m in ((10, 11), (14, 15), (18, 19), (10, 12), (6, 7))]
    return [{"queries": queries, "pads": pads}]


if __name__ == "__main__":
    json.dump({"matrices": matrix_vectors(), "counts": query_vectors()}, sys.stdout, indent=1)
    print()
