# SPDX-License-Identifier: Apache-2.0
"""Both frameworks compute the same function of the same canonical weights, and nothing is lost on the way.

Tolerance: 2e-5 of the largest output, float32 sums of at most a few hundred terms in another order.
"""
import pathlib

import keras
import numpy as np
import pytest
import torch
from keras import layers as K
from torch import nn

import flair.keras
import flair.torch
from flair import errors

TOLERANCE = 2e-5


def randomise(model, seed=0):
    rng = np.random.default_rng(seed)
    for w in model.weights:
        if np.issubdtype(np.dtype(w.dtype), np.floating):
            low = 0.5 if "variance" in w.path else -0.5
            w.assign(rng.uniform(low, 1.5 if low > 0 else 0.5, w.shape).astype(w.dtype))
    return model


def first(shape):
    """Channels last -> first."""
    return np.moveaxis(shape, -1, 1)


class Named(nn.Module):
    """Children by canonical name and a function over them."""

    def __init__(self, function, **children):
        super().__init__()
        self.function = function
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x):
        return self.function(self, x)


def same_output(keras_model, torch_model, x, to_torch=lambda a: a, to_keras=lambda a: a):
    randomise(keras_model)
    state, metadata = flair.keras.state_of(keras_model)
    flair.torch.load_into(torch_model, state, metadata)
    torch_model.eval()
    with torch.no_grad():
        got = torch_model(torch.from_numpy(np.ascontiguousarray(to_torch(x))))
    got = to_keras(got.numpy())
    expected = np.asarray(keras_model(x, training=False))
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= TOLERANCE * max(1, np.abs(expected).max())
    # and back: PyTorch's weights into a fresh Keras model are the same bits
    clone = randomise(keras.models.clone_model(keras_model), seed=1)
    back, _ = flair.torch.state_of(torch_model, carried=state)
    flair.keras.load_into(clone, back, metadata)
    for a, b in zip(keras_model.weights, clone.weights):
        assert np.array_equal(a.numpy(), b.numpy()), a.path


def data(*shape):
    return np.random.default_rng(7).normal(size=shape).astype("float32")


def test_dense():
    same_output(keras.Sequential([keras.Input((7,)), K.Dense(5, name="fc"), K.Dense(3, use_bias=False, name="out")]),
                Named(lambda m, x: m.out(m.fc(x)), fc=nn.Linear(7, 5), out=nn.Linear(5, 3, bias=False)), data(4, 7))


@pytest.mark.parametrize("groups", [1, 2])
def test_convolutions_of_one_and_two_dimensions(groups):
    same_output(keras.Sequential([keras.Input((12, 4)), K.Conv1D(6, 3, strides=2, groups=groups, name="c")]),
                Named(lambda m, x: m.c(x), c=nn.Conv1d(4, 6, 3, 2, groups=groups)), data(2, 12, 4), first, lambda a: np.moveaxis(a, 1, -1))
    same_output(keras.Sequential([keras.Input((9, 11, 4)), K.Conv2D(6, (3, 2), dilation_rate=2, groups=groups, name="c")]),
                Named(lambda m, x: m.c(x), c=nn.Conv2d(4, 6, (3, 2), dilation=2, groups=groups)), data(2, 9, 11, 4), first,
                lambda a: np.moveaxis(a, 1, -1))


def test_depthwise_and_separable_convolution():
    same_output(keras.Sequential([keras.Input((9, 9, 4)), K.DepthwiseConv2D(3, depth_multiplier=2, name="d")]),
                Named(lambda m, x: m.d(x), d=nn.Conv2d(4, 8, 3, groups=4)), data(2, 9, 9, 4), first, lambda a: np.moveaxis(a, 1, -1))

    def separable(m, x):
        return m.s.pointwise(m.s.depthwise(x))
    block = nn.Module()
    block.depthwise, block.pointwise = nn.Conv2d(3, 6, 3, groups=3, bias=False), nn.Conv2d(6, 5, 1)
    same_output(keras.Sequential([keras.Input((8, 8, 3)), K.SeparableConv2D(5, 3, depth_multiplier=2, name="s")]),
                Named(separable, s=block), data(2, 8, 8, 3), first, lambda a: np.moveaxis(a, 1, -1))


def test_transposed_convolution():
    same_output(keras.Sequential([keras.Input((5, 6, 4)), K.Conv2DTranspose(3, 3, strides=2, name="t")]),
                Named(lambda m, x: m.t(x), t=nn.ConvTranspose2d(4, 3, 3, 2)), data(2, 5, 6, 4), first, lambda a: np.moveaxis(a, 1, -1))
    same_output(keras.Sequential([keras.Input((5, 4)), K.Conv1DTranspose(3, 4, strides=2, name="t")]),
                Named(lambda m, x: m.t(x), t=nn.ConvTranspose1d(4, 3, 4, 2)), data(2, 5, 4), first, lambda a: np.moveaxis(a, 1, -1))


@pytest.mark.parametrize("flags", [{}, {"scale": False}, {"center": False}])
def test_normalisations(flags):
    back = dict(to_torch=first, to_keras=lambda a: np.moveaxis(a, 1, -1))
    same_output(keras.Sequential([keras.Input((5, 5, 6)), K.BatchNormalization(epsilon=1e-3, name="n", **flags)]),
                Named(lambda m, x: m.n(x), n=nn.BatchNorm2d(6, eps=1e-3)), data(3, 5, 5, 6), **back)
    same_output(keras.Sequential([keras.Input((5, 5, 6)), K.GroupNormalization(3, epsilon=1e-3, name="n", **flags)]),
                Named(lambda m, x: m.n(x), n=nn.GroupNorm(3, 6, eps=1e-3)), data(3, 5, 5, 6), **back)
    same_output(keras.Sequential([keras.Input((5, 6)), K.LayerNormalization(epsilon=1e-3, name="n", **flags)]),
                Named(lambda m, x: m.n(x), n=nn.LayerNorm(6, eps=1e-3, bias="center" not in flags)), data(3, 5, 6))


def test_embedding():
    same_output(keras.Sequential([keras.Input((4,), dtype="int64"), K.Embedding(11, 6, name="e")]),
                Named(lambda m, x: m.e(x), e=nn.Embedding(11, 6)), np.random.default_rng(3).integers(0, 11, (2, 4)))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_lstm(bidirectional):
    layer = K.LSTM(5, return_sequences=True, name="rnn")
    layer = K.Bidirectional(K.LSTM(5, return_sequences=True), name="rnn") if bidirectional else layer
    same_output(keras.Sequential([keras.Input((6, 3)), layer]),
                Named(lambda m, x: m.rnn(x)[0], rnn=nn.LSTM(3, 5, batch_first=True, bidirectional=bidirectional)), data(2, 6, 3))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_gru_that_resets_after_the_product(bidirectional):
    layer = K.GRU(5, return_sequences=True, name="rnn")
    layer = K.Bidirectional(K.GRU(5, return_sequences=True), name="rnn") if bidirectional else layer
    same_output(keras.Sequential([keras.Input((6, 3)), layer]),
                Named(lambda m, x: m.rnn(x)[0], rnn=nn.GRU(3, 5, batch_first=True, bidirectional=bidirectional)), data(2, 6, 3))


def test_gru_that_resets_before_the_product():
    model = randomise(keras.Sequential([keras.Input((6, 3)), K.GRU(5, reset_after=False, return_sequences=True, name="rnn")]))
    state, metadata = flair.keras.state_of(model)
    x, h, out = torch.from_numpy(data(2, 6, 3)), torch.zeros(2, 5), []
    w = {n.removeprefix("rnn."): torch.from_numpy(a) for n, a in state.items()}
    for t in range(6):
        r, z, n = (x[:, t] @ w["weight_ih_l0"].T + w["bias_ih_l0"]).chunk(3, 1)
        u_r, u_z, u_n = w["weight_hh_l0"].chunk(3)
        r, z = torch.sigmoid(r + h @ u_r.T), torch.sigmoid(z + h @ u_z.T)
        n = torch.tanh(n + (r * h) @ u_n.T)
        h = z * h + (1 - z) * n
        out.append(h)
    assert np.abs(torch.stack(out, 1).numpy() - np.asarray(model(x.numpy()))).max() < TOLERANCE
    clone = randomise(keras.models.clone_model(model), 1)
    flair.keras.load_into(clone, state, metadata)
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(model.weights, clone.weights))
    with pytest.raises(errors.MappingError, match="rnn.*resets before"):
        flair.torch.load_into(Named(None, rnn=nn.GRU(3, 5)), state, metadata)


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.att = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        return self.att(x, x, x, need_weights=False)[0]


class ByHand(nn.Module):
    """Attention with a projection of its own for query, key and value, as transformers names them."""

    def __init__(self):
        super().__init__()
        self.att = nn.Module()
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self.att, name, nn.Linear(8, 8))

    def forward(self, x):
        q, k, v = (getattr(self.att, name)(x).unflatten(-1, (2, 4)).transpose(1, 2) for name in ("q_proj", "k_proj", "v_proj"))
        return self.att.out_proj(nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


@pytest.mark.parametrize("attention", [SelfAttention, ByHand])
def test_multi_head_attention_packed_and_separate(attention):
    inputs = keras.Input((5, 8))
    same_output(keras.Model(inputs, K.MultiHeadAttention(2, 4, name="att")(inputs, inputs)), attention(), data(3, 5, 8))


def test_dense_behind_a_flattened_image_and_what_stands_between():
    model = keras.Sequential([keras.Input((6, 6, 2)), K.Conv2D(3, 3, name="c"), K.MaxPooling2D(2), K.Flatten(), K.Dropout(0.5),
                              K.BatchNormalization(epsilon=1e-3, name="n"), K.ReLU(), K.Dense(4, name="fc")])
    same_output(model, Named(lambda m, x: m.fc(torch.relu(m.n(nn.functional.max_pool2d(m.c(x), 2).flatten(1)))), c=nn.Conv2d(2, 3, 3),
                             n=nn.BatchNorm1d(12, eps=1e-3), fc=nn.Linear(12, 4)), data(3, 6, 6, 2), first)


def test_dense_behind_a_flattened_signal_but_not_behind_a_sequence():
    same_output(keras.Sequential([keras.Input((8, 2)), K.Conv1D(3, 3, name="c"), K.Flatten(), K.Dense(4, name="fc")]),
                Named(lambda m, x: m.fc(m.c(x).flatten(1)), c=nn.Conv1d(2, 3, 3), fc=nn.Linear(18, 4)), data(2, 8, 2), first)
    same_output(keras.Sequential([keras.Input((6, 2)), K.LSTM(3, return_sequences=True, name="r"), K.Flatten(), K.Dense(4, name="fc")]),
                Named(lambda m, x: m.fc(m.r(x)[0].flatten(1)), r=nn.LSTM(2, 3, batch_first=True), fc=nn.Linear(18, 4)), data(2, 6, 2))


def test_dense_before_an_image_and_through_nested_models():
    decoder = keras.Sequential([keras.Input((5,)), K.Dense(3 * 3 * 4, name="fc"), K.BatchNormalization(epsilon=1e-3, name="n"),
                                K.LeakyReLU(0.2), K.Reshape((3, 3, 4)), K.Conv2DTranspose(2, 2, strides=2, name="t")])

    def decode(m, x):
        return m.t(nn.functional.leaky_relu(m.n(m.fc(x)), 0.2).unflatten(1, (4, 3, 3)))
    same_output(decoder, Named(decode, fc=nn.Linear(5, 36), n=nn.BatchNorm1d(36, eps=1e-3), t=nn.ConvTranspose2d(4, 2, 2, 2)),
                data(2, 5), to_keras=lambda a: np.moveaxis(a, 1, -1))
    encoder = keras.Sequential([keras.Input((4, 4, 2)), K.Conv2D(3, 2, name="c"), K.Flatten()], name="body")
    body = nn.Module()
    body.c = nn.Conv2d(2, 3, 2)
    same_output(keras.Sequential([keras.Input((4, 4, 2)), encoder, K.Dense(2, name="head")]),
                Named(lambda m, x: m.head(m.body.c(x).flatten(1)), body=body, head=nn.Linear(27, 2)), data(3, 4, 4, 2), first)


def test_flattened_branches_joined():
    inputs = keras.Input((4, 4, 2))
    flat = K.Flatten()(K.Conv2D(3, 2, name="c")(inputs))
    pooled = K.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, K.Dense(2, name="fc")(K.Concatenate()([pooled, flat])))
    same_output(model, Named(lambda m, x: m.fc(torch.cat([x.mean((2, 3)), m.c(x).flatten(1)], 1)), c=nn.Conv2d(2, 3, 2),
                             fc=nn.Linear(29, 2)), data(3, 4, 4, 2), first)


def test_prepared_data_layers_keep_their_shapes():
    model = keras.Sequential([keras.Input((4,)), K.Normalization(name="n"), K.Dense(2, name="fc")])
    state, _ = flair.keras.state_of(randomise(model))
    assert state["n.count"].shape == () and state["n.mean"].shape == (4,)
    clone = randomise(keras.models.clone_model(model), 1)
    flair.keras.load_into(clone, state)
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(model.weights, clone.weights))


def test_a_subclassed_model_is_followed_too():
    class Small(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.flat, self.fc = K.Conv2D(3, 2, name="c"), K.Flatten(), K.Dense(2, name="fc")

        def call(self, x):
            return self.fc(self.flat(self.conv(x)))
    model = Small()
    x = data(2, 4, 4, 2)
    model(x)
    state, _ = flair.keras.state_of(randomise(model))
    other = Named(lambda m, x: m.fc(m.c(x).flatten(1)), c=nn.Conv2d(2, 3, 2), fc=nn.Linear(27, 2))
    flair.torch.load_into(other, state)
    assert np.abs(other(torch.from_numpy(np.ascontiguousarray(first(x)))).detach().numpy() - np.asarray(model(x))).max() < TOLERANCE * 10


def test_automatic_names_do_not_depend_on_what_was_built_before():
    def build():
        return keras.Sequential([keras.Input((4,)), K.Dense(3), K.Dense(3, name="mine"), K.Dense(3)])
    expected = ["dense.weight", "dense.bias", "mine.weight", "mine.bias", "dense_1.weight", "dense_1.bias"]
    for _ in range(2):
        assert list(flair.keras.state_of(build())[0]) == expected


@pytest.mark.parametrize("make, named", [
    (lambda: [K.ConvLSTM1D(2, 3, name="weather")], "weather.*ConvLSTM1D"),
    (lambda: [K.EinsumDense("abc,cd->abd", output_shape=(None, 3), name="odd")], "odd.*EinsumDense"),
    (lambda: [K.LSTM(3, go_backwards=True, name="rev")], "rev.*go_backwards"),
    (lambda: [K.LayerNormalization(axis=1, name="norm")], "norm.*axis"),
    (lambda: [K.SimpleRNN(3, name="plain")], "plain.*SimpleRNN"),
])
def test_what_cannot_be_mapped_is_refused_by_name(make, named):
    shape = (5, 6, 3) if "weather" in named else (5, 3)
    with pytest.raises(errors.MappingError, match=named):
        flair.keras.state_of(keras.Sequential([keras.Input(shape), *make()]))


def test_two_biases_do_not_become_one():
    rnn = Named(None, rnn=nn.LSTM(3, 5))
    state, _ = flair.torch.state_of(rnn)
    with pytest.raises(errors.MappingError, match="rnn.bias_hh_l0"):
        flair.keras.load_into(keras.Sequential([keras.Input((6, 3)), K.LSTM(5, name="rnn")]), state)


def test_a_model_that_does_not_fit_is_left_alone():
    model = keras.Sequential([keras.Input((4,)), K.Dense(3, name="a"), K.Dense(2, name="b")])
    before = [w.numpy() for w in model.weights]
    state, _ = flair.keras.state_of(randomise(keras.models.clone_model(model)))
    for broken, text in (({**state, "b.bias": np.zeros(3, "float32")}, r"'b.bias' is float32 \[3\]"),
                         ({n: a for n, a in state.items() if n != "b.bias"}, "missing b.bias"),
                         ({**state, "c.weight": np.zeros(1)}, "unexpected c.weight")):
        with pytest.raises(errors.InvalidArgument, match=text):
            flair.keras.load_into(model, broken)
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(before, model.weights))
    other = nn.Linear(4, 3)
    with pytest.raises(errors.InvalidArgument, match="missing bias, weight; unexpected a.bias"):
        flair.torch.load_into(other, state)


def test_tied_weights_and_wrappers():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
            self.head.weight = self.embed.weight
    model = Tied()
    assert set(flair.torch.state_of(model)[0]) == {"embed.weight", "head.weight"}
    assert set(flair.torch.state_of(model, carried={"embed.weight"})[0]) == {"embed.weight"}
    flair.torch.load_into(model, {"embed.weight": torch.ones(5, 3)})
    assert (model.head.weight == 1).all()
    assert set(flair.torch.state_of(nn.DataParallel(nn.Linear(2, 2)))[0]) == {"weight", "bias"}


def test_the_demos_two_models_are_one(monkeypatch):
    monkeypatch.syspath_prepend(str(pathlib.Path(__file__).resolve().parents[2] / "examples/demo"))
    import model_keras
    import model_torch
    same_output(model_keras.build(), model_torch.FashionNet(), data(4, 28, 28, 1), first)
