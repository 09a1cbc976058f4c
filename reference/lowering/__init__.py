# SPDX-License-Identifier: Apache-2.0
"""From a training program to the circuit of one step, written from docs/spec/lowering.md.

`lower(program, slack)` gives a Lowered; both verifiers make the same circuit of the same program.

    units       what a 1 of a tensor stands for
    graph       a program in primitive operators; derivative: and what follows from the chain rule
    cuts        dims as axes
    builder     a circuit, value by value; gadgets: roots, quotients, softmax, maxima
    expression  a tensor on its way into the circuit
    step        the walk over the graph; arithmetic, wiring, windows, normalisation, losses: its operators
    descent     from gradients to the next weights; clipping, adam, slack, gauge
"""

from . import adam, descent, slack  # noqa: F401
from .step import Lowered, lower  # noqa: F401
