# SPDX-License-Identifier: Apache-2.0
"""The ResNet of keras.applications with one narrow block a stage, on Fashion-MNIST, 32 pixels."""
from keras.src.applications import resnet

import common


def main():
    def stages(x):
        for k, filters in enumerate((16, 32, 64, 128)):
            x = resnet.stack_residual_blocks_v1(x, filters, 1, stride1=1 if k == 0 else 2, name=f"conv{k + 2}")
        return x

    images, labels = common.fashion(128, 32)
    model = resnet.ResNet(stages, preact=False, use_bias=True, weights=None, input_shape=(32, 32, 1), classes=10,
                          name="resnet", weights_name=None)
    return common.cycle("resnet", model, common.keras_steps(images[..., None], labels, "sparse_categorical_crossentropy"))


if __name__ == "__main__":
    common.show(main())
