# SPDX-License-Identifier: Apache-2.0
"""The verifier of refreshed commitments, written from docs/spec/refresh.md.

`python3 reference/refresh.py [FILE]` verifies tests/vectors/zk_refresh.json, whose proofs src/zk/prover made.
"""

import hashlib
import sys
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import commitment  # noqa: E402
import field  # noqa: E402
import opening  # noqa: E402
import training  # noqa: E402
from layout import pieces_of  # noqa: E402
from masking import Rejected, require  # noqa: E402
from opening import eq  # noqa: E402
from relations import draw_point  # noqa: E402
from transcript import Transcript  # noqa: E402

VECTORS = Path(__file__).parent.parent / "tests/vectors/zk_refresh.json"
OUTLIVE_PROOFS = ("weights", "state", "data")


class Statement:
    """`matrices`: (shape, root), before and after; `reading`: of data, the digest of what their cards say."""

    def __init__(self, wallet: bytes, matrices: list, reading: bytes | None = None):
        self.wallet, self.matrices, self.reading = wallet, matrices, reading
        both = b"".join(commitment.spelled(commitment.KINDS[shape["kind"]], shape, root) for shape, root in matrices)
        self.bytes = b"FLRS" + (b"\1\0" if reading is None else b"\2\0") + wallet + both + (reading or b"")

    def hash(self) -> bytes:
        return hashlib.sha256(self.bytes).digest()

    def absorb(self, transcript):
        transcript.absorb("statement", self.bytes)
        absorb_matrices(transcript, self.matrices)
        transcript.absorb("wallet", self.wallet)


def absorb_matrices(transcript, matrices: list):
    for place, (shape, root) in enumerate(matrices):
        transcript.absorb("commitment", bytes([place]) + commitment.matrix_digest(shape, root))


class Plan:
    """All that follows from the statement. `has_tail`: for tests, as `queries`."""

    def __init__(self, statement: Statement, queries: int | None = None, work_bits: int = commitment.QUERY_WORK_BITS,
                 has_tail: bool | None = None):  # fmt: skip
        self.statement = statement
        shapes = [shape for shape, _ in statement.matrices]
        for shape in shapes:
            require(commitment.is_shape(shape), "plan", "a matrix of no shape")
            require(shape["kind"] in OUTLIVE_PROOFS, "plan", "a matrix that does not outlive proofs")
        require(shapes[0]["kind"] == shapes[1]["kind"], "plan", "matrices of two kinds")
        is_data = shapes[0]["kind"] == "data"
        require(is_data == (statement.reading is not None), "plan", "data without a reading, or others with one")
        require(statement.matrices[0] != statement.matrices[1], "plan", "one matrix twice")
        self.longest = max(map(commitment.cells_of, shapes))
        counter = training.Counter()
        self.script(counter)
        besides = {"script": Fraction(counter.degrees, field.P**2)}
        try:
            self.opening = opening.Plan([training.witness_shape(1), *shapes], counter.pads, counter.triples, queries, work_bits, besides,
                                        has_tail)  # fmt: skip
        except ValueError as error:
            raise Rejected("plan", str(error)) from error

    def script(self, verifier) -> list:
        point = draw_point(verifier.transcript, self.longest)
        value, = verifier.receive("claim-value", 1)
        return [{"matrix": number, "blocks": blocks_at(commitment.cells_of(shape), point), "value": value}
                for number, (shape, _) in enumerate(self.statement.matrices, 1)]  # fmt: skip


def blocks_at(cells: int, point: list) -> list:
    """Of a vector's value at a point."""
    return [{"coefficient": eq(point[size:], begin >> size), "offset": begin, "point": point[:size]} for begin, size in pieces_of(cells)]


def verify(plan: Plan, data: bytes):
    proof = training.read_proof(plan, data)
    require(proof["statement"] == plan.statement.hash(), "about", "a proof of another statement")
    require(proof["lookup_nonce"] == 0, "no lookups", "work that nobody asked for")
    transcript = Transcript("flair refresh v1")
    plan.statement.absorb(transcript)
    roots = [proof["witness"]] + [root for _, root in plan.statement.matrices]
    verifier = opening.Verifier(plan.opening, roots, proof["companions"], proof["opening"], transcript)
    verifier.check(plan.script(verifier))


# --- the vectors ----------------------------------------------------------------------------


def statement_of(vector: dict) -> Statement:
    reading = bytes.fromhex(vector["reading"]) if "reading" in vector else None
    return Statement(bytes.fromhex(vector["wallet"]), list(zip(vector["matrices"], map(bytes.fromhex, vector["roots"]))), reading)


def verify_vector(vector: dict):
    statement = statement_of(vector)
    verify(Plan(statement, vector["queries"], vector["work_bits"], vector["has_tail"]), bytes.fromhex(vector["proof"]))


def judge(vector: dict) -> str:
    """"accepted", or the check that failed."""
    try:
        verify_vector(vector)
    except Rejected as rejected:
        return rejected.check
    return "accepted"


if __name__ == "__main__":
    sys.exit(opening.judge_file(VECTORS, judge))
