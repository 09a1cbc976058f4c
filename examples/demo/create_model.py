# SPDX-License-Identifier: Apache-2.0
"""Writes the demo's untrained model: create_model.py --out model.safetensors"""
import argparse
import json
import pathlib

import torch

import flair.torch
from flair import model_file
from model_torch import FashionNet


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="model.safetensors")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    state, _ = flair.torch.state_of(FashionNet())
    model_file.write(options.out, state)
    print(json.dumps({"bytes": pathlib.Path(options.out).stat().st_size, "parameters": sum(t.size for t in state.values())}))


if __name__ == "__main__":
    main()
