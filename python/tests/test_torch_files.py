# SPDX-License-Identifier: Apache-2.0
"""Files of torch.save in a repository: every byte comes back, tensors have names, nothing is run, merges are files PyTorch reads."""
import os
import zipfile

import pytest
import torch

import flair

LEGACY = {"_use_new_zipfile_serialization": False}


def save(repo, value, name="m.pt", message="One", samples=None, **options):
    torch.save(value, repo.path / name, **options)
    return repo.commit(add=[name], message=message, samples=samples)


def net(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2))


def checkpoint(seed=0, steps=2):
    model = net(seed)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(5, 4)).square().mean().backward()
        optimizer.step()
    return {"epoch": 7, "model": model.state_dict(), "optimizer": optimizer.state_dict()}


def views():
    base = torch.arange(24.0).reshape(4, 6)
    apart = torch.arange(10.0)
    return {"base": base, "transposed": base.t(), "column": base[:, 1], "head": apart[:4], "tail": apart[6:], "expanded": torch.ones(1).expand(3, 5)}


def elements():
    return {"bf16": torch.randn(3, 2).bfloat16(), "f16": torch.randn(5).half(), "f64": torch.randn(2).double(), "f8": torch.randn(4).to(torch.float8_e4m3fn),
            "u16": torch.tensor([1, 65535], dtype=torch.uint16), "i64": torch.tensor(-4), "flag": torch.tensor([True, False]),
            "c64": torch.randn(2, dtype=torch.complex64), "none": torch.zeros(0, 3), "parameter": torch.nn.Parameter(torch.ones(2))}


def tied():
    w = torch.randn(3, 4)
    return {"embed.weight": w, "head.weight": w}


def strange():
    return {"w": torch.ones(3), "sparse": torch.eye(3).to_sparse(), "quantised": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
            "list": [torch.zeros(2), {"deep": torch.ones(1)}], "text": "no tensor"}


def equal(a, b):
    if isinstance(a, torch.Tensor):
        if a.is_sparse or a.is_quantized:
            return torch.equal(a.to_dense() if a.is_sparse else a.int_repr(), b.to_dense() if b.is_sparse else b.int_repr())
        return a.dtype == b.dtype and a.stride() == b.stride() and torch.equal(a.contiguous().view(torch.uint8) if a.numel() and a.dim() else a,
                                                                               b.contiguous().view(torch.uint8) if b.numel() and b.dim() else b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


@pytest.mark.parametrize("options", [{}, LEGACY, {"pickle_protocol": 4}], ids=["zip", "legacy", "protocol-4"])
@pytest.mark.parametrize("make", [lambda: net().state_dict(), checkpoint, views, elements, tied, strange, lambda: torch.ones(3), lambda: {}],
                         ids=["state_dict", "checkpoint", "views", "elements", "tied", "strange", "bare", "empty"])
def test_a_checkout_is_the_file_byte_for_byte(repo, make, options):
    value = make()
    if options == LEGACY and isinstance(value, dict):
        # Types without a storage class of their own: torch writes them so, and cannot read them.
        value.pop("u16", None), value.pop("f8", None)
    first = save(repo, value, **options)
    content = (repo.path / "m.pt").read_bytes()
    save(repo, {"other": torch.zeros(2)}, message="Two", **options)
    repo.restore("m.pt", source=first.id)
    assert (repo.path / "m.pt").read_bytes() == content
    # Its safe reader knows protocol 2 alone.
    assert equal(torch.load(repo.path / "m.pt", weights_only="pickle_protocol" not in options), value)


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_tensors_are_named_by_the_path_to_them(repo, options):
    value = checkpoint()
    commit = save(repo, value, **options)
    found = repo.tensors(commit, "m.pt")
    expected = {f"model.{n}": t for n, t in value["model"].items()}
    expected |= {f"optimizer.state.{i}.{n}": t for i, s in value["optimizer"]["state"].items() for n, t in s.items()}
    assert set(found) == set(expected) and "optimizer.state.0.exp_avg" in found
    for name, tensor in expected.items():
        assert torch.equal(found[name].torch(), tensor), name


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_views_that_overlap_are_their_storage_and_others_are_tensors(repo, options):
    found = repo.tensors(save(repo, views(), **options), "m.pt")
    assert {n: tuple(t.shape) for n, t in found.items()} == {"base": (24,), "head": (4,), "tail": (4,), "expanded": (1,)}
    assert torch.equal(found["base"].torch(), torch.arange(24.0)) and torch.equal(found["tail"].torch(), torch.arange(6.0, 10))
    found = repo.tensors(save(repo, tied(), message="Tied", **options), "m.pt")
    assert {n: tuple(t.shape) for n, t in found.items()} == {"embed.weight": (3, 4)}


def test_elements_keep_their_types_and_bits(repo):
    value = elements()
    found = repo.tensors(save(repo, value), "m.pt")
    assert {n: t.dtype_name for n, t in found.items()} == {
        "bf16": "BF16", "f16": "F16", "f64": "F64", "f8": "F8_E4M3", "u16": "U16", "i64": "I64", "flag": "BOOL", "c64": "C64", "none": "F32",
        "parameter": "F32"}
    for name in ("bf16", "f16", "f64", "i64", "flag", "none", "parameter"):
        assert torch.equal(found[name].torch(), value[name]), name


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_a_difference_names_the_tensors(repo, options):
    value = checkpoint()
    first = save(repo, value, **options)
    value["model"]["0.bias"] += 3
    save(repo, value, message="Two", **options)
    (change,) = repo.diff(first)
    assert (change.path, change.name, change.kind, change.after) == ("m.pt", "model.0.bias", "changed", ("F32", [3]))
    assert change.stats["l2_delta"] == pytest.approx(27 ** 0.5)


class Hostile:
    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return os.system, (f"touch '{self.target}'",)


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_a_hostile_pickle_is_stored_and_never_run(repo, tmp_path, options):
    proof = tmp_path / "was-run"
    first = save(repo, {"w": torch.ones(3), "x": Hostile(proof)}, **options)
    content = (repo.path / "m.pt").read_bytes()
    assert list(repo.tensors(first, "m.pt")) == ["w"]
    second = save(repo, {"w": torch.zeros(3), "x": Hostile(proof)}, message="Two", **options)
    assert [c.name for c in repo.diff(first)] == ["w"]
    repo.restore("m.pt", source=first.id)
    assert (repo.path / "m.pt").read_bytes() == content
    repo.verify(second)
    assert not proof.exists()
    torch.load(repo.path / "m.pt", weights_only=False)  # as a check of the attack
    assert proof.exists()


def test_a_broken_file_is_refused_with_its_reason(repo):
    torch.save(net().state_dict(), repo.path / "m.pt")
    content = (repo.path / "m.pt").read_bytes()
    (repo.path / "m.pt").write_bytes(content[:-10])
    with pytest.raises(flair.errors.IntegrityError, match="torch file: zip archive: no end record"):
        repo.add("m.pt")


def merge_two(repo, a, b, **options):
    base = save(repo, a, **options)
    for branch, value, samples in (("left", a, 300), ("right", b, 100)):
        repo.switch(branch, create=True, start=base)
        torch.save(value, repo.path / "m.pt", **options)
        (repo.path / "log.txt").write_text(branch) if value is a else None
        repo.commit(add=["m.pt"] + (["log.txt"] if value is a else []), message=branch, samples=samples)
        repo.switch("main")
    return repo.merge(["left", "right"], method="fedavg", message="Joined")


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_a_merge_is_a_file_that_pytorch_reads(repo, options):
    a, b = net(1).state_dict(), net(2).state_dict()
    a["tied"], b["tied"] = a["0.weight"], b["0.weight"]
    assert merge_two(repo, a, b, **options).method == "fedavg"
    if not options:
        assert zipfile.ZipFile(repo.path / "m.pt").testzip() is None  # checksums follow the tensors
    got = torch.load(repo.path / "m.pt", weights_only=True)
    assert got.keys() == a.keys() and got["tied"].data_ptr() == got["0.weight"].data_ptr()
    for name, tensor in got.items():
        if tensor.is_floating_point():
            assert torch.allclose(tensor, 0.75 * a[name] + 0.25 * b[name], atol=1e-6), name
