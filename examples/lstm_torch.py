# SPDX-License-Identifier: Apache-2.0
"""An LSTM that tells licence texts apart, byte by byte."""
import torch

import common


class Reader(torch.nn.Module):
    def __init__(self, kind=torch.nn.LSTM):
        super().__init__()
        self.embed = torch.nn.Embedding(128, 16)
        self.rnn = kind(16, 32, batch_first=True)
        self.head = torch.nn.Linear(32, 8)

    def forward(self, x):
        return self.head(self.rnn(self.embed(x))[0][:, -1])


def main():
    return common.cycle("lstm", Reader(), common.torch_steps(
        common.text(), lambda m, x, y: torch.nn.functional.cross_entropy(m(x), y)))


if __name__ == "__main__":
    common.show(main())
