# SPDX-License-Identifier: Apache-2.0
"""Statement files of docs/formats/statement.md, with the data card that they hold (docs/formats/data-card.md)."""

import json
import math
import re
import sys
from math import prod
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import commitment  # noqa: E402
import data_card  # noqa: E402
import program  # noqa: E402
import program_text  # noqa: E402
import refresh  # noqa: E402
from blake3 import blake3  # noqa: E402
from lowering.slack import Slack  # noqa: E402
from masking import Rejected, require  # noqa: E402
from objects import DTYPES  # noqa: E402

MAX_BYTES, MAX_CARD_BYTES = 2**24, 2**20
MAX_STEPS = 2**48
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _must(holds: bool, what: str):
    require(holds, "statement file", what)


def real_text(value: float) -> str:
    """The shortest decimal that means a binary64, one digit before the point, with its exponent."""
    digits, _, exponent = repr(value).partition("e")
    whole, _, fraction = digits.partition(".")
    significant = (whole + fraction).lstrip("0")
    if not significant:
        return "0E0"
    place = int(exponent or 0) + (len(whole) - 1 if whole.strip("0") else len(significant) - len(whole + fraction))
    mantissa = significant.rstrip("0")
    return mantissa[0] + ("." + mantissa[1:] if mantissa[1:] else "") + f"E{place}"


class Real(float):
    """Is spelled as real_text() has it."""

    def __repr__(self):
        return real_text(float(self))


def spelled(value) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{spelled(key)}:{spelled(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(spelled, value)) + "]"
    return repr(value) if isinstance(value, Real) else json.dumps(value, ensure_ascii=False)


def to_base58(raw: bytes) -> str:
    number, out = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = ALPHABET[digit] + out
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + out


def from_base58(text: str) -> bytes:
    _must(len(text) <= 44 and all(c in ALPHABET for c in text), "an address that is none")
    number = 0
    for c in text:
        number = 58 * number + ALPHABET.index(c)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


class Members:
    """Of an object; each is taken once, with its type."""

    def __init__(self, value, names: list, optional: tuple = ()):
        _must(isinstance(value, dict), "an object is expected")
        _must(set(value) <= set(names), "an unknown member")
        _must(set(names) - set(optional) <= set(value), "a member is missing")
        self.value = value

    def __contains__(self, name: str) -> bool:
        return name in self.value

    def __getitem__(self, name: str):
        return self.value[name]

    def integer(self, name: str, least: int, most: int) -> int:
        value = self.value[name]
        _must(type(value) is int and least <= value <= most, f"'{name}' is a whole number from {least} to {most}")
        return value

    def text(self, name: str) -> str:
        _must(isinstance(self.value[name], str), f"'{name}' is a text")
        return self.value[name]

    def hash(self, name: str) -> bytes:
        text = self.text(name)
        _must(re.fullmatch("[0-9a-f]{64}", text) is not None, f"'{name}' is 64 hex digits")
        return bytes.fromhex(text)

    def real(self, name: str) -> float:
        value = self.value[name]
        _must(type(value) is float and math.copysign(1, value) > 0 and value < math.inf, f"'{name}' is a number with an exponent")
        return value


def read_json(data: bytes) -> tuple:
    """The text, and what it says."""
    try:
        text = data.decode()
        return text, json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Rejected("statement file", "not JSON") from error


def wallet_of(o: Members) -> bytes:
    raw = from_base58(o.text("wallet"))
    _must(len(raw) == 32, "an address of 32 bytes")
    return raw


def require_format(value):
    _must(isinstance(value, dict) and type(value.get("format")) is int and 0 <= value["format"] < 2**64, "a format is expected")
    require(value["format"] == 1, "version", "another format")


# --- matrices -------------------------------------------------------------------------------


def matrix_of(value, kind: str) -> tuple:
    """(shape, root)"""
    return _matrix(Members(value, ["kappa", "m", "rows", "pads", "root"]), kind)


def _matrix(o: Members, kind: str) -> tuple:
    log_columns, log_n, rows = (o.integer(name, 0, most) for name, most in (("kappa", 22), ("m", 24), ("rows", 2**22)))
    pads = o.integer("pads", 0, 2**log_columns)
    shape = {"log_columns": log_columns, "log_n": log_n, "num_rows": rows, "num_pads": pads, "kind": kind}
    _must(commitment.is_shape(shape), "a matrix of no shape")
    return shape, o.hash("root")


def matrix_json(matrix: tuple) -> dict:
    shape, root = matrix
    numbers = (shape["log_columns"], shape["log_n"], shape["num_rows"], shape["num_pads"])
    return dict(zip(("kappa", "m", "rows", "pads"), numbers)) | {"root": root.hex()}


def end_of(value) -> dict:
    """What holds at one end of a run: weights and, if it is passed on, state."""
    o = Members(value, ["weights", "state"], ("state",))
    return {name: matrix_of(o[name], name) for name in ("weights", "state") if name in o}


# --- the data card --------------------------------------------------------------------------


def column_of(value) -> dict:
    is_label = isinstance(value, dict) and "classes" in value
    o = Members(value, ["name", "dims", "source", *(["classes"] if is_label else ["bits", "scale"])])
    dims = o["dims"]
    _must(isinstance(dims, list) and len(dims) <= 7 and all(type(d) is int and 1 <= d <= 2**36 for d in dims), "dims")
    _must(re.fullmatch(r"[!#-~]{1,200}", o.text("name")) is not None, "a column's name")
    _must(o.text("source") in DTYPES, "no dtype")
    column = {"name": o["name"], "dims": dims, "source": o["source"]}
    if is_label:
        _must(dims == [], "classes have no dims")
        return column | {"classes": o.integer("classes", 2, 2**20)}
    return column | {"bits": o.integer("bits", 2, 30), "scale": o.integer("scale", -60, 60)}


def card_of(value) -> dict:
    """The card as it is spelled, its shape and its root."""
    require_format(value)
    o = Members(value, ["format", "name", "records", "columns", "matrix"])
    _must(re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]{0,99}", o.text("name")) is not None, "a data set's name")
    records = o.integer("records", 1, 2**32)
    _must(isinstance(o["columns"], list) and 1 <= len(o["columns"]) <= 256, "1 to 256 columns")
    columns = [column_of(column) for column in o["columns"]]
    _must(len({column["name"] for column in columns}) == len(columns), "a column's name stands twice")
    blocks = 0
    for column in columns:
        _must(records * prod(column["dims"]) <= 2**36, "more than 2^36 values")
        laid = data_card.laid_out(column)
        packed, dims = data_card.packing(laid)[0], laid["dims"]
        sizes = [records, *dims[:-1], *(-(-d // packed) for d in dims[-1:])]
        blocks += prod(size.bit_count() for size in sizes)
        _must(blocks <= 2**16, "sizes that split into too many blocks")
    m = Members(o["matrix"], ["generation", "kappa", "m", "rows", "pads", "root", "digest"])
    shape, root = _matrix(m, "data")
    _, cells = data_card.tensors_of([data_card.laid_out(column) for column in columns], records)
    _must(shape["num_rows"] == max(1, -(-cells // 2 ** shape["log_columns"])), "a matrix of another number of rows")
    queries = commitment.num_queries(2 ** shape["log_columns"] + shape["num_pads"], 2 ** shape["log_n"])
    _must(0 < queries <= shape["num_pads"], "a matrix that is not made to be opened")
    document = data_card.card(o["name"], records, columns, m.integer("generation", 0, 2**20), shape, root)
    _must(m.hash("digest").hex() == document["matrix"]["digest"], "the digest is not that of shape and root")
    _must(len(spelled(document)) < MAX_CARD_BYTES, "a card of more than 1 MiB")
    return {"document": document, "matrix": (shape, root)}


def card_id(card: dict) -> bytes:
    return blake3((spelled(card["document"]) + "\n").encode())


def reading_of(card: dict) -> bytes:
    """The digest of all that it says but the matrix."""
    return blake3((spelled({name: value for name, value in card["document"].items() if name != "matrix"}) + "\n").encode())


def serves(card: dict, made: dict) -> bool:
    """Are the card's columns the program's? Dims of 1 do not count."""
    columns = card["document"]["columns"]
    if len(columns) != len(made["columns"]):
        return False
    for ours, theirs in zip(columns, made["columns"]):
        wanted = {"name": theirs["name"], "source": ours["source"]}
        if theirs["classes"]:
            wanted |= {"dims": [], "classes": theirs["classes"]}
        else:
            bits, scale = theirs["format"]
            wanted |= {"dims": [d for d in theirs["row"] if d != 1], "bits": bits, "scale": scale}
        if ours | {"dims": [d for d in ours["dims"] if d != 1]} != wanted:
            return False
    return True


# --- the statement --------------------------------------------------------------------------

NAMES = ["format", "program", "program_text", "card", "seed", "wallet", "first_step", "steps", "slack", "before", "after"]


class StatementFile:
    def __init__(self, data: bytes):
        _must(len(data) <= MAX_BYTES, "more than 16 MiB")
        text, document = read_json(data)
        require_format(document)
        o = Members(document, NAMES, ("card", "slack"))
        self.program_hash = o.hash("program")
        try:
            self.program = program_text.parse(o.text("program_text"))
        except program.Refused as refused:
            raise Rejected("program", str(refused)) from refused
        _must(program.program_hash(program.encode(self.program)) == self.program_hash.hex(), "'program' is not the hash of its text")
        self.slack = self._slack(o["slack"]) if "slack" in o else None
        self.card = card_of(o["card"]) if "card" in o else None
        if self.card:
            require(serves(self.card, self.program), "data card", "other columns than the program's")
            self.card_id = card_id(self.card)
        self.seed = o.hash("seed")
        self.wallet = wallet_of(o)
        self.first_step, self.steps = o.integer("first_step", 0, MAX_STEPS), o.integer("steps", 0, MAX_STEPS)
        self.before, self.after = end_of(o["before"]), end_of(o["after"])
        _must(text == self.spelled(), "not as it is written: another order, blanks, a member twice")

    @staticmethod
    def _slack(value) -> Slack:
        o = Members(value, ["tau", "rho", "rho_first", "kappa", "sigma", "beta"])
        return Slack(o.integer("tau", -100, 100), o.real("rho"), o.real("rho_first"), o.integer("kappa", 0, 1000), o.real("sigma"),
                     o.integer("beta", 0, 2**40))  # fmt: skip

    def spelled(self) -> str:
        document = {"format": 1, "program": self.program_hash.hex(), "program_text": program.text(self.program)}
        if self.card:
            document["card"] = self.card["document"]
        document |= {"seed": self.seed.hex(), "wallet": to_base58(self.wallet), "first_step": self.first_step, "steps": self.steps}
        if self.slack:
            s = self.slack
            document["slack"] = {"tau": s.tau, "rho": Real(s.rho), "rho_first": Real(s.rho_first), "kappa": s.kappa,
                                 "sigma": Real(s.sigma), "beta": s.beta}  # fmt: skip
        for name, end in (("before", self.before), ("after", self.after)):
            document[name] = {part: matrix_json(matrix) for part, matrix in end.items()}
        return spelled(document) + "\n"


# --- of refreshed commitments ---------------------------------------------------------------

MAX_REFRESH_BYTES = 2**22
REFRESH_BEGIN = b'{"format":1,"kind":"refresh"'


class RefreshFile:
    """That two commitments hold the same: `of` what, and the two as (shape, root); of data their cards, too."""

    def __init__(self, data: bytes):
        _must(len(data) <= MAX_REFRESH_BYTES, "more than 4 MiB")
        text, document = read_json(data)
        require_format(document)
        o = Members(document, ["format", "kind", "wallet", "of", "before", "after"])
        _must(o.text("kind") == "refresh", "'kind' is refresh")
        self.wallet = wallet_of(o)
        self.of = o.text("of")
        _must(self.of in ("weights", "state", "data"), "'of' is weights, state or data")
        self.cards = [card_of(o[end]) for end in ("before", "after")] if self.of == "data" else None
        if self.cards:
            self.before, self.after = (card["matrix"] for card in self.cards)
        else:
            self.before, self.after = matrix_of(o["before"], self.of), matrix_of(o["after"], self.of)
        _must(text == self.spelled(), "not as it is written: another order, blanks, a member twice")

    def statement(self) -> refresh.Statement:
        """What a proof is of. Raises Rejected for cards that do not read their cells alike."""
        readings = [reading_of(card) for card in self.cards or []]
        require(len(set(readings)) <= 1, "cards", "the cards are of different data")
        return refresh.Statement(self.wallet, [self.before, self.after], *readings[:1])

    def spelled(self) -> str:
        ends = [card["document"] for card in self.cards] if self.cards else [matrix_json(self.before), matrix_json(self.after)]
        return spelled({"format": 1, "kind": "refresh", "wallet": to_base58(self.wallet), "of": self.of, "before": ends[0],
                        "after": ends[1]}) + "\n"  # fmt: skip
