from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import picture, picture_index
from tracker.errors import SourceError
from tracker.sources.numbered import NumberedImageSource
from tracker.sources.opening import open_film, open_source
from tracker.sources.trim import Trim
from tracker.types import Damage, Frame


def _write(folder: Path, numbers: list[int], name: str = "f_{:04d}.png") -> Path:
    for index, number in enumerate(numbers):
        cv2.imwrite(str(folder / name.format(number)), picture(index))
    return folder / "f_%04d.png"


def _read(source: NumberedImageSource) -> tuple[list[Frame], str]:
    frames: list[Frame] = []
    try:
        with source:
            frames.extend(source)
    except SourceError as error:
        return frames, str(error)
    return frames, ""


def test_numbered_pictures_are_a_film(tmp_path: Path) -> None:
    path = _write(tmp_path, list(range(7, 19)))
    (tmp_path / "f_12.png").write_bytes(b"of another series")
    (tmp_path / "f_0001.jpg").write_bytes(b"of another series")
    source = NumberedImageSource(path, fps=10)
    assert (source.size, source.frame_count, source.end_s) == ((64, 48), 12, 1.2)
    frames, message = _read(source)
    assert source.exhausted
    assert message == ""
    assert [picture_index(f.image_bgr) for f in frames] == list(range(12))
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(12) / 10)
    assert {f.source for f in frames} == {"f_%04d.png"}


def test_numbers_of_any_length_and_a_step(tmp_path: Path) -> None:
    _write(tmp_path, [0, 10, 20, 1000], "f_{}.png")
    frames, message = _read(NumberedImageSource(tmp_path / "f_%d.png", fps=1))
    assert [f.time_s for f in frames] == [0.0, 1.0, 2.0, 100.0]
    assert frames[3].damage == Damage(lost_before=97)
    assert "97 frames lost" in message


def test_missing_and_damaged_pictures_are_counted_as_lost(tmp_path: Path) -> None:
    path = _write(tmp_path, [1, 2, 3, 6, 7, 8, 9])
    (tmp_path / "f_0002.png").write_bytes(b"no picture")
    (tmp_path / "f_0009.png").write_bytes(b"")
    frames, message = _read(NumberedImageSource(path, fps=1))
    assert [f.time_s for f in frames] == [0.0, 2.0, 5.0, 6.0, 7.0]
    assert [f.damage for f in frames] == [None, Damage(1), Damage(2), None, Damage(lost_after=1)]
    assert "4 frames lost" in message
    assert "\n" not in message


def test_a_part_of_the_pictures(tmp_path: Path) -> None:
    path = _write(tmp_path, list(range(30)))
    source = NumberedImageSource(path, Trim(1.0, 2.0, 4), fps=10)
    frames, _ = _read(source)
    assert source.frame_count == len(frames) == 3
    assert [picture_index(f.image_bgr) for f in frames] == [f.index for f in frames] == [10, 14, 18]
    assert not source.exhausted


@pytest.mark.parametrize(("names", "says"), [((), "no pictures match"), (("f_0001.png",), "none of the pic")])
def test_nothing_to_read(tmp_path: Path, names: tuple[str, ...], says: str) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.raises(SourceError, match=says):
        NumberedImageSource(tmp_path / "f_%04d.png")
    with pytest.raises(SourceError, match="cannot look for"):
        NumberedImageSource(tmp_path / "gone" / "f_%04d.png")


def test_a_name_is_a_sequence_only_where_there_is_no_such_file(tmp_path: Path) -> None:
    path = _write(tmp_path, [1, 2])
    with open_film(path) as film, open_source(path) as source:
        assert isinstance(film, NumberedImageSource)
        assert isinstance(source, NumberedImageSource)
    path.write_bytes(b"")
    with pytest.raises(SourceError, match="is empty"):
        open_film(path)
