# SPDX-License-Identifier: Apache-2.0
"""Leaves, trees and shared paths of docs/spec/merkle.md."""

import hashlib

LEAF, NODE = b"flair zk leaf v1", b"flair zk node v1"


def leaf(index: int, salt: bytes, column: list) -> bytes:
    header = LEAF + len(column).to_bytes(8, "little") + index.to_bytes(8, "little") + salt
    return hashlib.sha256(header + b"".join(v.to_bytes(8, "little") for v in column)).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()


def levels(leaves: list) -> list:
    """All nodes, from the leaves up."""
    tree = [leaves]
    while len(tree[-1]) > 1:
        below = tree[-1]
        tree.append([node(below[i], below[i + 1]) for i in range(0, len(below), 2)])
    return tree


def path(leaves: list, indices: list) -> list:
    digests, known = [], set(indices)
    for level in levels(leaves)[:-1]:
        digests += [level[i ^ 1] for i in sorted(known) if i ^ 1 not in known]
        known = {i // 2 for i in known}
    return digests


def path_length(log_n: int, indices: list) -> int:
    length, known = 0, set(indices)
    for _ in range(log_n):
        length += sum(i ^ 1 not in known for i in known)
        known = {i // 2 for i in known}
    return length


def root(log_n: int, opened: dict, digests: list) -> bytes:
    """`opened`: index -> leaf."""
    rest, known = list(digests), dict(opened)
    for _ in range(log_n):
        missing = [i ^ 1 for i in sorted(known) if i ^ 1 not in known]
        both = known | {i: rest.pop(0) for i in missing}
        known = {i // 2: node(both[i // 2 * 2], both[i // 2 * 2 + 1]) for i in known}
    if rest:
        raise ValueError("a longer path than the leaves need")
    return known[0]
