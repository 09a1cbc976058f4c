# SPDX-License-Identifier: Apache-2.0
"""Every operator and its derivative, in doubles, against PyTorch's: values, gradients and running statistics."""
import itertools
import json
import math
import os
import pathlib
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "reference"))
import draws  # noqa: E402
import program  # noqa: E402

JUDGE = os.environ.get("FLAIR_PROGRAM_JUDGE", ROOT / "build/release/src/program/program_judge")
SEED, STEP = bytes(range(32)), 2**33 + 5
torch.set_num_threads(1)


def values(text, columns, parameters, buffers):
    def flat(tensors):
        return [t.detach().flatten().tolist() for t in tensors]
    question = {"program": text, "columns": flat(columns), "parameters": flat(parameters), "buffers": flat(buffers),
                "seed": SEED.hex(), "step": STEP}  # fmt: skip
    said = subprocess.run([JUDGE, "values"], input=json.dumps(question) + "\n", capture_output=True, text=True, check=True)
    answer = json.loads(said.stdout)
    assert "error" not in answer, answer["error"]
    return answer


def same(ours, theirs, what):
    ours, theirs = torch.tensor(ours, dtype=torch.float64), theirs.detach().flatten().to(torch.float64)
    assert ours.shape == theirs.shape, what
    scale = theirs.abs().max().item() if theirs.numel() else 0
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-13 * max(1, scale), msg=lambda m: f"{what}: {m}")


class Case:
    """A program in the making beside the tensors of PyTorch that it speaks of. All inputs are parameters unless said
    otherwise, so that every derivative shows; the loss is a distance to random targets, so that none is simple."""

    def __init__(self, seed=1):
        self.draw = torch.Generator().manual_seed(seed)
        self.params, self.buffers, self.nodes, self.labels, self.updated = {}, {}, {}, {}, {}
        self.losses = []

    def normal(self, *dims):
        return torch.randn(dims, generator=self.draw, dtype=torch.float64)

    def param(self, name, tensor):
        self.params[name] = tensor.clone().requires_grad_()
        return self.params[name]

    def random(self, name, *dims):
        return self.param(name, self.normal(*dims))

    def buffer(self, name, tensor):
        self.buffers[name] = self.updated[name] = tensor
        return tensor

    def label(self, name, classes, tensor):
        self.labels[name] = (classes, tensor)
        return tensor

    def node(self, name, call, tensor):
        self.nodes[name] = (call, tensor)
        return tensor

    def check(self, name):
        """`name`: what the distance is taken of, unless there are losses."""
        if not self.losses:
            target = self.random("target", *self.nodes[name][1].shape)
            if target.dim() == 0:
                self.nodes["loss0"] = (f"mul({name}, target)", self.nodes[name][1] * target)
            else:
                self.nodes["loss0"] = (f"mse({name}, target)", F.mse_loss(self.nodes[name][1], target))
            self.losses = ["loss0"]
        loss = self.nodes[self.losses[-1]][1]
        batch = next((len(t) for _, t in self.labels.values()), 1)
        lines = ["flair program 1", f"batch {batch}"]
        lines += [f"label {n} classes {classes}" for n, (classes, _) in self.labels.items()]
        lines += [f"param {n} {list(t.shape)}" for n, t in self.params.items()]
        lines += [f"buffer {n} {list(t.shape)}" for n, t in self.buffers.items()]
        lines += [f"{n} = {call}" for n, (call, _) in self.nodes.items()]
        lines += [f"loss {self.losses[-1]}", "optimiser sgd()", "schedule 1"]
        answer = values("\n".join(lines), [t for _, t in self.labels.values()], self.params.values(), self.buffers.values())
        for n, (_, tensor) in self.nodes.items():
            if n in answer["nodes"]:  # one that changes nothing is no node of the graph
                same(answer["nodes"][n], tensor, n)
        assert self.losses[-1] in answer["nodes"]
        gradients = torch.autograd.grad(loss, list(self.params.values()), allow_unused=True, retain_graph=True)
        for n, ours, theirs in zip(self.params, answer["gradients"], gradients):
            assert (ours is None) == (theirs is None), n
            if ours is not None:
                same(ours, theirs, "gradient of " + n)
        for n, ours in zip(self.buffers, answer["buffers"]):
            same(ours, self.updated[n], n)
        for call, _ in self.nodes.values():
            SEEN.add(call.split("(")[0])


SEEN = set()


@pytest.mark.parametrize("dims, out, bias", [
    ([3], 2, True), ([4, 3], 5, True), ([4, 3], 5, False), ([1, 1], 1, True), ([2, 3, 5], 4, True), ([2, 1, 3, 2], 3, False),
])  # fmt: skip
def test_linear(dims, out, bias):
    c = Case()
    x, w = c.random("x", *dims), c.random("w", out, dims[-1])
    b = c.random("b", out) if bias else None
    c.node("z", f"linear(x, w{', b' if bias else ''})", F.linear(x, w, b))
    c.check("z")


@pytest.mark.parametrize("lead", [[], [3], [2, 3]])
@pytest.mark.parametrize("ta, tb", itertools.product([False, True], repeat=2))
def test_matmul(lead, ta, tb):
    c = Case()
    a = c.random("a", *lead, *((4, 3) if ta else (3, 4)))
    b = c.random("b", *lead, *((5, 4) if tb else (4, 5)))
    word = {False: "no", True: "yes"}
    out = (a.transpose(-1, -2) if ta else a) @ (b.transpose(-1, -2) if tb else b)
    c.node("z", f"matmul(a, b, transpose_a={word[ta]}, transpose_b={word[tb]})", out)
    c.check("z")


def test_matmul_with_itself():
    c = Case()
    a = c.random("a", 2, 3, 4)
    c.node("z", "matmul(a, a, transpose_b=yes)", a @ a.transpose(-1, -2))
    c.check("z")


CONVOLUTIONS = [
    # x, W, stride, pad (top, bottom, left, right), dilation, groups, bias
    ([2, 3, 8, 8], [4, 3, 3, 3], (1, 1), (1, 1, 1, 1), (1, 1), 1, True),
    ([1, 3, 7, 5], [4, 3, 3, 2], (2, 1), (1, 0, 0, 2), (1, 1), 1, True),
    ([2, 4, 9, 7], [6, 2, 3, 2], (2, 3), (1, 0, 0, 1), (1, 2), 2, False),
    ([3, 6, 5, 5], [6, 1, 3, 3], (1, 1), (1, 1, 1, 1), (1, 1), 6, True),
    ([1, 3, 6, 7], [6, 1, 2, 3], (2, 2), (0, 1, 1, 0), (2, 1), 3, True),
    ([2, 2, 1, 1], [5, 2, 1, 1], (1, 1), (0, 0, 0, 0), (1, 1), 1, True),
    ([1, 1, 1, 1], [1, 1, 3, 3], (3, 3), (4, 3, 2, 5), (1, 1), 1, False),
    ([2, 2, 10, 3], [2, 2, 4, 3], (5, 1), (0, 0, 0, 0), (3, 1), 1, True),
]


@pytest.mark.parametrize("dims, kernel, stride, pad, dilation, groups, bias", CONVOLUTIONS)
def test_conv(dims, kernel, stride, pad, dilation, groups, bias):
    c = Case()
    x, w = c.random("x", *dims), c.random("w", *kernel)
    b = c.random("b", kernel[0]) if bias else None
    top, bottom, left, right = pad
    out = F.conv2d(F.pad(x, (left, right, top, bottom)), w, b, stride, 0, dilation, groups)
    c.node("z", f"conv(x, w{', b' if bias else ''}, stride={list(stride)}, pad={list(pad)}, dilation={list(dilation)}, "
                f"groups={groups})", out)  # fmt: skip
    c.check("z")


POOLS = [
    # x, window, stride, pad
    ([2, 3, 8, 8], (2, 2), (2, 2), (0, 0, 0, 0)),
    ([1, 2, 7, 5], (3, 2), (1, 2), (0, 0, 0, 0)),
    ([2, 1, 5, 6], (3, 3), (2, 1), (1, 1, 1, 1)),
    ([2, 2, 4, 4], (3, 3), (1, 1), (2, 0, 1, 2)),
    ([1, 1, 1, 1], (2, 2), (1, 1), (1, 0, 0, 1)),
    ([2, 2, 9, 9], (2, 3), (4, 5), (0, 0, 0, 0)),
]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("dims, window, stride, pad", POOLS)
def test_max_pool(dims, window, stride, pad, ties):
    c = Case()
    data = c.normal(*dims)
    # Of integers from -1 to 1 most windows hold their maximum more than once.
    x = c.param("x", data.round().clamp(-1, 1) if ties else data)
    top, bottom, left, right = pad
    out = F.max_pool2d(F.pad(x, (left, right, top, bottom), value=-math.inf), window, stride)
    c.node("z", f"max_pool(x, window={list(window)}, stride={list(stride)}, pad={list(pad)})", out)
    c.check("z")


def test_max_pool_of_equals_is_the_first():
    c = Case()
    x = c.param("x", torch.zeros(1, 1, 2, 4, dtype=torch.float64))
    c.node("z", "max_pool(x)", F.max_pool2d(x, 2))
    c.losses = ["l"]
    c.node("l", "reduce(z, axes=[0, 1, 2, 3])", c.nodes["z"][1].sum())
    c.check("l")
    assert torch.autograd.grad(c.nodes["l"][1], x)[0].flatten().tolist() == [1, 0, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("dims, window, stride", [pool[:3] for pool in POOLS if not any(pool[3])])
def test_avg_pool(dims, window, stride):
    c = Case()
    x = c.random("x", *dims)
    c.node("z", f"avg_pool(x, window={list(window)}, stride={list(stride)})", F.avg_pool2d(x, window, stride))
    c.check("z")


BROADCASTS = [([3, 4], [3, 4]), ([3, 4], [4]), ([4], [3, 4]), ([2, 1, 4], [3, 1]), ([1, 1], [2, 3]), ([], [2, 3]),
              ([5, 1, 2, 1], [3, 1, 2]), ([1, 3, 1], [2, 1, 4]), ([], [])]  # fmt: skip


@pytest.mark.parametrize("left, right", BROADCASTS)
def test_add(left, right):
    c = Case()
    a, b = c.random("a", *left), c.random("b", *right)
    c.node("z", "add(a, b)", a + b)
    c.node("y", "add(z, b, alpha=-3/2, beta=1/3)", -1.5 * c.nodes["z"][1] + b / 3)
    c.check("y")


@pytest.mark.parametrize("left, right", BROADCASTS)
def test_mul(left, right):
    c = Case()
    a, b = c.random("a", *left), c.random("b", *right)
    c.node("z", "mul(a, b)", a * b)
    c.node("y", "mul(z, z)", c.nodes["z"][1] ** 2)
    c.check("y")


@pytest.mark.parametrize("scale, shift", [("1", "0"), ("0", "1/2"), ("-7/3", "5"), ("1", "-1/8")])
def test_affine(scale, shift):
    c = Case()
    x = c.random("x", 3, 4)
    c.node("z", f"affine(x, scale={scale}, shift={shift})", program_number(scale) * x + program_number(shift))
    c.check("z")


def program_number(text):
    num, _, den = text.partition("/")
    return int(num) / int(den or 1)


def test_relu():
    c = Case()
    x = c.param("x", c.normal(5, 7).round())  # of zeros too, where the derivative is 0
    assert (x == 0).any()
    c.node("z", "relu(x)", F.relu(x))
    c.check("z")


@pytest.mark.parametrize("by", ["sum", "mean"])
@pytest.mark.parametrize("axes", [[], [0], [1], [2], [2, 0], [1, 2], [2, 1, 0]])
def test_reduce(axes, by):
    c = Case()
    x = c.random("x", 3, 1, 5)
    out = x if not axes else x.sum(axes) if by == "sum" else x.mean(axes)
    c.node("z", f"reduce(x, axes={axes}, by={by})", out)
    c.check("z")


def test_shapes():
    c = Case()
    x = c.random("x", 2, 3, 4)
    v = c.random("v", 6)
    a = c.node("a", "reshape(x, dims=[4, 1, 6])", x.reshape(4, 1, 6))
    b = c.node("b", "mul(a, v)", a * v)
    d = c.node("d", "flatten(b)", b.flatten(1))
    e = c.node("e", "reshape(d, dims=[24])", d.reshape(24))
    g = c.node("g", "flatten(e)", e.reshape(24, 1))
    c.node("h", "reshape(g, dims=[3, 8])", g.reshape(3, 8))
    c.check("h")


@pytest.mark.parametrize("axes", [[0], [1, 0], [0, 1], [2, 0, 1], [1, 2, 0], [3, 1, 0, 2], [1, 3, 2, 0]])
def test_permute(axes):
    c = Case()
    x = c.random("x", *[2, 3, 5, 4][:len(axes)])
    c.node("z", f"permute(x, axes={axes})", x.permute(axes))
    c.check("z")


@pytest.mark.parametrize("axis, begin, size", [(0, 0, 1), (0, 1, 2), (1, 2, 3), (2, 0, 4), (2, 3, 1)])
def test_slice(axis, begin, size):
    c = Case()
    x = c.random("x", 3, 5, 4)
    c.node("z", f"slice(x, axis={axis}, begin={begin}, size={size})", x.narrow(axis, begin, size))
    c.check("z")


def test_overlapping_slices_add_up():
    c = Case()
    x = c.random("x", 3, 5)
    a = c.node("a", "slice(x, axis=1, begin=0, size=3)", x[:, :3])
    b = c.node("b", "slice(x, axis=1, begin=2, size=3)", x[:, 2:])
    c.node("z", "mul(a, b)", a * b)
    c.check("z")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_concat(axis):
    c = Case()
    parts = []
    for i, extent in enumerate((2, 1, 3)):
        dims = [2, 3, 4]
        dims[axis] = extent
        parts.append(c.random(f"x{i}", *dims))
    c.node("z", f"concat(x0, x1, x2, x1, axis={axis})", torch.cat([*parts, parts[1]], axis))
    c.check("z")


NORMS = [[4, 3], [1, 3, 2, 2], [5, 2, 3, 1], [2, 4, 3], [2, 1]]


def normalised(c, x, name, of, **words):
    """batch_norm of PyTorch; its running variance is the unbiased one, so the other is written out."""
    channels = x.shape[1]
    w, b = c.random(name + "_w", channels), c.random(name + "_b", channels)
    mean, variance = c.buffer(name + "_m", c.normal(channels)), c.buffer(name + "_v", c.normal(channels).abs() + 0.1)
    momentum, eps = words.get("momentum", "1/10"), words.get("eps", "1/100000")
    m, e = program_number(momentum), program_number(eps)
    call = f"batch_norm({of}, {name}_w, {name}_b, {name}_m, {name}_v" + "".join(f", {k}={v}" for k, v in words.items()) + ")"
    running_mean, running_variance = mean.clone(), variance.clone()
    training = words.get("mode", "train") == "train"
    out = F.batch_norm(x, running_mean, running_variance, w, b, training, m, e)
    if words.get("running_variance") == "biased" and training:
        axes = [i for i in range(x.dim()) if i != 1]
        running_variance = (1 - m) * variance + m * x.detach().var(axes, unbiased=False)
    c.updated[name + "_m"], c.updated[name + "_v"] = running_mean, running_variance
    return c.node(name, call, out)


@pytest.mark.parametrize("words", [
    {}, {"momentum": "1/3", "eps": "1/1000"}, {"running_variance": "biased"}, {"momentum": "1"}, {"momentum": "0"},
    {"mode": "eval"}, {"mode": "eval", "eps": "1/10"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("dims", NORMS, ids=str)
def test_batch_norm(dims, words):
    c = Case()
    normalised(c, c.random("x", *dims), "n", "x", **words)
    c.check("n")


def test_two_norms_of_one_pair_of_buffers():
    """They move one after the other."""
    c = Case()
    x = c.random("x", 4, 3)
    w, b = c.random("w", 3), c.random("b", 3)
    mean, variance = c.buffer("m", c.normal(3)), c.buffer("v", c.normal(3).abs())
    running = mean.clone(), variance.clone()
    y = c.node("y", "batch_norm(x, w, b, m, v)", F.batch_norm(x, *running, w, b, True))
    c.node("z", "batch_norm(y, w, b, m, v)", F.batch_norm(y, *running, w, b, True))
    c.updated["m"], c.updated["v"] = running
    c.check("z")


@pytest.mark.parametrize("p", ["0", "1/2", "1/4", "9/10", "1/3"])
def test_dropout(p):
    c = Case()
    x = c.random("x", 3, 5, 7)
    keep = 1 - program_number(p)
    num, den = map(int, (p + "/1").split("/")[:2])
    masks = [torch.tensor(draws.mask(SEED, STEP, number, num, den, 105), dtype=torch.float64).reshape(3, 5, 7)
             for number in range(2)]  # fmt: skip
    z = c.node("z", f"dropout(x, p={p})", x * masks[0] / keep)
    c.node("y", f"dropout(z, p={p})", z * masks[1] / keep)
    c.check("y")


@pytest.mark.parametrize("rows, classes, factor", [(4, 5, 1), (1, 2, 1), (3, 7, 300), (2, 3, 0), (9, 1000, 5)])
def test_cross_entropy(rows, classes, factor):
    c = Case()
    z = c.param("z", factor * c.normal(rows, classes))
    y = c.label("y", classes, torch.randint(classes, (rows,), generator=c.draw))
    c.losses = ["l"]
    c.node("l", "cross_entropy(z, y)", F.cross_entropy(z, y))
    c.check("l")


@pytest.mark.parametrize("dims", [[4], [1, 1], [2, 3, 5]], ids=str)
def test_mse(dims):
    c = Case()
    a, b = c.random("a", *dims), c.random("b", *dims)
    c.losses = ["l"]
    c.node("l", "mse(a, b)", F.mse_loss(a, b))
    c.check("l")


def test_a_weighted_sum_of_losses():
    c = Case()
    z, t = c.random("z", 4, 3), c.random("t", 4, 3)
    y = c.label("y", 3, torch.tensor([2, 0, 1, 1]))
    ce = c.node("ce", "cross_entropy(z, y)", F.cross_entropy(z, y))
    m = c.node("m", "mse(z, t)", F.mse_loss(z, t))
    a = c.node("a", "affine(ce, scale=3/2, shift=-1)", 1.5 * ce - 1)
    s = c.node("s", "add(a, m, alpha=2, beta=1/4)", 2 * a + m / 4)
    r = c.node("r", "reduce(t, axes=[1, 0], by=mean)", t.mean())
    c.losses = ["l"]
    c.node("l", "add(s, r, beta=-1/8)", s - r / 8)
    c.check("l")


def test_a_residual_network():
    c = Case()
    x, y = c.random("x", 3, 2, 6, 5), c.label("y", 4, torch.tensor([3, 0, 1]))
    w1, w2, w3 = c.random("w1", 4, 2, 3, 3), c.random("w2", 4, 1, 3, 3), c.random("w3", 4, 4)
    h = c.node("h", "conv(x, w1, pad=[1, 1, 1, 1])", F.conv2d(x, w1, padding=1))
    n = normalised(c, h, "n1", "h")
    r = c.node("r", "relu(n1)", F.relu(n))
    d = c.node("d", "conv(r, w2, pad=[1, 1, 1, 1], groups=4)", F.conv2d(r, w2, padding=1, groups=4))
    n = normalised(c, d, "n2", "d", running_variance="biased")
    s = c.node("s", "add(n2, r)", n + r)
    p = c.node("p", "max_pool(s)", F.max_pool2d(s, 2))
    g = c.node("g", "reduce(p, axes=[2, 3], by=mean)", p.mean((2, 3)))
    k = c.node("k", "permute(g, axes=[1, 0])", g.T)
    z = c.node("z", "matmul(k, w3, transpose_a=yes)", k.T @ w3)
    c.losses = ["l"]
    c.node("l", "cross_entropy(z, y)", F.cross_entropy(z, y))
    c.check("l")


def test_every_operator_was_met():
    if len(SEEN) > 10:  # not when one test runs alone
        assert SEEN == {signature[0] for signature in program.OPERATORS.values()}
