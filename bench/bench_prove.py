"""prove: a step's share of a proof of training, and a plain PyTorch step (the baseline); where a cell's time goes."""
import os

import proofs
import table
from networks import WORKLOADS

GROWTH = (1, 10, 100)  # steps of the MLP
# ns of a core for each committed cell. Data, training itself and the check of the proof are no part of it.
STAGES = {"commit": ("commitment", "committing"), "lookup": ("lookups",), "sumcheck": ("relations",), "open": ("opening",)}
CELLS_OF = "vgg11"
RECORDED = ("mlp", "lenet")  # beside the exact run of the same network


def rows(small):
    result = []
    for name in WORKLOADS:
        p = proofs.proven(name, proofs.steps_of(name, small), small)
        result += [table.row(f"prove.{name}.step_s", [p.step_s], "s", p.plain_s),
                   # Of it, the exact engine's own.
                   table.row(f"prove.{name}.training_s", [p.proof["stages"]["training"] / p.steps], "s", p.plain_s),
                   table.row(f"prove.{name}.cells", [p.cells / p.steps], "cell"),
                   table.row(f"prove.{name}.rss_mb", [p.rss_mb], "MB"),
                   table.row(f"prove.{name}.proof_mb", [p.proof["proof_bytes"] / 1e6], "MB")]
    for name in RECORDED:
        exact = proofs.proven(name, proofs.steps_of(name, small), small)
        p = proofs.recorded(name, proofs.steps_of(name, small), small)
        result += [table.row(f"prove.{name}.recorded.step_s", [p.step_s], "s", [exact.step_s]),
                   table.row(f"prove.{name}.recorded.cells", [p.cells / p.steps], "cell", [exact.cells / exact.steps])]
    every = [proofs.proven(name, proofs.steps_of(name, small), small) for name in WORKLOADS]
    result += _cell_rows(proofs.proven(CELLS_OF, proofs.steps_of(CELLS_OF, small), small))
    result.append(table.row("prove.soundness_bits", [min(p.verdicts[0]["soundness_bits"] for p in every)], "bit", [100]))
    return result + _growth_rows(small)


def _cell_rows(p):
    def of(stages):
        return [1e9 * sum(p.proof["stages"][stage] for stage in stages) * os.cpu_count() / p.cells]
    prover = [stage for stage in p.proof["stages"] if stage not in ("data", "training", "verifying", "kept")]
    return [table.row("prove.cell_ns", of(prover), "ns"),
            *(table.row(f"prove.cell_ns.{part}", of(stages), "ns") for part, stages in STAGES.items())]


def _growth_rows(small):
    result = []
    for steps in sorted({max(n // proofs.THIN, 1) if small else n for n in GROWTH}):
        p = proofs.proven("mlp", steps, small)
        result += [table.row(f"prove.mlp.steps_{steps}.s", [p.proof["seconds"]], "s", [steps * s for s in p.plain_s]),
                   table.row(f"prove.mlp.steps_{steps}.proof_mb", [p.proof["proof_bytes"] / 1e6], "MB"),
                   table.row(f"prove.mlp.steps_{steps}.verify_ms", p.verify_ms, "ms")]
    return result
