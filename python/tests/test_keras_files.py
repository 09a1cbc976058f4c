# SPDX-License-Identifier: Apache-2.0
"""Files that Keras itself writes, committed as they are: bytes that come back, tensors that compare, merges that load."""
import collections
import pathlib
import zipfile

import h5py
import keras
import numpy as np
import pytest

import flair

KINDS = ["model.keras", "model.weights.h5", "model.h5"]


def net(seed=0, optimizer="adam", dropout=0.0):
    keras.backend.clear_session()  # layers are called the same in every model
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential([
        layers.Input((8, 8, 1)), layers.Conv2D(4, 3, name="eyes"), layers.BatchNormalization(), layers.Reshape((6, 24)),
        layers.LSTM(5), *([layers.Dropout(dropout)] if dropout else []), layers.Dense(3, name="head")])
    model.compile(optimizer, keras.losses.MeanSquaredError())
    model.optimizer.build(model.trainable_variables)
    return model


def train(model, seed=1, steps=1):
    random = np.random.default_rng(seed)
    for _ in range(steps):
        model.train_on_batch(random.random((4, 8, 8, 1), "float32"), random.random((4, 3), "float32"))
    return model


def save(model, path):
    model.save_weights(path) if path.name.endswith(".weights.h5") else model.save(path)


def load(path):
    if not path.name.endswith(".weights.h5"):
        return keras.saving.load_model(path)
    model = net(9)
    model.load_weights(path)
    return model


def datasets(path):
    """path -> array of every dataset, as libhdf5 sees them."""
    found = {}

    def take(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]
    whole = zipfile.ZipFile(path).open("model.weights.h5") if path.suffix == ".keras" else path
    with h5py.File(whole) as file:
        file.visititems(take)
    return found


def written(model):
    """The variables that Keras writes. The generator of an LSTM that drops nothing is not among them."""
    return [v for v in model.variables + model.optimizer.variables if "seed_generator" not in v.path]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_comes_back_and_all_variables_are_tensors(repo, kind):
    path, model = repo.path / kind, train(net())
    save(model, path)
    before = path.read_bytes()
    commit = repo.commit(message="Saved", add=[kind])
    expected = datasets(path)
    path.unlink()
    repo.restore(kind)
    assert path.read_bytes() == before
    assert same(load(path), model)
    repo.verify(commit)

    found = repo.tensors(commit, kind)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].shape == value.shape and np.array_equal(found[name].numpy(), value), name
    variables = collections.Counter(np.asarray(v).tobytes() for v in written(model))
    assert collections.Counter(t.numpy().tobytes() for t in found.values()) == variables
    assert len(found) == len(written(model)) == 31


def test_names_are_the_paths_of_h5py(repo):
    for kind in KINDS:
        save(net(), repo.path / kind)
    commit = repo.commit(message="Saved", add=KINDS)
    for kind in KINDS[:2]:
        # Keras 3 calls layers by their class here, not by their name.
        assert {"layers/conv2d/vars/0", "layers/lstm/cell/vars/2", "optimizer/vars/0"} <= set(repo.tensors(commit, kind))
    assert {"model_weights/eyes/sequential/eyes/kernel", "optimizer_weights/adam/iteration"} <= set(repo.tensors(commit, "model.h5"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_difference_names_what_training_changed_and_nothing_else(repo, kind):
    path, model = repo.path / kind, net(optimizer="sgd")
    model.get_layer("eyes").trainable = False
    model.compile("sgd", keras.losses.MeanSquaredError())
    save(model, path)
    old = datasets(path)
    first = repo.commit(message="Untrained", add=[kind])
    save(train(model), path)
    new = datasets(path)
    repo.commit(message="Trained", add=[kind])
    changed = {n for n in new if not np.array_equal(old[n], new[n])}
    changes = repo.diff(first)
    assert {c.name for c in changes} == changed and all(c.kind == "changed" for c in changes)
    assert len(changed) > 5 and not any("eyes" in n or "conv2d" in n for n in changed)
    assert len(repo.diff(first, tensors="*dense*" if "layers/dense/vars/0" in new else "*head*")) == 2


def federate(repo, kind, models, **options):
    """`models`: base, a, b. Returns the merged commit."""
    base = None
    for branch, model in zip(("main", "a", "b"), models, strict=True):
        if base:
            repo.switch(branch, create=True, start=base)
        save(model, repo.path / kind)
        commit = repo.commit(message=branch, add=[kind], samples=1)
        base = base or commit
    repo.switch("main")
    return repo.merge(["a", "b"], method="fedavg", **options)


@pytest.mark.parametrize("kind", KINDS)
def test_the_average_of_two_files_loads_in_keras(repo, kind):
    sites = [train(net(), seed, steps=3) for seed in (1, 2)]
    merged = federate(repo, kind, [net(), *sites])
    path = repo.path / kind
    if path.suffix == ".keras":
        assert zipfile.ZipFile(path).testzip() is None, "the checksums follow the tensors"
    model = load(path)
    for got, a, b in zip(model.get_weights(), *(s.get_weights() for s in sites), strict=True):
        assert np.allclose(got, (a + b) / 2, atol=1e-6)
    assert int(model.optimizer.iterations) == 3
    repo.verify(merged)
    # What was merged is a file like any other.
    before = path.read_bytes()
    save(train(sites[0]), path)
    repo.commit(message="Trained on", add=[kind])
    repo.restore(kind, source=merged)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
def test_sites_may_train_for_different_numbers_of_steps(repo, kind):
    federate(repo, kind, [net(), train(net(), 1, steps=2), train(net(), 2, steps=5)])
    assert int(load(repo.path / kind).optimizer.iterations) == 5


def test_bfloat16_and_other_elements(repo):
    path = repo.path / "model.weights.h5"
    policy = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("bfloat16")
        model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    finally:
        keras.config.set_dtype_policy(policy)
    model.save_weights(path)
    commit = repo.commit(message="Saved", add=[path.name])
    found = repo.tensors(commit, path.name)
    assert {t.dtype_name for t in found.values()} == {"BF16"} and len(found) == 2
    assert np.array_equal(found["layers/dense/vars/0"].numpy().astype("float32"), np.asarray(model.layers[0].kernel).astype("float32"))


def test_a_broken_file_is_refused_and_foreign_ones_are_kept(repo):
    path = repo.path / "model.weights.h5"
    save(net(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(flair.IntegrityError, match=rf"the file has {len(whole) - 100} bytes of {len(whole)}"):
        repo.add(path.name)
    path.write_bytes(b"notes")
    chunked = repo.path / "chunked.h5"
    with h5py.File(chunked, "w") as file:
        file.create_dataset("x", data=np.arange(1000.0), chunks=(10,), compression="gzip")
    packed = repo.path / "packed.keras"
    save(net(), repo.path / "model.keras")
    with zipfile.ZipFile(repo.path / "model.keras") as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    names = [path.name, "chunked.h5", "packed.keras"]
    before = [pathlib.Path(repo.path / n).read_bytes() for n in names]
    commit = repo.commit(message="Foreign", add=names)
    assert len(repo.tensors(commit, "chunked.h5")) == len(repo.tensors(commit, "packed.keras")) == 0
    for name in names:
        (repo.path / name).unlink()
    repo.restore(*names)
    assert [pathlib.Path(repo.path / n).read_bytes() for n in names] == before
