"""A short soak test: every fault occurs, no line is lost, no thread is left."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("torch")

from benchmarks.soak import soak
from tests.shapes import canonical_points, face_box
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.face_tracker import FaceTracker


@pytest.mark.slow
def test_a_short_soak_survives_every_fault_and_leaves_no_thread() -> None:
    before = threading.active_count()
    tracker = FaceTracker(FakeDetector(face_box((320, 240), 200)), FakeLandmarker(canonical_points()))
    *during, last = soak(tracker, "fake", frames=100, every=20)
    assert [one.frames for one in during] == list(range(10, 101, 10))
    assert last.frames == last.with_face == 100
    assert last.returns == 1  # the camera was killed once, between frames 20 and 40
    assert during[0].threads > before
    assert last.threads == before
    assert all(30 < one.megabytes < 10_000 for one in during)
