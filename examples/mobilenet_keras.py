# SPDX-License-Identifier: Apache-2.0
"""The smallest MobileNetV2 of keras.applications on Fashion-MNIST, 32 pixels."""
import keras

import common


def main():
    images, labels = common.fashion(128, 32)
    model = keras.applications.MobileNetV2(weights=None, input_shape=(32, 32, 1), alpha=0.35, classes=10)
    return common.cycle("mobilenet", model, common.keras_steps(images[..., None], labels, "sparse_categorical_crossentropy"))


if __name__ == "__main__":
    common.show(main())
