"""Work beside the landmark model: each crop, look, box and pose of a frame is computed once a face."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import cv2
import pytest

from tests.scene import Scene, ids
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS
from tracker.types import Frame

PER_FRAME = Counter(
    {
        "thumbnail": 1,
        "CutDetector.looks_cut": 1,
        "CropLocator.locate_centred": 1,
        "Look.through": 1,
        "head_poses": 1,
        "cv2.resize": 2,  # the thumbnail, and its pattern for the cut detector
        "cv2.meanStdDev": 1,
    }
)
PER_FACE = Counter(
    {
        "CropTransform.from_points": 1,
        "CropTransform.cut": 2,  # for the model, and for the look
        "roll_of": 1,
        "bounds_of": 1,
        "FaceBox.__post_init__": 1,
        "Landmarks.__post_init__": 2,  # located and smoothed points
        "PointFilter.__call__": 1,
        "_fit_face": 1,
        "cv2.cvtColor": 1,
        "cv2.warpAffine": 2,
        "cv2.resize": 1,  # the blocks of the look
        "cv2.meanStdDev": 1,
        "cv2.solvePnP": 1,
        "cv2.Rodrigues": 1,
    }
)


@pytest.fixture
def cv2_calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Calls of OpenCV's functions from here on, as ``cv2.name``."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return function(*args, **kwargs)

        return call

    for name in PER_FRAME | PER_FACE:
        module, _, function = name.partition(".")
        if module == "cv2":
            monkeypatch.setattr(cv2, function, counted(name, getattr(cv2, function)))
    return counts


def calls_of(tracker: FaceTracker, frame: Frame) -> Counter[str]:
    """Calls of Python functions in one step, by qualified name."""
    counts: Counter[str] = Counter()

    def note(python_frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            counts[python_frame.f_code.co_qualname] += 1

    sys.setprofile(note)
    try:
        tracker.step(frame)
    finally:
        sys.setprofile(None)
    return counts


@pytest.mark.parametrize("people", [1, 2, 5])
def test_each_thing_is_computed_once_a_face(people: int, cv2_calls: Counter[str]) -> None:
    scene = Scene({60 + 20 * i: (70 + 125 * i, 200) for i in range(people)})
    tracker = scene.tracker(TrackerSettings(max_faces=people, smoothing=PRESETS["low"]))
    assert len(ids(scene.run(tracker, 3)[-1])) == people
    cv2_calls.clear()
    counts = calls_of(tracker, scene.frame(3)) + cv2_calls
    expected = Counter(PER_FRAME)
    for _ in range(people):
        expected.update(PER_FACE)
    assert {name: counts[name] for name in expected} == expected
    assert counts["FaceBox.iou"] == people * (people - 1) // 2  # duplicates are looked for once


def test_a_frame_without_faces_costs_a_thumbnail(cv2_calls: Counter[str]) -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker()
    scene.people = {}
    scene.run(tracker, 3)
    cv2_calls.clear()
    counts = calls_of(tracker, scene.frame(3)) + cv2_calls
    assert (counts["thumbnail"], counts["cv2.resize"]) == (1, 2)
    assert not any(counts[name] for name in PER_FACE.keys() - PER_FRAME.keys())
