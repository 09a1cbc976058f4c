# SPDX-License-Identifier: Apache-2.0
"""The recorder sees every step and its rows, and training does not notice it."""
import numpy as np
import pytest
import torch
from memory_runs import MemoryRuns
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset

import flair
from flair import errors


class Numbered(torch.utils.data.Dataset):
    """Row i is the number i, so that a batch says which rows it holds."""

    def __init__(self, n=24):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return torch.full((3,), float(i)), i % 2


def net():
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))


def loop(model, optimizer, loader, seen=None, accumulate=1, after=lambda: None):
    for k, (x, y) in enumerate(loader):
        if seen is not None:
            seen.append([int(v) for v in x[:, 0]])
        nn.functional.cross_entropy(model(x), y).backward()
        if (k + 1) % accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
        after()


def both(make_loader, optimizer=lambda p: torch.optim.SGD(p, 0.1, momentum=0.9), train=loop, data=None, **options):
    """Trains without and with a recorder; returns the run, and the batches as the loop saw them."""
    ends = []
    data = data or Numbered()
    for record in (False, True):
        model = net()
        opt, seen, runs = optimizer(model.parameters()), [], MemoryRuns()
        torch.manual_seed(11)
        if record:
            with flair.record(model, opt, data=data, repo=runs) as run:
                train(model, opt, make_loader(data), seen, **options)
        else:
            train(model, opt, make_loader(data), seen, **options)
        ends.append({k: v.clone() for k, v in model.state_dict().items()})
    assert all(torch.equal(ends[0][k], ends[1][k]) for k in ends[0]), "recording changed the training"
    assert all(np.array_equal(runs.steps[-1][0][k], v.numpy()) for k, v in ends[1].items()), "the last state is the end"
    return run, runs, seen


def test_shuffled_batches_and_their_rows():
    run, runs, seen = both(lambda d: DataLoader(d, batch_size=5, shuffle=True))
    assert runs.rows() == seen and run.steps == len(seen) == 5 and run.samples == 24
    assert runs.framework.startswith("pytorch ") and runs.settings["optimizer"] == "SGD"
    assert [t["@lr"].tolist() for t, _ in runs.steps[:-1]] == [[0.1]] * 5
    fresh = net()
    assert all(np.array_equal(runs.steps[0][0][k], v.numpy()) for k, v in fresh.state_dict().items() if "running" not in k and "num_" not in k)


def test_workers_that_prefetch():
    run, runs, seen = both(lambda d: DataLoader(d, batch_size=4, shuffle=True, num_workers=2, prefetch_factor=4))
    assert runs.rows() == seen


def test_subsets_of_subsets_and_drop_last():
    def loader(d):
        return DataLoader(Subset(Subset(d, range(20, 2, -1)), [1, 3, 5, 7, 9, 11, 13]), batch_size=3, shuffle=True, drop_last=True)
    _, runs, seen = both(loader)
    assert runs.rows() == seen and len(seen) == 2


def test_accumulation_keeps_the_micro_batches_apart():
    _, runs, seen = both(lambda d: DataLoader(d, batch_size=4, shuffle=True), accumulate=2)
    assert runs.rows() == [seen[0] + seen[1], seen[2] + seen[3], seen[4] + seen[5]] and runs.micro() == [[4, 4]] * 3


def test_validation_in_between_is_not_recorded():
    def train(model, opt, loader, seen):
        validation = Numbered(8)
        for x, y in loader:
            seen.append([int(v) for v in x[:, 0]])
            opt.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            opt.step()
            model.eval()
            with torch.no_grad():
                for batch, _ in DataLoader(validation, batch_size=8):
                    model(batch)
            model.train()
    _, runs, seen = both(lambda d: DataLoader(d, batch_size=6, shuffle=True), train=train)
    assert runs.rows() == seen


def test_a_step_that_the_grad_scaler_skips_is_no_step():
    def train(model, opt, loader, seen):
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
        for k, (x, y) in enumerate(loader):
            loss = nn.functional.cross_entropy(model(x), y)
            opt.zero_grad()
            scaler.scale(loss * (float("inf") if k == 1 else 1)).backward()
            scaler.step(opt)
            scaler.update()
            if k != 1:
                seen.append([int(v) for v in x[:, 0]])
    _, runs, seen = both(lambda d: DataLoader(d, batch_size=6), train=train)
    assert len(seen) == 3 and runs.rows() == seen


def test_a_gan_has_two_models_and_two_optimisers():
    data = TensorDataset(torch.arange(12.0).reshape(12, 1))
    ends = []
    for record in (False, True):
        torch.manual_seed(3)
        g, d = nn.Linear(2, 1), nn.Linear(1, 1)
        og, od = torch.optim.Adam(g.parameters(), 1e-2), torch.optim.Adam(d.parameters(), 1e-2)
        runs = MemoryRuns()

        def train():
            for (x,) in DataLoader(data, batch_size=4, shuffle=True):
                od.zero_grad()
                (d(g(torch.randn(4, 2)).detach()).mean() - d(x).mean()).backward()
                od.step()
                og.zero_grad()
                (-d(g(torch.randn(4, 2))).mean()).backward()
                og.step()
        if record:
            with flair.record({"generator": g, "discriminator": d}, [og, od], data=data, repo=runs) as run:
                train()
        else:
            train()
        ends.append([p.detach().clone() for m in (g, d) for p in m.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*ends))
    assert run.steps == 6 and run.samples == 12
    assert [int(t["@optimizer"]) for t, _ in runs.steps[:-1]] == [1, 0] * 3
    assert [len(rows) for rows in runs.rows()] == [4, 0] * 3
    assert set(runs.steps[0][0]) >= {"generator.weight", "discriminator.bias"}


def test_loops_over_tensors_report_rows_in_one_line():
    x, y = torch.randn(10, 3), torch.randint(0, 2, (10,))
    model, runs = net(), MemoryRuns()
    opt = torch.optim.SGD(model.parameters(), 0.1)
    with flair.record(model, opt, repo=runs) as run:
        for rows in torch.arange(10).split(5):
            run.rows(rows)
            opt.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            opt.step()
        run.log(loss=0.5)
    assert runs.rows() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]] and runs.finished == {"loss": 0.5}


def test_nothing_stays_behind():
    before = (DataLoader.__dict__["_index_sampler"], torch.utils.data.dataloader._BaseDataLoaderIter.__dict__["__next__"])
    model = net()
    opt = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(ZeroDivisionError):
        with flair.record(model, opt, data=Numbered(), repo=(runs := MemoryRuns())):
            raise ZeroDivisionError
    assert runs.finished is None, "a run that broke is not sealed"
    assert "zero_grad" not in vars(opt) and not model._forward_pre_hooks
    assert before == (DataLoader.__dict__["_index_sampler"], torch.utils.data.dataloader._BaseDataLoaderIter.__dict__["__next__"])


class Stream(IterableDataset):
    def __iter__(self):
        return iter([])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # torch's half-made iterator
@pytest.mark.parametrize("broken, text", [
    (lambda m, o: flair.record(m, o, data=Stream(), repo=MemoryRuns()), "IterableDataset has no row numbers"),
    (lambda m, o: run_one(m, o, Numbered(), in_order=False, num_workers=1), "in_order=False"),
    (lambda m, o: run_one(m, torch.optim.LBFGS(m.parameters()), Numbered()), "closure"),
    (lambda m, o: run_one(m, o, TensorDataset(torch.zeros(1))), "no recorded batch"),
])
def test_what_cannot_be_recorded_is_refused_in_a_sentence(broken, text):
    model = net()
    with pytest.raises(errors.Error, match=text) as caught:
        broken(model, torch.optim.SGD(model.parameters(), 0.1))
    assert "\n" not in caught.value.message


def run_one(model, optimizer, data, **loader):
    with flair.record(model, optimizer, data=data, repo=MemoryRuns()):
        for x, y in DataLoader(Numbered(), batch_size=4) if not loader else DataLoader(data, batch_size=4, **loader):
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step(lambda: loss) if isinstance(optimizer, torch.optim.LBFGS) else optimizer.step()


def test_dropout_inside_a_recurrent_layer_is_noted():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(3, 4, num_layers=2, dropout=0.2)
    model, runs = Net(), MemoryRuns()
    with flair.record(model, torch.optim.SGD(model.parameters(), 0.1), repo=runs):
        pass
    assert runs.settings["dropout_inside"] == "rnn"
