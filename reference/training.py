# SPDX-License-Identifier: Apache-2.0
"""The verifier of proofs of training, written from docs/spec/training.md: statement, proof, matrices that outlive proofs, links.

`python3 reference/training.py [FILE]` verifies tests/vectors/zk_training.json, whose proofs src/zk/prover made.
"""

import hashlib
import sys
from fractions import Fraction
from functools import lru_cache
from math import prod
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
import commitment  # noqa: E402
import field  # noqa: E402
import layout  # noqa: E402
import lookup  # noqa: E402
import opening  # noqa: E402
import tail  # noqa: E402
from circuit import Circuit  # noqa: E402
from layout import Eq, Tensor, Weights, blocks_of, number_blocks, over_all  # noqa: E402
from masking import ONE, ZERO, Masked, Rejected, require, scale  # noqa: E402
from opening import eq, log2_ceiling  # noqa: E402
from relations import Relations, draw_point, show_sum  # noqa: E402
from transcript import Transcript  # noqa: E402

P = field.P
VECTORS = Path(__file__).parent.parent / "tests/vectors/zk_training.json"
DATA, WEIGHTS_BEFORE, WEIGHTS_AFTER, STATE_BEFORE, STATE_AFTER = 1, 2, 3, 4, 5
KINDS = {DATA: "data", WEIGHTS_BEFORE: "weights", WEIGHTS_AFTER: "weights", STATE_BEFORE: "state", STATE_AFTER: "state"}
CARRIED = {WEIGHTS_BEFORE: "weight", WEIGHTS_AFTER: "weight", STATE_BEFORE: "state", STATE_AFTER: "state"}
AFTER = {WEIGHTS_AFTER, STATE_AFTER}


class Bytes:
    """Read from front to back; `check` is what is named when they are not what they should be."""

    def __init__(self, data: bytes, check: str):
        self.data, self.at, self.check = data, 0, check

    def take(self, count: int) -> bytes:
        require(count <= len(self.data) - self.at, self.check, "cut off")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size: int = 8) -> int:
        return int.from_bytes(self.take(size), "little")

    def element(self) -> int:
        value = self.number()
        require(value < P, self.check, "a number that is no element")
        return value

    def extensions(self, count: int) -> list:
        # Counted before anything is made of so many.
        require(16 * count <= len(self.data) - self.at, self.check, "cut off")
        return [(self.element(), self.element()) for _ in range(count)]

    def must_be(self, expected: bytes, what: str):
        require(self.take(len(expected)) == expected, self.check, what)

    def end(self):
        require(self.at == len(self.data), self.check, "something behind the end")


# --- statement ------------------------------------------------------------------------------


class Statement:
    def __init__(self, data: bytes):
        self.bytes, read = data, Bytes(data, "statement")
        read.must_be(b"FLST", "no statement")
        read.must_be(b"\1\0", "another version")
        self.program, self.seed, self.wallet, self.data_card, self.slack = (read.take(32) for _ in range(5))
        self.first_step, self.steps, self.records = read.number(), read.number(), read.number()
        require(1 <= self.steps <= 2**32 and self.first_step <= 2**48 and self.records <= 2**32, "statement", "too many")
        self.matrices = [self._matrix(read) for _ in range(read.number(1))]
        read.end()
        roles = [matrix["role"] for matrix in self.matrices]
        require(roles == sorted(set(roles)), "statement", "roles that do not ascend")

    @staticmethod
    def _matrix(read: Bytes) -> dict:
        role = read.number(1)
        require(role in KINDS, "statement", "no role")
        shape = {name: read.number() for name in ("log_columns", "log_n", "num_rows", "num_pads")} | {"kind": KINDS[role]}
        require(commitment.is_shape(shape), "statement", "no shape")
        return {"role": role, "shape": shape, "root": read.take(32)}

    def hash(self) -> bytes:
        return hashlib.sha256(self.bytes).digest()

    def absorb(self, transcript):
        transcript.absorb("program", self.program)
        transcript.absorb("statement", self.bytes)
        for matrix in self.matrices:
            digest = commitment.matrix_digest(matrix["shape"], matrix["root"])
            transcript.absorb("commitment", bytes([matrix["role"]]) + digest)
        transcript.absorb("wallet", self.wallet)


# --- matrices that outlive proofs -----------------------------------------------------------


def packing(column: dict) -> tuple:
    """Values in a cell, and the bits that each has there."""
    if not column["dims"]:
        return 1, 0
    return (4, 15) if column["bits"] <= 15 else (2, 30)


def data_tensors(columns: list, records: int) -> list:
    tensors = []
    for column in columns:
        dims, (packed, _) = column["dims"], packing(column)
        tensors.append(Tensor([records, *dims[:-1], *(-(-size // packed) for size in dims[-1:])]))
    return tensors


def carried_tensors(circuit: Circuit, role: str) -> dict:
    return {number: Tensor(circuit.sizes_of(circuit.values[number]["axes"])) for number, own in circuit.carried if own == role}


def check_columns(circuit: Circuit, columns: list):
    for column in columns:
        require(1 <= column["bits"] <= 30, "plan", "a column of more than 30 bits")
    for number in circuit.data:
        value = circuit.values[number]
        require(value["column"] < len(columns), "plan", "a column that there is not")
        require(value["axes"] != [], "plan", "data without a batch")
        column = columns[value["column"]]
        own = circuit.sizes_of(value["axes"][1:]), sum(value["limb_bits"]), value["bias"]
        require(own == (column["dims"], column["bits"], column["bias"]), "plan", "another column than the data's")


# --- the plan -------------------------------------------------------------------------------


@lru_cache(maxsize=None)
def narrow_shapes() -> list:
    """Of rate one half: (kappa, pads of one opening, queries). The narrowest have no number of pads that is enough."""
    shapes = []
    for log_columns in range(9, 19):
        pads = commitment.pads_for_one_opening(log_columns, log_columns + 1)
        if pads:
            shapes.append((log_columns, pads, commitment.num_queries(2**log_columns + pads, 2 ** (log_columns + 1))))
    return shapes


def witness_shape(num_cells: int) -> dict:
    def cost(shape: tuple) -> int:
        log_columns, pads, queries = shape
        rows = -(-num_cells // 2**log_columns)
        opening_bytes = tail.bytes_of_row(2**log_columns + pads) + queries * (8 * rows + 64)
        return 2 * opening_bytes + 2**log_columns * (rows + 24)

    log_columns, pads, _ = min(narrow_shapes(), key=cost)
    return {"log_columns": log_columns, "log_n": log_columns + 1, "num_rows": -(-num_cells // 2**log_columns), "num_pads": pads,
            "kind": "witness"}  # fmt: skip


class Counter:
    """Stands in for verifier and transcript, to count what the script passes, and the degrees of what its draws test."""

    def __init__(self):
        self.transcript, self.pads, self.triples, self.degrees = self, 0, 0, 0
        self.random = Random(1)

    def draw(self, label: str) -> tuple:
        """Random, because a claim has no blocks of weight 0. A point's coordinate tests what is linear in it."""
        self.degrees += label == "point"
        return self.random.randrange(P), self.random.randrange(P)

    def receive(self, label: str, count: int) -> list:
        self.pads += count
        self.degrees += count - 1 if label == "sumcheck-message" else 0  # by the draw behind it
        return [Masked(ZERO)] * count

    def receive_product(self, label: str) -> tuple:
        self.triples += 1
        return (Masked(ZERO),) * 3

    def require_zero(self, value: Masked):
        pass


class Plan:
    """All that follows from statement and circuit. `publics`: by value, the cells of all steps."""

    def __init__(self, statement: Statement, circuit: Circuit, columns: list, publics: dict, rows: list, queries, work_bits: int):
        self.statement, self.circuit, self.columns, self.publics, self.rows = statement, circuit, columns, publics, rows
        roles = {matrix["role"] for matrix in statement.matrices}
        held = {role for _, role in circuit.carried}
        check_columns(circuit, columns)
        require(not columns or DATA in roles, "plan", "data without their matrix")
        require("weight" not in held or {WEIGHTS_BEFORE, WEIGHTS_AFTER} <= roles, "plan", "weights without their matrices")
        for role in roles:
            require(columns if role == DATA else CARRIED[role] in held, "plan", "a matrix of nothing")
        batches = {circuit.sizes[circuit.values[number]["axes"][0]] for number in circuit.data}
        require(len(batches) <= 1, "plan", "batches of two sizes")
        require(len(rows) == statement.steps * sum(batches), "plan", "another number of rows")
        require(all(row < statement.records for row in rows), "plan", "a row that there is not")
        for number, cells in publics.items():
            lo, hi = circuit.ranges[number]
            require(all(lo <= cell <= hi for cell in cells), "plan", "a public value beyond its range")
        self.layout = layout.Layout(circuit, statement.steps)
        self.tensors = {}
        for matrix in statement.matrices:
            self._lay_out(matrix)
        shapes = [witness_shape(self.layout.num_cells)] + [matrix["shape"] for matrix in statement.matrices]
        counter, lookups = Counter(), self.layout.lookups
        self.script(counter)
        besides = lookups.soundness() | {"script": Fraction(counter.degrees, P**2)}
        try:
            self.opening = opening.Plan(shapes, lookups.num_pads + counter.pads, lookups.num_triples + counter.triples, queries, work_bits,
                                        besides)  # fmt: skip
        except ValueError as error:
            raise Rejected("plan", str(error)) from error

    def _lay_out(self, matrix: dict):
        if matrix["role"] == DATA:
            tensors = dict(enumerate(data_tensors(self.columns, self.statement.records)))
        else:
            tensors = carried_tensors(self.circuit, CARRIED[matrix["role"]])
        cells = layout.place([block for tensor in tensors.values() for block in tensor.blocks])
        rows = -(-cells // 2 ** matrix["shape"]["log_columns"])
        require(matrix["shape"]["num_rows"] == rows, "plan", "a matrix of another size")
        self.tensors[matrix["role"]] = tensors

    def script(self, verifier) -> list:
        """Everything behind the lookups; returns the claims."""
        claims = Links(self, verifier).show()
        return claims + Relations(self.circuit, self.layout, self.publics, verifier).show_zeros()


# --- links ----------------------------------------------------------------------------------


def draw_functionals(verifier, sizes: list) -> list:
    return [Eq(draw_point(verifier.transcript, size)) for size in sizes]


def number_claim(circuit: Circuit, layout: layout.Layout, number: int, functionals: list, copy: int, value: Masked) -> dict:
    """That a number's copy has this value under functionals on its axes: limbs times units, less the bias."""
    blocks = number_blocks(circuit, layout, number, [Weights([ONE]), *functionals], ONE, copy, 1)
    whole = over_all(functionals, circuit.sizes_of(circuit.values[number]["axes"]))
    return {"matrix": 0, "blocks": blocks, "value": value + Masked(scale(whole, circuit.values[number]["bias"] % P))}


class Links:
    def __init__(self, plan: Plan, verifier):
        self.plan, self.circuit, self.verifier, self.claims = plan, plan.circuit, verifier, []

    def show(self) -> list:
        roles = [matrix["role"] for matrix in self.plan.statement.matrices]
        for number, role in enumerate(roles, 1):
            if role == DATA:
                for value in self.circuit.data:
                    self._show_data(number, value)
            else:
                for value, tensor in self.plan.tensors[role].items():
                    self._show_border(number, role, value, tensor)
        if STATE_BEFORE not in roles:
            for value, role in self.circuit.carried:
                if role == "state":
                    functionals = self._draw(self.circuit.sizes_of(self.circuit.values[value]["axes"]))
                    self._claim_border(value, False, functionals, Masked(ZERO))
        return self.claims

    def _draw(self, sizes: list) -> list:
        return draw_functionals(self.verifier, sizes)

    def _claim(self, matrix: int, blocks: list, value: Masked):
        self.claims.append({"matrix": matrix, "blocks": blocks, "value": value})

    def _show_data(self, matrix: int, number: int):
        plan, value = self.plan, self.circuit.values[number]
        column, tensor = plan.columns[value["column"]], plan.tensors[DATA][value["column"]]
        steps, batch = plan.statement.steps, self.circuit.sizes[value["axes"][0]]
        step, in_batch, *axes = self._draw([steps, batch, *tensor.sizes[1:]])
        sent, = self.verifier.receive("claim-value", 1)

        packed, bits = packing(column)
        own, innermost = list(axes), 1
        if packed > 1:
            low = []
            while 2 ** len(low) < packed:
                unit = 2 ** (bits << len(low))
                low.append((unit * pow(1 + unit, -1, P) % P, 0))
                innermost = innermost * (1 + unit) % P
            own[-1] = Eq(low + axes[-1].r, (innermost, 0))
        blocks = number_blocks(self.circuit, plan.layout, number, [step, in_batch, *own], ONE, 0, steps)
        self._claim(0, blocks, sent)

        records = plan.statement.records
        point, left = show_sum(self.verifier, sent, [None] * log2_ceiling(records), 2)
        at_point, = self.verifier.receive("claim-value", 1)
        public = ZERO
        for i, row in enumerate(plan.rows):
            weight = field.mul(step.at(i // batch), in_batch.at(i % batch))
            public = field.add(public, field.mul(weight, eq(point, row)))
        self.verifier.require_zero(at_point * public - left)
        self._claim(matrix, blocks_of(tensor, [Eq(point), *axes], ONE), at_point)

    def _show_border(self, matrix: int, role: int, number: int, tensor: Tensor):
        functionals = self._draw(tensor.sizes)
        sent, = self.verifier.receive("claim-value", 1)
        self._claim_border(number, role in AFTER, functionals, sent)
        self._claim(matrix, blocks_of(tensor, functionals, ONE), sent)

    def _claim_border(self, number: int, after: bool, functionals: list, value: Masked):
        """That a number's copy before the first or behind the last step has this value."""
        copy = self.plan.statement.steps if after else 0
        self.claims.append(number_claim(self.circuit, self.plan.layout, number, functionals, copy, value))


# --- proof ----------------------------------------------------------------------------------


def read_matrix(read: Bytes, height: int, queries: int) -> dict:
    require(8 * height * queries <= len(read.data), "proof", "cut off")
    columns = [[read.element() for _ in range(height)] for _ in range(queries)]
    salts = [read.take(32) for _ in range(queries)]
    digests = read.number()
    require(digests <= len(read.data) // 32, "proof", "cut off")
    return {"columns": columns, "salts": salts, "path": [read.take(32) for _ in range(digests)]}


def read_tail(read: Bytes, sizes: tail.Tail, root: bytes) -> dict:
    values = read.extensions(sizes.num_groups)
    rounds = [read.extensions(2) for _ in range(sizes.rounds)]
    row, nonce = read.extensions(2**sizes.shape.log_columns), read.number()
    matrix = read_matrix(read, 2 * sizes.shape.rows, sizes.shape.queries)
    return {"root": root, "values": values, "rounds": rounds, "row": row, "nonce": nonce, "matrix": matrix}


def read_proof(plan: Plan, data: bytes) -> dict:
    read, sizes = Bytes(data, "proof"), plan.opening
    read.must_be(b"FLPR", "no proof")
    read.must_be(b"\1\0", "another version")
    read.must_be(b"\1\0", "other parameters")
    statement, witness = read.take(32), read.take(32)
    companions = [read.take(32) for _ in sizes.groups[1:]]
    tail_root = read.take(32) if sizes.tail else None
    lookup_nonce, nonce = read.number(), read.number()
    masked = read.extensions(sizes.mask.num_pads + 2 * sizes.mask.num_triples)
    groups = []
    for group in sizes.groups:
        log_columns, _, pads = group["key"]
        combined = [] if sizes.tail else read.extensions(2**log_columns + pads)
        matrices = [read_matrix(read, height, group["queries"]) for height in sizes.heights(group)]
        groups.append({"combined_row": combined, "matrices": matrices})
    mask = {name: read.extensions(sizes.mask.lengths[name]) for name in ("low_degree", "linear", "quadratic")}
    sent = read_tail(read, sizes.tail, tail_root) if sizes.tail else None
    read.end()
    return {"statement": statement, "witness": witness, "companions": companions, "lookup_nonce": lookup_nonce,
            "opening": {"masked": masked, "groups": groups, "mask": mask, "nonce": nonce, "tail": sent}}  # fmt: skip


def verify(plan: Plan, data: bytes):
    proof = read_proof(plan, data)
    require(proof["statement"] == plan.statement.hash(), "about", "a proof of another statement")
    transcript = Transcript("flair training v1")
    plan.statement.absorb(transcript)
    roots = [proof["witness"]] + [matrix["root"] for matrix in plan.statement.matrices]
    verifier = opening.Verifier(plan.opening, roots, proof["companions"], proof["opening"], transcript)
    claims = lookup.verify(plan.layout.lookups, proof["lookup_nonce"], verifier)
    verifier.check(claims + plan.script(verifier))


# --- the vectors ----------------------------------------------------------------------------


def plan_of(vector: dict) -> Plan:
    statement, circuit = Statement(bytes.fromhex(vector["statement"])), Circuit(vector["circuit"])
    publics = dict(zip(circuit.publics, vector["publics"]))
    for number, cells in publics.items():
        size = prod([statement.steps, *circuit.sizes_of(circuit.values[number]["axes"])])
        require(len(cells) == size, "plan", "a public value of another size")
    return Plan(statement, circuit, vector["columns"], publics, vector["rows"], vector["queries"], vector["work_bits"])


def judge(vector: dict) -> str:
    """"accepted", or the check that failed."""
    try:
        verify(plan_of(vector), bytes.fromhex(vector["proof"]))
    except Rejected as rejected:
        return rejected.check
    except lookup.Refused:
        return "plan"
    return "accepted"


if __name__ == "__main__":
    sys.exit(opening.judge_file(VECTORS, judge))
