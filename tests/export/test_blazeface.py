"""The shipped detector, rebuilt from its original."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tracker.errors import WeightsError
from tracker.inference.detection.anchors import make_anchors
from tracker.inference.weights import load_manifest, weights_dir

flatbuffer = pytest.importorskip("tflite", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")

from export import blazeface, tflite  # noqa: E402
from export.manifest import update_meta  # noqa: E402

TFLITE = weights_dir() / "blazeface-short.tflite"


ONNX = weights_dir() / "blazeface-short.onnx"


def test_shipped_model_is_rebuilt_bit_for_bit_and_keeps_its_correction(tmp_path: Path) -> None:
    blazeface.build(TFLITE, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert first[ONNX.name] == ONNX.read_bytes()
    assert first[TFLITE.name] == TFLITE.read_bytes()
    correction = {"box_correction": [[1.5, -2e-07], [3, 4]], "note": "a  [b]"}
    update_meta(tmp_path, blazeface.NAME, correction)
    blazeface.build(TFLITE, tmp_path)
    assert load_manifest(tmp_path)[blazeface.NAME].meta == correction
    update_meta(tmp_path, blazeface.NAME, {"box_correction": {}})
    assert (tmp_path / ONNX.name).read_bytes() == first[ONNX.name]


def test_tflite_is_found_inside_the_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "mediapipe.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(blazeface.WHEEL_MEMBER, TFLITE.read_bytes())
    assert blazeface.read_tflite(wheel) == TFLITE.read_bytes()


@pytest.mark.parametrize("name", ["missing.tflite", "missing.whl", "broken.whl", "other.whl", "other.tflite"])
def test_unusable_sources_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.whl").write_bytes(b"no zip")
    (tmp_path / "other.tflite").write_bytes(TFLITE.read_bytes()[:-1])
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("README", "no model in here")
    with pytest.raises(WeightsError, match=rf"{name}.*mediapipe 0\.10\.21"):
        blazeface.read_tflite(tmp_path / name)


@pytest.mark.parametrize("optimise", [False, True])
def test_the_free_size_changes_no_bit_at_the_original_size(optimise: bool) -> None:
    """Against the graph with its original constants; optimised once both know their size."""
    content = TFLITE.read_bytes()
    free = blazeface.to_onnx(content)
    fixed = blazeface.to_onnx(content)
    fixed.graph.ClearField("initializer")
    sizes = (one for one in tflite.convert(content).initializers if one.name.endswith("_shape"))
    original = {constant.name: constant for constant in sizes}
    fixed.graph.initializer.extend(original.get(one.name, one) for one in free.graph.initializer)
    image = np.random.default_rng(3).integers(0, 256, (1, 128, 128, 3), dtype=np.uint8)
    for one, other in zip(run(free, image, optimise), run(fixed, image, optimise), strict=True):
        np.testing.assert_array_equal(one, other)


def test_widening_changes_no_more_than_the_order_of_sums() -> None:
    """Boxes are pixels up to 200, logits up to 50: a hundredth of a pixel is 1000 roundings of float32."""
    content = TFLITE.read_bytes()
    wide = blazeface.to_onnx(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blazeface, "widen", lambda nodes, weights, **_: (nodes, weights))
        narrow = blazeface.to_onnx(content)
    image = np.random.default_rng(4).integers(0, 256, (1, 96, 160, 3), dtype=np.uint8)
    for one, other in zip(run(wide, image, True), run(narrow, image, True), strict=True):
        assert np.abs(one - other).max() < 0.01


@pytest.mark.parametrize(("height", "width"), [(16, 16), (96, 128), (240, 320)])
def test_the_network_takes_any_size_on_the_grid(height: int, width: int) -> None:
    image = np.zeros((1, height, width, 3), np.uint8)
    boxes, logits = run(blazeface.to_onnx(TFLITE.read_bytes()), image, optimise=True)
    count = len(make_anchors((width, height)))
    assert (boxes.shape, logits.shape) == ((count, 16), (count,))


def run(model: Any, image: np.ndarray[Any, Any], optimise: bool) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.add_free_dimension_override_by_name("height", image.shape[1])
    options.add_free_dimension_override_by_name("width", image.shape[2])
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return list(session.run(None, {"image": image}))
