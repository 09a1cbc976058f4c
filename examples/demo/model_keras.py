# SPDX-License-Identifier: Apache-2.0
"""The demo's CNN in Keras, layer by layer the one of model_torch.py: same names, same function."""
import keras
from keras import layers


def build():
    # Padding as PyTorch counts it: strided "same" convolutions of Keras would pad on the other side.
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.ZeroPadding2D(2), layers.Conv2D(16, 5, strides=2, activation="relu", name="conv1"),
        layers.ZeroPadding2D(1), layers.Conv2D(32, 3, strides=2, activation="relu", name="conv2"),
        layers.Flatten(),
        layers.Dense(64, activation="relu", name="fc1"),
        layers.Dense(10, name="fc2"),
    ])
