#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Untrained weights of the two programs here, as PyTorch draws them: weights.py mlp|cnn writes MODEL.safetensors."""
import sys

import safetensors.torch
import torch
from torch import nn

MODELS = {
    "mlp": lambda: {"fc1": nn.Linear(784, 256), "fc2": nn.Linear(256, 10)},
    "cnn": lambda: {"conv1": nn.Conv2d(1, 6, 5, padding=2), "conv2": nn.Conv2d(6, 16, 5), "fc1": nn.Linear(400, 120),
                    "fc2": nn.Linear(120, 84), "fc3": nn.Linear(84, 10)},
}

if len(sys.argv) != 2 or sys.argv[1] not in MODELS:
    sys.exit("usage: weights.py mlp|cnn")
torch.manual_seed(0)
model = nn.ModuleDict(MODELS[sys.argv[1]]())
safetensors.torch.save_file(model.state_dict(), f"{sys.argv[1]}.safetensors")
