# SPDX-License-Identifier: Apache-2.0
"""A plain PyTorch loop, recorded, and its run proven and verified by the command line."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import sklearn.datasets
import torch
from torch import nn

import flair

SEED, BATCH, STEPS = "5a" * 32, 32, 12
PROGRAM = """flair program 1
batch 32
data images [64] bits 6 scale 0
label labels classes 10
param fc1.weight [24, 64]
param fc1.bias [24]
param fc2.weight [10, 24]
param fc2.bias [10]
x = affine(images, scale=1/16)
h = linear(x, fc1.weight, fc1.bias)
a = relu(h)
z = linear(a, fc2.weight, fc2.bias)
l = cross_entropy(z, labels)
loss l
optimiser OPTIMISER
schedule RATE
"""


# Before the norm a bias, which the norm takes away again.
NORMED = """flair program 1
batch 32
data images [1, 8, 8] bits 6 scale 0
label labels classes 10
param conv.weight [8, 1, 3, 3]
param conv.bias [8]
param norm.weight [8]
param norm.bias [8]
param fc.weight [10, 72]
param fc.bias [10]
buffer norm.running_mean [8]
buffer norm.running_var [8]
x = affine(images, scale=1/16)
h = conv(x, conv.weight, conv.bias)
n = batch_norm(h, norm.weight, norm.bias, norm.running_mean, norm.running_var)
a = relu(n)
p = max_pool(a)
q = flatten(p)
z = linear(q, fc.weight, fc.bias)
l = cross_entropy(z, labels)
loss l
optimiser OPTIMISER
schedule RATE
profile gradient 24 24
profile h activation 22 16
"""


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Linear(72, 10)

    def forward(self, x):
        return self.fc(nn.functional.max_pool2d(torch.relu(self.norm(self.conv(x / 16))), 2).flatten(1))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(64, 24), nn.Linear(24, 10)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x / 16)))


@pytest.fixture
def command(tmp_path):
    beside = os.path.join(os.path.dirname(sys.executable), "flair")
    program = os.environ.get("FLAIR_COMMAND") or (beside if os.path.exists(beside) else shutil.which("flair"))

    def run(*arguments, status=0):
        done = subprocess.run([program, "--json", *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)

    return run


def torchs_loader(data, batches):
    return torch.utils.data.DataLoader(data, batch_sampler=batches)


def recorded(repo, tmp_path, make_optimizer, order, disturb=None, build=Net, shape=(64,), loader=torchs_loader):
    """The run's folder; the data lie beside the repository as arrays."""
    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    images = images.reshape(-1, *shape)
    os.makedirs(tmp_path / "digits")
    np.save(tmp_path / "digits/images.npy", images.astype("uint8"))
    np.save(tmp_path / "digits/labels.npy", labels.astype("uint8"))
    data = torch.utils.data.TensorDataset(torch.tensor(images).float(), torch.tensor(labels))
    torch.manual_seed(1)
    model = build()
    optimizer = make_optimizer(model.parameters())
    batches = flair.batches(SEED, len(data), BATCH, STEPS)
    with flair.record(model, optimizer, data=data, repo=repo) as run:
        for step, (x, y) in enumerate(loader(data, order(batches))):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            if disturb:
                disturb(step, model)
    return run.folder


def prepare(command, tmp_path, optimiser, rate="1/8", program=PROGRAM, new=True):
    (tmp_path / "net.txt").write_text(program.replace("OPTIMISER", optimiser).replace("RATE", rate))
    if new:
        command("data", "register", "digits", "--program", "net.txt", "-o", "digits.data")


def prove(command, folder, *more, status=0):
    return command("prove", folder, "--program", "net.txt", "--data", "digits.data", "--seed", SEED, "-o", "net", *more,
                   status=status)


@pytest.mark.parametrize("optimiser, rate, make", [
    ("sgd(momentum=7/8, weight_decay=1/1024)", "1/8", lambda p: torch.optim.SGD(p, 1 / 8, momentum=7 / 8, weight_decay=1 / 1024)),
    ("adamw(weight_decay=1/64)", "1/512", lambda p: torch.optim.AdamW(p, 1 / 512, weight_decay=1 / 64)),
])  # fmt: skip
def test_a_recorded_run_is_proven(repo, tmp_path, command, optimiser, rate, make):
    folder = recorded(repo, tmp_path, make, lambda batches: batches)
    prepare(command, tmp_path, optimiser, rate)
    proven = prove(command, folder)
    assert proven["slack"]["later"] < 5e-4
    verified = command("verify", "net.proof", "--statement", "net.statement.json")
    assert verified["valid"] and verified["steps"] == STEPS and verified["slack"]["rho"] == 5e-4
    assert verified["soundness_bits"] >= 100


def test_a_bias_that_a_norm_takes_away_again(repo, tmp_path, command):
    """Adam moves it by whole steps of noise: within the bound of a gauge tensor, and beyond every other."""
    rate, biases = 1 / 512, []
    folder = recorded(repo, tmp_path, lambda p: torch.optim.Adam(p, rate), lambda batches: batches,
                      lambda step, model: biases.append(model.conv.bias.detach().clone()), Normed, (1, 8, 8))
    assert torch.stack(biases).diff(dim=0).abs().max() > rate / 2
    prepare(command, tmp_path, "adam()", "1/512", NORMED)
    proven = prove(command, folder)
    assert proven["slack"]["first"] < 1e-3 and proven["slack"]["later"] < 5e-4
    verified = command("verify", "net.proof", "--statement", "net.statement.json")
    assert verified["gauge"] == {"tensors": ["conv.bias"], "step": 2 * rate, "inference": pytest.approx(0, abs=1e-3)}
    # The same network, but that something stands between bias and norm.
    between = NORMED.replace("n = batch_norm(h,", "t = permute(h, axes=[0, 1, 3, 2])\nm = batch_norm(t,")
    prepare(command, tmp_path, "adam()", "1/512", between.replace("a = relu", "n = permute(m, axes=[0, 1, 3, 2])\na = relu"), new=False)
    said = prove(command, folder, status=3)
    assert said["error"]["message"] == "kept chunks are of another program"
    shutil.rmtree(os.path.join(folder, "chunks"))
    os.remove(os.path.join(folder, "border.seed"))
    said = prove(command, folder, status=1)
    assert "step 0: 'conv.bias.slack.gap'" in said["error"]["message"]


# What float32 itself makes of a step depends on the order of its sums: the bounds must have room for any.
ORDERS = {
    "as_it_is": lambda x, y: (x, y),
    "rows_reversed": lambda x, y: (x.flip(0), y.flip(0)),
    "channels_last": lambda x, y: (x.contiguous(memory_format=torch.channels_last), y),
}


@pytest.mark.parametrize("order", ORDERS)
def test_float32s_own_noise_is_within_the_bounds(repo, tmp_path, command, order):
    """One run in several orders of summation: its distance to float64 is far below the bounds, and it is proven."""
    noise = []

    class Noted(Normed):
        def forward(self, x):
            # A step in float64 from the weights of this one; in a list, so that it is no module of this one.
            exact = Normed().double()
            exact.load_state_dict({name: tensor.double() for name, tensor in self.state_dict().items()})
            self.kept = [exact, [p.detach().clone() for p in self.parameters()], x.double()]
            return super().forward(x)

    def note(step, model):
        exact, weights, x = model.kept
        grads = torch.autograd.grad(nn.functional.cross_entropy(exact(x), labels_of[step]), list(exact.parameters()))
        error = change = 0.0
        for (name, p), before, grad in zip(model.named_parameters(), weights, grads, strict=True):
            if name == "conv.bias":
                continue  # a gauge tensor: its step is noise
            error += (p.detach().double() - (before.double() - grad / 8)).square().sum().item()
            change += (p.detach() - before).double().square().sum().item()
        noise.append((error / change) ** 0.5)

    labels_of = []
    arrange = ORDERS[order]

    def loader(data, batches):
        for x, y in torch.utils.data.DataLoader(data, batch_sampler=batches):
            x, y = arrange(x, y)
            labels_of.append(y)
            yield x, y

    folder = recorded(repo, tmp_path, lambda p: torch.optim.SGD(p, 1 / 8), lambda batches: batches, note, Noted, (1, 8, 8), loader)
    assert max(noise) < 5e-4 / 4
    prepare(command, tmp_path, "sgd()", program=NORMED)
    proven = prove(command, folder)
    assert proven["slack"]["later"] < 5e-4 and proven["slack"]["first"] < 5e-4


def test_batches_in_another_order_are_refused(repo, tmp_path, command):
    folder = recorded(repo, tmp_path, lambda p: torch.optim.SGD(p, 1 / 8), lambda batches: batches[::-1])
    prepare(command, tmp_path, "sgd()")
    said = prove(command, folder, status=3)
    assert "step 0 read other rows than its seed draws" in said["error"]["message"]


def test_weights_that_training_does_not_give_are_refused(repo, tmp_path, command):
    def disturb(step, model):
        if step == 5:
            with torch.no_grad():
                model.fc2.bias += 0.05
    folder = recorded(repo, tmp_path, lambda p: torch.optim.SGD(p, 1 / 8), lambda batches: batches, disturb)
    prepare(command, tmp_path, "sgd()")
    said = prove(command, folder, status=1)
    assert "step 5: fc2.bias is not what the program's step gives: [0] is 0.05 off" in said["error"]["message"]


def test_the_order_is_the_specified_one():
    vectors = json.loads((pathlib.Path(__file__).parent.parent.parent / "tests/vectors/draws.json").read_text())["steps"]
    for vector in vectors:
        assert flair.batches(vector["seed"], vector["rows"], vector["batch"], 1, vector["step"]) == [vector["drawn"]]
    assert vectors and flair.batches(SEED, 10, 3, 2, first_step=2) == flair.batches(SEED, 10, 3, 4)[2:]
    for wrong in (("zz", 10, 3, 1), (SEED, 10, 0, 1), (SEED, 2, 3, 1)):
        with pytest.raises(flair.InvalidArgument):
            flair.batches(*wrong)
