# SPDX-License-Identifier: Apache-2.0
"""A convolutional autoencoder of Fashion-MNIST."""
import keras
from keras import layers

import common


def build():
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(8, 3, 2, "same", activation="relu"), layers.Conv2D(16, 3, 2, "same", activation="relu"),
        layers.Flatten(), layers.Dense(16, name="code"), layers.Dense(784, name="decode"), layers.Reshape((7, 7, 16)),
        layers.Conv2DTranspose(8, 2, 2, activation="relu"), layers.Conv2DTranspose(1, 2, 2)])


def main():
    images = common.fashion(128)[0][..., None]
    return common.cycle("autoencoder", build(), common.keras_steps(images, images, "mse"))


if __name__ == "__main__":
    common.show(main())
