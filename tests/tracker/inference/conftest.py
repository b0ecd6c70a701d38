"""A tiny ONNX model that all runtimes open."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with two outputs: the input ``(N, 3)`` doubled, and its sum over each row."""
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    batch = helper.make_tensor_value_info("batch", kinds.FLOAT, ["N", 3])
    doubled = helper.make_tensor_value_info("doubled", kinds.FLOAT, ["N", 3])
    total = helper.make_tensor_value_info("total", kinds.FLOAT, ["N", 1])
    axis = helper.make_tensor("axis", kinds.INT64, [1], [1])
    nodes = [
        helper.make_node("Add", ["batch", "batch"], ["doubled"]),
        helper.make_node("ReduceSum", ["batch", "axis"], ["total"]),
    ]
    graph = helper.make_graph(nodes, "tiny", [batch], [doubled, total], [axis])
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    opsets = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path
