from __future__ import annotations

import numpy as np

from tests.noise import PLACE, faces_at, noise_frame
from tracker.drawing.annotate import annotate


def test_the_frame_is_not_changed() -> None:
    frame = noise_frame(0)
    canvas = annotate(frame, faces_at(frame, PLACE))
    assert (canvas != frame.image_bgr).any()
    np.testing.assert_array_equal(frame.image_bgr, noise_frame(0).image_bgr)


def test_without_faces_the_canvas_is_a_copy() -> None:
    frame = noise_frame(0)
    canvas = annotate(frame, faces_at(frame))
    np.testing.assert_array_equal(canvas, frame.image_bgr)
    assert not np.shares_memory(canvas, frame.image_bgr)


def test_a_mirrored_picture_is_flipped_before_it_is_drawn_on() -> None:
    frame, left = noise_frame(0), (60.0, 120.0)
    plain = annotate(frame, faces_at(frame), mirrored=True)
    np.testing.assert_array_equal(plain, frame.image_bgr[:, ::-1])
    marked = annotate(frame, faces_at(frame, left), mirrored=True)
    columns = np.flatnonzero((marked != plain).any(axis=(0, 2)))
    assert columns.min() > 160  # the face is on the right now
