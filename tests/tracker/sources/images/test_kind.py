"""Stills and films told by content, whatever their names say."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.cache import Clips
from tests.media import picture
from tracker.sources.images.kind import is_still
from tracker.sources.images.read import read_image
from tracker.sources.opening import PictureSource, open_source

WITH_MAGIC = (".png", ".jpg", ".gif", ".tif", ".bmp", ".ppm", ".webp", ".jp2", ".avif")


@pytest.mark.parametrize("suffix", WITH_MAGIC)
@pytest.mark.parametrize("name", ["photo", "photo.dat", "photo.txt"])
def test_an_image_under_another_name_is_a_still(tmp_path: Path, suffix: str, name: str) -> None:
    path = tmp_path / f"a{suffix}"
    assert cv2.imwrite(str(path), picture(5))
    assert is_still(path)
    renamed = path.rename(tmp_path / name)
    assert is_still(renamed)
    with open_source(renamed) as source:
        assert isinstance(source, PictureSource)
        (frame,) = source
    assert np.array_equal(frame.image_bgr, read_image(renamed))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_film_that_is_named_like_an_image_is_a_film(tmp_path: Path, suffix: str, clips: Clips) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(clips.pictures(3, suffix).read_bytes())
    assert not is_still(path)
    with open_source(path) as source:
        assert len(list(source)) == 3


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".avif"])
def test_an_animation_under_another_name_is_a_film(tmp_path: Path, suffix: str) -> None:
    images = [Image.fromarray(picture(i)) for i in range(3)]
    images[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=images[1:], duration=40)
    assert not is_still((tmp_path / f"a{suffix}").rename(tmp_path / "a"))


def test_a_stream_of_jpegs_named_like_a_film_is_one(tmp_path: Path) -> None:
    data = b"".join(cv2.imencode(".jpg", picture(i))[1].tobytes() for i in range(3))
    for name in ("a.mjpeg", "a.MJPG", "a.avi"):
        (tmp_path / name).write_bytes(data)
        assert not is_still(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "still"), [("a.jpg", True), ("a.tga", True), ("a.mp4", False), ("a", False)]
)
def test_what_cannot_be_told_by_content_goes_by_the_suffix(tmp_path: Path, name: str, still: bool) -> None:
    path = tmp_path / name
    assert is_still(path) == still  # it is not there
    path.write_bytes(b"")
    assert is_still(path) == still
    path.write_text("no picture at all")
    assert is_still(path) == still


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_still(tmp_path / "pipe")
