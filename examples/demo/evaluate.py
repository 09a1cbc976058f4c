# SPDX-License-Identifier: Apache-2.0
"""Accuracy of a version of the demo's model, on the test set and on each site's hold-out, as JSON. Reads light copies too."""
import argparse
import json

import torch

import flair
import shards
from model_torch import FashionNet


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repo", required=True)
    parser.add_argument("--ref", help="a version; without it, the file in the folder")
    parser.add_argument("--shards", type=int, default=4, help="number of shards")
    options = parser.parse_args()
    model = FashionNet().eval()
    flair.open(options.repo).load_into(model, ref=options.ref)

    def accuracy(images, labels):
        with torch.no_grad():
            got = model(torch.from_numpy(images)[:, None]).argmax(1)
        return round(float((got == torch.from_numpy(labels)).float().mean()), 4)
    images, labels = shards.fashion()
    sites = [accuracy(images[held], labels[held]) for held in (shards.shard(k, options.shards)[1] for k in range(options.shards))]
    print(json.dumps({"global": accuracy(*shards.fashion("t10k")), "sites": sites}))


if __name__ == "__main__":
    main()
