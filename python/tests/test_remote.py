# SPDX-License-Identifier: Apache-2.0
"""The package against a running hub: clone, push, proposals, pull, and the errors of a hub."""
import collections
import json
import os
import pathlib

import pytest
import torch

import flair
from flair import errors


def net(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Linear(6, 3)


def test_a_round_through_the_hub(hub, people, tmp_path):
    site = people("site")
    owner = people("owner")
    client = flair.Client(hub)
    assert client.whoami()[0] == owner and client.repos(owner) == []
    client.create_repo("digits")
    address = f"{hub}/{owner}/digits"
    repo = flair.init(tmp_path / "owner/work")
    repo.set_remote(address)
    repo.commit(net(), message="Untrained")
    pushed = repo.push()
    assert pushed.moved and pushed.target == "main" and pushed.egress["sent_bytes"] > 0

    people("site")
    with pytest.raises(errors.Error) as refused:
        flair.clone(address, tmp_path / "site/early")
    assert isinstance(refused.value, (errors.NotFound, errors.Unauthorised))
    people("owner")
    client.invite(f"{owner}/digits", site)

    people("site")
    mine = flair.clone(address, tmp_path / "site/digits")
    model = net(9)
    mine.load_into(model)
    assert torch.equal(model.weight, net().weight)
    with torch.no_grad():
        model.weight += 0.5
    commit = mine.commit(model, message="Site", samples=700)
    proposal = mine.push(title="Half a step")
    assert not proposal.moved and proposal.number == 1 and proposal.url and all(c.passed for c in proposal.checks)
    assert mine.push().number == 1, "the same branch has the same proposal"
    found = flair.Client(hub).proposals(f"{owner}/digits")
    assert [p["number"] for p in found] == [1] and found[0]["title"] == "Half a step"
    assert flair.Client(hub).proposal(f"{owner}/digits", 1)["commit"] == commit.id

    people("owner")
    assert repo.pull()["up_to_date"]
    repo.fetch()
    repo.commit({"weight": torch.zeros(3, 6), "bias": torch.zeros(3)}, message="Owner", samples=1)
    assert repo.push().moved
    assert flair.Client(hub).commits(f"{owner}/digits")


def images():
    """One network in both frameworks, with the same names and shapes."""
    import keras
    torch.manual_seed(3)
    theirs = torch.nn.Sequential(collections.OrderedDict(
        conv=torch.nn.Conv2d(3, 4, 3), act=torch.nn.ReLU(), pool=torch.nn.AdaptiveAvgPool2d(1), flat=torch.nn.Flatten(),
        head=torch.nn.Linear(4, 2)))
    mine = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
                             keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, name="head")])
    return theirs, mine


@pytest.mark.parametrize("kind, error", [("int8", 0.02), ("bf16", 0.01)])
def test_a_light_clone_is_evaluated_like_any_other(hub, people, tmp_path, kind, error):
    owner = people("light" + kind)
    flair.Client(hub).create_repo("net", visibility="public")
    repo = flair.init(tmp_path / "full")
    repo.set_remote(f"{hub}/{owner}/net")
    model, twin = images()
    repo.commit({**{n: t for n, t in model.state_dict().items()}, "steps": torch.tensor(7)}, message="Net")
    assert repo.push().moved
    copy = flair.clone(f"{hub}/{owner}/net", tmp_path / "copy", light=kind)
    assert copy.status()["light"] == kind

    stored, full = copy.tensors(), repo.tensors()
    assert list(stored) and set(stored) == set(full) and stored["steps"].torch() == 7
    for name in full:
        assert (stored[name].dtype_name, stored[name].shape) == (full[name].dtype_name, full[name].shape)
    x = torch.linspace(-1, 1, 192).reshape(1, 3, 8, 8)
    want = model(x)
    other, _ = images()
    with torch.no_grad():
        [p.zero_() for p in other.parameters()]
    copy.load_into(other, strict=False)
    assert 0 < (other(x) - want).abs().max() < error
    copy.load_into(twin, strict=False)
    got = torch.from_numpy(twin(x.permute(0, 2, 3, 1).numpy()).numpy())
    assert torch.allclose(got, other(x), atol=1e-5)

    before = (tmp_path / "copy/model.safetensors").read_bytes()
    with pytest.raises(errors.Unsupported, match="light"):
        copy.commit(other, message="From a copy")
    assert (tmp_path / "copy/model.safetensors").read_bytes() == before and copy.status()["staged"] == []


def test_a_token_of_the_environment_comes_first(hub, people, monkeypatch):
    owner = people("tokens")
    flair.Client(hub).create_repo("mine")
    other = people("elsewhere")
    assert flair.Client(hub).whoami()[0] == other
    people("tokens")
    session = json.loads((pathlib.Path(os.environ["HOME"]) / ".config/flair/tokens.json").read_text())["hubs"][hub]
    assert list(session) == [owner]
    people("elsewhere")
    monkeypatch.setenv("FLAIR_TOKEN", session[owner]["token"])
    assert flair.Client(hub).whoami()[0] == owner
    monkeypatch.delenv("FLAIR_TOKEN")
    assert flair.Client(hub).whoami()[0] == other


def test_what_a_hub_refuses_has_a_type(hub, people, tmp_path):
    owner = people("someone")
    client = flair.Client(hub)
    client.create_repo("one")
    with pytest.raises(errors.AlreadyExists):
        client.create_repo("one")
    with pytest.raises(errors.NotFound):
        client.proposal(f"{owner}/one", 7)
    with pytest.raises(errors.NotFound):
        flair.clone(f"{hub}/{owner}/two", tmp_path / "two")
    assert not (tmp_path / "two/.flair").exists()
    with pytest.raises(errors.InvalidArgument):
        flair.clone("ftp://somewhere/a/b", tmp_path / "three")


def test_a_hub_that_is_not_there_is_unavailable(people, tmp_path):
    people("lonely")
    with pytest.raises(errors.Unavailable):
        flair.clone("http://127.0.0.1:9/a/b", tmp_path / "x")
