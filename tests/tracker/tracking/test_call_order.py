"""Calls of a tracker in order, from several threads, and after it is closed."""

from __future__ import annotations

import importlib.util
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tests.cache import Trackers
from tests.faces import astronaut
from tests.scene import Scene
from tests.shapes import face_points
from tracker.errors import MisuseError, TrackerError
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import open_tracker
from tracker.types import FaceBox, Frame


def tracker_of_nothing() -> FaceTracker:
    return FaceTracker(FakeDetector(), FakeLandmarker(face_points()))


@pytest.mark.parametrize("frame", [None, np.zeros((4, 4, 3), np.uint8), "a.jpg", 3])
def test_step_takes_frames_only(frame: Any) -> None:
    with pytest.raises(MisuseError, match=r"step takes a Frame, got .*frame_from"):
        tracker_of_nothing().step(frame)


def test_a_time_that_goes_back_is_an_error_and_changes_nothing() -> None:
    scene = Scene({200: (320, 240)})
    tracker = scene.tracker()
    first = tracker.step(scene.frame(10))
    with pytest.raises(MisuseError, match=r"time goes back from 0\.33.* s to 0\.3 s"):
        tracker.step(scene.frame(9))
    repeated = tracker.step(scene.frame(10))
    assert [face.id for face in repeated.faces] == [face.id for face in first.faces] == [1]


def test_an_earlier_state_allows_earlier_times() -> None:
    scene = Scene({200: (320, 240)})
    tracker = scene.tracker()
    tracker.step(scene.frame(0))
    state = tracker.state()
    later = tracker.step(scene.frame(5))
    tracker.restore(state)
    assert tracker.step(scene.frame(5)) == later


class BlockingDetector(FakeDetector):
    """Detector that waits inside a call until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.released = threading.Event(), threading.Event()

    def detect(self, frame: Frame, views: Any = None) -> list[FaceBox]:
        self.entered.set()
        assert self.released.wait(30)
        return super().detect(frame, views)


def test_step_in_two_threads_at_once_is_an_error() -> None:
    detector = BlockingDetector()
    tracker = FaceTracker(detector, FakeLandmarker(face_points()))
    frame = Frame(np.zeros((64, 64, 3), np.uint8))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(tracker.step, frame)
        assert detector.entered.wait(30)
        with pytest.raises(MisuseError, match="another thread"):
            tracker.step(frame)
        detector.released.set()
        assert running.result().faces == ()
    assert tracker.step(frame).faces == ()  # one after the other, from any thread


@pytest.mark.parametrize("backend", ["cpu", "openvino"])
def test_find_gives_the_same_in_many_threads(trackers: Trackers, backend: str) -> None:
    if backend == "openvino" and importlib.util.find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    tracker = trackers.opened(backend=backend)
    portrait = astronaut()
    pictures = [portrait, portrait[:, ::-1], portrait[40:360], np.zeros_like(portrait)]
    expected = [tracker.find(image) for image in pictures]
    assert [len(result.faces) for result in expected] == [1, 1, 1, 0]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(tracker.find, 4 * pictures))
    assert found == 4 * expected
    assert all(set(result.stage_ms) >= {"detect"} for result in found)


def test_a_closed_tracker_says_so() -> None:
    with open_tracker("unet-light", "cpu", threads=1) as tracker:
        frame = Frame(astronaut())
        assert tracker.find(frame).faces
    tracker.close()
    calls = (tracker.fresh, lambda: tracker.step(frame), lambda: tracker.find(frame))
    for call in (*calls, lambda: tracker.find_all([frame])):
        with pytest.raises(TrackerError, match="the tracker is closed"):
            call()
