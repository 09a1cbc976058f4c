"""The networks whose training is proven, and the data each is trained on. `thin` divides every width."""
import dataclasses
import functools
import gzip
import pathlib
from typing import Callable

import numpy as np
import torch
from torch import nn

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


def mlp(thin):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 256 // thin), nn.ReLU(), nn.Linear(256 // thin, 10))


def mlp_dropout(thin):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 256 // thin), nn.ReLU(), nn.Dropout(0.25), nn.Linear(256 // thin, 10))


def lenet(thin):
    wide = [max(n // thin, 2) for n in (6, 16, 120, 84)]
    return nn.Sequential(nn.Conv2d(1, wide[0], 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(wide[0], wide[1], 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(25 * wide[1], wide[2]), nn.ReLU(), nn.Linear(wide[2], wide[3]), nn.ReLU(),
                         nn.Linear(wide[3], 10))


def vgg11(thin):
    layers, channels = [], 3
    for wide in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0):
        if wide == 0:
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, wide // thin, 3, padding=1), nn.ReLU()]
            channels = wide // thin
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels, 10))


class BasicBlock(nn.Module):
    def __init__(self, channels, wide, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, wide, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(wide, wide, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.downsample = None
        if stride != 1 or channels != wide:
            self.downsample = nn.Sequential(nn.Conv2d(channels, wide, 1, stride, bias=False), nn.BatchNorm2d(wide))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


def resnet18(thin):
    layers, channels = [nn.Conv2d(3, 64 // thin, 3, 1, 1, bias=False), nn.BatchNorm2d(64 // thin), nn.ReLU()], 64 // thin
    for wide, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [BasicBlock(channels, wide // thin, stride), BasicBlock(wide // thin, wide // thin, 1)]
        channels = wide // thin
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def _stripes(folder):
    """512 colour images of 32 x 32: a class is a direction and a frequency of stripes, under noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(512, dtype=np.uint8) % 10
    y, x = np.mgrid[0:32, 0:32] / 32
    angle, waves = labels * np.pi / 10, 2 + labels % 4
    along = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
    phase = rng.uniform(0, 2 * np.pi, (512, 3, 1, 1))
    images = np.sin(2 * np.pi * (waves[:, None, None] * along)[:, None] + phase) * 80 + 128
    np.save(folder / "images.npy", np.clip(images + rng.normal(0, 20, images.shape), 0, 255).astype(np.uint8))
    np.save(folder / "labels.npy", labels)
    return folder, "images=images,labels=labels"


def _fashion(_folder):
    """Debian's dataset-fashion-mnist as it is: 60,000 records."""
    return FASHION, "images=train-images,labels=train-labels"


def fashion_arrays():
    """Images [60000, 28, 28] and labels [60000], uint8."""
    with gzip.open(FASHION / "train-images-idx3-ubyte.gz") as images, gzip.open(FASHION / "train-labels-idx1-ubyte.gz") as labels:
        return (np.frombuffer(images.read(), np.uint8, offset=16).reshape(-1, 28, 28).copy(),
                np.frombuffer(labels.read(), np.uint8, offset=8).copy())  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Workload:
    build: Callable
    batch: int
    steps: int  # of a run
    image: tuple
    data: Callable  # makes it in a folder; returns what `flair data register` is to read, and its columns
    rate: str
    optimiser: str = "sgd()"
    torch: Callable = torch.optim.SGD  # of parameters and a rate: the same
    calibrate: tuple = ()  # options of `flair program calibrate`; none: the usual formats
    proofs: int = 3  # of one run; medians are shown


MOMENTUM = "sgd(momentum=7/8)", functools.partial(torch.optim.SGD, momentum=7 / 8)
WORKLOADS = {
    "mlp": Workload(mlp, 64, 100, (1, 28, 28), _fashion, "1/8"),
    "lenet": Workload(lenet, 32, 20, (1, 28, 28), _fashion, "1/16"),
    "lenet_calibrated": Workload(lenet, 32, 20, (1, 28, 28), _fashion, "1/16",
                                 calibrate=("--bits", "20", "--steps", "20", "--chunk", "20")),
    "vgg11": Workload(vgg11, 16, 1, (3, 32, 32), _stripes, "1/64"),
    "vgg11_calibrated": Workload(vgg11, 16, 1, (3, 32, 32), _stripes, "1/64", calibrate=("--bits", "20")),
    # A variance of 32 x 32 x 32 elements must stay below 2^60, and gradients reach 0.1 in the first layers.
    "resnet18": Workload(resnet18, 32, 1, (3, 32, 32), _stripes, "1/64", *MOMENTUM, ("--bits", "20"), proofs=1),
    "vgg11_momentum": Workload(vgg11, 16, 1, (3, 32, 32), _stripes, "1/64", *MOMENTUM),
    "vgg11_adam": Workload(vgg11, 16, 1, (3, 32, 32), _stripes, "1/1024", "adam()", torch.optim.Adam, proofs=1),
    "mlp_adamw_dropout": Workload(mlp_dropout, 64, 20, (1, 28, 28), _fashion, "1/1024", "adamw(weight_decay=1/64)",
                                  functools.partial(torch.optim.AdamW, weight_decay=1 / 64)),
}
