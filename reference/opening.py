# SPDX-License-Identifier: Apache-2.0
"""The verifier of batch openings, written from docs/spec/opening.md.

`python3 reference/opening.py [FILE]` verifies tests/vectors/zk_opening.json, whose proofs src/zk/prover made. Their statements
are those of `verify_vector`.
"""

import hashlib
import json
import sys
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import field  # noqa: E402
import masking  # noqa: E402
import merkle  # noqa: E402
import tail  # noqa: E402
from commitment import QUERY_WORK_BITS, le64, matrix_digest, missed, num_queries  # noqa: E402
from masking import ONE, PHI, ZERO, Masked, Rejected, require  # noqa: E402
from tail import eq, spelled  # noqa: E402
from transcript import Transcript  # noqa: E402

P = field.P
MAX_CLAIMS = MAX_CONSTRAINTS = 2**20
SOUNDNESS_BITS = 100
VECTORS = Path(__file__).parent.parent / "tests/vectors/zk_opening.json"


def log2_ceiling(n: int) -> int:
    return (n - 1).bit_length()


class Plan:
    """All sizes, from the matrices' shapes and the numbers of pads and triples that the caller uses himself.

    `queries`: fewer than are secure, and `has_tail`, for tests. `besides`: with what probability the user's own draws let something false pass.
    """

    def __init__(self, shapes: list, pads: int, triples: int, queries: int | None = None, work_bits: int = QUERY_WORK_BITS,
                 besides: dict | None = None, has_tail: bool | None = None):  # fmt: skip
        self.shapes, self.work_bits, self.besides = shapes, work_bits, besides or {}
        if [shape["kind"] in ("weights", "state", "data") for shape in shapes] != [False] + [True] * (len(shapes) - 1):
            raise ValueError("matrices of other kinds")
        self.groups = []
        for number, shape in enumerate(shapes):
            key = shape["log_columns"], shape["log_n"], shape["num_pads"]
            group = next((g for g in self.groups if g["key"] == key), None)
            if group is None:
                t = queries or num_queries(2 ** key[0] + key[2], 2 ** key[1], work_bits)
                if not 0 < t <= key[2]:
                    raise ValueError(f"{t} queries of matrices with {key[2]} pads")
                group = {"key": key, "members": [], "queries": t}
                self.groups.append(group)
            group["members"].append(number)
        self.tail = tail.Tail([group["key"] for group in self.groups], work_bits, queries)
        if not (self.tail.shortens() if has_tail is None else has_tail):
            self.tail = None
        self.row_variables = [log2_ceiling(s["num_rows"]) for s in shapes]
        self.variables = [s["log_columns"] + rho for s, rho in zip(shapes, self.row_variables)]
        self.rounds = max(self.variables)
        while True:
            own = 3 * self.rounds + len(shapes) + 1 + len(self.groups)
            self.mask = masking.MaskShape(2 ** shapes[0]["log_columns"], shapes[0]["num_pads"], pads + own, triples)
            self.mask_variables = log2_ceiling(self.mask.num_rows)
            if shapes[0]["log_columns"] + self.mask_variables <= self.rounds:
                break
            self.rounds += 1
        if not queries and sum(self.soundness().values()) * 2**SOUNDNESS_BITS > 1:
            raise ValueError("too weak")

    def soundness(self) -> dict:
        """With what probability a false statement passes, by what it passes."""
        proximity = queries = Fraction(0)
        for number, group in enumerate(self.groups):
            log_columns, log_n, h = group["key"]
            masks = number == 0
            row_variables = max([self.row_variables[m] for m in group["members"]] + [self.mask_variables] * masks)
            proximity += (row_variables + len(group["members"]) + masks + 1) * 2**log_n
            queries += missed(2**log_columns + h, 2**log_n, group["queries"]) / 2**self.work_bits
        over_k = {"proximity": proximity, "mask tests": 3 * 2 ** self.groups[0]["key"][1], "rounds": 2 * self.rounds,
                  "batching": MAX_CLAIMS + MAX_CONSTRAINTS + len(self.groups)}  # fmt: skip
        terms = {name: Fraction(n) / P**2 for name, n in over_k.items()} | {"queries": queries} | self.besides
        if self.tail:
            over_k, missing = self.tail.soundness(sum(group["queries"] for group in self.groups))
            terms["tail"] = Fraction(over_k) / P**2 + missing
        return terms

    def heights(self, group: dict) -> list:
        """Rows of the matrices opened in a group."""
        heights = [self.shapes[m]["num_rows"] for m in group["members"]]
        if group is self.groups[0]:
            heights[0] += 2 + 2 * self.mask.num_rows
            return heights
        return heights + [2]


def claims_hash(mask: masking.MaskShape, claims: list) -> bytes:
    message = [b"flair zk claims v1", le64(mask.num_pads), le64(mask.num_triples)]
    for claim in claims:
        message += [le64(claim["matrix"]), le64(len(claim["blocks"]))]
        for block in claim["blocks"]:
            point = block["point"]
            message += [spelled(block["coefficient"]), le64(block["offset"]), le64(len(point)), *map(spelled, point)]
        pads = {place: coefficient for place, coefficient in claim["value"].pads.items() if coefficient != ZERO}
        message += [spelled(claim["value"].known), le64(len(pads))]
        for place in sorted(pads):
            message += [le64(place), spelled(pads[place])]
    return hashlib.sha256(b"".join(message)).digest()


class Verifier:
    def __init__(self, plan: Plan, roots: list, companions: list, proof: dict, transcript: Transcript):
        require(len(roots) == len(plan.shapes), "length", "another number of roots")
        require(len(companions) == len(plan.groups) - 1, "length", "another number of companions")
        self.plan, self.roots, self.companions, self.proof, self.transcript = plan, roots, companions, proof, transcript
        self.pads_used = self.triples_used = self.values_read = 0
        self.zeros = []
        self._check_lengths()
        for place, (shape, root) in enumerate(zip(plan.shapes, roots)):
            if place == 0:
                shape = shape | {"num_rows": plan.heights(plan.groups[0])[0]}
            self._absorb_matrix("commitment" if place else "witness-root", place, shape, root)
        for place, (group, root) in enumerate(zip(plan.groups[1:], companions), 1):
            shape = plan.shapes[group["members"][0]] | {"num_rows": 2, "kind": "companion"}
            self._absorb_matrix("companion-root", place, shape, root)

    def _absorb_matrix(self, label: str, place: int, shape: dict, root: bytes):
        self.transcript.absorb(label, le64(place) + matrix_digest(shape, root))

    def _check_lengths(self):
        plan, proof = self.plan, self.proof
        require(len(proof["masked"]) == plan.mask.num_pads + 2 * plan.mask.num_triples, "length", "masked values")
        require(len(proof["groups"]) == len(plan.groups), "length", "groups")
        for group, opened in zip(plan.groups, proof["groups"]):
            log_columns, _, h = group["key"]
            row = 0 if plan.tail else 2**log_columns + h
            require(len(opened["combined_row"]) == row, "length", "combined row")
            heights = plan.heights(group)
            require(len(opened["matrices"]) == len(heights), "length", "matrices of a group")
            for height, matrix in zip(heights, opened["matrices"]):
                require(len(matrix["columns"]) == len(matrix["salts"]) == group["queries"], "length", "columns and salts")
                require(all(len(column) == height for column in matrix["columns"]), "length", "a column")
        require((proof["tail"] is None) == (plan.tail is None), "length", "a tail too many or few")
        if plan.tail:
            plan.tail.check_lengths(proof["tail"])
        for name, length in plan.mask.lengths.items():
            require(len(proof["mask"][name]) == length, "length", f"mask message {name}")

    def _absorb(self, label: str, elements: list):
        self.transcript.absorb(label, b"".join(map(spelled, elements)))

    def _read(self, label: str, count: int) -> list:
        message = self.proof["masked"][self.values_read:][:count]
        self.values_read += count
        self._absorb(label, message)
        return message

    def receive(self, label: str, count: int) -> list:
        places = range(self.pads_used, self.pads_used + count)
        self.pads_used += count
        return [Masked(sent, {place: ONE}) for sent, place in zip(self._read(label, count), places)]

    def receive_product(self, label: str) -> tuple:
        """A, B and AB."""
        a, b = self._read(label, 2)
        self.triples_used += 1
        return masking.product(self.plan.mask, self.triples_used - 1, a, b)

    def require_zero(self, value: Masked):
        self.zeros.append(value)

    def check(self, claims: list):
        """`claims`: dicts of matrix, blocks (coefficient, offset, point) and value, a Masked."""
        plan, draw = self.plan, self.transcript.draw
        require(len(claims) <= MAX_CLAIMS, "claims", "more than an opening has")
        for claim in claims:
            shape = plan.shapes[claim["matrix"]]
            for block in claim["blocks"]:
                size = 2 ** len(block["point"])
                inside = block["offset"] + size <= shape["num_rows"] * 2 ** shape["log_columns"]
                require(inside and block["offset"] % size == 0, "cells", "a claim on cells that are not there")

        self.transcript.absorb("claims", claims_hash(plan.mask, claims))
        lam = draw("claim-batch")
        powers = [ONE]
        for _ in claims:
            powers.append(field.mul(powers[-1], lam))
        total = Masked(ZERO)
        for claim, power in zip(claims, powers):
            total += claim["value"] * power
        r = []
        for _ in range(plan.rounds):
            g = self.receive("sumcheck-message", 3)
            self.require_zero(g[0] + g[1] - total)
            r.append(draw("sumcheck-challenge"))
            total = masking.quadratic(g, r[-1])
        values = self.receive("claim-value", len(plan.shapes) + 1)
        blinders = self.receive("claim-value", len(plan.groups))
        claimed = Masked(ZERO)
        for claim, power in zip(claims, powers):
            own = plan.variables[claim["matrix"]]
            weight = field.mul(power, self._weight(claim, r[:own]))
            for coordinate in r[own:]:
                weight = field.mul(weight, field.sub(ONE, coordinate))
            claimed += values[claim["matrix"]] * weight
        self.require_zero(total - claimed)
        if (self.pads_used, self.triples_used) != (plan.mask.num_pads, plan.mask.num_triples):
            raise ValueError("other values than planned")
        require(len(self.zeros) + len(plan.groups) <= MAX_CONSTRAINTS, "constraints", "more than an opening has")

        epsilons = [draw("row-batch") for _ in plan.shapes]
        epsilon_mask = draw("row-batch")
        for number, (group, opened) in enumerate(zip(plan.groups, self.proof["groups"])):
            sent = blinders[number]
            for m in group["members"]:
                sent += values[m] * epsilons[m]
            if number == 0:
                sent += values[-1] * epsilon_mask
            if plan.tail:
                self.require_zero(sent - Masked(self.proof["tail"]["values"][number]))
                continue
            shown, log_columns = ZERO, group["key"][0]
            for j in range(2**log_columns):
                shown = field.add(shown, field.mul(eq(r[:log_columns], j), opened["combined_row"][j]))
            self.require_zero(sent - Masked(shown))
            self._absorb("combined-row", opened["combined_row"])
        if plan.tail:
            plan.tail.absorb(self.proof["tail"], self.transcript)

        mu = draw("mask-challenge")
        gammas = [draw("mask-challenge") for _ in range(plan.mask.pad_rows)]
        triple_gammas = [draw("mask-challenge") for _ in range(plan.mask.triple_rows)]
        mask_check = masking.MaskCheck(plan.mask, self.zeros, mu, gammas, triple_gammas)
        mask_check.messages(self.proof["mask"])
        for name in ("low_degree", "linear", "quadratic"):
            self._absorb("mask-message", self.proof["mask"][name])

        worked = self.transcript.check_work("query-work", plan.work_bits, self.proof["nonce"])
        require(worked, "work", "the nonce has no work behind it")
        companions = iter(self.companions)
        self.tail_claims = []
        for number, (group, opened) in enumerate(zip(plan.groups, self.proof["groups"])):
            roots = [self.roots[m] for m in group["members"]]
            weights = [self._row_weights(m, r, epsilons[m]) for m in group["members"]]
            if number == 0:
                weights[0] += [ONE, PHI] + self._mask_weights(r, epsilon_mask)
            else:
                roots.append(next(companions))
                weights.append([ONE, PHI])
            columns = sorted(self.transcript.indices("query", group["key"][1], group["queries"]))
            if plan.tail:
                self.tail_claims.append(tail.Claims(r[:group["key"][0]], self.proof["tail"]["values"][number]))
            self._check_group(group, opened, columns, roots, weights, mask_check if number == 0 else None)
        if plan.tail:
            plan.tail.check(self.proof["tail"], self.tail_claims, self.transcript)

    @staticmethod
    def _weight(claim: dict, r: list) -> tuple:
        total = ZERO
        for block in claim["blocks"]:
            k = len(block["point"])
            weight = field.mul(block["coefficient"], eq(r[k:], block["offset"] >> k))
            for p, coordinate in zip(block["point"], r):
                both = field.mul(p, coordinate)
                neither = field.mul(field.sub(ONE, p), field.sub(ONE, coordinate))
                weight = field.mul(weight, field.add(both, neither))
            total = field.add(total, weight)
        return total

    def _row_weights(self, matrix: int, r: list, epsilon: tuple) -> list:
        shape = self.plan.shapes[matrix]
        rows = r[shape["log_columns"]:][:self.plan.row_variables[matrix]]
        return [field.mul(epsilon, eq(rows, i)) for i in range(shape["num_rows"])]

    def _mask_weights(self, r: list, epsilon: tuple) -> list:
        rows = r[self.plan.shapes[0]["log_columns"]:][:self.plan.mask_variables]
        weights = []
        for i in range(self.plan.mask.num_rows):
            weight = field.mul(epsilon, eq(rows, i))
            weights += [weight, field.mul(weight, PHI)]
        return weights

    def _check_group(self, group: dict, opened: dict, columns: list, roots: list, weights: list, mask_check):
        log_n = group["key"][1]
        for root, matrix in zip(roots, opened["matrices"]):
            require(len(matrix["path"]) == merkle.path_length(log_n, columns), "length", "a path")
            rows = zip(columns, matrix["salts"], matrix["columns"])
            leaves = {j: merkle.leaf(j, salt, column) for j, salt, column in rows}
            require(merkle.root(log_n, leaves, matrix["path"]) == root, "root", "columns that are not under their root")
        omega = field.root_of_unity(log_n)
        for i, j in enumerate(columns):
            x = 7 * pow(omega, j, P) % P
            total = ZERO
            for matrix_weights, matrix in zip(weights, opened["matrices"]):
                for weight, entry in zip(matrix_weights, matrix["columns"][i]):
                    total = field.add(total, masking.scale(weight, entry))
            if self.plan.tail:
                self.tail_claims[-1].columns.append(x)
                self.tail_claims[-1].sums.append(total)
            else:
                require(total == masking.at(opened["combined_row"], x), "row", f"column {j} contradicts the combined row")
            if mask_check:
                own = opened["matrices"][0]["columns"][i][-2 * self.plan.mask.num_rows:]
                mask_check.column(x, list(zip(own[::2], own[1::2])))


# --- the vectors ----------------------------------------------------------------------------


class DeafTranscript(Transcript):
    """Challenges do not depend on messages, and all work is done: so a changed message meets the check that is about it."""

    def _step(self, tag: int, label: str, message: bytes) -> bytes:
        if tag == 0:
            return super()._step(tag, label, message)
        return hashlib.sha256(self.state).digest() if tag == 2 else self.state


TRANSCRIPTS = {"framed": Transcript, "deaf": DeafTranscript}


def element(text: str) -> int:
    value = int(text)
    require(0 <= value < P, "element", "a number that is no element")
    return value


def extension(pair: list) -> tuple:
    a, b = map(element, pair)
    return a, b


def digests(texts: list) -> list:
    return [bytes.fromhex(text) for text in texts]


def read_proof(proof: dict) -> dict:
    def extensions(pairs: list) -> list:
        return [extension(pair) for pair in pairs]

    def matrix(opened: dict) -> dict:
        columns = [[element(text) for text in column] for column in opened["columns"]]
        return {"columns": columns, "salts": digests(opened["salts"]), "path": digests(opened["path"])}

    groups = [{"combined_row": extensions(group["combined_row"]), "matrices": [matrix(m) for m in group["matrices"]]}
              for group in proof["groups"]]  # fmt: skip
    mask = {name: extensions(message) for name, message in proof["mask"].items()}
    sent = proof.get("tail")
    if sent:
        sent = {"root": bytes.fromhex(sent["root"]), "values": extensions(sent["values"]), "rounds": list(map(extensions, sent["rounds"])),
                "row": extensions(sent["row"]), "nonce": int(sent["nonce"]), "matrix": matrix(sent["matrix"])}  # fmt: skip
    return {"masked": extensions(proof["masked"]), "groups": groups, "mask": mask, "nonce": int(proof["nonce"]), "tail": sent}


def verify_vector(vector: dict):
    """The vectors' protocol: claims in order, those without a value sent <claim-value>; then each product <lookup-message>:
    its two values, that they are those of two claims, and that their product is a public number."""
    claims = [{"matrix": claim["matrix"], "blocks": [
        {"coefficient": extension(block["coefficient"]), "offset": block["offset"], "point": [extension(x) for x in block["point"]]}
        for block in claim["blocks"]]} for claim in vector["claims"]]  # fmt: skip
    secret = sum(claim["value"] is None for claim in vector["claims"])
    plan = Plan(vector["matrices"], secret, len(vector["products"]), vector["queries"], vector["work_bits"],
                has_tail=vector.get("has_tail"))  # fmt: skip
    transcript = TRANSCRIPTS[vector["transcript"]]("flair opening vectors 1")
    roots, companions = digests(vector["roots"]), digests(vector["companions"])
    verifier = Verifier(plan, roots, companions, read_proof(vector["proof"]), transcript)
    for claim, stated in zip(claims, vector["claims"]):
        public = stated["value"]
        claim["value"] = verifier.receive("claim-value", 1)[0] if public is None else Masked(extension(public))
    for stated in vector["products"]:
        a, b, both = verifier.receive_product("lookup-message")
        for factor, claim in zip((a, b), stated["claims"]):
            verifier.require_zero(factor - claims[claim]["value"])
        verifier.require_zero(both - Masked(extension(stated["value"])))
    verifier.check(claims)


def judge(vector: dict) -> str:
    """"accepted", or the check that failed."""
    try:
        verify_vector(vector)
    except Rejected as rejected:
        return rejected.check
    return "accepted"


def judge_file(vectors: Path, judge) -> int:
    """Prints the verdict on each vector of a file, one that is named or these; 0 where all are accepted."""
    verdicts = {vector["name"]: judge(vector) for vector in json.loads((Path(sys.argv[1]) if sys.argv[1:] else vectors).read_text())}
    print("\n".join(f"{name}: {verdict}" for name, verdict in verdicts.items()))
    return int(any(verdict != "accepted" for verdict in verdicts.values()))


if __name__ == "__main__":
    sys.exit(judge_file(VECTORS, judge))
