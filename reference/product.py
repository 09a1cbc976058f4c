# SPDX-License-Identifier: Apache-2.0
"""The plan of a term: how a claim about it becomes a sum, and what the sum leaves of its factors. docs/spec/relations.md."""

import sys
from itertools import product as combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import field  # noqa: E402
from circuit import Circuit  # noqa: E402
from layout import Eq, Weights, ones, table, total  # noqa: E402
from masking import ONE, ZERO, scale  # noqa: E402
from opening import log2_ceiling  # noqa: E402

P = field.P
STEP = -1  # as an axis


class Product:
    """coefficient * Sum_S of the factors and the public tables.

    `axes`: those of S, (axis, size, tau or None). `factors`: (read, what becomes of its axes, the step first): each
    ("folded", functional), ("summed", axis, weights or None) or ("coupled", axis, matrix). `tables`: (axes, values, row-major).
    """

    def __init__(self, coefficient: tuple, axes: list, factors: list, tables: list):
        self.coefficient, self.axes, self.factors, self.tables = coefficient, axes, factors, tables
        self.taus = [coordinate for _, size, tau in axes for coordinate in tau or [None] * log2_ceiling(size)]

    def parts(self, point: list) -> dict:
        parts, at = {}, 0
        for axis, size, _ in self.axes:
            parts[axis] = point[at:at + log2_ceiling(size)]
            at += log2_ceiling(size)
        return parts

    def table_at(self, number: int, parts: dict) -> tuple:
        axes, values = self.tables[number]
        sizes = {axis: size for axis, size, _ in self.axes}
        weights = [table(Eq(parts[axis]), sizes[axis]) for axis in axes]
        whole = ZERO
        for value, choice in zip(values, combinations(*weights)):
            for weight in choice:
                value = field.mul(value, weight)
            whole = field.add(whole, value)
        return whole

    def end(self, number: int, parts: dict) -> list:
        """The functionals on a factor that the sum's point leaves."""
        functionals = []
        for fate in self.factors[number][1]:
            if fate[0] == "folded":
                functionals.append(fate[1])
                continue
            at_point = Eq(parts[fate[1]])
            if fate[0] == "summed":
                weights = fate[2]
                functionals.append(at_point if weights is None else Weights(
                    [field.mul(weight, at_point.at(x)) for x, weight in enumerate(weights)]))  # fmt: skip
                continue
            folded = [ZERO] * len(fate[2][0])
            for p, row in enumerate(fate[2]):
                weight = at_point.at(p)
                folded = [field.add(sum_, field.mul(weight, entry)) for sum_, entry in zip(folded, row)]
            functionals.append(Weights(folded))
        return functionals


class Linear:
    """coefficient * <functionals, read>"""

    def __init__(self, coefficient: tuple, read: dict, functionals: list):
        self.coefficient, self.read, self.functionals = coefficient, read, functionals


class TermPlanner:
    """A term under functionals on the step and the form's axes."""

    def __init__(self, circuit: Circuit, steps: int, cells: dict, axes: list, term: dict, functionals: list):
        self.circuit, self.steps, self.cells, self.axes = circuit, steps, cells, axes
        self.omega = dict(zip([STEP, *axes], functionals))
        self.coefficient = (term["coefficient"] % P, 0)
        self.hidden = [read for read in term["factors"] if not circuit.is_public(read["value"])]
        self.publics = [read for read in term["factors"] if circuit.is_public(read["value"])]
        self.windows = term["windows"]
        self.tables, self.kept, self.coupled = [], set(), {}

    def size(self, axis: int) -> int:
        return self.steps if axis == STEP else self.circuit.sizes[axis]

    def have(self, axis: int) -> list:
        """The hidden factors that have an axis."""
        return [read for read in self.hidden if axis in read["axes"]]

    def plan(self):
        for read in self.publics:
            cells = self.cells[read["value"]]
            if read["axes"]:
                self.tables.append(([STEP, *read["axes"]], [(cell % P, 0) for cell in cells]))
            else:
                weights = table(self.omega[STEP], self.steps)
                self.omega[STEP] = Weights([scale(weight, cell % P) for weight, cell in zip(weights, cells)])
        in_windows = {window[role] for window in self.windows for role in ("out", "kernel", "in")}
        for axis in self.axes:
            if not self.have(axis) and axis not in in_windows:
                self._multiply(total(self.omega[axis], self.size(axis)))
        for window in self.windows:
            self._take_window(window)
        if len(self.hidden) == 1 and not self.tables:
            read = self.hidden[0]
            functionals = [self.omega.get(axis) or ones(self.size(axis)) for axis in [STEP, *read["axes"]]]
            return Linear(self.coefficient, read, functionals)
        return self._product()

    def _multiply(self, factor: tuple):
        self.coefficient = field.mul(self.coefficient, factor)

    def _take_window(self, window: dict):
        roles = [window[role] for role in ("out", "kernel", "in")]
        left = [axis for axis in roles if self.have(axis)]
        # Of axes that are the form's as well, its functional goes into what the window leaves.
        weights = {axis: table(self.omega.pop(axis), self.size(axis)) for axis in roles if axis in self.omega}
        values = {}
        for out in range(self.size(window["out"])):
            for kernel in range(self.size(window["kernel"])):
                to = window["stride"] * out + window["dilation"] * kernel + window["offset"]
                if not 0 <= to < self.size(window["in"]):
                    continue
                at = {window["out"]: out, window["kernel"]: kernel, window["in"]: to}
                weight = ONE
                for axis in weights:
                    weight = field.mul(weight, weights[axis][at[axis]])
                cell = tuple(at[axis] for axis in left)
                values[cell] = field.add(values.get(cell, ZERO), weight)
        if not left:
            self._multiply(values.get((), ZERO))
        elif len(left) == 1:
            axis, = left
            self.omega[axis] = Weights([values.get((x,), ZERO) for x in range(self.size(axis))])
        elif any(set(left) <= set(read["axes"]) for read in self.hidden):
            one, other = left
            self.tables.append((left, [values.get((x, y), ZERO) for x in range(self.size(one)) for y in range(self.size(other))]))
        else:
            q = window["kernel"] if window["kernel"] in left else window["in"]
            p, = set(left) - {q}
            matrix = []
            for x in range(self.size(p)):
                cells = [(x, y) if left[0] == p else (y, x) for y in range(self.size(q))]
                matrix.append([values.get(cell, ZERO) for cell in cells])
            self.kept.add(p)
            self.coupled[q] = p, matrix

    def _product(self) -> Product:
        in_tables = {axis for axes, _ in self.tables for axis in axes}
        axes, summed = [], {}
        for axis in [axis for read in self.hidden for axis in read["axes"]] + [STEP]:
            if axis in self.coupled:
                axis = self.coupled[axis][0]
            both = axis == STEP or len(self.have(axis)) == 2
            if axis in summed or not (both or axis in in_tables or axis in self.kept):
                continue
            functional, tau, weights = self.omega.get(axis), None, None
            if isinstance(functional, Eq):
                self._multiply(functional.factor)
                tau = functional.r
            elif functional is not None:
                weights = functional.weights
            axes.append((axis, self.size(axis), tau))
            summed[axis] = weights
        factors, weighed = [], set()
        for read in self.hidden:
            fates = []
            for axis in [STEP, *read["axes"]]:
                if axis in summed:
                    fates.append(("summed", axis, None if axis in weighed else summed[axis]))
                    weighed.add(axis)
                elif axis in self.coupled:
                    fates.append(("coupled", *self.coupled[axis]))
                else:
                    fates.append(("folded", self.omega.get(axis) or ones(self.size(axis))))
            factors.append((read, fates))
        return Product(self.coefficient, axes, factors, self.tables)


def plan_listed(read: dict, functionals: list, sizes: list) -> Product:
    """A number whose weights would list too many blocks, as a product with its weights."""
    axes, fates, tables = [], [("folded", functionals[0])], []
    for axis, functional, size in zip(read["axes"], functionals[1:], sizes):
        if isinstance(functional, Weights):
            axes.append((axis, size, None))
            fates.append(("summed", axis, None))
            tables.append(([axis], functional.weights))
        else:
            fates.append(("folded", functional))
    return Product(ONE, axes, [(read, fates)], tables)
