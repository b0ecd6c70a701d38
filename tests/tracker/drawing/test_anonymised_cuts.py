"""Places of lost faces are held within a scene, and not in the next one."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.noise import PLACE, SIZE, faces_at
from tests.shapes import face_box
from tracker.drawing.anonymise import Anonymiser
from tracker.drawing.heads import Head
from tracker.drawing.masks import Mask, cover_heads
from tracker.inference.detection.detector import FakeDetector
from tracker.types import Frame, FrameResult


def scene(seed: int, index: int, gain: float = 1.0) -> Frame:
    """Return a frame at 25 frames per second of soft blotches, in other places for another seed."""
    coarse = np.random.default_rng(seed).integers(20, 230, (8, 8, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC) * gain
    return Frame(np.asarray(image, np.uint8), index, index / 25, "a.mp4")


def changed(anonymiser: Anonymiser, frame: Frame, result: FrameResult) -> bool:
    """Return whether the anonymised picture hides anything."""
    return bool((anonymiser.hide(frame, result).frame.image_bgr != frame.image_bgr).any())


def test_the_place_of_a_lost_face_is_not_held_in_the_next_scene() -> None:
    anonymiser = Anonymiser("solid", FakeDetector())
    first = scene(1, 0)
    assert changed(anonymiser, first, faces_at(first, PLACE))
    held = [changed(anonymiser, frame, faces_at(frame)) for frame in (scene(1, 1), scene(2, 2), scene(2, 3))]
    assert held == [True, False, False]


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.1])
def test_other_light_is_no_other_scene(gain: float) -> None:
    anonymiser = Anonymiser("solid", FakeDetector())
    anonymiser.hide(scene(1, 0), faces_at(scene(1, 0), PLACE))
    assert changed(anonymiser, scene(1, 1, gain), faces_at(scene(1, 1)))


def test_a_face_that_is_followed_on_disproves_a_cut() -> None:
    anonymiser = Anonymiser("solid", FakeDetector())
    first, second = scene(1, 0), scene(2, 1)
    both = faces_at(first, (60.0, 60.0), PLACE)
    anonymiser.hide(first, both)
    hidden = anonymiser.hide(second, replace(both, faces=both.faces[:1])).frame.image_bgr
    assert (hidden[110:130, 150:170] != second.image_bgr[110:130, 150:170]).any()


def test_a_camera_holds_whatever_the_picture_does() -> None:
    anonymiser = Anonymiser("solid", FakeDetector(), thorough=False)
    anonymiser.hide(scene(1, 0), faces_at(scene(1, 0), PLACE))
    assert changed(anonymiser, scene(2, 1), faces_at(scene(2, 1)))


def test_faces_of_the_next_scene_are_sought_everywhere_and_covered_also_before() -> None:
    detector = FakeDetector()
    anonymiser = Anonymiser("solid", detector)
    for index in range(2):
        anonymiser.hide(scene(1, index), faces_at(scene(1, index), PLACE))
    detector.boxes = [face_box(PLACE, SIZE)]
    frame = scene(2, 2)
    hidden = anonymiser.hide(frame, faces_at(frame))
    assert [views is None for views in detector.looks] == [True, False, True]
    (head,) = hidden.newcomers
    expected = frame.image_bgr.copy()
    cover_heads(expected, [head], Mask("solid"))
    assert head == Head.of_box(detector.boxes[0])
    np.testing.assert_array_equal(hidden.frame.image_bgr, expected)
