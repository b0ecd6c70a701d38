"""Every image format that is read is taken wherever images are, training data included."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from tests.media import picture
from tests.shapes import face_points
from tracker.runs.batch.plan import plan_batch
from tracker.sinks.images import WRITTEN_SUFFIXES, can_write, encode_image
from tracker.sources.images.read import read_image
from tracker.sources.images.source import look_for_images
from tracker.sources.opening import PictureSource, open_source
from tracker.sources.suffixes import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from train.data.faces import UNREADABLE_SUFFIXES
from train.data.pictures import read_picture
from train.data.pts import read_pts_folder, write_pts
from train.errors import DataError

_BY_PILLOW = {
    ".avif": "AVIF", ".gif": "GIF", ".heic": "HEIF", ".heif": "HEIF", ".hif": "HEIF", ".jfif": "JPEG",
    ".jp2": "JPEG2000", ".tga": "TGA",
}  # fmt: skip
_GREY_SUFFIXES = (".pbm", ".pgm")
_HW = (120, 160)


def _image(folder: Path, suffix: str) -> Path:
    path, image = folder / f"a{suffix}", picture(1, _HW[1], _HW[0])
    if suffix in _BY_PILLOW:
        if _BY_PILLOW[suffix] == "HEIF":
            pytest.importorskip("pillow_heif").register_heif_opener()
        PIL.Image.fromarray(image[..., ::-1]).save(path, _BY_PILLOW[suffix])
    else:
        cv2.imwrite(str(path), image[..., 0] if suffix in _GREY_SUFFIXES else image)
    return path


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_an_image_that_is_read_is_taken_everywhere(tmp_path: Path, suffix: str, change: type[str]) -> None:
    path = _image(tmp_path, suffix)
    path = path.rename(path.with_suffix(change(suffix)))
    assert read_image(path).shape == (*_HW, 3)
    assert look_for_images(str(tmp_path)).paths == (path,)
    assert look_for_images(str(tmp_path / "*")).paths == (path,)
    plan = plan_batch([tmp_path])
    assert ([job.kind for job in plan.jobs], plan.left_out) == (["images"], {})
    with open_source(path) as source:
        assert isinstance(source, PictureSource)
        assert [frame.image_bgr.shape for frame in source] == [(*_HW, 3)]


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_labels_beside_it_are_read_or_the_format_is_refused(tmp_path: Path, suffix: str) -> None:
    path = _image(tmp_path, suffix)
    write_pts(path.with_suffix(".pts"), face_points((80, 60), 60))
    if suffix in UNREADABLE_SUFFIXES:
        with pytest.raises(DataError, match=rf"a\.pts: training does not read \{suffix}: save a\{suffix} as"):
            read_pts_folder(tmp_path, "x")
        cv2.imwrite(str(tmp_path / "a.png"), picture(1, _HW[1], _HW[0]))  # the remedy
    (face,) = read_pts_folder(tmp_path, "x")
    assert read_picture(face.image).shape == _HW


@pytest.mark.parametrize("suffix", sorted(UNREADABLE_SUFFIXES))
def test_formats_that_training_refuses_are_unreadable(tmp_path: Path, suffix: str) -> None:
    """They leave the list once OpenCV reads them."""
    with pytest.raises(DataError):
        read_picture(_image(tmp_path, suffix))


@pytest.mark.parametrize("suffix", sorted(WRITTEN_SUFFIXES))
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path, flat = tmp_path / f"a{suffix}", np.full((*_HW, 3), (40, 120, 200), np.uint8)
    assert can_write(suffix)
    path.write_bytes(encode_image(suffix, flat))
    read = read_image(path).astype(float)
    # A GIF has eight levels of a colour or fewer, whose mean comes near by dithering.
    if suffix == ".gif":
        read = read.mean(axis=(0, 1))
    assert np.abs(read - flat).max() <= (8 if suffix == ".gif" else 4)


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES - WRITTEN_SUFFIXES))
def test_a_format_that_is_only_read_is_not_written(suffix: str) -> None:
    assert not can_write(suffix)


def test_lists_are_in_lower_case_and_apart() -> None:
    both = IMAGE_SUFFIXES | VIDEO_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in both)
    assert not IMAGE_SUFFIXES & VIDEO_SUFFIXES
    assert WRITTEN_SUFFIXES < IMAGE_SUFFIXES
