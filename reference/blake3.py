# SPDX-License-Identifier: Apache-2.0
"""BLAKE3 in plain Python, slow and short: the plain hash and derive_key mode.

Written from the BLAKE3 paper (section 2), to check the C++ side against code that
shares nothing with it. Output is always 32 bytes.
"""

import struct

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_BYTES, BLOCK_BYTES = 1024, 64
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
DERIVE_KEY_CONTEXT, DERIVE_KEY_MATERIAL = 32, 64
MASK = 0xFFFFFFFF


def _mix(v, a, b, c, d, x, y):
    def rotate(word, bits):
        return ((word >> bits) | (word << (32 - bits))) & MASK

    v[a] = (v[a] + v[b] + x) & MASK
    v[d] = rotate(v[d] ^ v[a], 16)
    v[c] = (v[c] + v[d]) & MASK
    v[b] = rotate(v[b] ^ v[c], 12)
    v[a] = (v[a] + v[b] + y) & MASK
    v[d] = rotate(v[d] ^ v[a], 8)
    v[c] = (v[c] + v[d]) & MASK
    v[b] = rotate(v[b] ^ v[c], 7)


def _compress(chaining, block, counter, length, flags):
    """The first eight words of the compression function's output."""
    m = list(struct.unpack("<16I", block.ljust(BLOCK_BYTES, b"\0")))
    v = list(chaining) + list(IV[:4]) + [counter & MASK, counter >> 32, length, flags]
    for _ in range(7):
        for i in range(4):  # columns
            _mix(v, i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1])
        for i in range(4):  # diagonals
            _mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i])
        m = [m[p] for p in PERMUTATION]
    return tuple(v[i] ^ v[i + 8] for i in range(8))


def _chunk(key, data, counter, flags, root):
    chaining = key
    blocks = [data[i : i + BLOCK_BYTES] for i in range(0, len(data), BLOCK_BYTES)] or [b""]
    for i, block in enumerate(blocks):
        f = flags | (CHUNK_START if i == 0 else 0)
        if i == len(blocks) - 1:
            f |= CHUNK_END | (ROOT if root else 0)
        chaining = _compress(chaining, block, counter, len(block), f)
    return chaining


def _tree(key, data, first_chunk, flags, root):
    if len(data) <= CHUNK_BYTES:
        return _chunk(key, data, first_chunk, flags, root)
    # The left side is the largest power of two of whole chunks that leaves something.
    chunks = (len(data) - 1) // CHUNK_BYTES
    left = 1 << (chunks.bit_length() - 1)
    split = left * CHUNK_BYTES
    block = struct.pack(
        "<16I",
        *_tree(key, data[:split], first_chunk, flags, False),
        *_tree(key, data[split:], first_chunk + left, flags, False),
    )
    return _compress(key, block, 0, BLOCK_BYTES, flags | PARENT | (ROOT if root else 0))


def blake3(data: bytes) -> bytes:
    return struct.pack("<8I", *_tree(IV, data, 0, 0, True))


def derive_key(context: str, material: bytes) -> bytes:
    key = _tree(IV, context.encode(), 0, DERIVE_KEY_CONTEXT, True)
    return struct.pack("<8I", *_tree(key, material, 0, DERIVE_KEY_MATERIAL, True))
