# SPDX-License-Identifier: Apache-2.0
"""Writes and maps model.safetensors without holding the model twice.

The writer gives the bytes that the safetensors package gives for the same tensors; where a file with the same names,
types and shapes is there already, its header is kept byte for byte, so that two sites that train the same model, in
whatever framework, differ in tensor bytes alone.
"""
import json
import math
import mmap
import os
import pathlib
import struct
import tempfile

import numpy as np

from . import errors

# safetensors' name -> numpy's; ascending as safetensors orders them (the file holds the widest first).
DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "F8_E5M2": "float8_e5m2", "F8_E4M3": "float8_e4m3fn",
    "I16": "int16", "U16": "uint16", "F16": "float16", "BF16": "bfloat16", "I32": "int32", "U32": "uint32",
    "F32": "float32", "C64": "complex64", "F64": "float64", "I64": "int64", "U64": "uint64",
}
_NAMES = {numpy: name for name, numpy in DTYPES.items()}
_ORDER = {name: i for i, name in enumerate(DTYPES)}
_MAX_HEADER_BYTES = 100_000_000
METADATA = "__metadata__"


def dtype_name(dtype):
    """"F32" for numpy's or torch's float32."""
    text = str(dtype).removeprefix("torch.")
    if text not in _NAMES:
        raise errors.Unsupported(f"dtype {text} has no place in a safetensors file")
    return _NAMES[text]


def dtype_bytes(name):
    digits = "".join(c for c in name.split("_")[0] if c.isdigit())
    return int(digits) // 8 if digits else 1


def numpy_dtype(name):
    """numpy's type for "F32"; bfloat16 and float8 come from ml_dtypes, which both frameworks' worlds know."""
    try:
        return np.dtype(DTYPES[name])
    except TypeError:
        try:
            import ml_dtypes
            return np.dtype(getattr(ml_dtypes, DTYPES[name]))
        except ImportError:
            raise errors.Unsupported(f"numpy has no {DTYPES[name]}", "pip install ml_dtypes, or ask for .torch()") from None


class Header:
    """The layout of a safetensors file: name -> (dtype, shape, begin, end), metadata, and its own bytes."""

    def __init__(self, raw, tensors, metadata):
        self.raw, self.tensors, self.metadata = raw, tensors, metadata

    @property
    def data_begin(self):
        return 8 + len(self.raw)

    def same_layout(self, layout):
        return {n: (t[0], t[1]) for n, t in self.tensors.items()} == layout


def read_header(path):
    """Errors: IntegrityError for anything but a well-formed file, NotFound."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            prefix = file.read(8)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
            if not 2 <= length <= min(_MAX_HEADER_BYTES, size - 8):
                raise errors.IntegrityError(f"{path}: not a safetensors file: header of {length} bytes in {size}")
            raw = file.read(length)
    except FileNotFoundError:
        raise errors.NotFound(f"{path}: no such file") from None
    except OSError as refused:
        raise errors.IoError(f"{path}: {refused.strerror}") from None
    try:
        return Header(raw, *_parse(raw, size - 8 - length))
    except (ValueError, RecursionError) as broken:
        text = "nested too deeply" if isinstance(broken, RecursionError) else str(broken)
        raise errors.IntegrityError(f"{path}: not a safetensors file: {' '.join(text.split())[:300]}") from None


def _unique(pairs):
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name twice")
    return made


def _parse(raw, data_bytes):
    """(tensors, metadata) of a header over `data_bytes` of data. Errors: ValueError."""
    parsed = json.loads(raw, object_pairs_hook=_unique)
    if not isinstance(parsed, dict):
        raise ValueError("the header is no JSON object")
    metadata = parsed.pop(METADATA, None) or {}
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError(f"{METADATA} is no map of texts")
    tensors = {name: _entry(name, described) for name, described in parsed.items()}
    at = 0
    for name, (dtype, shape, begin, end) in sorted(tensors.items(), key=lambda t: t[1][2:]):
        if begin != at or end - begin != math.prod(shape) * dtype_bytes(dtype):
            raise ValueError(f"{name}: offsets {begin}..{end} do not fit {dtype} {list(shape)}")
        at = end
    if at != data_bytes:
        raise ValueError(f"{data_bytes} bytes of data, {at} described")
    return tensors, metadata


def _entry(name, described):
    if not isinstance(described, dict) or described.get("dtype") not in list(DTYPES):
        raise ValueError(f"{name}: no known dtype")
    shape, offsets = described.get("shape"), described.get("data_offsets")
    for numbers, what in ((shape, "shape"), (offsets, "data_offsets")):
        if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 1 << 48 for n in numbers):
            raise ValueError(f"{name}: its {what} is no list of sizes below 2^48")
    if len(offsets) != 2 or offsets[1] < offsets[0]:
        raise ValueError(f"{name}: its data_offsets are no begin and end")
    return described["dtype"], tuple(shape), *offsets


def make_header(layout, metadata):
    """`layout`: name -> (dtype, shape). The header as the safetensors package writes it."""
    at, described = 0, {METADATA: dict(sorted(metadata.items()))} if metadata else {}
    tensors = {}
    for name in sorted(layout, key=lambda n: (-_ORDER[layout[n][0]], n.encode())):
        dtype, shape = layout[name]
        size = dtype_bytes(dtype)
        for n in shape:
            size *= n
        described[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        tensors[name] = (dtype, tuple(shape), at, at + size)
        at += size
    raw = json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode()
    return Header(raw + b" " * (-len(raw) % 8), tensors, metadata)


def write(path, tensors, metadata=None):
    """Writes name -> Tensor-like (dtype_name, shape, buffer()) to `path`: temp, fsync, rename."""
    path = pathlib.Path(path)
    layout = {name: (t.dtype_name, tuple(t.shape)) for name, t in tensors.items()}
    header = None
    if path.exists():
        try:
            old = read_header(path)
        except errors.IntegrityError:
            old = None  # what is there is no model; it is replaced
        if old is not None:
            metadata = {**{k: v for k, v in old.metadata.items() if not k.startswith("flair.")}, **(metadata or {})}
            if old.same_layout(layout) and old.metadata == metadata:
                header = old
    header = header or make_header(layout, metadata or {})
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(struct.pack("<Q", len(header.raw)))
            file.write(header.raw)
            for name, _ in sorted(header.tensors.items(), key=lambda t: t[1][2:]):
                file.write(tensors[name].buffer())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def map_file(path):
    """The whole file, mapped copy-on-write: arrays over it are writable and never change the file."""
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
