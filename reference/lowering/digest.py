# SPDX-License-Identifier: Apache-2.0
"""A lowered program without names of axes, and its digest: docs/spec/lowering.md, "Digest"."""

import hashlib
import json

from .step import Lowered


def _term(sizes: list, form: dict, term: dict) -> list:
    numbers = {axis: i for i, axis in enumerate(form["axes"])}

    def number(axis: int) -> int:
        return numbers.setdefault(axis, len(numbers))

    factors = [[read["value"], [number(axis) for axis in read["axes"]], -1 if read["limb"] is None else read["limb"], int(read["next"])]
               for read in term["factors"]]  # fmt: skip
    windows = [[*(number(window[role]) for role in ("out", "kernel", "in")), window["stride"], window["dilation"], window["offset"]]
               for window in term["windows"]]  # fmt: skip
    return [term["coefficient"], [sizes[axis] for axis in list(numbers)[len(form["axes"]):]], factors, windows]


def _value(sizes: list, value: dict) -> list:
    own = [sizes[axis] for axis in value["axes"]]
    if value["kind"] == "number":
        column = -1 if value["column"] is None else value["column"]
        return ["number", own, value["limb_bits"], value["bias"], int(value["state"]), column]
    if value["kind"] == "form":
        return ["form", own, value["constant"], [_term(sizes, value, term) for term in value["terms"]]]
    return ["public", own, value["lo"], value["hi"]]


def plain(lowered: Lowered) -> list:
    circuit = lowered.circuit
    sizes = [size for _, size in circuit["axes"]]
    tables = [[[s["log_rows"], s["first"], s["c1"], s["c2"]] for s in table] for table in circuit["tables"]]
    values = [_value(sizes, value) for value in circuit["values"]]
    lookups = [[lookup["table"], *(part for name in ("v", "c1", "c2") for part in lookup[name] or (-1, -1))]
               for lookup in circuit["lookups"]]  # fmt: skip
    publics = [[value, list(what)] for value, what in zip(circuit["publics"], lowered.publics, strict=True)]
    return [tables, values, lookups, circuit["zeros"], circuit["carried"], circuit["data"], publics]


def digest(lowered: Lowered) -> str:
    return hashlib.sha256(json.dumps(plain(lowered), separators=(",", ":")).encode()).hexdigest()
