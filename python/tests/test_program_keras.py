# SPDX-License-Identifier: Apache-2.0
"""Programs of Keras set-ups: what they say, that the exact engine trains by them as Keras does, and what is refused."""
import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import safetensors.numpy
from keras import layers as L

import flair
import flair.keras
from flair import programs
from flair.keras import load_into, state_of

SEED, BATCH, RECORDS = "5a" * 32, 8, 40
SGD = keras.optimizers.SGD


@pytest.fixture
def command(tmp_path):
    beside = os.path.join(os.path.dirname(sys.executable), "flair")
    program = os.environ.get("FLAIR_COMMAND") or (beside if os.path.exists(beside) else shutil.which("flair"))

    def run(*arguments):
        done = subprocess.run([program, "--json", *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path,
                              env={**os.environ, "HOME": str(tmp_path)})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def data_for(model, loss):
    """Arrays as a data set holds them: images of bytes, other inputs numbers of a few bits, a target for the loss."""
    rng = np.random.default_rng(1)
    columns = {}
    for i, tensor in enumerate(model.inputs):
        columns[f"x_{i}" if i else "x"] = rng.integers(0, 255, (RECORDS, *tensor.shape[1:])).astype("uint8")
    out = model.outputs[0].shape[1:]
    columns["labels"] = rng.integers(0, out[-1], RECORDS).astype("int32") if loss != "mse" else \
        (rng.integers(-64, 64, (RECORDS, *out)) / 64).astype("float32")
    return columns


# --- models: (build, loss, steps) -----------------------------------------------------


def mlp():
    return keras.Sequential([L.Input((12,)), L.Rescaling(1 / 256, -0.5), L.Dense(16, "relu"), L.Dense(5, "softmax")])


def lenet():
    return keras.Sequential([
        L.Input((9, 11, 3)), L.Rescaling(1 / 256), L.Conv2D(6, (3, 5), strides=2, padding="same", activation="relu"),
        L.MaxPooling2D(3, 2, padding="same"), L.Conv2D(8, 2, activation="relu"), L.Flatten(), L.Dense(16, "relu"),
        L.Dense(5, "softmax")])


def resnet():
    def norm(h):  # `fit` overrides what a call says
        return L.BatchNormalization(momentum=0.75)(h, training=False)

    i = L.Input((8, 8, 3))
    h = L.ReLU()(norm(L.Conv2D(8, 3, padding="same", use_bias=False)(L.Rescaling(1 / 128, -1)(i))))
    for width, stride in ((8, 1), (12, 2), (16, 2)):
        short = h if stride == 1 else norm(L.Conv2D(width, 1, strides=stride, use_bias=False)(h))
        h = L.ReLU()(norm(L.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(h)))
        h = norm(L.Conv2D(width, 3, padding="same", use_bias=False)(h))
        h = L.ReLU()(L.Add()([h, short]))
    return keras.Model(i, L.Softmax()(L.Dense(5)(L.GlobalAveragePooling2D()(h))))


def separable():
    """A nested block, a frozen part, paddings and pools of all kinds, branches, and features in several orders."""
    block = keras.Sequential([
        L.Input((8, 8, 4)), L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, use_bias=False),
        L.BatchNormalization(scale=False), L.Activation("relu"), L.SeparableConv2D(6, 3, padding="same")])
    i = L.Input((8, 8, 3))
    h = L.Conv2D(4, 3, activation="relu", name="first")(L.ZeroPadding2D(((1, 1), (2, 0)))(L.Rescaling(1 / 256)(i)))
    h = block(h)
    frozen = L.Conv2D(6, 2, strides=2, name="frozen", trainable=False)
    a = L.Average()([L.AveragePooling2D(2)(h), frozen(h), L.MaxPooling2D()(h)])
    b = L.Dense(4)(L.Flatten()(L.Permute((2, 1, 3))(a)))
    c = L.BatchNormalization()(L.Flatten()(L.Subtract()([a, L.Cropping2D(1)(h)])))
    d = keras.ops.mean(L.Concatenate()([h, L.Permute((2, 1, 3))(h)]), axis=(1, 3))
    h = L.Dense(8, "relu")(L.Concatenate()([b, L.GlobalMaxPooling2D()(h), d])) * 0.5 + L.Dense(8, "relu")(c)
    return keras.Model(i, L.Dense(5)(h))


def autoencoder():
    return keras.Sequential([
        L.Input((4, 4, 2)), L.Rescaling(1 / 256), L.Conv2D(4, 3, activation="relu", padding="same"), L.Flatten(),
        L.Dense(6, "relu"), L.Dense(32), L.Reshape((4, 4, 2)), L.Conv2D(2, 1)])


def two_inputs():
    a, b = L.Input((6,)), L.Input((4, 3))
    twice = L.Dense(8)
    h = twice(L.Dense(8, "relu")(L.Rescaling(1 / 256)(a))) - L.ReLU()(twice(L.Dense(8)(L.Flatten()(b / 256))))
    return keras.Model([a, b], L.Dense(1)(L.Multiply()([h, h])))


from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
sparse = "sparse_categorical_crossentropy"
PROFILE = ("gradient 24 20",)
CASES = {
    "mlp, sgd": (mlp, sparse, lambda: SGD(0.1)),
    "mlp, decay": (mlp, sparse, lambda: SGD(0.1, weight_decay=0.01)),
    "mlp, momentum and decay": (mlp, sparse, lambda: SGD(0.1, momentum=0.9, weight_decay=0.01)),
    "mlp, nesterov, schedule": (mlp, sparse, lambda: SGD(keras.optimizers.schedules.CosineDecay(0.25, 5), momentum=0.5,
                                                         nesterov=True)),
    "mlp, adam": (mlp, sparse, lambda: keras.optimizers.Adam(2**-8)),
    "mlp, clipped": (mlp, sparse, lambda: SGD(0.1, momentum=0.5, global_clipnorm=0.25)),
    "lenet, adamw": (lenet, sparse, lambda: keras.optimizers.AdamW(2**-8, weight_decay=0.125)),
    "resnet, momentum": (resnet, sparse, lambda: SGD(0.05, momentum=0.9)),
    "separable, sgd": (separable, from_logits, lambda: SGD(0.05)),
    "autoencoder, nesterov": (autoencoder, "mse", lambda: SGD(0.1, momentum=0.9, nesterov=True)),
    "two inputs, adam": (two_inputs, "mse", lambda: keras.optimizers.Adam(2**-8)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_exact_engine_trains_as_keras_does(command, tmp_path, case):
    build, loss, make = CASES[case]
    steps = 4
    keras.utils.set_random_seed(2)
    model, optimizer = build(), make()
    columns = data_for(model, loss)
    batches = flair.batches(SEED, RECORDS, BATCH, steps)
    *inputs, target = columns.values()
    sample = (*(x[:BATCH] for x in inputs), target[:BATCH])
    program = programs.program(model, loss, optimizer, sample, steps, columns=list(columns), formats={"labels": (12, 6)},
                               profile=PROFILE, path=tmp_path)
    (tmp_path / "data").mkdir()
    for name, values in columns.items():
        np.save(tmp_path / f"data/{name}.npy", values)
    before, _ = state_of(model)
    safetensors.numpy.save_file(before, tmp_path / "before.safetensors")
    command("data", "register", "data", "--program", "program.flair", "-o", "it.data")
    (tmp_path / "train.toml").write_text(f'program = "program.flair"\ndata = "it.data"\nweights = "before.safetensors"\n'
                                         f'steps = {steps}\nresult = "after.safetensors"\nseed = "{SEED}"\n')
    command("train", "train.toml", "--exact")
    exact = safetensors.numpy.load_file(tmp_path / "after.safetensors")

    model.compile(optimizer, loss)
    for rows in batches:
        model.train_on_batch([x[rows] for x in inputs] if len(inputs) > 1 else inputs[0][rows], target[rows])
    after, _ = state_of(model)
    trained, kept = {n for n, _ in program.parameters}, {n for n, _ in program.buffers}
    assert trained | kept == {n for n in after if not n.endswith("num_batches_tracked")}
    assert set(exact) >= trained | kept
    for name in trained | kept:
        change = np.linalg.norm(after[name] - before[name])
        assert (change > 0) == (name in trained or "running" in name), name
        grain = 2.0**-22 * np.sqrt(after[name].size) if name in kept else 0  # of the profile's line `statistics`
        assert np.linalg.norm(exact[name] - after[name]) <= 1e-3 * change + grain, name


def test_a_recorded_run_is_proven(command, repo, tmp_path):
    import sklearn.datasets
    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    images, labels = images.reshape(-1, 8, 8, 1).astype("uint8"), labels.astype("uint8")
    (tmp_path / "digits").mkdir()
    np.save(tmp_path / "digits/x.npy", images)
    np.save(tmp_path / "digits/labels.npy", labels)
    keras.utils.set_random_seed(1)
    model = keras.Sequential([L.Input((8, 8, 1)), L.Rescaling(1 / 16), L.Conv2D(6, 3, padding="same", use_bias=False),
                              L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(), L.Flatten(), L.Dense(10, "softmax")])
    model.compile(keras.optimizers.Adam(2**-9), sparse)
    flair.program(model, None, None, (images[:32], labels[:32]), 6, path=tmp_path,
                  profile=("gradient 24 24", "conv activation 22 16"))
    rows = np.concatenate(flair.batches(SEED, len(images), 32, 6))
    recorder = flair.keras.Recorder(data=(images, labels), repo=repo)
    model.fit(images[rows], labels[rows], batch_size=32, shuffle=False, verbose=0, callbacks=[recorder])
    command("data", "register", "digits", "--program", "program.flair", "-o", "digits.data")
    proven = command("prove", recorder.folder, "--program", "program.flair", "--data", "digits.data", "--seed", SEED, "-o", "net")
    assert proven["slack"]["first"] < 1e-3
    verified = command("verify", "net.proof", "--statement", "net.statement.json")
    assert verified["valid"] and verified["steps"] == 6 and verified["soundness_bits"] >= 100


# --- what a program says ----------------------------------------------------------------


def said(model, loss=sparse, optimizer=None, sample=None, **options):
    """Lines of the program's text but those of the profile."""
    if sample is None:
        columns = data_for(model, loss)
        sample = tuple(values[:BATCH] for values in columns.values())
    made = programs.program(model, loss, optimizer or SGD(0.125), sample, 4, **options)
    return [line for line in made.text.splitlines() if not line.startswith(("profile", "param", "buffer"))]


def body(model, *more, **options):
    """Of the nodes before the loss: operator(inputs, attributes) without the values' own names."""
    return [line.partition(" = ")[2] for line in said(model, *more, **options) if " = " in line][:-1]


def test_keras_and_pytorch_give_one_program():
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(12, 16), nn.Linear(16, 5)

        def forward(self, x):
            return self.fc2(torch.relu(self.fc1(x / 255)))

    class Images(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False)
            self.norm, self.fc = nn.BatchNorm2d(4), nn.Linear(64, 5)

        def forward(self, x):
            return self.fc(torch.flatten(torch.relu(self.norm(self.conv(x.permute(0, 3, 1, 2) / 256))), 1))

    images = keras.Sequential([
        L.Input((8, 8, 3)), L.Rescaling(1 / 256), L.ZeroPadding2D(1), L.Conv2D(4, 3, strides=2, use_bias=False, name="conv"),
        L.BatchNormalization(name="norm", trainable=False), L.ReLU(), L.Flatten(), L.Dense(5, "softmax", name="fc")])
    frozen = Images()
    frozen.norm.eval().requires_grad_(False)
    frozen.norm.eps = 1e-3
    dense = keras.Sequential([
        L.Input((12,)), L.Rescaling(1 / 255), L.Dense(16, "relu", name="fc1"), L.Dense(5, "softmax", name="fc2")])
    for keras_model, torch_model, options in ((dense, Net(), {}), (dense, Net(), {"momentum": 0.9}), (images, frozen, {})):
        x, y = (c[:BATCH] for c in data_for(keras_model, sparse).values())
        load_into(keras_model, {n: p.detach().numpy() for n, p in torch_model.state_dict().items()})
        ours = programs.program(keras_model, sparse, SGD(0.1, **options), (x, y), 100)
        optimizer = torch.optim.SGD(torch_model.parameters(), 0.1, **options)
        theirs = programs.program(torch_model, nn.functional.cross_entropy, optimizer,
                                  (torch.tensor(x).float(), torch.tensor(y).long()), 100, formats={"x": (9, 0)})
        assert ours.text == theirs.text and ours.hash == theirs.hash


# What every convolution and pool says.
CONV, POOL = "dilation=[1, 1], groups=1", "window=[2, 2], stride=[2, 2], pad=[0, 0, 0, 0]"
NORM = ", ".join(f"batch_normalization.{name}" for name in ("weight", "bias", "running_mean", "running_var"))
PLAIN_SGD = "sgd(momentum=0, dampening=0, nesterov=no, weight_decay=0, rule=torch)"


@pytest.mark.parametrize("model, sample, expected", [
    # The data set's layout stays, channels come first where they count, and a single channel's axis may be missing.
    (lambda: [L.Input((6, 4, 3)), L.Conv2D(2, 3), L.Flatten()], (6, 4, 3),
     ["permute(x, axes=[0, 3, 1, 2])", f"conv(permute, conv2d.weight, conv2d.bias, stride=[1, 1], pad=[0, 0, 0, 0], {CONV})",
      "flatten(conv)"]),
    (lambda: [L.Input((4, 4, 1)), L.MaxPooling2D(), L.Flatten()], (4, 4),
     ["reshape(x, dims=[8, 1, 4, 4])", f"max_pool(reshape, {POOL})", "flatten(max_pool)"]),
    (lambda: [L.Input((4, 4, 1)), L.MaxPooling2D(), L.Flatten()], (4, 4, 1),
     ["permute(x, axes=[0, 3, 1, 2])", f"max_pool(permute, {POOL})", "flatten(max_pool)"]),
    (lambda: [L.Input((4, 4)), L.Reshape((4, 4, 1)), L.MaxPooling2D(), L.Flatten()], (4, 4),
     ["reshape(x, dims=[8, 1, 4, 4])", f"max_pool(reshape, {POOL})", "flatten(max_pool)"]),
    (lambda: [L.Input((4, 4)), L.Flatten()], (4, 4), ["flatten(x)"]),
    (lambda: [L.Input((4, 4, 1)), L.Rescaling(1 / 255, offset=-1), L.Flatten()], (4, 4, 1),
     ["affine(x, scale=1/255, shift=-1)", "flatten(affine)"]),
    # n = 8, k = 3, s = 2: one zero, behind. Zeros before a convolution are its own, before a pool behind relu are none.
    (lambda: [L.Input((8, 8, 1)), L.ZeroPadding2D((2, 1)), L.Conv2D(2, 3, strides=2, padding="same", activation="relu"),
              L.ZeroPadding2D(1), L.MaxPooling2D(3, 2), L.Flatten()], (8, 8, 1),
     ["permute(x, axes=[0, 3, 1, 2])", f"conv(permute, conv2d.weight, conv2d.bias, stride=[2, 2], pad=[2, 3, 1, 2], {CONV})",
      "relu(conv)", "max_pool(relu, window=[3, 3], stride=[2, 2], pad=[1, 1, 1, 1])", "flatten(max_pool)"]),
    (lambda: [L.Input((4, 2, 3)), L.Dropout(0.25), L.Dropout(0), L.GlobalAveragePooling2D(keepdims=True), L.Flatten()],
     (4, 2, 3),
     ["permute(x, axes=[0, 3, 1, 2])", "dropout(permute, p=1/4)", "reduce(dropout, axes=[2, 3], by=mean)",
      "reshape(reduce, dims=[8, 3, 1, 1])", "flatten(reshape)"]),
    (lambda: [L.Input((6, 3)), L.BatchNormalization(), L.Dense(2), L.Flatten()], (6, 3),
     ["permute(x, axes=[0, 2, 1])",
      f"batch_norm(permute, {NORM}, mode=train, eps=1/1000, momentum=1/100, running_variance=biased)",
      "permute(batch_norm, axes=[0, 2, 1])", "linear(permute_1, dense.weight, dense.bias)", "flatten(linear)"]),
    (lambda: [L.Input((3,)), L.Normalization(axis=None, mean=2.0, variance=16.0)], (3,),
     ["affine(x, scale=1/4, shift=-1/2)"]),
])  # fmt: skip
def test_operators(model, sample, expected):
    layers = model()
    model = keras.Sequential([*layers, L.Dense(5, "softmax", name="last")])
    sample = np.zeros((BATCH, *sample), "uint8"), np.arange(BATCH) % 5
    *found, last = body(model, sample=sample)
    assert found == expected
    assert last.startswith("linear(") and last.endswith(", last.weight, last.bias)")


def test_a_subclassed_model_is_followed_and_a_compiled_one_needs_no_more():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = L.Dense(16, "relu"), L.Dense(5, "softmax")

        def call(self, x, training=False):
            assert training
            return self.two(self.one((keras.ops.cast(x, "float32") - 128) / 256))

    model = Own()
    model(np.zeros((BATCH, 12)), training=True)
    model.compile(SGD(0.125), sparse)
    x, y = (c[:BATCH] for c in data_for(mlp(), sparse).values())
    lines = said(model, None, sample=(x, y))
    assert "affine_1 = affine(affine, scale=1/256, shift=0)" in lines
    assert [line.split("(")[0].split()[-1] for line in lines if " = " in line] == [
        "affine", "affine", "linear", "relu", "linear", "cross_entropy"]

    class Halved(keras.Model):
        def call(self, x, training=None, mask=None):
            return super().call(x * 0.5)

    plain = mlp()
    halved = Halved(plain.inputs[0], plain.outputs[0])
    assert body(halved) == ["affine(x, scale=1/2, shift=0)", *[
        line.replace("affine(x", "affine(affine").replace("linear(affine", "linear(affine_1") for line in body(mlp())]]
    model.compile(None, None)
    with pytest.raises(flair.InvalidArgument, match="not compiled"):
        programs.program(model, None, None, (x, y), 4)


def test_targets():
    x, y = (c[:BATCH] for c in data_for(mlp(), sparse).values())
    plain = said(mlp(), sample=(x, y))
    assert "data x [12] bits 9 scale 0" in plain and "label labels classes 5" in plain
    assert said(mlp(), "categorical_crossentropy", sample=(x, np.eye(5)[y])) == plain
    assert said(mlp(), sample=(x, y[:, None]), columns=["x", "labels"]) == plain
    coder = keras.Sequential([L.Input((4, 4, 3), name="picture"), L.Conv2D(3, 3, padding="same")])
    x = np.zeros((BATCH, 4, 4, 3), "uint8")
    shared = said(coder, "mse", sample=(x, x))
    assert [line for line in shared if line.startswith("data")] == ["data picture [4, 4, 3] bits 9 scale 0"]
    assert shared[-5].startswith("mse = mse(conv, permute)")
    apart = said(coder, "mse", sample=(x, x), columns=["a", "b"])
    assert [line[:6] for line in apart if line.startswith("data")] == ["data a", "data b"]
    one = keras.Sequential([L.Input((3,)), L.Dense(1)])
    assert "reshape = reshape(labels, dims=[8, 1])" in said(one, "mse", sample=(np.zeros((BATCH, 3)), np.zeros(BATCH)))
    for sample, what in (((x,), "one more"), ((x, x[:4]), "batch sizes"), ((x, x[:, :2]), "the output has"),
                         ((x[:, :2], x), "the model takes"), (({"other": x}, x), "no input 'picture'")):
        with pytest.raises(flair.InvalidArgument, match=what):
            said(coder, "mse", sample=sample)
    with pytest.raises(flair.InvalidArgument, match="one class below 5"):
        said(mlp(), sample=(np.zeros((BATCH, 12)), np.full(BATCH, 5)))
    with pytest.raises(flair.InvalidArgument, match="not one-hot"):
        said(mlp(), "categorical_crossentropy", sample=(np.zeros((BATCH, 12)), np.full((BATCH, 5), 0.2)))


@pytest.mark.parametrize("make, expected", [
    (lambda: SGD(0.5), (PLAIN_SGD, "1/2", "none()")),
    (lambda: SGD(0.5, weight_decay=0.25),
     ("sgd(momentum=0, dampening=0, nesterov=no, weight_decay=1/4, rule=torch)", "1/2", "none()")),
    (lambda: SGD(0.5, nesterov=True), (PLAIN_SGD, "1/2", "none()")),
    # At one rate both rules of momentum are the same.
    (lambda: SGD(0.5, momentum=0.9, nesterov=True),
     ("sgd(momentum=9/10, dampening=0, nesterov=yes, weight_decay=0, rule=torch)", "1/2", "none()")),
    (lambda: SGD(0.5, momentum=0.9, weight_decay=2**-7),
     ("sgd(momentum=9/10, dampening=0, nesterov=no, weight_decay=1/128, rule=keras)", "1/2", "none()")),
    (lambda: SGD(keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25]), momentum=0.9),
     ("sgd(momentum=9/10, dampening=0, nesterov=no, weight_decay=0, rule=keras)", "1/2 x 2, 1/4", "none()")),
    (lambda: SGD(0.5, global_clipnorm=2.0),
     ("sgd(momentum=0, dampening=0, nesterov=no, weight_decay=0, rule=keras)", "1/2", "norm(limit=2)")),
    (lambda: keras.optimizers.Adam(2**-9),
     ("adam(beta1=9/10, beta2=999/1000, eps=1/10000000, weight_decay=0, rule=keras)", "1/512", "none()")),
    (lambda: keras.optimizers.Adam(2**-9, weight_decay=0.01),
     ("adamw(beta1=9/10, beta2=999/1000, eps=1/10000000, weight_decay=1/100, rule=keras)", "1/512", "none()")),
    (lambda: keras.optimizers.AdamW(2**-9),
     ("adamw(beta1=9/10, beta2=999/1000, eps=1/10000000, weight_decay=1/250, rule=keras)", "1/512", "none()")),
])  # fmt: skip
def test_optimizers(make, expected):
    lines = said(mlp(), optimizer=make())
    assert lines[-3:] == [f"{word} {text}" for word, text in zip(("optimiser", "schedule", "clip"), expected)]


def test_what_decays_is_what_keras_lets_decay():
    def decaying(exclude, build=False):
        model, optimizer = mlp(), keras.optimizers.AdamW(2**-9)
        exclude(model, optimizer)
        if build:
            optimizer.build(model.trainable_variables)
        x, y = (c[:BATCH] for c in data_for(model, sparse).values())
        lines = programs.program(model, sparse, optimizer, (x, y), 4).text.splitlines()
        return [line.split()[1] for line in lines if line.startswith("param") and line.endswith("decay yes")]

    every = ["dense.weight", "dense.bias", "dense_1.weight", "dense_1.bias"]
    assert decaying(lambda model, optimizer: None) == every
    assert decaying(lambda _, optimizer: optimizer.exclude_from_weight_decay(var_names=["bias"]), build=True) == every[::2]
    assert decaying(lambda model, optimizer: optimizer.exclude_from_weight_decay([model.layers[1].kernel])) == every[1:]


# --- what is refused --------------------------------------------------------------------


@keras.saving.register_keras_serializable("tests")
class Doubled(L.Layer):
    def call(self, x):
        return 2 * x


class Raw(keras.Model):
    def __init__(self):
        super().__init__(name="raw")
        self.one = L.Dense(5)

    def call(self, x):
        import tensorflow as tf
        return tf.nn.relu(self.one(x))


class Other(SGD):
    pass


def ending(*layers, shape=(12,)):
    return keras.Sequential([L.Input(shape), *layers, L.Flatten(), L.Dense(5, "softmax", name="last")])


def raw():
    model = Raw()
    model.build((None, 12))
    return model


def outputs():
    i = L.Input((12,))
    return keras.Model(i, [L.Dense(5)(i), L.Dense(5)(i)])


def narrowed():
    i = L.Input((12,))
    return keras.Model(i, L.Dense(5)(keras.ops.cast(i, "float16")))


def masked():
    i, mask = L.Input((6, 3)), L.Input((6,), dtype="bool")
    return keras.Model([i, mask], L.Dense(5)(L.Flatten()(L.BatchNormalization(name="norm")(i, mask=mask))))


def added_loss():
    model = mlp()
    model.add_loss(keras.ops.sum(model.layers[1].kernel))
    return model


def widened():
    i = L.Input((1,))
    return keras.Model(i, L.Dense(5)(i + np.ones((1, 4), "float32")))


def meeting():
    i = L.Input((4, 4, 3))
    return keras.Model(i, L.Dense(5)(L.Add()([L.Flatten()(i), L.Dense(48)(L.Flatten()(i))])))


REFUSED = {
    "lambda: code that cannot be read; use keras.ops": lambda: (ending(L.Lambda(lambda x: x, name="lambda")),),
    "mine: Doubled is a class of your own; build it from Keras' layers": lambda: (ending(Doubled(name="mine")),),
    "raw: its call cannot be followed": lambda: (raw(), from_logits),
    "rnn: the engine has no LSTM yet; use": lambda: (ending(L.LSTM(4, name="rnn"), shape=(6, 3)),),
    "rnn: the engine has no GRU yet": lambda: (ending(L.GRU(4, name="rnn"), shape=(6, 3)),),
    "words: the engine has no Embedding yet; train on columns of numbers": lambda: (
        ending(L.Embedding(9, 2, name="words")),),
    "norm: the engine has no LayerNormalization yet; use BatchNormalization": lambda: (
        ending(L.LayerNormalization(name="norm")),),
    "up: the engine has no UpSampling2D yet": lambda: (ending(L.UpSampling2D(name="up"), shape=(4, 4, 3)),),
    "flip: random augmentation is data; register": lambda: (ending(L.RandomFlip(name="flip"), shape=(4, 4, 3)),),
    "one: the engine has no gelu yet; use relu": lambda: (ending(L.Dense(4, "gelu", name="one")),),
    "one: '<lambda>' is an activation of your own": lambda: (ending(L.Dense(4, lambda x: x * x, name="one")),),
    "one: kernel_regularizer is a term of the loss": lambda: (ending(L.Dense(4, kernel_regularizer="l2", name="one")),),
    "one: activity_regularizer is a term of the loss": lambda: (ending(L.Dense(4, activity_regularizer="l2", name="one")),),
    "one: bias_constraint changes weights after the step": lambda: (
        ending(L.Dense(4, bias_constraint="non_neg", name="one")),),
    "one: dtype policy mixed_bfloat16; train in float32": lambda: (ending(L.Dense(4, dtype="mixed_bfloat16", name="one")),),
    "conv: data_format='channels_first'; use channels_last": lambda: (
        ending(L.MaxPooling2D(2, data_format="channels_first", name="conv"), shape=(4, 4, 4)),),
    "relu: the engine has no relu with another slope": lambda: (ending(L.ReLU(max_value=6, name="relu")),),
    "soft: the engine has no softmax yet but the last one": lambda: (ending(L.Softmax(name="soft")),),
    "pool: padding='same' averages fewer numbers": lambda: (
        ending(L.AveragePooling2D(2, padding="same", name="pool"), shape=(5, 5, 3)),),
    "zeros: zeros around an image go into the convolution": lambda: (
        ending(L.ZeroPadding2D(1, name="zeros"), L.MaxPooling2D(2), shape=(4, 4, 3)),),
    "norm: renorm and synchronized are statistics": lambda: (ending(L.BatchNormalization(synchronized=True, name="norm")),),
    "drop: noise_shape drops several": lambda: (ending(L.Dropout(0.5, noise_shape=(None, 1), name="drop")),),
    "normal: a mean and variance for every feature": lambda: (
        ending(L.Normalization(mean=[1, 2, 3], variance=[1, 1, 1], name="normal"), shape=(3,)),),
    ": a cast to float16; train in float32": lambda: (narrowed(), from_logits),
    "norm: a mask; register rows of one length": lambda: (
        masked(), from_logits, None, (np.zeros((8, 6, 3)), np.ones((8, 6)), np.zeros(8))),
    "it makes [4] of its input by a constant": lambda: (widened(), from_logits),
    "add_loss is a term of the loss": lambda: (added_loss(),),
    "2 outputs; prove one loss": lambda: (outputs(), from_logits),
    "features come from a reshaped image in an order": lambda: (meeting(), from_logits),
    "an input of open size [None, 3]; give Input its full shape": lambda: (
        keras.Sequential([L.Input((None, 3)), L.Dense(5)]), from_logits, None, (np.zeros((8, 4, 3)), np.zeros(8))),
    "loss: the engine has no MeanAbsoluteError yet; use Sparse": lambda: (mlp(), keras.losses.MeanAbsoluteError()),
    "loss: the engine has no <lambda> yet": lambda: (mlp(), lambda y, z: 0),
    "loss: Could not interpret": lambda: (mlp(), "hope"),
    "loss: several losses": lambda: (mlp(), {"a": "mse"}),
    "loss: MeanSquaredError with reduction='sum'; use the mean": lambda: (
        autoencoder(), keras.losses.MeanSquaredError(reduction="sum")),
    "loss: CategoricalCrossentropy with label_smoothing": lambda: (
        mlp(), keras.losses.CategoricalCrossentropy(label_smoothing=0.1)),
    "loss: SparseCategoricalCrossentropy with ignore_class": lambda: (
        mlp(), keras.losses.SparseCategoricalCrossentropy(ignore_class=1)),
    "takes probabilities, and the last layer gives other numbers; give it": lambda: (separable(), sparse),
    "with from_logits=True, and a softmax before it": lambda: (mlp(), from_logits),
    "sample: sample weights; leave them out": lambda: (mlp(), sparse, None, (np.zeros((8, 12)), np.zeros(8), np.ones(8))),
    "RMSprop: the engine has no such optimizer yet; use": lambda: (mlp(), sparse, keras.optimizers.RMSprop()),
    "Other: a class made of SGD may step otherwise": lambda: (mlp(), sparse, Other()),
    "Adam: the engine has no amsgrad": lambda: (mlp(), sparse, keras.optimizers.Adam(amsgrad=True)),
    "SGD: clipnorm clips every tensor by itself; use global_clipnorm": lambda: (mlp(), sparse, SGD(clipnorm=1.0)),
    "SGD: clipvalue": lambda: (mlp(), sparse, SGD(clipvalue=1.0)),
    "SGD: an average of the weights": lambda: (mlp(), sparse, SGD(use_ema=True)),
    "SGD: loss_scale_factor": lambda: (mlp(), sparse, SGD(loss_scale_factor=8.0)),
    "SGD: a step of several batches": lambda: (mlp(), sparse, SGD(gradient_accumulation_steps=2)),
    "SGD: a learning rate that a function gives": lambda: (mlp(), sparse, SGD(lambda: 0.1)),
}


@pytest.mark.parametrize("expected", REFUSED)
def test_what_is_refused(expected):
    given = REFUSED[expected]()
    model, loss, optimizer, sample = given + (sparse, None, None)[len(given) - 1:]
    if sample is None:
        shape = (12,) if isinstance(model, Raw) else model.inputs[0].shape[1:]
        sample = np.zeros((BATCH, *shape)), np.zeros(BATCH)
    with pytest.raises(flair.Unsupported) as raised:
        programs.program(model, loss, optimizer or SGD(0.125), sample, 4)
    message = raised.value.message
    assert message.startswith("program: ") and expected in message and "; " in message
