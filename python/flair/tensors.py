# SPDX-License-Identifier: Apache-2.0
"""Tensor: named bytes with a type and a shape, shown to every framework without a copy."""
import collections.abc

import numpy as np

from . import errors, model_file


class Tensor:
    """One stored tensor. numpy.asarray, torch.from_dlpack and .torch()/.tensorflow() see the same memory."""

    def __init__(self, name, dtype, shape, memory, offset=0):
        """`memory`: a writable buffer that holds the tensor at `offset`."""
        self.name, self.dtype_name, self.shape = name, dtype, tuple(shape)
        self._memory, self._offset = memory, offset

    @property
    def size(self):
        """Number of elements."""
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def nbytes(self):
        """Bytes of all elements."""
        return self.size * model_file.dtype_bytes(self.dtype_name)

    def buffer(self):
        """The tensor's bytes (little-endian, row-major), shared."""
        return memoryview(self._memory)[self._offset:self._offset + self.nbytes]

    def numpy(self):
        """A numpy array over the same memory. Errors: Unsupported (bfloat16 or float8 without ml_dtypes)."""
        dtype = model_file.numpy_dtype(self.dtype_name)
        return np.frombuffer(self._memory, dtype, self.size, self._offset).reshape(self.shape) if self.size else np.empty(self.shape, dtype)

    def torch(self):
        """A torch.Tensor over the same memory."""
        import torch
        dtype = getattr(torch, model_file.DTYPES[self.dtype_name])
        if not self.size:
            return torch.empty(self.shape, dtype=dtype)
        return torch.frombuffer(self._memory, dtype=dtype, count=self.size, offset=self._offset).reshape(self.shape)

    def tensorflow(self):
        """Aligned memory is shared through DLPack; TensorFlow copies what is not aligned to its 64 bytes."""
        import tensorflow as tf
        return tf.convert_to_tensor(self.numpy())

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"{self.name}: {self.dtype_name} as {dtype} needs a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __dlpack__(self, **options):
        return (self.torch() if self.dtype_name in ("BF16", "F8_E5M2", "F8_E4M3") else self.numpy()).__dlpack__(**options)

    def __dlpack_device__(self):
        return (1, 0)  # kDLCPU

    def __repr__(self):
        return f"flair.Tensor({self.name!r}, {self.dtype_name}, {list(self.shape)})"


def of_array(name, array):
    """A Tensor over a numpy array; only a strided one is copied."""
    array = np.asarray(array)
    shape = array.shape
    array = np.ascontiguousarray(array)
    return Tensor(name, model_file.dtype_name(array.dtype), shape, array.reshape(-1).view(np.uint8) if array.size else bytearray())


def of_file(path):
    """name -> Tensor over the mapped file."""
    header = model_file.read_header(path)
    memory = model_file.map_file(path)
    return Tensors({name: Tensor(name, dtype, shape, memory, header.data_begin + begin)
                    for name, (dtype, shape, begin, _) in header.tensors.items()}, header.metadata)


class Tensors(collections.abc.Mapping):
    """name -> Tensor, each read when it is asked for; `metadata` is the file's."""

    def __init__(self, entries, metadata=None):
        self._entries, self.metadata = entries, metadata or {}

    def __getitem__(self, name):
        try:
            entry = self._entries[name]
        except KeyError:
            raise errors.NotFound(f"no tensor '{name}'", f"there are {len(self._entries)}: {', '.join(list(self._entries)[:3])}, ...") from None
        return entry if isinstance(entry, Tensor) else entry()

    def __contains__(self, name):
        return name in self._entries

    def __iter__(self):
        return iter(self._entries)

    def __len__(self):
        return len(self._entries)
