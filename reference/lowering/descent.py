# SPDX-License-Identifier: Apache-2.0
"""From gradients to the next weights: docs/spec/step.md, "Optimisers", and docs/spec/lowering.md."""

from dataclasses import dataclass
from fractions import Fraction

from program import MAX_TERM, OPTIMISERS, Refused, attributes_of

from . import adam, clipping, slack, units
from .builder import signed, term
from .expression import read_of

DECAY_SCALE = 36


@dataclass
class Optimiser:
    name: str
    attributes: dict

    def fraction(self, name):
        return Fraction(*self.attributes[name])

    @property
    def keras(self):
        return self.attributes["rule"] == "keras"

    @property
    def decoupled(self):
        return self.keras or self.name == "adamw"


def optimiser_of(program):
    code = program["optimiser"]["code"]
    return Optimiser(OPTIMISERS[code][0], attributes_of(OPTIMISERS, program["optimiser"]))


def decay_factor(program, numerator):
    """rsh(a [lambda], 26 + log2 b), at most 2^62 - 1"""
    decay = optimiser_of(program).fraction("weight_decay")
    shift = 26 + program["schedule"]["denominator"].bit_length() - 1
    return min(numerator * (2**62 * decay.numerator // decay.denominator) + 2 ** (shift - 1) >> shift, MAX_TERM)


def lower_optimiser(low):
    low.optimiser = optimiser_of(low.program)
    low.share = low.decay = None
    clipping.lower_clip(low)
    is_sgd = low.optimiser.name == "sgd"
    (prepare_sgd if is_sgd else adam.prepare)(low)
    for index in range(len(low.parameters)):
        if low.graph.gradients[index] is None:
            set_next_weight(low, index, weight_of(low, index))
        else:
            (lower_sgd if is_sgd else adam.lower)(low, index)


# --- expressions over a parameter's axes ----------------------------------------------------


def axes_of(low, parameter):
    return low.b.axes_of(low.parameters[parameter])


def gradient_of(low, parameter):
    """Once there is one, what clipping left of it."""
    if parameter in low.clipped:
        made = low.clipped[parameter]
        return read_of(low.b.at(made), units.power(-low.line("update_gradient")[1]), [low.b.axes_of(made)])
    e = low.value(low.graph.gradients[parameter])
    if e.constant is None or e.constant:
        raise Refused("a gradient with a constant part")
    axes, dims = list(axes_of(low, parameter)), []
    for own in e.dims:
        dims.append(axes[:len(own)])
        axes = axes[len(own):]
    return e.renamed(dims).with_dims([axes_of(low, parameter)])


def weight_of(low, parameter):
    unit = units.power(low.program["parameters"][parameter]["scale"] - 30)
    return read_of(low.b.at(low.parameters[parameter]), unit, [axes_of(low, parameter)])


def next_of(low, state, unit):
    return read_of(low.b.at(state, after=True), unit, [low.b.axes_of(state)])


def set_next(low, state, e, scale):
    x, divisor = low.scaled(e, scale)
    low.b.divide_into(state, x, divisor)


def set_next_weight(low, parameter, e):
    if low.bounds and low.graph.gradients[parameter] is not None:
        slack.set_recorded_weight(low, parameter, e)
    else:
        set_next(low, low.parameters[parameter], e, 30 - low.program["parameters"][parameter]["scale"])


# --- steps ----------------------------------------------------------------------------------


def sum_of(low, e, scale):
    """Divisor and largest size of a sum as integers, unless it passes Rule Z."""
    made = e.as_integers(scale)
    extent = made and low.b.extent([axis for axes in e.dims for axis in axes], made[0], made[1])
    return extent and (made[2], max(-extent[0], extent[1]))


def rounded(low, e, line):
    """A number of the line's format; itself where it is one already."""
    bits, scale = low.line(line)
    one = low.as_one_read(e)
    if one and one[1] == units.power(-scale):
        lo, hi = low.b.ranges[one[0]["value"]]
        if low.b.values[one[0]["value"]]["kind"] == "number" and lo >= -(2 ** (bits - 1)) and hi < 2 ** (bits - 1):
            return e
    x, divisor = low.scaled(e, scale)
    return read_of(low.b.at(low.b.divide(x, divisor, signed(bits, low.limb_bits))), units.power(-scale), e.dims)


def decayed_gradient(low, parameter):
    """G + decay W"""
    g = gradient_of(low, parameter)
    decays = low.program["parameters"][parameter]["decay"]
    decay = weight_of(low, parameter).scaled(low.optimiser.fraction("weight_decay") if decays else units.ZERO)
    if not decay.pieces:
        return g
    bits, scale = low.line("update_gradient")
    whole = sum_of(low, g.plus(decay), scale)
    if whole and whole[0] <= 2 ** (61 - bits) and whole[1] <= 2**61:
        return g.plus(decay)
    return rounded(low, g, "update_gradient").plus(decay)


def by_rate(low, e):
    denominator = low.program["schedule"]["denominator"]
    scaled = e.scaled(Fraction(1, denominator))
    return scaled.times(low.b.at(low.rate))


def rate_times(low, x):
    """round(rate x) in the unit of a momentum."""
    scale = low.line("momentum")[1]
    exact = sum_of(low, by_rate(low, x), scale)
    if not exact or exact[0] > 2**58 or exact[1] > 2**60:
        x = rounded(low, x, "update_gradient")
    form, divisor = low.scaled(by_rate(low, x), scale)
    lo, hi = low.b.ranges[form]
    bits = (max(-lo, hi) // divisor + 1).bit_length() + 1
    made = low.b.divide(form, divisor, signed(bits, low.limb_bits))
    return read_of(low.b.at(made), units.power(-scale), [low.b.axes_of(made)])


def descend(low, parameter, x):
    """W' = W - rate x"""
    scale = 30 - low.program["parameters"][parameter]["scale"]

    def less(step):
        return weight_of(low, parameter).plus(step.scaled(units.MINUS))

    def fits(e):
        whole = sum_of(low, e, scale)
        return whole and whole[0] <= 2**29 and whole[1] <= 2**61

    if not fits(less(by_rate(low, x))):
        x = rounded(low, x, "update_gradient")
    after = less(by_rate(low, x))
    if not fits(after):
        after = less(rate_times(low, x))
    set_next_weight(low, parameter, after)


def prepare_decay(low):
    """Of a decay that is no part of the gradient."""
    decay = low.optimiser.fraction("weight_decay")
    if not decay:
        return
    if decay >= 1:
        raise Refused("weight_decay is not below 1")
    largest = max(numerator for _, numerator in low.program["schedule"]["pieces"])
    low.decay = low.add_public([], 0, decay_factor(low.program, largest), ("decay",))


def decayed(low, parameter):
    e = weight_of(low, parameter)
    own = low.program["parameters"][parameter]
    if low.decay is None or not own["decay"]:
        return e
    w = low.parameters[parameter]
    exact = low.b.form(low.b.axes_of(w), [term(1, low.b.at(w), low.b.at(low.decay))])
    most = (-(low.b.ranges[exact][0] + 1) >> DECAY_SCALE) + 2
    made = low.b.divide(exact, 2**DECAY_SCALE, signed(most.bit_length() + 1, low.limb_bits))
    return e.plus(read_of(low.b.at(made), -units.power(own["scale"] - 30), e.dims))


# --- gradient descent -----------------------------------------------------------------------


def prepare_sgd(low):
    o = low.optimiser
    momentum, dampening = o.fraction("momentum"), o.fraction("dampening")
    if momentum and o.keras:
        prepare_decay(low)
    if not dampening:
        return
    if o.keras:
        raise Refused("keras' sgd has no dampening")
    if momentum:  # or it dampens nothing
        low.share = low.add_public([], 0, dampening.denominator, ("share",))


def lower_sgd(low, parameter):
    o, b = low.optimiser, low.b
    mu, nesterov = o.fraction("momentum"), o.attributes["nesterov"] == "yes"
    if not mu:
        descend(low, parameter, decayed_gradient(low, parameter))
        return
    bits, scale = low.line("momentum")
    g = rate_times(low, gradient_of(low, parameter)) if o.keras else rounded(low, decayed_gradient(low, parameter), "update_gradient")
    state = b.state(axes_of(low, parameter), signed(bits, low.limb_bits), "state")
    unit = units.power(-scale)
    by_mu = units.times(unit, mu)
    shared = g.scaled(units.MINUS) if o.keras else g
    if low.share is not None:
        shared = shared.scaled(Fraction(1, o.fraction("dampening").denominator)).times(b.at(low.share))
    set_next(low, state, read_of(b.at(state), by_mu, [b.axes_of(state)]).plus(shared), scale)
    move = next_of(low, state, by_mu if nesterov else unit)
    if nesterov:
        move = move.plus(shared if o.keras else g)
    if o.keras:
        set_next_weight(low, parameter, decayed(low, parameter).plus(move))
    else:
        descend(low, parameter, move)
