# SPDX-License-Identifier: Apache-2.0
"""Runs that are bound to program, card and ticket before they begin: their order is the hub's, and they prove by themselves."""
import json
import subprocess

import numpy as np
import pytest
import sklearn.datasets
import torch
from conftest import flair_command
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

import flair
from flair import programs

BATCH, STEPS = 256, 9  # 1797 digits are 7 batches: the second epoch begins within
PROGRAM = f"""flair program 1
batch {BATCH}
data images [64] bits 6 scale 0
label labels classes 10
param weight [10, 64]
param bias [10]
x = affine(images, scale=1/16)
z = linear(x, weight, bias)
l = cross_entropy(z, labels)
loss l
optimiser sgd()
schedule 1/8
"""


def net():
    torch.manual_seed(1)
    return nn.Linear(64, 10)


def digits():
    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    return images, labels


def dataset():
    images, labels = digits()
    return TensorDataset(torch.tensor(images).float(), torch.tensor(labels))


def run_flair(cwd, *arguments, status=0):
    done = subprocess.run([flair_command(), "--json", *map(str, arguments)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def loop(model, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x / 16), y).backward()
        optimizer.step()


def first(count, batches):
    for _, batch in zip(range(count), batches):
        yield batch


@pytest.fixture
def site(hub, people, tmp_path):
    """A contributor's clone of a repository with a program; the data lie registered beside it."""
    alice = people("alice")
    flair.Client(hub).create_repo("digits", visibility="public")
    origin = flair.init(tmp_path / "alice/work")
    origin.set_remote(f"{hub}/{alice}/digits")
    programs.from_text(PROGRAM).save(origin.path)
    origin.commit(net(), message="Untrained", add=["program.flair"])
    origin.push()
    bob = people("bob")
    people("alice")
    flair.Client(hub).invite(f"{alice}/digits", bob)
    people("bob")
    site = flair.clone(f"{hub}/{alice}/digits", tmp_path / "bob/work")
    images, labels = digits()
    (tmp_path / "bob/digits").mkdir()
    np.save(tmp_path / "bob/digits/images.npy", images.astype("uint8"))
    np.save(tmp_path / "bob/digits/labels.npy", labels.astype("uint8"))
    run_flair(site.path, "data", "register", tmp_path / "bob/digits", "--program", "program.flair", "-o", "../digits.data")
    return site


def test_a_plain_loop_follows_the_tickets_order_and_is_proven(site):
    data, card = dataset(), site.path.parent / "digits.data"
    model = net()
    site.load_into(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=1 / 8)
    with flair.record(model, optimizer, data=data, repo=site, card=card) as run:
        loader = DataLoader(data, batch_size=BATCH, shuffle=True)
        assert len(loader) == 7
        for _ in range(2):
            loop(model, optimizer, first(STEPS - run.steps, loader))
    ticket = run_flair(site.path, "ticket", "--data", card)
    found = site.read_run(run.id)
    assert not ticket["new"] and found["ticket"] == ticket["ticket"] and found["card"] == ticket["card"]
    assert found["program"] == programs.load(site.path).hash and found["parent"] == site.head
    assert found["rows"][:-1] == flair.batches(ticket["seed"], len(data), BATCH, STEPS)
    proven = run_flair(site.path, "prove", run.id, "-o", "round")
    assert proven["steps"] == STEPS and proven["slack"]["later"] < 5e-4
    verified = run_flair(site.path, "verify", "round.proof", "--statement", "round.statement.json")
    assert verified["seed"] == ticket["seed"] and verified["card"] == ticket["card"]


def test_a_loop_that_stops_and_goes_on_keeps_the_order(site):
    data, card = dataset(), site.path.parent / "digits.data"
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=1 / 8)
    with flair.record(model, optimizer, data=data, repo=site, card=card) as run:
        for count in (2, 0, 3, 4):  # workers fetch ahead of what is trained on; the last one reaches the epoch's end
            loop(model, optimizer, first(count, DataLoader(data, batch_size=BATCH, num_workers=2 if count == 3 else 0)))
    assert run.steps == 7
    assert site.read_run(run.id)["rows"][:-1] == flair.batches(site.ticket((card / "card.json").read_text())["seed"], len(data), BATCH, 7)


def test_once_the_ticket_is_here_no_hub_is_needed(site):
    data, card = dataset(), site.path.parent / "digits.data"
    run_flair(site.path, "ticket", "--data", card)
    site.set_remote("http://127.0.0.1:9/nobody/nowhere")
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=1 / 8)
    with flair.record(model, optimizer, data=data, repo=site, card=card) as run:
        loop(model, optimizer, first(1, DataLoader(data, batch_size=BATCH)))
    assert site.read_run(run.id)["ticket"]


def twice(model, optimizer, loader):
    """Two batches a step."""
    for k, (x, y) in enumerate(loader):
        nn.functional.cross_entropy(model(x / 16), y).backward()
        if k % 2:
            optimizer.step()


@pytest.mark.parametrize("make, train, says", [
    (lambda data: DataLoader(data, batch_size=32), loop, "the program's batches have 256 rows, the DataLoader's 32"),
    (lambda data: DataLoader(data, batch_size=None), loop, "are no batches"),
    (lambda data: DataLoader(Subset(data, range(512)), batch_size=BATCH), loop, "Subset"),
    (lambda data: DataLoader(data, batch_size=BATCH), twice, "step 0 read other rows than the ticket's seed draws"),
])  # fmt: skip
def test_a_loop_that_could_not_be_proven_is_told_at_once(site, make, train, says):
    data, card = dataset(), site.path.parent / "digits.data"
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=1 / 8)
    with pytest.raises(flair.Error, match=says):
        with flair.record(model, optimizer, data=data, repo=site, card=card):
            train(model, optimizer, make(data))


def test_what_a_run_cannot_be_bound_to(site, tmp_path):
    data, card = dataset(), site.path.parent / "digits.data"
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=1 / 8)

    def says(text, data=data, card=card, optimizer=optimizer):
        with pytest.raises(flair.Error, match=text):
            flair.record(model, optimizer, data=data, repo=site, card=card)

    says("holds no registered data set", card=tmp_path / "nothing")
    says("needs data=", data=None)
    says("has 100 rows, the card of .* 1797", data=TensorDataset(data.tensors[0][:100], data.tensors[1][:100]))
    says("several models or optimizers", optimizer=[optimizer, optimizer])
    dropout = PROGRAM.replace("z = linear(x,", "d = dropout(x, p=1/2)\nz = linear(d,")
    programs.from_text(dropout).save(site.path)
    says("draws dropout in public")
    (site.path / "program.flair").unlink()
    says("there is no .*program.flair")
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "card.json").write_text("{")
    programs.from_text(PROGRAM).save(site.path)
    says("torn/card.json", card=torn)


# --- what the hub asks of them ----------------------------------------------------

@pytest.fixture
def strict_site(site, people, tmp_path):
    """The owner's policy asks for the program, and for a registered card with its ticket."""
    people("alice")
    origin = flair.open(tmp_path / "alice/work")
    (origin.path / "flair.toml").write_text(
        f'format = 1\n[contribution]\nregistered_card = true\n[program]\nhash = "{programs.load(site.path).hash}"\n')
    origin.commit(message="Policy", add=["flair.toml"])
    origin.push()
    people("bob")
    site.pull()
    return site


def trained(site, steps=1, **bound):
    data, model = dataset(), net()
    site.load_into(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=1 / 8)
    with flair.record(model, optimizer, data=data, repo=site, **bound) as run:
        loop(model, optimizer, first(steps, DataLoader(data, batch_size=BATCH)))
    return model, run


def refused(site, *says):
    with pytest.raises(flair.PolicyViolation) as raised:
        site.push()
    for text in says:
        assert text in str(raised.value), str(raised.value)
    site.reset("HEAD~1", "hard")


def test_the_hub_takes_a_run_on_a_registered_card(strict_site):
    model, run = trained(strict_site, card=strict_site.path.parent / "digits.data")
    strict_site.commit(model, run=run, message="One step")
    assert strict_site.push().number == 1


def test_the_hub_refuses_what_was_trained_otherwise(strict_site):
    site, card = strict_site, strict_site.path.parent / "digits.data"
    model, run = trained(site)
    site.commit(model, run=run, message="By a program of its own, on whatever")
    refused(site, "flair.toml:5: program.hash", "names no program", "flair.toml:3: contribution.registered_card", "names no data card")

    model, run = trained(site, card=card)
    site.commit(model, run=run, message="One step")
    with torch.no_grad():
        model.bias += 1
    site.commit(model, run=run, message="The same run again, for other weights")
    refused(site, "names a ticket that is not the hub's for its parent, card and author")


def test_a_card_of_another_wallet_is_of_no_use(strict_site, people, hub, tmp_path):
    card = strict_site.path.parent / "digits.data"
    model, run = trained(strict_site, card=card)
    people("alice")
    flair.Client(hub).invite("/".join(strict_site.remotes["origin"].split("/")[-2:]), (carol := people("carol")))
    people("carol")
    theirs = flair.clone(strict_site.remotes["origin"], tmp_path / "carol/work")
    with pytest.raises(flair.Conflict, match="is registered by"):
        flair.record(model, torch.optim.SGD(model.parameters(), lr=1 / 8), data=dataset(), repo=theirs, card=card)
    # Bob's run under Carol's name.
    (theirs.path / ".flair/runs").mkdir(exist_ok=True)
    (strict_site.path / ".flair/runs" / run.id).rename(theirs.path / ".flair/runs" / run.id)
    theirs.commit(model, run=run, message="Not mine")
    refused(theirs, f"which is registered by {flair.wallet(tmp_path / 'bob/.config/flair/id.json')} and not by its author")
    assert carol


# --- Keras ------------------------------------------------------------------------

def keras_net():
    import keras
    model = keras.Sequential([keras.Input((64,)), keras.layers.Rescaling(1 / 16), keras.layers.Dense(10)])
    model.compile(keras.optimizers.SGD(1 / 8), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.fixture
def keras_site(site):
    """The same site; the program's tensors are the Keras layer's."""
    text = PROGRAM.replace("param weight", "param dense.weight").replace("param bias", "param dense.bias")
    programs.from_text(text.replace("(x, weight, bias)", "(x, dense.weight, dense.bias)")).save(site.path)
    return site


@pytest.mark.parametrize("options", [{}, {"steps_per_execution": 3}, {"shuffle": False}])
def test_fit_follows_the_tickets_order_and_is_proven(keras_site, options):
    from flair.keras import Recorder
    site, card, (images, labels) = keras_site, keras_site.path.parent / "digits.data", digits()
    images = np.concatenate([images[:-1], images[:1]])  # two equal rows: which of them was read follows from the order alone
    labels = np.concatenate([labels[:-1], labels[:1]])
    source = site.path.parent / "twins"
    source.mkdir()
    np.save(source / "images.npy", images.astype("uint8"))
    np.save(source / "labels.npy", labels.astype("uint8"))
    card = site.path.parent / "twins.data"
    run_flair(site.path, "data", "register", source, "--program", "program.flair", "-o", card)
    model = keras_net()
    if "steps_per_execution" in options:
        model.steps_per_execution = options["steps_per_execution"]
    recorder = Recorder(repo=site, card=card)
    model.fit(recorder.data(images.astype("float32"), labels), epochs=2, verbose=0, callbacks=[recorder],
              **({"shuffle": False} if "shuffle" in options else {}))
    assert recorder.steps == 14
    seed = site.ticket((card / "card.json").read_text())["seed"]
    assert site.read_run(recorder.id)["rows"][:-1] == flair.batches(seed, len(images), BATCH, 14)
    if not options:
        proven = run_flair(site.path, "prove", recorder.id, "-o", "round")
        assert proven["steps"] == 14 and proven["slack"]["later"] < 5e-4
        run_flair(site.path, "verify", "round.proof", "--statement", "round.statement.json")


def test_fit_on_anything_else_is_told_at_once(keras_site):
    from flair.keras import Recorder
    card, (images, labels) = keras_site.path.parent / "digits.data", digits()
    recorder = Recorder(repo=keras_site, card=card)
    recorder.data(images.astype("float32"), labels)
    with pytest.raises(Exception, match="fit reads other data than recorder.data"):
        keras_net().fit(images.astype("float32"), labels, batch_size=BATCH, verbose=0, callbacks=[recorder])
    recorder = Recorder(repo=keras_site, card=card)
    with pytest.raises(flair.InvalidArgument, match="fit weighs its rows"):
        keras_net().fit(recorder.data(images.astype("float32"), labels), verbose=0, callbacks=[recorder], class_weight={0: 2.0})
    with pytest.raises(flair.InvalidArgument, match="has 100 rows"):
        Recorder(repo=keras_site, card=card).data(images[:100], labels[:100])
    with pytest.raises(flair.InvalidArgument, match="there is none"):
        Recorder(repo=keras_site).data(images, labels)
