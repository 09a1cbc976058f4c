# SPDX-License-Identifier: Apache-2.0
"""An LSTM that tells licence texts apart, byte by byte."""
import keras
from keras import layers

import common


def build(kind=layers.LSTM):
    return keras.Sequential([keras.Input((32,), dtype="int64"), layers.Embedding(128, 16, name="embed"), kind(32, name="rnn"),
                             layers.Dense(8, name="head")])


def train():
    x, y = common.text()
    return common.keras_steps(x, y, keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def main():
    return common.cycle("lstm", build(), train())


if __name__ == "__main__":
    common.show(main())
