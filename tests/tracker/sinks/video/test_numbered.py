from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tests.media import picture, picture_index
from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.video.numbered import NumberedImageSink
from tracker.sources.numbered import NumberedImageSource


def test_images_are_numbered_from_1_in_order(tmp_path: Path) -> None:
    with NumberedImageSink(tmp_path / "o_%03d.png") as sink:
        for index in range(3):
            sink.write(Picture(picture(index), index / 10))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o_001.png", "o_002.png", "o_003.png"]
    with NumberedImageSource(tmp_path / "o_%03d.png") as source:
        assert [picture_index(frame.image_bgr) for frame in source] == [0, 1, 2]


@pytest.fixture
def film(tmp_path: Path) -> NumberedImageSource:
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"f_{number:04d}.png"), picture(number))
    return NumberedImageSource(tmp_path / "f_%04d.png")


# %03d and %04d give the same names from 1000 on.
@pytest.mark.parametrize("name", ["f_%04d.png", "f_%03d.png"])
def test_the_input_is_not_overwritten(film: NumberedImageSource, name: str) -> None:
    with pytest.raises(SinkError, match="it is the input"):
        NumberedImageSink(film.path.with_name(name), film)


def test_other_names_beside_the_input_are_accepted(film: NumberedImageSource) -> None:
    NumberedImageSink(film.path.with_name("g_%04d.png"), film).close()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="no folder"):
        NumberedImageSink(tmp_path / "gone" / "o_%d.png")


# No format, a disabled one, one of grey levels, one of floating-point values, no extension.
@pytest.mark.parametrize("suffix", [".txt", ".exr", ".pgm", ".hdr", ""])
def test_formats_that_cannot_hold_colour_images_are_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(SinkError, match=r"\.png or \.jpg"):
        NumberedImageSink(tmp_path / f"o_%d{suffix}")


def test_an_extension_in_capitals_is_accepted(tmp_path: Path) -> None:
    NumberedImageSink(tmp_path / "o_%d.PNG").close()
