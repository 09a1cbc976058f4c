# SPDX-License-Identifier: Apache-2.0
"""Masked values and the proof of constraints between their pads, as docs/spec/masking.md has them: the verifier's side."""

import sys
from functools import lru_cache
from itertools import accumulate, repeat
from operator import mul
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import field  # noqa: E402

P = field.P
ZERO, ONE, PHI = (0, 0), (1, 0), (0, 1)


class Rejected(Exception):
    """`check` names what failed."""

    def __init__(self, check: str, what: str):
        super().__init__(f"{check}: {what}")
        self.check = check


def require(holds: bool, check: str, what: str):
    if not holds:
        raise Rejected(check, what)


def scale(x: tuple, factor: int) -> tuple:
    return x[0] * factor % P, x[1] * factor % P


class Masked:
    """What is known of a value, and the coefficient of each pad, by place."""

    def __init__(self, known: tuple, pads: dict | None = None):
        self.known, self.pads = known, dict(pads or {})

    def __add__(self, other: "Masked") -> "Masked":
        pads = dict(self.pads)
        for place, coefficient in other.pads.items():
            pads[place] = field.add(pads.get(place, ZERO), coefficient)
        return Masked(field.add(self.known, other.known), pads)

    def __mul__(self, factor: tuple) -> "Masked":
        return Masked(field.mul(self.known, factor), {place: field.mul(a, factor) for place, a in self.pads.items()})

    def __sub__(self, other: "Masked") -> "Masked":
        return self + other * (P - 1, 0)


class MaskShape:
    def __init__(self, num_columns: int, h: int, num_pads: int, num_triples: int):
        self.width = min(1024, num_columns // 4)
        if self.width < 1 or 2 * self.width + 2 * h > num_columns + h:
            raise ValueError("no room for mask rows")
        self.num_pads, self.num_triples = num_pads, num_triples
        self.linear_rows, self.triple_rows = -(-num_pads // self.width), -(-num_triples // self.width)
        self.pad_rows = self.linear_rows + 3 * self.triple_rows
        self.num_rows = self.pad_rows + 3
        self.lengths = {"low_degree": self.width + h, "linear": 2 * self.width + h, "quadratic": self.width + 2 * h}

    def triple(self, number: int) -> list:
        """The places of its x, y and z."""
        return [self.width * (self.linear_rows + part * self.triple_rows) + number for part in range(3)]


def product(shape: MaskShape, number: int, a_sent: tuple, b_sent: tuple) -> tuple:
    """A, B and AB, masked by a triple's pads."""
    x, y, z = shape.triple(number)
    known = field.mul(a_sent, b_sent)
    return Masked(a_sent, {x: ONE}), Masked(b_sent, {y: ONE}), Masked(known, {y: a_sent, x: b_sent, z: ONE})


def quadratic(at: list, x: tuple) -> Masked:
    """The value at x of a polynomial that is `at` at 0, 1 and 2."""
    value = Masked(ZERO)
    for i in range(3):
        weight = ONE
        for j in {0, 1, 2} - {i}:
            weight = field.mul(weight, field.mul(field.sub(x, (j, 0)), (pow((i - j) % P, P - 2, P), 0)))
        value += at[i] * weight
    return value


@lru_cache(maxsize=8)
def powers(x: int, count: int) -> list:
    return list(accumulate(repeat(x, count - 1), lambda power, x: power * x % P, initial=1))


def at(polynomial: list, x: int) -> tuple:
    # Both parts by themselves: x is in F.
    low, high = (sum(map(mul, part, powers(x, len(polynomial)))) % P for part in zip(*polynomial))
    return low, high


class MaskCheck:
    """`zeros`: the masked values that must be 0, in the order stated."""

    def __init__(self, shape: MaskShape, zeros: list, mu: tuple, gammas: list, triple_gammas: list):
        self.shape, self.gammas, self.triple_gammas = shape, gammas, triple_gammas
        combined, power = Masked(ZERO), ONE
        for zero in zeros:
            power = field.mul(power, mu)
            combined += zero * power
        self.target = field.sub(ZERO, combined.known)
        self.coefficients = combined.pads

    def messages(self, sent: dict):
        self.sent = sent
        width = self.shape.width
        total = ZERO
        for coefficient in sent["linear"][::width]:
            total = field.add(total, coefficient)
        require(scale(total, width) == self.target, "constraint", "a constraint between pads does not hold")

    def column(self, x: int, rows: list):
        """`rows`: all K-rows at the point x."""
        shape = self.shape
        low_degree, linear, quadratic = rows[shape.pad_rows:]
        for gamma, row in zip(self.gammas, rows):
            low_degree = field.add(low_degree, field.mul(gamma, row))
        require(low_degree == at(self.sent["low_degree"], x), "degree", "a mask row is of too high a degree")

        lagrange = self._lagrange(x)
        for place, coefficient in self.coefficients.items():
            row, position = divmod(place, shape.width)
            linear = field.add(linear, field.mul(scale(coefficient, lagrange[position]), rows[row]))
        require(linear == at(self.sent["linear"], x), "linear", "the linear message contradicts the pads")

        for number, gamma in enumerate(self.triple_gammas):
            xs, ys, zs = (rows[shape.linear_rows + part * shape.triple_rows + number] for part in range(3))
            quadratic = field.add(quadratic, field.mul(gamma, field.sub(zs, field.mul(xs, ys))))
        vanishing = (pow(x, shape.width, P) - 1) % P
        require(quadratic == scale(at(self.sent["quadratic"], x), vanishing), "triple", "a triple is no product")

    def _lagrange(self, x: int) -> list:
        """What the values at w^0, w^1, ... of a polynomial of degree < width weigh in its value at x."""
        width = self.shape.width
        w = field.root_of_unity(width.bit_length() - 1)
        points, products = [1], [1]
        for _ in range(width):
            products.append(products[-1] * (x - points[-1]) % P)
            points.append(points[-1] * w % P)
        # One inverse for all of 1 / (x - w^p), taken apart from behind.
        inverse = pow(products[-1], P - 2, P)
        scaled, weights = (pow(x, width, P) - 1) * pow(width, P - 2, P), []
        for point, product in zip(reversed(points[:-1]), reversed(products[:-1])):
            weights.append(scaled * point * product * inverse % P)
            inverse = inverse * (x - point) % P
        return weights[::-1]
