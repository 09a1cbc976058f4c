# SPDX-License-Identifier: Apache-2.0
"""A program from its text: docs/spec/program.md, "Text". Of a program's text there is one that program.text() gives."""

import re
from fractions import Fraction
from math import gcd, lcm

from program import CLIPS, MAX_BYTES, MAX_TERM, OPERATORS, OPTIMISERS, PROFILE, check, require

TOKENS = re.compile(r"""[ \t\r]*(?:(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|"(?P<quoted>[^"\n]*)"|(?P<number>-?[0-9]+(?:[./][0-9]+)?)"""
                    r"""|(?P<mark>[][(),=]))""")  # fmt: skip
SECTIONS = ["batch", "columns", "param", "buffer", "nodes", "loss", "optimiser", "schedule", "clip", "profile"]
REPEATED = {"columns", "param", "buffer", "nodes", "profile"}


def call_of(table: dict, name: str) -> tuple:
    """(code, attributes as they are where nothing is said)"""
    code = next((code for code, signature in table.items() if signature[0] == name), None)
    require(code is not None, "no such call")
    return code, [list(otherwise) if isinstance(otherwise, list) else otherwise for _, _, _, otherwise in table[code][3]]


class Line:
    """The tokens of a statement: (kind, text)."""

    def __init__(self, text: str):
        self.tokens, at = [], 0
        while at < len(text.rstrip(" \t\r")):
            found = TOKENS.match(text, at)
            require(found, "no token")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self.tokens.append(("end", ""))

    def next(self, *kinds: str) -> str:
        kind, text = self.tokens[0]
        require(kind in kinds, f"{' or '.join(kinds)} is expected")
        self.tokens.pop(0)
        return text

    def is_next(self, kind: str, text: str | None = None) -> bool:
        return self.tokens[0][0] == kind and text in (None, self.tokens[0][1])

    def accept(self, kind: str, text: str) -> bool:
        found = self.is_next(kind, text)
        if found:
            self.tokens.pop(0)
        return found

    def expect(self, kind: str, text: str):
        require(self.accept(kind, text), f"'{text}' is expected")

    def name(self) -> str:
        return self.next("word", "quoted")

    def fraction(self) -> Fraction:
        text = self.next("number")
        require(all(len(digits) <= 19 for digits in re.findall("[0-9]+", text.replace(".", ""))), "too many digits")
        require(not re.search(r"/0+$", text), "a denominator of 0")
        value = Fraction(text)
        require(abs(value.numerator) <= MAX_TERM and value.denominator <= MAX_TERM, "a fraction of more than 62 bits")
        return value

    def integer(self, least: int, most: int) -> int:
        text = self.next("number")
        require(re.fullmatch("-?[0-9]{1,19}", text) and least <= int(text) <= most, "an integer is expected")
        return int(text)

    def items(self) -> list:
        self.expect("mark", "[")
        values = []
        while not self.accept("mark", "]"):
            if values:
                self.expect("mark", ",")
            require(len(values) < 8, "the list is too long")
            values.append(self.integer(-MAX_TERM, MAX_TERM))
        return values

    def dims(self) -> list:
        values = self.items()
        require(all(value >= 1 for value in values), "dims")
        return values

    def format(self, has_scale: bool) -> list:
        return [self.integer(1, 64), self.integer(-60, 60) if has_scale else 0]

    def attribute(self, kind: str, words: list | None):
        if kind == "integer":
            return self.integer(-MAX_TERM, MAX_TERM)
        if kind == "list":
            return self.items()
        if kind == "fraction":
            value = self.fraction()
            return [value.numerator, value.denominator]
        word = self.next("word")
        require(word in words, "no such word")
        return words.index(word)

    def call(self, table: dict, ids: dict) -> tuple:
        """(call, inputs)"""
        code, attributes = call_of(table, self.name())
        signature, inputs, given = table[code], [], set()
        names = [name for name, _, _, _ in signature[3]]
        self.expect("mark", "(")
        first = True
        while not self.accept("mark", ")"):
            if not first:
                self.expect("mark", ",")
            first = False
            name = self.name()
            if self.accept("mark", "="):
                require(name in names and name not in given, "no such attribute, or given twice")
                given.add(name)
                place = names.index(name)
                attributes[place] = self.attribute(*signature[3][place][1:3])
            else:
                require(not given and name in ids and len(inputs) < signature[2], "an input is not expected here")
                inputs.append(ids[name])
        return {"code": code, "attributes": attributes}, inputs


class Parser:
    def __init__(self):
        self.program = {"batch": 1, "columns": [], "parameters": [], "buffers": [], "nodes": [], "loss": 0,
                        "clip": {"code": 0, "attributes": []},
                        "profile": [[bits, scale or 0] for _, bits, scale, _, _ in PROFILE]}  # fmt: skip
        self.ids, self.section, self.seen = {}, -1, set()

    def statement(self, line: Line):
        quoted = line.is_next("quoted")
        word = line.name()
        if line.accept("mark", "="):
            self._enter("nodes")
            call, inputs = line.call(OPERATORS, self.ids)
            self._define("nodes", {"name": word, "op": call, "inputs": inputs, "activation": None, "gradient": None})
        else:
            statement = getattr(self, "_" + word, None) if word in STATEMENTS else None
            require(statement and not quoted, "this begins no statement")
            self._enter("columns" if word in ("data", "label") else word)
            statement(line)
        line.next("end")

    def _enter(self, section: str):
        place = SECTIONS.index(section)
        require(place > self.section or place == self.section and section in REPEATED, "out of order, or twice")
        self.section = place
        self.seen.add(section)

    def _define(self, group: str, value: dict):
        require(value["name"] not in self.ids and len(self.ids) < 2**14, "defined twice, or too many values")
        self.ids[value["name"]] = len(self.ids)
        self.program[group].append(value)

    def _batch(self, line: Line):
        self.program["batch"] = line.integer(1, 2**24)

    def _data(self, line: Line):
        name, row = line.name(), line.dims()
        line.expect("word", "bits")
        bits = line.integer(1, 64)
        line.expect("word", "scale")
        self._define("columns", {"name": name, "classes": 0, "row": row, "format": [bits, line.integer(-60, 60)]})

    def _label(self, line: Line):
        name = line.name()
        line.expect("word", "classes")
        self._define("columns", {"name": name, "classes": line.integer(2, 2**20)})

    def _param(self, line: Line):
        made = {"name": line.name(), "dims": line.dims(), "scale": 0, "decay": True}
        if line.accept("word", "scale"):
            made["scale"] = line.integer(-60, 60)
        if line.accept("word", "decay"):
            made["decay"] = line.is_next("word", "yes")
            require(line.next("word") in ("yes", "no"), "yes or no")
        self._define("parameters", made)

    def _buffer(self, line: Line):
        self._define("buffers", {"name": line.name(), "dims": line.dims()})

    def _loss(self, line: Line):
        name = line.name()
        require(name in self.ids, "no such value")
        self.program["loss"] = self.ids[name]

    def _optimiser(self, line: Line):
        self.program["optimiser"] = line.call(OPTIMISERS, {})[0]

    def _clip(self, line: Line):
        self.program["clip"] = line.call(CLIPS, {})[0]

    def _schedule(self, line: Line):
        rates = []
        while True:
            rate, more = line.fraction(), line.accept("word", "x")
            rates.append((line.integer(1, 2**40) if more else 0, rate))
            if not more:
                break
            line.expect("mark", ",")
        denominator, pieces = lcm(*(rate.denominator for _, rate in rates)), []
        for steps, rate in rates:
            numerator = int(rate * denominator)
            if pieces and pieces[-1][1] == numerator:
                pieces[-1][0] = steps and pieces[-1][0] + steps
            else:
                pieces.append([steps, numerator])
        require(max(denominator, *(n for _, n in pieces)) <= MAX_TERM, "no common denominator")
        require(gcd(denominator, *(n for _, n in pieces)) == 1, "not reduced")
        self.program["schedule"] = {"denominator": denominator, "pieces": pieces}

    def _profile(self, line: Line):
        name, p = line.name(), self.program
        if line.is_next("number"):
            place = next((i for i, (own, *_) in enumerate(PROFILE) if own == name), None)
            require(place is not None and ("line", place) not in self.seen, "no such line, or given twice")
            self.seen.add(("line", place))
            p["profile"][place] = line.format(PROFILE[place][2] is not None)
            return
        number = self.ids.get(name, -1) - len(self.ids) + len(p["nodes"])
        require(number >= 0, "no such node")
        what = line.name()
        require(what in ("activation", "gradient") and p["nodes"][number][what] is None, "no such format, or given twice")
        p["nodes"][number][what] = line.format(True)


STATEMENTS = {"batch", "data", "label", "param", "buffer", "loss", "optimiser", "clip", "schedule", "profile"}


def parse(source: str) -> dict:
    require(len(source) <= MAX_BYTES and source.isascii(), "too long, or no text")
    lines = [Line(re.sub('^((?:[^"#\n]|"[^"\n]*")*)#.*$', r"\1", line)) for line in source.split("\n")]
    lines = [line for line in lines if len(line.tokens) > 1]
    require(lines and lines[0].tokens == [("word", "flair"), ("word", "program"), ("number", "1"), ("end", "")], "no program")
    parser = Parser()
    for line in lines[1:]:
        parser.statement(line)
    require({"batch", "loss", "optimiser", "schedule"} <= parser.seen, "something is missing")
    check(parser.program)
    return parser.program
