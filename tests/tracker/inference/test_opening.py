"""Opening models: the right file of a landmark model, and detectors by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tracker.errors import WeightsError
from tracker.inference import backends, opening, weights
from tracker.inference.detection.blazeface import BlazeFace
from tracker.inference.detection.whole_picture import WholePicture
from tracker.inference.opening import DETECTORS, open_detector, open_landmarker
from tracker.inference.weights import MANIFEST, weights_dir


@pytest.fixture
def two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped models, with a copy of the ResNet18 that suits the CPU where it has ``magic``."""
    manifest = json.loads((weights_dir() / MANIFEST).read_text())
    plain = manifest["models"]["resnet18"]
    for name in (plain["file"], "copy.onnx"):
        shutil.copy(weights_dir() / plain["file"], tmp_path / name)
    plain["variants"] = {
        "int8": {"file": "copy.onnx", "sha256": plain["sha256"], "meta": {"suits": {"cpu": ["magic"]}}}
    }
    (tmp_path / MANIFEST).write_text(json.dumps({"models": {"resnet18": plain}}))
    monkeypatch.setattr(weights, "_PLACES", (tmp_path,))
    return tmp_path


@pytest.mark.parametrize(("flags", "precision"), [(("magic",), "int8"), (("avx2",), "fp32"), ((), "fp32")])
def test_the_file_that_suits_the_processor_is_opened(
    two_files: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], precision: str
) -> None:
    monkeypatch.setattr(opening, "cpu_flags", lambda: flags)
    opened = open_landmarker("resnet18", "cpu", 1)
    assert opened.file.precision == precision
    assert opened.file.path == two_files / ("copy.onnx" if precision == "int8" else "resnet18.onnx")
    assert (opened.backend, opened.provider) == ("cpu", "CPUExecutionProvider")
    assert opened.landmarker.locate(np.zeros((2, 224, 224), np.uint8)).points_crop.shape == (2, 68, 2)


@pytest.mark.usefixtures("two_files")
def test_a_precision_given_by_name_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "cpu_flags", lambda: ("magic",))
    assert open_landmarker("resnet18", "cpu", 1, precision="fp32").file.precision == "fp32"
    with pytest.raises(WeightsError, match="choose one of fp32, int8"):
        open_landmarker("resnet18", "cpu", 1, precision="int2")


def test_a_damaged_variant_is_an_error(two_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "cpu_flags", lambda: ("magic",))
    monkeypatch.setattr(backends, "auto_order", lambda _: ("cpu",))
    (two_files / "copy.onnx").write_bytes(b"no")
    with pytest.raises(WeightsError, match=r"copy\.onnx differ"):
        open_landmarker("resnet18", "auto", 1)


def test_detectors_open_by_name() -> None:
    assert DETECTORS == ("blazeface", "mediapipe", "none")
    assert isinstance(open_detector("blazeface", threads=1), BlazeFace)
    assert isinstance(open_detector("none"), WholePicture)


def test_a_detector_opens_without_a_name_for_programs_of_ones_own() -> None:
    assert isinstance(open_detector(), BlazeFace)
