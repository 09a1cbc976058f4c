# SPDX-License-Identifier: Apache-2.0
"""Programs of PyTorch set-ups: that they compute what PyTorch computes, and that what has no program is refused by name."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import sklearn.datasets
import torch
from torch import nn
from torch.nn import functional as F

import flair
from flair import programs

SEED, BATCH = "3c" * 32, 16
EXAMPLES = pathlib.Path(__file__).parent.parent.parent / "examples/proof"


def command(folder, *arguments):
    beside = os.path.join(os.path.dirname(sys.executable), "flair")
    program = os.environ.get("FLAIR_COMMAND") or (beside if os.path.exists(beside) else shutil.which("flair"))
    done = subprocess.run([program, "--json", *map(str, arguments)], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def images(shape, batch=BATCH, dtype=torch.uint8):
    return torch.zeros(batch, *shape, dtype=dtype), torch.zeros(batch, dtype=torch.int64)


class Of(nn.Module):
    """A forward pass as a function of the module and its inputs."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.compute = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, images):
        return self.compute(self, images)


# Networks.


class Mlp(nn.Module):
    def __init__(self, pixels=64, hidden=24, scale=16):
        super().__init__()
        self.fc1, self.fc2, self.scale = nn.Linear(pixels, hidden), nn.Linear(hidden, 10), scale

    def forward(self, images):
        return self.fc2(torch.relu(self.fc1((images.float() / self.scale).flatten(1))))


class Lenet(nn.Module):
    """That of examples/proof; of images of 28 x 28."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, images):
        x = F.max_pool2d(F.relu(self.conv1(images.float() / 256)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.view(-1, 400))))))


def small_lenet():
    return nn.Sequential(Of(lambda s, x: (x.float() - 8) / 16), nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
                         nn.Conv2d(6, 12, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 10), nn.LogSoftmax(dim=1))


class Block(nn.Module):
    """A residual block, as torchvision's."""

    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside)
        self.conv2, self.bn2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside)
        self.relu, self.downsample = nn.ReLU(inplace=True), None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x):
        way = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        x += way
        return self.relu(x)


class Resnet(nn.Module):
    def __init__(self, channels, blocks, inside=1, scale=16):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inside, channels[0], 3, 1, 1, bias=False), nn.BatchNorm2d(channels[0])
        layers, last = [], channels[0]
        for i, width in enumerate(channels):
            for j in range(blocks):
                layers.append(Block(last, width, 2 if i and not j else 1))
                last = width
        self.layers, self.avgpool, self.fc = nn.Sequential(*layers), nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(last, 10)
        self.scale = scale

    def forward(self, images):
        x = torch.relu(self.bn1(self.conv1(images.float() / self.scale)))
        return self.fc(torch.flatten(self.avgpool(self.layers(x)), 1))


class Mobile(nn.Module):
    """Depthwise and pointwise convolutions; a bias that a norm takes away, a norm that stays frozen."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.bn0 = nn.BatchNorm2d(8)
        self.deep, self.bn1 = nn.Conv2d(8, 8, 3, padding="same", groups=8, bias=False), nn.BatchNorm2d(8, momentum=0.2)
        self.point, self.bn2 = nn.Conv2d(8, 12, 1), nn.BatchNorm2d(12)
        self.head = nn.Linear(12, 10)

    def forward(self, images):
        x = F.relu(self.bn0(self.stem(images.float() / 16)))
        x = F.relu(self.bn1(self.deep(x)))
        x = F.relu(self.bn2(self.point(x)))
        return self.head(x.mean([2, 3]))


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Linear(64, 12), nn.Linear(12, 64)

    def forward(self, images):
        return self.decode(F.relu(self.encode(images.flatten(1) * 0.0625))).reshape(images.shape)


class Wired(nn.Module):
    """Operators on the way that move numbers: cuts, joins, permutations, products of tensors, a tied weight."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Linear(8, 8), nn.Linear(8, 8, bias=False), nn.Linear(16, 10)
        self.b.weight = self.a.weight
        self.gain = nn.Parameter(torch.full((8, 1), 0.5))
        self.project = nn.Parameter(torch.randn(8, 8) / 4)

    def forward(self, images):
        x = (images.squeeze(1).float() - 0.1307 * 16) / 16
        rows, columns = self.a(x), self.b(x.transpose(1, 2))
        mixed = torch.bmm(rows, columns.transpose(1, 2)) / 8
        y = 1 - (mixed @ self.project) * self.gain
        left, right = y.chunk(2, dim=2)
        z = torch.cat([right, -left], 2).permute(0, 2, 1).contiguous()
        z = torch.stack([z[:, 0], z.select(1, -1), z[:, 2:5].mean(1), z.sum(1, keepdim=True).squeeze(1)], 1)
        w = torch.add(z[:, :2], z[:, 2:] ** 2, alpha=0.5)
        return self.out(w.view(w.size(0), -1))


def frozen():
    """Features that stay, in a norm that stays as well; the head is trained."""
    torch.manual_seed(5)
    conv, norm = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6)
    norm(conv(torch.randn(8, 1, 8, 8)))
    for parameter in (*conv.parameters(), *norm.parameters()):
        parameter.requires_grad_(False)
    model = Of(lambda s, x: s.head(F.adaptive_max_pool2d(F.relu(s.norm(s.conv(x / 16))), 2).flatten(1)), conv=conv, norm=norm,
               head=nn.Linear(24, 10)).train()
    norm.eval()
    return model


def sgd(**more):
    return lambda p: torch.optim.SGD(p, **{"lr": 0.1, **more})


def decayed(model):
    """Two groups, as people leave biases and norms out of the decay."""
    return torch.optim.AdamW([{"params": [p for p in model.parameters() if p.dim() > 1]},
                              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}], lr=2e-3, weight_decay=0.05)


CASES = {
    "mlp": dict(model=Mlp, optimizer=sgd()),
    "momentum": dict(model=Mlp, optimizer=sgd(momentum=0.9, weight_decay=5e-4)),
    "dampening": dict(model=Mlp, optimizer=sgd(momentum=0.9, dampening=0.1)),
    "nesterov": dict(model=small_lenet, columns=["images", "labels"], loss=nn.NLLLoss(),
                     optimizer=sgd(momentum=0.9, nesterov=True, weight_decay=1e-3)),
    "clipped": dict(model=Mlp, optimizer=sgd(lr=0.5), clip_norm=0.3),
    "schedule": dict(model=Mlp, optimizer=sgd(momentum=0.5), scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 4)),
    "warmup": dict(model=Mlp, optimizer=sgd(), scheduler=lambda o: torch.optim.lr_scheduler.SequentialLR(
        o, [torch.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=2), torch.optim.lr_scheduler.StepLR(o, 1, 0.3)], [2])),
    "resnet": dict(model=lambda: Resnet((4, 8), 1), optimizer=sgd(momentum=0.9, weight_decay=1e-4), profile=["gradient 24 26"]),
    "mobile": dict(model=Mobile, seed=2, optimizer=sgd(), profile=["gradient 24 24"], still=("stem.bias", "point.bias", "bn0.weight")),
    "adam": dict(model=Mlp, optimizer=lambda p: torch.optim.Adam(p, 2e-3, weight_decay=1e-2)),
    "adamw": dict(model=Mlp, of_model=decayed),
    "autoencoder": dict(model=Autoencoder, loss=nn.MSELoss(), optimizer=sgd(lr=0.02), target="input", profile=["gradient 24 26"], data="images.data"),
    "wired": dict(model=Wired, optimizer=sgd()),
    "frozen": dict(model=frozen, of_model=lambda m: torch.optim.SGD([p for p in m.parameters() if p.requires_grad], 0.1)),
}
# No relu of these runs is within rounding of its tie: there either side is right, and a step is another one (docs/spec/step.md).
STEPS = 4


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with registered digits, and the digits: uint8 images and float ones of the same numbers."""
    folder = tmp_path_factory.mktemp("exact")
    x, y = sklearn.datasets.load_digits(return_X_y=True)
    x = x.reshape(-1, 1, 8, 8).astype(np.uint8)
    (folder / "digits").mkdir()
    np.save(folder / "digits/images.npy", x)
    np.save(folder / "digits/labels.npy", y.astype(np.uint8))
    model = Mlp()  # any that reads both: bytes are registered as such
    flair.program(model, F.cross_entropy, sgd()(model.parameters()), images((1, 8, 8)), 1, path=folder / "any.flair")
    command(folder, "data", "register", "digits", "--program", "any.flair", "-o", "digits.data")
    return folder, torch.tensor(x), torch.tensor(y)


def set_up(case, x, y):
    """(model, loss, optimizer, scheduler, a batch of the rows' data)."""
    torch.manual_seed(case.get("seed", 1))
    model, loss = case["model"](), case.get("loss") or F.cross_entropy
    optimizer = case["of_model"](model) if "of_model" in case else case["optimizer"](model.parameters())
    scheduler = case["scheduler"](optimizer) if "scheduler" in case else None

    def batch(rows):
        if case.get("target") == "input":
            one = x[rows].float()
            return one, one
        return x[rows], y[rows]

    return model, loss, optimizer, scheduler, batch


@pytest.mark.parametrize("name", CASES)
def test_training_is_what_the_exact_engine_does(digits, name):
    folder, x, y = digits
    case = CASES[name]
    model, loss, optimizer, scheduler, batch = set_up(case, x, y)
    rows = flair.batches(SEED, len(x), BATCH, STEPS)
    before = {n: t.detach().double().numpy().copy() for n, t in model.state_dict().items()}
    made = flair.program(model, loss, optimizer, batch(rows[0]), STEPS, scheduler=scheduler, clip_norm=case.get("clip_norm"),
                         profile=case.get("profile", ()), columns=case.get("columns"), formats={"images": (9, 0)}, path=folder / f"{name}.flair")
    if "data" in case:
        command(folder, "data", "register", "digits", "--program", f"{name}.flair", "--name", name, "-o", case["data"])
    read = [n for n, _ in made.parameters + made.buffers]
    safetensors.torch.save_file({n: t.clone() for n, t in model.state_dict().items() if n in read}, folder / f"{name}.safetensors")
    (folder / f"{name}.toml").write_text(f'program = "{name}.flair"\ndata = "{case.get("data", "digits.data")}"\nweights = "{name}.safetensors"\n'
                                         f'steps = {STEPS}\nseed = "{SEED}"\nresult = "{name}-exact.safetensors"\n')
    for step in range(STEPS):
        optimizer.zero_grad()
        *inputs, target = batch(rows[step])
        loss(model(*inputs), target).backward()
        if "clip_norm" in case:
            nn.utils.clip_grad_norm_(model.parameters(), case["clip_norm"])
        optimizer.step()
        if scheduler:
            scheduler.step()
    command(folder, "train", f"{name}.toml", "--exact")
    exact = safetensors.numpy.load_file(folder / f"{name}-exact.safetensors")
    assert {n for n, _ in made.parameters} == {n for n, p in model.named_parameters() if p.requires_grad}
    assert set(exact) == set(read)
    after = model.state_dict()
    for n, dims in made.parameters + made.buffers:
        torchs = after[n].double().numpy()
        assert torchs.shape == dims
        error, update = np.linalg.norm(torchs - exact[n]), np.linalg.norm(torchs - before[n])
        if n in case.get("still", ()):  # a norm behind takes away what it does
            assert max(error, update) < 2e-5, n
        elif update > 1e-9:
            assert error < 1e-3 * update, n
        else:
            assert error <= 2**-22 * max(1, torchs.size) ** 0.5, n  # frozen
