# SPDX-License-Identifier: Apache-2.0
"""The walk over the graph, and what a node's value becomes: docs/spec/lowering.md, "Walk"."""

from dataclasses import dataclass, field
from fractions import Fraction

import program as programs
from program import OPERATORS, PROFILE, Refused

from . import arithmetic, descent, gauge, losses, normalisation, pooling, slack, units, windows, wiring
from .builder import Builder, signable, signed, term
from .cuts import Cuts
from .derivative import Derivative
from .expression import Axes, Expression, flat, integers, read_of
from .graph import Expansion, Graph

LOW_WEIGHT_BITS = 12
MAX_PIECES = 2**21
LINES = {name: i for i, (name, *_) in enumerate(PROFILE)}
DECISIONS = {"relu_grad", "max_pool_grad", "batch_norm_grad", "batch_norm_scale_grad"}
VALUELESS, STATE = {"label", "mask"}, {"parameter", "buffer"}


@dataclass
class State:
    """Of a node."""

    needed: bool = False
    branches: bool = False  # a relu asks for its sign
    readers: int = 0
    value: Expression | None = None
    positive: int | None = None
    mask: int | None = None
    pool: dict | None = None  # of a max_pool: selector, slides, dims of what it pools


@dataclass
class Lowered:
    """`publics`: of each, in order, what its cells are: a word and its numbers."""

    circuit: dict
    publics: list
    program: dict
    facts: dict = field(default_factory=dict)


class Lowering:
    def __init__(self, program: dict, graph: Graph, bounds: slack.Slack | None):
        self.program, self.graph, self.bounds = program, graph, bounds
        self.cuts = Cuts(graph)
        self.b = Builder()
        self.axes = Axes(self.b)
        self.nodes = [State() for _ in graph.nodes]
        self.columns = [None] * len(program["columns"])
        self.parameters, self.buffers, self.publics, self.facts = [], [], [], {}
        self.middles, self.one_hots, self.norms, self.means, self.deviations = {}, {}, {}, {}, []
        self.clipped, self.slacks = {}, {}
        self.gauges = gauge.gauge_tensors(graph) if bounds else {}

    # --- the profile ------------------------------------------------------------------------

    def line(self, name: str) -> list:
        return self.program["profile"][LINES[name]]

    @property
    def limb_bits(self) -> int:
        return self.line("limb")[0]

    @property
    def zone(self) -> int:
        return self.line("tie_zone")[0] if self.bounds else 0

    def format_of(self, number: int) -> list:
        node = self.graph[number]
        line = "gradient" if node.is_gradient else "activation"
        own = None if node.source is None else self.program["nodes"][node.source][line]
        return own or self.line(line)

    # --- the walk ---------------------------------------------------------------------------

    def run(self) -> Lowered:
        denominator = self.program["schedule"]["denominator"]
        if denominator & denominator - 1:
            raise Refused("the learning rates' denominator is no power of two")
        for gradient in self.graph.gradients:
            if gradient is not None:
                self._need(gradient)
                self.nodes[gradient].readers += 1
        for running in self.graph.running:
            self._need(running.node)
        self.batch = self.b.axis(self.program["batch"])
        self._make_state()
        largest = max(numerator for _, numerator in self.program["schedule"]["pieces"])
        self.rate = self.add_public([], 0, largest, ("rate",))
        pieces = 0
        for number, node in enumerate(self.graph.nodes):
            if not self.nodes[number].needed or node.op in VALUELESS:
                continue
            if node.op not in STATE:
                if node.op not in OPERATIONS:
                    raise Refused(f"there is no circuit for {node.op}")
                self.nodes[number].value = OPERATIONS[node.op](self, number, node)
            self._settle(number)
            pieces += len(self.value(number).pieces)
            if pieces > MAX_PIECES:
                raise Refused("sums of sums have too many terms")
        normalisation.lower_buffers(self)
        descent.lower_optimiser(self)
        slack.lower_slack(self)
        return Lowered(self.b.description(), self.publics, self.program, self.facts)

    def _need(self, first: int):
        # Without recursion: a graph may be deep.
        waiting = [first]
        while waiting:
            number = waiting.pop()
            if self.nodes[number].needed:
                continue
            self.nodes[number].needed = True
            node = self.graph[number]
            if node.op == "max_pool_grad":
                waiting.append(pooling.pool_of(self.graph, node))
            for place, x in enumerate(node.inputs):
                waiting.append(x)
                decision = place == 1 and node.op in DECISIONS
                if node.op == "relu" or decision and node.op == "relu_grad":
                    self.nodes[x].branches = True
                if not decision:
                    self.nodes[x].readers += 1

    def _make_state(self):
        for number, node in enumerate(self.graph.nodes):
            if node.op not in STATE:
                continue
            dims = [self.axes.make(sizes) for sizes in self.cuts.sizes(number)]
            if node.op == "parameter":
                made = self.b.state(flat(dims), signed(32, self.limb_bits, LOW_WEIGHT_BITS), "weight")
                self.parameters.append(made)
                unit = units.power(self.program["parameters"][node.index]["scale"] - 30)
            else:
                bits, scale = self.line("statistics")
                made = self.b.state(flat(dims), signed(bits, self.limb_bits), "weight")
                self.buffers.append(made)
                unit = units.power(-scale)
            self.nodes[number].value = read_of(self.b.at(made), unit, dims)

    def _settle(self, number: int):
        """What branches is rounded; what several nodes read is made once, in few bits."""
        state = self.nodes[number]
        if state.branches and state.positive is None:
            if state.value.is_constant():
                raise Refused("relu of a constant")
            self.round(number)
        elif state.readers >= 2 and not state.value.is_constant() and self.as_one_read(state.value) is None:
            self.factor(number)

    # --- what a value becomes ---------------------------------------------------------------

    def value(self, number: int) -> Expression:
        return self.nodes[number].value

    def add_public(self, axes: list, lo: int, hi: int, what: tuple) -> int:
        self.publics.append(what)
        return self.b.public(axes, lo, hi)

    def scaled(self, e: Expression, scale: int) -> tuple:
        """A form X and a divisor d: X/d = 2^scale e."""
        terms, constant, divisor = integers(e, scale)
        return self.b.form(flat(e.dims), terms, constant), divisor

    @staticmethod
    def as_one_read(e: Expression) -> tuple | None:
        """(read, unit)"""
        if len(e.pieces) != 1 or e.constant is None or e.constant:
            return None
        piece, = e.pieces
        if len(piece.factors) != 1 or piece.windows or not set(piece.factors[0]["axes"]) <= set(flat(e.dims)):
            return None
        return piece.factors[0], piece.unit

    def _become(self, number: int, made: int, unit: Fraction | None) -> tuple:
        self.nodes[number].value = read_of(self.b.at(made), unit, self.value(number).dims)
        return self.b.at(made), unit

    def make_form(self, number: int) -> tuple:
        """The value as a form of its own, whatever it is."""
        e = self.value(number)
        made = e.as_units()
        if made is None:
            raise Refused("factors of more than 62 bits in one unit")
        terms, constant, unit = made
        return self._become(number, self.b.form(flat(e.dims), terms, constant), unit)

    def whole(self, number: int) -> tuple:
        """As one read, however many bits it has: (read, unit)."""
        return self.as_one_read(self.value(number)) or self.make_form(number)

    def round(self, number: int) -> tuple:
        bits, scale = self.format_of(number)
        x, divisor = self.scaled(self.value(number), scale)
        if self.nodes[number].branches:
            made, positive, deviation = self.b.divide_signed(x, divisor, signable(bits, self.limb_bits), self.zone)
            self.note_sign(number, positive, deviation)
        else:
            made = self.b.divide(x, divisor, signed(bits, self.limb_bits))
        return self._become(number, made, units.power(-scale))

    def note_sign(self, number: int, positive: int, deviation: int | None):
        self.nodes[number].positive = positive
        if deviation is not None:
            self.deviations.append(deviation)

    def factor(self, number: int) -> tuple:
        """As a factor of a product, of few bits: (read, unit)."""
        most = 2 ** self.format_of(number)[0]
        e = self.value(number)
        one = self.as_one_read(e)
        if one:
            read, unit = one
            if read["value"] in self.parameters:
                middle = self.middle_of(self.parameters.index(read["value"]))
                return {**read, "value": middle}, units.times(unit, units.power(LOW_WEIGHT_BITS - 1))
            lo, hi = self.b.ranges[read["value"]]
            if self.b.values[read["value"]]["kind"] == "number" or lo >= -most and hi <= most:
                return one
        else:
            made = e.as_units()
            if made is None:
                raise Refused("factors of more than 62 bits in one unit")
            extent = self.b.extent(flat(e.dims), *made[:2])
            if extent and extent[0] >= -most and extent[1] <= most:
                return self.whole(number)
        return self.round(number)

    def factor_along_all(self, number: int) -> tuple:
        """The same, read along all of the node's axes."""
        (read, unit), axes = self.factor(number), flat(self.value(number).dims)
        return (read if len(read["axes"]) == len(axes) else self.b.at(self.b.form(axes, [term(1, read)]))), unit

    def middle_of(self, parameter: int) -> int:
        if parameter not in self.middles:
            self.middles[parameter] = self.middle_of_cell(self.parameters[parameter], LOW_WEIGHT_BITS)
        return self.middles[parameter]

    def middle_of_cell(self, number: int, cut: int) -> int:
        """2 floor(x / 2^cut) + 1 of a number whose limbs end at bit `cut`."""
        terms = [term(2 ** (below - cut + 1), self.b.at(number, limb))
                 for limb, (below, _) in enumerate(self.b.limbs(number)) if below >= cut]  # fmt: skip
        return self.b.form(self.b.axes_of(number), terms, 1 - 2 * (self.b.values[number]["bias"] >> cut))


OPERATIONS = {**arithmetic.OPERATIONS, **wiring.OPERATIONS, **windows.OPERATIONS, **pooling.OPERATIONS,
              **normalisation.OPERATIONS, **losses.OPERATIONS}  # fmt: skip


def with_pools_first(program: dict) -> dict:
    """max_pool(relu(x)) as relu(max_pool(x)), where nothing else reads the relu."""
    first = sum(len(program[name]) for name in ("columns", "parameters", "buffers"))
    nodes = [dict(node) for node in program["nodes"]]
    read = [x for node in nodes for x in node["inputs"]] + [program["loss"]]
    for pool in nodes:
        if OPERATORS[pool["op"]["code"]][0] != "max_pool":
            continue
        x = pool["inputs"][0]
        if x < first or read.count(x) != 1 or OPERATORS[nodes[x - first]["op"]["code"]][0] != "relu":
            continue
        relu = nodes[x - first]
        for name in ("op", "name", "activation", "gradient"):
            relu[name], pool[name] = pool[name], relu[name]
    return {**program, "nodes": nodes}


def lower(program: dict, bounds: "slack.Slack | None" = None) -> Lowered:
    """The circuit of a step; of recorded steps, if there are bounds. Raises program.Refused."""
    programs.check(program)
    ordered = with_pools_first(program)
    graph = Expansion(ordered).run()
    Derivative(graph).run()
    return Lowering(ordered, graph, bounds).run()
