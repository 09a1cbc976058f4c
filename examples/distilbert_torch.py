# SPDX-License-Identifier: Apache-2.0
"""DistilBERT of transformers, from a tiny configuration with random weights, tells licence texts apart."""
import transformers

import common


def main():
    config = transformers.DistilBertConfig(vocab_size=128, dim=32, n_layers=2, n_heads=2, hidden_dim=64,
                                           max_position_embeddings=64, num_labels=8)
    model = transformers.DistilBertForSequenceClassification(config)
    return common.cycle("distilbert", model, common.torch_steps(
        common.text(), lambda m, x, y: m(input_ids=x, labels=y).loss))


if __name__ == "__main__":
    common.show(main())
