# SPDX-License-Identifier: Apache-2.0
"""Proofs of training: the reference's verdict and the real one, on the vectors, on changes to them and on random circuits."""
import copy
import hashlib
import json
import random
import subprocess

import changes  # first: it finds the reference
import pytest

import training

VECTORS = {vector["name"]: vector for vector in json.loads(training.VECTORS.read_text())}


def ours(vector):
    verdict = training.judge(vector)
    return changes.REFUSED.get(verdict, verdict)


def real(vectors):
    """The real verdicts in the reference's names: what refused, or of a rejected proof the check that failed."""
    return [changes.named(line) for line in changes.said("training", vectors)]


class Changes:
    """Changed copies of a vector, each with what it is and the verdict that must be, if that is certain."""

    def __init__(self, name):
        self.honest, self.made = VECTORS[name], []
        self.random = random.Random(name)
        self.statement = training.Statement(bytes.fromhex(self.honest["statement"]))

    def add(self, what, change, check=None):
        vector = copy.deepcopy(self.honest)
        change(vector)
        assert vector != self.honest, what
        self.made.append((what, vector, check))

    def set(self, what, find, value, check=None):
        """`find`: vector -> a dict or list, and a key of it."""
        def change(vector):
            holder, key = find(vector)
            holder[key] = value
        self.add(f"{what}: {value}", change, check)

    # The bytes of a proof.

    def proofs(self, count):
        proof = bytes.fromhex(self.honest["proof"])

        def put(what, changed, check=None):
            self.add(what, lambda v: v.__setitem__("proof", changed.hex()), check)

        for at in [*range(8), 8, 39, 40, 72, *self.random.sample(range(72, len(proof)), count)]:
            changed = bytearray(proof)
            changed[at] ^= self.random.randrange(1, 256)
            put(f"proof, byte {at}", changed, "proof" if at < 8 else "about" if at < 40 else None)
        for length in [0, 7, 8, 100, len(proof) - 1, *self.random.sample(range(len(proof)), 10)]:
            put(f"proof, cut at {length}", proof[:length], "proof")
        put("proof, longer", proof + b"\0", "proof")
        for at in self.random.sample(range(200, 2000, 8), 4):
            put(f"proof, no element at {at}", proof[:at] + b"\xff" * 8 + proof[at + 8:], "proof")

    # The bytes of a statement, and a proof that says it is about these.

    def put_statement(self, what, statement, check=None):
        def change(vector, also_proof):
            vector["statement"] = statement.hex()
            if also_proof:
                proof = bytes.fromhex(vector["proof"])
                vector["proof"] = (proof[:8] + hashlib.sha256(statement).digest() + proof[40:]).hex()
        self.add(f"statement, {what}", lambda v: change(v, False), check)
        self.add(f"statement, {what}, and proof", lambda v: change(v, True), check)

    def statements(self):
        statement = self.statement.bytes
        fields = {"magic": 0, "version": 4, "program": 6, "seed": 38, "wallet": 70, "data card": 102, "slack": 134, "first step": 166, "steps": 174, "records": 182}
        for name, at in fields.items():
            for by in (1, 2, 255):
                changed = statement[:at] + bytes([(statement[at] + by) % 256]) + statement[at + 1:]
                self.put_statement(f"{name} by {by}", changed, "statement" if at < 6 else None)
        for name, at, most in (("first step", 166, 2**48), ("steps", 174, 2**32), ("records", 182, 2**32)):
            for value in (0, most, most + 1, 2**64 - 1):
                changed = statement[:at] + value.to_bytes(8, "little") + statement[at + 8:]
                if changed != statement and (name, value) != ("steps", most):
                    self.put_statement(f"{name} {value}", changed, "statement" if value > most else None)
        for length in self.random.sample(range(len(statement)), 8):
            self.put_statement(f"cut at {length}", statement[:length], "statement")
        self.put_statement("longer", statement + b"\0", "statement")
        self.matrices(statement[:191], [statement[191 + 65 * i:][:65] for i in range(len(self.statement.matrices))])

    def matrices(self, head, matrices):
        def put(what, changed, check=None):
            self.put_statement(what, head[:-1] + bytes([len(changed)]) + b"".join(changed), check)

        put("no matrices", [])
        put("a matrix twice", [*matrices, matrices[-1]], "statement")
        put("backwards", matrices[::-1], "statement")
        for i, matrix in enumerate(matrices):
            others = (matrices[:i], matrices[i + 1:])
            put(f"without matrix {i}", [*others[0], *others[1]])
            for role in (0, 1, 2, 3, 4, 5, 6):
                if role != matrix[0]:
                    put(f"matrix {i} as {role}", [*others[0], bytes([role]) + matrix[1:], *others[1]])
            for name, at in (("columns", 1), ("log n", 9), ("rows", 17), ("pads", 25), ("root", 33)):
                for by in (1, 255):
                    changed = matrix[:at] + bytes([(matrix[at] + by) % 256]) + matrix[at + 1:]
                    put(f"matrix {i}, {name} by {by}", [*others[0], changed, *others[1]])
            for at in (1, 9, 17, 25):
                put(f"matrix {i}, 2^40 at {at}", [*others[0], matrix[:at] + (2**40).to_bytes(8, "little") + matrix[at + 8:], *others[1]])
            for j, other in enumerate(matrices[:i]):
                swapped = list(matrices)
                swapped[i], swapped[j] = matrix[:33] + other[33:], other[:33] + matrix[33:]
                put(f"roots of {i} and {j} swapped", swapped)

    # What follows from the program that a statement names.

    def publics(self):
        for i, row in enumerate(self.honest["rows"]):
            for to in {0, (row + 1) % self.statement.records, self.statement.records, 2**32 - 1} - {row}:
                self.set(f"row {i}", lambda v, i=i: (v["rows"], i), to, "plan" if to >= self.statement.records else None)
            if i and self.honest["rows"][i - 1] != row:
                self.add(f"rows {i - 1} and {i}", lambda v, i=i: v["rows"].insert(i - 1, v["rows"].pop(i)))
        if self.honest["rows"]:
            self.add("a row less", lambda v: v["rows"].pop(), "plan")
            self.add("a row more", lambda v: v["rows"].append(0), "plan")
        for i, cells in enumerate(self.honest["publics"]):
            for at in self.random.sample(range(len(cells)), min(3, len(cells))):
                self.set(f"public {i}, cell {at}", lambda v, i=i, at=at: (v["publics"][i], at), cells[at] + 1)
                self.set(f"public {i}, cell {at}", lambda v, i=i, at=at: (v["publics"][i], at), 2**61, "plan")
        for i, column in enumerate(self.honest["columns"]):
            for key in ("bits", "bias"):
                for by in (-1, 1, 15):
                    self.set(f"column {i}, {key}", lambda v, i=i, key=key: (v["columns"][i], key), column[key] + by)
            self.set(f"column {i}, dims", lambda v, i=i: (v["columns"][i], "dims"), [*column["dims"], 2], "plan")

    def circuits(self):
        circuit = self.honest["circuit"]
        for i, (_, size) in enumerate(circuit["axes"]):
            for by in (-1, 1):
                self.set(f"axis {i}", lambda v, i=i: (v["circuit"]["axes"][i], 1), size + by)
        for i, value in enumerate(circuit["values"]):
            getattr(self, "_" + value["kind"])(i, value)
        for t, table in enumerate(circuit["tables"]):
            for s, segment in enumerate(table):
                for key in ("first", "c1", "c2", "log_rows"):
                    if isinstance(segment[key], int):
                        at = (lambda v, t=t, s=s, key=key: (v["circuit"]["tables"][t][s], key))
                        self.set(f"table {t}.{s}, {key}", at, segment[key] + 1)
            self.add(f"table {t} twice", lambda v, t=t: v["circuit"]["tables"].append(v["circuit"]["tables"][t]))
        for i, lookup in enumerate(circuit["lookups"]):
            at = (lambda v, i=i: v["circuit"]["lookups"][i])
            self.set(f"lookup {i}, table", lambda v, at=at: (at(v), "table"), (lookup["table"] + 1) % len(circuit["tables"]))
            self.set(f"lookup {i}, c1", lambda v, at=at: (at(v), "c1"), None if lookup["c1"] else lookup["v"])
            self.add(f"lookup {i} twice", lambda v, at=at: v["circuit"]["lookups"].append(copy.deepcopy(at(v))))
        for key in ("zeros", "carried", "data", "lookups"):
            self._order(key, circuit[key])

    def _order(self, key, entries):
        for i in range(len(entries)):
            self.add(f"{key}: without {i}", lambda v, i=i: v["circuit"][key].pop(i))
            if i and entries[i] != entries[i - 1]:
                self.add(f"{key}: {i - 1} and {i}", lambda v, i=i: v["circuit"][key].insert(i - 1, v["circuit"][key].pop(i)))

    def _public(self, i, value):
        pass

    def _number(self, i, value):
        at = (lambda v: v["circuit"]["values"][i])
        for by in (-1, 1):
            self.set(f"number {i}, bias", lambda v: (at(v), "bias"), value["bias"] + by)
        bits = value["limb_bits"]
        if len(bits) > 1:
            self.set(f"number {i}, limbs", lambda v: (at(v), "limb_bits"), [*bits[:-1], bits[0] if bits[0] != bits[-1] else bits[-1] - 1])
        if len(value["axes"]) > 1 and value["column"] is None:
            self.set(f"number {i}, axes", lambda v: (at(v), "axes"), [*value["axes"][1:], value["axes"][0]])

    def _form(self, i, form):
        at = (lambda v: v["circuit"]["values"][i])
        self.set(f"form {i}, constant", lambda v: (at(v), "constant"), form["constant"] + 1)
        if len(form["axes"]) > 1:
            self.set(f"form {i}, axes", lambda v: (at(v), "axes"), form["axes"][::-1])
        for t, term in enumerate(form["terms"]):
            here = (lambda v, t=t: at(v)["terms"][t])
            for to in {0, 1, term["coefficient"] + 1, -term["coefficient"]} - {term["coefficient"]}:
                self.set(f"form {i}.{t}, coefficient", lambda v, here=here: (here(v), "coefficient"), to)
            if len(form["terms"]) > 1:
                self.add(f"form {i}: without {t}", lambda v, t=t: at(v)["terms"].pop(t))
            for f, read in enumerate(term["factors"]):
                self._read(f"form {i}.{t}.{f}", lambda v, here=here, f=f: here(v)["factors"][f], read)
            if len(term["factors"]) > 1:
                self.add(f"form {i}.{t}, factors turned", lambda v, here=here: here(v)["factors"].reverse())
                self.add(f"form {i}.{t}, a factor less", lambda v, here=here: here(v)["factors"].pop())
            for w, window in enumerate(term["windows"]):
                self._window(f"form {i}.{t}, window", lambda v, here=here, w=w: here(v)["windows"][w], window)
                self.add(f"form {i}.{t}: without window", lambda v, here=here, w=w: here(v)["windows"].pop(w))

    def _read(self, what, at, read):
        value = self.honest["circuit"]["values"][read["value"]]
        sizes = self.honest["circuit"]["axes"]
        for a, axis in enumerate(read["axes"]):
            others = [b for b, (_, size) in enumerate(sizes) if size == sizes[axis][1] and b != axis]
            if others:
                self.set(f"{what}, axis {a}", lambda v, a=a: (at(v)["axes"], a), self.random.choice(others))
        if value["kind"] == "number":
            limbs = [None, *range(len(value["limb_bits"])), len(value["limb_bits"])]
            for limb in limbs:
                if limb != read["limb"] and limb != len(value["limb_bits"]):
                    self.set(f"{what}, limb", lambda v, limb=limb: (at(v), "limb"), limb)
            if value["state"]:
                self.set(f"{what}, moment", lambda v: (at(v), "next"), not read["next"])

    def _window(self, what, at, window):
        for key in ("stride", "dilation", "offset"):
            for by in (-1, 1):
                self.set(f"{what}, {key}", lambda v, key=key: (at(v), key), window[key] + by)
        for a, b in (("out", "kernel"), ("kernel", "in"), ("in", "out")):
            def turn(v, a=a, b=b):
                w = at(v)
                w[a], w[b] = w[b], w[a]
            self.add(f"{what}, {a} and {b}", turn)

    def judged(self):
        names = [what for what, _, _ in self.made]
        verdicts = [ours(vector) for _, vector, _ in self.made]
        sure = [verdict if check is None else check for (_, _, check), verdict in zip(self.made, verdicts)]
        # The real verifier takes a circuit as its builder made it; the reference looks at all of it.
        said = [ours if ours == "circuit" and theirs != "accepted" else theirs
                for ours, theirs in zip(verdicts, real([vector for _, vector, _ in self.made]))]  # fmt: skip
        for others in (sure, said):
            different = [three for three in zip(names, verdicts, others) if three[1] != three[2]]
            assert not different, different
        return list(zip(names, verdicts))


def test_the_vectors_are_accepted():
    assert [ours(vector) for vector in VECTORS.values()] == real(list(VECTORS.values())) == ["accepted"] * len(VECTORS)


def features(vector):
    """What of a circuit and of a run there is in a vector."""
    circuit, statement = vector["circuit"], training.Statement(bytes.fromhex(vector["statement"]))
    values, roles = circuit["values"], [matrix["role"] for matrix in statement.matrices]
    yield f"{statement.steps} steps"
    yield "state from a commitment" if training.STATE_BEFORE in roles else "no state before"
    yield f"{len({matrix['shape']['log_columns'] for matrix in statement.matrices})} groups of matrices that outlive proofs"
    for column in vector["columns"]:
        packed, bits = training.packing(column)
        yield "a label" if packed == 1 else f"data of {bits} bits"
        if packed > 1 and column["dims"][-1] % packed:
            yield f"{bits} bits, a cell that is not full"
    for term in (term for value in values if value["kind"] == "form" for term in value["terms"]):
        kinds = [values[read["value"]]["kind"] for read in term["factors"]]
        hidden = [set(read["axes"]) for read, kind in zip(term["factors"], kinds) if kind != "public"]
        yield f"{len(hidden)} factors"
        for read, kind in zip(term["factors"], kinds):
            if kind == "public":
                yield "mask" if read["axes"] else "rate"
            elif kind == "form":
                yield "form in a form"
            elif read["limb"] is not None:
                yield "limb alone"
            if read["next"]:
                yield "next"
        for window in term["windows"]:
            axes = {window[role] for role in ("out", "kernel", "in")}
            left = axes & set().union(*hidden)
            yield f"window: {len(left)} left, of one factor: {any(left <= own for own in hidden)}"


def test_the_vectors_have_all_that_there_is():
    expected = {f"{n} steps" for n in (1, 2, 3, 5)} | {f"data of {n} bits" for n in (15, 30)} | {"a label"}
    expected |= {f"{n} bits, a cell that is not full" for n in (15, 30)} | {f"{n} factors" for n in (1, 2)}
    expected |= {f"{n} groups of matrices that outlive proofs" for n in (1, 2)} | {"state from a commitment", "no state before"}
    expected |= {f"window: {n} left, of one factor: {one}" for n, one in ((0, True), (1, True), (2, True), (2, False))}
    expected |= {"mask", "rate", "form in a form", "limb alone", "next"}
    assert {feature for vector in VECTORS.values() for feature in features(vector)} == expected


@pytest.mark.parametrize("name, at_least", [("perceptron, 2 steps", 700), ("random 9", 700), ("random 64", 700)])
def test_both_verifiers_judge_every_change_alike(name, at_least, record_property):
    made = Changes(name)
    made.proofs(60)
    made.statements()
    made.publics()
    made.circuits()
    verdicts = made.judged()
    record_property("judged", len(verdicts))
    assert len(verdicts) >= at_least
    # Whoever changes what a proof is about, or a byte of it, changes the verdict.
    assert not [what for what, verdict in verdicts if verdict == "accepted" and what.startswith(("proof", "statement", "row"))]


def test_random_circuits_are_judged_alike():
    made = subprocess.run([changes.JUDGE, "training", "1000", "60"], capture_output=True, text=True, check=True)
    assert [ours(json.loads(line)) for line in made.stdout.splitlines()] == ["accepted"] * 60
