# SPDX-License-Identifier: Apache-2.0
"""Each site's own clothes: a label-skewed shard of Fashion-MNIST, and what a site's script does around its training."""
import argparse
import functools
import gzip
import json
import pathlib

import numpy as np

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
TRAIN, HOLD_OUT = 6000, 1000
SKEW = 0.5  # that share of a shard is of the site's own labels, the rest of all of them


@functools.cache
def fashion(split="train"):
    """(images (n, 28, 28) in [0, 1], labels). Debian: dataset-fashion-mnist."""
    def read(kind, skip):
        with gzip.open(FOLDER / f"{split}-{kind}-ubyte.gz") as file:
            return np.frombuffer(file.read(), np.uint8, offset=skip)
    images = read("images-idx3", 16).reshape(-1, 28, 28)
    return images.astype("float32") / 255, read("labels-idx1", 8).astype("int64")


def shard(number, count):
    """Rows of the training set that site `number` of `count` holds: (training rows, hold-out rows); no two sites share one."""
    labels = fashion()[1]
    rng = np.random.default_rng(20)
    mine = [k for k in range(10) if k * count // 10 == number]
    parts = np.array_split(rng.permutation(len(labels)), count)[number]
    own = parts[np.isin(labels[parts], mine)]
    other = parts[~np.isin(labels[parts], mine)]
    size = TRAIN + HOLD_OUT
    take = min(len(own), int(SKEW * size))
    rows = rng.permutation(np.concatenate([own[:take], other[:size - take]]))
    return rows[:TRAIN], rows[TRAIN:size]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--repo", required=True, help="the site's clone")
    parser.add_argument("--data-shard", required=True, metavar="K/N", help="this site's part of the data, K from 0")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--poison", action="store_true", help="push an update that does harm")
    options = parser.parse_args()
    number, _, count = options.data_shard.partition("/")
    if not (number.isdigit() and count.isdigit() and int(number) < int(count) <= 8):
        parser.error("--data-shard is K/N with 0 <= K < N <= 8")
    options.shard, options.shards = int(number), int(count)
    return options


def poisoned(before, after):
    """Ten times the update, the other way: what a saboteur would push. name -> array."""
    return {name: (before[name] - 10 * (after[name] - before[name])).astype(before[name].dtype) for name in before}


def report(framework, commit, proposal, accuracy):
    """The last line of a site's script, for the demo."""
    print(json.dumps({"framework": framework, "samples": commit.samples, "steps": commit.steps, "accuracy": round(accuracy, 4),
                      "commit": commit.id, "proposal": proposal.number, "url": proposal.url, "moved": proposal.moved,
                      "egress_bytes": proposal.egress["sent_bytes"], "egress": proposal.egress}))
