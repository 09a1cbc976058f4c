# SPDX-License-Identifier: Apache-2.0
"""Combined rows that are committed instead of sent, as docs/spec/tail.md has them: the verifier's side."""

import sys
from dataclasses import dataclass, field as attribute
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import field  # noqa: E402
import merkle  # noqa: E402
from commitment import QUERY_WORK_BITS, le64, matrix_digest, missed, num_queries  # noqa: E402
from masking import ONE, PHI, ZERO, at, require, scale  # noqa: E402

P = field.P
LOG_COLUMNS = range(4, 19)


def spelled(element: tuple) -> bytes:
    return b"".join(map(le64, element))


def eq(r: list, x: int) -> tuple:
    value = ONE
    for i, coordinate in enumerate(r):
        value = field.mul(value, coordinate if x >> i & 1 else field.sub(ONE, coordinate))
    return value


@lru_cache(maxsize=None)
def queries_of(log_columns: int, work_bits: int) -> int:
    return num_queries(2**log_columns, 2 ** (log_columns + 2), work_bits)


@dataclass
class Shape:
    log_columns: int
    rows: int  # over K
    queries: int

    @property
    def log_n(self) -> int:
        return self.log_columns + 2

    @property
    def bytes(self) -> int:
        return 16 * 2**self.log_columns + self.queries * (16 * self.rows + 64)


def shape_of(elements: int, work_bits: int = QUERY_WORK_BITS, queries: int | None = None) -> Shape:
    shapes = [Shape(k, -(-elements // 2**k), queries or queries_of(k, work_bits)) for k in LOG_COLUMNS]
    return min((shape for shape in shapes if 0 < shape.queries <= 2**shape.log_n), key=lambda shape: shape.bytes)


def bytes_of_row(length: int) -> int:
    """What one row costs, sent or committed."""
    return min(16 * length, shape_of(length).bytes)


class Tail:
    """`keys`: kappa, log n and h of each group."""

    def __init__(self, keys: list, work_bits: int, queries: int | None):
        self.work_bits, self.num_groups = work_bits, len(keys)
        self.elements = sum(2**log_columns + h for log_columns, _, h in keys)
        self.shape = shape_of(self.elements, work_bits, queries)
        self.row_variables = (self.shape.rows - 1).bit_length()
        self.rounds = self.shape.log_columns + self.row_variables
        pieces = []  # [log size, group, first coefficient]
        for group, (log_columns, _, h) in enumerate(keys):
            pieces.append([log_columns, group, 0])
            begin = 2**log_columns
            for bit in reversed(range(h.bit_length())):
                if h >> bit & 1:
                    pieces.append([bit, group, begin])
                    begin += 2**bit
        self.pieces, offset = [], 0
        for size, group, begin in sorted(pieces, key=lambda piece: -piece[0]):
            self.pieces.append((size, group, begin, offset))
            offset += 2**size

    def shortens(self) -> bool:
        return self.shape.bytes < 16 * self.elements

    def soundness(self, queries: int):
        """`queries`: of all groups. Draws from K times |K|, and the probability that the columns miss."""
        n = 2**self.shape.log_n
        over_k = (self.row_variables + 2) * n + 2 * self.rounds + self.num_groups + queries
        return over_k, missed(2**self.shape.log_columns, n, self.shape.queries) / 2**self.work_bits

    def check_lengths(self, sent: dict):
        require(len(sent["values"]) == self.num_groups, "length", "values of the tail")
        require(len(sent["rounds"]) == self.rounds and all(len(r) == 2 for r in sent["rounds"]), "length", "rounds of the tail")
        require(len(sent["row"]) == 2**self.shape.log_columns, "length", "the tail's row")
        opened = sent["matrix"]
        require(len(opened["columns"]) == len(opened["salts"]) == self.shape.queries, "length", "columns and salts")
        require(all(len(column) == 2 * self.shape.rows for column in opened["columns"]), "length", "a column")

    def absorb(self, sent: dict, transcript):
        shape = {"log_columns": self.shape.log_columns, "log_n": self.shape.log_n, "num_rows": 2 * self.shape.rows,
                 "num_pads": 0, "kind": "tail"}  # fmt: skip
        transcript.absorb("tail-root", matrix_digest(shape, sent["root"]))
        transcript.absorb("tail-value", b"".join(map(spelled, sent["values"])))

    def check(self, sent: dict, groups: list, transcript):
        """`groups`: a `Claims` of each."""
        transcript.absorb("tail-sum", b"".join(spelled(z) for group in groups for z in group.sums))
        eta = transcript.draw("tail-challenge")
        total, power = ZERO, ONE
        for group in groups:
            for claim in [group.value, *group.sums]:
                group.powers.append(power)
                total = field.add(total, field.mul(power, claim))
                power = field.mul(power, eta)
        s = []
        for at_0, at_2 in sent["rounds"]:
            transcript.absorb("tail-round", spelled(at_0) + spelled(at_2))
            s.append(transcript.draw("tail-challenge"))
            total = self._quadratic(at_0, field.sub(total, at_0), at_2, s[-1])
        kappa, row = self.shape.log_columns, sent["row"]
        shown = row
        for coordinate in s[:kappa]:
            shown = [field.add(low, field.mul(coordinate, field.sub(high, low))) for low, high in zip(shown[::2], shown[1::2])]
        require(field.mul(shown[0], self._weight(groups, s)) == total, "tail", "the rows contradict the columns, or a value")
        transcript.absorb("tail-row", b"".join(map(spelled, row)))
        require(transcript.check_work("tail-work", self.work_bits, sent["nonce"]), "work", "the tail's nonce has no work behind it")
        columns = sorted(transcript.indices("tail-query", self.shape.log_n, self.shape.queries))
        opened = sent["matrix"]
        require(len(opened["path"]) == merkle.path_length(self.shape.log_n, columns), "length", "a path")
        leaves = {j: merkle.leaf(j, salt, column) for j, salt, column in zip(columns, opened["salts"], opened["columns"])}
        require(merkle.root(self.shape.log_n, leaves, opened["path"]) == sent["root"], "root", "columns that are not under their root")
        omega, weights = field.root_of_unity(self.shape.log_n), [eq(s[kappa:], i) for i in range(self.shape.rows)]
        for j, column in zip(columns, opened["columns"]):
            combined = ZERO
            for weight, a, b in zip(weights, column[::2], column[1::2]):
                combined = field.add(combined, field.add(scale(weight, a), scale(field.mul(weight, PHI), b)))
            require(combined == at(row, 7 * pow(omega, j, P) % P), "row", f"column {j} of the tail contradicts its row")

    @staticmethod
    def _quadratic(g0: tuple, g1: tuple, g2: tuple, x: tuple) -> tuple:
        # In powers of x: g0 + (4 g1 - 3 g0 - g2) x / 2 + (g0 - 2 g1 + g2) x^2 / 2
        half = pow(2, P - 2, P)
        linear = field.sub(scale(g1, 4), field.add(scale(g0, 3), g2))
        square = field.add(field.sub(g0, scale(g1, 2)), g2)
        both = field.add(scale(linear, half), field.mul(scale(square, half), x))
        return field.add(g0, field.mul(both, x))

    def _weight(self, groups: list, s: list) -> tuple:
        total = ZERO
        for size, number, begin, offset in self.pieces:
            group, low = groups[number], s[:size]
            weight = ZERO
            if begin == 0:
                weight = group.powers[0]
                for p, coordinate in zip(group.point, low):
                    both = field.mul(p, coordinate)
                    neither = field.mul(field.sub(ONE, p), field.sub(ONE, coordinate))
                    weight = field.mul(weight, field.add(both, neither))
            for x, power in zip(group.columns, group.powers[1:]):
                own, square = scale(power, pow(x, begin, P)), x
                for coordinate in low:
                    own = field.mul(own, field.add(field.sub(ONE, coordinate), scale(coordinate, square)))
                    square = square * square % P
                weight = field.add(weight, own)
            total = field.add(total, field.mul(weight, eq(s[size:], offset >> size)))
        return total


@dataclass
class Claims:
    """Of a group's row: <eq(point, .), cells> = value, and its values at the columns' points."""

    point: list
    value: tuple
    columns: list = attribute(default_factory=list)
    sums: list = attribute(default_factory=list)
    powers: list = attribute(default_factory=list)
