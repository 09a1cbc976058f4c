"""merge: eight models of 100 M fp32 weights by FedAvg, median and Krum. Baseline: NumPy, the same arithmetic."""
import re
import time

import numpy as np
import table

MODELS, PROGRAM = 8, table.ROOT / "build/release/src/merge/merge_merge_bench"


def numpy_seconds(elements):
    """The three rules over all elements, in float64 as the engine computes them, in pieces that leave memory for it."""
    piece, seconds = min(elements, 5_000_000), {}
    inputs = [0.02 * np.random.default_rng(i).standard_normal(piece, np.float32) for i in range(MODELS)]
    for name, rule in (("fedavg", _mean), ("median", _median), ("krum", _krum)):
        start = time.perf_counter()
        for _ in range(elements // piece):
            rule(inputs)
        seconds[name] = time.perf_counter() - start
    return seconds


def _mean(inputs):
    total = np.zeros(len(inputs[0]))
    for w in inputs:
        total += w.astype(np.float64) / len(inputs)
    return total.astype(np.float32)


def _median(inputs):
    return np.median(np.stack(inputs).astype(np.float64), axis=0).astype(np.float32)


def _krum(inputs):
    distances = np.zeros((len(inputs), len(inputs)))
    for i, a in enumerate(inputs):
        for j in range(i):
            difference = a.astype(np.float64) - inputs[j]
            distances[i, j] = distances[j, i] = difference @ difference
    return inputs[int(np.argmin(np.sort(distances, axis=1)[:, 1:len(inputs) - 2].sum(axis=1)))]


def rows(small):
    elements = 100_000_000 // (16 if small else 1)
    ours, plain, memory = {}, {}, []
    for _ in range(3):
        measured = table.run(PROGRAM, "--elements", elements, "--inputs", MODELS)
        for name, seconds in re.findall(r"^(fedavg|median|krum)\s+([0-9.]+) s", measured.output, re.M):
            ours.setdefault(name, []).append(float(seconds))
        memory.append(measured.rss_mb)
        for name, seconds in numpy_seconds(elements).items():
            plain.setdefault(name, []).append(seconds)
    result = [table.row(f"merge.{name}_s", ours[name], "s", plain[name]) for name in ("fedavg", "median", "krum")]
    return [*result, table.row("merge.rss_mb", [max(memory)], "MB")]
