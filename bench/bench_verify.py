"""verify: the check of a run's proof, and training the run again in PyTorch (the baseline)."""
import proofs
import table

VERIFIED = ("mlp", "lenet", "vgg11")  # the bench `prove` has a row for every network


def rows(small):
    result = []
    for name in VERIFIED:
        p = proofs.proven(name, proofs.steps_of(name, small), small)
        result.append(table.row(f"verify.{name}.ms", p.verify_ms, "ms", [1000 * p.steps * s for s in p.plain_s]))
    return result
