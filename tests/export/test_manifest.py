"""The manifest of the shipped models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")


import pytest

from export.manifest import update_meta, write_entry
from tracker.errors import WeightsError
from tracker.inference.weights import MANIFEST, find_model

flatbuffer = pytest.importorskip("tflite", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")


@pytest.mark.slow
def test_new_weights_drop_the_variants_of_the_old_ones(weights: Path, tmp_path: Path) -> None:
    for name in (MANIFEST, "resnet18.onnx", "resnet18.int8.onnx"):
        shutil.copy(weights / name, tmp_path)
    write_entry(tmp_path, "resnet18", "landmarks", "resnet18.onnx", "MIT", {"precision": "fp32"})
    assert find_model("resnet18", "landmarks", tmp_path).variants == {}
    with pytest.raises(WeightsError, match="no int8 variant of 'resnet18'"):
        update_meta(tmp_path, "resnet18", {"nme_loss": 0.1}, "int8")


def test_manifest_does_not_depend_on_the_order_of_writing(tmp_path: Path) -> None:
    texts = []
    for order in (("a", "b"), ("b", "a"), ("a", "b", "a")):
        folder = tmp_path / "".join(order)
        folder.mkdir()
        for name in order:
            (folder / name).write_bytes(name.encode())
            write_entry(folder, name, "detector", name, "MIT", {"z": 1, "a": 2})
        texts.append((folder / "manifest.json").read_bytes())
    assert texts[0] == texts[1] == texts[2]
    assert find_model("b", "detector", tmp_path / "ab").verified().read_bytes() == b"b"


def test_manifest_misuse_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.onnx cannot be read"):
        write_entry(tmp_path, "a", "detector", "gone.onnx", "MIT", {})
    with pytest.raises(WeightsError, match="no model 'a'"):
        update_meta(tmp_path, "a", {})
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(WeightsError, match="cannot be used"):
        update_meta(tmp_path, "a", {})
