# SPDX-License-Identifier: Apache-2.0
"""Slack of recorded steps: docs/spec/step.md, "Slack"."""

import hashlib
import math
import struct
from dataclasses import dataclass
from math import prod

from program import Refused

from . import gadgets
from .builder import signed, term, unsigned

FIRST_STEPS = 10
LOW_WEIGHT_BITS = 12
ERROR_BITS, HIGH_BITS, MIXED_BITS, LOW_BITS, WEIGHT_BITS = 46, 35, 46, 58, 60
CHANGE_SHIFT, WEIGHT_SHIFT = 24, 22
TOTAL_ERROR_BITS, TOTAL_CHANGE_BITS, TOTAL_WEIGHT_BITS = 54, 42, 45
GAP_BITS, DRIFT_BITS, COUNT_BITS = 61, 44, 40
MAX_SCALES, MAX_TENSORS = 3, 256


@dataclass(frozen=True)
class Slack:
    tau: int
    rho: float
    rho_first: float
    kappa: int
    sigma: float
    beta: int

    def digest(self) -> bytes:
        message = b"flair slack v1" + struct.pack("<b3d", self.tau, self.rho, self.rho_first, self.sigma)
        return hashlib.sha256(message + struct.pack("<IQ", self.kappa, self.beta)).digest()

    def units(self, scale: int) -> dict:
        """As a circuit has it whose finest parameter is of this scale: integers, rounded down."""
        def up_to(most, bound):
            return math.copysign(1, bound) > 0 and bound <= most

        in_range = [-24 <= self.tau <= 0, up_to(1 / 64, self.rho), up_to(0.022, self.rho_first), self.kappa <= 64,
                    up_to(8192, self.sigma), self.beta <= 2**39]  # fmt: skip
        if not all(in_range):
            raise Refused("a bound of the slack that is out of range")
        bits, drift = self.tau + 30 - scale, math.floor(math.ldexp(self.sigma, 30 - scale))
        if not 1 <= bits <= 26 or drift > 2**44:
            raise Refused("slack that is out of the weights' range")
        shares = [math.floor(math.ldexp(rho * rho, 28)) for rho in (self.rho, self.rho_first)]
        return {"cell_bits": bits, "share": shares[0], "share_first": shares[1], "kappa2": self.kappa**2, "drift": drift}


def part_of(low, number, cut, high, after, sign):
    """Terms of the limbs from bit `cut` on, in units of 2^cut, or of those below it."""
    return [term(sign * 2 ** (below - cut if high else below), low.b.at(number, limb, after))
            for limb, (below, _) in enumerate(low.b.limbs(number)) if (below >= cut) == high]  # fmt: skip


def bounded_sum(low, x, y, bits, is_signed):
    """The sum of products over all axes, as numbers that together have `bits`."""
    b, terms, axes, kept = low.b, [term(1, low.b.at(x), low.b.at(y))], low.b.axes_of(x), []
    while len(kept) < len(axes) and b.extent(kept, terms, 0) is None:
        kept.append(axes[len(kept)])
    count = prod(b.size(axis) for axis in kept)
    own = bits - min(bits - 2, (count - 1).bit_length())
    number = b.divide(b.form(kept, terms), 1, (signed if is_signed else unsigned)(own, low.limb_bits))
    return b.form([], [term(1, b.at(number))]) if kept else number


def floored(low, terms, shift, bits):
    return low.b.divide(low.b.form([], terms, -(2**shift // 2)), 2**shift, unsigned(bits, low.limb_bits))


def set_recorded_weight(low, parameter, e):
    """W' is given; what lies above bit w of E = X + floor(d/2) - d W' is the error."""
    b, w = low.b, low.parameters[parameter]
    scale = low.program["parameters"][parameter]["scale"]
    x, divisor = low.scaled(e, 30 - scale)
    if parameter in low.gauges and low.optimiser.name != "sgd":
        bound_gauge(low, w, scale, x, divisor)
        return
    cell_bits = low.bounds.units(scale)["cell_bits"]
    exact = b.form(b.axes_of(w), [term(1, b.at(x)), term(-divisor, b.at(w, after=True))], divisor // 2)
    cut = divisor.bit_length() - 1
    number = b.divide(exact, 1, signed(cell_bits + cut + 1, low.limb_bits, cut))
    high = part_of(low, number, cut, True, False, 1)
    low.slacks[parameter] = b.form(b.axes_of(w), high, -(b.values[number]["bias"] >> cut))


def bound_gauge(low, w, scale, x, divisor):
    """|X/d - W'| <= 2 rates"""
    b, schedule = low.b, low.program["schedule"]
    error = b.form(b.axes_of(w), [term(1, b.at(x)), term(-divisor, b.at(w, after=True))])
    one = b.form(b.axes_of(w), [], 1)
    k = 31 - scale + (divisor.bit_length() - 1) - (schedule["denominator"].bit_length() - 1)
    largest = max(numerator for _, numerator in schedule["pieces"])
    bits = max(1, largest.bit_length()) + max(k, 0) + 1
    for sign in (-1, 1):
        gap = b.form(b.axes_of(w), [term(2 ** max(k, 0), b.at(one), b.at(low.rate)), term(sign * 2 ** max(-k, 0), b.at(error))])
        b.divide(gap, 1, unsigned(bits, low.limb_bits))


def norms_of(low, parameter, e):
    """The squares of the error, the change and the weight of a tensor."""
    b, w = low.b, low.parameters[parameter]

    def change(high):
        terms = part_of(low, w, LOW_WEIGHT_BITS, high, True, 1) + part_of(low, w, LOW_WEIGHT_BITS, high, False, -1)
        return b.form(b.axes_of(w), terms)

    high, lower = change(True), change(False)
    middle = low.middle_of(parameter)
    error = bounded_sum(low, e, e, ERROR_BITS, False)
    parts = [bounded_sum(low, high, high, HIGH_BITS, False), bounded_sum(low, high, lower, MIXED_BITS, True),
             bounded_sum(low, lower, lower, LOW_BITS, False)]  # fmt: skip
    weights = (2 ** (2 * LOW_WEIGHT_BITS), 2 ** (LOW_WEIGHT_BITS + 1), 1)
    moved = floored(low, [term(c, b.at(part)) for c, part in zip(weights, parts)], CHANGE_SHIFT, WEIGHT_BITS + 1 - CHANGE_SHIFT)
    whole = bounded_sum(low, middle, middle, WEIGHT_BITS, False)
    return error, moved, floored(low, [term(1, b.at(whole))], WEIGHT_SHIFT, WEIGHT_BITS + 1 - WEIGHT_SHIFT)


def bound_error(low, norms, factor, kappa2, grid, share):
    b, (error, change, weight) = low.b, norms
    terms = [term(factor, b.at(change), b.at(share)), term(-16, b.at(error)), term(kappa2, b.at(weight))]
    b.divide(b.form([], terms, grid), 1, unsigned(GAP_BITS, low.limb_bits))


def lower_slack(low):
    if not low.bounds:
        return
    b, trained = low.b, low.slacks
    if not 1 <= len(trained) <= MAX_TENSORS:
        raise Refused("slack of no trained tensors, or of more than 256")
    scales = {parameter: low.program["parameters"][parameter]["scale"] for parameter in trained}
    least = min(scales.values())
    if max(scales.values()) - least > MAX_SCALES:
        raise Refused("parameters whose scales lie too far apart")
    bounds = low.bounds.units(least)
    low.facts["slack"] = bounds
    share = low.add_public([], 0, max(bounds["share"], bounds["share_first"]), ("slack share",))
    sums, grid = ([], [], []), 0
    for parameter, e in trained.items():
        norms = norms_of(low, parameter, e)
        own = 64 * prod(low.program["parameters"][parameter]["dims"])
        if parameter not in low.gauges:
            bound_error(low, norms, 100, bounds["kappa2"], own, share)
        unit = 4 ** (scales[parameter] - least)
        for terms, norm in zip(sums, norms):
            terms.append(term(unit, b.at(norm)))
        grid += unit * own
    whole = [b.divide(b.form([], terms), 1, unsigned(bits, low.limb_bits))
             for terms, bits in zip(sums, (TOTAL_ERROR_BITS, TOTAL_CHANGE_BITS, TOTAL_WEIGHT_BITS))]  # fmt: skip
    bound_error(low, whole, 1, bounds["kappa2"], grid, share)
    bound_drift(low, whole[0], bounds["drift"])
    bound_deviations(low)


def bound_drift(low, error, most):
    b = low.b
    norm = gadgets.root(b, error, unsigned(TOTAL_ERROR_BITS // 2, low.limb_bits))
    drift = b.state([], unsigned(DRIFT_BITS, low.limb_bits), "state")
    b.divide_into(drift, b.form([], [term(1, b.at(drift)), term(1, b.at(norm))], 1), 1)
    b.divide(b.form([], [term(-1, b.at(drift, after=True))], most), 1, unsigned(DRIFT_BITS, low.limb_bits))


def bound_deviations(low):
    """Of all steps together."""
    b = low.b
    if not low.deviations:
        return
    count = b.state([], unsigned(COUNT_BITS, low.limb_bits), "state")
    b.divide_into(count, b.form([], [term(1, b.at(count)), *(term(1, b.at(deviation)) for deviation in low.deviations)]), 1)
    b.divide(b.form([], [term(-1, b.at(count, after=True))], low.bounds.beta), 1, unsigned(COUNT_BITS, low.limb_bits))
