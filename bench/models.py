"""Model files to measure on: as many tensors and as much entropy as trained ones have."""
import json
import pathlib

import numpy as np

WIDTH = 4096  # a layer is WIDTH x WIDTH: 64 MiB of fp32


def write_safetensors(path: pathlib.Path, num_layers: int, seed: int, base_seed: int | None = None):
    """Normal weights of the usual spread; with base_seed, that model after one dense training step."""
    header, at = {}, 0
    for i in range(num_layers):
        size = 4 * WIDTH * WIDTH
        header[f"layers.{i}.weight"] = {"dtype": "F32", "shape": [WIDTH, WIDTH], "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for i in range(num_layers):
            layer = _layer(base_seed if base_seed is not None else seed, i)
            if base_seed is not None:  # an update of 1e-3 of a weight's size, in every element
                layer += 2e-5 * np.random.default_rng([seed, i]).standard_normal(layer.shape, np.float32)
            file.write(memoryview(layer).cast("B"))


def _layer(seed, index):
    return 0.02 * np.random.default_rng([seed, index]).standard_normal((WIDTH, WIDTH), np.float32)
