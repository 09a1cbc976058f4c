# SPDX-License-Identifier: Apache-2.0
"""Where the cells of a circuit lie, functionals on them, and the blocks of claims: docs/spec/relations.md, to its functionals on numbers."""

import sys
from itertools import product as combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import field  # noqa: E402
import lookup  # noqa: E402
from circuit import Circuit  # noqa: E402
from masking import ONE, ZERO, require, scale  # noqa: E402
from opening import eq, log2_ceiling  # noqa: E402

P = field.P
MAX_CELLS, MAX_BLOCKS = 2**32, 2**20
HALF = ((P + 1) // 2, 0)


# --- layout ---------------------------------------------------------------------------------


def pieces_of(size: int) -> list:
    """(begin, log_size)"""
    pieces, begin = [], 0
    for j in reversed(range(size.bit_length())):
        if size >> j & 1:
            pieces.append((begin, j))
            begin += 2**j
    return pieces


class Tensor:
    """`blocks`: dicts of pieces, by axis, log_size and, once placed, offset. The first axis is the highest."""

    def __init__(self, sizes: list):
        self.sizes = sizes
        count = 1
        for size in sizes:
            count *= size.bit_count()
        require(count <= MAX_BLOCKS, "layout", "more than 2^20 blocks")
        self.blocks = [{"pieces": pieces, "log_size": sum(j for _, j in pieces)}
                       for pieces in combinations(*map(pieces_of, sizes))]  # fmt: skip


def place(blocks: list) -> int:
    """Gives every block its offset; returns the number of cells."""
    cells = 0
    for block in sorted(blocks, key=lambda block: -block["log_size"]):
        block["offset"] = cells
        cells += 2 ** block["log_size"]
    require(cells <= MAX_CELLS, "layout", "more than 2^32 cells")
    return cells


class Layout:
    def __init__(self, circuit: Circuit, steps: int):
        self.steps, self.limbs, blocks = steps, {}, []
        for number, value in enumerate(circuit.values):
            if value["kind"] != "number":
                continue
            for limb in range(len(value["limb_bits"])):
                tensor = Tensor([steps + value["state"], *circuit.sizes_of(value["axes"])])
                self.limbs[number, limb] = tensor
                blocks += tensor.blocks
                require(len(blocks) <= MAX_BLOCKS, "layout", "more than 2^20 blocks")
        segments = [{"class": number, "log_size": segment["log_rows"], **segment}
                    for number, table in enumerate(circuit.tables) for segment in table]  # fmt: skip
        self.num_cells = place(blocks + segments)
        for segment in segments:
            segment["multiplicities"] = segment["offset"]
        lookups = []
        for entry in circuit.lookups:
            tensors = [self.limbs[tuple(entry[name])].blocks if entry[name] else None for name in ("v", "c1", "c2")]
            for i, block in enumerate(tensors[0]):
                v, c1, c2 = (blocks[i]["offset"] if blocks else None for blocks in tensors)
                lookups.append({"class": entry["table"], "log_size": block["log_size"], "v": v, "c1": c1, "c2": c2})
        self.lookups = lookup.Plan(segments, lookups)


# --- functionals ----------------------------------------------------------------------------


class Eq:
    """factor * eq(r, x) for x < size."""

    def __init__(self, r: list, factor: tuple = ONE):
        self.r, self.factor = r, factor

    def at(self, x: int) -> tuple:
        return field.mul(self.factor, eq(self.r, x))


class Weights:
    def __init__(self, weights: list):
        self.weights = weights

    def at(self, x: int) -> tuple:
        return self.weights[x]


def ones(size: int) -> Eq:
    k = log2_ceiling(size)
    return Eq([HALF] * k, (2**k, 0))


def table(functional, size: int) -> list:
    return [functional.at(x) for x in range(size)]


def total(functional, size: int) -> tuple:
    """Over all x < size."""
    if isinstance(functional, Eq):
        # A whole piece of eq's cells sums to eq of the coordinates above it.
        parts = [eq(functional.r[j:], begin >> j) for begin, j in pieces_of(size)]
        parts = [field.mul(functional.factor, part) for part in parts]
    else:
        parts = functional.weights
    whole = ZERO
    for part in parts:
        whole = field.add(whole, part)
    return whole


def over_all(functionals: list, sizes: list) -> tuple:
    whole = ONE
    for functional, size in zip(functionals, sizes):
        whole = field.mul(whole, total(functional, size))
    return whole


def _is_listed(functional, piece: tuple, first: int, size: int) -> bool:
    """Of copies, x is `first` further on than the functional's."""
    begin, j = piece
    return isinstance(functional, Weights) or first != 0 or begin + 2**j > size


def _listed(piece: tuple, first: int, size: int) -> list:
    """The cells of a piece that the functional is about."""
    begin, j = piece
    return [x for x in range(begin, begin + 2**j) if first <= x < first + size]


def count_blocks(tensor: Tensor, functionals: list, first: int, steps: int) -> int:
    """How many blocks_of() lists, weights of 0 among them."""
    count = 1
    for axis, functional in enumerate(functionals):
        size, own = (steps, first) if axis == 0 else (tensor.sizes[axis], 0)
        count *= sum(len(_listed(piece, own, size)) if _is_listed(functional, piece, own, size) else 1
                     for piece in pieces_of(tensor.sizes[axis]))  # fmt: skip
    return count


def blocks_of(tensor: Tensor, functionals: list, coefficient: tuple, first: int = 0, steps: int | None = None) -> list:
    """Of a claim: coefficient * <functionals, tensor>. Of the highest axis the functional is about the `steps` from `first` on."""
    made = []
    for block in tensor.blocks:
        options = []
        for axis, (functional, piece) in enumerate(zip(functionals, block["pieces"])):
            begin, j = piece
            size, own = (steps, first) if axis == 0 and steps is not None else (tensor.sizes[axis], 0)
            if not _is_listed(functional, piece, own, size):
                above = eq(functional.r[j:], begin >> j)
                options.append([(field.mul(functional.factor, above), functional.r[:j], None)])
            else:
                options.append([(functional.at(x - own), [(x - begin >> i & 1, 0) for i in range(j)], x - begin)
                                for x in _listed(piece, own, size)])  # fmt: skip
        for choice in combinations(*options):
            weight, point, offset, below = coefficient, [], block["offset"], block["log_size"]
            for factor, coordinates, x in choice:
                weight, below = field.mul(weight, factor), below - len(coordinates)
                if x is not None and not point:
                    offset += x << below
                else:
                    point = [*coordinates, *point]
            if weight != ZERO:
                made.append({"coefficient": weight, "offset": offset, "point": point})
    return made


def number_blocks(circuit: Circuit, layout: Layout, number: int, functionals: list, coefficient: tuple, first: int, steps: int,
                  limb: int | None = None) -> list:  # fmt: skip
    """Of a number without its bias, or of one of its limbs."""
    made, units = [], circuit.units(number)
    for own, unit in enumerate(units):
        if limb in (None, own):
            unit = unit if limb is None else 1
            made += blocks_of(layout.limbs[number, own], functionals, scale(coefficient, unit % P), first, steps)
    return made
