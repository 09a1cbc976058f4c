# SPDX-License-Identifier: Apache-2.0
"""The verifier of the lookup argument, written from docs/spec/lookup.md.

`python3 reference/lookup.py` checks tests/vectors/zk_lookup.json: plans, and proofs that src/zk/prover made, whose protocol
is that of `verify_vector`.
"""

import json
import sys
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import field  # noqa: E402
import masking  # noqa: E402
import opening  # noqa: E402
from masking import ONE, ZERO, Masked, Rejected, require, scale  # noqa: E402
from opening import eq, log2_ceiling  # noqa: E402

P = field.P
VECTORS = Path(__file__).parent.parent / "tests/vectors/zk_lookup.json"
FREE_LAYERS = 22
MAX_LEAVES = 2**32
MAX_COUNT = 2**31


class Refused(ValueError):
    """No plan; `reason` names why."""

    def __init__(self, reason: str, what: str):
        super().__init__(f"{reason}: {what}")
        self.reason = reason


def refuse(holds: bool, reason: str, what: str):
    if holds:
        raise Refused(reason, what)


def entry(column, row: int) -> int:
    """A column is a list, or one number for all rows."""
    return column if isinstance(column, int) else column[row]


class Plan:
    """`segments`: dicts of class, log_rows, first, c1, c2 (columns), multiplicities (a cell).
    `lookups`: dicts of class, log_size, v, c1, c2 (cells; None: zeros)."""

    def __init__(self, segments: list, lookups: list):
        self.segments, self.lookups = segments, lookups
        refuse(not lookups, "lookups", "there are none")
        blocks = [(lookup["log_size"], False, i) for i, lookup in enumerate(lookups)]
        blocks += [(segment["log_rows"], True, i) for i, segment in enumerate(segments)]
        self.num_leaves = sum(2**size for size, _, _ in blocks)
        refuse(self.num_leaves > MAX_LEAVES, "size", "too many leaves")
        for number in {lookup["class"] for lookup in lookups}:
            count = sum(2 ** lookup["log_size"] for lookup in lookups if lookup["class"] == number)
            refuse(count >= MAX_COUNT, "size", "a row may occur too often")
        for segment in segments:
            self._check_segment(segment)
        self._check_rows()
        tables = {segment["class"] for segment in segments}
        for lookup in lookups:
            refuse(lookup["class"] not in tables, "class", "lookups without a table")
            for cell in (lookup["v"], lookup["c1"], lookup["c2"]):
                refuse(cell is not None and cell % 2 ** lookup["log_size"] != 0, "aligned", "a block at no multiple of its size")

        # (is_table, index, log_size, first leaf)
        self.order, leaf = [], 0
        for size, is_table, i in sorted(blocks, key=lambda block: (-block[0], block[1], block[2])):
            self.order.append((is_table, i, size, leaf))
            leaf += 2**size
        self.layers = max(1, log2_ceiling(self.num_leaves))
        self.work_bits = max(0, self.layers - FREE_LAYERS)
        self.num_pads = 3 * sum(range(self.layers))
        self.num_triples = 1 + 2 * self.layers

    def soundness(self) -> dict:
        """With what probability a false sum of fractions passes, by what it passes."""
        over_k = {"lookups": Fraction(self.num_leaves, 2**self.work_bits), "lookup layers": self.layers * (self.layers + 1)}
        return {name: Fraction(n) / field.P**2 for name, n in over_k.items()}

    @staticmethod
    def _check_segment(segment: dict):
        size = 2 ** segment["log_rows"]
        for column in (segment["c1"], segment["c2"]):
            refuse(isinstance(column, list) and len(column) != size, "column", "a companion of another length")
        refuse(segment["first"] + size > 2**31, "size", "v beyond 2^31 - 1")
        refuse(segment["multiplicities"] % size != 0, "aligned", "multiplicities at no multiple of their number")

    def _check_rows(self):
        seen = set()
        for s in self.segments:
            for i in range(2 ** s["log_rows"]):
                row = s["class"], s["first"] + i, entry(s["c1"], i), entry(s["c2"], i)
                refuse(row in seen, "row", "a row twice")
                seen.add(row)

    def __str__(self) -> str:
        order = [f"{'table' if is_table else 'lookups'} {i} from {first}" for is_table, i, _, first in self.order]
        return (f"{self.num_leaves} leaves, {self.layers} layers, {self.work_bits} bits of work, {self.num_pads} pads, "
                f"{self.num_triples} triples: {', '.join(order)}")  # fmt: skip


def verify(plan: Plan, nonce: int, verifier: opening.Verifier) -> list:
    """Reads the argument's messages; returns what it claims of the witness, for `verifier.check`."""
    transcript = verifier.transcript
    worked = transcript.check_work("lookup-work", plan.work_bits, nonce)
    require(worked, "work", "the lookups' nonce has no work behind it")
    challenges = [transcript.draw("lookup-challenge") for _ in range(4)]

    q, _, one = verifier.receive_product("lookup-message")
    verifier.require_zero(one - Masked(ONE))
    p, r = Masked(ZERO), []
    for layer in range(plan.layers):
        mu = transcript.draw("lookup-challenge")
        total, bound = p + q * mu, []
        for coordinate in r:
            h = verifier.receive("sumcheck-message", 3)
            verifier.require_zero(between(h[0], h[1], coordinate) - total)
            bound.append(transcript.draw("sumcheck-challenge"))
            total = masking.quadratic(h, bound[-1])
        a, q1, left = verifier.receive_product("lookup-message")
        p1, q0, right = verifier.receive_product("lookup-message")
        verifier.require_zero(left + right - total)
        rho = transcript.draw("sumcheck-challenge")
        p = between(a - q0 * mu, p1, rho)
        q = between(q0, q1, rho)
        r = [rho, *bound]
    return leaf_claims(plan, challenges, r, p, q)


def between(at0: Masked, at1: Masked, x: tuple) -> Masked:
    return at0 * field.sub(ONE, x) + at1 * x


def leaf_claims(plan: Plan, challenges: list, r: list, p: Masked, q: Masked) -> list:
    alpha, beta0, beta1, beta2 = challenges
    counts = {"matrix": 0, "blocks": [], "value": p}
    keys = {"matrix": 0, "blocks": [], "value": q - Masked(ONE)}

    def cells(claim: dict, coefficient: tuple, offset: int, size: int):
        claim["blocks"].append({"coefficient": field.sub(ZERO, coefficient), "offset": offset, "point": r[:size]})

    for is_table, i, size, first_leaf in plan.order:
        pre = eq(r[size:], first_leaf >> size)
        block = plan.segments[i] if is_table else plan.lookups[i]
        # What is public of alpha - key, less the 1 of a leaf that is none.
        known = field.sub(field.sub(alpha, ONE), scale(beta0, block["class"]))
        if is_table:
            cells(counts, pre, block["multiplicities"], size)
            known = field.sub(known, first_at(block["first"], r[:size]))
            for beta, name in ((beta1, "c1"), (beta2, "c2")):
                known = field.sub(known, field.mul(beta, column_at(block[name], r[:size])))
        else:
            counts["value"] -= Masked(pre)
            for beta, name in ((ONE, "v"), (beta1, "c1"), (beta2, "c2")):
                if block[name] is not None:
                    cells(keys, field.mul(pre, beta), block[name], size)
        keys["value"] -= Masked(field.mul(pre, known))
    return [counts, keys]


def first_at(first: int, r: list) -> tuple:
    value = (first % P, 0)
    for i, coordinate in enumerate(r):
        value = field.add(value, scale(coordinate, 2**i))
    return value


def column_at(column, r: list) -> tuple:
    if isinstance(column, int):
        return column % P, 0
    values = [(cell % P, 0) for cell in column]
    for coordinate in r:
        # Neighbours differ in the lowest variable that is left.
        values = [field.add(low, field.mul(coordinate, field.sub(high, low))) for low, high in zip(values[::2], values[1::2])]
    value, = values
    return value


# --- the vectors ----------------------------------------------------------------------------


def verify_vector(vector: dict):
    """The vectors' protocol: the argument, and the opening of its two claims."""
    plan = Plan(vector["segments"], vector["lookups"])
    sizes = opening.Plan(vector["matrices"], plan.num_pads, plan.num_triples, vector["queries"], vector["work_bits"],
                         has_tail=vector.get("has_tail"))  # fmt: skip
    transcript = opening.TRANSCRIPTS[vector["transcript"]]("flair lookup vectors 1")
    roots, companions = opening.digests(vector["roots"]), opening.digests(vector["companions"])
    verifier = opening.Verifier(sizes, roots, companions, opening.read_proof(vector["proof"]), transcript)
    verifier.check(verify(plan, int(vector["nonce"]), verifier))


def judge(vector: dict) -> str:
    """Of a proof "accepted", or the check that failed; of a plan what it is, or why there is none."""
    try:
        if "proof" not in vector:
            return str(Plan(vector["segments"], vector["lookups"]))
        verify_vector(vector)
    except Refused as refused:
        return f"refused: {refused.reason}"
    except Rejected as rejected:
        return rejected.check
    return "accepted"


if __name__ == "__main__":
    failed = 0
    for vector in json.loads(VECTORS.read_text()):
        verdict = judge(vector)
        failed += verdict != vector.get("plan", "accepted")
        print(f"{vector['name']}: {verdict}")
    sys.exit(failed > 0)
