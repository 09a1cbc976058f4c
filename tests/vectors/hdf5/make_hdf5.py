#!/usr/bin/env python3
"""Writes the HDF5 vectors with h5py, and what h5py says of their tensors, one line each: path, dtype, dims, offset.

    python make_hdf5.py        # needs h5py, keras and tensorflow; overwrites *.h5, *.keras and *.txt here

The files differ from run to run where libhdf5 or Keras note versions and times; what is committed is what is tested.
"""
import io
import os
import pathlib
import zipfile

os.environ["KERAS_BACKEND"] = "tensorflow"

import h5py  # noqa: E402
import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402

HERE = pathlib.Path(__file__).parent
NAMES = {"float16": "F16", "float32": "F32", "float64": "F64", "bool": "BOOL", "bfloat16": "BF16",
         "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
         "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64"}


def fill(file):
    for dtype in ("float16", "float32", "float64", "bool"):
        file[f"float/{dtype}"] = np.arange(6).reshape(2, 3).astype(dtype)
    for width in (8, 16, 32, 64):
        file[f"int/int{width}"] = np.arange(4).astype(f"int{width}")
        file[f"int/uint{width}"] = np.arange(4).astype(f"uint{width}")
    shapes = file.create_group("shape", track_order=True)
    shapes["scalar"] = np.float32(3)
    shapes["empty"] = np.zeros((0, 3), "float32")
    shapes["deep"] = np.zeros((1,) * 31 + (2,), "int8")
    keras = file.create_group("keras")
    keras["bf16"] = np.ones((2, 2), ml_dtypes.bfloat16)
    keras["bf16"].attrs["dtype"] = "bfloat16"
    keras["bf16_bytes"] = np.ones(3, ml_dtypes.bfloat16)
    keras["bf16_bytes"].attrs["dtype"] = np.bytes_("bfloat16")
    links = file.create_group("links")
    links["z"] = np.float64(1)
    links["a"] = links["z"]  # the same object: its name is the first
    links["up"] = file["/"]  # a cycle
    links["soft"] = h5py.SoftLink("/links/z")
    links["outside"] = h5py.ExternalLink("other.h5", "/x")


def fill_with_others(group):
    """Datasets that are no tensors."""
    kinds = group.create_group("kinds")
    kinds["text"] = "hello"
    kinds["bytes"] = np.array([b"ab", b"cd"])
    kinds["enum"] = np.zeros(3, h5py.enum_dtype({"A": 0, "B": 1}, "int8"))
    kinds["big_endian"] = np.ones(3, ">f4")
    kinds["complex"] = np.ones(3, "complex64")
    kinds["opaque"] = np.ones(3, ml_dtypes.bfloat16)  # and no attribute says what
    kinds["null"] = h5py.Empty("float32")
    places = group.create_group("places")
    places.create_dataset("chunked", data=np.ones(4), chunks=(2,))
    places.create_dataset("packed", data=np.ones(4), chunks=(2,), compression="gzip")
    places.create_dataset("unwritten", (5,), "float32")
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(places.id, b"compact", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3,)), compact)
    named = h5py.h5t.IEEE_F32LE.copy()
    named.commit(places.id, b"type")
    h5py.h5d.create(places.id, b"of_named_type", named, h5py.h5s.create_simple((3,)))


def dtype_of(dataset):
    if dataset.dtype.kind == "V" and dataset.attrs.get("dtype") in ("bfloat16", b"bfloat16"):
        return "BF16"
    if h5py.check_enum_dtype(dataset.dtype):
        return None
    return NAMES.get(dataset.dtype.name) if dataset.dtype.isnative else None


def tensors_of(data):
    """As libhdf5 finds them: a line for each contiguous dataset that has bytes or needs none."""
    lines, seen = [], set()

    def walk(group, prefix):
        for name in sorted(group, key=str.encode):
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            item = group[name]
            key = h5py.h5o.get_info(item.id).addr
            if key in seen:
                continue
            seen.add(key)
            if isinstance(item, h5py.Group):
                walk(item, prefix + name + "/")
            elif isinstance(item, h5py.Dataset) and item.shape is not None:
                dtype, plist, at = dtype_of(item), item.id.get_create_plist(), item.id.get_offset()
                contiguous = plist.get_layout() == h5py.h5d.CONTIGUOUS and not item.id.get_type().committed()
                if dtype and contiguous and (at is not None or item.size == 0):
                    lines.append((at or 0, f"{prefix}{name} {dtype} {list(item.shape)} {at or 0}".replace(", ", ",")))

    with h5py.File(io.BytesIO(data)) as file:
        seen.add(h5py.h5o.get_info(file["/"].id).addr)
        walk(file, "")
    return "".join(line + "\n" for _, line in sorted(lines))


def write(name, libver, *fillers):
    with h5py.File(HERE / name, "w", libver=libver) as file:
        for each in fillers:
            each(file)
    describe(name)


def describe(name):
    data = (HERE / name).read_bytes()
    if name.endswith(".keras"):
        data = zipfile.ZipFile(HERE / name).read("model.weights.h5")
    (HERE / name).with_suffix(".txt").write_text(tensors_of(data))


def write_deep_tree():
    """So many names that their tree has two levels: all but the last are one dataset."""
    with h5py.File(HERE / "deep_tree.h5", "w", libver="earliest") as file:
        file["000"] = np.int8(1)
        for i in range(1, 140):
            file[f"{i:03}"] = file["000"]
        file["last"] = np.int8(2)
    describe("deep_tree.h5")


def write_dense():
    """More links than a header holds: in a fractal heap, which is not read."""
    with h5py.File(HERE / "dense.h5", "w", libver="latest") as file:
        for i in range(9):
            file[f"{i}"] = np.int8(i)


def write_keras():
    import keras
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])
    model.save(HERE / "model.keras")
    describe("model.keras")


if __name__ == "__main__":
    write("earliest.h5", "earliest", fill)
    write("others.h5", "earliest", fill_with_others)
    write("v108.h5", ("v108", "v108"), fill)
    write("latest.h5", "latest", fill, fill_with_others)
    write_deep_tree()
    write_dense()
    write_keras()
