"""Pictures that leave a run: as drawn, or with nothing drawn on the mask."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.fake_run import fake_tracker
from tests.noise import noise_frame
from tracker.drawing.anonymise import Anonymiser, Mode
from tracker.drawing.style import DrawStyle
from tracker.inference.detection.detector import FakeDetector
from tracker.runs.loop import Run, run_frames, run_images, run_video
from tracker.runs.outputs import Outputs
from tracker.runs.view import View
from tracker.runs.window import FakeWindow
from tracker.sinks.protocols import FakePictureSink
from tracker.types import Frame, ImageArray

NOTHING = DrawStyle(frozenset())
MASKS: tuple[Mode, ...] = ("blur", "pixelate", "solid")


def film() -> list[Frame]:
    return [noise_frame(index) for index in range(6)]


def covered(mode: Mode) -> list[ImageArray]:
    """Return the frames of the film as an anonymiser gives them to whoever draws."""
    tracker, anonymiser = fake_tracker(), Anonymiser(mode, FakeDetector())
    return [anonymiser.hide(frame, tracker.step(frame)).frame.image_bgr for frame in film()]


def written(mode: Mode, style: DrawStyle, view: View | None = None) -> list[ImageArray]:
    """Return the pictures of the film that encoders and virtual cameras get."""
    sink = FakePictureSink()
    anonymiser = Anonymiser(mode, FakeDetector())
    run = Run(fake_tracker(), Outputs(pictures=(sink,), style=style), anonymiser=anonymiser, view=view)
    (run_frames if view else run_video)(film(), run)
    return [picture.canvas_bgr for picture in sink.pictures]


@pytest.mark.parametrize("mode", MASKS)
def test_without_drawing_an_encoder_gets_the_masked_frames_to_the_pixel(mode: Mode) -> None:
    pictures = written(mode, NOTHING)
    assert len(pictures) == 6
    for picture, expected, frame in zip(pictures, covered(mode), film(), strict=True):
        np.testing.assert_array_equal(picture, expected)
        changed = (picture != frame.image_bgr).any(axis=2)
        assert 0.02 < changed.mean() < 0.5  # the head, and nothing beside it


def test_with_drawing_more_than_the_mask_changes() -> None:
    for picture, expected in zip(written("blur", DrawStyle()), covered("blur"), strict=True):
        assert (picture != expected).any(axis=2).sum() > 200


@pytest.mark.parametrize("mode", MASKS)
def test_without_drawing_still_images_are_only_masked(mode: Mode) -> None:
    sink, frame = FakePictureSink(), noise_frame(0)
    outputs = Outputs(pictures=(sink,), style=NOTHING)
    run_images([frame], Run(fake_tracker(), outputs, anonymiser=Anonymiser(mode, FakeDetector())))
    result = fake_tracker().find(frame)
    expected = Anonymiser(mode, FakeDetector()).hide_alone(frame, result).image_bgr
    np.testing.assert_array_equal(sink.pictures[0].canvas_bgr, expected)


@pytest.mark.parametrize("mode", MASKS)
def test_without_drawing_a_snapshot_is_only_masked(mode: Mode, tmp_path: Path) -> None:
    view = View(FakeWindow([None, None, "s", "q"]), tmp_path, style=NOTHING)
    written(mode, NOTHING, view)
    (path,) = tmp_path.glob("tracker-*.png")
    np.testing.assert_array_equal(np.asarray(cv2.imread(str(path))), covered(mode)[2])
