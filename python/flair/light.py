# SPDX-License-Identifier: Apache-2.0
"""Light copies (`flair clone --light`) as the tensors they were made of.

src/repo/light.h makes them: int8 stores a float tensor of two or more dims as I8 with one F32 scale for each index of
its first dim, `<name>.scale`, and smaller float tensors as F32; bf16 stores float tensors wider than 16 bits as BF16.
"""
import numpy as np

from . import model_file
from .tensors import Tensors, of_array

METADATA = "flair.light"  # of a copy: "int8" or "bf16"
COMMIT = "flair.commit"  # which it was made of, 64 hex digits
PATH = "flair.path"


def _floats(tensor):
    """float32 values; bf16 is the upper half of a float32."""
    if tensor.dtype_name == "BF16":
        halves = np.frombuffer(tensor.buffer(), np.uint16).reshape(tensor.shape)
        return (halves.astype(np.uint32) << 16).view(np.float32)
    return tensor.numpy().astype(np.float32)


def whole(stored, layout, metadata):
    """The model that a copy shows: names, dtypes and shapes of `layout` (name -> (dtype, shape)), values of the copy.

    `stored`: the copy's Tensors. Each tensor is converted when it is asked for.
    """
    def convert(name):
        dtype, shape = layout[name]
        tensor = stored[name]
        if tensor.dtype_name == dtype:
            return tensor
        values = _floats(tensor)
        if tensor.dtype_name == "I8":
            values *= stored[f"{name}.scale"].numpy().reshape(-1, *[1] * (len(shape) - 1))
        return of_array(name, values.astype(model_file.numpy_dtype(dtype)))
    return Tensors({name: lambda name=name: convert(name) for name in layout}, metadata)
