"""The least score and size of reported faces, which decide on tracks, slots and ids."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cache import Trackers
from tests.faces import astronaut
from tests.scene import Scene, ids
from tests.shapes import canonical_points, face_box, face_points
from tracker.sources.arrays import frame_from
from tracker.tracking.admission import ReportLimits
from tracker.tracking.settings import TrackerSettings
from tracker.types import FaceBox, Frame, FrameResult, ImageArray, Landmarks

SHARES = st.floats(0, 1, allow_subnormal=False)  # models switch denormal numbers off in their process
NEAR, FAR = (150.0, 200.0), (450.0, 200.0)


def two_sizes(large: float, small: float) -> Scene:
    """Return a scene with a large face on the left and a small one on the right."""
    scene = Scene({100: NEAR, 200: FAR})
    scene.boxes = [face_box(NEAR, large), face_box(FAR, small)]
    scene.presence = 0.97
    return scene


def zoomed(image: ImageArray, scale: float, center: tuple[float, float]) -> ImageArray:
    """Return ``image`` shrunk by ``scale`` around ``center``, its border mirrored outwards."""
    place = cv2.getRotationMatrix2D(center, 0, scale)
    size = image.shape[1::-1]
    return np.asarray(cv2.warpAffine(image, place, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def longer_sides(result: FrameResult) -> list[float]:
    return [max(face.box.width, face.box.height) for face in result.faces]


def test_by_default_nothing_is_left_out() -> None:
    assert ReportLimits().accepts(Landmarks(canonical_points(), presence=0.0))
    assert ReportLimits().may_hold(FaceBox(0, 0, 1e-3, 1e-3))


@given(SHARES, SHARES, st.floats(1, 400), st.floats(1, 400))
def test_a_face_on_the_limit_is_reported(score: float, presence: float, size: float, least: float) -> None:
    face = Landmarks(face_points((0.0, 0.0), size), presence)
    longer = max(face.box.width, face.box.height)
    assert ReportLimits(score, least).accepts(face) == (presence >= score and longer >= least)
    assert ReportLimits(presence, longer).accepts(face)


def test_a_face_below_the_score_gets_no_id_and_comes_back_with_the_one_it_had() -> None:
    scene = Scene({200: (300, 200)})
    tracker = scene.tracker(TrackerSettings(min_score=0.95))
    scene.presence = 0.94
    assert ids(scene.run(tracker, 3)[-1]) == []
    scene.presence = 0.96
    assert ids(scene.run(tracker, 3, start=3)[-1]) == [1]
    scene.presence = 0.94
    assert ids(scene.run(tracker, 3, start=6)[-1]) == []
    scene.presence = 0.96
    assert ids(scene.run(tracker, 3, start=9)[-1]) == [1]


def test_a_small_face_takes_no_slot_and_no_id() -> None:
    scene = two_sizes(large=60, small=120)
    tracker = scene.tracker(TrackerSettings(min_face=90))
    results = scene.run(tracker, 8)
    assert [ids(result) for result in results] == [[1]] * 8
    assert longer_sides(results[-1]) == pytest.approx([120], abs=1)
    assert results[-1].faces[0].box.center[0] == pytest.approx(FAR[0], abs=2)


def test_a_face_that_is_too_small_is_not_counted_as_left_out_for_want_of_a_slot() -> None:
    scene = two_sizes(large=120, small=50)
    assert scene.run(scene.tracker(TrackerSettings(max_faces=1)), 40)[-1].left_out == 1
    limited = scene.run(scene.tracker(TrackerSettings(max_faces=1, min_face=90)), 40)
    assert {result.left_out for result in limited} == {0}


def test_a_picture_on_its_own_has_the_same_limits() -> None:
    scene = two_sizes(large=120, small=60)
    frame = scene.frame(0)
    assert len(scene.tracker().find(frame).faces) == 2
    (face,) = scene.tracker(TrackerSettings(min_face=90)).find(frame).faces
    assert face.box.center[0] == pytest.approx(NEAR[0], abs=2)
    assert scene.tracker(TrackerSettings(min_score=0.98)).find(frame).faces == ()


def test_a_face_that_recedes_is_lost_at_the_limit_and_back_under_its_id(trackers: Trackers) -> None:
    image = astronaut()
    (face,) = trackers.opened().find(image).faces
    least = 0.7 * max(face.box.width, face.box.height)
    scales = [*np.linspace(1, 0.6, 21), *np.linspace(0.6, 1, 21)]
    film = trackers.fresh(min_face=least, smoothing="off")
    results = [
        film.step(frame_from(zoomed(image, scale, face.box.center), index, index / 30))
        for index, scale in enumerate(scales)
    ]
    seen = [ids(result) for result in results if result.faces]
    assert seen == [[1]] * len(seen)
    for scale, result in zip(scales, results, strict=True):
        if abs(scale - 0.7) > 0.05:
            assert bool(result.faces) == (scale > 0.7), scale
        assert all(size >= least for size in longer_sides(result))


@pytest.mark.parametrize(("factor", "count"), [(0.97, 1), (1.03, 0)])
def test_the_portrait_is_reported_up_to_its_size(trackers: Trackers, factor: float, count: int) -> None:
    image = astronaut()
    (face,) = trackers.opened().find(image).faces
    opened = trackers.opened(min_face=factor * max(face.box.width, face.box.height))
    assert len(opened.find(image).faces) == count
    film = opened.fresh()
    assert len([film.step(frame_from(image, i, i / 30)) for i in range(6)][-1].faces) == count


def test_sizes_are_those_of_the_picture_as_it_is_shown(trackers: Trackers) -> None:
    """Pixels twice as wide as high: the stored face is half as wide, and not half as large."""
    frame = frame_from(astronaut())
    squeezed: Frame = replace(frame, image_bgr=frame.image_bgr[:, ::2].copy(), pixel_aspect=2.0)
    (face,) = trackers.opened().find(frame).faces
    size = max(face.box.width, face.box.height)
    assert len(trackers.opened(min_face=0.93 * size).find(squeezed).faces) == 1
    assert trackers.opened(min_face=1.07 * size).find(squeezed).faces == ()
