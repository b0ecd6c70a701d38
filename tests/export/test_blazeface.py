"""The shipped detector, rebuilt from its original."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tracker.errors import WeightsError
from tracker.inference.weights import load_manifest, weights_dir

flatbuffer = pytest.importorskip("tflite", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")

from export import blazeface  # noqa: E402
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
