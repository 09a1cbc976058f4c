# SPDX-License-Identifier: Apache-2.0
"""The EfficientNet-B0 of keras.applications on Fashion-MNIST, 32 pixels."""
import keras

import common


def main():
    images, labels = common.fashion(128, 32)
    model = keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 1), classes=10)
    return common.cycle("efficientnet", model, common.keras_steps(images[..., None], labels, "sparse_categorical_crossentropy"))


if __name__ == "__main__":
    common.show(main())
