"""Reading ONNX files: inputs, outputs and metadata, and files that are none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import damaged
from tests.own_models import graph_model, onnx_module, save, write_spot_model
from tracker.errors import WeightsError
from tracker.inference import graph as graph_module
from tracker.inference.graph import Tensor, read_graph


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_spot_model(tmp_path_factory.mktemp("own") / "spot.onnx", metadata={"author": "é"})


def test_inputs_outputs_metadata_and_hash_are_read(model: Path) -> None:
    graph = read_graph(model)
    assert graph.inputs == (Tensor("crop", "uint8", (None, 1, 224, 224)),)
    assert graph.outputs == (
        Tensor("points", "float32", (None, 5, 2)),
        Tensor("presence", "float32", (None,)),
    )
    assert graph.metadata["author"] == "é"
    assert graph.sha256 == hashlib.sha256(model.read_bytes()).hexdigest()
    assert graph.size == model.stat().st_size
    assert graph.described_outputs == "points float32 (N, 5, 2), presence float32 (N)"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no ONNX file, or is damaged"),
        (b"hello", "no ONNX file, or is damaged"),
        (b"\x00" * 1000, "no ONNX file, or is damaged"),
        (b"\x08\x09", "no ONNX file, or is damaged"),
    ],
)
def test_what_is_no_model_is_named_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=reason) as caught:
        read_graph(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_model_is_damaged(tmp_path: Path, model: Path) -> None:
    data = model.read_bytes()
    for end in (10, len(data) // 2, len(data) - 1):
        (path := tmp_path / "half.onnx").write_bytes(data[:end])
        with pytest.raises(WeightsError, match=r"half\.onnx"):
            read_graph(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_damaged_model_opens_or_is_refused_in_one_line(
    tmp_path: Path, model: Path, data: st.DataObject
) -> None:
    path = tmp_path / "damaged.onnx"
    path.write_bytes(data.draw(damaged(model.read_bytes())))
    line = ""
    try:
        read_graph(path)
    except WeightsError as error:
        line = str(error)
    assert "\n" not in line


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    onnx = onnx_module()
    node = onnx.helper.make_node("Add", ["a", "w"], ["b"])
    weights = {"w": np.arange(1000, dtype=np.float32)}
    made = graph_model([node], [("a", "FLOAT", ["N", 1000])], [("b", "FLOAT", ["N", 1000])], weights)
    path = tmp_path / "split.onnx"
    onnx.save(made, path, save_as_external_data=True, location="split.bin", size_threshold=0)
    assert (tmp_path / "split.bin").exists()
    with pytest.raises(WeightsError, match=r"split\.onnx has its weights in another file: export it as one"):
        read_graph(path)


def test_a_path_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, reason in [
        (tmp_path / "none.onnx", "does not exist"),
        (tmp_path, "is not a file"),
        (Path("a\0b"), "does not exist|cannot be read"),
        (tmp_path / ("x" * 300), "cannot be read|does not exist"),
    ]:
        with pytest.raises(WeightsError, match=reason):
            read_graph(path)


def test_limits_of_size_hold(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = write_spot_model(tmp_path / "huge.onnx", metadata={"a": "b" * 1_100_000})
    with pytest.raises(WeightsError, match="1000 kB of metadata"):
        read_graph(huge)
    monkeypatch.setattr(graph_module, "MOST_BYTES", 10)
    with pytest.raises(WeightsError, match="give a smaller one"):
        read_graph(model)


def test_shapes_fit_where_sizes_are_free() -> None:
    tensor = Tensor("a", "float32", (None, 5, 2))
    assert tensor.may_be(None, 5, 2)
    assert tensor.may_be(7, 5, None)
    assert not tensor.may_be(None, 4, 2)
    assert not tensor.may_be(None, 5)
    assert Tensor("a", "float32", ()).may_be(None, 5, 2)


def test_a_model_has_one_input_and_named_outputs_of_floats(tmp_path: Path) -> None:
    node = onnx_module().helper.make_node
    nodes = [node("Add", ["a", "b"], ["c"]), node("Shape", ["a"], ["d"])]
    pair = [("a", "FLOAT", [1, 3]), ("b", "FLOAT", [1, 3])]
    outputs = [("c", "FLOAT", [1, 3]), ("d", "INT64", [2])]
    graph = read_graph(save(tmp_path / "two.onnx", graph_model(nodes, pair, outputs, {})))
    with pytest.raises(WeightsError, match=r"^X: a model must have one input.* a float32 \(1, 3\), b"):
        graph.only_input("X")
    assert graph.output_index(None, "X") == graph.output_index("c", "X") == 0
    with pytest.raises(WeightsError, match=r"X has no output e: it has c float32 \(1, 3\), d int64 \(2\)"):
        graph.output_index("e", "X")
    with pytest.raises(WeightsError, match=r"d int64.* must be float32"):
        graph.output_index("d", "X")
