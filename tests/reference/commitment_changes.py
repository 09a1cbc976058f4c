# SPDX-License-Identifier: Apache-2.0
"""Proofs of refreshed commitments and of committed weights: changed copies of their vectors, and both verifiers' verdicts on them."""
import copy
import json
import os
import random
import subprocess

import changes  # first: it finds the reference

import masking
import program
import program_text
import refresh
import weights

REFRESHES = {vector["name"]: vector for vector in json.loads(refresh.VECTORS.read_text())}
RELATIONS = {vector["name"]: vector for vector in json.loads(weights.VECTORS.read_text())}
WEIGHTS_JUDGE = os.environ.get("FLAIR_WEIGHTS_VECTORS", changes.ROOT / "build/release/src/proof/prover/weights_vectors")
NUMBERS = ("log_columns", "log_n", "num_rows", "num_pads")


def turned(text, at, by=1):
    data = bytearray(bytes.fromhex(text))
    data[at] ^= by
    return data.hex()


def check_changed(vector, judge):
    """What a vector says of its changes is the reference's word, too."""
    for change in vector["changed"]:
        member, _, place = change["part"].partition(".")
        changed = copy.deepcopy(vector)
        holder, key = (changed[member], int(place)) if place else (changed, member)
        holder[key] = turned(holder[key], change["at"])
        verdict = judge(changed)
        assert changes.REFUSED.get(verdict, verdict) == changes.named(change["verdict"]) != "accepted", change


def said_of_weights(kind, questions):
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    answers = subprocess.run([WEIGHTS_JUDGE, kind, "-"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(answers) == len(questions)
    return answers


class Changes:
    """Of the vector of a name, (what, vector). Of a kind: `vectors`, the reference's `judge`, and what the real verifier says of a list."""

    def __init__(self, name, seed=0):
        self.honest, self.made, self.random = self.vectors[name], [], random.Random(f"{name} {seed}")
        self.others = [vector for vector in self.vectors.values() if vector is not self.honest]

    def add(self, what, **members):
        vector = copy.deepcopy(self.honest) | members
        if vector != self.honest:
            self.made.append((what, vector))

    def put(self, what, **members):
        """A statement, and a proof that says it is about that."""
        self.add(what, **members)
        about = self.statement_of(self.honest | members)
        if about:
            proof = self.honest["proof"]
            self.add(f"{what}, and the proof", proof=proof[:16] + about.hash().hex() + proof[80:], **members)

    def proofs(self, count):
        proof = self.honest["proof"]
        size = len(proof) // 2
        for at in [*range(8), 8, 39, 40, 72, *self.random.sample(range(72, size), count)]:
            self.add(f"proof, byte {at}", proof=turned(proof, at, self.random.randrange(1, 256)))
        for length in [0, 7, 8, 40, 100, size - 1, *self.random.sample(range(size), 6)]:
            self.add(f"proof, cut at {length}", proof=proof[:2 * length])
        self.add("proof, longer", proof=proof + "00")
        for at in self.random.sample(range(200, 2000, 8), 4):
            self.add(f"proof, no element at {at}", proof=proof[:2 * at] + "ff" * 8 + proof[2 * at + 16:])
        self.add("another's proof", proof=self.random.choice(self.others)["proof"])

    def statements(self):
        matrices, roots = self.honest["matrices"], self.honest["roots"]
        for at in (0, 31):
            self.put(f"wallet, byte {at}", wallet=turned(self.honest["wallet"], at))
            for i in range(len(roots)):
                self.put(f"root {i}, byte {at}", roots=[turned(root, at) if j == i else root for j, root in enumerate(roots)])
        self.put("matrices backwards", matrices=matrices[::-1], roots=roots[::-1])
        self.put("roots backwards", roots=roots[::-1])
        self.put("shapes backwards", matrices=matrices[::-1])
        for i in range(len(matrices)):
            for name in NUMBERS:
                for to in sorted({0, 1, 2, matrices[i][name] - 1, matrices[i][name] + 1, 22, 25, 2**22 + 1}):
                    self.put(f"matrix {i}, {name} {to}", matrices=self.with_matrix(i, name, to))
            for kind in ("witness", "companion", "weights", "state", "data"):
                self.put(f"matrix {i} of {kind}", matrices=self.with_matrix(i, "kind", kind))

    def with_matrix(self, i, name, to):
        return [matrix | {name: to} if j == i else matrix for j, matrix in enumerate(self.honest["matrices"])]

    def sizes(self):
        for queries in (0, 1, 11, 13):
            self.add(f"{queries} queries", queries=queries)
        for bits in (0, 2, 4):
            self.add(f"{bits} bits of work", work_bits=bits)

    def judged(self):
        """The verdict of both; no change is accepted."""
        names, vectors = zip(*self.made)
        verdicts = [changes.REFUSED.get(verdict, verdict) for verdict in map(self.judge, vectors)]
        different = [three for three in zip(names, verdicts, self.real(vectors)) if three[1] != three[2]]
        assert not different, different
        accepted = {what for what, verdict in zip(names, verdicts) if verdict == "accepted"}
        # Who asks for less work gets more of it, now and then.
        assert accepted <= {f"{bits} bits of work" for bits in (0, 2, 4)}, accepted
        return verdicts


class RefreshChanges(Changes):
    vectors, judge = REFRESHES, staticmethod(refresh.judge)

    @staticmethod
    def real(vectors):
        return [changes.named(line) for line in changes.said("refresh", vectors)]

    def statement_of(self, vector):
        return refresh.statement_of(vector)

    def proofs(self, count):
        super().proofs(count)
        proof, shapes = self.honest["proof"], {(m["log_columns"], m["log_n"], m["num_pads"]) for m in self.honest["matrices"]}
        # Behind the digests of statement, witness, companions and tail.
        nonce = 72 + 32 * (len(shapes) + self.honest["has_tail"])
        for by in (1, 128):
            self.add("work for lookups", proof=turned(proof, nonce, by))

    def statements(self):
        super().statements()
        matrices, roots = self.honest["matrices"], self.honest["roots"]
        for i in range(2):
            self.put(f"matrix {i} twice", matrices=[matrices[i]] * 2, roots=[roots[i]] * 2)
        for reading in {"00" * 32, turned(self.honest.get("reading", "00" * 32), 31)}:
            self.put(f"reading {reading}", reading=reading)
        if "reading" in self.honest:
            bare = {name: value for name, value in self.honest.items() if name != "reading"}
            self.made.append(("no reading", bare))
            about = refresh.statement_of(bare).hash().hex()
            self.made.append(("no reading, and the proof", bare | {"proof": bare["proof"][:16] + about + bare["proof"][80:]}))
        for kind in ("witness", "weights", "state", "data"):
            self.put(f"both of {kind}", matrices=[matrix | {"kind": kind} for matrix in matrices])

    def sizes(self):
        super().sizes()
        self.add("a tail or none", has_tail=not self.honest["has_tail"])


class WeightsChanges(Changes):
    vectors, judge = RELATIONS, staticmethod(weights.judge)

    @staticmethod
    def real(vectors):
        return [changes.named(line) for line in said_of_weights("weights", vectors)]

    def statement_of(self, vector):
        try:
            made_of = program_text.parse(vector["program"])
            relation = weights.relation_digest(made_of, vector["relation"])
        except (program.Refused, masking.Rejected, OverflowError):
            return None
        matrices = list(zip(vector["matrices"], map(bytes.fromhex, vector["roots"])))
        return weights.Statement(relation, bytes.fromhex(vector["wallet"]), matrices)

    def relations(self):
        for what, relation in others(self.honest["relation"]):
            self.put(f"relation: {what}", relation=relation)
        for other in self.others:
            self.put(f"the relation of {other['name']}", relation=other["relation"])
            self.put(f"the program of {other['name']}", program=other["program"])
        text = self.honest["program"]
        for old, new in (("batch 2", "batch 3"), ("1/16", "1/8"), ("param b ", "param c "), ("(x, w, b)", "(x, w, c)"), ("limb 10", "limb 11"),
                         ("scale -1", "scale -2"), ("scale 1\n", "scale 2\n"), ("param w [2, 3]", "param w [3, 2]"), ("flair", "flare")):  # fmt: skip
            self.put(f"{old} as {new}", program=text.replace(old, new))
        matrices, roots = self.honest["matrices"], self.honest["roots"]
        for i in range(len(roots)):
            self.put(f"without matrix {i}", matrices=matrices[:i] + matrices[i + 1:], roots=roots[:i] + roots[i + 1:])
            self.put(f"matrix {i} once more", matrices=[*matrices, matrices[i]], roots=[*roots, roots[i]])


def others(relation):
    """Of the same kind, and of none or several."""
    (kind, numbers), = relation.items()
    for name, value in numbers.items():
        if isinstance(value, list):
            for i, one in enumerate(value):
                for to in sorted({0, 1, one + 1, 2 * one, 2**28, 2**28 + 1, 2**31 - 1, 2**31} - {one}):
                    yield f"{name} {i} {to}", {kind: numbers | {name: [*value[:i], to, *value[i + 1:]]}}
            yield f"{name} less", {kind: numbers | {name: value[1:]}}
            yield f"{name} backwards", {kind: numbers | {name: value[::-1]}}
            yield f"{name} more", {kind: numbers | {name: [*value, 1]}}
            yield f"no {name}", {kind: numbers | {name: []}}
        else:
            for to in sorted({0, 1, value + 1, abs(value - 1), 2**28, 2**28 + 1} - {value}):
                yield f"{name} {to}", {kind: numbers | {name: to}}
    if kind == "norm":
        yield "a bound of 2^60", {"norm": {"bound": 2**60}}
        yield "a bound of 2^60 - 1", {"norm": {"bound": 2**60 - 1}}
    yield "none", {}
    yield "two", relation | {"init": {"bounds": [1, 1]}} | {"norm": {"bound": 7}}
