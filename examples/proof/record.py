#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains mlp.txt's network in PyTorch and records the run: record.py [STEPS]. Prints what proves it."""
import gzip
import pathlib
import secrets
import sys

import numpy as np
import safetensors.torch
import torch
from torch import nn

import flair

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
SEED = secrets.token_hex(32)  # of the order of the batches


def column(name, head):
    return np.frombuffer(gzip.decompress((FASHION / name).read_bytes()), np.uint8, offset=head)


class Mlp(nn.Module):
    """The program's parameters by name, and its first step."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 256), nn.Linear(256, 10)

    def forward(self, images):
        return self.fc2(torch.relu(self.fc1(images.float() / 256)))


images = torch.tensor(column("train-images-idx3-ubyte.gz", 16).reshape(-1, 784))
labels = torch.tensor(column("train-labels-idx1-ubyte.gz", 8)).long()
data = torch.utils.data.TensorDataset(images, labels)
model = Mlp()
model.load_state_dict(safetensors.torch.load_file("mlp.safetensors"))
optimizer = torch.optim.SGD(model.parameters(), lr=1 / 8)

with flair.record(model, optimizer, data=data, repo=flair.open(".")) as run:
    for x, y in torch.utils.data.DataLoader(data, batch_sampler=flair.batches(SEED, len(data), 64, STEPS)):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

safetensors.torch.save_file(model.state_dict(), "mlp-recorded.safetensors")
print(f"flair prove {pathlib.Path(run.folder).relative_to(pathlib.Path.cwd())} --program mlp.txt --data fashion.data --seed {SEED} -o recorded")
