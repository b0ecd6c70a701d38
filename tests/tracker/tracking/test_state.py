"""State of a tracker: complete, exact, and refused when it is anything else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.cache import Trackers
from tracker.reports.bench.clip import portrait_frames
from tracker.tracking.state import TrackerState
from tracker.types import Frame, FrameResult


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """A face in 30 frames, of which three in the middle are blank."""
    frames = list(portrait_frames(30, (320, 240), 2))
    frames[12:15] = [Frame(np.full_like(f.image_bgr, 90), f.index, f.time_s) for f in frames[12:15]]
    return frames


@pytest.fixture(scope="module")
def known(trackers: Trackers, frames: list[Frame]) -> TrackerState:
    """The state after some frames: one track, smoothed."""
    tracker = trackers.fresh()
    for frame in frames[:10]:
        tracker.step(frame)
    return tracker.state()


def exact(result: FrameResult) -> list[tuple[object, ...]]:
    """All of a result, without rounding."""
    return [(f.id, f.score, f.measures, f.landmarks.points_frame.tobytes()) for f in result.faces]


@pytest.mark.parametrize("cut", [1, 13, 20])
def test_a_restored_tracker_gives_identical_results(
    trackers: Trackers, frames: list[Frame], cut: int
) -> None:
    first, second = trackers.fresh(), trackers.fresh()
    for frame in frames[:cut]:
        first.step(frame)
    second.restore(TrackerState.from_json(json.loads(json.dumps(first.state().to_json()))))
    assert [exact(second.step(frame)) for frame in frames[cut:]] == [
        exact(first.step(frame)) for frame in frames[cut:]
    ]


def test_a_state_does_not_change_with_the_tracker_it_came_from_or_went_to(
    trackers: Trackers, frames: list[Frame], known: TrackerState
) -> None:
    before = known.to_json()
    tracker = trackers.fresh()
    tracker.restore(known)
    tracker.step(frames[10])
    assert known.to_json() == before != tracker.state().to_json()


def test_all_attributes_of_a_tracker_but_the_models_and_settings_are_its_state(trackers: Trackers) -> None:
    """``_order`` only refuses frames, and starts anew with a restored state."""
    models = {"_detector", "_landmarker", "_locator"}
    assert set(vars(trackers.fresh())) == models | {"_settings", "_clock", "_order", "_state"}


@pytest.mark.parametrize("data", [{}, None, [], 3, "state", {"tracks": []}])
def test_other_data_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="no state of a tracker"):
        TrackerState.from_json(data)


def _set(*path: str | int) -> Callable[[Any, object], None]:
    def set_value(data: Any, value: object) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return set_value


@pytest.mark.parametrize(
    ("change", "value"),
    [
        (_set("last_id"), "1"),
        (_set("last_id"), True),
        (_set("more"), 1),
        (_set("tracks"), {}),
        (_set("tracks", 0, "id"), None),
        (_set("tracks", 0, "velocity"), [1.0]),
        (_set("tracks", 0, "crop", "center"), [1.0, float("nan")]),
        (_set("tracks", 0, "landmarks", "presence"), 2.0),
        (_set("tracks", 0, "landmarks", "points_frame"), {"array": "?"}),
        (_set("tracks", 0, "landmarks", "points_frame", "shape"), [67, 2]),
        (_set("tracks", 0, "landmarks", "points_frame", "type"), "|O"),
        (_set("tracks", 0, "landmarks", "points_frame", "type"), "V8"),
        (_set("tracks", 0, "landmarks", "points_frame", "type"), "((("),
        (_set("tracks", 0, "landmarks", "points_frame", "type"), "f8," * 10000),
        (_set("tracks", 0, "landmarks", "points_frame", "type"), ["f8"]),
        (_set("tracks", 0, "landmarks", "points_frame", "array"), base64.b64encode(1088 * b"\xff").decode()),
        (_set("tracks", 0, "seen_at_s"), float("nan")),
        (_set("tracks", 0, "seen_at_s"), float("inf")),
        (_set("tracks", 0, "smooth", "parameters", "rest_hz"), -1.0),
        (_set("tracks", 0, "smooth", "velocity", "shape"), [136]),
        (_set("search", "waiting", "shape"), [1, -1]),
        (_set("search"), {"object": "os", "has": {}}),
        (_set("cuts", "last", "shape"), [144]),
        (_set("tracks", 0, "appearance", "usual", "cells", "shape"), [1024]),
        (_set("tracks", 0, "doubted"), None),
    ],
)
def test_a_changed_state_is_refused(
    known: TrackerState, change: Callable[[Any, object], None], value: object
) -> None:
    data = json.loads(json.dumps(known.to_json()))
    assert TrackerState.from_json(data).to_json() == data
    change(data, value)
    with pytest.raises(ValueError, match="no state of a tracker"):
        TrackerState.from_json(data)
