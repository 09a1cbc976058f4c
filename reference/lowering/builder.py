# SPDX-License-Identifier: Apache-2.0
"""A circuit as reference/circuit.py reads it, value by value: docs/spec/lowering.md, "Numbers" and "Gadgets"."""

from dataclasses import dataclass, replace

from program import Refused

MAX_SIZE = 2**62
MAX_BITS, MAX_LIMB_BITS = 61, 24


@dataclass
class Width:
    bits: int
    bias: int
    limb_bits: int
    cut: int = 0  # limbs end at this bit

    @property
    def hi(self) -> int:
        return 2**self.bits - 1 - self.bias


def signed(bits: int, limb_bits: int, cut: int = 0) -> Width:
    return Width(bits, 2 ** (bits - 1) if bits >= 1 else 0, limb_bits, cut)


def signable(bits: int, limb_bits: int) -> Width:
    """The highest limb's upper half says that the value is positive."""
    return Width(bits, 2 ** (bits - 1) - 1 if bits >= 1 else 0, limb_bits)


def unsigned(bits: int, limb_bits: int, cut: int = 0) -> Width:
    return Width(bits, 0, limb_bits, cut)


def term(coefficient: int, *factors: dict, windows: list | None = None) -> dict:
    return {"coefficient": coefficient, "factors": list(factors), "windows": list(windows or [])}


def segment(log_rows: int, first: int, c1=0, c2=0) -> dict:
    return {"log_rows": log_rows, "first": first, "c1": c1, "c2": c2}


class Builder:
    def __init__(self):
        self.axes, self.values, self.ranges, self.tables, self.lookups = [], [], [], [], []
        self.zeros, self.carried, self.data, self.publics = [], [], [], []
        self.made_tables = {}

    def description(self) -> dict:
        return {name: getattr(self, name) for name in ("axes", "tables", "values", "lookups", "zeros", "carried", "data", "publics")}

    # --- axes and reads ---------------------------------------------------------------------

    def axis(self, size: int) -> int:
        self.axes.append(["", size])
        return len(self.axes) - 1

    def size(self, axis: int) -> int:
        return self.axes[axis][1]

    def axes_of(self, value: int) -> list:
        return self.values[value]["axes"]

    def at(self, value: int, limb: int | None = None, after: bool = False) -> dict:
        return self.along(value, self.axes_of(value), limb, after)

    def along(self, value: int, axes: list, limb: int | None = None, after: bool = False) -> dict:
        return {"value": value, "axes": list(axes), "limb": limb, "next": after}

    def limbs(self, number: int) -> list:
        """Of each the bits below, and its own."""
        made, below = [], 0
        for bits in self.values[number]["limb_bits"]:
            made.append((below, bits))
            below += bits
        return made

    # --- values -----------------------------------------------------------------------------

    def _add(self, value: dict, lo: int, hi: int) -> int:
        self.values.append(value)
        self.ranges.append((lo, hi))
        return len(self.values) - 1

    def public(self, axes: list, lo: int, hi: int) -> int:
        made = self._add({"kind": "public", "axes": list(axes), "lo": lo, "hi": hi}, lo, hi)
        self.publics.append(made)
        return made

    def form(self, axes: list, terms: list, constant: int = 0) -> int:
        terms = [one for one in terms if one["coefficient"]]
        for one in terms:
            hidden = sum(self.values[read["value"]]["kind"] != "public" for read in one["factors"])
            if not 1 <= hidden <= 2:
                raise Refused("a term of another number of hidden factors than one or two")
        extent = self.extent(axes, terms, constant)
        if extent is None:
            raise Refused("Rule Z")
        return self._add({"kind": "form", "axes": list(axes), "constant": constant, "terms": terms}, *extent)

    def number(self, axes: list, width: Width, looked_up: bool = True, state: bool = False, column: int | None = None) -> int:
        if not (1 <= width.bits <= MAX_BITS and 1 <= width.limb_bits <= MAX_LIMB_BITS):
            raise Refused("a number has 1 to 61 bits, a limb 1 to 24")
        limb_bits, at = [], 0
        while at < width.bits:
            end = min(width.cut, width.bits) if at < width.cut else width.bits
            limb_bits.append(min(end - at, width.limb_bits))
            at += limb_bits[-1]
        value = {"kind": "number", "axes": list(axes), "limb_bits": limb_bits, "bias": width.bias, "state": state, "column": column}
        made = self._add(value, -width.bias, width.hi)
        if looked_up:
            for limb, bits in enumerate(limb_bits):
                self.look_up(self.range(bits), (made, limb))
        return made

    def state(self, axes: list, width: Width, role: str) -> int:
        made = self.number(axes, width, state=True)
        self.carried.append([made, role])
        return made

    def column(self, axes: list, width: Width, column: int) -> int:
        made = self.number(axes, width, column=column)
        self.data.append(made)
        return made

    def zero(self, form: int):
        self.zeros.append(form)

    def extent(self, axes: list, terms: list, constant: int) -> tuple | None:
        """What a form's cells can be; None: they can pass Rule Z."""
        absolute, lo, hi = abs(constant), constant, constant
        for one in terms:
            low, high, most = 1, 1, abs(one["coefficient"])
            summed = set()
            for read in one["factors"]:
                summed |= set(read["axes"])
                a, b = self.ranges[read["value"]]
                if read["limb"] is not None:
                    a, b = 0, 2 ** self.values[read["value"]]["limb_bits"][read["limb"]] - 1
                corners = [low * a, low * b, high * a, high * b]
                low, high, most = min(corners), max(corners), most * max(abs(a), abs(b))
                if most >= MAX_SIZE:
                    return None
            for window in one["windows"]:
                summed = (summed | {window["out"], window["kernel"]}) - {window["in"]}
            summed -= {window["out"] for window in one["windows"] if window["in"] in axes}
            for axis in summed - set(axes):
                low, high, most = (bound * self.size(axis) for bound in (low, high, most))
            if one["windows"]:
                low, high = min(low, 0), max(high, 0)
            absolute += most
            if absolute >= MAX_SIZE:
                return None
            ends = sorted((one["coefficient"] * low, one["coefficient"] * high))
            lo, hi = lo + ends[0], hi + ends[1]
        return (lo, hi) if absolute < MAX_SIZE else None

    # --- tables -----------------------------------------------------------------------------

    def table(self, name, segments: list) -> int:
        """Made once for each name."""
        if name not in self.made_tables:
            self.tables.append(segments)
            self.made_tables[name] = len(self.tables) - 1
        return self.made_tables[name]

    def range(self, bits: int) -> int:
        return self.table(("range", bits), [segment(bits, 0)])

    def sign(self, bits: int) -> int:
        return self.table(("sign", bits), [segment(bits - 1, 0), segment(bits - 1, 2 ** (bits - 1), 1)])

    def tied_sign(self, bits: int) -> int:
        half = 2 ** (bits - 1)
        return self.table(("tied sign", bits), [segment(bits - 1, 0), segment(bits - 1, half, 1),
                                                segment(0, half, 0, 1), segment(0, half - 1, 1, 1)])  # fmt: skip

    def chosen(self, bits: int) -> int:
        return self.table(("chosen", bits), [segment(bits, 0), segment(0, 0, 1)])

    def tied_choice(self, bits: int) -> int:
        powers = [segment(log, 2**log) for log in range(bits)]
        return self.table(("tied choice", bits), [*powers, segment(0, 1, 1), segment(0, 0, 0, 1)])

    def look_up(self, table: int, v: tuple, c1: tuple | None = None, c2: tuple | None = None):
        self.lookups.append({"table": table, "v": list(v), "c1": c1 and list(c1), "c2": c2 and list(c2)})

    # --- division and signs -----------------------------------------------------------------

    def divide(self, x: int, divisor: int, width: Width) -> int:
        made = self.number(self.axes_of(x), width)
        self._tie_quotient(x, divisor, self.at(made), width.limb_bits)
        return made

    def divide_into(self, state: int, x: int, divisor: int):
        """The next value of a state."""
        self._tie_quotient(x, divisor, self.at(state, after=True), max(self.values[state]["limb_bits"]))

    def divide_signed(self, x: int, divisor: int, width: Width, zone: int = 0) -> tuple:
        made = self.signed(self.axes_of(x), width, zone)
        self._tie_quotient(x, divisor, self.at(made[0]), width.limb_bits)
        return made

    def remainder(self, x: int, divisor: int, limb_bits: int) -> int | None:
        """Of a division that has an identity of its own; None where the divisor is 1."""
        if divisor == 1:
            return None
        axes, width = self.axes_of(x), unsigned((divisor - 1).bit_length(), limb_bits)
        made = self.number(axes, width)
        if divisor & divisor - 1:
            self.divide(self.form(axes, [term(-1, self.at(made))], divisor - 1), 1, width)
        return made

    def _tie_quotient(self, x: int, divisor: int, quotient: dict, limb_bits: int):
        axes, terms = self.axes_of(x), [term(divisor, quotient), term(-1, self.at(x))]
        remainder = self.remainder(x, divisor, limb_bits)
        if remainder is not None:
            terms.append(term(1, self.at(remainder)))
        self.zero(self.form(axes, terms, -(divisor // 2)))

    def signed(self, axes: list, width: Width, zone: int = 0) -> tuple:
        """A number, its sign and, with a zone, where another may stand: (value, positive, deviation or None)."""
        if zone:
            width = replace(width, cut=zone)
        made = self.number(axes, width, looked_up=False)
        limb_bits = self.values[made]["limb_bits"]
        top = len(limb_bits) - 1
        for limb in range(top):
            self.look_up(self.range(limb_bits[limb]), (made, limb))
        if not zone:
            positive = self.bit(axes)
            self.look_up(self.sign(limb_bits[top]), (made, top), (positive, 0))
            return made, positive, None
        self.require_one_limb_above(made, zone)
        positive, deviation = self.bit(axes), self.bit(axes)
        self.look_up(self.tied_sign(limb_bits[top]), (made, top), (positive, 0), (deviation, 0))
        return made, positive, deviation

    def bit(self, axes: list) -> int:
        """A companion of one bit."""
        return self.number(axes, unsigned(1, 1), looked_up=False)

    def require_one_limb_above(self, number: int, zone: int):
        if sum(self.values[number]["limb_bits"][:-1]) != zone:
            raise Refused("a tie zone that leaves more than one limb above it")
