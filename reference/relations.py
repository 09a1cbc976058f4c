# SPDX-License-Identifier: Apache-2.0
"""How a circuit's zeros become claims on committed cells: the verifier's side of docs/spec/relations.md."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import field  # noqa: E402
from circuit import Circuit  # noqa: E402
from layout import Eq, Layout, Weights, count_blocks, number_blocks, over_all  # noqa: E402
from masking import ONE, ZERO, Masked, scale  # noqa: E402
from opening import log2_ceiling  # noqa: E402
from product import Linear, Product, TermPlanner, plan_listed  # noqa: E402

P = field.P
MAX_LISTED = 2048


def interpolate(at: list, x: tuple) -> Masked:
    """The value at x of a polynomial that is `at` at 0, 1, ..."""
    value = Masked(ZERO)
    for i, sent in enumerate(at):
        weight = ONE
        for j in range(len(at)):
            if j != i:
                weight = field.mul(weight, field.mul(field.sub(x, (j, 0)), (pow(i - j, -1, P), 0)))
        value += sent * weight
    return value


def show_sum(verifier, value: Masked, taus: list, degree: int) -> tuple:
    """The rounds of a sum; returns its point and what is left to be shown there."""
    point = []
    for tau in taus:
        h = verifier.receive("sumcheck-message", degree + 1)
        if tau is None:
            verifier.require_zero(h[0] + h[1] - value)
        else:
            verifier.require_zero(h[0] * field.sub(ONE, tau) + h[1] * tau - value)
        point.append(verifier.transcript.draw("sumcheck-challenge"))
        value = interpolate(h, point[-1])
    return point, value


def draw_point(transcript, size: int) -> list:
    return [transcript.draw("point") for _ in range(log2_ceiling(size))]


class Relations:
    """`publics`: by value, the cells of all steps."""

    def __init__(self, circuit: Circuit, layout: Layout, publics: dict, verifier):
        self.circuit, self.layout, self.publics, self.verifier = circuit, layout, publics, verifier
        self.claims = []

    def show_zeros(self) -> list:
        for zero in self.circuit.zeros:
            axes = self.circuit.values[zero]["axes"]
            functionals = [Eq(draw_point(self.verifier.transcript, size)) for size in self._sizes(axes)]
            self._show({"value": zero, "axes": axes, "limb": None, "next": False}, functionals, Masked(ZERO))
        return self.claims

    def _sizes(self, axes: list) -> list:
        return [self.layout.steps, *self.circuit.sizes_of(axes)]

    def _show(self, read: dict, functionals: list, value: Masked):
        self.blocks, self.constant, self.products = [], ZERO, []
        self._take(read, functionals, ONE)
        blocks, products = self.blocks, self.products
        left = value - Masked(self.constant)
        if len(products) == 1 and not blocks and products[0].coefficient != ZERO:
            values = [left * field.inverse(products[0].coefficient)]
        else:
            values = [self.verifier.receive("claim-value", 1)[0] for _ in products]
            for product, product_value in zip(products, values):
                left -= product_value * product.coefficient
            if blocks:
                self.claims.append({"matrix": 0, "blocks": blocks, "value": left})
            else:
                self.verifier.require_zero(left)
        for product, product_value in zip(products, values):
            self._show_product(product, product_value)

    def _take(self, read: dict, functionals: list, coefficient: tuple):
        value = self.circuit.values[read["value"]]
        if value["kind"] == "number":
            self._take_number(read, functionals, coefficient)
            return
        self._add_constant(field.mul(scale(coefficient, value["constant"] % P), over_all(functionals, self._sizes(value["axes"]))))
        for term in value["terms"]:
            plan = TermPlanner(self.circuit, self.layout.steps, self.publics, value["axes"], term, functionals).plan()
            plan.coefficient = field.mul(coefficient, plan.coefficient)
            if isinstance(plan, Linear):
                self._take(plan.read, plan.functionals, plan.coefficient)
            else:
                self.products.append(plan)

    def _take_number(self, read: dict, functionals: list, coefficient: tuple):
        number, limb, first, steps = read["value"], read["limb"], int(read["next"]), self.layout.steps
        tensor = self.layout.limbs[number, limb or 0]
        weighed = any(isinstance(functional, Weights) for functional in functionals[1:])
        if weighed and count_blocks(tensor, functionals, first, steps) > MAX_LISTED:
            plan = plan_listed(read, functionals, tensor.sizes[1:])
            plan.coefficient = coefficient
            self.products.append(plan)
            return
        self.blocks += number_blocks(self.circuit, self.layout, number, functionals, coefficient, first, steps, limb)
        if limb is None:
            bias = scale(over_all(functionals, self._sizes(self.circuit.values[number]["axes"])),
                         -self.circuit.values[number]["bias"] % P)  # fmt: skip
            self._add_constant(field.mul(coefficient, bias))

    def _add_constant(self, more: tuple):
        self.constant = field.add(self.constant, more)

    def _show_product(self, plan: Product, value: Masked):
        point, left = show_sum(self.verifier, value, plan.taus, len(plan.factors) + len(plan.tables))
        if len(plan.factors) == 2:
            *values, shown = self.verifier.receive_product("claim-value")
        else:
            values = self.verifier.receive("claim-value", 1)
            shown = values[0]
        parts = plan.parts(point)
        for number in range(len(plan.tables)):
            shown *= plan.table_at(number, parts)
        self.verifier.require_zero(shown - left)
        for number, factor_value in enumerate(values):
            self._show(plan.factors[number][0], plan.end(number, parts), factor_value)
