# SPDX-License-Identifier: Apache-2.0
"""A bidirectional GRU that tells licence texts apart, byte by byte."""
from keras import layers

import common
from lstm_keras import build, train


def main():
    return common.cycle("gru", build(lambda units, name: layers.Bidirectional(layers.GRU(units), name=name)), train())


if __name__ == "__main__":
    common.show(main())
