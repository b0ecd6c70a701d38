"""Copies of films whose pixels are not square look right in a player."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.media import picture, picture_index
from tests.noise import is_blurred, noise
from tracker.drawing.heads import Head
from tracker.drawing.masks import Mask
from tracker.drawing.picture import Picture
from tracker.sinks.protocols import FakePictureSink
from tracker.sinks.video.delayed import DelayedSink
from tracker.sinks.video.sink import VideoSink
from tracker.sinks.video.sizes import fit
from tracker.sources.video.source import VideoSource
from tracker.types import Frame


def copied(path: Path, *pictures: Picture) -> list[Frame]:
    with VideoSink(path) as sink:
        for one in pictures:
            sink.write(one)
    with VideoSource(path) as source:
        return list(source)


@pytest.mark.parametrize("suffix", ["mp4", "m4v", "mov", "mkv"])
@pytest.mark.parametrize("aspect", [2.0, 0.5, 10 / 11, 64 / 45, 663 / 400])
def test_the_ratio_is_stated_by_the_copy(tmp_path: Path, suffix: str, aspect: float) -> None:
    path = tmp_path / f"o.{suffix}"
    frames = copied(path, *(Picture(picture(i), i / 25, pixel_aspect=aspect) for i in range(3)))
    assert [frame.pixel_aspect for frame in frames] == [pytest.approx(aspect)] * 3
    assert [frame.image_hw for frame in frames] == [(48, 64)] * 3


@pytest.mark.parametrize("suffix", ["webm", "gif"])
def test_formats_that_cannot_state_it_get_square_pixels(tmp_path: Path, suffix: str) -> None:
    frames = copied(
        tmp_path / f"o.{suffix}", *(Picture(picture(i), i / 25, pixel_aspect=2.0) for i in range(3))
    )
    assert [frame.pixel_aspect for frame in frames] == [1.0] * 3
    assert [frame.image_hw for frame in frames] == [(48, 128)] * 3
    assert [picture_index(frame.image_bgr) for frame in frames] == [0, 1, 2]


def test_pictures_of_another_shape_are_fitted_into_the_first(tmp_path: Path) -> None:
    """A white picture of 64x48 in pixels of 2:1 is as wide again as one of square ones: bars are above."""
    white = np.full((48, 64, 3), 255, np.uint8)
    first, second = copied(tmp_path / "o.mp4", Picture(white), Picture(white, 0.04, pixel_aspect=2.0))
    assert first.image_bgr.min() > 240
    rows = np.flatnonzero(second.image_bgr[:, 32, 0] > 127)
    assert (first.pixel_aspect, second.pixel_aspect) == (1.0, 1.0)
    assert (len(rows), rows[0]) == (24, 12)


def test_a_picture_is_widened_by_the_shape_of_its_pixels() -> None:
    image = np.full((48, 64, 3), 255, np.uint8)
    assert fit(image, (48, 128), 2.0).min() == 255
    assert fit(image, (96, 64), 0.5).min() == 255
    fitted = fit(image, (48, 64), 0.5)
    assert np.flatnonzero(fitted[24, :, 0]).tolist() == list(range(16, 48))


def test_heads_are_blurred_in_the_pixels_of_each_delayed_picture() -> None:
    """A head in square pixels lies at half its x in a picture of 2:1."""
    sink = FakePictureSink()
    head = Head((320.0, 120.0), 50, 60, 0.0)
    with DelayedSink(sink, Mask()) as delayed:
        delayed.write(Picture(noise(), 0.0, pixel_aspect=2.0))
        delayed.write(Picture(noise(1), 0.04, newcomers=(head,), pixel_aspect=2.0))
    early, _ = sink.pictures
    assert is_blurred(early.canvas_bgr, (160, 120), reach=15)
    changed = (early.canvas_bgr != noise()).any(axis=2)
    columns = np.flatnonzero(changed.any(axis=0))
    assert columns[[0, -1]] == pytest.approx([160 - 30, 160 + 30], abs=4)
    rows = np.flatnonzero(changed.any(axis=1))
    assert rows[[0, -1]] == pytest.approx([120 - 66, 120 + 66], abs=6)
