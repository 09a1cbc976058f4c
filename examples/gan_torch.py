# SPDX-License-Identifier: Apache-2.0
"""A GAN: two models in one repository, two optimisers in one run."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import common
import flair


def build():
    generator = nn.Sequential(nn.Linear(16, 16 * 49), nn.Unflatten(1, (16, 7, 7)), nn.BatchNorm2d(16), nn.ReLU(),
                              nn.ConvTranspose2d(16, 8, 2, 2), nn.ReLU(), nn.ConvTranspose2d(8, 1, 2, 2), nn.Sigmoid())
    discriminator = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 16, 3, 2, 1), nn.LeakyReLU(0.2),
                                  nn.Flatten(), nn.Linear(784, 1))
    return {"generator": generator, "discriminator": discriminator}


def train(models, repo, seed):
    torch.manual_seed(seed)
    data = TensorDataset(torch.from_numpy(common.fashion(48)[0][:, None]))
    optimizers = {name: torch.optim.Adam(m.parameters(), 1e-3) for name, m in models.items()}
    score = nn.BCEWithLogitsLoss()
    with flair.record(models, list(optimizers.values()), data=data, repo=repo) as run:
        for (real,) in DataLoader(data, 16, shuffle=True):
            yes, no = torch.ones(16, 1), torch.zeros(16, 1)
            fake = models["generator"](torch.randn(16, 16))
            optimizers["discriminator"].zero_grad()
            (score(models["discriminator"](real), yes) + score(models["discriminator"](fake.detach()), no)).backward()
            optimizers["discriminator"].step()
            optimizers["generator"].zero_grad()
            score(models["discriminator"](fake), yes).backward()
            optimizers["generator"].step()
    return run


def main():
    return common.cycle("gan", build(), train)


if __name__ == "__main__":
    common.show(main())
