"""Misuse that mypy sees: each line is an error both when it is checked and when it runs.

``mypy --strict`` reports a ``type: ignore`` that is not needed, so each one proves that the line is refused.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tests.scene import Scene
from tracker import TrackerError, frame_from, open_source
from tracker.types import UNMEASURED, Frame, FrameResult

IMAGE = np.zeros((4, 4, 3), np.uint8)
TRACKER = Scene().tracker()

MISUSE: list[Callable[[], object]] = [
    lambda: frame_from(None),  # type: ignore[arg-type]
    lambda: frame_from(cv2.imread("gone.jpg")),  # type: ignore[arg-type]
    lambda: frame_from([[0, 1]]),  # type: ignore[arg-type]
    lambda: frame_from(IMAGE > 1),  # type: ignore[arg-type]
    lambda: frame_from(IMAGE, 1.5),  # type: ignore[arg-type]
    lambda: frame_from(IMAGE, 0, None),  # type: ignore[arg-type]
    lambda: frame_from(IMAGE, channels="gbr"),  # type: ignore[arg-type]
    lambda: Frame(None),  # type: ignore[arg-type]
    lambda: Frame(IMAGE, 1.5),  # type: ignore[arg-type]
    lambda: Frame(IMAGE, 0, "0"),  # type: ignore[arg-type]
    lambda: TRACKER.step(IMAGE),  # type: ignore[arg-type]
    lambda: TRACKER.step(None),  # type: ignore[arg-type]
    lambda: TRACKER.find(None),  # type: ignore[arg-type]
    lambda: TRACKER.find_all([None]),  # type: ignore[list-item]
    lambda: open_source(None),  # type: ignore[arg-type]
    lambda: open_source(1.5),  # type: ignore[arg-type]
    lambda: open_source(IMAGE),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("misuse", MISUSE)
def test_misuse_is_an_error_of_one_line(misuse: Callable[[], object]) -> None:
    with pytest.raises(TrackerError) as caught:
        misuse()
    assert "\n" not in str(caught.value)


def test_results_are_frozen_for_the_type_checker_too() -> None:
    result = FrameResult((), 0, 0.0, "", (4, 4))
    with pytest.raises(AttributeError):
        result.index = 1  # type: ignore[misc]


def test_measures_are_there_without_a_check() -> None:
    """A face always has measures; each of them may be None."""
    yaw: float | None = UNMEASURED.yaw_deg
    assert yaw is None
    with pytest.raises(TypeError):
        _ = UNMEASURED.yaw_deg + 1  # type: ignore[operator]
