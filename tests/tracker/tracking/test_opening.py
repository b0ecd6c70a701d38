"""Opening a tracker: checked options, what results depend on, and closing."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from tests.cache import Trackers
from tests.faces import astronaut
from tracker.errors import BackendError, WeightsError
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.weights import find_model
from tracker.sources.opening import frame_from
from tracker.system.closing import Closing
from tracker.tracking import opening
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import OpenedTracker, SmoothingName, TrackerOptions, open_tracker
from tracker.tracking.smoothing import PRESETS


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
    "wrong", [{"smoothing": "much"}, {"detector": "haar"}, {"threads": -1}, {"max_faces": 0}]
)
def test_values_out_of_range_are_refused_before_anything_opens(
    wrong: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "open_landmarker", lambda *_, **__: pytest.fail("opened a model"))
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrackerOptions(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=next(iter(wrong))):
        open_tracker(**wrong)  # type: ignore[arg-type]


def test_an_unknown_model_or_backend_is_named() -> None:
    with pytest.raises(WeightsError, match="vgg"):
        open_tracker("vgg")
    with pytest.raises(BackendError, match="tpu"):
        open_tracker(backend="tpu")


def test_options_give_the_settings_of_the_tracker() -> None:
    assert get_args(SmoothingName) == tuple(PRESETS)
    settings = TrackerOptions(max_faces=3, smoothing="high").settings()
    assert (settings.max_faces, settings.smoothing) == (3, PRESETS["high"])


def test_identity_changes_with_all_but_the_threads() -> None:
    options = TrackerOptions("unet-light")
    assert options.identity() == replace(options, threads=7).identity()
    for other in (
        replace(options, model="resnet18"),
        replace(options, backend="cpu"),
        replace(options, detector="mediapipe"),
        replace(options, max_faces=1),
        replace(options, smoothing="off"),
    ):
        assert other.identity() != options.identity()
    hashes = options.identity()["weights"]
    assert hashes[0] == find_model("unet-light", "landmarks").sha256
    with pytest.raises(WeightsError, match="vgg"):
        TrackerOptions("vgg").identity()


def test_made_by_names_model_settings_and_versions(trackers: Trackers) -> None:
    made_by = trackers.opened(max_faces=2).made_by
    assert list(made_by) == ["model", "detector", "settings", "threads", "versions"]
    assert made_by["model"]["sha256"] == find_model("unet-light", "landmarks").sha256
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


def test_a_fresh_tracker_runs_the_same_models_without_history(trackers: Trackers) -> None:
    opened = trackers.opened()
    tracker = opened.fresh()
    tracker.step(frame_from(astronaut()))
    assert tracker.state().last_id == 1
    assert opened.fresh().state().last_id == 0
