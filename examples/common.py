# SPDX-License-Identifier: Apache-2.0
"""What the examples share: real data, a few recorded steps in either framework, and the cycle itself.

The cycle: commit an untrained model, train and commit, train on a branch from the same start, diff, merge, and restore
every version, compared bit for bit.
"""
import contextlib
import gzip
import hashlib
import itertools
import json
import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np

import flair

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
LICENCES = pathlib.Path("/usr/share/common-licenses")
STEPS = 3


# --- data -------------------------------------------------------------------------

def fashion(count=256, size=28, split="train"):
    """Fashion-MNIST images (count, size, size) in [0, 1], and their labels. Debian: dataset-fashion-mnist."""
    def read(kind):
        with gzip.open(FASHION / f"{split}-{kind}") as file:
            magic = int.from_bytes(file.read(4), "big")
            shape = [int.from_bytes(file.read(4), "big") for _ in range(magic & 0xFF)]
            shape[0] = min(count, shape[0])
            return np.frombuffer(file.read(int(np.prod(shape))), np.uint8).reshape(shape)
    images = read("images-idx3-ubyte.gz").astype("float32") / 255
    if size > 28:
        images = np.pad(images, ((0, 0), *[((size - 28) // 2, size - 28 - (size - 28) // 2)] * 2))
    return images, read("labels-idx1-ubyte.gz").astype("int64")


def text(count=64, length=32):
    """Windows of `length` bytes of the licence texts, and the licence each is from."""
    files = [p for p in sorted(LICENCES.iterdir()) if p.is_file() and not p.is_symlink()][:8]
    windows, labels = [], []
    for k in range(count):
        data = files[k % len(files)].read_bytes()
        start = 997 * k % (len(data) - length)
        windows.append(np.frombuffer(data[start:start + length], np.uint8) % 128)
        labels.append(k % len(files))
    return np.stack(windows).astype("int64"), np.array(labels)


def table():
    """scikit-learn's breast cancer table, standardised."""
    from sklearn.datasets import load_breast_cancer
    x, y = load_breast_cancer(return_X_y=True)
    return ((x - x.mean(0)) / x.std(0)).astype("float32"), y.astype("int64")


# --- training ---------------------------------------------------------------------

def torch_steps(columns, loss, batch_size=16, rate=0.05, steps=STEPS):
    """A `train(model, repo, seed)` over rows of numpy columns; `loss(model, *batch)` -> scalar."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset
    data = TensorDataset(*[torch.from_numpy(np.ascontiguousarray(c)) for c in columns])

    def train(model, repo, seed):
        torch.manual_seed(seed)
        model.train()
        optimizer = torch.optim.SGD(model.parameters(), rate)
        with flair.record(model, optimizer, data=data, repo=repo) as run:
            for batch in itertools.islice(DataLoader(data, batch_size, shuffle=True, drop_last=True), steps):
                optimizer.zero_grad()
                value = loss(model, *batch)
                value.backward()
                optimizer.step()
            run.log(loss=value.item())
        return run
    return train


def keras_steps(x, y, loss, batch_size=16, rate=0.05, steps=STEPS):
    """The same for Keras: one epoch of fit over `steps` batches."""
    import keras
    import flair.keras

    def train(model, repo, seed):
        keras.utils.set_random_seed(seed)
        rows = np.random.default_rng(seed).permutation(len(x))[:steps * batch_size]
        model.compile(keras.optimizers.SGD(rate), loss)
        recorder = flair.keras.Recorder(data=(x, y), repo=repo)
        model.fit(x[rows], y[rows], batch_size=batch_size, epochs=1, verbose=0, callbacks=[recorder])
        return recorder
    return train


# --- the cycle --------------------------------------------------------------------

@contextlib.contextmanager
def workspace(name):
    """A new repository in a temporary folder, with a wallet of its own unless the user has named one."""
    with tempfile.TemporaryDirectory(prefix=f"flair-{name}-") as folder:
        folder = pathlib.Path(folder)
        if "FLAIR_KEYPAIR" not in os.environ:
            flair.new_wallet(folder / "id.json")
            os.environ["FLAIR_KEYPAIR"] = str(folder / "id.json")
            try:
                yield flair.init(folder / name)
            finally:
                del os.environ["FLAIR_KEYPAIR"]
        else:
            yield flair.init(folder / name)


def digest(repo):
    """The model files in the working folder, to the bit."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(repo.path.glob("*.safetensors"))}


def cycle(name, model, train):
    """Takes a model through a repository's life; returns what happened. `train(model, repo, seed)` -> recorded run."""
    with workspace(name) as repo:
        versions = {}

        def commit(message, run=None):
            made = repo.commit(model, run=run, message=message)
            versions[made.id] = digest(repo)
            return made

        first = commit("Untrained")
        second = commit("Site A", run=train(model, repo, 1))
        assert second.steps > 0 and second.samples > 0 and second.framework
        changed = repo.diff(first, second)
        assert any(c.stats and c.stats["changed"] for c in changed), "training changed nothing"

        repo.switch("site-b", create=True, start=first)
        repo.load_into(model)
        third = commit("Site B", run=train(model, repo, 2))
        assert third.parents == (first.id,) and versions[third.id] != versions[second.id]

        repo.switch("main")
        assert digest(repo) == versions[second.id]
        merged = repo.merge("site-b", method="fedavg", message="Round 1", fast_forward=False)
        assert len(merged.parents) == 2
        versions[merged.id] = digest(repo)

        for id, files in versions.items():
            repo.restore(source=id)
            assert digest(repo) == files, f"{id[:12]} is not restored bit for bit"
            repo.load_into(model)
            repo.save(model)
            assert digest(repo) == files, f"{id[:12]} does not go through the model bit for bit"
        repo.restore(source="HEAD")
        assert not repo.status()["staged"] and not repo.status()["unstaged"]
        return {"family": name, "framework": second.framework, "tensors": sum(len(repo.tensors(None, f)) for f in versions[first.id]),
                "changed": len(changed), "steps": second.steps, "samples": second.samples, "versions": len(versions)}


def show(result):
    print(json.dumps(result))
    return result
