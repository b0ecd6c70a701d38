"""Eight-bit models, made from the shipped one and from a small graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import onnx
from onnx import numpy_helper

from export.landmarks import noise_crops
from export.quantise import is_convolution, quantise, with_float_weights
from tests.faces import astronaut
from tracker.geometry import CropTransform
from tracker.inference.backends import open_session
from tracker.inference.landmarker import OnnxLandmarker
from tracker.inference.weights import find_model
from tracker.types import ImageArray


def faces(count: int) -> ImageArray:
    """Crops of one face, rotated and shifted."""
    rng = np.random.default_rng(0)
    crops = []
    for _ in range(count):
        x, y = rng.normal((186, 135), 4)
        crops.append(CropTransform((float(x), float(y)), 160.0, float(rng.normal(0, 0.15))).cut(astronaut()))
    return np.stack(crops)


@pytest.fixture(scope="module")
def shipped() -> Path:
    return find_model("resnet18", "landmarks").verified()


@pytest.fixture(scope="module")
def small(shipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("int8") / "small.onnx"
    quantise(shipped, path, faces(12))
    return path


@pytest.mark.slow
def test_quantisation_keeps_points(shipped: Path, small: Path) -> None:
    crops = faces(8)
    plain, bytes_ = (OnnxLandmarker(open_session(p, "cpu", 1)).locate(crops) for p in (shipped, small))
    apart = np.linalg.norm(plain.points_crop - bytes_.points_crop, axis=-1)
    # One step of an activation is 1/255 of its range; the NME of the shipped model is some 3.5 crop pixels.
    assert 0 < apart.mean() < 0.5
    assert np.abs(plain.presence - bytes_.presence).max() < 0.05


@pytest.mark.slow
def test_convolutions_are_quantised_and_the_mean_of_maps_is_not(shipped: Path, small: Path) -> None:
    graph = onnx.load(small).graph
    made_by = {name: node.op_type for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if is_convolution(node)]
    assert len(convolutions) == sum(node.op_type == "Conv" for node in graph.node) - 1  # the resampling
    assert not any(node.op_type == "Relu" and made_by[node.input[0]] == "Conv" for node in graph.node)
    for node in convolutions:
        assert all(made_by[name] == "DequantizeLinear" for name in node.input[:2])
    for node in graph.node:
        if node.op_type in ("MatMul", "Softmax"):
            assert all(made_by.get(name) != "DequantizeLinear" for name in node.input)
    bytes_ = [numpy_helper.to_array(t) for t in graph.initializer if t.data_type == onnx.TensorProto.INT8]
    kernels = [array for array in bytes_ if array.ndim == 4]
    assert len(kernels) == len(convolutions)
    # Seven bits: two products of bytes fit into sixteen.
    assert all(np.abs(kernel.astype(int)).max() <= 64 for kernel in kernels)
    assert small.stat().st_size < 0.6 * shipped.stat().st_size


def test_a_batch_is_still_any_number_of_crops(small: Path) -> None:
    session = open_session(small, "cpu", 1)
    crops = noise_crops(3)[:, None]
    together = session.run(crops)[0]
    alone = np.concatenate([session.run(crop[None])[0] for crop in crops])
    assert np.abs(together - alone).max() < 0.01


def test_float_weights_compute_the_same(shipped: Path, tmp_path: Path) -> None:
    model = with_float_weights(onnx.load(shipped))
    assert all(t.data_type != onnx.TensorProto.FLOAT16 for t in model.graph.initializer)
    onnx.save(model, tmp_path / "plain.onnx")
    crops = noise_crops(2)[:, None]
    before, after = (open_session(p, "cpu", 1).run(crops)[0] for p in (shipped, tmp_path / "plain.onnx"))
    assert np.array_equal(before, after)
