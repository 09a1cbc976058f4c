# SPDX-License-Identifier: Apache-2.0
"""Circuits of docs/spec/circuit.md, from the JSON of tests/vectors/zk_training.json, with all that makes one well formed.

    axes        [name, size]
    tables      list of segments: log_rows, first, c1, c2 (one number, or one for each row)
    values      kind, axes and, of a
      number    limb_bits, bias, state; column, of data
      form      constant, terms: coefficient, factors (value, axes, limb, next), windows (out, kernel, in, stride, dilation, offset)
      public    lo, hi
    lookups     table, v, c1, c2: [number, limb], or null
    zeros       forms
    carried     [number, "weight" or "state"]
    data, publics   numbers of data; publics in the order in which their cells are given
"""

from masking import require

MAX_SIZE = 2**62
MAX_BITS, MAX_LIMB_BITS = 61, 24


def _require(holds: bool, what: str):
    require(holds, "circuit", what)


def _without_nothing(value: dict) -> dict:
    """A value without terms of coefficient 0: they are none."""
    if value["kind"] != "form":
        return value
    return {**value, "terms": [term for term in value["terms"] if term["coefficient"]]}


class Circuit:
    def __init__(self, description: dict):
        self.sizes = [size for _, size in description["axes"]]
        self.tables, self.values = description["tables"], [_without_nothing(value) for value in description["values"]]
        self.lookups, self.zeros = description["lookups"], description["zeros"]
        self.carried, self.data, self.publics = description["carried"], description["data"], description["publics"]
        _require(all(size >= 1 for size in self.sizes), "an axis of size 0")
        self.ranges = []
        for value in self.values:
            self.ranges.append(getattr(self, "_" + value["kind"])(value))
        self._check_lookups()
        for zero in self.zeros:
            _require(self.values[zero]["kind"] == "form", "a zero that is no form")
        for number, _ in self.carried:
            _require(self.is_state(number), "carried, and no state")
        state = [i for i, value in enumerate(self.values) if value["kind"] == "number" and value["state"]]
        _require(sorted(number for number, _ in self.carried) == state, "state that is not carried once")
        data = [i for i, value in enumerate(self.values) if value["kind"] == "number" and value["column"] is not None]
        _require(sorted(self.data) == data, "data that are not in the list of data")
        publics = [i for i, value in enumerate(self.values) if value["kind"] == "public"]
        _require(sorted(self.publics) == publics, "publics that are not in the list of publics")

    def is_state(self, value: int) -> bool:
        return self.values[value]["kind"] == "number" and self.values[value]["state"]

    def is_public(self, value: int) -> bool:
        return self.values[value]["kind"] == "public"

    def sizes_of(self, axes: list) -> list:
        return [self.sizes[axis] for axis in axes]

    def units(self, number: int) -> list:
        """What a limb's 1 is in the number."""
        units = [1]
        for bits in self.values[number]["limb_bits"]:
            units.append(units[-1] << bits)
        return units[:-1]

    # What a value's cells can be.

    def _number(self, value: dict) -> tuple:
        bits = sum(value["limb_bits"])
        _require(1 <= bits <= MAX_BITS and all(1 <= b <= MAX_LIMB_BITS for b in value["limb_bits"]), "a limb's bits")
        return -value["bias"], 2**bits - 1 - value["bias"]

    def _public(self, value: dict) -> tuple:
        return value["lo"], value["hi"]

    def _form(self, form: dict) -> tuple:
        absolute, lo, hi = abs(form["constant"]), form["constant"], form["constant"]
        for term in form["terms"]:
            self._check_reads(term)
            self._check_windows(term)
            low, high, most = 1, 1, abs(term["coefficient"])
            for read in term["factors"]:
                a, b = self._range_of(read)
                corners = [low * a, low * b, high * a, high * b]
                low, high, most = min(corners), max(corners), most * max(abs(a), abs(b))
            for axis in self._summed(form["axes"], term):
                size = self.sizes[axis]
                low, high, most = min(low, 0) * size + max(low, 0), max(high, 0) * size + min(high, 0), most * size
            if term["windows"]:
                low, high = min(low, 0), max(high, 0)
            absolute += most
            ends = sorted((term["coefficient"] * low, term["coefficient"] * high))
            lo, hi = lo + ends[0], hi + ends[1]
        _require(absolute < MAX_SIZE, "Rule Z")
        return lo, hi

    def _range_of(self, read: dict) -> tuple:
        if read["limb"] is None:
            return self.ranges[read["value"]]
        return 0, 2 ** self.values[read["value"]]["limb_bits"][read["limb"]] - 1

    @staticmethod
    def _summed(axes: list, term: dict) -> set:
        """The axes whose sizes say how many products a cell adds up: of a window's three the third follows from two."""
        summed = {axis for read in term["factors"] for axis in read["axes"]}
        for window in term["windows"]:
            summed |= {window["out"], window["kernel"]}
            summed.discard(window["in"])
            if window["in"] in axes:
                summed.discard(window["out"])
        return summed - set(axes)

    def _check_reads(self, term: dict):
        for read in term["factors"]:
            _require(read["value"] < len(self.ranges), "a value that comes later")
            value = self.values[read["value"]]
            _require(self.sizes_of(read["axes"]) == self.sizes_of(value["axes"]), "axes of other sizes")
            _require(len(set(read["axes"])) == len(read["axes"]), "a diagonal")
            _require(not read["next"] or self.is_state(read["value"]), "the next value of what is no state")
            limb = read["limb"]
            _require(limb is None or value["kind"] == "number" and limb < len(value["limb_bits"]), "a limb that there is not")

    def _check_windows(self, term: dict):
        hidden = [set(read["axes"]) for read in term["factors"] if not self.is_public(read["value"])]
        shared = {axis for read in term["factors"] if self.is_public(read["value"]) for axis in read["axes"]}
        _require(len(hidden) in (1, 2), "one or two hidden factors")
        hidden, seen = set().union(*hidden), set()
        for window in term["windows"]:
            axes = {window["out"], window["kernel"], window["in"]}
            _require(len(axes) == 3 and not axes & seen, "an axis in two windows")
            _require(not axes & shared, "a public value along a window")
            _require(len(axes & hidden) <= 2, "a window between three axes of factors")
            _require(window["stride"] >= 1 and window["dilation"] >= 1, "a window without stride or dilation")
            seen |= axes
        _require(shared <= hidden, "a public value along an axis of its own")

    def _check_lookups(self):
        looked_up = set()
        for lookup in self.lookups:
            limbs = [lookup[name] for name in ("v", "c1", "c2") if lookup[name] is not None]
            shapes = [(self.sizes_of(self.values[number]["axes"]), self.is_state(number)) for number, _ in limbs]
            _require(all(shape == shapes[0] for shape in shapes), "a lookup of unequal axes")
            looked_up |= {(number, limb) for number, limb in limbs}
        for i, value in enumerate(self.values):
            if value["kind"] == "number":
                _require(all((i, limb) in looked_up for limb in range(len(value["limb_bits"]))), "a limb in no lookup")
