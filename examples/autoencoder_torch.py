# SPDX-License-Identifier: Apache-2.0
"""A convolutional autoencoder of Fashion-MNIST."""
import torch
from torch import nn

import common


def build():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(784, 16),
        nn.Linear(16, 784), nn.Unflatten(1, (16, 7, 7)), nn.ConvTranspose2d(16, 8, 2, 2), nn.ReLU(), nn.ConvTranspose2d(8, 1, 2, 2))


def main():
    images, _ = common.fashion(128)
    return common.cycle("autoencoder", build(), common.torch_steps(
        (images[:, None],), lambda m, x: torch.nn.functional.mse_loss(m(x), x)))


if __name__ == "__main__":
    common.show(main())
