from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.shapes import face_points
from tracker.drawing.faces import draw_faces, mirror_faces
from tracker.drawing.style import LAYERS, DrawStyle
from tracker.drawing.theme import color_of
from tracker.scheme.ibug68 import MIRROR
from tracker.types import UNMEASURED, FaceMeasures, FloatArray, ImageArray, Landmarks, TrackedFace


def _face(points: FloatArray, face_id: int = 1, score: float = 0.98) -> TrackedFace:
    return TrackedFace(face_id, Landmarks(points, score))


def _canvas(height: int = 240, width: int = 320, level: int = 128) -> ImageArray:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("layer", ["points", "lines", "mesh"])
def test_every_landmark_is_drawn(layer: str) -> None:
    canvas, points = _canvas(480, 640), face_points((320, 260), 200)
    draw_faces(canvas, [_face(points)], DrawStyle.parse(layer))
    x, y = np.rint(points).astype(int).T
    assert (canvas[y, x] != 128).any(axis=1).all()


def test_pixels_far_from_the_face_are_not_changed() -> None:
    canvas = _canvas(480, 640)
    draw_faces(canvas, [_face(face_points((150, 240), 100))])
    assert (canvas[:, 260:] == 128).all()


@pytest.mark.parametrize("center", [(-500.0, 50.0), (0.0, 0.0), (319.0, 239.0), (1e9, -1e9)])
def test_faces_may_lie_outside_the_picture(center: tuple[float, float]) -> None:
    canvas = _canvas()
    draw_faces(canvas, [_face(face_points(center, 150))], DrawStyle(frozenset(LAYERS), labels=True))
    assert canvas.shape == (240, 320, 3)


def test_a_face_of_one_point_is_drawn() -> None:
    points = np.full((68, 2), 50.0)
    points[0] = 51.0
    canvas = _canvas()
    draw_faces(canvas, [_face(points)])
    assert (canvas != 128).any()


def test_a_canvas_of_one_pixel_is_not_an_error() -> None:
    canvas = np.zeros((1, 1, 3), np.uint8)
    draw_faces(canvas, [_face(face_points((0, 0), 3))])
    assert canvas.shape == (1, 1, 3)


QUALITY = np.linspace(0.0, 1.0, 68)


def test_mirrored_faces_fit_the_flipped_picture() -> None:
    points = face_points((90, 120), 100, roll=0.3)
    canvas = _canvas()
    face = TrackedFace(5, Landmarks(points, 0.98, QUALITY))
    (flipped,) = mirror_faces([face], 320)
    assert (flipped.id, flipped.score) == (5, 0.98)
    # The viewer's left outer eye corner is again the leftmost of the two.
    assert flipped.landmarks.points_frame[36, 0] < flipped.landmarks.points_frame[45, 0]
    np.testing.assert_array_equal(flipped.landmarks.quality, QUALITY[MIRROR])
    (back,) = mirror_faces([flipped], canvas.shape[1])
    np.testing.assert_array_equal(back.landmarks.quality, QUALITY)
    np.testing.assert_allclose(back.landmarks.points_frame, points, atol=1e-9)


def test_landmarks_are_not_changed() -> None:
    points = face_points((160, 120), 100)
    before = points.copy()
    draw_faces(_canvas(), [_face(points)], DrawStyle.parse("lines,points"))
    np.testing.assert_array_equal(points, before)


MEASURES = FaceMeasures((0.3, 0.3), 0.1, -12.4, 4.0, 2.0, blinks=7)
LABELLED = DrawStyle(labels=True)


def labels_of(face: TrackedFace, hw: tuple[int, int] = (480, 640)) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the pixels that only labels change."""
    plain, labelled = _canvas(*hw), _canvas(*hw)
    draw_faces(plain, [face])
    draw_faces(labelled, [face], LABELLED)
    rows, columns = np.nonzero((plain != labelled).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


@pytest.mark.parametrize("size", [50, 100, 260])
def test_labels_stand_below_the_face_and_hardly_wider(size: int) -> None:
    face = replace(_face(face_points((320, 200), size)), measures=MEASURES)
    left, top, right, bottom = labels_of(face)
    assert top > face.box.y1
    assert right - left < 1.5 * face.box.width
    assert 8 < bottom - top < 30


def test_a_small_face_has_fewer_labels_and_unknown_measures_none() -> None:
    known = replace(_face(face_points((320, 200), 260)), measures=MEASURES)
    left, _, right, _ = labels_of(known)
    left_only, _, right_only, _ = labels_of(replace(known, measures=UNMEASURED))
    assert right - left > 2 * (right_only - left_only)


def test_labels_stay_inside_at_the_bottom_edge_and_when_mirrored() -> None:
    face = replace(_face(face_points((320, 400), 200)), measures=MEASURES)
    assert labels_of(face)[3] == 479
    (flipped,) = mirror_faces([face], 640)
    assert flipped.measures == MEASURES


def test_by_default_no_score_or_measure_stands_on_a_face() -> None:
    face = _face(face_points((320, 200), 260))
    plain, measured = _canvas(480, 640), _canvas(480, 640)
    draw_faces(plain, [face])
    draw_faces(measured, [replace(face, measures=MEASURES, landmarks=replace(face.landmarks, presence=0.5))])
    np.testing.assert_array_equal(plain, measured)


def test_nothing_is_drawn_without_layers() -> None:
    canvas = _canvas()
    draw_faces(canvas, [_face(face_points((160, 120), 100))], DrawStyle.parse("none"))
    assert (canvas == 128).all()


def test_corners_and_pill_lie_outside_the_face() -> None:
    canvas, face = _canvas(480, 640), _face(face_points((320, 240), 200), face_id=2)
    draw_faces(canvas, [face], DrawStyle.parse("box"))
    x0, y0, x1, y1 = map(round, face.box.xyxy)
    assert (canvas[y0 : y1 + 1, x0 : x1 + 1] == 128).all()
    assert (canvas == color_of(2)).all(axis=2)[:y0, :x0].sum() > 60


@pytest.mark.parametrize("size", [40, 80, 160])
def test_a_mesh_leaves_most_of_a_face_visible(size: int) -> None:
    canvas, face = _canvas(480, 640, 40), _face(face_points((320, 240), size))
    draw_faces(canvas, [face], DrawStyle.parse("mesh"))
    x0, y0, x1, y1 = map(round, face.box.xyxy)
    mean = canvas[y0:y1, x0:x1].mean(axis=(0, 1))
    assert np.abs(mean - 40).max() < 0.35 * np.abs(np.array(color_of(1)) - 40).max()


@pytest.mark.parametrize("layer", ["points", "lines", "points,lines,box"])
def test_strokes_scale_with_the_face(layer: str) -> None:
    # A face that is twice as large in a picture of twice the size looks alike, up to 4K.
    shares = []
    for factor in (4.5, 9):
        canvas = _canvas(round(240 * factor), round(320 * factor))
        draw_faces(canvas, [_face(face_points((160, 130), 60) * factor)], DrawStyle.parse(layer))
        shares.append(np.abs(canvas.astype(int) - 128).mean())
    assert max(shares) < 1.35 * min(shares)
