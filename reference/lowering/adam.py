# SPDX-License-Identifier: Apache-2.0
"""Adam and AdamW: docs/spec/step.md, "Optimisers"."""

from fractions import Fraction
from functools import lru_cache

from optimisers import ONE as WHOLE
from optimisers import Factors
from program import PROFILE, Refused

from . import descent, gadgets, units
from .builder import signed, term, unsigned
from .expression import read_of

SQUARE_BITS, SQUARE_CUT, ROOT_SHIFT = 60, 40, 3
LEAST_FORGET, LARGEST_EPSILON = 1024, 2**50


@lru_cache(maxsize=16)
def _factors(*arguments):
    profile = dict(arguments[-1])
    return Factors(*arguments[:-1], profile)


def factors_of(program, optimiser):
    """F and E of every step; raises Refused where there are none."""
    beta1, beta2, eps = (optimiser.fraction(name) for name in ("beta1", "beta2", "eps"))
    denominator = program["schedule"]["denominator"]
    profile = {name: tuple(value) for (name, *_), value in zip(PROFILE, program["profile"])}
    if eps >= 1:
        raise Refused("eps is not below 1")
    if not any(LEAST_FORGET <= int((1 - beta2) * 2**phi + Fraction(1, 2)) < 2**21 for phi in _scales(beta2)):
        raise Refused("beta2 is within 2^-30 of 1")
    if WHOLE - WHOLE * beta1.numerator // beta1.denominator < 2**33:
        raise Refused("beta1 is within 2^-29 of 1")
    shift = denominator.bit_length() - 1 + 30 + profile["adam_mean"][1] - profile["adam_update"][1]
    if shift - (profile["adam_gradient"][1] + ROOT_SHIFT) < 0:
        raise Refused("adam_update is too fine for the learning rates")
    largest = max(numerator for _, numerator in program["schedule"]["pieces"])
    made = _factors(beta1, beta2, eps, optimiser.keras, denominator, largest, tuple(profile.items()))
    if made.largest_epsilon >= LARGEST_EPSILON:
        raise Refused("eps is too large")
    if made.largest_factor >= 3 * 2 ** (59 - profile["adam_mean"][0]):
        raise Refused("the learning rates need fewer bits in adam_mean, or a smaller scale in adam_update")
    return made


def _scales(beta2):
    """The largest of 20 ... 40 that leaves omega below 2^21."""
    return next(([phi] for phi in range(40, 19, -1) if int((1 - beta2) * 2**phi + Fraction(1, 2)) < 2**21), [])


def prepare(low):
    made = factors_of(low.program, low.optimiser)
    low.factors = made
    low.factor_public = low.add_public([], 0, made.largest_factor, ("factor",))
    low.epsilon = low.add_public([], 1, made.largest_epsilon, ("epsilon",))
    if low.optimiser.decoupled:
        descent.prepare_decay(low)


def lower(low, parameter):
    o, b = low.optimiser, low.b
    axes = descent.axes_of(low, parameter)
    (gradient_bits, gradient_scale), (mean_bits, mean_scale), (update_bits, update_scale) = (
        low.line(name) for name in ("adam_gradient", "adam_mean", "adam_update"))  # fmt: skip
    g = descent.gradient_of(low, parameter) if o.decoupled else descent.decayed_gradient(low, parameter)
    exact, divisor = low.scaled(g, gradient_scale)
    rounded = b.divide(exact, divisor, signed(gradient_bits, low.limb_bits))
    m = b.state(axes, signed(mean_bits, low.limb_bits), "state")
    beta1 = o.fraction("beta1")
    share = units.plus(units.ONE, -beta1)
    after = read_of(b.at(rounded), units.times(units.power(-gradient_scale), share), [axes])
    if beta1:
        after = after.plus(read_of(b.at(m), units.times(units.power(-mean_scale), beta1), [axes]))
    descent.set_next(low, m, after, mean_scale)
    root = root_of_squares(low, axes, rounded)
    one = b.form(axes, [], 1)
    divisor = b.form(axes, [term(2**ROOT_SHIFT, b.at(root)), term(1, b.at(one), b.at(low.epsilon))])
    dividend = b.form(axes, [term(1, b.at(m, after=True), b.at(low.factor_public))])
    u = gadgets.ratio(b, dividend, divisor, signed(update_bits, low.limb_bits))
    e = descent.decayed(low, parameter)
    descent.set_next_weight(low, parameter, e.plus(read_of(b.at(u), -units.power(-update_scale), [axes])))


def root_of_squares(low, axes, g):
    """The state v' = v + g^2 - what is forgotten, and the integer below its root."""
    b, omega, phi = low.b, low.factors.omega, low.factors.phi
    v = b.state(axes, unsigned(SQUARE_BITS, low.limb_bits, SQUARE_CUT), "state")
    lower_terms, after = [], []
    for limb, (below, _) in enumerate(b.limbs(v)):
        if below < SQUARE_CUT:
            lower_terms.append(term(omega << below, b.at(v, limb)))
        else:
            after.append(term(-(omega << below - phi), b.at(v, limb)))
    exact = b.form(axes, lower_terms)
    most = b.ranges[exact][1] + 2 ** (phi - 1) >> phi
    forgotten = b.divide(exact, 2**phi, unsigned(most.bit_length(), low.limb_bits))
    after += [term(1, b.at(v)), term(1, b.at(g), b.at(g)), term(-1, b.at(forgotten))]
    b.divide_into(v, b.form(axes, after), 1)
    whole = b.form(axes, [term(1, b.at(v, after=True))])
    return gadgets.root(b, whole, unsigned(SQUARE_BITS // 2, low.limb_bits))
