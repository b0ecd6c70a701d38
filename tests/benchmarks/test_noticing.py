"""Overlooked faces: how long each is found in stills without being followed."""

from __future__ import annotations

from benchmarks.noticing import Overlooked, overlooked
from tests.shapes import face_box
from tracker.types import FaceBox

NEAR, FAR = face_box((100, 100), 80), face_box((400, 100), 80)


def moved(box: FaceBox, x: float) -> FaceBox:
    return FaceBox(box.x0 + x, box.y0, box.x1 + x, box.y1)


def test_a_face_is_overlooked_until_it_is_followed() -> None:
    alone: list[tuple[list[FaceBox], list[FaceBox]]] = [([NEAR], [])] * 3
    frames = [*alone, *[([NEAR], [NEAR])] * 2]
    assert overlooked(frames, 60) == [Overlooked(0, 3, NEAR, noticed=True)]


def test_a_face_that_moves_is_one_face_and_may_go_away() -> None:
    frames: list[tuple[list[FaceBox], list[FaceBox]]] = [([moved(NEAR, 10 * i)], []) for i in range(5)]
    assert overlooked([*frames, ([], [])], 60) == [Overlooked(0, 5, moved(NEAR, 40), noticed=False)]


def test_the_longest_come_first_and_small_faces_do_not_count() -> None:
    small = face_box((250, 300), 30)
    frames = [([FAR, small], [FAR]), ([NEAR, FAR, small], [FAR]), ([NEAR, FAR], []), ([NEAR], [NEAR])]
    found = overlooked(frames, 60)
    assert [(one.first, one.frames, one.noticed) for one in found] == [(1, 2, True), (2, 1, False)]


def test_a_face_that_is_followed_from_the_start_is_not_overlooked() -> None:
    assert overlooked([([NEAR], [moved(NEAR, 5)])] * 4, 60) == []
