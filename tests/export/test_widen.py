"""Widened graphs compute what the narrow ones do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

pytest.importorskip("onnx", reason="needs the train extra")

from onnx import NodeProto, TensorProto, helper, numpy_helper

from export.widen import BLOCK, widen
from tracker.errors import WeightsError

RNG = np.random.default_rng(5)
CONSTANTS = {
    "w1": RNG.normal(size=(6, 3, 3, 3)),
    "b1": RNG.normal(size=6),
    "w2": RNG.normal(size=(6, 1, 3, 3)),
    "b2": RNG.normal(size=6),
    "w3": RNG.normal(size=(20, 6, 1, 1)),
    "b3": RNG.normal(size=20),
    "w4": RNG.normal(size=(5, 20, 1, 1)),
    "b4": RNG.normal(size=5),
}


def block(last: str = "Relu") -> tuple[list[NodeProto], list[TensorProto]]:
    """A BlazeBlock: depthwise and pointwise convolutions beside a skip whose channels are padded."""
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], group=6, pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["c2", "w3", "b3"], ["c3"]),
        helper.make_node("Pad", ["r1", "pads"], ["p1"]),
        helper.make_node("Add", ["p1", "c3"], ["a1"]),
        helper.make_node(last, ["a1"], ["r2"]),
        helper.make_node("Conv", ["r2", "w4", "b4"], ["y"]),
    ]
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in CONSTANTS.items()]
    pads = np.array([0, 0, 0, 0, 0, 14, 0, 0], np.int64)
    return nodes, [*constants, numpy_helper.from_array(pads, "pads")]


def outputs(
    nodes: list[NodeProto], constants: list[TensorProto], x: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", [values[0]], [values[1]], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def test_results_are_the_same_and_channels_are_whole_blocks() -> None:
    nodes, constants = block()
    wide_nodes, wide_constants = widen(nodes, constants, keep={"y"})
    x = RNG.normal(size=(1, 3, 8, 8)).astype(np.float32)
    narrow = outputs(nodes, constants, x)
    # The same products and zeros, possibly summed in another order.
    np.testing.assert_allclose(outputs(wide_nodes, wide_constants, x), narrow, rtol=1e-4, atol=1e-4)
    kernels = {one.name: one.dims for one in wide_constants if one.name.startswith("w")}
    assert kernels["w1"] == [BLOCK, 3, 3, 3]
    assert kernels["w2"] == [BLOCK, 1, 3, 3]
    assert kernels["w3"] == [2 * BLOCK, BLOCK, 1, 1]
    assert kernels["w4"] == [5, 2 * BLOCK, 1, 1]


def test_operators_that_mix_channels_are_refused() -> None:
    nodes, constants = block(last="Softmax")
    with pytest.raises(WeightsError, match="Softmax cannot be widened"):
        widen(nodes, constants, keep={"y"})


def test_the_given_graph_is_not_changed() -> None:
    nodes, constants = block()
    before = [node.SerializeToString() for node in nodes], [one.SerializeToString() for one in constants]
    widen(nodes, constants, keep={"y"})
    after = [node.SerializeToString() for node in nodes], [one.SerializeToString() for one in constants]
    assert after == before
