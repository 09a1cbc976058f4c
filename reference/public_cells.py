# SPDX-License-Identifier: Apache-2.0
"""What everybody knows of a step: rows of its batch and cells of the circuit's publics. docs/spec/step.md, lowering.md."""

import sys
from functools import lru_cache
from math import prod
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import draws  # noqa: E402
from lowering import Lowered, adam, descent, slack  # noqa: E402
from masking import require  # noqa: E402

MAX_RECORDS, MAX_READS, MAX_CELLS = 2**28, 2**26, 2**28

epoch_order = lru_cache(maxsize=2)(draws.epoch_order)


def rows_of(seed: bytes, records: int, batch: int, first: int, steps: int) -> list:
    rows = []
    for step in range(first, first + steps):
        epoch, place = divmod(step, records // batch)
        rows += epoch_order(seed, epoch, records)[place * batch:(place + 1) * batch]
    return rows


def numerator_at(schedule: dict, step: int) -> int:
    for steps, numerator in schedule["pieces"]:
        if step < steps:
            return numerator
        step -= steps
    return numerator


def check_fits(lowered: Lowered, records: int, steps: int):
    circuit, batch = lowered.circuit, lowered.program["batch"]
    if circuit["data"]:
        require(batch <= records <= MAX_RECORDS, "plan", "a data set of another size than can be read")
        require(steps <= MAX_READS // batch, "plan", "too many records for one proof")
    cells = 0
    for public in circuit["publics"]:
        cells += prod(circuit["axes"][axis][1] for axis in circuit["values"][public]["axes"])
        require(steps <= MAX_CELLS // cells, "plan", "too many cells of publics for one proof")


class Steps:
    """The cells of all publics in some steps."""

    def __init__(self, lowered: Lowered, seed: bytes, first: int, steps: int):
        self.program, self.seed, self.lowered = lowered.program, seed, lowered
        self.optimiser = descent.optimiser_of(self.program)
        circuit, self.cells = lowered.circuit, {}
        for value, (kind, *numbers) in zip(circuit["publics"], lowered.publics):
            count = prod(circuit["axes"][axis][1] for axis in circuit["values"][value]["axes"])
            make = getattr(self, "_" + kind.replace(" ", "_"))
            self.cells[value] = [cell for step in range(first, first + steps) for cell in make(step, count, *numbers)]

    def _numerator(self, step):
        return numerator_at(self.program["schedule"], step)

    def _rate(self, step, count):
        return [self._numerator(step)]

    def _mask(self, step, count, number, num, den):
        return draws.mask(self.seed, step, number, num, den, count)

    def _places(self, step, count):
        return range(count)

    def _share(self, step, count):
        dampening = self.optimiser.fraction("dampening")
        return [dampening.denominator - (dampening.numerator if step else 0)]

    def _decay(self, step, count):
        return [descent.decay_factor(self.program, self._numerator(step))]

    def _factor(self, step, count):
        return [adam.factors_of(self.program, self.optimiser).factor(self._numerator(step), step)]

    def _epsilon(self, step, count):
        return [adam.factors_of(self.program, self.optimiser).epsilon(step)]

    def _slack_share(self, step, count):
        bounds = self.lowered.facts["slack"]
        return [bounds["share_first"] if step < slack.FIRST_STEPS else bounds["share"]]
