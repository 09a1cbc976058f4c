# SPDX-License-Identifier: Apache-2.0
"""model.safetensors: the bytes of the safetensors package, headers that stay, files that are refused, memory that is shared."""
import json
import struct

import numpy as np
import pytest
import safetensors.torch
import torch

from flair import errors, model_file, tensors
from flair.torch.state import of_torch


def state():
    torch.manual_seed(1)
    return {"b.weight": torch.randn(3, 5), "a.bias": torch.randn(7).half(), "a.weight": torch.randn(2, 2).bfloat16(),
            "n": torch.tensor(4), "flag": torch.tensor([True, False]), "empty": torch.zeros(0, 3), "é": torch.ones(1, dtype=torch.float64)}


def named(values):
    return {n: of_torch(n, t) for n, t in values.items()}


def test_a_new_file_has_the_bytes_of_the_safetensors_package(tmp_path):
    for metadata in (None, {"format": "pt"}):
        safetensors.torch.save_file(state(), tmp_path / "theirs", metadata)
        model_file.write(tmp_path / f"ours{metadata is None}", named(state()), metadata)
        assert (tmp_path / f"ours{metadata is None}").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_a_file_with_the_same_layout_keeps_its_header(tmp_path):
    path = tmp_path / "m.safetensors"
    header = json.dumps({"__metadata__": {"by": "hand"}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
                         "v": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, indent=1).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(12))
    model_file.write(path, named({"w": torch.tensor([1.0, 2.0]), "v": torch.tensor([3.0])}))
    assert path.read_bytes() == struct.pack("<Q", len(header)) + header + np.array([3, 1, 2], "float32").tobytes()
    model_file.write(path, named({"w": torch.ones(3)}))
    assert model_file.read_header(path).metadata == {"by": "hand"}


def test_everything_reads_back(tmp_path):
    model_file.write(tmp_path / "m", named(state()))
    back = tensors.of_file(tmp_path / "m")
    assert set(back) == set(state())
    for name, value in state().items():
        assert torch.equal(back[name].torch(), value) and back[name].shape == tuple(value.shape)
        assert np.array_equal(np.asarray(back[name]).astype("float64"), value.double().numpy())
        assert torch.equal(torch.from_dlpack(back[name]), value)


def test_arrays_share_memory_and_never_change_the_file(tmp_path):
    model_file.write(tmp_path / "m", named(state()))
    before = (tmp_path / "m").read_bytes()
    tensor = tensors.of_file(tmp_path / "m")["b.weight"]
    tensor.numpy()[0, 0] = 42
    assert tensor.torch()[0, 0] == 42 and np.from_dlpack(tensor)[0, 0] == 42
    assert (tmp_path / "m").read_bytes() == before


def test_a_name_that_is_not_there():
    with pytest.raises(errors.NotFound, match="no tensor 'x'"):
        tensors.Tensors({})["x"]


def header_of(entries, data=b""):
    raw = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(raw)) + raw + data


@pytest.mark.parametrize("content", [
    b"", b"\0" * 7, struct.pack("<Q", 1 << 60), struct.pack("<Q", 100) + b"{}", header_of(b"{"), header_of(b"[]"),
    header_of({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, bytes(4)),
    header_of({"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)),
    header_of({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(5)),
    header_of({"w": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    header_of({"w": {"dtype": "F32", "shape": [1 << 62], "data_offsets": [0, 4]}}, bytes(4)),
    header_of({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "v": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    header_of({"w": {"dtype": "F32", "shape": "x", "data_offsets": [0, 4]}}, bytes(4)), header_of({"w": 3}),
    header_of(b'{"w":' + b"[" * 100_000), header_of({"w": {"dtype": "F32", "shape": [1 << 63, 0], "data_offsets": [0, 0]}}),
    header_of({"w": {"dtype": "F32", "shape": 3, "data_offsets": [0, 4]}}, bytes(4)),
    header_of({"w": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}, bytes(4)),
    header_of({"w": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, bytes(4)),
    header_of({"w": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    header_of({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}, bytes(4)),
    header_of({"w": {"dtype": "F32", "shape": [0], "data_offsets": [0, -4]}}),
    header_of({"__metadata__": 3}), header_of({"__metadata__": {"a": 3}}),
    header_of(b'{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    header_of(b'{"\xff":3}'),
])
def test_lying_headers_are_refused(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(errors.IntegrityError, match="not a safetensors file") as caught:
        model_file.read_header(tmp_path / "m")
    assert "\n" not in str(caught.value)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "m"
    model_file.write(path, named(state()))
    before = path.read_bytes()

    class Broken:
        dtype_name, shape = "F32", (1,)

        def buffer(self):
            raise RuntimeError("no bytes")
    with pytest.raises(RuntimeError):
        model_file.write(path, {"x": Broken()})
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["m"]
