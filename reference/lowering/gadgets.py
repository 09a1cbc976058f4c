# SPDX-License-Identifier: Apache-2.0
"""Numbers that an identity of their own forces: docs/spec/lowering.md, "Gadgets"."""

from math import prod

from .builder import Builder, Width, segment, term, unsigned


def exactly(b: Builder, form: int, most: int, limb_bits: int) -> int:
    """A number that is a form, from 0 to what as many bits as `most` has hold."""
    return b.divide(form, 1, unsigned(most.bit_length(), limb_bits))


def root(b: Builder, x: int, width: Width) -> int:
    axes = b.axes_of(x)
    s = b.number(axes, width)
    r = exactly(b, b.form(axes, [term(1, b.at(x)), term(-1, b.at(s), b.at(s))]), 2 * width.hi, width.limb_bits)
    exactly(b, b.form(axes, [term(2, b.at(s)), term(-1, b.at(r))]), 2 * width.hi, width.limb_bits)
    return s


def reciprocal(b: Builder, x: int, one: int, width: Width) -> int:
    axes, most = b.axes_of(x), b.ranges[x][1]
    q = b.number(axes, width)
    r = exactly(b, b.form(axes, [term(-1, b.at(q), b.at(x))], one), most, width.limb_bits)
    exactly(b, b.form(axes, [term(1, b.at(x)), term(-1, b.at(r))], -1), most, width.limb_bits)
    return q


def ratio(b: Builder, x: int, d: int, width: Width) -> int:
    axes, largest = b.axes_of(x), b.ranges[d][1]
    u = b.number(axes, width)
    terms = [term(2, b.at(x)), term(1, b.at(d))]
    limbs = b.limbs(u)
    if len(limbs) == 1:
        terms.append(term(-2, b.at(d), b.at(u)))
    else:
        w = limbs[0][1]
        upper = b.form(axes, [term(2 ** (below - w), b.at(u, limb)) for limb, (below, _) in enumerate(limbs) if limb],
                       -(b.values[u]["bias"] >> w))  # fmt: skip
        exact = b.form(axes, [term(1, b.at(d), b.at(upper))])
        most = (max(b.ranges[x][1], -b.ranges[x][0]) >> w) + 2 * largest + 1
        bits = most.bit_length() + 1
        p = b.divide(exact, 1, Width(bits, 2 ** (bits - 1), width.limb_bits))
        terms += [term(-2, b.at(d), b.at(u, 0)), term(-(2 ** (w + 1)), b.at(p))]
    bound = unsigned((2 * largest - 1).bit_length(), width.limb_bits)
    r = b.divide(b.form(axes, terms), 1, bound)
    b.divide(b.form(axes, [term(2, b.at(d)), term(-1, b.at(r))], -1), 1, bound)
    return u


# --- softmax --------------------------------------------------------------------------------

FRACTION = 62


def _times(a: int, b: int) -> int:
    return a * b >> FRACTION


def exp_of_minus_power(exponent: int) -> int:
    """exp(-2^exponent) in units of 2^-62."""
    if exponent >= 6:
        return 0
    if exponent > -2:
        half = exp_of_minus_power(exponent - 1)
        return _times(half, half)
    if exponent < -FRACTION:
        return 2**FRACTION
    x, total, part, n = 2 ** (FRACTION + exponent), 2**FRACTION, 2**FRACTION, 1
    while part:
        part = _times(part, x) // n
        total += -part if n % 2 else part
        n += 1
    return total


def exponentials(bits: int, scale: int, value_bits: int) -> list:
    exact = [2**FRACTION]
    for j in range(bits):
        factor = exp_of_minus_power(j - scale)
        exact += [_times(one, factor) for one in exact]
    return [one * (2**value_bits - 1) + 2 ** (FRACTION - 1) >> FRACTION for one in exact]


def exponential_table(b: Builder, bits: int, scale: int, value_bits: int) -> int:
    name = "exponentials"
    if name not in b.made_tables:
        values = exponentials(bits, scale, value_bits)
        b.table(name, [segment(bits, 0, values), segment(0, 0, values[0], 1)])
    return b.made_tables[name]


def softmax(b: Builder, x: int, divisor: int, rows: list, classes: list, table: int, distance_bits: int, maximum: Width,
            bits: int, limb_bits: int) -> int:  # fmt: skip
    axes, row = [*rows, *classes], prod(b.size(axis) for axis in classes)
    terms = [term(1, b.at(x))]
    remainder = b.remainder(x, divisor, limb_bits)
    if remainder is not None:
        terms.append(term(-1, b.at(remainder)))
    y = b.form(axes, terms, divisor // 2)
    largest = b.number(rows, maximum)
    below = b.form(axes, [term(divisor, b.at(largest)), term(-1, b.at(y))])
    d = b.number(axes, unsigned(distance_bits, distance_bits), looked_up=False)
    e = b.number(axes, unsigned(bits, bits), looked_up=False)
    h = b.bit(axes)
    b.look_up(table, (d, 0), (e, 0), (h, 0))
    b.zero(b.form(axes, [term(divisor, b.at(d)), term(-1, b.at(below))]))
    b.zero(b.form(rows, [term(1, b.at(h))], -1))
    total = b.form(rows, [term(1, b.at(e))])
    j = (row - 1).bit_length()
    q = reciprocal(b, total, 2 ** (2 * bits + j) - 2 ** (bits + 1 + j), unsigned(bits + j, limb_bits))
    return b.divide(b.form(axes, [term(1, b.at(e), b.at(q))]), 2 ** (bits + j), unsigned(bits, limb_bits))


def one_hot(b: Builder, label: int, classes: list, places: int) -> int:
    rows = b.axes_of(label)
    bits = b.number([*rows, *classes], unsigned(1, 1))
    b.zero(b.form(rows, [term(1, b.at(bits))], -1))
    b.zero(b.form(rows, [term(1, b.at(bits), b.along(places, classes)), term(-1, b.at(label))]))
    return bits


# --- maxima ---------------------------------------------------------------------------------


def maximum(b: Builder, x: dict, divisor: int, least: int, rows: list, kernel: list, slides: list, padded: bool, width: Width,
            is_signed: bool, zone: int) -> dict:  # fmt: skip
    """`x`: divisor times the values over the axes of the tensor, or of rows and kernel where nothing slides.
    Returns value, selector, positive, deviation, other."""
    cells, offset = [*rows, *kernel], 1 - least if padded else 0
    inside = x["value"]
    if slides:
        raised = b.form(b.axes_of(inside), [term(1, b.at(inside))], divisor * offset)
        inside = b.form(cells, [term(1, b.along(raised, x["axes"]), windows=slides)])
    made = {"positive": None, "deviation": None, "other": None}
    if is_signed:
        made["value"], made["positive"], made["deviation"] = b.signed(rows, width, zone)
    else:
        made["value"] = b.number(rows, width)
    y = b.at(made["value"])
    # What a trainer finds the selector by; no zero reads it.
    b.form(cells, [term(divisor, y), term(-1, b.along(inside, cells) if slides else x)], divisor * offset)
    made["selector"] = b.bit(cells)
    h, within = b.at(made["selector"]), slides if padded else []
    before = _before(b, made["selector"], rows, kernel)
    rest = b.form(cells, [term(divisor, y, windows=within), term(-divisor, b.at(before), windows=within), term(-1, x, windows=slides)])
    gap = _gap(b, rest, width, made, zone)
    b.zero(b.form(cells, [term(divisor, b.at(gap)), term(-1, b.at(rest))]))
    b.zero(b.form(rows, [term(1, h)], -1))
    if padded:
        b.zero(b.form(cells, [term(1, h), term(-1, h, windows=within)]))
    return made


def _before(b: Builder, selector: int, rows: list, kernel: list) -> int:
    """Of each cell the selectors behind it: at the first axis on which they differ the other is further on."""
    cells, terms = [*rows, *kernel], []
    for differs, k in enumerate(kernel):
        size = b.size(k)
        if size < 2:
            continue
        axes = list(cells)
        for i in range(differs, len(kernel)):
            axes[len(rows) + i] = b.axis(b.size(kernel[i]))
        window = {"out": k, "kernel": b.axis(size - 1), "in": axes[len(rows) + differs], "stride": 1, "dilation": 1, "offset": 1}
        terms.append(term(1, b.along(selector, axes), windows=[window]))
    return b.form(cells, terms)


def _gap(b: Builder, rest: int, of_value: Width, made: dict, zone: int) -> int:
    h, cells = (made["selector"], 0), b.axes_of(rest)
    width = Width(of_value.bits + 1, 2**zone, of_value.limb_bits, zone) if zone else unsigned(of_value.bits, of_value.limb_bits)
    gap = b.number(cells, width, looked_up=False)
    limb_bits = b.values[gap]["limb_bits"]
    top = len(limb_bits) - (1 if zone else 0)
    for limb in range(top):
        b.look_up(b.chosen(limb_bits[limb]), (gap, limb), h)
    if zone:
        made["other"] = b.bit(cells)
        b.require_one_limb_above(gap, zone)
        b.look_up(b.tied_choice(limb_bits[top]), (gap, top), h, (made["other"], 0))
    return gap
