# SPDX-License-Identifier: Apache-2.0
"""A GRU that tells licence texts apart, byte by byte."""
import torch

import common
from lstm_torch import Reader


def main():
    return common.cycle("gru", Reader(torch.nn.GRU), common.torch_steps(
        common.text(), lambda m, x, y: torch.nn.functional.cross_entropy(m(x), y)))


if __name__ == "__main__":
    common.show(main())
