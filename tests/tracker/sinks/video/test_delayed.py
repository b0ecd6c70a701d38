from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from tests.noise import PLACE, SIZE, faces_at, is_blurred, noise, noise_frame
from tests.shapes import face_box, face_points
from tracker.drawing.anonymise import Anonymiser
from tracker.drawing.heads import Head
from tracker.drawing.masks import Mask
from tracker.drawing.picture import Picture
from tracker.inference.detection.detector import FaceDetector, FakeDetector
from tracker.inference.detection.views import View, whole_picture
from tracker.sinks.protocols import FakePictureSink
from tracker.sinks.video.delayed import DELAY_S, DelayedSink
from tracker.types import FaceBox, Frame

DELAYED_FRAMES = math.ceil(DELAY_S * 25)


def anonymised(detector: FaceDetector, first_seen: int, count: int) -> list[Picture]:
    """Return what the delayed sink passes on, with a face tracked from frame ``first_seen`` on."""
    anonymiser = Anonymiser("blur", detector)
    with FakePictureSink() as video, DelayedSink(video, Mask()) as sink:
        for index in range(count):
            frame = noise_frame(index)
            result = faces_at(frame, PLACE) if index >= first_seen else faces_at(frame)
            hidden = anonymiser.hide(frame, result)
            sink.write(Picture(hidden.frame.image_bgr, frame.time_s, frame.source, hidden.newcomers))
    return video.pictures


def test_a_face_is_blurred_before_it_was_found() -> None:
    pictures = anonymised(FakeDetector(), first_seen=20, count=30)
    assert [picture.time_s for picture in pictures] == [index / 25 for index in range(30)]
    for index, picture in enumerate(pictures):
        assert is_blurred(picture.canvas_bgr) == (index >= 20 - DELAYED_FRAMES), index


class DetectorThatMissesSeven(FaceDetector):
    """Detector that finds a face in one frame of eight, as close-ups that take turns do."""

    def __init__(self) -> None:
        self._calls = -1

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        return [whole_picture(image_hw)]

    def detect(
        self,
        frame: Frame,  # noqa: ARG002
        views: Sequence[View] | None = None,  # noqa: ARG002
    ) -> list[FaceBox]:
        self._calls += 1
        return [] if self._calls % 8 else [face_box(PLACE, SIZE)]


def test_a_face_that_is_found_now_and_then_is_always_blurred() -> None:
    pictures = anonymised(DetectorThatMissesSeven(), first_seen=60, count=60)
    assert all(is_blurred(picture.canvas_bgr) for picture in pictures)


def test_the_blur_grows_away_from_the_frame_of_the_newcomer() -> None:
    head = Head.of_points(face_points(PLACE, SIZE))
    with FakePictureSink() as video, DelayedSink(video, Mask()) as sink:
        for index in range(5):
            sink.write(Picture(noise(), index / 25, newcomers=(head,) if index == 4 else ()))
    blurred = [(picture.canvas_bgr != noise()).mean() for picture in video.pictures]
    assert blurred[:4] == sorted(blurred[:4], reverse=True)
    assert blurred[4] == 0  # the newcomer's own picture was anonymised before


def test_waiting_pictures_are_bounded_in_time_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    video = FakePictureSink()
    sink = DelayedSink(video, Mask())
    for index in range(100):
        sink.write(Picture(noise(), index / 25))
    assert 100 - len(video.pictures) == DELAYED_FRAMES
    monkeypatch.setattr("tracker.sinks.video.delayed._MAX_BYTES", 3 * noise().nbytes)
    sink.write(Picture(noise(), 4.0))
    assert 101 - len(video.pictures) == 3
    monkeypatch.setattr("tracker.sinks.video.delayed._MAX_BYTES", 0)
    sink.write(Picture(noise(), 4.04))
    assert len(video.pictures) == 102
    sink.close()
    sink.close()
    assert len(video.pictures) == 102
