# SPDX-License-Identifier: Apache-2.0
"""ONNX models, written and read by the onnx package."""
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


def model(shift=0.0):
    """A linear layer; one initializer in each way in which elements are written."""
    weight = np.arange(12, dtype=np.float32).reshape(3, 4) + shift
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weight"], ["y"]), helper.make_node("Add", ["y", "bias"], ["z"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, 4])],
        [
            numpy_helper.from_array(weight, "weight"),
            helper.make_tensor("bias", TensorProto.FLOAT, [4], [shift] * 4),
            numpy_helper.from_array(np.array([2, 3], np.int64), "sizes"),
            helper.make_tensor("half", TensorProto.FLOAT16, [2], np.zeros(2, np.float16).tobytes(), raw=True),
            helper.make_tensor("nibbles", TensorProto.INT4, [2], [1, 2]),
        ],
    )
    return helper.make_model(graph, producer_name="test", ir_version=10, opset_imports=[helper.make_opsetid("", 21)])


def test_initializers_are_tensors(repo):
    onnx.save(model(), repo.folder / "m.onnx")
    repo.commit("m.onnx")
    assert repo.format("m.onnx") == "onnx"
    assert repo.tensors("m.onnx") == {
        "weight": ("F32", (3, 4)), "bias": ("F32", (4,)), "sizes": ("I64", (2,)), "half": ("F16", (2,)),
    }
    assert repo.comes_back("m.onnx")
    onnx.save(model(1.0), repo.folder / "m.onnx")
    repo.commit("m.onnx")
    changed = repo("diff", "HEAD~1", "HEAD")
    assert "weight" in changed and "bias" in changed and "sizes" not in changed


def test_two_models_merge_into_one_that_loads(repo):
    onnx.save(model(), repo.folder / "m.onnx")
    repo.commit("m.onnx")
    merged = onnx.load(repo.merge_two("m.onnx", lambda p: onnx.save(model(1.0), p), lambda p: onnx.save(model(3.0), p)))
    onnx.checker.check_model(merged)
    arrays = {t.name: numpy_helper.to_array(t) for t in merged.graph.initializer}
    assert np.array_equal(arrays["weight"], np.arange(12, dtype=np.float32).reshape(3, 4) + 2)
    assert np.array_equal(arrays["bias"], np.full(4, 2, np.float32))


def test_weights_in_another_file_are_that_file(repo):
    onnx.save(model(), repo.folder / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    repo.commit("m.onnx")
    repo.commit("m.data")
    assert "weight" not in repo.tensors("m.onnx") and repo.comes_back("m.onnx") and repo.comes_back("m.data")


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_cut_model_is_refused(repo, cut):
    whole = model().SerializeToString()
    (repo.folder / "m.onnx").write_bytes(whole[:-cut])
    message = repo("add", "m.onnx", code=5)
    assert "m.onnx" in message and "onnx: " in message and "at byte" in message and message.count("\n") <= 2
