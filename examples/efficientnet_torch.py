# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-B0 of torchvision on Fashion-MNIST, 32 pixels."""
import torch
import torchvision

import common


def main():
    images, labels = common.fashion(128, 32)
    model = torchvision.models.efficientnet_b0(num_classes=10)
    return common.cycle("efficientnet", model, common.torch_steps(
        (images[:, None].repeat(3, 1), labels), lambda m, x, y: torch.nn.functional.cross_entropy(m(x), y)))


if __name__ == "__main__":
    common.show(main())
