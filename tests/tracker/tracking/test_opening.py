"""Opening a tracker: checked options, what results depend on, and closing."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from typing import get_args

import numpy as np
import pytest

from tests.cache import Trackers
from tests.faces import astronaut
from tracker.errors import BackendError, MisuseError, WeightsError
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.weights import find_model
from tracker.sources.arrays import frame_from
from tracker.system.closing import Closing
from tracker.system.machine import cpu_flags
from tracker.tracking import opening
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import OpenedTracker, SmoothingName, TrackerOptions, open_tracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS
from tracker.types import Frame, FrameResult


def test_a_tracker_opens_with_defaults_and_finds_a_face_in_an_array() -> None:
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
    ("wrong", "allowed"),
    [
        ({"smoothing": "mid"}, "one of off, low, high"),
        ({"smoothing": ["low"]}, "one of off, low, high"),
        ({"detector": "x"}, "one of blazeface, mediapipe, none or the path of an ONNX file"),
        ({"detector": None}, "one of blazeface"),
        ({"threads": -1}, "in 0..256"),
        ({"threads": "a"}, "in 0..256"),
        ({"threads": 257}, "in 0..256"),
        ({"threads": 10**6}, "in 0..256"),
        ({"threads": np.float32(2)}, "in 0..256"),
        ({"max_faces": 0}, "from 1 on"),
        ({"max_faces": "2"}, "from 1 on"),
        ({"max_faces": 1.5}, "from 1 on"),
        ({"max_faces": True}, "from 1 on"),
        ({"min_score": 1.01}, "a number in 0..1"),
        ({"min_score": "0.5"}, "a number in 0..1"),
        ({"min_score": True}, "a number in 0..1"),
        ({"min_score": np.bool_(True)}, "a number in 0..1"),
        ({"min_score": np.float32("nan")}, "a number in 0..1"),
        ({"min_score": np.array([0.5])}, "a number in 0..1"),
        ({"min_face": np.float64("inf")}, "a number from 0 on"),
        ({"min_face": 10**400}, "a number from 0 on"),
        ({"min_face": -1}, "a number from 0 on"),
        ({"min_face": None}, "a number from 0 on"),
        ({"model": None}, "a name"),
        ({"backend": 3}, "a name"),
    ],
)
def test_wrong_values_are_refused_before_anything_opens(
    wrong: dict[str, object], allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "open_landmarker", lambda *_, **__: pytest.fail("opened a model"))
    ((name, value),) = wrong.items()
    expected = f"^{name} is .*{re.escape(allowed)}.*got {re.escape(repr(value)[:60])}$"
    with pytest.raises(MisuseError, match=expected):
        TrackerOptions(**wrong)  # type: ignore[arg-type]
    with pytest.raises(MisuseError, match=expected):
        open_tracker(**wrong)  # type: ignore[arg-type]


def test_numbers_of_numpy_are_kept_as_those_of_python() -> None:
    given = {"threads": np.int64(2), "max_faces": np.int32(3), "max_still_faces": np.uint8(4)}
    options = TrackerOptions(**given, min_score=np.float32(0.5), min_face=np.int16(40))  # type: ignore[arg-type]
    assert options == TrackerOptions(threads=2, max_faces=3, max_still_faces=4, min_score=0.5, min_face=40.0)
    assert json.loads(json.dumps(asdict(options))) == asdict(options)
    settings = TrackerSettings(detect_every=np.int64(2), memory_s=np.float32(1))  # type: ignore[arg-type]
    assert json.loads(json.dumps(asdict(settings)))["memory_s"] == 1.0


def test_an_unknown_model_or_backend_is_named() -> None:
    with pytest.raises(WeightsError, match="vgg"):
        open_tracker("vgg")
    with pytest.raises(BackendError, match="tpu"):
        open_tracker(backend="tpu")


def test_options_give_the_settings_of_the_tracker() -> None:
    assert get_args(SmoothingName) == tuple(PRESETS)
    settings = TrackerOptions(max_faces=3, smoothing="high", min_score=0.5, min_face=40).settings()
    assert (settings.max_faces, settings.smoothing) == (3, PRESETS["high"])
    assert (settings.min_score, settings.min_face) == (0.5, 40)


def test_identity_changes_with_all_but_the_threads() -> None:
    options = TrackerOptions("unet-light")
    assert options.identity() == replace(options, threads=7).identity()
    for other in (
        replace(options, model="resnet18"),
        replace(options, backend="cpu"),
        replace(options, detector="mediapipe"),
        replace(options, max_faces=1),
        replace(options, smoothing="off"),
        replace(options, min_score=0.5),
        replace(options, min_face=40),
    ):
        assert other.identity() != options.identity()
    hashes = options.identity()["weights"]
    assert hashes[0] == find_model("unet-light", "landmarks").sha256
    with pytest.raises(WeightsError, match="vgg"):
        TrackerOptions("vgg").identity()


def test_made_by_names_model_settings_and_versions(trackers: Trackers) -> None:
    made_by = trackers.opened(max_faces=2).made_by
    assert list(made_by) == ["model", "detector", "settings", "threads", "versions"]
    light = find_model("unet-light", "landmarks")
    assert made_by["model"]["sha256"] == light.best_for("cpu", cpu_flags()).sha256
    assert (made_by["detector"], made_by["settings"]["max_faces"], made_by["threads"]) == ("blazeface", 2, 1)


class ClosableDetector(FakeDetector, Closing):
    """Counts how often it was closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_detector_with_threads_of_its_own_is_closed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = ClosableDetector()
    monkeypatch.setattr(opening, "open_detector", lambda *_: detector)

    def fail() -> None:
        with open_tracker(backend="cpu", threads=1) as tracker:
            opened.append(tracker)
            raise KeyError

    opened: list[OpenedTracker] = []
    with pytest.raises(KeyError):
        fail()
    opened[0].close()
    assert detector.closed == 1


def test_a_fresh_tracker_may_smooth_otherwise(trackers: Trackers) -> None:
    opened = trackers.opened(smoothing="low")
    frames = [Frame(np.roll(astronaut(), 5 * (index % 2), axis=1), index, index / 30) for index in range(4)]

    def last(tracker: FaceTracker) -> FrameResult:
        return [tracker.step(frame) for frame in frames][-1]

    assert last(opened.fresh("low")) == last(opened.fresh())
    assert last(opened.fresh("off")) == last(trackers.fresh(smoothing="off")) != last(opened.fresh())


def test_a_fresh_tracker_runs_the_same_models_without_history(trackers: Trackers) -> None:
    opened = trackers.opened()
    tracker = opened.fresh()
    tracker.step(frame_from(astronaut()))
    assert tracker.state().last_id == 1
    assert opened.fresh().state().last_id == 0
