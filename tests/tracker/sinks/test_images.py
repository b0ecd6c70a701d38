from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import picture, picture_index
from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.images import ImageSink, SingleImageSink


def test_images_keep_their_name_and_format(tmp_path: Path) -> None:
    inputs = [tmp_path / name for name in ("a.png", "b.JPG", "c.bmp")]
    with ImageSink(tmp_path / "out", inputs) as sink:
        for path in inputs:
            sink.write(Picture(picture(3), source=path.name))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "b.JPG", "c.bmp.png"]
    assert (tmp_path / "out" / "b.JPG").read_bytes().startswith(b"\xff\xd8")
    written = cv2.imread(str(tmp_path / "out" / "c.bmp.png"))
    assert written is not None
    np.testing.assert_array_equal(written, picture(3))


def test_two_inputs_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"several inputs .*same.png"):
        ImageSink(tmp_path / "out", [tmp_path / "a" / "same.png", tmp_path / "b" / "same.png"])
    assert not (tmp_path / "out").exists()


def test_an_input_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(SinkError, match="it is the input"):
        ImageSink(tmp_path, [tmp_path / "a.png"])


@pytest.mark.parametrize("folder", ["file", "file/x", "no/such"])
def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match=str(tmp_path / folder)):
        ImageSink(tmp_path / folder, [])


def test_an_image_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    sink = ImageSink(tmp_path / "out", [])
    (tmp_path / "out" / "a.png").mkdir()
    with pytest.raises(SinkError, match=r"a\.png"):
        sink.write(Picture(picture(0), source="a.png"))


@pytest.mark.parametrize("name", ["../a.png", "/tmp/a.png", "..", "", "sub/a.png"])
def test_a_source_with_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with (
        ImageSink(tmp_path / "out", [tmp_path / "a.png"]) as sink,
        pytest.raises(SinkError, match="not the name"),
    ):
        sink.write(Picture(picture(3), source=name))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_one_image_is_written_to_the_file_of_that_name(tmp_path: Path) -> None:
    source = tmp_path / "x.jpg"
    cv2.imwrite(str(source), picture(3))
    for name in ("y.jpg", "y.png", "y.webp"):
        with SingleImageSink(str(tmp_path / name), [source]) as sink:
            sink.write(Picture(picture(3), source="x.jpg"))
        written = cv2.imread(str(tmp_path / name))
        assert written is not None
        assert picture_index(np.asarray(written, np.uint8)) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"x.jpg", "y.jpg", "y.png", "y.webp"}


def test_a_file_for_several_images_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "x.jpg"
    source.touch()
    with pytest.raises(SinkError, match=r"2 pictures to .*give --output a folder"):
        SingleImageSink(tmp_path / "y.jpg", [source, source])
    with pytest.raises(SinkError, match="it is the input"):
        SingleImageSink(source, [source])
    with pytest.raises(SinkError, match=r"written as \.png or \.jpg"):
        SingleImageSink(tmp_path / "y.xyz", [source])
