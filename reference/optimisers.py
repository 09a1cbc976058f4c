# SPDX-License-Identifier: Apache-2.0
"""The optimisers of docs/spec/step.md in plain Python, from exact gradients to the next integers. Prints
tests/vectors/optimisers.json: runs of a model whose gradients are sums of data."""

import json
import math
import random
import sys
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from draws import rows_of  # noqa: E402

ONE = 2**62


def rounded(value: Fraction, scale: int) -> int:
    """The nearest integer of units of 2^-scale, half up."""
    return math.floor(value * Fraction(2) ** scale + Fraction(1, 2))


def real(value: int, scale: int) -> Fraction:
    return value / Fraction(2) ** scale


def in_range(value: int, bits: int) -> int:
    assert -(2 ** (bits - 1)) <= value < 2 ** (bits - 1), "out of the profile's range"
    return value


def shifted(x: int, k: int) -> int:
    if k > 126:
        return 0
    return (x + 2 ** (k - 1)) >> k if k else x


def power(base: Fraction, n: int) -> int:
    """base^n in units of 2^-62; each product rounded down."""
    x, p = math.floor(base * ONE), ONE
    for digit in bin(n)[2:]:
        p = p * p // ONE
        if digit == "1":
            p = p * x // ONE
    return p


def number_of(bits: int, scale: int) -> tuple:
    return (1 / Fraction(2) ** scale, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def ends(terms: list, scale: int) -> tuple:
    """A sum of (unit, least, most) over one denominator: that, its least and most, and if it keeps Rule Z."""
    units = [unit * Fraction(2) ** scale for unit, _, _ in terms]
    divisor = math.lcm(*(unit.denominator for unit in units))
    each = [sorted((int(unit * divisor) * lo, int(unit * divisor) * hi)) for unit, (_, lo, hi) in zip(units, terms)]
    lo, hi = sum(end[0] for end in each), sum(end[1] for end in each)
    return divisor, lo, hi, sum(max(-end[0], end[1]) for end in each) < 2**62


class Factors:
    """What is public of Adam in a step: F and E."""

    def __init__(self, beta1, beta2, eps, keras, denominator, largest, profile):
        self.beta1, self.beta2, self.eps, self.keras = beta1, beta2, eps, keras
        root_scale = profile["adam_gradient"][1] + 3
        self.shift = denominator.bit_length() - 1 + 30 + profile["adam_mean"][1] - profile["adam_update"][1] - root_scale
        self.epsilon_shift = 92 - root_scale
        self.phi = next(f for f in range(40, 19, -1) if math.floor((1 - beta2) * 2**f + Fraction(1, 2)) < 2**21)
        self.omega = math.floor((1 - beta2) * 2**self.phi + Fraction(1, 2))
        steps = [self.factor(largest, t) for t in range(4096)]
        self.largest_factor = 1 + max(steps + [self._factor(largest, ONE - power(beta1, 4096), ONE)])
        self.largest_epsilon = self._epsilon(ONE)

    def _root(self, c):
        return math.isqrt(2**60 * c // (ONE - math.floor(self.beta2 * ONE)))

    def _factor(self, numerator, c1, c2):
        return shifted(numerator * (ONE * self._root(c2) // c1), self.shift)

    def _epsilon(self, c):
        return max(1, shifted(math.floor(self.eps * ONE) * self._root(c), self.epsilon_shift))

    def factor(self, numerator, step):
        return self._factor(numerator, ONE - power(self.beta1, step + 1), ONE - power(self.beta2, step + 1))

    def epsilon(self, step):
        return self._epsilon(ONE if self.keras else ONE - power(self.beta2, step + 1))


def clipped(gradients: list, limit: Fraction, keras: bool, profile: dict) -> list:
    (bits, scale), (norm_bits, norm_scale) = profile["update_gradient"], profile["clip_norm"]
    cut = scale - norm_scale
    g = [[in_range(rounded(v, scale), bits) for v in tensor] for tensor in gradients]
    norm = math.isqrt(sum((2 * (v >> cut) + 1) ** 2 for tensor in g for v in tensor))
    assert norm < 2 ** min(30, norm_bits - 1)
    least = rounded(limit, norm_scale + 1)
    extra = 0 if keras else rounded(Fraction(1, 10**6), norm_scale + 1)
    f = min(28, 61 - min(60, bits))
    coefficient = (least << f) // max(least, norm + extra)
    return [[real(rounded(real(v * coefficient, scale + f), scale), scale) for v in tensor] for tensor in g]


class Optimiser:
    """`kind` and its attributes; `parameters`: (scale, decays) of each; `rates`: numerators by step, the last one
    stays, and their denominator; `gradients`: the terms of each, (unit, least, most) of their integers."""

    def __init__(self, kind, attributes, parameters, rates, denominator, profile, gradients, limit=None):
        self.kind, self.parameters, self.profile, self.limit = kind, parameters, profile, limit
        self.rates, self.denominator = rates, denominator
        self.keras = attributes.get("rule") == "keras"
        self.nesterov = attributes.get("nesterov") == "yes"
        get = lambda name, otherwise: Fraction(attributes.get(name, otherwise))  # noqa: E731
        self.momentum, self.dampening = get("momentum", 0), get("dampening", 0)
        self.decay = get("weight_decay", "1/100" if kind == "adamw" else 0)
        if kind != "sgd":
            self.beta1, self.beta2 = get("beta1", "9/10"), get("beta2", "999/1000")
            self.factors = Factors(self.beta1, self.beta2, get("eps", "1/100000000"), self.keras, denominator, max(rates), profile)

        if limit is not None:
            gradients = [[number_of(*profile["update_gradient"])] for _ in parameters]
        self.exact = [self._what_is_exact(*parameter, terms) for parameter, terms in zip(parameters, gradients)]

    def _what_is_exact(self, scale, decays, gradient):
        """May W - rate x be rounded at once, may it with x rounded, may rate x, and may G + decay W?"""
        weight = number_of(32, 30 - scale)
        x, decayed_exactly = list(gradient), True
        if self.decay and decays and not (self.keras and self.momentum):
            x.append((weight[0] * self.decay, *weight[1:]))
            bits, unit_scale = self.profile["update_gradient"]
            divisor, lo, hi, fits = ends(x, unit_scale)
            if not (fits and divisor <= 2 ** (61 - bits) and max(-lo, hi) <= 2**61):
                decayed_exactly, x = False, [number_of(bits, unit_scale), x[-1]]
        if self.momentum and not self.keras:
            after = number_of(*self.profile["momentum"])
            mu, g = self.momentum if self.nesterov else 1, number_of(*self.profile["update_gradient"])
            x = [(after[0] * mu, *after[1:])] + ([g] if self.nesterov else [])
        most = max(self.rates)

        def by_rate(terms):
            return [(unit / self.denominator, min(lo * most, 0), max(hi * most, 0)) for unit, lo, hi in terms]

        def at_once(terms):
            divisor, lo, hi, fits = ends([weight] + [(-unit, lo, hi) for unit, lo, hi in by_rate(terms)], 30 - scale)
            return fits and divisor <= 2**29 and max(-lo, hi) <= 2**61

        divisor, lo, hi, fits = ends(by_rate(x), self.profile["momentum"][1])
        step = fits and divisor <= 2**58 and max(-lo, hi) <= 2**60
        return at_once(x), at_once([number_of(*self.profile["update_gradient"])]), step, decayed_exactly

    def start(self, sizes: list) -> list:
        count = 2 if self.kind != "sgd" else 1 if self.momentum else 0
        return [[[0] * size for _ in range(count)] for size in sizes]

    def step(self, t: int, weights: list, states: list, gradients: list):
        """Integers and exact gradients, by parameter; the integers after step t."""
        if self.limit is not None:
            gradients = clipped(gradients, self.limit, self.keras, self.profile)
        numerator = self.rates[min(t, len(self.rates) - 1)]
        move = self._sgd if self.kind == "sgd" else self._adam
        new_weights, new_states = [], []
        for (scale, decays), w, state, g, exact in zip(self.parameters, weights, states, gradients, self.exact):
            decay = self.decay if decays else 0
            cells = [move(t, numerator, real(v, 30 - scale), decay, [s[i] for s in state], g[i], scale, exact)
                     for i, v in enumerate(w)]  # fmt: skip
            new_weights.append([in_range(rounded(value, 30 - scale), 32) for value, _ in cells])
            new_states.append([[cell[i] for _, cell in cells] for i in range(len(state))])
        return new_weights, new_states

    def _number(self, line, value: Fraction) -> Fraction:
        bits, scale = self.profile[line]
        return real(in_range(rounded(value, scale), bits), scale)

    def _with_decay(self, g, decay, w, exact):
        return (g if exact[3] else self._number("update_gradient", g)) + decay * w

    def _step(self, rate, x, exact):
        """rate x, rounded."""
        scale = self.profile["momentum"][1]
        return real(rounded(rate * (x if exact[2] else self._number("update_gradient", x)), scale), scale)

    def _descent(self, rate, x, exact):
        if not exact[0]:
            x = self._number("update_gradient", x)
        return rate * x if exact[0] or exact[1] else self._step(rate, x, exact)

    def _decayed(self, numerator, decay, w, scale):
        factor = shifted(numerator * math.floor(decay * ONE), 26 + self.denominator.bit_length() - 1)
        return w - real(shifted(int(w * 2 ** (30 - scale)) * factor, 36), 30 - scale)

    def _sgd(self, t, numerator, w, decay, state, g, w_scale, exact):
        rate = Fraction(numerator, self.denominator)
        if not state:
            return w - self._descent(rate, self._with_decay(g, decay, w, exact), exact), []
        bits, scale = self.profile["momentum"]
        mu, b = self.momentum, real(state[0], scale)
        if self.keras:
            h = self._step(rate, g, exact)
            m = self._number("momentum", mu * b - h)
            w = self._decayed(numerator, decay, w, w_scale) + (mu * m - h if self.nesterov else m)
        else:
            g = self._number("update_gradient", self._with_decay(g, decay, w, exact))
            m = self._number("momentum", mu * b + (1 - (self.dampening if t else 0)) * g)
            w -= self._descent(rate, g + mu * m if self.nesterov else m, exact)
        return w, [rounded(m, scale)]

    def _adam(self, t, numerator, w, decay, state, g, w_scale, exact):
        f, (m, v) = self.factors, state
        (g_bits, g_scale), (m_bits, m_scale), (u_bits, u_scale) = (
            self.profile[line] for line in ("adam_gradient", "adam_mean", "adam_update"))  # fmt: skip
        decoupled = self.keras or self.kind == "adamw"
        g = in_range(rounded(g if decoupled else self._with_decay(g, decay, w, exact), g_scale), g_bits)
        m = in_range(rounded(self.beta1 * real(m, m_scale) + (1 - self.beta1) * real(g, g_scale), m_scale), m_bits)
        high, low = divmod(v, 2**40)
        v = v + g * g - 2 ** (40 - f.phi) * f.omega * high - shifted(f.omega * low, f.phi)
        assert 0 <= v < 2**60
        divisor = 8 * math.isqrt(v) + f.epsilon(t)
        u = in_range(rounded(Fraction(f.factor(numerator, t) * m, divisor), 0), u_bits)
        w = self._decayed(numerator, decay, w, w_scale) if decoupled else w
        return w - real(u, u_scale), [m, v]


# --- vectors ---------------------------------------------------------------------------------

PROFILE = {
    "update_gradient": (35, 32), "momentum": (35, 32), "adam_gradient": (31, 28), "adam_mean": (37, 36),
    "adam_update": (32, 30), "clip_norm": (31, 20),
}  # fmt: skip
BATCH, ROWS, WIDTH = 2, 7, 3
# The loss is the mean of x w + x v / 3 over the batch and the columns.
MODEL = """flair program 1
batch 2
data x [3] bits 16 scale 12
param w [3]
param v [3] scale 1 decay no
m = mul(x, w)
n = mul(x, v)
s = add(m, n, beta=1/3)
l = reduce(s, axes=[0, 1], by=mean)
loss l
"""
SHORT, LONG = ([3, 1], 16), ([13421773, 6710887], 2**27)  # the second as float32 has 1/10 and 1/20
CASES = [
    ("sgd", {}, None), ("sgd", {"weight_decay": "1/100"}, "1/10"),
    ("sgd", {"momentum": "9/10"}, None), ("sgd", {"momentum": "9/10", "nesterov": "yes", "weight_decay": "1/1000"}, None),
    ("sgd", {"momentum": "4/5", "dampening": "1/7"}, "1/5"),
    ("sgd", {"momentum": "9/10", "weight_decay": "1/100", "rule": "keras"}, "1/1000"),
    ("sgd", {"momentum": "9/10", "nesterov": "yes", "rule": "keras"}, "100"),
    ("sgd", {"weight_decay": "1/2000"}, None, LONG), ("sgd", {"momentum": "9/10", "weight_decay": "1/2000"}, "1/10", LONG),
    ("sgd", {"momentum": "9/10", "nesterov": "yes", "weight_decay": "1/2000"}, None, LONG),
    ("sgd", {"momentum": "1/2", "nesterov": "yes", "weight_decay": "1/300", "rule": "keras"}, None, LONG),
    ("sgd", {"weight_decay": "1/99999989"}, None), ("sgd", {"momentum": "9/10", "weight_decay": "1/99999989"}, None),
    ("adam", {"weight_decay": "1/99999989"}, None),
    ("adam", {}, None), ("adam", {"weight_decay": "1/100"}, "1/10"),
    ("adam", {"beta1": "0", "beta2": "1/2", "eps": "1/100"}, None),
    ("adam", {"beta1": "3/4", "beta2": "0", "eps": "1/10000000", "rule": "keras"}, None),
    ("adamw", {}, None), ("adamw", {"weight_decay": "1/10", "rule": "keras", "eps": "1/1000"}, "1/5"),
]  # fmt: skip


def run(index, kind, attributes, limit, rates=SHORT) -> dict:
    draw = random.Random(index)
    numerators, denominator = rates if kind == "sgd" else ([3, 1], 2048)
    seed = bytes([index] * 32)
    x = [[draw.randrange(-6000, 6000) for _ in range(WIDTH)] for _ in range(ROWS)]
    weights = [[draw.randrange(-(2**30), 2**30) for _ in range(WIDTH)] for _ in range(2)]
    profile = {**PROFILE, "adam_mean": (36, 36)}  # one bit less: rates above 1/1024
    unit = Fraction(1, 2**12 * BATCH * WIDTH)
    terms = [[(by, -BATCH * 2**15, BATCH * (2**15 - 1))] for by in (unit, unit / 3)]
    made = Optimiser(kind, attributes, [(0, True), (1, False)], numerators, denominator, profile, terms,
                     limit and Fraction(limit))  # fmt: skip
    text = MODEL + f"optimiser {kind}({', '.join(f'{k}={v}' for k, v in attributes.items())})\n"
    text += f"schedule {numerators[0]}/{denominator} x 1, {numerators[1]}/{denominator}\n"
    text += f"clip norm(limit={limit})\n" if limit else ""
    text += "profile adam_mean 36 36\n"
    case = {"program": text, "seed": seed.hex(), "columns": [sum(x, [])], "parameters": weights, "steps": []}
    states = made.start([WIDTH, WIDTH])
    for t in range(3):
        rows = rows_of(seed, ROWS, BATCH, t)
        sums = [unit * sum(x[r][i] for r in rows) for i in range(WIDTH)]
        weights, states = made.step(t, weights, states, [sums, [g / 3 for g in sums]])
        case["steps"].append({"parameters": weights, "states": states})
    return case


def factors(attributes, numerator, denominator) -> dict:
    rule = attributes.get("rule", "torch")
    f = Factors(*(Fraction(attributes[k]) for k in ("beta1", "beta2", "eps")), rule == "keras", denominator, numerator,
                PROFILE)  # fmt: skip
    steps = [0, 1, 2, 9, 10, 99, 1000, 4095, 4096, 10**6, 2**40]
    text = MODEL + f"optimiser adam({', '.join(f'{k}={v}' for k, v in attributes.items())})\n"
    return {
        "program": text + f"schedule {Fraction(numerator, denominator)}\n", "forget": [f.omega, f.phi],
        "largest": [f.largest_factor, f.largest_epsilon],
        "steps": [[t, f.factor(numerator, t), f.epsilon(t)] for t in steps],
    }  # fmt: skip


def vectors() -> dict:
    usual = {"beta1": "9/10", "beta2": "999/1000", "eps": "1/100000000"}
    return {
        "runs": [run(i, *case) for i, case in enumerate(CASES, 1)],
        "factors": [
            factors(usual, 1, 1024), factors({**usual, "rule": "keras"}, 3, 4096), factors({**usual, "beta1": "0"}, 1, 2),
            factors({**usual, "beta2": "999999/1000000", "eps": "1/1000"}, 1, 2**40),
            factors({**usual, "beta1": "99999/100000", "beta2": "1/3"}, 5, 2**20),
        ],
    }  # fmt: skip


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
