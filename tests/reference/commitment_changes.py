# SPDX-License-Identifier: Apache-2.0
"""Changed copies of vectors that have a wallet, commitments and a proof's bytes, and both verifiers' verdicts on them."""
import copy
import random

import changes

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


class Changes:
    """Of the vector of a name, (what, vector)."""

    def __init__(self, name, vectors):
        self.honest, self.made, self.random = vectors[name], [], random.Random(name)
        self.others = [vector for vector in vectors.values() if vector is not self.honest]

    def statement_of(self, vector):
        raise NotImplementedError

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

    def judged(self, judge, real):
        """The verdict of both, by the reference's `judge` of one vector and the `real` one of a list; no change is accepted."""
        names, vectors = zip(*self.made)
        verdicts = [changes.REFUSED.get(verdict, verdict) for verdict in map(judge, vectors)]
        different = [three for three in zip(names, verdicts, real(vectors)) if three[1] != three[2]]
        assert not different, different
        accepted = {what for what, verdict in zip(names, verdicts) if verdict == "accepted"}
        # Who asks for less work gets more of it, now and then.
        assert accepted <= {f"{bits} bits of work" for bits in (0, 2, 4)}, accepted
        return verdicts
