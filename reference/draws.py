# SPDX-License-Identifier: Apache-2.0
"""The draws of docs/spec/step.md, in plain Python. Prints tests/vectors/draws.json."""

import hashlib
import json
import math
import struct
import sys


def rotated(x: int, n: int) -> int:
    return (x << n | x >> (32 - n)) & 0xFFFFFFFF


def block(key: bytes, number: int) -> bytes:
    """64 bytes of Bernstein's ChaCha20: nonce 0, a counter of 64 bits."""
    start = [*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key), number & 0xFFFFFFFF, number >> 32, 0, 0]
    x = list(start)
    for i in range(10):
        for a, b, c, d in [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]:  # fmt: skip
            for to, by, turned, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[to] = (x[to] + x[by]) & 0xFFFFFFFF
                x[turned] = rotated(x[turned] ^ x[to], bits)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, start)))


def words(label: bytes, seed: bytes, numbers: list, size: int):
    """Little-endian words of `size` bytes of the stream that these name."""
    key = hashlib.sha256(label + seed + b"".join(struct.pack("<Q", n) for n in numbers)).digest()
    number = 0
    while True:
        stream = block(key, number)
        yield from (int.from_bytes(stream[i : i + size], "little") for i in range(0, 64, size))
        number += 1


def below(stream, bound: int) -> int:
    limit = 2**64 - 2**64 % bound
    return next(word for word in stream if word < limit) % bound


def epoch_order(seed: bytes, epoch: int, rows: int) -> list:
    order, stream = list(range(rows)), words(b"batch", seed, [epoch], 8)
    for i in range(rows - 1, 0, -1):
        j = below(stream, i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def rows_of(seed: bytes, rows: int, batch: int, step: int) -> list:
    epoch, place = divmod(step, rows // batch)
    return epoch_order(seed, epoch, rows)[place * batch : (place + 1) * batch]


def mask(seed: bytes, step: int, number: int, num: int, den: int, count: int) -> list:
    stream, least = words(b"draw", seed, [step, number], 4), (num << 32) // den
    return [int(next(stream) >= least) for _ in range(count)]


def vectors() -> dict:
    seeds = [bytes(32), bytes(range(32)), hashlib.sha256(b"seed").digest()]
    edges = []  # probabilities around the word that decides
    for i, by in enumerate((-1, 0, 1, 2), 7):
        word = next(words(b"draw", seeds[i % 3], [0, 5], 4))
        common = math.gcd(2 * word + by, 2**33)
        edges.append((0, 5, (2 * word + by) // common, 2**33 // common, 1))
    return {
        "steps": [
            {"seed": seeds[i % 3].hex(), "rows": rows, "batch": batch, "step": step,
             "drawn": rows_of(seeds[i % 3], rows, batch, step)}
            for i, (rows, batch, step) in enumerate([
                (1, 1, 0), (1, 1, 3), (5, 2, 0), (5, 2, 1), (5, 2, 2), (10, 10, 7), (1000, 64, 14), (1000, 64, 15),
                (1300, 32, 2**40), (700, 9, 2**64 - 1),
            ])
        ],
        "masks": [
            {"seed": seeds[i % 3].hex(), "step": step, "number": number, "drop": [num, den],
             "kept": "".join(map(str, mask(seeds[i % 3], step, number, num, den, count)))}
            for i, (step, number, num, den, count) in enumerate([
                (0, 0, 1, 2, 64), (0, 1, 1, 2, 64), (1, 0, 1, 2, 64), (2**64 - 1, 2**32 - 1, 1, 3, 65),
                (7, 2, 0, 1, 20), (7, 2, 2**61 - 1, 2**61, 20), (3, 0, 1, 10, 2100),
                *edges,
            ])
        ],
    }  # fmt: skip


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
