from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from tests.shapes import face_points
from tracker.drawing.faces import PALETTE, Style, color_of, draw_faces, draw_points, mirror_faces
from tracker.scheme import MIRROR
from tracker.types import FaceMeasures, FloatArray, ImageArray, Landmarks, TrackedFace


def _face(points: FloatArray, face_id: int = 1, score: float = 0.98) -> TrackedFace:
    return TrackedFace(face_id, Landmarks(points, score))


def _canvas(height: int = 240, width: int = 320, level: int = 128) -> ImageArray:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("style", ["points", "lines"])
def test_every_landmark_is_drawn(style: Style) -> None:
    canvas, points = _canvas(480, 640), face_points((320, 260), 200)
    draw_faces(canvas, [_face(points)], style)
    x, y = np.rint(points).astype(int).T
    assert (canvas[y, x] != 128).any(axis=1).all()


def test_pixels_far_from_the_face_are_not_changed() -> None:
    canvas = _canvas(480, 640)
    draw_faces(canvas, [_face(face_points((150, 240), 100))])
    assert (canvas[:, 260:] == 128).all()


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.25, 0.75), (0.5, 0.5), (0.9, 0.1)])
def test_points_are_drawn_at_sub_pixel_positions(offset: tuple[float, float]) -> None:
    # The centre of mass of a dot is the landmark to 1/10 px; OpenCV's fixed point takes 1/16 of it.
    canvas, point = np.zeros((41, 41, 3), np.uint8), np.array([[20.0, 20.0]]) + offset
    draw_points(canvas, point, (255, 255, 255), size=400.0)
    weight = canvas.sum(axis=2, dtype=float)
    y, x = np.mgrid[:41, :41]
    center = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
    np.testing.assert_allclose(center, point[0], atol=0.1)


@pytest.mark.parametrize("style", ["points", "lines"])
def test_strokes_scale_with_the_face(style: Style) -> None:
    # From 960x720 to 4K the drawing covers about the same share; in smaller pictures strokes have a minimum.
    shares = []
    for factor in (3, 6, 9):
        canvas = _canvas(240 * factor, 320 * factor)
        points = face_points((160, 130), 120) * factor
        draw_faces(canvas, [_face(points)], style)
        shares.append((canvas != 128).any(axis=2).mean())
    assert max(shares) < 1.5 * min(shares)


@pytest.mark.parametrize("center", [(-500.0, 50.0), (0.0, 0.0), (319.0, 239.0), (1e9, -1e9)])
@pytest.mark.parametrize("style", ["points", "lines"])
def test_faces_may_lie_outside_the_picture(center: tuple[float, float], style: Style) -> None:
    canvas = _canvas()
    draw_faces(canvas, [_face(face_points(center, 150))], style)
    assert canvas.shape == (240, 320, 3)


def test_a_face_of_one_point_is_drawn() -> None:
    points = np.full((68, 2), 50.0)
    points[0] = 51.0
    canvas = _canvas()
    draw_faces(canvas, [_face(points)])
    assert (canvas != 128).any()


def test_label_stays_inside_at_the_top_edge() -> None:
    canvas = _canvas()
    draw_faces(canvas, [_face(face_points((160, 60), 110), face_id=2)])
    is_label = (canvas == color_of(2)).all(axis=2)
    assert is_label[:12].sum() > 100


def test_a_canvas_of_one_pixel_is_not_an_error() -> None:
    canvas = np.zeros((1, 1, 3), np.uint8)
    draw_faces(canvas, [_face(face_points((0, 0), 3))])
    assert canvas.shape == (1, 1, 3)


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="'dots'"):
        draw_faces(_canvas(), [], "dots")  # type: ignore[arg-type]


def test_colours_of_consecutive_ids_differ_and_repeat() -> None:
    assert len({color_of(i) for i in range(1, len(PALETTE) + 1)}) == len(PALETTE)
    assert color_of(1) == color_of(len(PALETTE) + 1)


@pytest.mark.parametrize("deficiency", ["protan", "deutan"])
def test_colours_differ_for_colour_blind_people(deficiency: str) -> None:
    # Simulation with the matrices of Viénot, Brettel & Mollon (1999), in linear RGB.
    matrix = {
        "protan": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
        "deutan": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
    }[deficiency]
    rgb = (np.array(PALETTE)[:, ::-1] / 255) ** 2.2
    seen = np.clip(rgb @ np.array(matrix).T, 0, 1) ** (1 / 2.2) * 255
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 25


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


MEASURES = FaceMeasures((0.3, 0.3), 0.1, -12.4, 4.0, 2.0, blinks=7)


def test_measures_are_written_below_a_large_face() -> None:
    face = _face(face_points((320, 200), 260))
    plain, measured = _canvas(480, 640), _canvas(480, 640)
    draw_faces(plain, [face])
    draw_faces(measured, [replace(face, measures=MEASURES)])
    rows, columns = np.nonzero((plain != measured).any(axis=2))
    assert rows.min() >= int(face.box.y1)
    assert int(face.box.x0) <= columns.min() <= columns.max() <= face.box.x1 + 2
    assert 8 < np.ptp(rows) < 40


def test_illegible_or_unknown_measures_are_left_out() -> None:
    nothing = FaceMeasures((None, None), None, None, None, None)
    for size, measures in ((60, MEASURES), (260, nothing)):
        face = _face(face_points((320, 200), size))
        plain, measured = _canvas(480, 640), _canvas(480, 640)
        draw_faces(plain, [face])
        draw_faces(measured, [replace(face, measures=measures)])
        assert np.array_equal(plain, measured)


def test_measures_stay_inside_at_the_bottom_edge_and_when_mirrored() -> None:
    face = replace(_face(face_points((320, 380), 260), face_id=2), measures=MEASURES)
    canvas = _canvas(480, 640)
    draw_faces(canvas, [face])
    assert (canvas[-12:] == color_of(2)).all(axis=2).sum() > 500
    (flipped,) = mirror_faces([face], 640)
    assert flipped.measures == MEASURES


def test_landmarks_are_not_changed() -> None:
    points = face_points((160, 120), 100)
    before = points.copy()
    draw_faces(_canvas(), [_face(points)], "lines")
    np.testing.assert_array_equal(points, before)
