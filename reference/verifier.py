#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole verifier, a second time: is this a proof of what the statement says? docs/spec/run-proof.md.

`python3 reference/verifier.py PROOF --statement FILE` as `flair verify` has it: 0 where everything holds; 5 where a check that is
named failed, or bytes are not what they should be; 1 where there is nothing that could be checked. A proof that two commitments hold the same (docs/spec/refresh.md) is told by its statement.
"""

import argparse
import math
import sys
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import commitment  # noqa: E402
import data_card  # noqa: E402
import lookup  # noqa: E402
import program  # noqa: E402
import refresh  # noqa: E402
import training  # noqa: E402
from circuit import Circuit  # noqa: E402
from lowering import Lowered, lower, slack  # noqa: E402
from masking import Rejected, require  # noqa: E402
from public_cells import Steps, check_fits, rows_of  # noqa: E402
from statement_file import MAX_STEPS, REFRESH_BEGIN, RefreshFile, StatementFile, card_id, to_base58  # noqa: E402

MAX_CHUNKS = 2**16
STATEMENT_HEAD, PROOF_HEAD = 191, 40  # bytes before anything is optional
ROLES = {training.DATA: "data", training.WEIGHTS_BEFORE: "weights before", training.WEIGHTS_AFTER: "weights after",
         training.STATE_BEFORE: "state before", training.STATE_AFTER: "state after"}  # fmt: skip
# What says that there is nothing to be checked, not that something is false.
UNCHECKABLE = {"claim", "program", "data card", "plan", "circuit", "layout", "version"}


class InChunk(Rejected):
    def __init__(self, number: int, inner: Rejected):
        super().__init__(inner.check, f"{inner} (chunk {number + 1})")
        self.chunk = number


def require_version(data: bytes, magic: bytes, numbers: bytes, head: int):
    """Of bytes that are what they say, and have their head, the version alone may be another."""
    unknown = data[:4] == magic and len(data) >= head and data[4:4 + len(numbers)] != numbers
    require(not unknown, "version", "a version that is not known here")


def chunks_of(data: bytes) -> list:
    """(statement, proof) of each chunk."""
    read = training.Bytes(data, "container")
    read.must_be(b"FLRP", "no proof of a run")
    require(read.number(2) == 1, "version", "a version that is not known here")
    count = read.number(4)
    require(1 <= count <= MAX_CHUNKS, "container", "no such number of chunks")
    chunks = []
    for _ in range(count):
        statement, proof = read.take(read.number(4)), read.take(read.number(8))
        require_version(statement, b"FLST", b"\1\0", STATEMENT_HEAD)
        chunks.append((training.Statement(statement), proof))
    read.end()
    return chunks


# --- the claim and the chain ----------------------------------------------------------------


def check_claim(claim: StatementFile, lowered: Lowered, has_state: bool):
    def must(holds: bool, what: str):
        require(holds, "claim", what)

    must(has_state or not ("state" in claim.before or "state" in claim.after), "state of a program that has none")
    must(claim.first_step > 0 or "state" not in claim.before, "state before step 0")
    must(1 <= claim.steps <= MAX_STEPS, "a run of no steps")
    must(bool(lowered.circuit["data"]) == bool(claim.card), "data that the program does not read, or none that it reads")


def matrices_of(statement: training.Statement) -> dict:
    return {matrix["role"]: (matrix["shape"], matrix["root"]) for matrix in statement.matrices}


def check_chain(claim: StatementFile, chunks: list, has_state: bool):
    before, step, end = claim.before, claim.first_step, claim.first_step + claim.steps
    for number, (statement, _) in enumerate(chunks):
        found = matrices_of(statement)
        try:
            require(training.WEIGHTS_AFTER in found, "weights after", "the statement names none")
            if number == len(chunks) - 1:
                after = claim.after
            else:
                after = {name: found[role] for name, role in (("weights", training.WEIGHTS_AFTER), ("state", training.STATE_AFTER))
                         if role in found}  # fmt: skip
                require(not has_state or "state" in after, "state after", "it is not passed on")
            check_chunk(claim, statement, found, step, before, after)
            require(statement.steps <= end - step, "steps", "it goes beyond the run's last")
        except Rejected as rejected:
            raise InChunk(number, rejected) from rejected
        step, before = step + statement.steps, after
    require(step == end, "steps", f"{step - claim.first_step} are proven of {claim.steps}")


def check_chunk(claim: StatementFile, statement: training.Statement, found: dict, step: int, before: dict, after: dict):
    """Everything in it is the claim's but the ends between chunks, and these are what the chunk before left."""
    card_id, records = (claim.card_id, claim.card["document"]["records"]) if claim.card else (bytes(32), 0)
    wanted = {"program": claim.program_hash, "seed": claim.seed, "wallet": claim.wallet, "data card": (card_id, records),
              "slack": claim.slack.digest() if claim.slack else bytes(32)}  # fmt: skip
    got = {"program": statement.program, "seed": statement.seed, "wallet": statement.wallet,
           "data card": (statement.data_card, statement.records), "slack": statement.slack}  # fmt: skip
    for name in wanted:
        require(got[name] == wanted[name], name, "not the claim's")
    require(statement.first_step == step, "steps", f"it begins at step {statement.first_step}, not at {step}")
    matrices = {training.DATA: claim.card["matrix"]} if claim.card else {}
    for end, roles in ((before, (training.WEIGHTS_BEFORE, training.STATE_BEFORE)), (after, (training.WEIGHTS_AFTER, training.STATE_AFTER))):
        matrices |= {role: end[name] for name, role in zip(("weights", "state"), roles) if name in end}
    for role, name in ROLES.items():
        require(found.get(role) == matrices.get(role), name, "another commitment than it must be")


# --- the chunks -----------------------------------------------------------------------------


def verify_chunk(lowered: Lowered, circuit: Circuit, columns: list, statement: training.Statement, proof: bytes) -> Fraction:
    """Returns with what probability a false one passes."""
    check_fits(lowered, statement.records, statement.steps)
    batch = lowered.program["batch"]
    rows = rows_of(statement.seed, statement.records, batch, statement.first_step, statement.steps) if circuit.data else []
    publics = Steps(lowered, statement.seed, statement.first_step, statement.steps).cells
    try:
        plan = training.Plan(statement, circuit, columns, publics, rows, None, commitment.QUERY_WORK_BITS)
    except lookup.Refused as refused:
        raise Rejected("plan", str(refused)) from refused
    require_version(proof, b"FLPR", b"\1\0\1\0", PROOF_HEAD)
    training.verify(plan, proof)
    return sum(plan.opening.soundness().values())


def circuit_of(lowered: Lowered) -> Circuit:
    try:
        return Circuit(lowered.circuit)
    except Rejected as rejected:
        raise Rejected("program", str(rejected)) from rejected


def verify(claim: StatementFile, data: bytes) -> tuple:
    """(number of chunks, bits of the weakest one). Raises Rejected, whose `check` is what failed."""
    try:
        lowered = lower(claim.program, claim.slack)
    except program.Refused as refused:
        raise Rejected("program", str(refused)) from refused
    circuit = circuit_of(lowered)
    has_state = any(role == "state" for _, role in circuit.carried)
    check_claim(claim, lowered, has_state)
    chunks = chunks_of(data)
    check_chain(claim, chunks, has_state)
    columns = [data_card.laid_out(column) for column in claim.card["document"]["columns"]] if claim.card else []
    failing = Fraction(0)
    for number, (statement, proof) in enumerate(chunks):
        try:
            failing = max(failing, verify_chunk(lowered, circuit, columns, statement, proof))
        except Rejected as rejected:
            raise InChunk(number, rejected) from rejected
    return len(chunks), bits_of(failing)


def bits_of(failing: Fraction) -> float:
    return math.log2(failing.denominator) - math.log2(failing.numerator)


def verify_refresh(claim: RefreshFile, data: bytes) -> float:
    """Bits of soundness."""
    plan = refresh.Plan(claim.statement())
    require_version(data, b"FLPR", b"\1\0\1\0", PROOF_HEAD)
    refresh.verify(plan, data)
    return bits_of(sum(plan.opening.soundness().values()))


# --- words ----------------------------------------------------------------------------------


def count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def slack_words(bounds: "slack.Slack | None") -> str:
    if not bounds:
        return "none: every step is exact"
    return (f"each weight differs from the exact step's by 2^{bounds.tau} at most\n"
            f"           a step's differences have a norm of {bounds.rho:.4g} of its update's at most ({bounds.rho_first:.4g} in the first "
            f"{slack.FIRST_STEPS} steps), those of one tensor of 10 times that; beside it float32's rounding of the weights, times {bounds.kappa}\n"
            f"           all steps' differences together, by norm, are {bounds.sigma:.4g} at most; {count(bounds.beta, 'sign')} near 0 or "
            f"pools' choices near a tie may be the other")  # fmt: skip


def digest(matrix: tuple) -> str:
    return commitment.matrix_digest(*matrix).hex()


def words_of_refresh(claim: RefreshFile, bits: float) -> str:
    lines = [f"proven: two commitments to the same {claim.of}", f"from       {digest(claim.before)}", f"to         {digest(claim.after)}"]
    if claim.cards:
        before, after = claim.cards
        document = before["document"]
        lines += [f"data       {document['name']}, {count(document['records'], 'record')}, of both cards",
                  f"from card  {card_id(before).hex()}", f"to card    {card_id(after).hex()}"]  # fmt: skip
    return "\n".join([*lines, f"by         {to_base58(claim.wallet)}", f"soundness  {bits:.4g} bits"])


def words(claim: StatementFile, num_chunks: int, bits: float) -> str:
    lines = [f"proven: {count(claim.steps, 'step')} of training, from step {claim.first_step}", f"program    {claim.program_hash.hex()}",
             f"trains     {program.summary(claim.program)}"]  # fmt: skip
    if claim.card:
        document = claim.card["document"]
        lines += [f"data       {document['matrix']['digest']} ({document['name']}, {count(document['records'], 'record')}, "
                  f"batches of {claim.program['batch']})", f"card       {claim.card_id.hex()}"]  # fmt: skip
    begins = f"from {digest(claim.before['state'])}" if "state" in claim.before else "from zero"
    ends = f" to {digest(claim.after['state'])}" if "state" in claim.after else ", not passed on"
    return "\n".join([*lines, f"seed       {claim.seed.hex()}", f"from       {digest(claim.before['weights'])}",
                      f"to         {digest(claim.after['weights'])}", f"state      {begins}{ends}",
                      f"by         {to_base58(claim.wallet)}", f"slack      {slack_words(claim.slack)}",
                      f"soundness  {bits:.4g} bits in {count(num_chunks, 'chunk')}"])  # fmt: skip


def claim_of(statement: bytes):
    return RefreshFile(statement) if statement.startswith(REFRESH_BEGIN) else StatementFile(statement)


def check(claim, proof: bytes) -> str:
    """What is proven, in words. Raises Rejected."""
    if isinstance(claim, RefreshFile):
        return words_of_refresh(claim, verify_refresh(claim, proof))
    return words(claim, *verify(claim, proof))


def judge(statement: bytes, proof: bytes) -> str:
    """"accepted", or the check that failed."""
    try:
        check(claim_of(statement), proof)
    except Rejected as rejected:
        return rejected.check
    return "accepted"


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a proof against its statement")
    parser.add_argument("proof", type=Path)
    parser.add_argument("--statement", type=Path, required=True)
    options = parser.parse_args()
    try:
        claim = claim_of(options.statement.read_bytes())
        print(check(claim, options.proof.read_bytes()))
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Rejected as rejected:
        print(f"{'error' if rejected.check in UNCHECKABLE else 'rejected'}: {rejected}", file=sys.stderr)
        return 1 if rejected.check in UNCHECKABLE else 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
