# SPDX-License-Identifier: Apache-2.0
"""A site that trains with PyTorch: load, train on its own shard, commit, push a proposal."""
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

import flair
import shards
from model_torch import FashionNet


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return float((model(x).argmax(1) == y).float().mean())


def train(model, data, epochs, repo):
    """Ordinary PyTorch; the only line of Flair is the `with`."""
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with flair.record(model, optimizer, data=data, repo=repo) as run:
        for _ in range(epochs):
            for x, y in DataLoader(data, batch_size=64, shuffle=True):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()
    return run


def main():
    options = shards.arguments(__doc__)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    images, labels = (torch.from_numpy(a) for a in shards.fashion())
    images = images[:, None]
    rows, held = (torch.from_numpy(np.asarray(r)) for r in shards.shard(options.shard, options.shards))

    repo = flair.open(options.repo)
    model = FashionNet()
    repo.load_into(model)
    before = {name: tensor.clone().numpy() for name, tensor in model.state_dict().items()}
    run = train(model, TensorDataset(images[rows], labels[rows]), options.epochs, repo)
    score = accuracy(model, images[held], labels[held])
    if options.poison:
        after = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
        model.load_state_dict({name: torch.from_numpy(a) for name, a in shards.poisoned(before, after).items()})
    commit = repo.commit(model, run=run, metrics={"accuracy": score},
                         message=f"Shard {options.shard}: {options.epochs} epoch(s) of {len(rows)} images")
    shards.report("PyTorch", commit, repo.push(), score)


if __name__ == "__main__":
    main()
