# SPDX-License-Identifier: Apache-2.0
"""A small transformer encoder (MultiHeadAttention) that tells licence texts apart."""
import keras
from keras import layers

import common
from lstm_keras import train


def build():
    tokens = keras.Input((32,), dtype="int64")
    x = layers.Embedding(128, 32, name="embed")(tokens)
    for k in range(2):
        x = layers.LayerNormalization(name=f"block{k}.norm1")(layers.Add()([x, layers.MultiHeadAttention(2, 16, name=f"block{k}.attention")(x, x)]))
        h = layers.Dense(32, name=f"block{k}.fc2")(layers.Dense(64, activation="gelu", name=f"block{k}.fc1")(x))
        x = layers.LayerNormalization(name=f"block{k}.norm2")(layers.Add()([x, h]))
    return keras.Model(tokens, layers.Dense(8, name="head")(layers.GlobalAveragePooling1D()(x)))


def main():
    return common.cycle("transformer", build(), train())


if __name__ == "__main__":
    common.show(main())
