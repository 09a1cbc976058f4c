# SPDX-License-Identifier: Apache-2.0
"""GPT-2 of transformers, from a tiny configuration with random weights, continues licence texts. Its head is tied."""
import transformers

import common


def main():
    config = transformers.GPT2Config(vocab_size=128, n_positions=64, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
    model = transformers.GPT2LMHeadModel(config)
    return common.cycle("gpt", model, common.torch_steps(
        common.text()[:1], lambda m, x: m(input_ids=x, labels=x).loss))


if __name__ == "__main__":
    common.show(main())
