# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of docs/formats/merge.md, slowly, to be checked against.

Python's float is a float64 and its operators round once, so the formulas can be
written as they stand. `python3 reference/merge.py` prints tests/vectors/merge.json.
"""

import json
import math
import random
import struct
import sys
from fractions import Fraction

ONE = 1 << 24
BLOCK = 1 << 18
LANES = 8


# --- numbers in and out -----------------------------------------------------------------

# dtype: (bytes, bits of the significand with the leading one, smallest exponent of a normal number)
FLOATS = {"F16": (2, 11, -14), "BF16": (2, 8, -126), "F32": (4, 24, -126), "F64": (8, 53, -1022)}


def load(dtype: str, raw: bytes) -> list[float]:
    if dtype == "BF16":
        return [struct.unpack("<f", b"\0\0" + raw[i : i + 2])[0] for i in range(0, len(raw), 2)]
    return [v for (v,) in struct.iter_unpack({"F16": "<e", "F32": "<f", "F64": "<d"}[dtype], raw)]


def nearest(dtype: str, x: float) -> float:
    """The nearest number of the dtype, ties to even; not for what overflows."""
    _, bits, least = FLOATS[dtype]
    if x == 0:
        return x
    if x < 0:
        return -nearest(dtype, -x)
    exponent = max(math.frexp(x)[1] - 1, least) - (bits - 1)  # of the last bit
    return float(round(Fraction(x) / Fraction(2) ** exponent) * Fraction(2) ** exponent)


def store(dtype: str, values: list[float]) -> bytes:
    out = bytearray()
    for v in values:
        v = nearest(dtype, v)
        if dtype == "BF16":
            out += struct.pack("<f", v)[2:]
        else:
            out += struct.pack({"F16": "<e", "F32": "<f", "F64": "<d"}[dtype], v)
    return bytes(out)


# --- weights ----------------------------------------------------------------------------


def weights_by_samples(samples: list[int]) -> list[int]:
    total = sum(samples)
    alpha = [ONE * n // total for n in samples]
    order = sorted(range(len(samples)), key=lambda i: (-(ONE * samples[i] % total), i))
    for i in order[: ONE - sum(alpha)]:
        alpha[i] += 1
    return alpha


def discount(alpha: int, staleness: int) -> int:
    return math.isqrt(alpha * alpha // (1 + staleness))


# --- methods ----------------------------------------------------------------------------


def update_linear(differences: list[float], alpha: list[int]) -> float:
    s = 0.0
    for d, a in zip(differences, alpha):
        s = s + (a / ONE) * d
    return s


def update_ranks(differences: list[float], first: int, count: int, mean: bool) -> float:
    s = 0.0
    for d in sorted(differences)[first : first + count]:
        s = s + d
    if mean:
        return s / count
    return s * 0.5 if count == 2 else s


def combine(case: dict) -> bytes:
    dtype = case["dtype"]
    target = load(dtype, bytes.fromhex(case["target"]))
    inputs = [load(dtype, bytes.fromhex(i)) for i in case["inputs"]]
    bases = [load(dtype, bytes.fromhex(b)) for b in case["bases"]]
    if case["role"] == "statistics":
        bases = [target] * len(inputs)
    n = len(inputs)
    out = []
    for k, t in enumerate(target):
        d = [w[k] - b[k] for w, b in zip(inputs, bases)]
        if case["method"] == "median":
            s = update_ranks(d, (n - 1) // 2, 2 - n % 2, mean=False)
        elif case["method"] == "trimmed_mean":
            cut = case["beta_per_million"] * n // 1_000_000
            s = update_ranks(d, cut, n - 2 * cut, mean=True)
        else:
            s = update_linear(d, case["alpha"])
        out.append(t + s)
    return store(dtype, out)


# --- Krum -------------------------------------------------------------------------------


def squared_norm(values: list[float]) -> float:
    total = 0.0
    for start in range(0, len(values), BLOCK):
        lane = [0.0] * LANES
        for k, v in enumerate(values[start : start + BLOCK]):
            lane[k % LANES] = lane[k % LANES] + v * v
        l0, l1, l2, l3, l4, l5, l6, l7 = lane
        total = total + (((l0 + l4) + (l2 + l6)) + ((l1 + l5) + (l3 + l7)))
    return total


def krum_distances(updates: list[list[list[float]]]) -> list[list[float]]:
    """updates[i][t]: the update of input i to tensor t."""
    n = len(updates)
    d = [[0.0] * n for _ in range(n)]
    for t in range(len(updates[0])):
        for i in range(n):
            for j in range(i + 1, n):
                share = squared_norm([x - y for x, y in zip(updates[i][t], updates[j][t])])
                d[i][j] = d[j][i] = d[i][j] + share
    return d


def krum_scores(distances: list[list[float]], f: int) -> list[float]:
    n = len(distances)
    scores = []
    for i in range(n):
        others = sorted(distances[i][j] for j in range(n) if j != i)
        s = 0.0
        for v in others[: max(n - f - 2, 1)]:
            s = s + v
        scores.append(s)
    return scores


def krum_alpha(scores: list[float], m: int) -> list[int]:
    chosen = sorted(sorted(range(len(scores)), key=lambda i: (scores[i], i))[:m])
    shares = weights_by_samples([1] * m)
    alpha = [0] * len(scores)
    for i, share in zip(chosen, shares):
        alpha[i] = share
    return alpha


# --- vectors ----------------------------------------------------------------------------


def lcg(seed: int, n: int) -> list[float]:
    """What the tests generate for themselves: fp32 values in [-1, 1]."""
    out = []
    for _ in range(n):
        seed = (seed * 1664525 + 1013904223) % (1 << 32)
        signed = seed - (1 << 32) if seed >= 1 << 31 else seed
        out.append(struct.unpack("<f", struct.pack("<f", signed))[0] * 2.0**-31)
    return out


EDGES = {
    "F16": [0.0, -0.0, 1.0, 65504.0, 2.0**-24, 2.0**-14],
    "BF16": [0.0, -0.0, 1.0, 3e38, 2.0**-133, 2.0**-126],
    "F32": [0.0, -0.0, 1.0, 3e38, 2.0**-149, 2.0**-126],
    "F64": [0.0, -0.0, 1.0, 1e308, 2.0**-1074, 2.0**-1022],
}


def tensor(rng: random.Random, dtype: str, n: int, edges: bool) -> str:
    values = [rng.gauss(0, 1) * 10.0 ** rng.randint(-6, 2) for _ in range(n)]
    if edges:
        values = [rng.choice(EDGES[dtype]) if rng.random() < 0.3 else v for v in values]
        # Halves, so that no sum of two leaves the range.
        values = [v / 4 if abs(v) > 1e4 else v for v in values]
    return store(dtype, values).hex()


def combine_cases() -> list[dict]:
    rng = random.Random(7)
    cases = []
    for method in ("linear", "median", "trimmed_mean"):
        for dtype in ("F32", "F16", "BF16", "F64"):
            for n, shared, role in ((1, True, "trainable"), (2, False, "trainable"), (3, True, "trainable"),
                                    (4, True, "statistics"), (5, False, "trainable"), (8, True, "trainable"),
                                    (11, False, "statistics")):  # fmt: skip
                size = 21
                target = tensor(rng, dtype, size, True)
                bases = [target] * n if shared else [tensor(rng, dtype, size, True) for _ in range(n)]
                case = {
                    "method": method,
                    "dtype": dtype,
                    "role": role,
                    "beta_per_million": rng.choice((0, 100_000, 250_000, 499_999)),
                    "alpha": weights_by_samples([rng.randint(1, 1000) for _ in range(n)]),
                    "target": target,
                    "bases": bases,
                    "inputs": [tensor(rng, dtype, size, True) for _ in range(n)],
                }
                case["merged"] = combine(case).hex()
                cases.append(case)
    return cases


def krum_case(seeds: list[int], sizes: list[int], f: int, m: int) -> dict:
    # Input i, tensor t: values from seed 1000 t + seeds[i]; its base from seed 1000 t.
    updates = [
        [[w - b for w, b in zip(lcg(1000 * t + s, n), lcg(1000 * t, n))] for t, n in enumerate(sizes)]
        for s in seeds
    ]
    distances = krum_distances(updates)
    scores = krum_scores(distances, f)
    return {
        "seeds": seeds,
        "sizes": sizes,
        "f": f,
        "m": m,
        "distances": [[v.hex() for v in row] for row in distances],
        "scores": [v.hex() for v in scores],
        "alpha": krum_alpha(scores, m),
    }


def vectors() -> dict:
    samples = [[1], [1, 1, 1], [300, 100], [1, 2, 3, 4, 5, 6, 7], [10**9, 1], [5, 5, 5, 5, 5, 5, 5]]
    stale = [(ONE, 0), (ONE, 1), (ONE, 3), (ONE // 3, 2), (ONE, 10**6), (7, 5), (0, 4), (ONE, 2**60)]
    return {
        "weights": [{"samples": s, "alpha": weights_by_samples(s)} for s in samples],
        "discounts": [{"alpha": a, "staleness": t, "discounted": discount(a, t)} for a, t in stale],
        "combine": combine_cases(),
        "krum": [
            krum_case([1, 2, 3], [5], 0, 1),
            krum_case([1, 2, 3, 4, 5], [17, 8, 1], 1, 1),
            krum_case([9, 8, 7, 6, 5, 4, 3, 2], [100], 2, 3),
            krum_case([1, 2, 3], [BLOCK + 13], 0, 2),
        ],
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    sys.stdout.write("\n")
