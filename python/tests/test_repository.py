# SPDX-License-Identifier: Apache-2.0
"""The package over real repositories on disk."""
import json
import os
import signal
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import flair
from flair import errors


def net(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 2))


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def step(model, amount=0.1):
    with torch.no_grad():
        for p in model.parameters():
            p += amount
    return model


def test_commits_and_what_they_say(repo):
    model = net()
    first = repo.commit(model, message="First", metrics={"loss": 0.5, "accuracy": 0.25}, samples=12, time=1_700_000_000)
    assert (first.message, first.metrics, first.samples, first.parents) == ("First", {"accuracy": 0.25, "loss": 0.5}, 12, ())
    assert first.author == flair.wallet() and first.framework.startswith("pytorch ") and first.time.year == 2023
    second = repo.commit(step(model), message="Second")
    assert [c.id for c in repo.log()] == [second.id, first.id] == [repo.head, repo.show("HEAD~1").id]
    assert repo.branch == "main" and repo.branches() == {"main": second.id} and str(second) == second.id
    repo.verify(second)
    assert not repo.status()["staged"] and not repo.status()["untracked"]


def test_versions_come_back_bit_for_bit(repo):
    model, versions = net(), []
    for k in range(3):
        versions.append((repo.commit(step(model, k), message=str(k)), {n: t.clone() for n, t in model.state_dict().items()}))
    for commit, state in versions:
        other = net(9)
        repo.load_into(other, ref=commit)
        assert all(torch.equal(other.state_dict()[n], t) for n, t in state.items())
    with pytest.raises(errors.InvalidArgument, match="do not fit the model"):
        repo.load_into(torch.nn.Linear(4, 8))


def test_tensors_are_mapped_from_the_folder_or_decoded_from_the_store(repo):
    model = net()
    first = repo.commit(model, message="First")
    old = model.state_dict()["0.weight"].clone()
    repo.commit(step(model), message="Second")
    for ref, expected in (("HEAD", model.state_dict()["0.weight"]), (first, old), (None, model.state_dict()["0.weight"])):
        found = repo.tensors(ref)
        assert torch.equal(found["0.weight"].torch(), expected) and len(found) == len(model.state_dict())
        found["0.weight"].numpy()[:] = 0  # never reaches a file or the store
        assert torch.equal(repo.tensors(ref)["0.weight"].torch(), expected)
    assert not repo.status()["unstaged"]


def test_differences(repo):
    model = net()
    first = repo.commit(model, message="First")
    with torch.no_grad():
        model[0].bias[0] += 3
    repo.commit(model, message="Second")
    (change,) = repo.diff(first)
    assert (change.path, change.name, change.kind) == ("model.safetensors", "0.bias", "changed")
    assert change.stats["changed"] == 1 and change.stats["l2_delta"] == pytest.approx(3) and change.after == ("F32", [8])
    assert repo.diff(first, tensors="*.weight") == [] and repo.diff(first, detail="names")[0].stats is None


def test_branches_merge_by_samples_and_revert(repo):
    base = repo.commit(net(), message="Base")
    a, b = net(), net()
    repo.switch("a", create=True)
    repo.commit(step(a, 1.0), message="A", samples=300)
    repo.switch("b", create=True, start=base)
    repo.commit(step(b, 3.0), message="B", samples=100)
    repo.switch("main")
    assert repo.merge(["a", "b"], method="fedavg", dry_run=True) is None and repo.head == base.id
    merged = repo.merge(["a", "b"], method="fedavg", message="Round 1")
    assert len(merged.parents) == 3 and merged.parents[0] == base.id and merged.method == "fedavg"
    got = net(5)
    repo.load_into(got)
    assert torch.allclose(got[0].bias, net()[0].bias + 1.5, atol=1e-6)
    reverted = repo.revert(merged)
    back = net(5)
    repo.load_into(back)
    assert same(back, net()) and reverted.parents == (merged.id,)
    assert repo.undo() and repo.head == merged.id


def test_merges_that_cannot_be_are_conflicts_with_reasons(repo):
    base = repo.commit({"w": np.ones(3, "float32")}, message="Base")
    repo.switch("a", create=True)
    repo.commit({"w": np.ones(4, "float32")}, message="A", samples=1)
    repo.switch("main")
    repo.commit({"w": np.zeros(3, "float32")}, message="Main", samples=1)
    with pytest.raises(errors.Conflict, match="shape") as caught:
        repo.merge("a", method="fedavg")
    assert "w" in caught.value.conflicts[0] and repo.show().message == "Main" and base


def test_a_recorded_run_fills_the_commit(repo):
    model, data = net(), TensorDataset(torch.randn(20, 4), torch.randint(0, 2, (20,)))
    repo.commit(model, message="Untrained")
    repo.load_into(model)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with flair.record(model, optimizer, data=data) as run:  # the repository is known from load_into
        for x, y in DataLoader(data, 5, shuffle=True):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        run.log(loss=0.25)
    with pytest.raises(errors.InvalidArgument, match="not finished"):
        repo.commit(model, run=flair.record(model, optimizer, data=data))
    commit = repo.commit(model, run=run, metrics={"accuracy": 1.0})
    assert (commit.steps, commit.samples) == (4, 20) and commit.framework.startswith("pytorch ")
    assert commit.metrics["accuracy"] == 1.0 and commit.message == "Training of 4 steps"
    stored = repo.read_run(run.id)
    assert stored["finished"] and sorted(sum(stored["rows"], [])) == list(range(20)) and len(stored["rows"]) == 5
    assert set(stored["tensors"][0]) >= set(model.state_dict()) | {"@lr", "@micro"} and stored["parent"] == commit.parents[0]
    assert (repo.path / ".flair/runs" / run.id / "run.json").exists()


def test_several_models_in_one_repository(repo):
    pair = {"generator": net(1), "discriminator": net(2)}
    commit = repo.commit(pair, message="Both")
    other = {"generator": net(3), "discriminator": net(4)}
    repo.load_into(other, ref=commit)
    assert same(other["generator"], net(1)) and same(other["discriminator"], net(2))


@pytest.fixture
def committed(repo):
    repo.commit(net(), message="First")
    return repo


@pytest.mark.parametrize("call, text", [
    (dict(path="../../x.safetensors"), "x.safetensors"),
    (dict(path="/tmp/x.safetensors"), "x.safetensors"),
    (dict(path=".flair/x.safetensors"), ".flair"),
    (dict(path="out/x.safetensors"), "symbolic link"),
    (dict(samples=-1), "samples=-1"),
    (dict(samples=(1 << 32) + 1), "samples=4294967297"),
    (dict(metrics={"a": float("inf")}), "the metric a is inf"),
])
def test_a_commit_that_is_refused_writes_nothing(committed, tmp_path, call, text):
    (tmp_path / "elsewhere").mkdir()
    (committed.path / "out").symlink_to(tmp_path / "elsewhere")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.safetensors")}
    with pytest.raises(errors.InvalidArgument, match=text):
        committed.commit(net(5), message="x", **call)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.safetensors")} == before
    assert committed.status()["staged"] == [] and committed.show().message == "First"


@pytest.mark.parametrize("call, text", [
    (lambda r: r.reset("HEAD", mode="harder"), "mode='harder' is none of: mixed, soft, hard"),
    (lambda r: r.diff("HEAD", detail="all"), "detail='all' is none of: names, stats, histogram"),
    (lambda r: r.revert("HEAD", by="force"), "by='force' is none of: history, subtract"),
    (lambda r: r.merge("HEAD", method="bogus"), "bogus"),
])
def test_words_are_not_guessed(committed, call, text):
    with pytest.raises(errors.InvalidArgument, match=text):
        call(committed)


def test_a_models_folder_is_made(repo):
    repo.commit(net(1), message="x", path="models/a/net.safetensors")
    assert same_tensors(repo, "models/a/net.safetensors", net(1))


def same_tensors(repo, path, model):
    return all(torch.equal(repo.tensors("HEAD", path)[n].torch(), t) for n, t in model.state_dict().items())


@pytest.mark.parametrize("call, kind, text", [
    (lambda r: flair.open(r.path / "nowhere"), errors.NotFound, "no Flair repository"),
    (lambda r: flair.init(r.path), errors.AlreadyExists, "there is a repository"),
    (lambda r: r.show("nothing"), errors.NotFound, "nothing"),
    (lambda r: r.push(), errors.NotFound, "no remote 'origin'"),
    (lambda r: r.commit(message="Empty"), errors.Error, "."),
    (lambda r: r.commit(net(), message="x", metrics={"a": float("nan")}), errors.InvalidArgument, "a"),
    (lambda r: r.commit(3, message="x"), errors.InvalidArgument, "int"),
    (lambda r: r.commit(net(), keypair=r.path / "none.json"), errors.NotFound, "none.json"),
    (lambda r: r.add("missing.bin"), errors.NotFound, "missing.bin"),
    (lambda r: r.tensors("HEAD"), errors.NotFound, "."),
    (lambda r: r.merge("nothing"), errors.NotFound, "nothing"),
    (lambda r: r.read_run("../../etc"), errors.InvalidArgument, "no run's id"),
    (lambda r: flair.wallet(r.path), errors.IoError, "work"),
    (lambda r: r.tensors(path="."), errors.IoError, "."),
])
def test_errors_have_a_type_and_one_line(repo, call, kind, text):
    with pytest.raises(kind, match=text) as caught:
        call(repo)
    assert caught.value.message and "\n" not in caught.value.message


def base58(numbers):
    """As browser wallets export a key."""
    alphabet, value, text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", int.from_bytes(bytes(numbers), "big"), ""
    while value:
        value, digit = divmod(value, 58)
        text = alphabet[digit] + text
    return "1" * next(i for i, n in enumerate(numbers) if n) + text


def test_keys(repo, tmp_path, monkeypatch):
    assert stat.S_IMODE(os.stat(tmp_path / "id.json").st_mode) == 0o600
    with pytest.raises(errors.AlreadyExists):
        flair.new_wallet(tmp_path / "id.json")
    (tmp_path / "bad.json").write_text("[1, 2, 3]")
    with pytest.raises(errors.IntegrityError, match="bad.json"):
        flair.wallet(tmp_path / "bad.json")
    (tmp_path / "bad.json").write_text("[" * 4000)
    with pytest.raises(errors.IntegrityError):
        flair.wallet(tmp_path / "bad.json")
    (tmp_path / "base58.json").write_text(base58(json.loads((tmp_path / "id.json").read_text())) + "\n")
    assert flair.wallet(tmp_path / "base58.json") == flair.wallet(tmp_path / "id.json")
    (tmp_path / "bad.json").write_text(str([1] * 64))
    with pytest.raises(errors.IntegrityError):
        flair.wallet(tmp_path / "bad.json")
    monkeypatch.delenv("FLAIR_KEYPAIR")
    with pytest.raises(errors.NotFound, match="no wallet"):
        flair.wallet()
    address = flair.new_wallet(tmp_path / ".config/solana/id.json")
    assert flair.wallet() == address
    assert flair.new_wallet(tmp_path / ".config/flair/id.json") == flair.wallet() != address


def test_commits_of_another_process_are_seen(repo):
    repo.commit(net(), message="Here")
    script = f"import flair, numpy; flair.open({str(repo.path)!r}).commit({{'w': numpy.ones(3, 'float32')}}, message='There')"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert repo.show().message == "There" and repo.tensors("HEAD")["w"].numpy().sum() == 3


def test_threads_may_share_a_repository(repo):
    repo.commit(net(), message="First")
    seen = []

    def read():
        for _ in range(20):
            seen.append(repo.tensors(repo.head)["0.weight"].numpy().sum() + len(repo.log()))
    threads = [threading.Thread(target=read) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(seen) == 80 and len(set(seen)) == 1


def test_ctrl_c_ends_a_long_call_and_leaves_the_repository_whole(repo):
    script = f"""
import flair, numpy as np, os, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
repo = flair.open({str(repo.path)!r})
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    for k in range(200):
        repo.commit({{"w": np.random.default_rng(k).random(4_000_000, "float32")}}, message=str(k))
except KeyboardInterrupt:
    print("interrupted")
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert out.stdout.strip() == "interrupted", out.stderr
    assert signal.SIGINT and repo.status() is not None
    for commit in repo.log() if repo.head else []:
        repo.verify(commit)


def test_keras_commits_what_pytorch_reads(repo):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu", name="0"), keras.layers.Dense(2, name="2")])
    commit = repo.commit(model, message="From Keras")
    assert commit.framework.startswith("keras ")
    other = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    repo.load_into(other)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    assert np.allclose(other(torch.from_numpy(x)).detach().numpy(), np.asarray(model(x)), atol=1e-5)
    before = (repo.path / "model.safetensors").read_bytes()
    repo.save(other)
    assert (repo.path / "model.safetensors").read_bytes() == before, "both doors write the same bytes"
    assert torch.utils.dlpack and tf_sees(repo)


def tf_sees(repo):
    tensor = repo.tensors("HEAD")["0.weight"]
    return bool((tensor.tensorflow().numpy() == tensor.numpy()).all())
