import json
import shutil
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from tests.faces import astronaut
from tracker.errors import BackendError, WeightsError
from tracker.inference import backends, weights
from tracker.inference.weights import MANIFEST, weights_dir
from tracker.sources.opening import frame_from
from tracker.tracking import opening
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import OpenedTracker, open_landmarker, open_tracker


@pytest.fixture
def two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
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
    two_files, monkeypatch: pytest.MonkeyPatch, flags, precision
) -> None:
    monkeypatch.setattr(opening, "cpu_flags", lambda: flags)
    opened = open_landmarker("resnet18", "cpu", 1)
    assert opened.file.precision == precision
    assert opened.file.path == two_files / ("copy.onnx" if precision == "int8" else "resnet18.onnx")
    assert (opened.backend, opened.provider) == ("cpu", "CPUExecutionProvider")
    assert opened.landmarker.locate(np.zeros((2, 224, 224), np.uint8)).points_crop.shape == (2, 68, 2)


@pytest.mark.usefixtures("two_files")
def test_a_precision_that_is_asked_for_is_what_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "cpu_flags", lambda: ("magic",))
    assert open_landmarker("resnet18", "cpu", 1, precision="fp32").file.precision == "fp32"
    with pytest.raises(WeightsError, match="choose one of fp32, int8"):
        open_landmarker("resnet18", "cpu", 1, precision="int2")


def test_a_damaged_variant_is_refused_not_passed_over(two_files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "cpu_flags", lambda: ("magic",))
    monkeypatch.setattr(backends, "auto_order", lambda _: ("cpu",))
    (two_files / "copy.onnx").write_bytes(b"no")
    with pytest.raises(WeightsError, match=r"copy\.onnx differ"):
        open_landmarker("resnet18", "auto", 1)


def test_a_tracker_opens_with_sane_defaults_and_finds_a_face_in_an_array() -> None:
    with open_tracker() as tracker:
        assert isinstance(tracker, FaceTracker)
        assert tracker.label.startswith("resnet18 ")
        image = astronaut()
        (face,) = tracker.find(frame_from(image)).faces
        assert abs(face.landmarks.points_frame[30] - (183, 126)).max() < 5
        for index in range(3):
            (followed,) = tracker.step(frame_from(image, index, index / 30)).faces
            assert followed.id == 1
        assert abs(followed.landmarks.points_frame - face.landmarks.points_frame).max() < 3
    tracker.close()


@pytest.mark.parametrize(
    "wrong", [{"smoothing": "much"}, {"detector": "haar"}, {"threads": -1}, {"max_faces": 0}]
)
def test_values_that_are_none_are_refused_before_anything_opens(
    wrong, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "open_landmarker", lambda *_, **__: pytest.fail("opened a model"))
    with pytest.raises(ValueError, match=next(iter(wrong))):
        open_tracker(**wrong)


def test_a_model_or_backend_that_does_not_open_is_named() -> None:
    with pytest.raises(WeightsError, match="vgg"):
        open_tracker("vgg")
    with pytest.raises(BackendError, match="tpu"):
        open_tracker(backend="tpu")


def test_a_detector_with_threads_of_its_own_is_closed_once(monkeypatch: pytest.MonkeyPatch) -> Never:
    class Detector(opening.MediaPipeDetector):
        closed = 0

        def __init__(self) -> None:
            pass

        def close(self) -> None:
            self.closed += 1

    detector = Detector()
    monkeypatch.setattr(opening, "open_mediapipe", lambda: detector)
    with pytest.raises(KeyError), open_tracker(backend="cpu", detector="mediapipe", threads=1) as tracker:
        assert isinstance(tracker, OpenedTracker)
        raise KeyError
    tracker.close()
    assert detector.closed == 1
