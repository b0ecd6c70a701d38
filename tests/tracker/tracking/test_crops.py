"""Crops: points come back in frame pixels, and a face off the middle is located again."""

from __future__ import annotations

import numpy as np
import pytest

from tests.faces import astronaut
from tests.scene import BLANK, Scene, ids
from tests.shapes import canonical_points, face_box, face_points
from tracker.geometry import CropTransform, Raster
from tracker.inference.landmarker import FakeLandmarker, Located
from tracker.tracking.appearance import Look
from tracker.tracking.crops import CropLocator, crop_around, is_off_centre
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.stage_times import StageClock
from tracker.types import ImageArray, Landmarks


def test_points_come_back_in_frame_pixels() -> None:
    clock = StageClock()
    locator = CropLocator(FakeLandmarker(canonical_points(), presence=0.9), clock)
    box = face_box((300, 220), 130)
    (face,) = locator.locate([(Raster(BLANK), CropTransform.from_box(box))])
    assert np.abs(face.points_frame - face_points((300, 220), 130)).max() < 0.05
    assert face.presence == pytest.approx(0.9)
    assert set(clock.spent_ms) == {"crop", "infer", "points"}


def test_no_crops_run_no_model() -> None:
    clock = StageClock()
    assert CropLocator(FakeLandmarker(canonical_points()), clock).locate([]) == []
    assert clock.spent_ms == {}


@pytest.mark.parametrize(
    ("center", "side", "off"),
    [((100, 100), 100, False), ((109, 100), 100, False), ((111, 100), 100, True),
     ((100, 100), 124, False), ((100, 100), 126, True), ((100, 100), 79, True)],
)  # fmt: skip
def test_a_face_is_off_centre_from_a_tenth_of_the_crop_or_a_quarter_of_its_size(
    center: tuple[float, float], side: float, off: bool
) -> None:
    assert is_off_centre(CropTransform(center, side), CropTransform((100, 100), 100)) is off


def test_a_face_off_the_middle_is_located_twice_and_a_still_one_once() -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker(TrackerSettings(max_faces=1))
    scene.run(tracker, 3)
    before = scene.crops_located
    scene.run(tracker, 1, start=3)
    assert scene.crops_located == before + 1
    scene.people = {200: (240, 200)}
    scene.run(tracker, 1, start=4)
    assert scene.crops_located == before + 3


def test_a_face_is_looked_at_in_the_crop_that_it_was_located_in() -> None:
    """Compared with the look at its points in that crop: the two differ by rounding."""
    image, points = astronaut(), face_points((186, 135), 105)
    located_in = CropTransform((190, 140), 150, 0.2)
    landmarker = FakeLandmarker(located_in.to_crop(points))
    (seen,) = CropLocator(landmarker, StageClock()).locate_centred(Raster(image), [located_in])
    assert landmarker.crops_seen == 1
    expected = Look.at(Raster(located_in.cut(image)), Landmarks(located_in.to_crop(points)))
    assert seen.look is not None
    # A coordinate on the edge of a 32nd of a pixel may turn a grey level into the next.
    assert np.abs(seen.look.cells - expected.cells).max() < 1e-3
    assert np.abs(seen.look.shape - expected.shape).max() < 1e-12


def test_a_model_that_returns_fewer_faces_than_crops_is_an_error() -> None:
    class Half(FakeLandmarker):
        def locate(self, crops: ImageArray) -> Located:
            return super().locate(crops[::2])

    crop = CropTransform.from_box(face_box((300, 220), 130))
    with pytest.raises(ValueError, match="shorter"):
        CropLocator(Half(canonical_points()), StageClock()).locate([(Raster(BLANK), crop)] * 2)


def test_points_that_all_coincide_keep_their_crop() -> None:
    crop = CropTransform((100, 100), 100)
    assert crop_around(Landmarks(np.full((68, 2), 111.5)), crop) is crop


def test_points_that_all_coincide_end_the_track() -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker()
    scene.run(tracker, 2)
    scene.points_coincide = True
    assert [ids(result) for result in scene.run(tracker, 3, start=2)] == [[]] * 3
