"""verify: the check of a run's proof, and training the run again in PyTorch (the baseline)."""
import proofs
import table
from networks import WORKLOADS


def rows(small):
    result = []
    for name in WORKLOADS:
        p = proofs.proven(name, proofs.steps_of(name, small), small)
        result.append(table.row(f"verify.{name}.ms", p.verify_ms, "ms", [1000 * p.steps * s for s in p.plain_s]))
    return result
