# SPDX-License-Identifier: Apache-2.0
"""GGUF models, written and read by the gguf package."""
import gguf
import numpy as np
import pytest


def save(path, shift=0.0):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_token_list([f"token {i}" for i in range(100)])
    writer.add_custom_alignment(64)
    writer.add_tensor("blk.0.attn_q.weight", np.arange(12, dtype=np.float32).reshape(3, 4) + np.float32(shift))
    writer.add_tensor("blk.0.norm.weight", np.full(5, shift, np.float16))
    quantised = gguf.quants.quantize(np.ones((2, 64), np.float32), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("output.weight", quantised, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("steps", np.array([7], np.int64))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_plain_tensors_have_names_and_dims(repo):
    save(repo.folder / "m.gguf")
    repo.commit("m.gguf")
    assert repo.format("m.gguf") == "gguf"
    assert repo.tensors("m.gguf") == {
        "blk.0.attn_q.weight": ("F32", (3, 4)), "blk.0.norm.weight": ("F16", (5,)), "steps": ("I64", (1,)),
    }
    assert repo.comes_back("m.gguf")


def test_two_models_merge_into_one_that_loads(repo):
    save(repo.folder / "m.gguf")
    repo.commit("m.gguf")
    merged = gguf.GGUFReader(repo.merge_two("m.gguf", lambda p: save(p, 1.0), lambda p: save(p, 3.0)))
    arrays = {t.name: t.data for t in merged.tensors}
    assert np.array_equal(arrays["blk.0.attn_q.weight"], np.arange(12, dtype=np.float32).reshape(3, 4) + 2)
    assert np.array_equal(arrays["blk.0.norm.weight"], np.full(5, 2, np.float16))


@pytest.mark.parametrize("cut", [100, 2000])
def test_a_cut_model_is_refused(repo, cut):
    save(repo.folder / "m.gguf")
    whole = (repo.folder / "m.gguf").read_bytes()
    (repo.folder / "m.gguf").write_bytes(whole[:-cut])
    message = repo("add", "m.gguf", code=5)
    assert "m.gguf" in message and "gguf: " in message and message.count("\n") <= 2
