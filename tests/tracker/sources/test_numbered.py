from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import picture, picture_index
from tracker.errors import SourceError
from tracker.sources.numbered import NumberedImageSource
from tracker.sources.trim import Trim
from tracker.types import Damage, Frame


def write_images(folder: Path, numbers: Sequence[int], name: str = "f_{:04d}.png") -> Path:
    for index, number in enumerate(numbers):
        cv2.imwrite(str(folder / name.format(number)), picture(index))
    return folder / "f_%04d.png"


def read(source: NumberedImageSource) -> tuple[list[Frame], str]:
    """Return the frames, and the message of the error that ended them."""
    frames: list[Frame] = []
    try:
        with source:
            frames.extend(source)
    except SourceError as error:
        return frames, str(error)
    return frames, ""


def test_numbered_images_are_a_film(tmp_path: Path) -> None:
    path = write_images(tmp_path, range(7, 19))
    (tmp_path / "f_12.png").write_bytes(b"of another series")
    (tmp_path / "f_0001.jpg").write_bytes(b"of another series")
    source = NumberedImageSource(path, fps=10)
    assert (source.size, source.frame_count, source.end_s) == ((64, 48), 12, 1.2)
    assert [p.name for p in source.paths] == [f"f_{n:04d}.png" for n in range(7, 19)]
    frames, message = read(source)
    assert source.exhausted
    assert message == ""
    assert [picture_index(f.image_bgr) for f in frames] == list(range(12))
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(12) / 10)
    assert {f.source for f in frames} == {"f_%04d.png"}


def test_the_smallest_step_between_numbers_is_one_frame(tmp_path: Path) -> None:
    write_images(tmp_path, [0, 10, 20, 1000], "f_{}.png")
    frames, message = read(NumberedImageSource(tmp_path / "f_%d.png", fps=1))
    assert [f.time_s for f in frames] == [0.0, 1.0, 2.0, 100.0]
    assert frames[3].damage == Damage(lost_before=97)
    assert "97 frames lost" in message


def test_missing_and_unreadable_images_are_missing_frames(tmp_path: Path) -> None:
    path = write_images(tmp_path, [1, 2, 3, 6, 7, 8, 9])
    (tmp_path / "f_0002.png").write_bytes(b"no image")
    (tmp_path / "f_0009.png").write_bytes(b"")
    frames, message = read(NumberedImageSource(path, fps=1))
    assert [f.time_s for f in frames] == [0.0, 2.0, 5.0, 6.0, 7.0]
    assert [f.damage for f in frames] == [None, Damage(1), Damage(2), None, Damage(lost_after=1)]
    assert "4 frames lost" in message
    assert "\n" not in message


def test_a_part_keeps_indices_and_images(tmp_path: Path) -> None:
    path = write_images(tmp_path, range(30))
    source = NumberedImageSource(path, Trim(1.0, 2.0, 4), fps=10)
    frames, _ = read(source)
    assert source.frame_count == len(frames) == 3
    assert [picture_index(f.image_bgr) for f in frames] == [f.index for f in frames] == [10, 14, 18]
    assert not source.exhausted


@pytest.mark.parametrize(
    ("names", "message"),
    [((), "no pictures match"), (("f_0001.png",), "none of the pictures .* can be read")],
)
def test_no_readable_image_is_an_error(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(SourceError, match=message):
        NumberedImageSource(tmp_path / "f_%04d.png")


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot look for"):
        NumberedImageSource(tmp_path / "gone" / "f_%04d.png")
