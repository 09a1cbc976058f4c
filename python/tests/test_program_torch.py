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
        y = (2 * y - 0.25) + 0.5 * mixed
        left, right = y.permute(2, 0, 1).permute(1, 2, 0).chunk(2, dim=2)
        z = torch.cat([right, -left], 2).permute(0, 2, 1).contiguous()
        z = torch.stack([z[:, 0], z.select(1, -1), z[:, 2:5].mean(1), z.sum(1, keepdim=True).squeeze(1)], 1)
        w = torch.add(z[:, :2], z[:, 2:] ** 2, alpha=0.5)
        return self.out(w.view(w.size(0), -1))


class Pools(nn.Module):
    """Windows that overlap, leave their input or fill it evenly; sequences; a kernel of even size."""

    def __init__(self):
        super().__init__()
        self.conv, self.line = nn.Conv2d(1, 6, 2, padding="same"), nn.Conv1d(8, 4, 3, padding=2, dilation=2)
        self.middle, self.cut = nn.Linear(16, 16), nn.Parameter(torch.rand(4, 4))
        self.heads = nn.ModuleList(nn.Linear(n, 10) for n in (24, 24, 16, 16))

    def forward(self, images):
        x = F.max_pool2d(F.relu(self.conv(images / 16)), 3, 2, 1)
        lines = F.max_pool1d(F.relu(self.line(images.squeeze(1) / 16)), 2).flatten(1)
        flat = self.middle(lines)
        turned = self.cut * flat.view(-1, 4, 4), flat.reshape(-1, 8, 2).transpose(1, 2)
        parts = F.max_pool2d(x, 3, 2, ceil_mode=True), F.adaptive_avg_pool2d(x, 2), *turned
        return sum(head(part.flatten(1)) for head, part in zip(self.heads, parts, strict=True))


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
    "pools": dict(model=Pools, optimizer=sgd(), profile=["gradient 24 26"]),
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


def shape_of(text):
    """A program's text without names of nodes and whatever has a default: columns, parameters, operators with what they read."""
    numbers, lines = {}, []
    for line in text.splitlines():
        made = re.match(r"(\w+) = (.*)", line)
        if made:
            numbers[made[1]] = f"node{len(numbers)}"
            line = made[2]
        lines.append(re.sub(r"\b(\w+)(?=[,)]|$)", lambda m: numbers.get(m[1], m[1]), line) if made or line.startswith("loss") else line)
    return lines


@pytest.mark.parametrize("name, model, shape, lr", [
    ("mlp", lambda: Mlp(784, 256, 256), (28, 28), 1 / 8),
    ("cnn", Lenet, (1, 28, 28), 1 / 16),
])  # fmt: skip
def test_programs_are_those_written_by_hand(name, model, shape, lr):
    model, written = model(), programs.load(EXAMPLES / f"{name}.txt")
    made = flair.program(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr), images(shape, written.batch), 100)
    assert shape_of(made.text) == shape_of(written.text)


def vgg11():
    layers, last = [], 3
    for width in (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"):
        if width == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(last, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            last = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10))


@pytest.mark.parametrize("make, head, parameters, operators", [
    (lambda: nn.Sequential(Of(lambda s, x: (x.float() / 255 - 0.5) / 0.25), Resnet((64, 128, 256, 512), 2, 3, 1)), 26,
     11_173_962, {"conv": 20, "batch_norm": 20, "relu": 17, "add": 8, "affine": 1, "reduce": 1, "linear": 1, "cross_entropy": 1}),
    (vgg11, 25, 9_493_770, {"conv": 8, "batch_norm": 8, "relu": 9, "max_pool": 5, "flatten": 1, "linear": 2, "dropout": 1, "cross_entropy": 1}),
], ids=["resnet18", "vgg11"])  # fmt: skip
def test_large_networks(make, head, parameters, operators):
    model = make()
    sample = images((3, 32, 32), 64, torch.uint8 if "affine" in operators else torch.float32)
    made = flair.program(model, F.cross_entropy, torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=5e-4), sample, 1,
                         profile=[f"gradient {head - 2} {head}", "activation 20 14"])
    assert sum(int(np.prod(dims)) for _, dims in made.parameters) == parameters == sum(p.numel() for p in model.parameters())
    found = re.findall(r"^\w+ = (\w+)\(", made.text, re.M)
    assert {name: found.count(name) for name in set(found)} == operators


def test_ways_to_write_one_thing_give_one_program():
    def made(forward, parts):
        model = Of(forward, **parts())
        return flair.program(model, F.cross_entropy, torch.optim.SGD(model.parameters(), 0.1), images((2, 4, 4)), 1)

    fc = lambda: {"fc": nn.Linear(32, 10)}  # noqa: E731
    ways = [lambda s, x: s.fc(x.float().flatten(1) / 16 - 0.5), lambda s, x: s.fc((x / torch.tensor(16) - torch.tensor([[0.5]])[:, :, None, None]).view(-1, 32)),
            lambda s, x: s.fc((x / 16 - 0.5).view(-1, 32)), lambda s, x: s.fc((x.unsqueeze(1).float() - 8).div(8).mul_(0.5).reshape(len(x), 4, 8).view(-1, 32)),
            lambda s, x: torch.addmm(s.fc.bias, x.float().flatten(1) / 16 - 0.5, s.fc.weight.t())]
    assert len({made(way, fc).hash for way in ways}) == 1
    conv = lambda: {"conv": nn.Conv2d(2, 10, 3)}  # noqa: E731
    ways = [lambda s, x: F.adaptive_avg_pool2d(s.conv(x / 16), 1).flatten(1), lambda s, x: s.conv(x / 16).mean((2, 3)),
            lambda s, x: s.conv(x / 16).mean([-1, -2], keepdim=True)[:, :, 0, 0]]
    assert len({made(way, conv).hash for way in ways}) == 1


def test_nothing_is_touched():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.25), nn.Linear(8, 10))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=10, cycle_momentum=False)
    x, y = images((4, 4), dtype=torch.float32)

    def state():
        return [*(t.clone() for t in model.state_dict().values()), torch.get_rng_state(), *(torch.tensor(g["lr"]) for g in optimizer.param_groups)]

    before, moved, step = state(), dict(scheduler.state_dict()), optimizer.step
    made = flair.program(model, nn.CrossEntropyLoss(), optimizer, (x, y), 10, scheduler=scheduler)
    assert all(torch.equal(a, b) for a, b in zip(before, state(), strict=True))
    assert scheduler.state_dict() == moved and optimizer.step == step and not optimizer.state
    assert all(p.grad is None for p in model.parameters()) and all(m.training for m in model.modules())
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    found = [piece.split(" x ") for piece in re.search("^schedule (.*)$", made.text, re.M)[1].split(", ")]
    assert all(len(piece) == 1 or piece[1] == "1" for piece in found)
    numbers = [int(p[0].split("/")[0]) / int(p[0].split("/")[1]) for p in found]
    assert numbers == pytest.approx(rates, rel=1e-4, abs=2e-3 * 2**-27)


def test_columns_are_named_by_the_forward_pass_or_the_caller():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 1)

        def forward(self, wide, narrow):
            return self.fc(torch.cat([wide, narrow.float() / 4], 1)).squeeze(1)

    model = Two()
    sample = torch.linspace(-3, 3, 32).reshape(8, 4), torch.ones(8, 2, dtype=torch.int16), torch.rand(8)

    def columns(**more):
        return flair.program(model, F.mse_loss, torch.optim.SGD(model.parameters(), 0.1), sample, 1, **more).columns

    assert columns(formats={"narrow": (5, 0)}) == [("wide", (4,), 15, 11, 0), ("narrow", (2,), 5, 0, 0), ("labels", (), 15, 13, 0)]
    assert [c[0] for c in columns(columns=["a", "b", "c"])] == ["a", "b", "c"]
    with pytest.raises(flair.InvalidArgument, match="2 names for the 3 columns"):
        columns(columns=["a", "b"])


def test_a_recorded_run_is_proven(repo, tmp_path):
    """A norm, momentum, a schedule and a frozen part, through the recorder, to a proof that is verified."""
    x, y = sklearn.datasets.load_digits(return_X_y=True)
    x, steps = x.reshape(-1, 1, 8, 8).astype(np.uint8), 10
    (tmp_path / "digits").mkdir()
    np.save(tmp_path / "digits/images.npy", x)
    np.save(tmp_path / "digits/labels.npy", y.astype(np.uint8))
    data = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    torch.manual_seed(1)
    model = Of(lambda s, x: s.fc(F.max_pool2d(F.relu(s.norm(s.conv(s.shift + x / 16))), 2).flatten(1)), conv=nn.Conv2d(1, 8, 3),
               norm=nn.BatchNorm2d(8), fc=nn.Linear(72, 10), shift=nn.Parameter(torch.full((1, 8, 8), -0.5), requires_grad=False))
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 4, 0.5)
    flair.program(model, F.cross_entropy, optimizer, data[:32], steps, scheduler=scheduler, path=tmp_path,
                  profile=["gradient 24 26", "conv activation 22 16"])
    with flair.record(model, optimizer, data=data, repo=repo) as run:
        for images, labels in torch.utils.data.DataLoader(data, batch_sampler=flair.batches(SEED, len(data), 32, steps)):
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
            scheduler.step()
    command(tmp_path, "data", "register", "digits", "--program", "program.flair", "-o", "digits.data")
    proven = command(tmp_path, "prove", run.folder, "--program", "program.flair", "--data", "digits.data", "--seed", SEED, "-o", "run")
    assert proven["slack"]["later"] < 5e-4
    verified = command(tmp_path, "verify", "run.proof", "--statement", "run.statement.json")
    assert verified["valid"] and verified["steps"] == steps


# What is refused.


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Branching(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def without_gradient(self, x):
    with torch.no_grad():
        center = self.fc(x)
    return self.fc(x) - center


def with_autocast(self, x):
    with torch.autocast("cpu", torch.bfloat16):
        return self.fc(x).float()


def one(compute, **parts):
    """A network of one float input [4, 12]."""
    return lambda: Of(compute, **{"fc": nn.Linear(12, 10), **parts})


def planes(compute, **parts):
    return one(lambda s, x: s.fc(compute(s, x.view(-1, 3, 2, 2)).flatten(1)[:, :12]), **parts)


MODELS = {
    "eval mode": (lambda: one(lambda s, x: s.fc(x))().eval(), "Of: it is in eval mode; call model.train() first"),
    "control flow": (lambda: nn.Sequential(nn.Linear(12, 10), Branching()), "1: what it does depends on the data (Could not guard"),
    "mask": (one(lambda s, x: s.fc(x)[x[:, 0] > 0]), "engine has no indexing by a tensor yet; use slices, or make"),
    "indices": (one(lambda s, x: s.fc(x[:, torch.tensor([0, 1] * 6)])), "the engine has no indexing by a tensor yet; use slices"),
    "own autograd": (one(lambda s, x: s.fc(Square.apply(x))), "Of: Square has a backward pass of its own; use PyTorch's operators"),
    "no_grad": (one(without_gradient), ": torch.no_grad stops gradients inside of the model; take it away"),
    "autocast": (one(with_autocast), ": autocast is not float32; train without it"),
    "half": (lambda: one(lambda s, x: s.fc(x))().half(), "fc.weight: float16 is not float32; call model.float()"),
    "double inside": (one(lambda s, x: s.fc(x.double().relu().float())), ": float64 is not float32"),
    "unknown": (one(lambda s, x: s.fc(torch.trapezoid(x).unsqueeze(1) * x)), "program: Of (test_program_torch.py:"),
    "gelu": (lambda: nn.Sequential(nn.Linear(12, 10), nn.GELU()), "program: 1: the engine has no gelu yet; use relu"),
    "nested": (lambda: nn.Sequential(nn.Sequential(nn.Linear(12, 10), nn.SiLU())), "program: 0.1: the engine has no silu yet; use relu"),
    "leaky": (one(lambda s, x: F.leaky_relu(s.fc(x))), ": the engine has no leaky_relu yet; use relu"),
    "softmax": (one(lambda s, x: s.fc(x).softmax(1)), ": the engine has no softmax yet; give the logits to cross_entropy"),
    "log_softmax": (one(lambda s, x: s.fc(x).log_softmax(1)), "program: loss: the engine has no log_softmax but before nll_loss; use cross_entropy on the logits"),
    "layer norm": (lambda: nn.Sequential(nn.LayerNorm(12), nn.Linear(12, 10)), "program: 0: the engine has no layer_norm yet; use BatchNorm"),
    "embedding": (one(lambda s, x: s.fc(s.table((x > 0).long()).flatten(1)[:, :12]), table=nn.Embedding(2, 3)), "program: table: the engine has no embedding yet; register one-hot"),
    "lstm": (one(lambda s, x: s.fc(s.rnn(x.view(-1, 2, 6))[0].flatten(1)), rnn=nn.LSTM(6, 6, batch_first=True)), "program: rnn: the engine has no LSTM yet; use linear and convolution layers"),
    "dropout in lstm": (one(lambda s, x: s.fc(s.rnn(x.view(-1, 2, 6))[0].flatten(1)), rnn=nn.LSTM(6, 6, 2, True, True, 0.2)),
                        "program: rnn: dropout 0.2 inside nn.LSTM cannot be public; set dropout=0, put nn.Dropout between layers"),
    "sync": (planes(lambda s, x: s.norm(x), norm=nn.SyncBatchNorm(3)), "norm: SyncBatchNorm takes statistics of several ranks; use BatchNorm"),
    "no statistics": (planes(lambda s, x: s.norm(x), norm=nn.BatchNorm2d(3, track_running_stats=False)), "norm: a batch norm without running"),
    "no affine": (planes(lambda s, x: s.norm(x), norm=nn.BatchNorm2d(3, affine=False)), "norm: a batch norm without weight and bias; use affine"),
    "no momentum": (planes(lambda s, x: s.norm(x), norm=nn.BatchNorm2d(3, momentum=None)), "norm: a batch norm with momentum=None; use a number"),
    "twice": (planes(lambda s, x: s.norm(s.norm(x)), norm=nn.BatchNorm2d(3)), "norm: a batch norm that is used twice in a step; use a layer"),
    "counted": (one(lambda s, x: s.fc(x + s.seen.add_(1)), seen=nn.Buffer(torch.zeros(12))), "program: seen: the forward pass changes it"),
    "own constant": (one(lambda s, x: s.fc(x * torch.arange(12.0))), "it reads a constant tensor; make it a buffer"),
    "constant": (one(lambda s, x: s.fc(x * torch.tensor([0.5] * 12))), "a constant tensor [12]; make it a buffer of the model"),
    "hidden buffer": (one(lambda s, x: s.fc(x * s.w), w=nn.Buffer(torch.ones(12), persistent=False)), "buffer 'w' is not in the state_dict"),
    "complex": (one(lambda s, x: s.fc(torch.fft.fft(x).real)), ": complex numbers have no program; keep real and imaginary"),
    "division": (one(lambda s, x: s.fc(x / (x.sum(1, keepdim=True) + 5))), "no division by a tensor yet; keep the reciprocal in a buffer"),
    "power": (one(lambda s, x: s.fc(x) ** 0.5), ": the engine has no power 0.5 yet; use products"),
    "detach": (one(lambda s, x: s.fc(x) - s.fc(x).detach()), ": the engine has no detach yet; freeze what is in front"),
    "dropout2d": (planes(lambda s, x: s.drop(x), drop=nn.Dropout2d(0.1)), "drop: the engine has no random draw of the model's own (Dropout1d"),
    "noise": (one(lambda s, x: s.fc(x + torch.randn_like(x))), ": the engine has no random draw of the model's own yet; use nn.Dropout"),
    "padded average": (planes(lambda s, x: F.avg_pool2d(x, 2, 1, 1)), ": an average pool with padding; use padding=0"),
    "uneven bins": (planes(lambda s, x: F.adaptive_avg_pool2d(F.max_pool2d(x, 2, 1, 1), 2)), "an adaptive pool from [3, 3] to [2, 2]"),
    "dilated pool": (planes(lambda s, x: F.max_pool2d(x, 2, 1, 1, 2)), ": a pool with dilation; use dilation=1"),
    "reflection": (planes(lambda s, x: s.conv(x), conv=nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect")), "conv: the engine has no pad yet"),
    "upsampling": (planes(lambda s, x: s.up(x), up=nn.Upsample(scale_factor=2)), "up: the engine has no resize yet"),
    "transposed": (planes(lambda s, x: s.up(x), up=nn.ConvTranspose2d(3, 3, 2)), "up: the engine has no transposed convolution yet"),
    "steps": (one(lambda s, x: s.fc(x.repeat(1, 2)[:, ::2])), "the engine has no repeat yet; let add or mul broadcast"),
    "slice step": (one(lambda s, x: s.fc(torch.cat([x, x], 1)[:, ::2])), ": a slice with step 2; use step 1"),
    "a list": (one(lambda s, x: [s.fc(x)]), "torch.export cannot trace it"),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_models_that_have_no_program(name):
    make, said = MODELS[name]
    model = make()
    sample = torch.rand(4, 12), torch.arange(4)
    with pytest.raises(flair.Unsupported, match=re.escape(said)) as refused:
        flair.program(model, F.cross_entropy, torch.optim.SGD(model.parameters(), 0.1), sample, 1)
    assert re.match(r"program: [^:]+(:\d+\))?: .+; .+", str(refused.value)), str(refused.value)


LOSSES = {
    "smoothing": (nn.CrossEntropyLoss(label_smoothing=0.1), "program: loss: cross_entropy with label_smoothing=0.1; use label_smoothing=0"),
    "weights": (nn.CrossEntropyLoss(torch.ones(10)), "program: loss: cross_entropy with weights of classes; leave weight out"),
    "sum": (nn.CrossEntropyLoss(reduction="sum"), "program: loss: cross_entropy with reduction='sum'; use reduction='mean'"),
    "none": (lambda o, y: F.cross_entropy(o, y, reduction="none").mean(), "cross_entropy with reduction='none'"),
    "probabilities": (lambda o, y: F.cross_entropy(o, torch.relu(o)), "cross_entropy with probabilities as its target; give it class"),
    "labels read": (lambda o, y: F.cross_entropy(o, y) + y.float().mean(), "'labels' is a label, which only the loss reads"),
    "l1": (lambda o, y: F.l1_loss(o, o * 2), "program: loss: the engine has no l1_loss yet; use cross_entropy or mse_loss"),
    "broadcast": (lambda o, y: F.mse_loss(o, y.float()[:, None]), "program: loss: a loss of shapes [4, 10] and [4, 1]; give both the same"),
    "no number": (lambda o, y: o, "program: loss: it is no single number that depends on the model; return a mean"),
    "integers": (lambda o, y: (o * (y * 2)[:, None]).mean(), "program: loss: arithmetic of int64; call .float() on the input first"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_losses_that_have_no_program(name):
    loss, said = LOSSES[name]
    model = nn.Linear(12, 10)
    with pytest.raises(flair.Unsupported, match=re.escape(said)):
        flair.program(model, loss, torch.optim.SGD(model.parameters(), 0.1), (torch.rand(4, 12), torch.arange(4)), 1)


class Mine(torch.optim.SGD):
    pass


def groups(**second):
    return lambda m: torch.optim.SGD([{"params": [m.weight]}, {"params": [m.bias], **second}], 0.1, momentum=0.9, weight_decay=0.01)


def scheduled(make, lr=0.1):
    def both(model):
        optimizer = torch.optim.SGD(model.parameters(), lr, momentum=0.9)
        return optimizer, make(optimizer)
    return both


OPTIMIZERS = {
    "rmsprop": (lambda m: torch.optim.RMSprop(m.parameters()), "RMSprop: the engine has no such optimiser; use torch.optim.SGD, Adam or AdamW"),
    "lbfgs": (lambda m: torch.optim.LBFGS(m.parameters()), "LBFGS: the engine has no such optimiser"),
    "subclass": (lambda m: Mine(m.parameters()), "Mine: a subclass of SGD may step otherwise; use torch.optim.SGD"),
    "amsgrad": (lambda m: torch.optim.Adam(m.parameters(), amsgrad=True), "Adam: amsgrad=True; use amsgrad=False"),
    "maximize": (lambda m: torch.optim.SGD(m.parameters(), maximize=True), "SGD: maximize=True; use maximize=False"),
    "rates": (groups(lr=0.2), "SGD: groups with several values of lr (0.1, 0.2); use one learning rate"),
    "momenta": (groups(momentum=0.5), "SGD: groups with several values of momentum (0.9, 0.5); use one value"),
    "decays": (groups(weight_decay=0.1), "SGD: groups with several values of weight_decay (0.01, 0.1); use one value, or 0 where"),
    "missing": (lambda m: torch.optim.SGD([m.weight]), "bias: the optimizer does not have it; give it to the optimizer, or freeze it"),
    "foreign": (lambda m: torch.optim.SGD([*m.parameters(), nn.Parameter(torch.ones(3))]), "SGD: it holds a tensor [3] that is not of this model"),
    "plateau": (scheduled(torch.optim.lr_scheduler.ReduceLROnPlateau), "ReduceLROnPlateau: learning rates that depend on how training goes"),
    "cycle": (scheduled(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=9)), "OneCycleLR: it changes more than the learning"),
    "rates of a schedule": (scheduled(lambda o: torch.optim.lr_scheduler.StepLR(groups()(nn.Linear(12, 10)), 1)), "is not of this optimizer"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_that_have_no_program(name):
    make, said = OPTIMIZERS[name]
    model = nn.Linear(12, 10)
    made = make(model)
    optimizer, scheduler = made if isinstance(made, tuple) else (made, None)
    with pytest.raises((flair.Unsupported, flair.InvalidArgument), match="^program: .*" + re.escape(said)):
        flair.program(model, F.cross_entropy, optimizer, (torch.rand(4, 12), torch.arange(4)), 5, scheduler=scheduler)
