"""prove: a step's share of a proof of training, and a plain PyTorch step (the baseline); where a cell's time goes."""
import os

import proofs
import table
from networks import WORKLOADS

GROWTH = (1, 10, 100)  # steps of the MLP
# Of the command. Reading the data and the check of the finished proof are no part of a cell's time.
STAGES = {"integers": ("training", "witness"), "commit": ("commitment", "committing"), "lookup": ("lookups",),
          "sumcheck": ("relations",), "open": ("opening",)}  # fmt: skip
CELLS_OF = ("vgg11", "vgg11_calibrated")
RECORDED = ("mlp", "lenet")  # beside the exact run of the same network


def rows(small):
    result = []
    for name in WORKLOADS:
        p = proofs.proven(name, proofs.steps_of(name, small), small)
        result += [table.row(f"prove.{name}.step_s", p.step_s, "s", p.plain_s),
                   # Of it, the exact engine's own.
                   table.row(f"prove.{name}.training_s", p.stage_s("training"), "s", p.plain_s),
                   table.row(f"prove.{name}.cells", [p.cells / p.steps], "cell"),
                   table.row(f"prove.{name}.rss_mb", [p.rss_mb], "MB"),
                   table.row(f"prove.{name}.proof_mb", [p.proof["proof_bytes"] / 1e6], "MB"),
                   table.row(f"prove.{name}.verify_ms", p.verify_ms, "ms")]
    for name in RECORDED:
        exact = proofs.proven(name, proofs.steps_of(name, small), small)
        p = proofs.recorded(name, proofs.steps_of(name, small), small)
        result += [table.row(f"prove.{name}.recorded.step_s", p.step_s, "s", exact.step_s),
                   table.row(f"prove.{name}.recorded.cells", [p.cells / p.steps], "cell", [exact.cells / exact.steps]),
                   *(table.row(f"prove.{name}.recorded.{part}_s", p.stage_s(*stages), "s", exact.stage_s(*stages))
                     for part, stages in STAGES.items())]
    every = [proofs.proven(name, proofs.steps_of(name, small), small) for name in WORKLOADS]
    for name in CELLS_OF:
        result += _cell_rows(name, proofs.proven(name, proofs.steps_of(name, small), small))
    result.append(table.row("prove.soundness_bits", [min(p.verdicts[0]["soundness_bits"] for p in every)], "bit", [100]))
    return result + _growth_rows(small)


def _cell_rows(name, p):
    """ns of a core for each committed cell, all in, and by part."""
    def of(stages):
        return [1e9 * s * p.steps * os.cpu_count() / p.cells for s in p.stage_s(*stages)]
    return [table.row(f"prove.{name}.cell_ns", of([stage for stages in STAGES.values() for stage in stages]), "ns"),
            *(table.row(f"prove.{name}.cell_ns.{part}", of(stages), "ns") for part, stages in STAGES.items())]


def _growth_rows(small):
    result = []
    for steps in sorted({max(n // proofs.THIN, 1) if small else n for n in GROWTH}):
        p = proofs.proven("mlp", steps, small)
        result += [table.row(f"prove.mlp.steps_{steps}.s", [steps * s for s in p.step_s], "s", [steps * s for s in p.plain_s]),
                   table.row(f"prove.mlp.steps_{steps}.proof_mb", [p.proof["proof_bytes"] / 1e6], "MB"),
                   table.row(f"prove.mlp.steps_{steps}.verify_ms", p.verify_ms, "ms")]
    return result
