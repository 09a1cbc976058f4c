# SPDX-License-Identifier: Apache-2.0
"""The verifier of merges, norms and ranges of committed weights, written from docs/spec/weights.md.

`python3 reference/weights.py [FILE]` verifies tests/vectors/zk_weights.json, whose proofs src/proof/prover made.
"""

import hashlib
import sys
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import commitment  # noqa: E402
import field  # noqa: E402
import layout  # noqa: E402
import lookup  # noqa: E402
import opening  # noqa: E402
import program as programs  # noqa: E402
import program_text  # noqa: E402
import training  # noqa: E402
from circuit import Circuit  # noqa: E402
from commitment import le64  # noqa: E402
from layout import Tensor, blocks_of  # noqa: E402
from lowering import lower  # noqa: E402
from lowering.builder import Builder, signed, term, unsigned  # noqa: E402
from lowering.slack import bounded_sum  # noqa: E402
from masking import ONE, Rejected, require  # noqa: E402
from refresh import absorb_matrices  # noqa: E402
from relations import Relations  # noqa: E402
from transcript import Transcript  # noqa: E402

VECTORS = Path(__file__).parent.parent / "tests/vectors/zk_weights.json"
LOW_WEIGHT_BITS = 12
MAX_MERGED, MAX_FACTOR, MAX_BOUND, MAX_RANGE = 62, 2**28, 2**60, 2**31
HIGH_BITS, MIXED_BITS, LOW_BITS, FLOOR_BITS, GAP_BITS = 50, 47, 58, 38, 61


# --- relations ------------------------------------------------------------------------------


def check_relation(program: dict, relation: dict):
    """{"merge": {"factors", "divisor", "tolerance"}}, {"norm": {"bound"}} or {"init": {"bounds"}}"""
    kind, numbers = only(relation)
    if kind == "merge":
        factors, divisor, tolerance = (numbers[name] for name in ("factors", "divisor", "tolerance"))
        fits = (1 <= len(factors) <= MAX_MERGED and all(0 <= a <= MAX_FACTOR for a in factors) and 1 <= divisor <= MAX_FACTOR
                and 0 <= tolerance <= MAX_FACTOR)  # fmt: skip
    elif kind == "norm":
        fits = 0 <= numbers["bound"] < MAX_BOUND
    else:
        bounds = numbers["bounds"]
        fits = len(bounds) == len(program["parameters"]) and all(0 <= bound < MAX_RANGE for bound in bounds)
    require(fits, "plan", f"numbers of no {kind}")


def only(relation: dict) -> tuple:
    """Its kind and numbers."""
    require(len(relation) == 1, "plan", "a relation is a merge, a norm or an init")
    item, = relation.items()
    return item


def relation_digest(program: dict, relation: dict) -> bytes:
    kind, numbers = only(relation)
    if kind == "merge":
        code, listed = 1, [len(numbers["factors"]), *numbers["factors"], numbers["divisor"], numbers["tolerance"]]
    elif kind == "norm":
        code, listed = 2, [numbers["bound"]]
    else:
        code, listed = 3, [len(numbers["bounds"]), *numbers["bounds"]]
    program_hash = bytes.fromhex(programs.program_hash(programs.encode(program)))
    return hashlib.sha256(b"flair weights relation v1" + program_hash + bytes([code]) + b"".join(map(le64, listed))).digest()


class Relation:
    """`circuit` as JSON, and `numbers`: of each matrix those that it holds."""

    def __init__(self, program: dict, relation: dict):
        check_relation(program, relation)
        made = lower(program).circuit
        self.program, self.b = program, Builder()
        self.limb_bits = program["profile"][[name for name, *_ in programs.PROFILE].index("limb")][0]
        held = [made["values"][number] for number, role in made["carried"] if role == "weight"]
        require(held != [], "plan", "a program without weights")
        self.axes = [[self.b.axis(made["axes"][axis][1]) for axis in value["axes"]] for value in held]
        self.num_parameters = len(program["parameters"])
        kind, numbers = only(relation)
        models = {"merge": lambda: len(numbers["factors"]) + 1, "norm": lambda: 2, "init": lambda: 1}[kind]()
        self.numbers = [[self._held(place, value) for place, value in enumerate(held)] for _ in range(models)]
        getattr(self, f"_{kind}")(**numbers)
        self.circuit = self.b.description()

    def _held(self, place: int, value: dict) -> int:
        cut = LOW_WEIGHT_BITS if place < self.num_parameters else 0
        return self.b.column(self.axes[place], signed(sum(value["limb_bits"]), self.limb_bits, cut), place)

    def _not_negative(self, axes: list, terms: list, constant: int, bits: int):
        self.b.divide(self.b.form(axes, terms, constant), 1, unsigned(bits, self.limb_bits))

    def _merge(self, factors: list, divisor: int, tolerance: int):
        most = divisor // 2 + tolerance * divisor
        for place, axes in enumerate(self.axes):
            for sign in (1, -1):
                *models, mean = (self.b.at(numbers[place]) for numbers in self.numbers)
                terms = [term(sign * divisor, mean)] + [term(-sign * a, model) for a, model in zip(factors, models)]
                self._not_negative(axes, terms, most, max(1, (2 * most).bit_length()))

    def _init(self, bounds: list):
        (numbers,) = self.numbers
        for place, bound in enumerate(bounds):
            for sign in (1, -1):
                self._not_negative(self.axes[place], [term(sign, self.b.at(numbers[place]))], bound, max(1, (2 * bound).bit_length()))

    def _norm(self, bound: int):
        terms, constant = [], bound
        for place, parameter in enumerate(self.program["parameters"]):
            scale, square = parameter["scale"], self._square(place)
            if scale >= 0:
                terms.append(term(-(4**scale), self.b.at(square)))
                constant -= 4**scale
            else:
                coarse = self._floored([term(1, self.b.at(square))], -2 * scale, unsigned(HIGH_BITS, self.limb_bits))
                terms.append(term(-1, self.b.at(coarse)))
                constant -= 2
        require(terms != [], "plan", "a program without parameters")
        self._not_negative([], terms, constant, GAP_BITS)

    def _square(self, place: int) -> int:
        high, low = (self._change(place, is_high) for is_high in (True, False))
        hh = bounded_sum(self, high, high, HIGH_BITS, False)
        hl = bounded_sum(self, high, low, MIXED_BITS, True)
        ll = bounded_sum(self, low, low, LOW_BITS, False)
        rest = self._floored([term(2 ** (LOW_WEIGHT_BITS + 1), self.b.at(hl)), term(1, self.b.at(ll))], 2 * LOW_WEIGHT_BITS,
                             signed(FLOOR_BITS, self.limb_bits))  # fmt: skip
        return self.b.form([], [term(1, self.b.at(hh)), term(1, self.b.at(rest))])

    def _change(self, place: int, is_high: bool) -> int:
        terms = []
        for sign, numbers in ((1, self.numbers[1]), (-1, self.numbers[0])):
            for limb, (below, _) in enumerate(self.b.limbs(numbers[place])):
                if (below >= LOW_WEIGHT_BITS) == is_high:
                    unit = 2 ** (below - LOW_WEIGHT_BITS * is_high)
                    terms.append(term(sign * unit, self.b.at(numbers[place], limb)))
        return self.b.form(self.axes[place], terms)

    def _floored(self, terms: list, shift: int, width) -> int:
        return self.b.divide(self.b.form([], terms, -(2**shift // 2)), 2**shift, width)


# --- statement and plan ---------------------------------------------------------------------


class Statement:
    """`matrices`: (shape, root)"""

    def __init__(self, relation: bytes, wallet: bytes, matrices: list):
        self.relation, self.wallet, self.matrices = relation, wallet, matrices
        self.bytes = b"FLWS\1\0" + relation + wallet + bytes([len(matrices)]) + b"".join(
            commitment.spelled(commitment.KINDS[shape["kind"]], shape, root) for shape, root in matrices)  # fmt: skip

    def hash(self) -> bytes:
        return hashlib.sha256(self.bytes).digest()

    def absorb(self, transcript):
        transcript.absorb("program", self.relation)
        transcript.absorb("statement", self.bytes)
        absorb_matrices(transcript, self.matrices)
        transcript.absorb("wallet", self.wallet)


class Plan:
    """All that follows from statement and circuit. `numbers`: of each matrix those that it holds."""

    def __init__(self, statement: Statement, circuit: Circuit, numbers: list, queries: int | None = None,
                 work_bits: int = commitment.QUERY_WORK_BITS):  # fmt: skip
        self.statement, self.circuit, self.numbers = statement, circuit, numbers
        require(len(statement.matrices) == len(numbers), "plan", "another number of commitments than of models")
        self.tensors = []
        for (shape, _), own in zip(statement.matrices, numbers):
            tensors = [Tensor(circuit.sizes_of(circuit.values[number]["axes"])) for number in own]
            cells = layout.place([block for tensor in tensors for block in tensor.blocks])
            require(commitment.is_shape(shape) and shape["kind"] == "weights", "plan", "a matrix of no shape, or of another kind")
            require(shape["num_rows"] == -(-cells // 2 ** shape["log_columns"]), "plan", "a matrix of another size")
            self.tensors.append(tensors)
        self.layout = layout.Layout(circuit, 1)
        counter, lookups = training.Counter(), self.layout.lookups
        self.script(counter)
        besides = lookups.soundness() | {"script": Fraction(counter.degrees, field.P**2)}
        shapes = [training.witness_shape(self.layout.num_cells)] + [shape for shape, _ in statement.matrices]
        try:
            self.opening = opening.Plan(shapes, lookups.num_pads + counter.pads, lookups.num_triples + counter.triples, queries, work_bits,
                                        besides)  # fmt: skip
        except ValueError as error:
            raise Rejected("plan", str(error)) from error

    def script(self, verifier) -> list:
        """Everything behind the lookups; returns the claims."""
        claims = []
        for matrix, (numbers, tensors) in enumerate(zip(self.numbers, self.tensors), 1):
            for number, tensor in zip(numbers, tensors):
                functionals = training.draw_functionals(verifier, tensor.sizes)
                sent, = verifier.receive("claim-value", 1)
                claims.append(training.number_claim(self.circuit, self.layout, number, functionals, 0, sent))
                claims.append({"matrix": matrix, "blocks": blocks_of(tensor, functionals, ONE), "value": sent})
        return claims + Relations(self.circuit, self.layout, {}, verifier).show_zeros()


def verify(plan: Plan, data: bytes):
    proof = training.read_proof(plan, data)
    require(proof["statement"] == plan.statement.hash(), "about", "a proof of another statement")
    transcript = Transcript("flair weights v1")
    plan.statement.absorb(transcript)
    roots = [proof["witness"]] + [root for _, root in plan.statement.matrices]
    verifier = opening.Verifier(plan.opening, roots, proof["companions"], proof["opening"], transcript)
    claims = lookup.verify(plan.layout.lookups, proof["lookup_nonce"], verifier)
    verifier.check(claims + plan.script(verifier))


def plan_of(program: dict, relation: dict, wallet: bytes, matrices: list, queries: int | None = None,
            work_bits: int = commitment.QUERY_WORK_BITS) -> Plan:  # fmt: skip
    try:
        made = Relation(program, relation)
        circuit = Circuit(made.circuit)
        return Plan(Statement(relation_digest(program, relation), wallet, matrices), circuit, made.numbers, queries, work_bits)
    except (programs.Refused, lookup.Refused) as refused:
        raise Rejected("plan", str(refused)) from refused


# --- the vectors ----------------------------------------------------------------------------


def verify_vector(vector: dict):
    try:
        program = program_text.parse(vector["program"])
    except programs.Refused as refused:
        raise Rejected("plan", str(refused)) from refused
    matrices = list(zip(vector["matrices"], map(bytes.fromhex, vector["roots"])))
    plan = plan_of(program, vector["relation"], bytes.fromhex(vector["wallet"]), matrices, vector["queries"], vector["work_bits"])
    verify(plan, bytes.fromhex(vector["proof"]))


def judge(vector: dict) -> str:
    """"accepted", or the check that failed."""
    try:
        verify_vector(vector)
    except Rejected as rejected:
        return "plan" if rejected.check in ("circuit", "layout") else rejected.check
    return "accepted"


if __name__ == "__main__":
    sys.exit(opening.judge_file(VECTORS, judge))
