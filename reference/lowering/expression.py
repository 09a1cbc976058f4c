# SPDX-License-Identifier: Apache-2.0
"""A tensor on its way into the circuit, as a sum of products of what is there already: docs/spec/lowering.md, "Expressions"."""

from dataclasses import dataclass, field
from fractions import Fraction

from program import Refused

from . import units
from .builder import Builder


def flat(dims: list) -> list:
    return [axis for axes in dims for axis in axes]


@dataclass
class Piece:
    """unit * the product of the factors, summed over the axes that the expression has not."""

    unit: Fraction | None
    factors: list
    windows: list = field(default_factory=list)

    def axes(self) -> set:
        own = {axis for read in self.factors for axis in read["axes"]}
        return own | {window[role] for window in self.windows for role in ("out", "kernel", "in")}

    def renamed(self, names: dict) -> "Piece":
        factors = [{**read, "axes": [names.get(axis, axis) for axis in read["axes"]]} for read in self.factors]
        windows = [{**window, **{role: names.get(window[role], window[role]) for role in ("out", "kernel", "in")}}
                   for window in self.windows]  # fmt: skip
        return Piece(self.unit, factors, windows)


@dataclass
class Expression:
    """`dims`: of each dim its axes. No axis over which a piece is summed occurs anywhere else."""

    dims: list
    pieces: list = field(default_factory=list)
    constant: Fraction | None = units.ZERO

    def is_constant(self) -> bool:
        return not self.pieces

    def parts(self) -> list:
        own = [piece.unit for piece in self.pieces]
        return own + ([self.constant] if self.constant is None or self.constant else [])

    def with_dims(self, dims: list) -> "Expression":
        return Expression(dims, self.pieces, self.constant)

    def scaled(self, by: Fraction | None) -> "Expression":
        pieces = [Piece(units.times(piece.unit, by), piece.factors, piece.windows) for piece in self.pieces]
        return Expression(self.dims, [] if by is not None and not by else pieces, units.times(self.constant, by))

    def plus(self, other: "Expression") -> "Expression":
        return Expression(self.dims, self.pieces + other.pieces, units.plus(self.constant, other.constant))

    def times(self, read: dict, unit: Fraction | None = units.ONE) -> "Expression":
        """Every piece times one more factor. There is no constant."""
        pieces = [Piece(units.times(piece.unit, unit), [*piece.factors, read], piece.windows) for piece in self.pieces]
        return Expression(self.dims, pieces, self.constant)

    def renamed(self, to: list) -> "Expression":
        """With the axes `to`, as many and of the same sizes as its own."""
        names = dict(zip(flat(self.dims), flat(to), strict=True))
        return Expression(to, [piece.renamed(names) for piece in self.pieces], self.constant)

    # --- as integers ------------------------------------------------------------------------

    def _form(self, by: Fraction | None) -> tuple | None:
        """Terms and constant of `by` times the expression, if all are integers."""
        coefficients = [units.integer(units.times(piece.unit, by)) for piece in self.pieces]
        constant = units.integer(units.times(self.constant, by))
        if constant is None or None in coefficients:
            return None
        terms = [{"coefficient": c, "factors": piece.factors, "windows": piece.windows}
                 for c, piece in zip(coefficients, self.pieces)]  # fmt: skip
        return terms, constant

    def as_integers(self, scale: int) -> tuple | None:
        """Terms, constant and the divisor d of the form that is d 2^scale times the expression."""
        scaled = [units.times(one, units.power(scale)) for one in self.parts()]
        divisor = units.common_divisor(scaled)
        if divisor is None:
            return None
        exponent = max([0] + [-units.split(one)[2] for one in scaled])
        divisor = units.times(Fraction(divisor), units.power(exponent))
        if units.integer(divisor) is None:
            return None
        form = self._form(units.times(divisor, units.power(scale)))
        return form and (*form, int(divisor))

    def as_units(self) -> tuple | None:
        """Terms, constant and the unit of the form that is the expression."""
        unit = units.common_unit(self.parts())
        form = unit and self._form(1 / unit)
        return form and (*form, unit)


def read_of(read: dict, unit: Fraction | None, dims: list) -> Expression:
    return Expression(dims, [Piece(unit, [read])])


class Axes:
    """What expressions do with axes. An axis is a name: where one is needed that nothing else has, a new one is made."""

    def __init__(self, builder: Builder):
        self.builder = builder

    def make(self, sizes: list) -> list:
        return [self.builder.axis(size) for size in sizes]

    def like(self, axes: list, used: set) -> list:
        """These, but new ones where they are used; all of them are used then."""
        made = [self.builder.axis(self.builder.size(axis)) if axis in used else axis for axis in axes]
        used.update(made)
        return made

    def of_dim(self, size: int) -> list:
        """None for a dim of size 1."""
        return [] if size == 1 else self.make([size])

    def or_1(self, axes: list) -> int:
        """The one axis, or one of size 1 in its place: what a window needs."""
        return axes[0] if axes else self.builder.axis(1)

    def closed(self, e: Expression) -> Expression:
        """With new axes in place of all that are summed over."""
        own = set(flat(e.dims))
        pieces = []
        for piece in e.pieces:
            gone = sorted(piece.axes() - own)
            pieces.append(piece.renamed(dict(zip(gone, self.make([self.builder.size(axis) for axis in gone])))))
        return Expression(e.dims, pieces, e.constant)

    def sum_over(self, e: Expression, axes: list) -> Expression:
        """Over `axes`, which go from its dims. What does not vary along one is multiplied by its size."""
        for axis in axes:
            size = Fraction(self.builder.size(axis))
            pieces = [piece if axis in piece.axes() else Piece(units.times(piece.unit, size), piece.factors, piece.windows)
                      for piece in e.pieces]  # fmt: skip
            e = Expression(e.dims, pieces, units.times(e.constant, size))
        return self.closed(e.with_dims([[axis for axis in dim if axis not in axes] for dim in e.dims]))

    def align(self, a: Expression, b: Expression, rank: int) -> tuple:
        """Both with the axes of their broadcast to `rank` dims."""
        dims_a, dims_b = ([[]] * (rank - len(e.dims)) + e.dims for e in (a, b))
        used = set(flat(dims_a))
        whole, to_b = list(dims_a), list(dims_b)
        for dim in range(rank):
            if not dims_b[dim]:
                continue
            to_b[dim] = dims_a[dim] or self.like(dims_b[dim], used)
            whole[dim] = to_b[dim]
        return a.with_dims(whole), b.renamed(to_b).with_dims(whole)


def integers(e: Expression, scale: int, what: str = "factors of more than 62 bits in one unit") -> tuple:
    made = e.as_integers(scale)
    if made is None:
        raise Refused(what)
    return made
