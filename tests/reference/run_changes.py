# SPDX-License-Identifier: Apache-2.0
"""Proofs of runs that the real prover made, changed in every way, and both verifiers' verdicts on them."""
import concurrent.futures
import hashlib
import json
import os
import random
import re
import subprocess

import changes  # first: it finds the reference

import program
import program_text
import statement_file
import verifier

SAMPLE, SOAK = 650, 10_000  # changes that `./dev test` judges at least, and `./dev soak`
JUDGE = os.environ.get("FLAIR_RUN_JUDGE", changes.ROOT / "build/release/src/proof/prover/run_judge")
NARROW = "profile limb 10\nprofile logit 8 4\nprofile probability 12\nprofile activation 14 8\nprofile gradient 14 13\n"
LINEAR = "z = linear(x, w, b)\nl = cross_entropy(z, y)\nloss l\n"
LEAVES = "flair program 1\nbatch 2\ndata x [3] bits 8 scale 6\nlabel y classes 2\nparam w [2, 3]\nparam b [2]\n"
SLACK = {"tau": -8, "rho": 2e-3, "rho_first": 2e-2, "kappa": 1, "sigma": 1.0, "beta": 0}
# What is asked of `run_judge make`, by name.
RUNS = {
    "exact": {"program": LEAVES + LINEAR + "optimiser sgd()\nschedule 3/16 x 2, 1/16\n" + NARROW},
    "in chunks": {"program": LEAVES + LINEAR + "optimiser sgd(momentum=1/2)\nschedule 1/16\n" + NARROW, "steps": 2, "chunk": 1,
                  "first_step": 4, "passes_state": True},
    "recorded": {"program": LEAVES + LINEAR + "optimiser sgd()\nschedule 3/16\n" + NARROW.replace("limb 10", "limb 12"), "slack": SLACK,
                 "steps": 2, "chunk": 2},
    "without data": {"program": "flair program 1\nbatch 1\nparam w [2]\nm = mul(w, w)\nl = reduce(m, axes=[0])\nloss l\n"
                     "optimiser sgd()\nschedule 1/16\n" + NARROW, "steps": 1, "chunk": 1},
    "a network": {"program": "flair program 1\nbatch 2\ndata x [1, 4, 4] bits 8 scale 6\nlabel y classes 2\nparam k [2, 1, 3, 3]\nparam g [2]\n"
                  "param b [2]\nparam f [2, 2]\nbuffer m [2]\nbuffer v [2]\nh = conv(x, k)\nn = batch_norm(h, g, b, m, v)\nr = relu(n)\n"
                  "p = max_pool(r)\nd = dropout(p, p=1/4)\nq = flatten(d)\nz = linear(q, f)\nl = cross_entropy(z, y)\nloss l\n"
                  "optimiser adam(weight_decay=1/100)\nschedule 1/1024\nclip norm(limit=1/2)\n" + NARROW, "steps": 2, "chunk": 2},
}  # fmt: skip


def make(question):
    return Run(*made({"rows": 5, "first_step": 0, "steps": 2, "chunk": 2, "slack": None, "passes_state": False} | question))


def made(asked):
    """(statement, proof)"""
    said = subprocess.run([JUDGE, "make"], input=json.dumps(asked) + "\n", capture_output=True, text=True, check=True).stdout
    answer = json.loads(said)
    assert "error" not in answer, answer
    return answer["statement"], bytes.fromhex(answer["proof"])


def real(pairs):
    """The real verdicts, as (kind, check): of a rejected proof the reference's name of the check that failed."""
    lines = "".join(json.dumps({"statement": statement, "proof": proof.hex()}) + "\n" for statement, proof in pairs)
    said = subprocess.run([JUDGE, "judge"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == len(pairs), said
    return [named(line) for line in said]


CHAIN = [*(f"{name}: not the claim's" for name in ("program", "seed", "wallet", "data card", "slack")), "steps: ",
         *(f"{role}: " for role in verifier.ROLES.values()), "another statement"]  # fmt: skip
NAMES = {"cards are of different data": "cards"} | {words: words.split(":")[0] for words in CHAIN}
NAMES |= {"another statement": "about", "names no weights after": "weights after"}


def named(line):
    kind, _, why = line.partition(": ")
    if kind != "rejected":
        return kind, ""
    why = re.sub(r"^(where: )?chunk [0-9]+: ", "", why)
    check = next((name for words, name in NAMES.items() if words in why), None)
    return kind, check or changes.check_in(why)


KINDS = {"accepted": "accepted"} | dict.fromkeys(verifier.UNCHECKABLE, "unchecked")
KINDS |= dict.fromkeys(("statement file", "container", "statement", "proof"), "corrupt")


def ours(pair):
    # "program" is what there is no circuit of, or in a chunk another program than the claim's.
    statement, proof = pair
    try:
        verifier.check(verifier.claim_of(statement.encode()), proof)
    except verifier.InChunk as rejected:
        kind = "rejected" if rejected.check in ("program", "data card") else KINDS.get(rejected.check, "rejected")
        return kind, rejected.check if kind == "rejected" else ""
    except verifier.Rejected as rejected:
        kind = KINDS.get(rejected.check, "rejected")
        return kind, rejected.check if kind == "rejected" else ""
    return "accepted", ""


def judged(cases):
    """Both verifiers' verdict on each (what, statement, proof); they are one."""
    pairs = [case[1:] for case in cases]
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        mine = list(pool.map(ours, pairs, chunksize=4))
    different = [(case[0], own, theirs) for case, own, theirs in zip(cases, mine, real(pairs)) if own != theirs]
    assert not different, (len(different), different[:8])
    return mine


class Run:
    def __init__(self, statement, proof):
        self.statement, self.proof = statement, proof
        self.document = json.loads(statement)
        self.chunks = [(made.bytes, chunk) for made, chunk in verifier.chunks_of(proof)]


def container(chunks):
    return b"FLRP\1\0" + len(chunks).to_bytes(4, "little") + b"".join(
        len(statement).to_bytes(4, "little") + statement + len(proof).to_bytes(8, "little") + proof for statement, proof in chunks)


def spelled(document):
    """As a statement is written, reals too."""
    def real_text(value):
        if isinstance(value, float):
            return statement_file.Real(value)
        if isinstance(value, dict):
            return {key: real_text(part) for key, part in value.items()}
        return [real_text(part) for part in value] if isinstance(value, list) else value
    return statement_file.spelled(real_text(document)) + "\n"


def paths(value, path=()):
    """Of everything within that holds nothing itself."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(part, (*path, key))
    else:
        yield path


class Changes:
    """Changed copies of runs, (what, statement, proof). `others`: runs to take parts of."""

    def __init__(self, name, runs, seed=0):
        self.name, self.run, self.others = name, runs[name], [run for other, run in runs.items() if other != name]
        self.random, self.made = random.Random(f"{name} {seed}"), []

    def add(self, what, statement=None, proof=None):
        statement, proof = statement or self.run.statement, self.run.proof if proof is None else proof
        assert (statement, proof) != (self.run.statement, self.run.proof), what
        self.made.append((f"{self.name}: {what}", statement, proof))

    # Every single thing.

    def of_statement(self):
        """Each member of the file another, or none."""
        for path in paths(self.run.document):
            self.member(path)
        for path in [(), ("before",), ("after",), ("card",), ("card", "matrix"), ("slack",)]:
            self.without(path)
        text = self.run.statement
        for what, other in (("a blank", text.replace(",", ", ", 1)), ("no line end", text[:-1]), ("two line ends", text + "\n"),
                            ("a member twice", text.replace('"seed":', '"seed":"","seed":', 1)), ("cut off", text[:200]),
                            ("an unknown member", text.replace("{", '{"more":1,', 1)), ("an escape", text.replace('"s', '"\\u0073', 1)),
                            ("nothing", "{}\n"), ("a list", "[]\n"), ("deep", "[" * 5000 + "]" * 5000)):  # fmt: skip
            self.add(what, other)
        document = dict(self.run.document)
        document["before"], document["after"] = document["after"], document["before"]
        self.add("ends that changed places", spelled(document))
        for number, other in enumerate(self.others):
            self.add(f"the statement of run {number}", other.statement)
            self.add(f"the proof of run {number}", None, other.proof)

    def changed(self, path, change):
        document = json.loads(self.run.statement)
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = change(holder[path[-1]])
        if document != self.run.document:
            self.add(f"{'.'.join(map(str, path))}: {str(holder[path[-1]])[:40]}", spelled(document))

    def member(self, path):
        draw = self.random
        value = self.run.document
        for key in path:
            value = value[key]
        if path == ("program_text",):
            self.program()
        elif isinstance(value, str):
            digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz" if path == ("wallet",) else "0123456789abcdef"
            at = draw.randrange(len(value))
            self.changed(path, lambda v: v[:at] + digits[(digits.find(v[at]) + 1) % len(digits)] + v[at + 1:])
            self.changed(path, lambda v: draw.choice([v.upper(), v[:-1], v + "0", ""]))
        elif isinstance(value, float):
            self.changed(path, lambda v: v * draw.choice([0.5, 1.5, 100.0]))
            self.changed(path, lambda v: draw.choice([0.0, 1e300, -v, 1]))
        else:
            self.changed(path, lambda v: v + 1)
            self.changed(path, lambda v: draw.choice([0, v - 1, -1, 2**48, 2**64, 1.5, "1", True, None, [v]]))

    def program(self):
        """Another program, with its hash, whose circuit may be as good as that."""
        text = self.run.document["program_text"]
        numbers = [found.span() for found in re.finditer(r"[0-9]+", text)]
        for _ in range(6):
            begin, end = self.random.choice(numbers)
            other = text[:begin] + str(max(0, int(text[begin:end]) + self.random.choice([-1, 1, 2]))) + text[end:]
            self.changed(("program_text",), lambda _, other=other: other)
            try:
                made = program_text.parse(other)
            except program.Refused:
                continue
            document = dict(self.run.document, program=program.program_hash(program.encode(made)), program_text=program.text(made))
            if document != self.run.document:
                self.add(f"another program, {text[max(0, begin - 20):end]!r}", spelled(document))
                self.agreed(f"another program, {text[max(0, begin - 20):end]!r}", document)

    def agreed(self, what, document):
        """A statement that the chunks agree with: the proofs themselves must fail, or what they are to be about."""
        chunks = []
        for statement, proof in self.run.chunks:
            bounds = document.get("slack")
            slack = statement_file.Slack(**bounds).digest() if bounds else bytes(32)
            first = int.from_bytes(statement[166:174], "little") + document["first_step"] - self.run.document["first_step"]
            head = b"".join([bytes.fromhex(document["program"]), bytes.fromhex(document["seed"]),
                             statement_file.from_base58(document["wallet"]), statement[102:134], slack, first.to_bytes(8, "little")])
            statement = statement[:6] + head + statement[174:]
            chunks.append((statement, proof[:8] + hashlib.sha256(statement).digest() + proof[40:]))
        if container(chunks) != self.run.proof:
            self.add(f"{what}, and the chunks say so", spelled(document), container(chunks))

    def of_agreements(self):
        """Seed, wallet, steps and bounds that are others everywhere."""
        run = self.run.document
        others = [{"seed": "11" * 32}, {"wallet": statement_file.to_base58(bytes(32))}, {"first_step": run["first_step"] + 1}]
        if "slack" in run:
            bounds = {"tau": -9, "rho": 1e-3, "rho_first": 1e-2, "kappa": 0, "sigma": 0.5, "beta": 1}
            others += [{"slack": run["slack"] | {name: value}} for name, value in bounds.items()]
            others.append({"slack": run["slack"] | {"rho": 0.5}})
        for other in others:
            self.agreed(str(other)[:40], run | other)
        if "slack" in run:
            self.agreed("exact", {name: value for name, value in run.items() if name != "slack"})

    def without(self, path):
        document = json.loads(self.run.statement)
        holder = document
        for key in path:
            if key not in holder:
                return
            holder = holder[key]
        for name in list(holder):
            value = holder.pop(name)
            self.add(f"no {'.'.join((*path, name))}", spelled(document))
            holder[name] = value

    def of_chain(self):
        chunks = self.run.chunks
        self.add("no chunk", None, container([]))
        self.add("a chunk twice", None, container([chunks[0], *chunks]))
        for i in range(len(chunks)):
            self.add(f"without chunk {i}", None, container(chunks[:i] + chunks[i + 1:]))
        if len(chunks) > 1:
            self.add("chunks backwards", None, container(chunks[::-1]))
            self.add("a chunk in the place of another", None, container([chunks[0], chunks[0], *chunks[2:]]))
            self.add("one chunk's proof with another's statement", None, container([(chunks[0][0], chunks[1][1]), *chunks[1:]]))
        for number, other in enumerate(self.others):
            self.add(f"a chunk of run {number}", None, container([other.chunks[0], *chunks[1:]]))
        proof = self.run.proof
        for at in range(10):
            self.add(f"head, byte {at}", None, proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1:])
        for what, length in (("nothing", 0), ("a head", 9), ("cut in a length", 12), ("cut in a statement", 100), ("cut", len(proof) - 1)):
            self.add(what, None, proof[:length])
        self.add("something behind the end", None, proof + b"\0")
        for begin in range(14, 14 + len(chunks[0][0]), 16):
            self.of_chunk_statement(0, begin - 14)

    def of_chunk_statement(self, number, at):
        """A byte of what a chunk says it is about; its proof says so, too."""
        chunks = list(self.run.chunks)
        statement, proof = chunks[number]
        statement = statement[:at] + bytes([statement[at] ^ 1 << self.random.randrange(8)]) + statement[at + 1:]
        if self.random.random() < 0.5:
            proof = proof[:8] + hashlib.sha256(statement).digest() + proof[40:]
        chunks[number] = statement, proof
        self.add(f"statement of chunk {number}, byte {at}", None, container(chunks))

    # At random.

    def of_proof(self, count):
        """Bytes of the chunks' proofs."""
        for _ in range(count):
            number = self.random.randrange(len(self.run.chunks))
            chunks = list(self.run.chunks)
            statement, proof = chunks[number]
            # Half of them among the first bytes, where the parts are many and small.
            at = self.random.randrange(self.random.choice([120, len(proof) // 8, len(proof), len(proof)]))
            match self.random.randrange(8):
                case 0:
                    changed = proof[:at]
                case 1:
                    changed = proof[:at] + b"\xff" * 8 + proof[at + 8:]
                case 2:
                    changed = proof[:at] + bytes(16) + proof[at + 16:]
                case _:
                    changed = proof[:at] + bytes([proof[at] ^ 1 << self.random.randrange(8)]) + proof[at + 1:]
            if changed != proof:
                chunks[number] = statement, changed
                self.add(f"proof {number}, at {at}", None, container(chunks))

    def of_anything(self, count):
        """At least so many; a third of them in the proofs."""
        members = list(paths(self.run.document))
        begin = len(self.made)
        while len(self.made) - begin < count:
            match self.random.randrange(9):
                case 0 | 1:
                    self.member(self.random.choice(members))
                case 2 | 3:
                    number = self.random.randrange(len(self.run.chunks))
                    self.of_chunk_statement(number, self.random.randrange(len(self.run.chunks[number][0])))
                case 4:
                    text, at = self.run.statement, self.random.randrange(len(self.run.statement))
                    other = self.random.choice(["", *"0123456789abcxyz,:{}[]\"\\ \n"])
                    if text[at] != other:
                        self.add(f"statement, {at} {other!r}", text[:at] + other + text[at + 1:])
                case 5:
                    self.program()
                case _:
                    self.of_proof(1)
